from __future__ import annotations

import gymnasium
import pytest

import auniverse.runtimes.catalog
from auniverse.errors import UnknownEnvError, UnknownRuntimeError
from auniverse.keysyms import key_name, keysym
from auniverse.runtimes import (
    Env,
    env,
    envs,
    runtime,
    runtimes,
)


def test_the_runtimes() -> None:
    names = "gym-core world-of-bits desktop internet gtav starcraft world"
    assert {runtime.name for runtime in runtimes()} >= set(names.split())
    games, bits = runtime("gym-core"), runtime("world-of-bits")
    assert games is runtime("gym-core")
    assert (games.kind, games.vnc_port, games.rewarder_port) == ("embedded", 5900, 15900)
    assert (games.lease, games.unlisted) == (60.0, True)
    assert bits is runtime("world-of-bits")
    assert (bits.kind, bits.unlisted) == ("desktop", False)


def test_a_task_of_world_of_bits() -> None:
    task = env("wob.mini.UseColorwheel2-v0")
    assert (task.runtime, task.title) == ("world-of-bits", "Use Colorwheel 2")
    assert (task.actions, task.keys, task.pointer, task.text) == ((), (), True, True)


def test_a_flash_game_of_universe() -> None:
    dusk = env("flashgames.DuskDrive-v0")
    assert (dusk.runtime, dusk.title, dusk.brought) == ("flashgames", "Dusk Drive", True)
    assert dusk.rewarded
    assert not env("flashgames.RedBeard-v0").rewarded
    assert not env("flashgames.DuneRun-v0").brought
    assert env("flashgames.FormulaRacer2012Lvl12-v0").brought
    assert not env("flashgames.FormulaRacer2012Lvl13-v0").described  # one that is not in the list


def test_what_of_universe_has_to_be_brought() -> None:
    brought = [env for env in envs() if env.brought]
    families = [
        (len(found), sum(env.rewarded for env in found))
        for prefix in ("flashgames.", "internet.", "wob.real.")
        if (found := [env for env in brought if env.env_id.startswith(prefix)])
    ]
    assert families == [(1129, 161), (2, 2), (45, 37)]
    assert env("wob.real.BookFlight-AA-v0").rewarded
    assert not env("wob.real.Quizlet-Moon-Test-v0").rewarded
    slither = env("internet.SlitherIO-v0")
    assert (slither.brought, slither.rewarded, slither.title) == (False, False, "Slither IO")
    assert env("internet.SlitherIO-v0?score=length").program is not None


def test_an_atari_game() -> None:
    assert env("gym-core.Pong-v5") == Env(
        env_id="gym-core.Pong-v5",
        runtime="gym-core",
        fps=60.0,
        actions=(
            (),
            ("space",),
            ("ArrowRight",),
            ("ArrowLeft",),
            ("ArrowRight", "space"),
            ("ArrowLeft", "space"),
        ),
        press="hold",
        keys=("space", "ArrowRight", "ArrowLeft"),
        pointer=False,
        text=False,
        title="Pong",
    )


def test_a_game_of_turns() -> None:
    lake = env("gym-core.FrozenLake8x8-v1")
    assert lake.actions == (("ArrowLeft",), ("ArrowDown",), ("ArrowRight",), ("ArrowUp",))
    assert (lake.press, lake.fps, lake.text, lake.title) == ("tap", 10.0, True, "Frozen Lake 8x8")


def test_a_game_of_numbers() -> None:
    car = env("gym-core.CarRacing-v3")
    assert (car.actions, car.pointer) == ((), True)
    assert car.keys == ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown")


def test_every_key_goes_by_its_canonical_name() -> None:
    keys = {key for env in envs() for key in env.keys}
    assert {key_name(keysym(key)) for key in keys} == keys


def test_the_list_of_environments() -> None:
    each = [envs(runtime.name) for runtime in runtimes()]
    assert [env for some in each for env in some] == list(envs())
    assert len({env.env_id for env in envs()}) == len(envs())
    assert [len(envs(name)) for name in ("gym-core", "world-of-bits")] == [
        104 + 5 + 5 + 6,
        130 + 1 + 4,
    ]
    assert all(env.described and env.title for env in envs())
    played = [env for name in ("gym-core", "world-of-bits") for env in envs(name)]
    assert all(env.keys or env.pointer for env in played)
    with pytest.raises(UnknownRuntimeError, match="there are: gym-core"):
        envs("nintendo")


