"""Whether the kernel asks after clients. That it does so is its own business."""

import asyncio
import socket

from auniverse.host.keepalive import ask_after
from tests.host.clients import until
from tests.host.test_rfb_server import come, served


def test_the_kernel_asks_after_viewers():
    async def main():
        async with served() as server, come(server):
            await until(lambda: server.links)
            connection = server.links[0].transport.get_extra_info("socket")
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            idle, interval, count = (
                connection.getsockopt(socket.IPPROTO_TCP, getattr(socket, f"TCP_KEEP{name}"))
                for name in ("IDLE", "INTVL", "CNT")
            )
            assert idle + interval * count == 50

    asyncio.run(main())


def test_what_has_no_socket_is_let_be():
    ask_after(asyncio.BaseTransport())
