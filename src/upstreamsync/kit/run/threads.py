"""Doing the same for many things at once, with results in the order in which the things were given."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from upstreamsync.errors import MachineError, UpstreamsyncError, is_lack
from upstreamsync.kit.run import budget

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Result]):
    """What became of one item: ``value``, or the error in its place."""

    value: Result | None = None
    error: UpstreamsyncError | None = None

    def get(self) -> Result:
        """The value; raises the error if there is one."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def submit(pool: Executor, function: Callable[..., Result], *arguments: Any) -> Future[Result]:
    """``pool.submit``, within the time budget of who asks (see ``budget``)."""
    return pool.submit(copy_context().run, function, *arguments)


def ahead(function: Callable[[], Result]) -> Callable[[], Result]:
    """Begin with ``function`` in a thread; what is returned waits for its outcome, and raises what it raised."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="upstreamsync")
    future = submit(pool, function)
    pool.shutdown(wait=False)
    return future.result


def ordered_map(
    function: Callable[[Item], Result], items: Iterable[Item], jobs: int
) -> list[Outcome[Result]]:
    """``function`` of each item, on at most ``jobs`` threads; one outcome per item, in their order.

    Errors of ours become outcomes and leave the others alone. Anything else is a bug, or ^C: it ends the
    whole, items that have not begun are dropped, and it is raised as it is.
    """
    queue = list(items)
    if jobs <= 1 or len(queue) <= 1:
        # No threads at all: tracebacks and debuggers show the plain truth.
        return [_one(function, item) for item in queue]
    pool = ThreadPoolExecutor(min(jobs, len(queue)), thread_name_prefix="upstreamsync")
    wait = True
    try:
        futures = [submit(pool, _one, function, item) for item in queue]
        return [future.result() for future in futures]
    except KeyboardInterrupt:
        wait = False  # who interrupts does not wait for a network
        raise
    finally:
        pool.shutdown(wait=wait, cancel_futures=True)


def _one(function: Callable[[Item], Result], item: Item) -> Outcome[Result]:
    try:
        budget.check()
        return Outcome(value=function(item))
    except UpstreamsyncError as error:
        return Outcome(error=error)
    except OSError as error:
        if not is_lack(error):
            raise
        return Outcome(error=MachineError.of(error))
