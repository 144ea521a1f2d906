from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import gymnasium
import pytest
from gymnasium.envs.registration import registry

from auniverse.env import RemoteEnv, RemoteVectorEnv
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
