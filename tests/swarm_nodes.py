"""Machines for the tests of swarms: real engines, each in namespaces of its own, behind one bridge.

Nothing of it is seen from outside: the machines' network is a namespace that this machine has no
route to, their mounts are private, and all of them end, whatever happened, with `close`. It takes
root.

`python -m tests.swarm_nodes COMMAND...` runs a command in their network, with DOCKER_HOST at the
manager of three that have the image of gym-core; `tests.engine` gives the engine that it is from.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from .certificates import Authority
from .engine import VARIABLE, answers, docker
from .pages import command

T = TypeVar("T")

#: Of the machines' network, in which nobody else is.
SUBNET = "10.99.0"
PATIENCE = 30.0
#: Their disks are in memory, where tens of thousands of small files come and go at once.
DISK = "3g"
_CLONE_NEWNET = 0x40000000
#: What a machine does when it is switched on: /run and /etc/docker of its own, and no name server
#: (one that is out of reach would be waited for).
_BOOT = """
hostname {name}
resolv="$(readlink -m /etc/resolv.conf)"
mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /etc/docker
mkdir -p "$(dirname "$resolv")" && touch "$resolv" {folder}/resolv.conf
echo nameserver 127.0.0.1 > {folder}/resolv.conf
mount --bind {folder}/resolv.conf "$resolv"
exec dockerd --host unix://{folder}/engine.sock --data-root {folder}/data --exec-root /run/engine \
  --pidfile {folder}/pid --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent /{cgroup} {options}
"""


def run(*command: object) -> str:
    """Run a program; return what it prints."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    return done.stdout.strip()


class Machine:
    """One machine, with an engine.

    Attributes:
        name: Its host name.
        address: Of its network.
        gateway: Where others in that network find this machine.
        engine: The address of its engine's socket.
        options: What else its engine is told when it is switched on.
        space: Its network, for `within`.
    """

    def __init__(self, folder: Path, name: str, address: str, network: str) -> None:
        self.name, self.address, self.gateway = name, address, f"{SUBNET}.254"
        self.folder = folder / name
        self.engine = f"unix://{self.folder}/engine.sock"
        self._namespace = f"{network}-{name}"
        self._network = network
        self.space = Path("/var/run/netns", self._namespace)
        self._process: subprocess.Popen[bytes] | None = None
        self.options: list[object] = []

    def listen(self, authority: Authority) -> None:
        """Have the engine listen at port 2376 as well, for those whom an authority vouches for."""
        own = authority.sign(self.address)
        listening = ("--host", f"tcp://{self.address}:2376", "--tlsverify")
        self.options = [
            *(*listening, "--tlscacert", authority.ca, "--tlscert", own.cert, "--tlskey", own.key)
        ]

    def plug_in(self) -> None:
        """Connect it to the network."""
        self.folder.mkdir()
        link = f"v{self.name}"
        run("ip", "netns", "add", self._namespace)
        inside = ("ip", "-n", self._namespace)
        run(*inside, "link", "set", "lo", "up")
        run(
            *("ip", "link", "add", link, "netns", self._network, "type", "veth"),
            *("peer", "name", "eth0", "netns", self._namespace),
        )
        run("ip", "-n", self._network, "link", "set", link, "master", "br0", "up")
        run(*inside, "addr", "add", f"{self.address}/24", "dev", "eth0")
        run(*inside, "link", "set", "eth0", "up")
        run(*inside, "route", "add", "default", "via", f"{SUBNET}.254")

    def switch_on(self) -> None:
        """Start its engine."""
        boot = _BOOT.format(
            name=self.name,
            folder=self.folder,
            cgroup=self._namespace,
            options=" ".join(map(str, self.options)),
        )
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *("nsenter", f"--net=/var/run/netns/{self._namespace}"),
                    *("unshare", "--mount", "--uts", "bash", "-ec", boot),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_up(self) -> None:
        """Wait until the engine answers."""
        deadline = time.monotonic() + PATIENCE
        while not answers(self.engine):
            log = (self.folder / "log").read_text()[-2000:]
            assert self._process is not None
            assert self._process.poll() is None, log
            assert time.monotonic() < deadline, log
            time.sleep(0.05)

    def docker(self, *arguments: object) -> str:
        """Run the engine's own client here; return what it prints."""
        done = docker(self.engine, *(str(argument) for argument in arguments))
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def kill_engine(self) -> None:
        """Kill the engine, and nothing else: its containers play on."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE)

    def shut_down(self) -> None:
        """End the engine in good order."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(PATIENCE)
        (self.folder / "engine.sock").unlink(missing_ok=True)

    def switch_off(self) -> None:
        """Cut its power: everything on it ends at once."""
        if self._process is None:
            return
        deadline = time.monotonic() + PATIENCE
        while pids := self._processes():
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)
            assert time.monotonic() < deadline, f"still there: {pids}"
        self._process.wait(PATIENCE)

    def unplug(self) -> None:
        """Take everything of it away."""
        if self._namespace not in run("ip", "netns", "list").split():
            return
        self.switch_off()
        for _ in range(3):  # cgroups empty a moment after their processes
            groups = [group for group in self.cgroups() if not _remove(group)]
            if not groups:
                break
            time.sleep(0.1)
        run("ip", "netns", "del", self._namespace)

    def cgroups(self) -> list[Path]:
        """Return the cgroups that its containers are in, the innermost first."""
        tops = Path("/sys/fs/cgroup").glob(f"**/{self._namespace}")
        found = (group for top in tops for group in [top, *top.rglob("*")] if group.is_dir())
        return sorted(found, key=lambda group: -len(group.parts))

    def _processes(self) -> set[int]:
        """Return those in its cgroups and in its network, which its engine never leaves."""
        found = set[int]()
        for group in self.cgroups():
            with suppress(OSError):
                found |= {int(pid) for pid in (group / "cgroup.procs").read_text().split()}
        listed = run("ip", "netns", "pids", self._namespace).split()
        return found | {int(pid) for pid in listed}


