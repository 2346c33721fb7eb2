"""Locks between processes. The kernel holds them, so that one of a process that was killed is free again."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Busy(Exception):
    """Another process holds the lock; ``holder`` is what it wrote into it (its process id)."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


@contextmanager
def hold(path: Path, *, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock ``path`` for the block; wait at most ``wait`` seconds for it, then raise Busy.

    The file goes away with the lock. Raises OSError when it can't be made.
    """
    handle = _acquire(path, time.monotonic() + wait)
    try:
        yield
    finally:
        # First the name, then the lock: who opened the file meanwhile sees that it is not the one any more.
        path.unlink(missing_ok=True)
        os.close(handle)


def _acquire(path: Path, until: float) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_current(handle, path):
                os.ftruncate(handle, 0)
                os.write(handle, f"{os.getpid()}\n".encode())
                return handle
        except BlockingIOError:
            if time.monotonic() >= until:
                holder = os.pread(handle, 100, 0).decode("ascii", "replace").strip()
                os.close(handle)
                raise Busy(holder) from None
            time.sleep(0.05)
        os.close(handle)


def _is_current(handle: int, path: Path) -> bool:
    """Whether the file that was opened is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False
