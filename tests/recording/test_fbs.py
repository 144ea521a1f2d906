"""The file of a recording, whole, cut off anywhere, and made up."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auniverse.errors import RecordingError
from auniverse.recording import Chunk, Header, Recording, Writer, fbs, read, write
from auniverse.recording.fbs import MAGIC, parse
from auniverse.rfb import RGBX, PixelFormat

HEADER = Header(12.5, "a server", (16, 1, -223), 640, 480, True, notes={"crc32": 7})
CHUNKS = (Chunk(b"first", 0), Chunk(b"\0" * 300, 17), Chunk(b"last", 4_000_000_000))
WHOLE = Recording(HEADER, CHUNKS, 99.0)
LINE = b'{"start": 1.5}\n'

numbers = st.floats(allow_nan=False, allow_infinity=False)
headers = st.builds(
    Header,
    numbers,
    st.text(max_size=30),
    st.lists(st.integers(-(1 << 31), (1 << 31) - 1), max_size=20).map(tuple),
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.booleans(),
    st.sampled_from([RGBX, PixelFormat(16, 16, True, True, 31, 63, 31, 11, 5, 0)]),
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9), max_size=3),
)
chunks = st.lists(
    st.builds(Chunk, st.binary(min_size=1, max_size=40), st.integers(0, 0xFFFFFFFF)), max_size=8
).map(tuple)
recordings = st.builds(Recording, headers, chunks, st.none() | numbers)


def packed(tmp_path, recording=WHOLE):
    write(tmp_path / "a.fbs", recording)
    return (tmp_path / "a.fbs").read_bytes()


def test_the_bytes_are_those_of_the_format(tmp_path):
    data = packed(tmp_path)
    magic, line, rest = data.split(b"\n", 2)
    assert magic == b"FBS 001.002"
    assert json.loads(line) == {
        "start": 12.5,
        "server": "a server",
        "encodings": [16, 1, -223],
        "pixel_format": "20180001" + "00ff" * 3 + "000810" + "000000",
        "width": 640,
        "height": 480,
        "lossless": True,
        "crc32": 7,
    }
    assert rest.startswith(b"\0\0\0\5first\0\0\0\0" + b"\0\0\1\x2c")
    assert rest.endswith(b"\0\0\0\4last" + bytes.fromhex("ee6b2800") + b'\0\0\0\0{"stop": 99.0}\n')


@given(recordings)
def test_what_was_written_is_read(tmp_path_factory, recording):
    known = {"start", "server", "encodings", "pixel_format", "width", "height", "lossless"}
    path = tmp_path_factory.getbasetemp() / "given.fbs"
    write(path, recording)
    if known.isdisjoint(recording.header.notes):
        assert read(path) == recording
    else:
        assert read(path).chunks == recording.chunks


def test_a_file_cut_off_anywhere_is_read_as_far_as_it_goes(tmp_path):
    data = packed(tmp_path)
    first_line = data.index(b"\n", len(MAGIC)) + 1
    longest = 0
    for length in range(len(data)):
        if length < first_line:
            with pytest.raises(RecordingError):
                parse(data[:length])
            continue
        recording = parse(data[:length])
        count = len(recording.chunks)
        assert recording.header == HEADER
        assert recording.chunks == CHUNKS[:count]
        assert count >= longest
        longest = count
        # The last newline says nothing.
        assert recording.stop is None or length == len(data) - 1
    assert longest == len(CHUNKS)
    assert parse(data) == WHOLE
    assert WHOLE.data == b"first" + bytes(300) + b"last"


@given(st.binary(max_size=200), st.sampled_from([b"", MAGIC, MAGIC + LINE, MAGIC + b'{"start":']))
def test_made_up_bytes_are_read_or_refused(junk, front):
    try:
        recording = parse(front + junk)
    except RecordingError:
        return
    assert sum(len(data) for data, _ in recording.chunks) <= len(junk)


@given(
    st.dictionaries(
        st.sampled_from([*json.loads(HEADER.pack()), "other"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
    )
)
def test_made_up_first_lines_are_read_or_refused(said):
    line = json.dumps({"start": 1, **said}).encode()
    with contextlib.suppress(RecordingError):
        Header.unpack(line)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"start": start} for start in (None, "1", True, float("nan"), 10**400)),
        *({"encodings": encodings} for encodings in (5, "16", [1.5], [True], [1 << 40], {"a": 1})),
        *({"width": width} for width in (1.0, "640", True)),
        *({"pixel_format": form} for form in (5, "zz", "20", "00" * 16)),
        {"server": 5},
        {"lossless": 1},
    ],
)
def test_a_first_line_with_a_wrong_field_is_refused(wrong):
    with pytest.raises(RecordingError, match="first line"):
        parse(MAGIC + json.dumps({"start": 1, **wrong}).encode() + b"\n")


def test_files_of_universes_own_are_read():
    recording = parse(MAGIC + LINE + b"\0\0\0\2ab\0\0\0\5" + b'\0\0\0\0{"stop": 2}\n')
    assert recording == Recording(Header(1.5, "", (), 0, 0, False), (Chunk(b"ab", 5),), 2.0)


def test_lengths_are_bounded(tmp_path, monkeypatch):
    with pytest.raises(RecordingError, match="1000000000"):
        parse(MAGIC + LINE + (1_000_000_000).to_bytes(4, "big") + bytes(100))
    with pytest.raises(RecordingError, match="first line"):
        parse(MAGIC + b" " * 100_000)
    with pytest.raises(RecordingError, match="first line"):
        Header(1.0, "x" * 100_000, (), 1, 1, True).pack()
    packed(tmp_path)
    monkeypatch.setattr(fbs, "FILE_LIMIT", 100)
    with pytest.raises(RecordingError, match=r"a\.fbs.*100"):
        read(tmp_path / "a.fbs")


def test_a_long_record_is_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(fbs, "RECORD_LIMIT", 4)
    with Writer(tmp_path / "deep" / "a.fbs", HEADER) as writer:
        writer.write(memoryview(b"nine long"), 3)
        writer.write(b"", 4)
    found = read(tmp_path / "deep" / "a.fbs")
    assert found.chunks == (Chunk(b"nine", 3), Chunk(b" lon", 3), Chunk(b"g", 3))
    assert found.stop is None


def test_the_error_names_the_file(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"something else")
    with pytest.raises(RecordingError, match=r"film\.mp4.*FBS"):
        read(path)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nothing")
