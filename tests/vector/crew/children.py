"""The workers of a test, as the kernel sees them."""

from pathlib import Path

#: What other tests in this process keep running, such as a server for a whole session.
OTHERS: set[int] = set()


def children():
    """Process ids of the workers of this process, zombies included."""
    lists = Path("/proc/self/task").glob("*/children")
    found = {int(pid) for pids in lists for pid in pids.read_text().split()}
    return found - OTHERS
