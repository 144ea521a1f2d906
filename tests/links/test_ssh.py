"""Tunnels through a real SSH server, ours for the test, whose key is never taken on faith."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncssh
import pytest

from auniverse.address import Route
from auniverse.errors import AuthenticationError, ConnectError, ConnectionLostError, UsageError
from auniverse.links import open_rewarder, open_vnc, ssh, tunnel
from tests.meter import HEIGHT, WIDTH, meters
from tests.tigervnc import free_port


class Server(asyncssh.SSHServer):
    """Lets connections through to loopback, and counts its clients."""

    clients = 0

    def connection_made(self, connection):
        type(self).clients += 1

    def connection_requested(self, dest_host, dest_port, orig_host, orig_port):
        return dest_host == "127.0.0.1"


@asynccontextmanager
async def jump(folder):
    """An SSH server that knows one key; yields a function that makes routes, and the server."""
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    ours = asyncssh.generate_private_key("ssh-ed25519")
    ours.write_private_key(folder / "id")
    ours.write_public_key(folder / "authorized_keys")
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(folder / "other")
    Server.clients = 0
    server = await asyncssh.create_server(
        Server,
        "127.0.0.1",
        0,
        server_host_keys=[host_key],
        authorized_client_keys=str(folder / "authorized_keys"),
    )
    async with server:
        port = server.sockets[0].getsockname()[1]
        line = host_key.export_public_key().decode()
        (folder / "known").write_text(f"[127.0.0.1]:{port} {line}")
        (folder / "unknown").write_text("")

        def route(**options):
            options = {"identity": str(folder / "id"), **options}
            return Route(scheme="vnc+ssh", jump=f"127.0.0.1:{port}", user="me", **options)

        yield route, host_key.get_fingerprint("sha256"), server


def test_both_links_through_one_connection(tmp_path):
    async def main():
        async with jump(tmp_path) as (route, fingerprint, _), meters(1) as hosts:
            for trust in ({"hostkey": fingerprint}, {"known_hosts": str(tmp_path / "known")}):
                Server.clients = 0
                remote = replace(hosts[0].remote, route=route(**trust))
                link, rewarder = await asyncio.gather(open_vnc(remote), open_rewarder(remote))
                assert link.size == (WIDTH, HEIGHT)
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(rewarder.run())
                    await rewarder.wait_described()
                    assert rewarder.fault is None
                    assert Server.clients == 1
                    await rewarder.close()
                await link.close()
                await asyncio.gather(*tunnel._carrying)
                assert not any(ssh._jumps.values()), "closed with its last channel"

    asyncio.run(main())


def test_a_key_that_nobody_vouches_for_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))  # with no known hosts in it

    async def main():
        async with jump(tmp_path) as (route, _, _), meters(1) as hosts:
            for trust in (
                {},
                {"known_hosts": str(tmp_path / "unknown")},
                {"hostkey": "SHA256:" + "0" * 43},
                {"hostkey": "SHA256:" + "0" * 43, "known_hosts": str(tmp_path / "known")},
            ):
                remote = replace(hosts[0].remote, route=route(**trust))
                for opening in (open_vnc, open_rewarder):
                    with pytest.raises(
                        AuthenticationError, match=r"not trusted.*hostkey="
                    ) as error:
                        await opening(remote)
                    assert "vnc+ssh://127.0.0.1:" in error.value.remote
                    assert not error.value.retryable
            assert not any(ssh._jumps.values())

    asyncio.run(main())


def test_other_refusals_say_what_to_do(tmp_path):
    async def main():
        async with jump(tmp_path) as (route, fingerprint, _), meters(1) as hosts:
            there = hosts[0].remote
            strange = route(hostkey=fingerprint, identity=str(tmp_path / "other"))
            with pytest.raises(AuthenticationError, match=r"refuses us.*identity="):
                await open_vnc(replace(there, route=strange))
            missing = route(hostkey=fingerprint, identity=str(tmp_path / "none"))
            with pytest.raises(UsageError, match=r"identity=.*No such file"):
                await open_vnc(replace(there, route=missing))
            known = route(hostkey=fingerprint)
            with pytest.raises(ConnectError, match=r"does not reach 127.0.0.1") as caught:
                await open_vnc(replace(there, vnc_port=free_port(), route=known))
            assert caught.value.retryable
            with pytest.raises(ConnectError, match=r"does not reach elsewhere"):
                await open_vnc(replace(there, host="elsewhere", route=known))
            nobody = replace(known, jump=f"127.0.0.1:{free_port()}")
            with pytest.raises(ConnectError, match=r"cannot connect"):
                await open_vnc(replace(there, route=nobody))
            assert not any(ssh._jumps.values())

    asyncio.run(main())


def test_a_jump_that_dies_is_a_fault_of_the_link(tmp_path):
    async def main():
        arrived = asyncio.Event()
        async with jump(tmp_path) as (route, fingerprint, _), meters(1) as hosts:
            remote = replace(hosts[0].remote, route=route(hostkey=fingerprint))
            link = await open_vnc(remote, wake=arrived.set)
            (shared,) = ssh._jumps[asyncio.get_running_loop()].values()
            shared._connection.abort()
            async with asyncio.timeout(10):
                while not link.fault:
                    arrived.clear()
                    await arrived.wait()
            assert isinstance(link.fault, ConnectionLostError)
            await link.close()

    asyncio.run(main())
