"""One place in a pool: the session that fills it, and where it stands between two results."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from auniverse.address import Remote
from auniverse.errors import AuniverseError, RemoteError
from auniverse.session import FIRST_FRAME, InputEvent, Session

from .batch import Result
from .frames import Frames
from .pace import Pace

NEVER = float("inf")
UNKNOWN = float("nan")


def no_log(remote: Remote) -> str:
    """Return the log of a remote that is not ours: nothing."""
    return ""


class Slot:
    """One place in a pool.

    A slot goes back and forth between the agent (`pending` is false) and its remote (`pending` is
    true: it owes a result). What it owes is a step, or, after a reset, an episode's end or a loss,
    the first observation of an episode (`resetting`).

    Attributes:
        session: The open session, None while there is none.
        error: Why the remote was last lost; reported once, when the slot next owes a result.
        dead: No further remote will come.
        tried: The first attempt to open has ended, well or badly.
    """

    def __init__(
        self,
        index: int,
        remote: Remote,
        env_id: str | None,
        pace: Pace,
        frames: Frames,
        log_tail: Callable[[Remote], str] = no_log,
    ) -> None:
        self.index = index
        self.remote = remote
        self.env_id = env_id
        self.pace = pace
        self.session: Session | None = None
        self.error: AuniverseError | None = None
        self.dead = False
        self.tried = False
        self.pending = False
        self.resetting = True
        self.started = False
        self.faults = 0
        self.episodes = 0
        self.reward_sum = 0.0
        self.updates = 0
        self.bytes = 0
        self._frames = frames
        self._log_tail = log_tail
        self._unreported = False
        self._sent_at = 0.0
        self._deadline = NEVER
        self._counted = (0, 0)

    # -- its remote ----------------------------------------------------------------------------

    def attach(self, session: Session, now: float) -> None:
        """A remote is there; if the slot was playing before, begin a new episode at once."""
        self.session = session
        self.tried = True
        self._counted = (0, 0)
        if self.started:
            self._expect_episode(now)
            self._ask_for_episode(session, None)

    def detach(self, error: AuniverseError, *, dead: bool) -> None:
        """The remote is gone."""
        self.session = None
        self.tried = True
        self.error = error
        self.dead = dead
        self.faults += 1
        self._unreported = True
        self._deadline = NEVER

    # -- the agent's side ----------------------------------------------------------------------

    def begin_reset(self, seed: int | None, now: float) -> None:
        """Begin a new episode; the slot owes its first observation."""
        self.started = True
        self.pending = True
        self._expect_episode(now)
        if self.session is not None:
            self._ask_for_episode(self.session, seed)

    def send(self, events: Iterable[InputEvent], now: float) -> None:
        """Act. Between two episodes the action is dropped; in lock-step it begins the next."""
        self.pending = True
        self._sent_at = now
        session = self.session
        if session is None or session.fault:
            return
        try:
            self._act(session, events, now)
        except RemoteError as error:
            session.fail(error)

    def _act(self, session: Session, events: Iterable[InputEvent], now: float) -> None:
        if self.resetting:
            if session.lockstep and session.episode.over:
                self._expect_episode(now)
                session.begin_reset()
        elif session.lockstep:
            self._deadline = now + session.reset_timeout
            session.begin_step(events)
        else:
            session.act(events)
            self.pace.begin(now)

    def _ask_for_episode(self, session: Session, seed: int | None) -> None:
        try:
            session.begin_reset(seed, self.env_id)
        except RemoteError as error:
            session.fail(error)

    def _expect_episode(self, now: float) -> None:
        self.resetting = True
        if self.session is not None:
            self._deadline = now + self.session.reset_timeout

    # -- what it owes --------------------------------------------------------------------------

    @property
    def absent(self) -> bool:
        """Whether it has no remote."""
        return self.session is None

    @property
    def live(self) -> bool:
        """Whether its result can be waited for without a reset or a boot in between."""
        return self._unreported or (self.session is not None and not self.resetting)

    @property
    def ticking(self) -> bool:
        """Whether only time stands between it and its result."""
        session = self.session
        if session is None or session.lockstep or session.fault:
            return False
        return not self.resetting and self.pace.timed

    def ready(self, now: float) -> bool:
        """Tell whether the slot can give its result now."""
        session = self.session
        if self._unreported:
            return True
        if session is None:
            return False
        self._check_deadline(session, now)
        if session.fault:
            return False  # the pool's supervisor is about to detach it
        try:
            if self.resetting:
                return session.playing
            if session.lockstep:
                return session.stepped
        except RemoteError as refusal:
            session.fail(refusal)
            return False
        if self.pace.timed:
            return now >= self.pace.due
        return session.news_since(self._sent_at)

    def _check_deadline(self, session: Session, now: float) -> None:
        if now >= self._deadline and not session.fault:
            self._deadline = NEVER
            what = FIRST_FRAME if self.resetting else "draw the next frame"
            session.fail(session.too_slow(what))

    @property
    def next_time(self) -> float:
        """`loop.time()` at which `ready` should be asked again even if nothing arrives."""
        if self.ticking:
            return self.pace.due
        return self._deadline if self.session is not None else NEVER

    def result(self, now: float) -> Result:
        """Give the result that the slot owes; it is the agent's turn then."""
        self.pending = False
        self._deadline = NEVER
        if self._unreported or self.session is None:
            return self._fault_result()
        if self.resetting:
            self.resetting = False
            self.pace.restart(now, self.session.fps)
            return Result(self.index, 0.0, False, False, self._info(self.session, None, reset=True))
        collected = self.session.collect()
        info = self._info(self.session, collected.sent_at)
        if collected.messages:
            for key, value in collected.info.items():
                info.setdefault(key, value)
        self.reward_sum += collected.reward
        if collected.done:
            self.episodes += 1
            self._expect_episode(now)
        if collected.done and "reason" in collected.info:  # Universe's word for a crash
            reason = str(collected.info["reason"])
            fault = self._fault("ProgramCrashed", reason, retryable=True)
            info |= {"valid": False, "fault": fault}
            return Result(self.index, collected.reward, False, True, info)
        terminated = collected.done and not collected.truncated
        return Result(self.index, collected.reward, terminated, collected.truncated, info)

    def _fault_result(self) -> Result:
        self._unreported = False
        self.resetting = True
        error = self.error
        reason = getattr(error, "reason", str(error))
        remedy = getattr(error, "remedy", "")
        fault = self._fault(type(error).__name__, reason, retryable=not self.dead, remedy=remedy)
        return Result(self.index, 0.0, False, True, {**self._blank_info(), "fault": fault})

    def _fault(
        self, kind: str, reason: str, *, retryable: bool, remedy: str = ""
    ) -> dict[str, object]:
        return {
            "type": kind,
            "reason": reason,
            "retryable": retryable,
            "remote": str(self.remote),
            "remedy": remedy,
            "log_tail": self._log_tail(self.remote),
        }

    def _info(
        self, session: Session, reward_sent_at: float | None, *, reset: bool = False
    ) -> dict[str, Any]:
        boxes = session.vnc.damage.take() if session.vnc else []
        self._frames.damage(self.index, boxes)
        updates, received = session.traffic
        new_updates, new_bytes = updates - self._counted[0], received - self._counted[1]
        self._counted = (updates, received)
        self.updates += new_updates
        self.bytes += new_bytes
        info = session.info(reward_sent_at)
        info["valid"] = True
        info["reset"] = reset
        info["damage_pixels"] = sum(box.width * box.height for box in boxes)
        info["updates"] = new_updates
        info["bytes"] = new_bytes
        info["missed_deadlines"] = self.pace.missed
        return info

    def _blank_info(self) -> dict[str, Any]:
        return {
            "env_id": self.env_id,
            "remote": str(self.remote),
            "episode_id": None,
            "text": "",
            "reset": False,
            "valid": False,
            "frame_age_s": UNKNOWN,
            "frame_time_s": UNKNOWN,
            "lag_observation_s": UNKNOWN,
            "lag_action_s": UNKNOWN,
            "lag_reward_s": UNKNOWN,
            "damage_pixels": 0,
            "updates": 0,
            "bytes": 0,
            "missed_deadlines": self.pace.missed,
        }
