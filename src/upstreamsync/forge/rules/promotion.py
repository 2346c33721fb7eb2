"""Which commit of a branch may go to the next one, and what holds the others. Pure.

The newest commit that is old enough and whose checks are green is taken. Where there is none, the oldest one that
only time holds is shown as a draft; where nothing but a person can help, the newest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Final

from upstreamsync.model import CommitCheck, Hold, HoldKind, PromotionStep

#: What we say of a commit ourselves; it is none of the checks that are asked for.
STATUS: Final = "upstreamsync/promote/"
#: So many commits are asked about at most: each costs two requests.
_ASKED: Final = 50

Ask = Callable[[str], Sequence[CommitCheck] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What a commit has to be: on its branch for ``soak``, with ``checks`` green (see ``Promotion`` for None)."""

    soak: timedelta
    checks: tuple[str, ...] | None
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The commit to promote, what holds it, and what newer commits wait; ``checks`` as they were found."""

    step: PromotionStep
    hold: Hold | None = None
    waiting: tuple[PromotionStep, ...] = ()
    checks: tuple[CommitCheck, ...] | None = None


def choose(steps: Sequence[PromotionStep], gate: Gate, ask: Ask) -> Choice:
    """Of ``steps``, newest first and at least one, the one to promote. ``ask`` tells a commit's checks."""
    asked: dict[int, Choice] = {}
    for number, step in enumerate(steps):
        if len(asked) == _ASKED:
            break
        if step.arrived + gate.soak > gate.now:
            continue  # too young, whatever its checks say: they need not be asked
        found = asked[number] = _look(steps, number, gate, ask)
        if found.hold is None:
            return found
    for number in reversed(range(min(len(steps), _ASKED))):
        found = asked.get(number) or _look(steps, number, gate, ask)
        asked[number] = found
        if found.hold is not None and found.hold.waits:
            return found
    return asked[min(asked)]


def _look(steps: Sequence[PromotionStep], number: int, gate: Gate, ask: Ask) -> Choice:
    step = steps[number]
    checks = ask(step.commit)
    known = None if checks is None else tuple(one for one in checks if not one.name.startswith(STATUS))
    hold = held_by_checks(known, gate.checks) or held_by_age(step, known, gate)
    return Choice(step=step, hold=hold, waiting=tuple(steps[:number]), checks=known)


def held_by_checks(found: Sequence[CommitCheck] | None, wanted: Sequence[str] | None) -> Hold | None:
    """What of the checks holds a commit; None where nothing does, or where the forge has no checks."""
    if found is None or (wanted is not None and not wanted):
        return None
    if wanted is not None:
        missing = [name for name in wanted if not any(fnmatchcase(one.name, name) for one in found)]
        if missing:
            return _by_checks(f"has not reported: {', '.join(missing)}", waits=True)
        found = [one for one in found if any(fnmatchcase(one.name, name) for name in wanted)]
    if not found:
        return _by_checks("no check has looked at it")
    if red := sorted({one.name for one in found if one.state == "failure"}):
        return _by_checks(f"not green: {', '.join(red)}")
    if pending := sorted({one.name for one in found if one.state != "success"}):
        return _by_checks(f"not done: {', '.join(pending)}", waits=True)
    return None


def _by_checks(reason: str, *, waits: bool = False) -> Hold:
    return Hold(by=HoldKind.CHECKS, reason=reason, waits=waits)


def held_by_age(step: PromotionStep, found: Sequence[CommitCheck] | None, gate: Gate) -> Hold | None:
    """Whether a commit is too young.

    A commit may be older than its arrival: it counts from when its branch had it by the dates of git, and from
    when the first check began to look at it, whichever is later.
    """
    began = [one.since for one in found or () if one.since is not None]
    since = max(step.arrived, min(began)) if began else step.arrived
    until = since + gate.soak
    if until <= gate.now:
        return None
    return Hold(
        by=HoldKind.AGE, reason=f"it is old enough on {until:%Y-%m-%d at %H:%M} UTC", until=until, waits=True
    )
