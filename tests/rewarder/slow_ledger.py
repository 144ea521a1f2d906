"""A ledger so simple that one can see that it is right."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Model:
    """The same, slowly: it keeps every message and works the answer out from all of them."""

    kept: list[tuple[int, str, float]] = field(default_factory=list)  # episode, kind, value
    current: int | None = None
    masked: bool = False
    floor: int = 0

    def feed(self, episode: int, kind: str, value: float) -> None:
        known = {number for number, _, _ in self.kept}
        if episode not in known:
            if episode < self.floor or (not self.masked and known and episode < max(known)):
                return
            if self.current is None and not self.masked:
                self.current = episode
        self.kept.append((episode, kind, value))

    def drop_below(self, episode: int) -> None:
        self.kept = [message for message in self.kept if message[0] >= episode]

    def answer(self, episode: int) -> None:
        self.masked, self.current, self.floor = False, episode, episode
        self.drop_below(episode)
        self.kept.append((episode, "describe", 0.0))

    def collect(self) -> tuple[float, bool, str | None, str | None]:
        if self.masked or self.current is None:
            return 0.0, False, None, None
        finished = self.current
        mine = [message for message in self.kept if message[0] == finished]
        newest = max(number for number, _, _ in self.kept)
        total = sum(value for _, kind, value in mine if kind != "describe")
        if newest == finished and all(kind != "done" for _, kind, _ in mine):
            self.kept = [message for message in self.kept if message not in mine]
            self.kept.append((finished, "describe", 0.0))
            return total, False, None, str(finished)
        self.current = newest if newest > finished else None
        self.floor = self.current or finished + 1
        self.drop_below(self.floor)
        return total, True, str(finished), None if self.current is None else str(self.current)
