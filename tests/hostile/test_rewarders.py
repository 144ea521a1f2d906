"""Hostile rewarders, and clients of ours that are: JSON that swells, floods, what is no JSON."""

from __future__ import annotations

import asyncio
import json
import tracemalloc

import pytest

from auniverse.address import Remote
from auniverse.errors import RewarderError
from auniverse.links import open_rewarder
from auniverse.rewarder import Connection, Ledger, Server
from auniverse.rewarder.values import weight

from .cost import SLACK

MIB = 1 << 20


def text_message(body: str) -> str:
    return (
        '{"method":"v0.env.text","headers":{"message_id":0,"sent_at":1,"episode_id":"1"},'
        f'"body":{{"text":{body}}}}}'
    )


def filled(piece: str, size: int = MIB - 200) -> str:
    """An array of `piece` as long as a message may be."""
    return "[" + ",".join([piece] * (size // (len(piece) + 1))) + "]"


SWELLING = {
    "lists": filled("[]"),
    "objects": filled("{}"),
    "nested": filled("[[[[]]]]"),
    "floats": filled("0.5"),
    "integers": filled("777"),
    "small integers": filled("7"),
    "texts": filled('"ab"'),
    "entries": "{" + ",".join(f'"{number:x}":{{}}' for number in range(100_000)) + "}",
    "wide text": '"' + "x" * (MIB - 300) + '\\ud83d\\ude00"',
    "wide texts": filled('"\U0001f600"'),
    "long text": '"' + "x" * (MIB - 300) + '"',
    "commas": '"' + "," * (MIB - 300) + '"',
}
TAKEN = {"wide text", "long text", "commas"}


@pytest.mark.parametrize("kind", SWELLING)
def test_a_message_takes_less_than_16_mebibytes_or_is_refused(kind: str) -> None:
    text = text_message(SWELLING[kind])
    assert len(text) <= MIB
    tracemalloc.start()
    try:
        fault = ""
        try:
            Connection().receive_text(text, 1.0)
        except RewarderError as error:
            fault = error.reason
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert ("once parsed" in fault) == (kind not in TAKEN)
    assert bool(fault) == (kind not in TAKEN)
    assert peak < SLACK


@pytest.mark.parametrize("size", [1000, 30_000, 120_000])
@pytest.mark.parametrize(
    "kind", ["[]", "{}", "0.5", '"ab"', '{"k":[]}', "[[[[]]]]", '"\U0001f600"']
)
def test_the_weight_is_an_upper_bound_of_what_it_takes(kind: str, size: int) -> None:
    text = filled(kind, size)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        value = json.loads(text)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert value
    assert after - before <= weight(text)


def test_a_large_observation_is_no_attack() -> None:
    connection = Connection()
    observation = [[round(0.001 * x, 3) for x in range(160)] for _ in range(210)]
    connection.receive_text(text_message(json.dumps(observation)), 1.0)
    assert len(connection.events()) == 1


def test_what_nobody_collects_stays_below_16_mebibytes() -> None:
    body = filled("[]", 100_000)
    tracemalloc.start()
    try:
        connection, ledger = Connection(), Ledger()
        for _ in range(8):
            connection.receive_text(text_message(body), 1.0)
            for event in connection.events():
                ledger.feed(event)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < SLACK
    assert ledger.forgotten


@pytest.mark.parametrize(
    "message",
    [
        "",
        "[]",
        "null",
        "[" * 100_000,
        '{"a":' * 5000,
        '{"method":1}',
        '{"method":"v0.env.reward"}',
        '{"method":"v0.env.reward","headers":[],"body":{}}',
        text_message("1" * 41),
        text_message("1e999"),
        text_message("NaN"),
        text_message("-Infinity"),
        "x" * (MIB + 1),
    ],
)
def test_a_message_that_is_none_is_refused_by_both_ends(message: str) -> None:
    with pytest.raises(RewarderError):
        Connection().receive_text(message, 1.0)
    server = Server(password=None, env_id="x", fps=60.0)
    peer = server.connect({}, 0.0)
    assert server.receive_text(peer, message, 1.0) == []
    assert peer.close or message.startswith('{"method":"v0.env')


def test_pings_that_are_answered_and_never_read_end_the_link() -> None:
    """Each ping makes us answer, so a server that does not read could make us keep the answers."""
    upgrade = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from websockets.server import ServerProtocol

        try:
            protocol = ServerProtocol()
            protocol.receive_data(await reader.readuntil(b"\r\n\r\n"))
            [request] = protocol.events_received()
            protocol.send_response(protocol.accept(request))
            writer.writelines(protocol.data_to_send())
            upgrade.set()
            while True:
                writer.write((b"\x89\x7d" + bytes(125)) * 500)
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()

    async def main() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            link = await open_rewarder(Remote("127.0.0.1", None, port))
            async with asyncio.timeout(50):
                await link.run()
            assert link.fault is not None
            await link.close()

    asyncio.run(main())
