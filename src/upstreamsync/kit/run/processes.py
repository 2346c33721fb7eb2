"""Doing parts of a piece of work in processes of their own: Python computes with one thread at a time.

Only for a process that has no other threads and no open connections at that moment: a copy of those would
be of no use to anybody. Results travel as bytes.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

Part = TypeVar("Part")


def can_fork() -> bool:
    """Whether this process may be copied: it has one thread, on a system that bears it."""
    return sys.platform == "linux" and threading.active_count() == 1


def in_processes(
    function: Callable[[Part], bytes], parts: Sequence[Part], *, at_end: Callable[[], None]
) -> list[bytes | None]:
    """``function`` of each part, the first one here and each other one in a copy of this process.

    ``at_end`` is called in each copy before it goes. None stands for what a copy has not brought to its end.
    Whatever is raised here ends the copies, too.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    children: list[tuple[int, int]] = []
    try:
        children += [_start(function, part, at_end) for part in parts[1:]]
        results: list[bytes | None] = [function(part) for part in parts[:1]]
        while children:
            child, pipe = children[0]
            with open(pipe, "rb", closefd=False) as file:
                data = file.read()
            children.pop(0)
            os.close(pipe)
            _, status = os.waitpid(child, 0)
            results.append(data if status == 0 else None)
        return results
    finally:
        for child, pipe in children:
            os.close(pipe)
            _end(child)


def _end(child: int) -> None:
    """Let a copy end what it has started itself; where it does not, end it."""
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGTERM)
        for _ in range(200):
            if os.waitpid(child, os.WNOHANG)[0]:
                return
            time.sleep(0.01)
        os.kill(child, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(child, 0)


def _start(function: Callable[[Part], bytes], part: Part, at_end: Callable[[], None]) -> tuple[int, int]:
    """The copy that works on ``part``, and where its result can be read."""
    pipe, end = os.pipe()
    child = os.fork()
    if child:
        os.close(end)
        return child, pipe
    code = 1
    try:
        os.close(pipe)
        data = function(part)
        at_end()
        with open(end, "wb") as file:
            file.write(data)
        code = 0
    finally:
        # Without any of what the interpreter does at its end: that is for the process that was copied.
        os._exit(code)
    raise AssertionError  # pragma: no cover (a copy does not return)
