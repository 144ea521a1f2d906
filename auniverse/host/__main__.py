"""`python -m auniverse.host`: one remote as a process.

With `--leashed` it is a child on a leash. It reads one line of JSON from stdin,
`{"vnc_password": ..., "rewarder_password": ...}`, and prints one on stdout: when both ports
listen, `{"vnc_port": ..., "rewarder_port": ...}`; if it cannot serve, `{"error": ..., "reason":
...}`. It ends as soon as stdin does: with its parent, however that died. All else goes to stderr.

With `--passwords-from-stdin`, as in a container, it reads the same line, and that is all. With
`--passwords-from-file`, as in a service of a swarm, the line is a file's first: that of a secret,
which may hold what `--certificate` reads as well.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from auniverse.address import Remote
from auniverse.errors import AuniverseError, UsageError

from .certificate import Certificate
from .serving import serve
from .stage import ProgramFailed

_log = logging.getLogger("auniverse.host")


def main() -> int:
    """Run the process; return its exit status: 0 when asked to end or the lease did."""
    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s", level=logging.INFO)
    options = vars(_parser().parse_args())
    leashed, told = options.pop("leashed"), options.pop("passwords_from_stdin")
    file, certificate = options.pop("passwords_from_file"), options["certificate"]
    try:
        if certificate is not None:
            options["certificate"] = Certificate.load(certificate, certificate)
        if file is not None:
            options |= _passwords(file.read_bytes().partition(b"\n")[0], str(file))
        elif told and not leashed:
            options |= _passwords(sys.stdin.buffer.readline())
        asyncio.run(_leashed(options) if leashed else _free(options))
    except (AuniverseError, ProgramFailed, OSError) as exc:
        _log.error("%s", exc)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m auniverse.host", description="Serve a remote.")
    parser.add_argument("runtime", help="what runs, e.g. gym-core")
    parser.add_argument("--env-id", help="the environment to begin with")
    parser.add_argument("--vnc-port", type=int, default=5900, help="0 takes a free one")
    parser.add_argument("--rewarder-port", type=int, default=15900, help="0 takes a free one")
    parser.add_argument("--bind", default="127.0.0.1", help="the address of both")
    parser.add_argument("--screen", default="1024x768", help="WIDTHxHEIGHT or native")
    parser.add_argument("--lease", type=float, help="end after SECONDS without any client")
    parser.add_argument(
        "--certificate", metavar="FILE", help="it and its key in PEM: nothing passes outside TLS"
    )
    passwords = parser.add_mutually_exclusive_group()
    passwords.add_argument(
        "--leashed", action="store_true", help="passwords from stdin, ports to stdout, end with it"
    )
    passwords.add_argument(
        "--passwords-from-stdin", action="store_true", help="one line of JSON  [default: 'openai']"
    )
    passwords.add_argument("--passwords-from-file", type=Path, metavar="FILE", help="the same line")
    return parser


async def _free(options: dict[str, Any]) -> None:
    """Serve until a signal comes."""

    def ready(remote: Remote) -> None:
        _log.info("serving %s", remote)

    await _until_told(serve(**options, ready=ready))


async def _leashed(options: dict[str, Any]) -> None:
    """Serve until stdin ends or a signal comes."""
    # The real stdout is for one line; what libraries print must not come before it.
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    stdin = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    passwords = _passwords(await stdin.readline())

    def ready(remote: Remote) -> None:
        _log.info("serving %s", remote)
        ports = {"vnc_port": remote.vnc_port, "rewarder_port": remote.rewarder_port}
        answer.write(json.dumps(ports) + "\n")
        answer.flush()

    try:
        await _until_told(serve(**options, **passwords, ready=ready), leash=stdin)
    except (AuniverseError, ProgramFailed) as error:
        answer.write(json.dumps({"error": type(error).__name__, "reason": str(error)}) + "\n")
        answer.flush()
        raise


def _passwords(line: bytes, where: str = "stdin") -> dict[str, Any]:
    """Read the line with both passwords; a null lets everybody in.

    Raises:
        UsageError: It is something else.
    """
    try:
        told = json.loads(line)
        vnc, rewarder = told["vnc_password"], told["rewarder_password"]
    except (ValueError, TypeError, KeyError):
        vnc = rewarder = 0
    if not all(password is None or isinstance(password, str) for password in (vnc, rewarder)):
        raise UsageError(f'{where}: expected {{"vnc_password": ..., "rewarder_password": ...}}')
    return {"password": vnc, "rewarder_password": rewarder}


async def _until_told(
    serving: Coroutine[Any, Any, None], leash: asyncio.StreamReader | None = None
) -> None:
    """Await `serving`, but no longer than until a signal comes or the leash is let go."""
    loop = asyncio.get_running_loop()
    remote = loop.create_task(serving)

    def tell(*_: object) -> None:
        if not remote.cancelling():  # told twice, it would end in the middle of its clean-up
            remote.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, tell)
    if leash is not None:
        holding = loop.create_task(_end_of(leash))
        holding.add_done_callback(tell)
    try:
        await remote
    except asyncio.CancelledError:
        _log.info("told to end")


async def _end_of(stream: asyncio.StreamReader) -> None:
    while await stream.read(4096):
        pass


if __name__ == "__main__":
    sys.exit(main())
