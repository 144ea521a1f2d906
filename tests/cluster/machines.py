"""Machines that boot as those of a stack do, with SSH servers, for the tests of clusters."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
import boto3
from typer.testing import CliRunner

from auniverse.cli import app
from auniverse.cluster.reach import SOCKET

from ..aws import REGION
from ..jumps import splice
from ..swarm_nodes import Machine, within

#: What the script of a node calls, besides the engine's own client: AWS's program is one for
#: moto's server, and the machine's metadata are what the test says.
PROGRAMS = {
    "aws": f"""#!{sys.executable}
import sys, boto3
words = sys.argv[1:]
options = dict(zip(words[2::1], words[3::1]))
ssm = boto3.client(words[0], region_name=options["--region"])
if words[1] == "put-parameter":
    assert "--overwrite" in words and options["--type"] == "SecureString"
    value, kind = options["--value"], options["--type"]
    ssm.put_parameter(Name=options["--name"], Value=value, Type=kind, Overwrite=True)
else:
    assert "--with-decryption" in words and options["--query"] == "Parameter.Value"
    try:
        print(ssm.get_parameter(Name=options["--name"], WithDecryption=True)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        sys.exit(254)
""",
    "curl": """#!/bin/bash
case "$*" in
  *PUT*/latest/api/token) echo session ;;
  *"X-aws-ec2-metadata-token: session"*/latest/meta-data/local-ipv4) echo "$ADDRESS" ;;
  *) exit 22 ;;
esac
""",
    "systemctl": "#!/bin/bash\n[ \"$*\" = 'enable --now docker' ]\n",
}


def is_made() -> bool:
    """Tell whether there is a stack's machine that could boot."""
    ec2 = boto3.client("ec2", region_name=REGION)
    return len(ec2.describe_launch_templates()["LaunchTemplates"]) == 2


def user_data(role: str) -> str:
    """Return what AWS would run on a machine of the stack that was made last."""
    ec2 = boto3.client("ec2", region_name=REGION)
    for template in ec2.describe_launch_templates()["LaunchTemplates"]:
        (version,) = ec2.describe_launch_template_versions(
            LaunchTemplateId=template["LaunchTemplateId"], Versions=["$Latest"]
        )["LaunchTemplateVersions"]
        text = base64.b64decode(version["LaunchTemplateData"]["UserData"]).decode()
        if f"ROLE={role} " in text:
            return text
    raise AssertionError(role)


def boot(machine: Machine, role: str, folder: Path) -> subprocess.Popen[bytes]:
    """Run on a machine what a machine of the stack runs when it boots."""
    (folder / role).write_text(user_data(role))
    return subprocess.Popen(
        ["bash", folder / role],
        env={
            **os.environ,
            "PATH": f"{folder / 'programs'}:{os.environ['PATH']}",
            "DOCKER_HOST": machine.engine,
            "ADDRESS": machine.address,
            "PYTHONWARNINGS": "ignore",
        },
    )


async def boot_all(manager: Machine, workers: list[Machine], folder: Path) -> None:
    """Boot the machines of a stack that is being made, the manager last; wait until they have."""
    programs = folder / "programs"
    programs.mkdir()
    for name, text in PROGRAMS.items():  # before the first boots, which may be running them
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    while not await asyncio.to_thread(is_made):  # noqa: ASYNC110 (AWS is asked)
        await asyncio.sleep(0.1)
    booting = [boot(worker, "worker", folder) for worker in workers]
    try:
        booting.append(boot(manager, "manager", folder))
        for each in booting:
            assert await asyncio.to_thread(each.wait, 60) == 0
    finally:
        for each in booting:
            each.kill()  # who waits for a manager waits for ever


class Sshd(asyncssh.SSHServer):
    """Lets connections through to wherever a machine gets, and to its own engine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._connection: Any = None

    def connection_made(self, conn: Any) -> None:
        self._connection = conn

    def connection_requested(self, dest_host: str, dest_port: int, *_: Any) -> Any:
        async def through(reader: Any, writer: Any) -> None:
            sock = await asyncio.to_thread(within, self._machine.space, socket.socket)
            sock.setblocking(False)
            try:
                await asyncio.get_running_loop().sock_connect(sock, (dest_host, dest_port))
            except OSError:
                sock.close()
                writer.close()
                return
            await splice((reader, writer), await asyncio.open_connection(sock=sock))

        return through

    def unix_connection_requested(self, dest_path: str) -> Any:
        assert dest_path == SOCKET
        return self._connection.forward_unix_connection(
            self._machine.engine.removeprefix("unix://")
        )


@asynccontextmanager
async def sshd(machine: Machine, folder: Path, sock: socket.socket) -> AsyncIterator[str]:
    """Serve SSH on a socket; give the server's fingerprint."""
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.create_server(
        lambda: Sshd(machine),
        sock=sock,
        server_host_keys=[host_key],
        authorized_client_keys=str(folder / "authorized_keys"),
    )
    async with server:
        yield host_key.get_fingerprint("sha256")


@asynccontextmanager
async def entrance(machine: Machine, folder: Path) -> AsyncIterator[str]:
    """Serve SSH on port 22 of a machine; give the server's fingerprint."""
    sock = within(machine.space, lambda: socket.create_server((machine.address, 22)))
    async with sshd(machine, folder, sock) as fingerprint:
        yield fingerprint


def make_key(folder: Path, name: str) -> None:
    """Make the user's key, and let it in."""
    ours = asyncssh.generate_private_key("ssh-ed25519")
    ours.write_private_key(folder / name)
    ours.write_public_key(folder / "authorized_keys")


async def program(*arguments: str) -> tuple[int, str, str]:
    """Run `auniverse` in the network of this thread; return its status and what it prints.

    Where no image is sent, in a thread of ours: for a process, importing is most of the work.
    """
    if "up" not in arguments and "--direct" not in arguments:
        result = await asyncio.to_thread(CliRunner().invoke, app, arguments)
        return result.exit_code, result.stdout, result.stderr
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "auniverse", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(300):  # an image of 286 MB goes through two ends of SSH
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()
