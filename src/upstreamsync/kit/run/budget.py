"""How long a vendor or an overlay may take: past that it fails, and it alone.

A budget belongs to what a thread is doing, and goes along into the threads and programs that this starts. It is
looked at wherever something may take long: before a program is started and while it runs, before a request and
while its answer comes, and between the documents of a file. What a parser does in one go takes time in proportion
to its input (``tests/trust/test_linear.py``), and inputs are bounded.
"""

from __future__ import annotations

import contextlib
import math
import re
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from upstreamsync.errors import OverBudget

_PARTS: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_HINT: Final = "give more with --budget, or name the overlays that matter"


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


@dataclass(slots=True)
class Total:
    """Seconds for several pieces of work together, counted from the first of them on."""

    seconds: float
    _begun: float | None = None

    def left(self) -> float:
        """What is left, in seconds. Raises OverBudget when that is nothing."""
        if self._begun is None:
            self._begun = time.monotonic()
        left = self.seconds - (time.monotonic() - self._begun)
        if left <= 0:
            raise OverBudget(f"the budget of {_shown(self.seconds)} is used up", hint=_HINT)
        return left


def seconds_of(text: str) -> float:
    """A duration as people write it: ``90``, ``90s``, ``5m``, ``1h30m``. Raises ValueError."""
    found = _PARTS.findall(text.strip())
    if not found or "".join(f"{number}{unit}" for number, unit in found) != text.strip():
        raise ValueError("a duration is a number and a unit: 90s, 5m, 1h30m")
    total = sum(float(number) * _SECONDS[unit or "s"] for number, unit in found)
    if total <= 0:
        raise ValueError("a budget is longer than nothing")
    return total
