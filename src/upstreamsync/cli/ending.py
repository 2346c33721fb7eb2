"""How a run ends before its time: on SIGINT, SIGTERM and SIGHUP, with nothing left behind.

The programs that it started are ended first, for they write where the run's folder is removed next. Threads that
wait for a network are not waited for. Nothing of the user's needs cleaning up: what is written is staged, and a
journal tells the next run what was under way (``base.write``).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

from upstreamsync.kit.run import children

#: The contract's codes: 128 and the signal's number, as shells have it.
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupted(KeyboardInterrupt):
    """A signal has come; ``exit_code`` is what the process ends with."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turn the first signal into Interrupted; the second one ends the process at once.

    What is ignored stays ignored: ``nohup`` does that with SIGHUP, a shell with SIGINT of jobs in the background.
    """

    def first(number: int, _frame: FrameType | None) -> NoReturn:
        for one in SIGNALS:
            if signal.getsignal(one) is not signal.SIG_IGN:
                signal.signal(one, second)
        children.end_all()
        raise Interrupted(number)

    def second(number: int, _frame: FrameType | None) -> None:
        children.end_all()
        remove_run_folder()
        os._exit(128 + number)

    before = {}
    for one in SIGNALS:
        if signal.getsignal(one) is not signal.SIG_IGN:
            before[one] = signal.signal(one, first)
    try:
        yield
    finally:
        for one, handler in before.items():
            if signal.getsignal(one) is first:
                signal.signal(one, handler)


_folder: str | None = None


def make_run_folder() -> None:
    """Let everything temporary of this process and its children lie in one folder, which goes with it."""
    global _folder
    try:
        _folder = tempfile.mkdtemp(prefix="upstreamsync-run-")
    except OSError:
        return  # who needs one will say so
    tempfile.tempdir = os.environ["TMPDIR"] = _folder


def remove_run_folder() -> None:
    """Remove it, whatever is still being written there."""
    if _folder is None:
        return
    for _ in range(5):  # a thread that is still at work may make a file meanwhile
        shutil.rmtree(_folder, ignore_errors=True)
        if not os.path.lexists(_folder):
            return


def leave(code: int) -> NoReturn:
    """End the process without waiting for its threads."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    children.end_all()
    remove_run_folder()
    os._exit(code)
