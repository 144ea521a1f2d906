"""That the benchmarks run: their figures are nobody's business here."""

from __future__ import annotations

import asyncio
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from auniverse.address import Remote
from auniverse.recording import Header, Writer

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def bench(monkeypatch, tmp_path):
    """Import as the benchmarks themselves do, and build where nobody else does."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setattr(importlib.import_module("peers.building"), "BUILT", tmp_path / "built")
    return importlib.import_module


def built(bench, source, *libraries):
    building = bench("peers.building")
    try:
        return building.build(source, *libraries)
    except building.MissingError as missing:
        pytest.skip(str(missing))


def recorded(bench, folder, name):
    """Write one of the streams as a recording; return it."""
    stream = bench("peers.workloads").WORKLOADS[name]()
    header = Header(0.0, "numpy", stream.encodings, *stream.size, lossless=True)
    with Writer(folder / f"{name}.fbs", header) as writer:
        writer.write(stream.init + b"\2" + b"".join(stream.updates) + b"\0\0\0\7cut off", 0)
    return stream


@pytest.mark.parametrize("name", ["tiny", "raw"])
def test_a_recording_is_cut_at_its_updates_and_decoded_alike(bench, tmp_path, name):
    wanted = recorded(bench, tmp_path, name)
    stream = bench("peers.streams").load(tmp_path / f"{name}.fbs")
    assert stream == wanted
    *_, last = bench("peers.ours_decode").crcs(stream)
    _, theirs = asyncio.run(bench("peers.asyncvnc_decode").asyncvnc_pass(stream))
    assert last == theirs


def test_a_loop_may_be_entered_again_where_it_began(bench):
    decode, workloads = bench("peers.ours_decode"), bench("peers.workloads")
    stream = workloads.WORKLOADS["desktop"]()
    again = stream.updates + stream.updates[1:]
    twice = type(stream)("twice", stream.init, again, stream.encodings, lossless=True)
    assert len(decode.crcs(twice)) == len(again)


def test_what_is_no_recording_is_unreadable(bench, tmp_path):
    streams = bench("peers.streams")
    (tmp_path / "cut.fbs").write_bytes(b"FBS")
    with pytest.raises(streams.UnreadableError, match="FBS"):
        streams.load(tmp_path / "cut.fbs")


def test_the_floor_is_all_that_must_be_done(bench):
    streams = bench("peers.streams")
    stream = bench("peers.workloads").WORKLOADS["tiny"]()
    found, data = [], streams.floor_operations(stream)
    at = 8
    while at < len(data):
        kind, _, _, _, width, height, length = streams._OPERATION.unpack_from(data, at)
        found.append((chr(kind), width * height))
        at += streams._OPERATION.size + length
    assert found[-3:] == [("I", 0), ("M", 14 * 11), ("U", 0)]
    assert [kind for kind, _ in found].count("U") == len(stream.updates)


def test_decode_runs(bench, tmp_path):
    built(bench, "libvnc_decode.c", "libvncclient", "zlib")
    built(bench, "floor.c", "libjpeg", "zlib")
    recorded(bench, tmp_path, "tiny")
    command = [sys.executable, str(BENCHMARKS / "decode.py"), "--quick", "--json"]
    done = subprocess.run([*command, "--corpus", str(tmp_path)], capture_output=True, check=True)
    answer = json.loads(done.stdout)
    seconds = answer["streams"]["tiny"]["seconds"]
    assert {"ours", "libvncclient", "floor", "asyncvnc"} <= seconds.keys()
    assert answer["ratio_libvncclient_geomean"] > 0
    assert not answer["streams"]["tiny"]["notes"]


@pytest.mark.parametrize("client", ["ours", "asyncvnc", "C epoll"])
@pytest.mark.parametrize("fps", [0, 60])
def test_sessions_are_fed(bench, tmp_path, client, fps):
    built(bench, "replayer.c")
    built(bench, "epoll_client.c", "zlib")
    throughput, file = bench("throughput"), tmp_path / "desktop.stream"
    bench("peers.workloads").WORKLOADS["desktop"]().write(file)
    measured = throughput.session_run(client, 2, file, 0.2, fps)
    assert measured["updates_per_s"] > 0
    assert (measured["missed"] is None) == (fps == 0)


@pytest.mark.apt
@pytest.mark.parametrize("client", ["ours", "ours busy", "asyncvnc", "C", "C busy"])
def test_keys_become_pixels(bench, client):
    for source, *libraries in (
        ("flip.c", "libX11"),
        ("libvnc_press.c", "libvncclient"),
        ("replayer.c",),
        ("epoll_client.c", "zlib"),
    ):
        built(bench, source, *libraries)
    latency = bench("latency")
    with latency.screen(250) as port:
        assert len(latency.press(client, port, 2, seed=0)) == 2


def test_workers_decode_what_is_replayed(bench, tmp_path, monkeypatch):
    replayer = built(bench, "replayer.c")
    scaling, throughput = bench("scaling"), bench("throughput")
    monkeypatch.setattr(scaling, "SCREENS", 2)
    bench("peers.workloads").screenfuls().write(tmp_path / "stream")
    answers: list[str] = []
    with throughput.talking([str(replayer), str(tmp_path / "stream")], None, answers) as process:
        throughput.say(process, "stats")
        remotes = [Remote("127.0.0.1", int(answers[0]), None)] * 2
        contenders = scaling.pools(remotes, clustered=False)
        assert list(contenders) == ["one process", "1 worker", "2 workers", "4 workers"]
        measured = asyncio.run(scaling.measure(contenders["2 workers"], 0.1))
    assert measured["updates_per_s"] > 0
    assert measured["batches_per_s"] > 0


def test_a_swarm_is_held_against_the_peer_of_the_same_round(bench):
    swarm = bench("swarm")
    ours = [swarm.Times(2.0, 4.0), swarm.Times(3.0, 6.0), swarm.Times(30.0, 60.0)]
    peer = [swarm.Times(1.0, 4.0), swarm.Times(3.0, 3.0), swarm.Times(20.0, 40.0)]
    middle = swarm.medians({swarm.OURS: {4: ours}, swarm.PEER: {4: peer}})
    assert middle[swarm.OURS][4] == (3.0, 6.0)
    assert middle[swarm.RATIO][4] == (1.5, 1.5)
