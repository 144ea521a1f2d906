"""Clients that vanish without a word: the network is asked after them, so that a lease can end.

A client whose machine lost its power, or whose way here is cut, sends no reset. Viewers need not
answer anything that RFB knows, but their kernel answers TCP's probes. (Peers of the rewarder answer
websocket pings, which its server sends.)
"""

from __future__ import annotations

import asyncio
import socket

#: Seconds of quiet before the first probe, between two, and how many stay unanswered; then the
#: connection is reset. The last one is the same for what was sent, in milliseconds.
_OPTIONS = {
    "TCP_KEEPIDLE": 20,
    "TCP_KEEPINTVL": 10,
    "TCP_KEEPCNT": 3,
    "TCP_USER_TIMEOUT": 50_000,
}


def ask_after(transport: asyncio.BaseTransport) -> None:
    """Have a connection lost after some 50 s in which the far side's kernel answers nothing."""
    connection = transport.get_extra_info("socket")
    if connection is None:  # no socket of ours: its owner knows
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _OPTIONS.items():
        if hasattr(socket, name):  # not all systems have all of them
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
