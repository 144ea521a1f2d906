"""The agent's account of its rewards, held against the ledgers of the hosts."""

import tempfile
from collections import defaultdict
from itertools import accumulate


class Account:
    """What came in one episode, as the agent saw it."""

    def __init__(self, name="", total=0.0, over=False):
        self.name = name  # the host's ledger and the episode's number in it, as the text said
        self.sum = total
        self.over = over


class Books:
    """One account for each episode of each slot.

    Those that are closed are in a file: it is not the books whose memory is to be measured.
    """

    def __init__(self, slots):
        self.open = {slot: Account() for slot in slots}
        self.results = self.faults = 0
        self._closed = tempfile.TemporaryFile("w+")  # noqa: SIM115

    def note(self, slot, reward, over, info):
        """Book one result."""
        self.results += 1
        account = self.open[slot]
        if not info["valid"]:
            assert reward == 0.0, "a fault came with a reward"
            self.faults += 1
            self._close(slot)
        elif info["reset"]:
            assert reward == 0.0, "the first observation came with a reward"
            self._close(slot)
            self.open[slot].name = info["text"]
        else:
            account.sum += reward
            if over:  # the text may be the next episode's
                account.over = True
                self._close(slot)
            else:
                account.name = account.name or info["text"]

    def _close(self, slot):
        self.file(self.open[slot])
        self.open[slot] = Account()

    def file(self, account):
        """Put a closed account away."""
        self._closed.write(f"{account.name}|{account.sum!r}|{int(account.over)}\n")

    def _accounts(self):
        with self._closed as file:
            file.seek(0)
            for line in file:
                name, total, over = line.split("|")
                yield Account(name, float(total), bool(int(over)))

    def audit(self, directory):
        """Hold every account against the ledgers; return how many of each kind there were.

        Rewards are odd, so that hardly two sums are alike: an account is right if it is the sum
        of the first rewards of that episode; one that was played to its end must be that of all.
        """
        for slot in self.open:
            self._close(slot)
        ledgers = {path.name: _read(path) for path in directory.iterdir()}
        tally = defaultdict(int)
        seen = set()
        for account in self._accounts():
            if not account.name:
                assert account.sum == 0.0, "rewards of an episode that nobody named"
                continue
            assert account.name not in seen, "two accounts of one episode"
            seen.add(account.name)
            ledger, number = account.name.split()
            rewards, complete = ledgers[ledger][int(number)]
            sums = [0.0, *accumulate(rewards)]
            what = f"{account.sum} of {rewards} (over: {account.over})"
            assert account.sum in sums, f"no host gave this reward, or not so often: {what}"
            received = sums.index(account.sum)
            tally["rewards"] += received
            if account.over:
                assert complete, "an end that no host knows"
                assert received == len(rewards), "an unbroken episode lacks a reward"
                tally["whole"] += 1
            else:
                tally["broken"] += 1
                tally["lost"] += len(rewards) - received
        return tally


def _read(path):
    """Episodes by number: their rewards, and whether they were played to the end."""
    episodes = {}
    for line in path.read_text().splitlines():
        kind, _, value = line.partition(" ")
        if kind == "episode":
            rewards = []
            current = int(value)
            episodes[current] = rewards, False
        elif kind == "reward":
            rewards.append(float(value))
        elif kind == "over":
            episodes[current] = rewards, True
    return episodes
