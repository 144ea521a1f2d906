from __future__ import annotations

import asyncio
import json

from auniverse.recording import play, read
from tests.cli.command import COMMAND, auniverse
from tests.meter import meters


def recorded(path, *options):
    """Record a host of ours; returns the exit code, stdout and stderr."""

    async def main():
        async with meters(1) as hosts:
            run = asyncio.create_task(hosts[0].run())
            process = await asyncio.create_subprocess_exec(
                *(
                    *COMMAND,
                    "record",
                    f"vnc://127.0.0.1:{hosts[0].remote.vnc_port}?password=secret12",
                ),
                *("--raw", "-o", str(path), *options),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, err = await process.communicate()
            run.cancel()
            return process.returncode, out.decode(), err.decode()

    return asyncio.run(main())


def test_a_recording_can_be_played(tmp_path):
    path = tmp_path / "deep" / "a.fbs"
    code, out, err = recorded(path, "--encodings", "zrle", "--max-updates", "5", "--json")
    assert (code, err) == (0, "")
    said = json.loads(out)
    assert said["path"] == str(path)
    assert said["ended"] == "updates"
    assert (said["width"], said["height"], said["decoded"]) == (32, 24, True)
    assert said["encodings"] == [16]
    assert play(read(path)).updates == said["updates"] >= 5
    assert said["bytes"] == len(read(path).data)


def test_people_are_told_too(tmp_path):
    code, out, _ = recorded(tmp_path / "a.fbs", "--seconds", "0.1", "--max-mb", "1")
    assert code == 0
    assert "32x24 (seconds)" in out


def test_what_cannot_be_recorded(tmp_path):
    where = ("record", "vnc://127.0.0.1:1", "-o", str(tmp_path / "a.fbs"))
    for arguments, code, words in (
        (where, 2, "--raw"),
        ((*where, "--raw"), 4, "cannot connect"),
        ((*where, "--raw", "--encodings", "tigth"), 2, "tigth"),
        (("record", "vnc://h+1", *where[2:], "--raw"), 2, "VNC port"),
        (("record", "vnc://a:1,b:2", *where[2:], "--raw"), 2, "one address"),
    ):
        ended = auniverse(*arguments)
        assert ended.returncode == code, ended.stderr
        assert words in ended.stderr
        assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []
