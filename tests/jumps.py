"""An SSH server, ours for the test: passes on to loopback, and runs commands if it is told how."""

import asyncio
from contextlib import asynccontextmanager

import asyncssh

from auniverse.address import Route


class Server(asyncssh.SSHServer):
    """Lets connections through to loopback, and counts its clients."""

    clients = 0

    def connection_made(self, connection):
        type(self).clients += 1

    def connection_requested(self, dest_host, dest_port, orig_host, orig_port):
        return dest_host == "127.0.0.1"


@asynccontextmanager
async def jump(folder, run=None):
    """A server that knows one key; yields what makes routes to it, its fingerprint and its port.

    `run(command, stdin, stdout)` runs the commands that are asked for. The folder then holds our
    key, and known hosts that know the server's.
    """
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    ours = asyncssh.generate_private_key("ssh-ed25519")
    ours.write_private_key(folder / "id_ed25519")
    ours.write_public_key(folder / "authorized_keys")
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(folder / "other")
    Server.clients = 0

    async def serve(process):
        await run(process.command, process.stdin, process.stdout)
        process.exit(0)

    server = await asyncssh.create_server(
        Server,
        "127.0.0.1",
        0,
        server_host_keys=[host_key],
        authorized_client_keys=str(folder / "authorized_keys"),
        process_factory=serve if run else None,
        encoding=None,
    )
    async with server:
        port = server.sockets[0].getsockname()[1]
        line = host_key.export_public_key().decode()
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {line}")
        (folder / "unknown").write_text("")

        def route(**options):
            options = {"identity": str(folder / "id_ed25519"), **options}
            return Route(scheme="vnc+ssh", jump=f"127.0.0.1:{port}", user="me", **options)

        yield route, host_key.get_fingerprint("sha256"), port


async def pour(reader, writer):
    """Copy until the end, or until the other side does not want more."""
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except (OSError, asyncssh.Error):
        pass
    finally:
        writer.close()


async def splice(one, other):
    """Copy both ways between two pairs of reader and writer."""
    await asyncio.gather(pour(one[0], other[1]), pour(other[0], one[1]))
