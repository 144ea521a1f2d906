"""Gymnasium's environments as programs, without a socket."""

from __future__ import annotations

import re

import gymnasium
import numpy as np
import pytest

from auniverse.errors import MissingDependencyError, UnknownEnvError, UsageError
from auniverse.host.gym_core import GymProgram, find_id
from auniverse.keysyms import keysym
from auniverse.rfb import KeyEvent, PointerEvent

# Box2D's SWIG types warn while they are imported, and crash if that is made an error.
pytestmark = pytest.mark.filterwarnings(
    "ignore:builtin type .* has no __module__:DeprecationWarning"
)

LEFT, RIGHT, UP, DOWN = ("ArrowLeft",), ("ArrowRight",), ("ArrowUp",), ("ArrowDown",)


@pytest.fixture
def program():
    program = GymProgram()
    yield program
    program.close()


def key(program, name, down=True):
    program.press(KeyEvent(keysym(name), down))


def tap(program, name):
    key(program, name)
    key(program, name, False)


class Probe(gymnasium.Env):
    """Draws the last action into its first pixel's red; knows how often it was stepped."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 100}

    def __init__(self, space=None, render_mode=None, breaks=None, **options):
        self.action_space = space or gymnasium.spaces.Discrete(4, start=2)
        self.observation_space = gymnasium.spaces.Discrete(1)
        self.render_mode = render_mode
        self.breaks = breaks
        self.action = None

    def reset(self, *, seed=None, options=None):
        if self.breaks:
            raise self.breaks
        self.action = None
        return 0, {}

    def step(self, action):
        self.action = action
        return 0, 0.0, False, False, {}

    def render(self):
        picture = np.zeros((6, 8, 3), np.uint8)
        picture[0, 0, 0] = 0 if self.action is None else np.max(self.action)
        return picture


@pytest.fixture
def probe():
    """Registers a Probe under an id of ours; returns a function that does so."""
    names = []

    def register(name="Probe-v7", **options):
        gymnasium.register(name, entry_point=Probe, kwargs=options)
        names.append(name)
        return f"gym-core.{name}"

    yield register
    for name in names:
        del gymnasium.registry[name]


@pytest.mark.parametrize(
    ("env_id", "name"),
    [
        ("gym-core.Pong-v5", "ALE/Pong-v5"),
        ("gym-core.Blackjack-v5", "ALE/Blackjack-v5"),
        ("gym-core.Blackjack-v1", "Blackjack-v1"),
        ("gym-core.ALE/Pong-v5", "ALE/Pong-v5"),
        ("gym-core.CartPole-v1", "CartPole-v1"),
        ("gym-core.Ant-v5", "Ant-v5"),
        ("gym-core.MiniGrid-Empty-5x5-v0", "MiniGrid-Empty-5x5-v0"),
    ],
)
def test_ids(env_id, name):
    assert find_id(env_id) == name


@pytest.mark.parametrize(
    "env_id",
    ["", "Pong-v5", "gym-core.", "gym-core.Pong", "gym-core.os:Pong-v5", "gym-core.a/b/c-v0"],
)
def test_ids_of_no_environment(env_id):
    with pytest.raises(UnknownEnvError, match="no environment"):
        find_id(env_id)


def test_near_names_are_given():
    with pytest.raises(UnknownEnvError, match=r"did you mean .*gym-core\.Breakout-v5"):
        find_id("gym-core.Brakeout-v5")


@pytest.mark.parametrize(
    ("name", "actions", "fps"),
    [
        ("CartPole-v1", (LEFT, RIGHT), 50),
        ("MountainCar-v0", (LEFT, (), RIGHT), 30),
        ("Acrobot-v1", (LEFT, (), RIGHT), 15),
        ("LunarLander-v3", ((), LEFT, UP, RIGHT), 50),
        ("FrozenLake8x8-v1", (LEFT, DOWN, RIGHT, UP), 10),
        ("CliffWalking-v1", (UP, RIGHT, DOWN, LEFT), 10),
        ("Taxi-v4", (DOWN, UP, RIGHT, LEFT, ("p",), ("d",)), 10),
        ("Blackjack-v1", (("s",), ("h",)), 10),
        ("Pong-v5", ((), ("space",), RIGHT, LEFT, (*RIGHT, "space"), (*LEFT, "space")), 60),
        ("MiniGrid-Empty-5x5-v0", (LEFT, RIGHT, UP, ("p",), ("d",), ("space",), ("Return",)), 10),
        ("MiniGrid-Dynamic-Obstacles-5x5-v0", (LEFT, RIGHT, UP), 10),
    ],
)
def test_discrete_actions(program, name, actions, fps):
    metadata = program.load(f"gym-core.{name}")
    assert metadata.env_id == f"gym-core.{name}"
    assert (metadata.actions, metadata.fps, metadata.pointer) == (actions, fps, False)
    picture, _ = program.reset(0)
    assert picture.shape == (metadata.height, metadata.width, 3)
    assert gymnasium.spec(find_id(metadata.env_id)).make().action_space.n == len(actions)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("MountainCarContinuous-v0", LEFT + RIGHT),
        ("Pendulum-v1", LEFT + RIGHT),
        ("LunarLanderContinuous-v3", DOWN + UP + LEFT + RIGHT),
        ("CarRacing-v3", LEFT + RIGHT + UP + DOWN),
        ("BipedalWalker-v3", tuple("qawsedrf")),
    ],
)
def test_continuous_actions(program, name, keys):
    metadata = program.load(f"gym-core.{name}")
    assert (metadata.keys, metadata.actions, metadata.pointer) == (keys, (), True)
    assert metadata.press == "hold"
    space = gymnasium.make(name).action_space
    program.reset(0)
    for pressed in (None, *keys):
        if pressed:
            tap(program, pressed)
        assert space.contains(program._controls.take())


def test_every_action_is_reached_by_its_keys(program, probe):
    metadata = program.load(probe(space=gymnasium.spaces.Discrete(5, start=10)))
    assert metadata.actions == tuple((digit,) for digit in "01234")
    assert metadata.fps == 60
    assert (metadata.width, metadata.height) == (8, 6)
    program.reset(None)
    assert program.advance()[0][0, 0, 0] == 10, "no key: the first action"
    for k, (name,) in enumerate(metadata.actions):
        key(program, name)
        assert program.advance()[0][0, 0, 0] == 10 + k
        key(program, name, False)


def test_any_bounded_vector_has_keys(program, probe):
    metadata = program.load(probe(space=gymnasium.spaces.Box(-7, 9, (3,))))
    assert metadata.keys == tuple("qawsed")
    program.reset(None)
    program.press(PointerEvent(7, 3, 1))
    assert program.advance()[0][0, 0, 0] == 9


@pytest.mark.parametrize(
    "space",
    [
        gymnasium.spaces.MultiDiscrete([2, 3]),
        gymnasium.spaces.Discrete(37),
        gymnasium.spaces.Box(-1, 1, (9,)),
        gymnasium.spaces.Box(-1, 1, (2, 2)),
        gymnasium.spaces.Box(-np.inf, 1, (2,)),
    ],
    ids=str,
)
def test_actions_that_no_keys_express_are_refused(program, probe, space):
    with pytest.raises(UsageError, match=r"Probe-v7 (has 37 actions|cannot be played with keys)"):
        program.load(probe(space=space))


@pytest.mark.parametrize(
    ("breaks", "error", "words"),
    [
        (ImportError("no module toys"), MissingDependencyError, "no module toys"),
        (gymnasium.error.DependencyNotInstalled("toys"), MissingDependencyError, "toys"),
        (ZeroDivisionError("oh"), UsageError, "cannot be played.*oh"),
    ],
)
def test_a_failed_load_changes_nothing(program, probe, breaks, error, words):
    program.load("gym-core.FrozenLake-v1")
    before, _ = program.reset(1)
    with pytest.raises(error, match=words):
        program.load(probe(breaks=breaks))
    with pytest.raises(UnknownEnvError):
        program.load("gym-core.Nothing-v0")
    assert np.array_equal(program.advance()[0], before)


def test_what_draws_nothing_is_refused(program, probe, monkeypatch):
    monkeypatch.setattr(Probe, "render", lambda self: None)
    with pytest.raises(UsageError, match="draws no picture"):
        program.load(probe())


def run(program, seed, frames=120):
    """Play by a fixed script; returns all pictures, rewards and ends."""
    picture, _ = program.reset(seed)
    seen = [picture]
    for frame in range(frames):
        if frame % 7 == 0:
            key(program, "ArrowRight")
        elif frame % 7 == 4:
            key(program, "ArrowRight", False)
            tap(program, "ArrowUp")
        picture, outcome = program.advance()
        seen.append((picture, outcome))
    return seen


@pytest.mark.parametrize("name", ["Assault-v5", "LunarLander-v3", "Taxi-v4", "MountainCar-v0"])
def test_a_seed_makes_a_run_repeatable(program, name):
    program.load(f"gym-core.{name}")
    one, two, other = run(program, 5), run(program, 5), run(program, 6)
    assert str(one) == str(two)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(one, two, strict=True))
    assert not all(np.array_equal(a[0], b[0]) for a, b in zip(one, other, strict=True))


def test_atari_shows_every_emulated_frame(program):
    program.load("gym-core.Breakout-v5")
    program.reset(0)
    ale = program._env.unwrapped.ale
    before = ale.getEpisodeFrameNumber()
    picture, _ = program.advance()
    assert ale.getEpisodeFrameNumber() == before + 1
    assert np.array_equal(picture, ale.getScreenRGB())
    assert ale.getFloat("repeat_action_probability") == 0.25


def test_turn_based_games_wait_for_a_key(program):
    assert program.load("gym-core.CliffWalking-v1").press == "tap"
    picture, text = program.reset(0)
    assert text == (
        "You stand at row 4 of 4, column 1 of 12. The goal is at row 4 of 4, column 12 of 12."
    )
    for _ in range(3):
        same, outcome = program.advance()
        assert same is picture
        assert outcome == (0.0, False, False, text, {})
    key(program, "ArrowUp")  # held, and still one step
    moved, outcome = program.advance()
    assert outcome.reward == -1
    assert outcome.text.startswith("You stand at row 3 of 4, column 1")
    assert program.advance() == (moved, (0.0, False, False, outcome.text, {}))
    tap(program, "ArrowRight")
    tap(program, "ArrowRight")
    tap(program, "ArrowDown")
    for _ in range(2):
        program.advance()
    assert program.advance()[1].reward == -100, "over the cliff"


def test_the_end_of_an_episode(program):
    program.load("gym-core.FrozenLake-v1")
    program.reset(0)
    ends = []
    while not any(ends):
        tap(program, "ArrowRight")
        outcome = program.advance()[1]
        ends = [outcome.terminated, outcome.truncated]
    program.load("gym-core.MountainCar-v0")
    program.reset(0)
    outcomes = [program.advance()[1] for _ in range(200)]
    assert outcomes[-1][:3] == (-1.0, False, True)
    assert not any(outcome.truncated for outcome in outcomes[:-1])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("FrozenLake-v1", r"row 1 of 4, column 1 of 4\. The goal is at row 4 of 4, column 4 of 4"),
        ("Taxi-v4", r"taxi is at row \d of 5, .* passenger is at \w+ and wants to \w+\."),
        ("Blackjack-v1", r"You hold \d+( with a usable ace)?\. The dealer shows \d+\."),
        ("MiniGrid-GoToDoor-5x5-v0", r"go to the \w+ door"),
    ],
)
def test_text(program, name, words):
    assert program.load(f"gym-core.{name}").text
    _, text = program.reset(0)
    assert re.search(words, text)


def test_others_say_nothing(program):
    assert not program.load("gym-core.CartPole-v1").text
    assert program.reset(0)[1] is None


def test_nothing_loaded():
    with pytest.raises(RuntimeError, match="no environment is loaded"):
        GymProgram().reset(0)
