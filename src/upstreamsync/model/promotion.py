"""A promotion: what one branch has and another one is to get, and why it may have to wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from upstreamsync.model.places import Failure
from upstreamsync.model.pull_request import Action


class HoldKind(StrEnum):
    """What holds a promotion."""

    AGE = "age"
    CHECKS = "checks"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why a commit may not be promoted yet.

    ``until`` is when it is old enough; ``waits`` says that time alone may end it, without anybody's doing.
    """

    by: HoldKind
    reason: str
    until: datetime | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitCheck:
    """A check or status of a commit: ``state`` is ``success``, ``failure`` or ``pending``.

    ``since`` is when it began, where the forge says so.
    """

    name: str
    state: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionStep:
    """A commit as it came to the source branch: alone, or as the merge of what it brought."""

    commit: str
    subject: str
    author: str
    arrived: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What a vendor is at on both branches; None where a branch does not have it."""

    vendor: str
    before: str | None
    after: str | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    """What became of one promotion. ``commit`` is the one that is, or would be, promoted.

    ``waiting`` are newer commits of the source branch, newest first; ``hold`` why this one has to wait.
    """

    source: str
    target: str
    action: Action
    commit: str | None = None
    reason: str | None = None
    hold: Hold | None = None
    branch: str = ""
    title: str = ""
    number: int | None = None
    url: str | None = None
    draft: bool = False
    body: str = ""
    report: str = ""
    moves: tuple[Move, ...] = ()
    waiting: tuple[PromotionStep, ...] = ()
    unjudged: int = 0
    crashes: tuple[str, ...] = ()
    error: Failure | None = None
