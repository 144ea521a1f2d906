from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import pytest
from gymnasium.envs.registration import registry

from auniverse import classic, remotes
from auniverse.acquire import open_pool
from auniverse.env import RemoteEnv, RemoteVectorEnv
from auniverse.errors import ProvisionError
from auniverse.registration import GENERIC_ID, install, register_all
from auniverse.runtimes import envs

ROOT = Path(__file__).parent.parent


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("env_id", [env.env_id for env in envs()])
def test_every_id_is_registered(env_id: str) -> None:
    spec = gymnasium.spec(env_id)
    assert spec.kwargs == {"env_id": env_id}
    assert (spec.nondeterministic, spec.order_enforce) == (True, False)
    env = gymnasium.make(spec)
    assert type(env) is RemoteEnv
    assert env.action_space is not None
    assert env.spec is not None
    assert env.spec.id == env_id
    env.close()


def test_there_is_an_id_for_anything() -> None:
    env = gymnasium.make(GENERIC_ID, env_id="gym-core.MiniGrid-DoorKey-6x6-v0", screen="80x60")
    assert type(env) is RemoteEnv
    many = gymnasium.make_vec(GENERIC_ID, num_envs=2, env_id="gym-core.Pong-v5")
    assert type(many) is RemoteVectorEnv
    assert many.num_envs == 2


def test_a_module_before_the_id_is_enough() -> None:
    assert run("import gymnasium; print(gymnasium.make('auniverse:gym-core.Pong-v5'))") == (
        "<RemoteEnv<gym-core.Pong-v5>>"
    )


@pytest.mark.parametrize(
    "imports",
    [
        "import auniverse, gymnasium",
        "import gymnasium, auniverse",
        "import auniverse, gymnasium.spaces",
        "import auniverse; from gymnasium.envs.registration import register",
        "import auniverse; import importlib.util; importlib.util.find_spec('gymnasium')",
        "import auniverse.registration as r; r.install(); r.install()",
    ],
)
def test_any_order_of_imports_registers(imports: str) -> None:
    finders = "[finder for finder in sys.meta_path if 'auniverse' in type(finder).__module__]"
    program = f"""
        {imports}
        import gymnasium, sys
        assert gymnasium.spec("gym-core.Pong-v5")
        assert type(gymnasium.__spec__.loader) is type(gymnasium.__loader__)
        assert "auniverse" not in type(gymnasium.__loader__).__module__
        assert {finders} == []
        print(gymnasium.__file__)
    """
    assert run(program).endswith("__init__.py")


def test_looking_for_gymnasium_does_not_import_it() -> None:
    program = """
        import auniverse, importlib.util, sys
        spec = importlib.util.find_spec("gymnasium")
        assert spec.loader.get_filename("gymnasium") == spec.origin
        assert "gymnasium" not in sys.modules
    """
    run(program)


def test_registering_twice_is_registering_once() -> None:
    before = dict(registry)
    register_all()
    install()
    assert registry == before


def test_without_gymnasium_the_rest_works() -> None:
    program = """
        import sys
        from importlib.abc import MetaPathFinder

        class Nowhere(MetaPathFinder):
            def find_spec(self, name, path, target=None):
                if name.split(".")[0] == "gymnasium":
                    raise ModuleNotFoundError(name)

        sys.meta_path.insert(0, Nowhere())
        import auniverse.rfb
        try:
            import gymnasium
        except ModuleNotFoundError:
            print("not there")
    """
    assert run(program) == "not there"


PONG = "gym-core.Pong-v5"
CHOSEN: dict[str, Any] = {"remotes": "docker:1", "docker_image": "mine:2", "client_id": "me"}


def by_pool() -> None:
    async def main() -> None:
        async with open_pool(CHOSEN["remotes"], env_id=PONG, **FOR_CONTAINERS):
            pass

    asyncio.run(main())


FOR_CONTAINERS = {key: value for key, value in CHOSEN.items() if key != "remotes"}
FACES: dict[str, Callable[[], object]] = {
    "make": lambda: gymnasium.make(PONG, **CHOSEN).reset(),
    "make_vec": lambda: gymnasium.make_vec(PONG, num_envs=1, **CHOSEN).reset(),
    "classic": lambda: classic.make(PONG).configure(**CHOSEN),
    "open_pool": by_pool,
}


@pytest.mark.parametrize("face", FACES)
def test_what_is_said_of_containers_reaches_them(face: str, monkeypatch: Any) -> None:
    heard: list[dict[str, Any]] = []

    def start(runtime: str, n: int, **options: Any) -> None:
        heard.append(options)
        raise ProvisionError("heard")

    monkeypatch.setattr(remotes, "BACKENDS", {**remotes.BACKENDS, "docker": start})
    with pytest.raises(ProvisionError, match="heard"):
        FACES[face]()
    assert [{key: options[key] for key in FOR_CONTAINERS} for options in heard] == [FOR_CONTAINERS]
