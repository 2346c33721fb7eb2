"""Questions about large texts, answered by a second Python: one process computes with one thread at a time.

The second one is given bytes and answers yes or no, with the very code that would be run here. It is a help and no
more: while it begins, while it is busy, and should it end, the question is answered here.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
from collections.abc import Callable
from typing import IO, Final

from upstreamsync.kit.run import budget, children, process
from upstreamsync.kit.run.threads import processors

#: In bytes. A smaller text is looked at sooner than it is handed over.
_WORTHWHILE: Final = 200_000
#: In bytes, of all texts: as long as looking at them takes another Python to begin.
_ENOUGH: Final = 2_000_000
#: It finds its modules where they are found here. A text is sent behind its length, in eight bytes.
_PROGRAM: Final = """
import gc, sys
gc.disable()  # what looking at a text makes does not go round in circles
sys.path[:] = sys.argv[3:]
from importlib import import_module
function = getattr(import_module(sys.argv[1]), sys.argv[2])
asked, out = sys.stdin.buffer, sys.stdout.buffer
word = b"r"
while True:
    out.write(word)
    out.flush()
    size = asked.read(8)
    if len(size) < 8:
        break
    word = b"y" if function(asked.read(int.from_bytes(size, "big"))) else b"n"
"""


class Aside:
    """``function`` of bytes, a plain function of a module, which another process may compute. Close it.

    ``possible`` is False where there is to be no other process.
    """

    def __init__(self, function: Callable[[bytes], bool], *, possible: bool = True) -> None:
        self._function = function
        #: One text that is looked at, and one that waits: so the other process always has something to do.
        self._places = threading.BoundedSemaphore(2)
        self._beginning = threading.Lock()
        self._here = 0
        self._other: _Other | None = None
        self._is_possible = possible and bool(sys.executable) and processors() > 1

    def __call__(self, data: bytes) -> bool:
        """What ``function`` says. Raises OverBudget."""
        answer = None
        if self._is_possible and len(data) >= _WORTHWHILE and self._places.acquire(blocking=False):
            try:
                answer = self._asked(data)
            finally:
                self._places.release()
        return self._function(data) if answer is None else answer

    def expect(self, size: int) -> None:
        """So many bytes are to come: where that is worth it, the other process begins now."""
        with contextlib.suppress(OSError):
            self._begun(size)

    def close(self) -> None:
        """End the other process; a later question may begin another one."""
        with self._beginning:
            if self._other is not None:
                self._other.end()
            self._other, self._here = None, 0

    def _asked(self, data: bytes) -> bool | None:
        """The answer of the other process; None where it has none."""
        try:
            other = self._begun(len(data))
            return other.answer(data) if other is not None else None
        except OSError:  # it can't begin, or has ended
            self._is_possible = False
        return None

    def _begun(self, size: int) -> _Other | None:
        """The other process, once it is worth it and ready. Raises OSError."""
        with self._beginning:
            if self._other is None and self._is_possible:
                self._here += size
                if self._here >= _ENOUGH:
                    self._other = _Other(self._function)
            return self._other if self._other is not None and self._other.is_ready() else None


class _Other:
    """The other process. Raises OSError where it can't begin, or has ended."""

    def __init__(self, function: Callable[[bytes], bool]) -> None:
        where = map(os.path.abspath, sys.path)
        self._child, self._questions, self._answers = process.talking(
            [sys.executable, "-I", "-S", "-c", _PROGRAM, function.__module__, function.__qualname__, *where]
        )
        os.set_blocking(self._questions.fileno(), False)
        self._asking, self._listening = threading.Lock(), threading.Lock()
        self._has_begun = False

    def is_ready(self) -> bool:
        """Whether it can be asked by now."""
        if not self._has_begun and _is(self._answers, select.POLLIN, 0.0):
            self._word()
            self._has_begun = True
        return self._has_begun

    def answer(self, data: bytes) -> bool:
        """Its answer. The next question waits in the pipe, so that answers come in the order of questions."""
        with self._asking:
            try:
                self._send(len(data).to_bytes(8, "big"))
                self._send(data)
            except BaseException:
                self.end()  # it has half a question
                raise
            self._listening.acquire()
        try:
            _await(self._answers, select.POLLIN)
            return self._word() == b"y"
        except BaseException:
            self.end()  # the next answer would be taken for one to another question
            raise
        finally:
            self._listening.release()

    def _send(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            _await(self._questions, select.POLLOUT)
            with contextlib.suppress(BlockingIOError):
                left = left[os.write(self._questions.fileno(), left) :]

    def end(self) -> None:
        """End it, whatever it does."""
        children.end(self._child)

    def _word(self) -> bytes:
        word = self._answers.read(1)
        if not word:
            raise ChildProcessError
        return word


def _await(pipe: IO[bytes], event: int) -> None:
    """Wait for what another process does. Raises OverBudget, and OSError where it does nothing for long."""
    if not _is(pipe, event, budget.bounded(process.DEFAULT_TIMEOUT)):
        budget.check()
        raise ChildProcessError


def _is(pipe: IO[bytes], event: int, seconds: float) -> bool:
    """Whether a pipe is ready, or at its end, within so many seconds."""
    waiting = select.poll()
    waiting.register(pipe, event)
    return bool(waiting.poll(seconds * 1000))
