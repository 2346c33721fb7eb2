"""The pull request, as a value and as it came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from upstreamsync.model.places import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit to be made: repository path → new bytes, or None to delete; some of them programs."""

    message: str
    files: Mapping[str, bytes | None]
    executable: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A pull request as a value: everything that a forge needs, computed without one.

    ``key`` names it (the vendor, or the group) and makes its branch; ``steps`` are (vendor, from, to).
    ``statuses`` are (context, state, description). ``digest`` names the result: equal digests, equal change.
    ``body`` fits the forge, ``report`` says everything. ``base_branch`` None means the default branch.
    ``risk`` orders proposals, smallest first. ``apart_from`` are vendors that must not be open meanwhile.
    ``unjudged`` counts the customizations that could not be compared; ``crashes``: see Verification.
    ``page`` is where this run leaves its page: no part of the text by which a change of it is known.
    """

    key: str
    steps: tuple[tuple[str, str, str], ...]
    branch: str
    title: str
    body: str
    commits: tuple[Commit, ...]
    base_commit: str
    draft: bool = False
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    automerge: bool = False
    statuses: tuple[tuple[str, str, str], ...] = ()
    digest: str = ""
    report: str = ""
    base_branch: str | None = None
    assignees: tuple[str, ...] = ()
    milestone: str | None = None
    major: bool = False
    risk: tuple[int, ...] = ()
    apart_from: tuple[str, ...] = ()
    unjudged: int = 0
    crashes: tuple[str, ...] = ()
    page: str = ""

    @property
    def vendors(self) -> tuple[str, ...]:
        """The vendors that move in it."""
        return tuple(vendor for vendor, _, _ in self.steps)


class Action(StrEnum):
    """What became of a proposal."""

    OPENED = "opened"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    CLOSED = "closed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """What ``pr`` says of one vendor or group. ``report`` is the body without any cut, for summaries.

    ``written`` and ``removed`` are the files of its commits.
    """

    vendor: str
    before: str
    after: str
    branch: str
    title: str
    action: Action
    reason: str | None = None
    number: int | None = None
    url: str | None = None
    draft: bool = False
    body: str = ""
    error: Failure | None = None
    report: str = ""
    unjudged: int = 0
    crashes: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
