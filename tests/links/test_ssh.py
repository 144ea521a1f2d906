"""Tunnels through a real SSH server, ours for the test, whose key is never taken on faith."""

import asyncio
from dataclasses import replace

import pytest

from auniverse.errors import AuthenticationError, ConnectError, ConnectionLostError, UsageError
from auniverse.links import open_rewarder, open_vnc, ssh, tunnel
from tests.jumps import Server, jump
from tests.meter import HEIGHT, WIDTH, meters
from tests.tigervnc import free_port


def test_both_links_through_one_connection(tmp_path):
    async def main():
        async with jump(tmp_path) as (route, fingerprint, _), meters(1) as hosts:
            for trust in ({"hostkey": fingerprint}, {"known_hosts": str(tmp_path / "known_hosts")}):
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
                {"hostkey": "SHA256:" + "0" * 43, "known_hosts": str(tmp_path / "known_hosts")},
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
