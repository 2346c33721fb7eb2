"""How long a vendor or an overlay may take: past that it fails, and it alone.

A budget belongs to what a thread is doing, and goes along into the threads and programs that this starts. It is
looked at wherever something may take long: before a program is started and while it runs, before a request and
while its answer comes, and between the documents of a file. What a parser does in one go takes time in proportion
to its input (``tests/trust/test_linear.py``), and inputs are bounded.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass

from upstreamsync.errors import OverBudget


@dataclass(frozen=True, slots=True, kw_only=True)
class _Budget:
    what: str
    seconds: float
    end: float


_current: ContextVar[_Budget | None] = ContextVar("budget", default=None)


@contextlib.contextmanager
def within(seconds: float, what: str) -> Iterator[None]:
    """Give ``what`` (as "the vendor `x`") at most ``seconds``; one around it that ends earlier stays."""
    end = time.monotonic() + seconds
    outer = _current.get()
    if outer is not None and outer.end <= end:
        yield
        return
    token = _current.set(_Budget(what=what, seconds=seconds, end=end))
    try:
        yield
    finally:
        _current.reset(token)


def check() -> None:
    """Raise OverBudget when the time is up; costs next to nothing."""
    budget = _current.get()
    if budget is not None and time.monotonic() >= budget.end:
        raise over(budget)


def over(budget: _Budget) -> OverBudget:
    """The error for a budget that is used up."""
    return OverBudget(f"{budget.what} took longer than its time budget of {_shown(budget.seconds)}")


def deadline() -> float:
    """When the time is up, on the monotonic clock; infinity where nothing bounds it."""
    budget = _current.get()
    return math.inf if budget is None else budget.end


def bounded(timeout: float) -> float:
    """``timeout`` in seconds, or what is left of the budget where that is less. Raises OverBudget."""
    check()
    return min(timeout, deadline() - time.monotonic())


def _shown(seconds: float) -> str:
    minutes = seconds / 60
    return f"{minutes:g} min" if minutes >= 1 else f"{seconds:g} s"
