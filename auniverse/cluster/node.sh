# What a node does when it boots for the first time, as root. The lines above set ROLE (manager or
# worker), STACK and REGION. CloudFormation reads this file: no dollar sign before a brace.
set -euo pipefail
JOIN="/auniverse/$STACK/join"

# The engine, and the tools that speak to AWS: Amazon Linux has the latter, Debian has not.
if ! command -v dockerd >/dev/null; then
  if command -v dnf >/dev/null; then
    dnf install --assumeyes --quiet docker
  else
    export DEBIAN_FRONTEND=noninteractive
    apt-get update --quiet
    apt-get install --yes --quiet --no-install-recommends awscli curl docker.io
  fi
fi
systemctl enable --now docker
for user in admin ec2-user; do # who comes by SSH may speak to the engine
  if id "$user" >/dev/null 2>&1; then usermod --append --groups docker "$user"; fi
done

METADATA=http://169.254.169.254/latest
session=$(curl --silent --fail --retry 10 --retry-connrefused --request PUT \
  --header "X-aws-ec2-metadata-token-ttl-seconds: 60" "$METADATA/api/token")
address=$(curl --silent --fail --header "X-aws-ec2-metadata-token: $session" \
  "$METADATA/meta-data/local-ipv4")

be_manager() {
  # Remotes are for workers: the manager takes none.
  docker swarm init --advertise-addr "$address" --availability drain >/dev/null
  token=$(docker swarm join-token --quiet worker)
  aws ssm put-parameter --region "$REGION" --name "$JOIN" --type SecureString --overwrite \
    --value "$token $address:2377" >/dev/null
}

# The manager may not have published the token yet, and what is there may be a dead swarm's.
be_worker() {
  until joined; do
    docker swarm leave --force >/dev/null 2>&1 || true
    sleep 3
  done
}

joined() {
  local value token manager
  value=$(aws ssm get-parameter --region "$REGION" --name "$JOIN" --with-decryption \
    --query Parameter.Value --output text) || return 1
  read -r token manager <<<"$value"
  timeout 30 docker swarm join --advertise-addr "$address" --token "$token" "$manager"
}

if [ "$(docker info --format '{{.Swarm.LocalNodeState}}')" != active ]; then
  "be_$ROLE"
fi
