"""Messages come out of the stream as they went in, errors with all they know."""

import asyncio
import inspect

import pytest

from auniverse import errors
from auniverse.vector.crew.wire import frame, read

KINDS = [
    kind
    for kind in vars(errors).values()
    if inspect.isclass(kind) and issubclass(kind, errors.AuniverseError)
]


async def through(*messages, cut=None):
    stream = asyncio.StreamReader()
    stream.feed_data(b"".join(map(frame, messages))[:cut])
    stream.feed_eof()
    return [await read(stream) for _ in messages]


def test_messages_come_one_by_one():
    assert asyncio.run(through({"a": 1}, [], b"x" * 100_000)) == [{"a": 1}, [], b"x" * 100_000]


@pytest.mark.parametrize("cut", [0, 2, 4, 7])
def test_a_stream_that_ends_is_the_end(cut):
    with pytest.raises(EOFError):
        asyncio.run(through("message", cut=cut))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_survives(kind):
    error = kind("why")
    if isinstance(error, errors.RemoteError):
        error = kind("why", remote="vnc://a:1+2", remedy="do this")
    (copy,) = asyncio.run(through(error))
    assert type(copy) is kind
    assert str(copy) == str(error)
    assert copy.args == error.args
    assert vars(copy) == vars(error)
