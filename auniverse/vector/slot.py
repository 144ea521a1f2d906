"""One place in a pool: the session that fills it, and where it stands between two results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from auniverse.address import Remote
from auniverse.errors import AuniverseError, RemoteError
from auniverse.remotes import Fleet
from auniverse.session import FIRST_FRAME, InputEvent, Session

from .batch import Result
from .frames import Frames
from .pace import Pace

NEVER = float("inf")
UNKNOWN = float("nan")


class Slot:
    """One place in a pool.

    A slot goes back and forth between the agent (`pending` is false) and its remote (`pending` is
    true: it owes a result). What it owes is a step, or, after a reset, an episode's end or a loss,
    the first observation of an episode (`resetting`).

    Attributes:
        session: The open session, None while there is none.
        error: Why the remote was last lost; reported once, when the slot next owes a result, and
            once more if it is given up.
        dead: No further remote will come.
        gone: It was taken out of the pool.
        tried: The first attempt to open has ended, well or badly.
        lacks_remote: The next attempt needs another remote.
        paused: Its remote stands still, and so does its clock.
        opening_s: Seconds that the first opening took, 0.0 before.
        causes: Losses by the name of their error.
        replaced: How often another remote took the place.
    """

    def __init__(
        self,
        index: int,
        remote: Remote,
        env_id: str | None,
        pace: Pace,
        frames: Frames,
        fleet: Fleet,
    ) -> None:
        self.index = index
        self.remote = remote
        self.env_id = env_id
        self.pace = pace
        self.session: Session | None = None
        self.error: AuniverseError | None = None
        self.dead = self.gone = False
        self.tried = False
        self.fleet = fleet
        self.lacks_remote = False
        self.paused = False
        self.opening_s = 0.0
        self.causes: Counter[str] = Counter()
        self.replaced = 0
        self.pending = False
        self.resetting = True
        self.started = False
        self.faults = 0
        self.episodes = 0
        self.reward_sum = 0.0
        self.updates = 0
        self.bytes = 0
        self._frames = frames
        self._unreported = False
        self._healing = False
        self._paused_at = 0.0
        self._loss: dict[str, object] = {}
        self._sent_at = 0.0
        self._deadline = NEVER
        self._counted = (0, 0)

    # -- its remote ----------------------------------------------------------------------------

    async def replace_remote(self) -> None:
        """Have whoever keeps the remote start another in its place; raises as `Fleet.replace`."""
        self.remote = await self.fleet.replace(self.remote)
        self.lacks_remote = False
        self.replaced += 1

    def attach(self, session: Session, now: float) -> None:
        """A remote is there; if the slot was playing before, begin a new episode at once."""
        self.session = session
        session.paused = self.paused
        if session.vnc is not None:
            session.vnc.stopwatch = self._frames.stopwatch
        self.tried = True
        self._healing = False
        self._counted = (0, 0)
        if self.started:
            self._expect_episode(now)
            self._ask_for_episode(session, None)

    def detach(self, error: AuniverseError, *, dead: bool) -> None:
        """The remote is gone, or did not come back."""
        self.session = None
        self.tried = True
        self.error = error
        self.dead = dead
        self.causes[type(error).__name__] += 1
        self._deadline = NEVER
        if self._healing and not dead:
            return  # a try that failed, and the loss was told
        self.faults += not self._healing
        self._healing = self._unreported = True
        reason, remedy = getattr(error, "reason", str(error)), getattr(error, "remedy", "")
        self._loss = self._fault(type(error).__name__, reason, retryable=not dead, remedy=remedy)

    def final_error(self) -> AuniverseError:
        """Return the error that tells all of a lost slot; its end counts as reported."""
        self._unreported = False
        error = self.error
        assert error is not None
        losses: dict[str, int] = self.stats()["causes"]
        if sum(losses.values()) == 1:
            return error
        causes = ", ".join(f"{kind} {count}x" for kind, count in losses.items())
        last, death, log = (self._loss[key] for key in ("reason", "cause_of_death", "log_tail"))
        reason = f"slot {self.index} was lost ({causes}); at last: {last}"
        reason += f"; the remote was {death}" if death else ""
        reason += f"; its log ends with:\n{log}" if log else ""
        kind = type(error) if isinstance(error, RemoteError) else RemoteError
        return kind(reason, remote=str(self.remote), remedy=str(self._loss["remedy"]))

    # -- thinking breaks -----------------------------------------------------------------------

    def pause(self, now: float) -> None:
        """The remote stands still: it need not answer, and nothing is due."""
        self.paused = True
        self._paused_at = now
        if self.session is not None:
            self.session.paused = True

    def resume(self, now: float) -> None:
        """The remote runs on, and with it what is due; no tick was missed."""
        self.paused = False
        self._deadline += now - self._paused_at
        self.pace.go_on(now)
        if self.session is not None:
            self.session.paused = False

    # -- the agent's side ----------------------------------------------------------------------

    def begin_reset(self, seed: int | None, now: float, env_id: str | None = None) -> None:
        """Begin a new episode, of another environment if one is named; its start is owed then."""
        self.env_id = env_id or self.env_id
        self.started = True
        self.pending = True
        self._expect_episode(now)
        if self.session is not None:
            self._ask_for_episode(self.session, seed)

    def send(self, events: Sequence[InputEvent], now: float) -> None:
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

    def _act(self, session: Session, events: Sequence[InputEvent], now: float) -> None:
        if self.resetting:
            if session.lockstep and session.episode.over:
                self._expect_episode(now)
                session.begin_reset()
        elif session.lockstep:
            self._deadline = now + session.reset_timeout
            session.begin_step(events)
        else:
            if events:
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

    @property
    def lost_for_good(self) -> bool:
        """Whether it is dead, and nobody was told."""
        return self.dead and self._unreported

    def stats(self) -> dict[str, Any]:
        """Return its counters since the pool opened."""
        return {
            "remote": str(self.remote),
            "env_id": self.env_id,
            "open": self.session is not None,
            "updates": self.updates,
            "bytes": self.bytes,
            "episodes": self.episodes,
            "reward_sum": self.reward_sum,
            "faults": self.faults,
            "causes": dict(self.causes),
            "replaced": self.replaced,
            "error": None if self.error is None else str(self.error),
            "missed_deadlines": self.pace.missed,
        }

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
        if session is None or session.lockstep or session.fault or self.paused:
            return False
        return not self.resetting and self.pace.timed

    def ready(self, now: float) -> bool:
        """Tell whether the slot can give its result now."""
        session = self.session
        if self.paused:
            return False
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
        return self._deadline if self.session is not None and not self.paused else NEVER

    def result(self, now: float) -> Result:
        """Give the result that the slot owes; it is the agent's turn then."""
        self.pending = False
        self._deadline = NEVER
        if self._unreported or self.session is None:
            return self._fault_result()
        if self.resetting:
            self.resetting = False
            self.session.begin_playing()
            self.pace.restart(now, self.session.fps)
            return Result(self.index, 0.0, False, False, self._info(self.session, None, reset=True))
        if self.session.ledger.quiet:
            return Result(self.index, 0.0, False, False, self._info(self.session, None))
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
        info = {**self._blank_info(), "fault": self._loss}
        return Result(self.index, 0.0, False, True, info)

    def _fault(
        self, kind: str, reason: str, *, retryable: bool, remedy: str = ""
    ) -> dict[str, object]:
        return {
            "type": kind,
            "reason": reason,
            "retryable": retryable,
            "remote": str(self.remote),
            "remedy": remedy,
            "cause_of_death": self.fleet.cause_of_death(self.remote),
            "log_tail": self.fleet.log_tail(self.remote),
        }

    def _info(
        self, session: Session, reward_sent_at: float | None, *, reset: bool = False
    ) -> dict[str, Any]:
        vnc, damaged = session.vnc, 0
        if vnc is not None and (boxes := vnc.damage.take()):
            self._frames.damage(self.index, boxes)
            damaged = sum([box.width * box.height for box in boxes])
        updates, received = session.traffic
        new_updates, new_bytes = updates - self._counted[0], received - self._counted[1]
        self._counted = (updates, received)
        self.updates += new_updates
        self.bytes += new_bytes
        info = session.info(reward_sent_at)
        info["valid"] = True
        info["reset"] = reset
        info["damage_pixels"] = damaged
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
