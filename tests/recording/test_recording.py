"""The corpus: what real servers sent, decoded, ends with the picture that they showed."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest

from auniverse.errors import UnsupportedEncodingError, UsageError
from auniverse.recording import is_lossless, parse_encodings, play, read, rounds, viewer
from auniverse.rfb import ContinuousUpdatesOffered, Decoder, Encoding

STREAMS = sorted((Path(__file__).parents[1] / "streams").glob("*.fbs"))
NAMES = [path.stem for path in STREAMS]


def played(path, **options):
    """Play a recording; skip where the decoder lacks what its server was offered."""
    recording = read(path)
    try:
        return recording, play(recording, **options)
    except UsageError as lacking:
        pytest.skip(f"not yet: {lacking}")
    except UnsupportedEncodingError as lacking:
        if recording.header.lossless:
            raise
        pytest.skip(f"not here: {lacking}")  # what decodes JPEG is not installed everywhere


def checksum(connection):
    return zlib.crc32(np.ascontiguousarray(connection.framebuffer.pixels[..., :3]))


def test_the_corpus_is_what_it_should_be():
    assert len(STREAMS) > 40
    assert {name.split("-")[0] for name in NAMES} == {"tigervnc", "x11vnc", "tightvnc", "qemu"}
    sizes = [path.stat().st_size for path in STREAMS]
    assert max(sizes) < 3_000_000
    assert sum(sizes) < 35_000_000
    offered = {parse_encodings(read(path).header.notes["offered"])[0] for path in STREAMS}
    every = {"RAW", "RRE", "CORRE", "HEXTILE", "ZLIB", "TIGHT", "ZRLE"}
    assert offered == {Encoding[name] for name in every}


@pytest.mark.parametrize("path", STREAMS, ids=NAMES)
def test_it_is_whole_and_says_what_it_is(path):
    recording = read(path)
    header, notes = recording.header, recording.header.notes
    assert recording.stop is not None
    assert recording.stop >= header.start
    assert header.server
    assert parse_encodings(notes["offered"]) == header.encodings
    assert header.lossless == is_lossless(header.encodings) == ("crc32" in notes)
    init = recording.data[:24]
    assert int.from_bytes(init[:2], "big") == header.width
    assert int.from_bytes(init[2:4], "big") == header.height
    times = [ms for _, ms in recording.chunks]
    assert times == sorted(times)


@pytest.mark.parametrize("path", STREAMS, ids=NAMES)
def test_it_ends_with_the_picture_that_the_server_showed(path):
    recording, connection = played(path)
    assert connection.updates > 1
    if recording.header.lossless:
        assert checksum(connection) == recording.header.notes["crc32"]


@pytest.mark.parametrize("path", [path for path in STREAMS if path.stat().st_size < 500_000])
def test_how_it_is_cut_does_not_matter(path):
    """What a socket gives at once is chance; the corpus's own cuts are only one."""
    recording, whole = played(path)
    connection = viewer(recording)
    data = recording.data
    chance = np.random.default_rng(7)
    while data:
        size = int(chance.choice([1, 2, 11, 12, 13, 1000, 100_000]))
        connection.receive_data(data[:size])
        data = data[size:]
    assert connection.updates == whole.updates
    assert connection.rectangles == whole.rectangles
    assert checksum(connection) == checksum(whole)
    pieces = rounds(recording)
    assert len(pieces) - 1 <= whole.updates


@pytest.mark.parametrize("path", [path for path in STREAMS if path.stem.endswith("continuous")])
def test_fences_and_continuous_updates_are_in_the_corpus(path):
    """A client that hears the recording learns of both, and returns every fence."""
    recording = read(path)
    assert {Encoding.FENCE, Encoding.CONTINUOUS_UPDATES} <= set(recording.header.encodings)
    connection = viewer(recording)
    connection.receive_data(recording.data)
    assert connection.fences
    assert ContinuousUpdatesOffered() in connection.events()
    assert connection.updates > 20
    assert connection.data_to_send().count(b"\xf8\0\0\0") >= 2  # fences, returned


def test_the_decoder_sees_real_servers_use_what_it_claims():
    """No painter of the decoder's is tested on made-up bytes alone."""
    claimed = {Encoding.TIGHT, Encoding.ZRLE, Encoding.ZLIB, Encoding.RAW, Encoding.COPY_RECT}
    assert claimed <= set(Decoder.encodings)
    offered = {number for path in STREAMS for number in read(path).header.encodings}
    assert claimed <= offered
