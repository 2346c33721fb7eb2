"""The programs that run for this process now, so that all of them end when it has to.

They have process groups of their own: what a terminal or a job's runner sends to us does not reach them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator

#: By process id. A plain dict: what a signal handler does must wait for no lock.
_running: dict[int, subprocess.Popen[bytes]] = {}
_ending = threading.Event()


class Ending(KeyboardInterrupt):
    """This process is about to end, so nothing is started any more. No error: nobody is to handle it."""


@contextlib.contextmanager
def counted(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Know of a child while it runs; it ends with the block. Raises Ending where this process ends already."""
    _running[child.pid] = child
    try:
        if _ending.is_set():
            raise Ending
        yield
    finally:
        end(child)
    if _ending.is_set():
        raise Ending  # what it said was cut off, and means nothing


def begun(child: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Know of a child from its first moment, in whatever thread it began; it ends where this process ends."""
    _running[child.pid] = child
    if _ending.is_set():
        end(child)
    return child


def end(child: subprocess.Popen[bytes]) -> None:
    """End a child and everything that it started, unless it has ended already."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    _running.pop(child.pid, None)


def end_all() -> None:
    """End all children, and let none begin; for a signal handler. Whoever waits for one raises Ending."""
    _ending.set()
    for process in list(_running):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process, signal.SIGKILL)


def _forget() -> None:
    _running.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)  # a copy of this process has no children yet
