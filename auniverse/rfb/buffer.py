"""The bytes that have arrived and are not understood yet."""

from __future__ import annotations

from typing import Protocol

from auniverse.errors import RFBError

#: Room that a reader of sockets gets at least, in bytes; smaller reads cost more than they move.
MIN_ROOM = 16 * 1024

#: How often the buffer must have run empty before it may shrink: a busy screen must not make it
#: swing between two sizes.
ROUNDS = 256

#: Bytes that may be written beyond those that are needed: a reader must not be able to take in
#: more than can be understood before it reads again.
MAX_SURPLUS = 256 * 1024

#: Waiting bytes that may be copied when the memory grows.
COPIED = 1 << 20


class Buffer(Protocol):
    """Memory for what arrives: `ReceiveBuffer`, or the same in C."""

    @property
    def waiting(self) -> int:
        """How many bytes wait to be read."""

    @property
    def capacity(self) -> int:
        """Bytes of memory held."""

    @property
    def front(self) -> int:
        """The first byte that waits, -1 if none does."""

    def __len__(self) -> int:
        """How many bytes wait to be read."""

    def get_buffer(self, needed: int = 0, /) -> memoryview:
        """Return the memory to write to."""

    def buffer_updated(self, count: int, /) -> None:
        """Note that so many bytes were written there."""

    def view(self) -> memoryview:
        """Return the bytes that wait."""

    def consume(self, count: int, /) -> None:
        """Forget the first of them."""

    def holds(self, needed: int, /) -> bool:
        """Tell whether it can be read on: so many bytes wait, or some came to the screen itself."""


class ReceiveBuffer:
    """One contiguous piece of memory between two cursors.

    The socket writes behind the one, the parser reads from the other, and nothing is copied
    except for what is left over when the end of the memory is reached. The memory is never
    resized but replaced, and nothing is moved in it while somebody has a view of what waits, so
    that a view can at worst be stale and never dangling.

    Args:
        size: Its usual size in bytes.
        limit: The largest message that it will make room for, in bytes.

    Attributes:
        waiting: How many bytes wait to be read.
    """

    def __init__(self, size: int = 256 * 1024, *, limit: int = 1 << 30) -> None:
        self._size = max(size, MIN_ROOM)
        self._limit = limit
        self.waiting = 0
        self._read = 0
        self._rounds = 0
        self._largest = 0
        self._replace(self._size)

    def __len__(self) -> int:
        """How many bytes wait to be read."""
        return self.waiting

    @property
    def capacity(self) -> int:
        """Bytes of memory held."""
        return len(self._memory)

    @property
    def front(self) -> int:
        """The first byte that waits, -1 if none does."""
        return self._memory[self._read] if self.waiting else -1

    def holds(self, needed: int, /) -> bool:
        """Tell whether `needed` bytes wait; a negative number never does."""
        return self.waiting >= needed >= 0

    def get_buffer(self, needed: int = 0, /) -> memoryview:
        """Return the memory to write to, `MIN_ROOM` bytes of it or more.

        Args:
            needed: How many bytes must be able to wait here at once; the memory grows to that.

        Raises:
            RFBError: `needed` is above the limit.
        """
        if needed > self._largest:
            if needed > self._limit:
                raise RFBError(f"a message of {needed} bytes; the limit is {self._limit}")
            self._largest = needed
        waiting = self.waiting
        if not waiting:
            self._read = 0
            self._rounds += 1
            if self._rounds >= ROUNDS:
                self._rest()
            if needed <= len(self._front):
                return self._front
        write = self._read + waiting
        room = max(needed - waiting, MIN_ROOM)
        if len(self._view) - write < room:
            # More than is needed now, or a message that says its length bit by bit, and the last
            # bytes of a large one, would grow it again and again.
            fits = self.capacity - waiting >= room
            self._move(self.capacity if fits else max(needed, waiting + MAX_SURPLUS) + MIN_ROOM)
            write = waiting
        return self._view[write : write + max(needed - waiting, MAX_SURPLUS)]

    def buffer_updated(self, count: int, /) -> None:
        """Note that `count` bytes were written to what `get_buffer` gave last."""
        if not 0 <= count <= len(self._view) - self._read - self.waiting:
            raise ValueError(
                f"{count} bytes written to {self.capacity - self._read - self.waiting}"
            )
        self.waiting += count

    def view(self) -> memoryview:
        """Return the bytes that wait."""
        return self._view[self._read : self._read + self.waiting]

    def consume(self, count: int, /) -> None:
        """Forget the first `count` of the bytes that wait."""
        if not 0 <= count <= self.waiting:
            raise ValueError(f"{count} bytes consumed of {self.waiting}")
        self._read += count
        self.waiting -= count

    def _rest(self) -> None:
        """Give back memory that no message needed for a while; nothing waits."""
        usual = max(self._size, self._largest + MIN_ROOM)
        if self.capacity > 4 * usual:
            self._replace(usual)
        self._rounds = self._largest = 0

    def _move(self, capacity: int) -> None:
        """Bring the waiting bytes to the front, into larger memory if need be."""
        waiting = self.waiting
        if capacity > self.capacity:
            moved = waiting > COPIED and self._extend(capacity)
        else:
            moved = not self._looked_at()
        if not moved:
            kept = bytes(self.view())
            self._replace(capacity)
            self._memory[:waiting] = kept
        elif self._read:
            with self.view() as rest:  # to assign it to the memory itself would copy it twice
                self._view[:waiting] = rest
        self._read = 0

    def _looked_at(self) -> bool:
        """Tell whether somebody has a view of the memory."""
        try:
            self._release()
            self._memory.append(self._memory.pop())  # a change of its size is refused then
        except BufferError:
            return True
        finally:
            self._show()
        return False

    def _extend(self, capacity: int) -> bool:
        """Have more memory at the end, moved by the kernel if at all; False: somebody has a view.

        A message of many megabytes whose length is learned bit by bit would else be copied each
        time, and be here twice.
        """
        try:
            self._release()
            while (missing := capacity - self.capacity) > 0:
                self._memory.extend(bytes(min(missing, MAX_SURPLUS)))
        except BufferError:
            return False
        finally:
            self._show()
        return True

    def _replace(self, capacity: int) -> None:
        """Take other memory. The old must be gone before the new comes: both may be large."""
        self._memory = bytearray()
        self._show()
        self._memory = bytearray(capacity)
        self._show()

    def _show(self) -> None:
        self._view = memoryview(self._memory)
        self._front = self._view[:MAX_SURPLUS]  # handed out as it is, most of the time

    def _release(self) -> None:
        self._front.release()
        self._view.release()
