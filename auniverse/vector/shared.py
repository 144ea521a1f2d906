"""Memory that other processes can look into, and that nobody has to clean up.

Theory of operation. An array lies in a file without a name (`memfd_create`), which the kernel takes
back when the last process that has it open or mapped is gone, however it went: there is nothing in
/dev/shm that a killed process could leave behind. A `Handle` is a few numbers that say where it is:
the process that has the file open, and as which descriptor. `attach` opens it from there.

Only the process that made the memory counts who refers to it. It must hold the array for as long
as another process looks at it.
"""

from __future__ import annotations

import mmap
import os
import sys
import weakref
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from auniverse.errors import ProvisionError, UsageError


class Handle(NamedTuple):
    """Where an array is; to be sent to another process of this machine and user.

    Attributes:
        process: The process that holds it.
        descriptor: The file as that process has it open.
        inode: The file's number, so that it is not taken for another.
        offset: Of the array in the file, in bytes.
        shape: Of the array.
        strides: Of the array.
        dtype: Of the array, as a string.
    """

    process: int
    descriptor: int
    inode: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: str


class _Memory(mmap.mmap):
    """A file without a name, mapped."""

    descriptor: int


def can_share() -> bool:
    """Tell whether this machine has such memory."""
    return sys.platform == "linux"


def allocate_shared(shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
    """Return zeros in memory that other processes can attach to; it is gone with the array.

    Raises:
        ProvisionError: This machine has no such memory, or no more of it.
    """
    if not can_share():
        raise ProvisionError("shared memory without a name is there on Linux only")
    try:
        descriptor = os.memfd_create("auniverse")
        try:
            size = max(prod(shape) * np.dtype(dtype).itemsize, 1)
            os.ftruncate(descriptor, size)
            memory = map_shared(descriptor, size)
        except BaseException:
            os.close(descriptor)
            raise
    except OSError as error:
        raise ProvisionError(f"no shared memory: {error}") from error
    return np.frombuffer(memory, dtype, prod(shape)).reshape(shape)


def map_shared(descriptor: int, size: int) -> mmap.mmap:
    """Map a file from its beginning; what lies in it can be shared.

    Args:
        descriptor: Of the file; it is closed when the memory is gone.
        size: How much of it, in bytes.
    """
    memory = _Memory(descriptor, size)
    memory.descriptor = descriptor
    weakref.finalize(memory, os.close, descriptor).atexit = False
    return memory


def share(array: NDArray[Any]) -> Handle:
    """Return the handle of an array in shared memory, or of a part of one.

    Raises:
        UsageError: It is not in shared memory.
    """
    memory = _memory_of(array)
    if memory is None:
        raise UsageError("not in shared memory: say shared_memory=True, and share no copies")
    begin = np.frombuffer(memory, np.uint8).__array_interface__["data"][0]
    return Handle(
        os.getpid(),
        memory.descriptor,
        os.fstat(memory.descriptor).st_ino,
        array.__array_interface__["data"][0] - begin,
        array.shape,
        array.strides,
        array.dtype.str,
    )


def attach(handle: Handle) -> NDArray[Any]:
    """Return the array that another process shares, read-only; nothing is copied.

    It shows what that process has there: it stays as it is for as long as that process holds the
    array. The memory is there for as long as the array that is returned is.

    Raises:
        UsageError: It is gone, with its process or before; or it belongs to another user.
    """
    path = f"/proc/{handle.process}/fd/{handle.descriptor}"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"shared memory cannot be attached to: {error}") from error
    try:
        status = os.fstat(descriptor)
        if status.st_ino != handle.inode or not status.st_size:
            raise UsageError(f"what process {handle.process} shared is gone")
        flags = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)
        memory = mmap.mmap(descriptor, status.st_size, flags=flags, prot=mmap.PROT_READ)
    finally:
        os.close(descriptor)
    dtype = np.dtype(handle.dtype)
    return np.ndarray(handle.shape, dtype, memory, handle.offset, handle.strides)


def _memory_of(array: object) -> _Memory | None:
    while array is not None and not isinstance(array, _Memory):
        array = array.obj if isinstance(array, memoryview) else getattr(array, "base", None)
    return array