def test_an_unlisted_environment_is_not_described() -> None:
    found = env("gym-core.MiniGrid-Empty-5x5-v0")
    assert (found.described, found.runtime, found.actions) == (False, "gym-core", ())
    assert env("gym-core.phys2d/CartPole-v1").described is False


@pytest.mark.parametrize(
    ("env_id", "hint"),
    [
        ("Pong-v5", "gym-core.Pong-v5"),
        ("gym-core.pong", "gym-core.Pong-v5"),
        ("nintendo.Speed-v0", "Speed"),
        ("gym-core.os:system-v0", "os:system"),
        ("", "there is no environment ''"),
    ],
)
def test_an_unknown_environment_is_refused_with_near_names(env_id: str, hint: str) -> None:
    with pytest.raises(UnknownEnvError, match=hint):
        env(env_id)


def test_the_file_is_read_once_and_only_when_asked() -> None:
    auniverse.runtimes.catalog._catalog.cache_clear()
    assert env("gym-core.Pong-v5") is env("gym-core.Pong-v5")
    assert auniverse.runtimes.catalog._catalog.cache_info().misses == 1


def atari_actions() -> dict[str, tuple[tuple[str, ...], ...]]:
    """The table of Atari games, made from ale-py: the minimal set of each as keys, by our id.

    If it differs from runtimes.yml after an upgrade of ale-py, write what this returns there.
    """
    ale_py = pytest.importorskip("ale_py")
    gymnasium.register_envs(ale_py)
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    console = ale_py.ALEInterface()
    found = {}
    for name, spec in gymnasium.registry.items():
        if name.startswith("ALE/"):
            console.loadROM(ale_py.roms.get_rom_path(spec.kwargs["game"]))
            found[f"gym-core.{name.removeprefix('ALE/')}"] = tuple(
                tuple(key for word, key in ATARI_KEYS.items() if word in action.name)
                for action in console.getMinimalActionSet()
            )
    return found


ATARI_KEYS = {
    "UP": "ArrowUp",
    "DOWN": "ArrowDown",
    "LEFT": "ArrowLeft",
    "RIGHT": "ArrowRight",
    "FIRE": "space",
}


def test_the_atari_games_are_those_of_ale() -> None:
    listed = {env.env_id: env.actions for env in envs() if env.env_id.endswith("-v5")}
    assert listed == atari_actions()


def test_the_other_games_are_those_of_gymnasium() -> None:
    families = ("classic_control", "box2d", "toy_text")
    newest = {
        f"gym-core.{name}"
        for name, spec in gymnasium.registry.items()
        if spec.namespace is None
        and str(spec.entry_point).startswith(
            tuple(f"gymnasium.envs.{family}" for family in families)
        )
    }
    listed = {env.env_id for env in envs("gym-core") if not env.env_id.endswith("-v5")}
    assert listed <= newest
    # What Gymnasium has beyond them are older versions.
    assert {name.rpartition("-v")[0] for name in newest} == {
        name.rpartition("-v")[0] for name in listed
    }


# Box2D's SWIG types warn while they are imported, and crash if that is made an error.
@pytest.mark.filterwarnings("ignore:builtin type .* has no __module__:DeprecationWarning")
def test_the_host_agrees() -> None:
    host = pytest.importorskip("auniverse.host.gym_core")
    program = host.GymProgram()
    said = []
    try:
        for listed in envs("gym-core"):
            metadata = program.load(listed.env_id)
            said.append(
                Env(
                    env_id=metadata.env_id,
                    runtime="gym-core",
                    fps=metadata.fps,
                    actions=metadata.actions,
                    press=metadata.press,
                    keys=metadata.keys,
                    pointer=metadata.pointer,
                    text=metadata.text,
                    title=listed.title,
                )
            )
    finally:
        program.close()
    assert said == list(envs("gym-core"))