def _remove(group: Path) -> bool:
    try:
        group.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


class Machines(list[Machine]):
    """Some machines on one network.

    Args:
        folder: Where their disks are.
        n: How many.
        image: An image that all of them have, and the engine that it comes from; None: none.

    Attributes:
        authority: Whoever it vouches for may speak to the first one's engine by TLS.
    """

    def __init__(self, folder: Path, n: int, image: tuple[str, str] | None = None) -> None:
        self.authority = Authority(folder)
        self._image = image
        self._network = f"au{os.getpid():x}"
        super().__init__(
            Machine(folder, f"n{i}", f"{SUBNET}.{i}", self._network) for i in range(1, n + 1)
        )

    def open(self) -> None:
        """Start them all."""
        run("ip", "netns", "add", self._network)
        inside = ("ip", "-n", self._network)
        run(*inside, "link", "add", "br0", "type", "bridge")
        for device in ("br0", "lo"):
            run(*inside, "link", "set", device, "up")
        run(*inside, "addr", "add", f"{SUBNET}.254/24", "dev", "br0")
        for machine in self:
            machine.plug_in()
        self[0].listen(self.authority)
        if self._image:
            self._load(*self._image)
        for machine in self:
            machine.switch_on()
        for machine in self:
            machine.wait_up()

    def _load(self, engine: str, image: str) -> None:
        """Bring an image from another engine to all: to the first, and its disk to the others.

        Layers never change, so that links do; what is known of them is copied.
        """
        first, *others = self
        first.switch_on()
        first.wait_up()
        run(
            "bash", "-c", f"docker --host {engine} save {image} | docker --host {first.engine} load"
        )
        first.shut_down()
        for other in others:
            run("mkdir", other.folder / "data")
            run("cp", "-al", first.folder / "data" / "overlay2", other.folder / "data")
            run("cp", "-a", first.folder / "data" / "image", other.folder / "data")

    def form_swarm(self) -> None:
        """Make a swarm of them as our page says, which misses a machine after 3 s."""
        first, *others = self
        init, join = (command("swarm.md", "docker", "swarm", verb) for verb in ("init", "join"))
        beat = ("--dispatcher-heartbeat", "1s")
        first.docker(*init.replace("10.0.0.1", first.address).split()[1:], *beat)
        token = first.docker("swarm", "join-token", "--quiet", "worker")
        join = join.replace("SWMTKN-...", token).replace("10.0.0.1", first.address)
        for other in others:
            other.docker(*join.split()[1:])

    def close(self) -> None:
        """Take everything away."""
        for machine in self:
            machine.unplug()
        if self._network in run("ip", "netns", "list").split():
            run("ip", "netns", "del", self._network)

    def leftovers(self) -> list[str]:
        """Return what is left of them on this machine."""
        spaces = run("ip", "netns", "list").split()
        left = [space for space in spaces if space.startswith(self._network)]
        left += [str(group) for machine in self for group in machine.cgroups()]
        mounts = Path("/proc/self/mounts").read_text().splitlines()
        return left + [line for line in mounts if str(self[0].folder.parent) in line]

    @property
    def entering(self) -> list[str]:
        """The words before a command that is to run in the machines' network."""
        return ["nsenter", f"--net=/var/run/netns/{self._network}"]

    def inside(self, play: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the machines' network, from a thread that alone is in it."""
        result: list[T] = []
        failure: list[BaseException] = []

        def enter() -> None:
            try:
                with Path("/var/run/netns", self._network).open() as space:
                    libc = ctypes.CDLL(None, use_errno=True)
                    assert libc.setns(space.fileno(), _CLONE_NEWNET) == 0, ctypes.get_errno()
                result.append(asyncio.run(play))
            except BaseException as error:
                failure.append(error)

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if failure:
            raise failure[0]
        return result[0]


@contextmanager
def machines(n: int, image: tuple[str, str] | None = None) -> Iterator[Machines]:
    """Give so many machines; see `Machines`."""
    folder = Path(tempfile.mkdtemp(prefix="auniverse-machines-"))
    run("mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", folder)
    made = Machines(folder, n, image)
    try:
        made.open()
        yield made
    finally:
        made.close()
        run("umount", folder)
        folder.rmdir()


def within(space: Path, make: Callable[[], socket.socket]) -> socket.socket:
    """Return a socket of another network, made by a thread that enters it."""
    found: list[socket.socket] = []

    def enter() -> None:
        with space.open() as there:
            libc = ctypes.CDLL(None, use_errno=True)
            assert libc.setns(there.fileno(), _CLONE_NEWNET) == 0, ctypes.get_errno()
        found.append(make())

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return found[0]


def main() -> int:
    """Run a command beside a swarm; return its exit status."""
    with machines(3, (os.environ[VARIABLE], "auniverse/gym-core:1")) as made:
        made.form_swarm()
        return subprocess.run(
            [*made.entering, *sys.argv[1:]],
            env={**os.environ, "DOCKER_HOST": made[0].engine},
            check=False,
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
