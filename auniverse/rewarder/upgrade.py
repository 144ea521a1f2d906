"""The headers of the websocket's upgrade request: who is there, and what it may.

Both ends of the Basic authorization, whose user field carries the password.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping

from .messages import PROTOCOL

AUTHORIZATION = "authorization"
OBSERVER = "openai-observer"
NEWEST_PROTOCOL = "auniverse-protocol"


def upgrade_headers(password: str | None, observer: bool) -> dict[str, str]:
    """Return a client's headers; without a password there is no authorization among them."""
    headers = {OBSERVER: "true" if observer else "false", NEWEST_PROTOCOL: str(PROTOCOL)}
    if password is not None:
        token = base64.b64encode(f"{password}:".encode()).decode()
        headers[AUTHORIZATION] = f"Basic {token}"
    return headers


def is_observer(headers: Mapping[str, str]) -> bool:
    """Return whether a client only wants to watch."""
    return headers.get(OBSERVER, "").strip().lower() == "true"


def protocol_of(headers: Mapping[str, str]) -> int:
    """Return the newest protocol that a client understands, 0 if it does not say."""
    return PROTOCOL if headers.get(NEWEST_PROTOCOL, "").strip() == str(PROTOCOL) else 0


def refusal(headers: Mapping[str, str], password: str | None) -> str | None:
    """Return why a client may not come in, None if it may.

    The password may stand in the user field, as Universe's clients send it, or in its own.
    """
    if password is None:
        return None
    authorization = headers.get(AUTHORIZATION)
    if authorization is None:
        return "no authorization header"
    scheme, _, token = authorization.strip().partition(" ")
    try:
        credentials = base64.b64decode(token.strip(), validate=True)
    except ValueError:
        return "invalid authorization header"
    if scheme.lower() != "basic" or b":" not in credentials:
        return "invalid authorization header"
    # A password may hold colons, so there are two ways to cut; all fields are compared, so that
    # the time tells nothing.
    user, _, secret = credentials.partition(b":")
    long_user = credentials.rpartition(b":")[0]
    wanted = password.encode()
    matches = [hmac.compare_digest(field, wanted) for field in (user, long_user, secret)]
    return None if any(matches) else "wrong password"
