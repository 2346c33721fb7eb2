"""What a forge knows and can do: the values, and the protocol that every forge fulfils."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

from upstreamsync.model import CommitCheck

#: Trailer of the last commit of a branch: its branch is complete, and this is what it brings.
RESULT_TRAILER: Final = "Upstreamsync-Result"
#: Label by which people ask for a rebuild, like the checkbox in the body.
REBUILD_LABEL: Final = "upstreamsync/rebuild"


class Stage(StrEnum):
    """Where a pull request stands."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """A pull request as the forge has it. ``base`` is the branch that it wants to go to."""

    number: int
    url: str
    branch: str
    title: str
    body: str
    stage: Stage
    base: str
    draft: bool = False
    labels: tuple[str, ...] = ()
    automerge: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchCommit:
    """A commit of a branch that the base branch does not have."""

    sha: str
    author: str
    author_email: str
    committer_email: str
    message: str

    @property
    def result(self) -> str | None:
        """The digest in its trailer, when it completes a branch of ours."""
        for line in reversed(self.message.strip().splitlines()):
            key, _, value = line.partition(": ")
            if key == RESULT_TRAILER:
                return value.strip()
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseBranch:
    """The branch that pull requests go to, and its tip."""

    name: str
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPullRequest:
    """What a new pull request is opened with."""

    branch: str
    base: str
    title: str
    body: str
    draft: bool
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    milestone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What vendors.yaml wants a pull request to have besides its text."""

    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    milestone: str | None = None


@runtime_checkable
class Adjustable(Protocol):
    """A forge whose open pull requests can be given other settings. Others leave them as they were opened."""

    def adjust(self, existing: Existing, before: Settings, after: Settings) -> None:
        """Add what is new, and take away what we had set and is wanted no longer; people's own stay."""


@runtime_checkable
class Checking(Protocol):
    """A forge that says which checks a commit has: what ``promote`` needs besides."""

    def checks(self, commit: str) -> Sequence[CommitCheck] | None:
        """The newest run of each check and status of a commit; None for a forge that has no checks at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An issue about a vendor that can't be followed: one per vendor, found by its marker."""

    number: int
    url: str
    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The issue with the state of all vendors; ``editor`` is who changed it last, where the forge says so.

    ``editor_may`` says whether that one may write to the repository: False only where the forge said no.
    """

    number: int
    url: str
    title: str
    body: str
    editor: str = ""
    editor_may: bool = True


@runtime_checkable
class Boards(Protocol):
    """A forge that can keep an issue with the state of all vendors."""

    def board(self, config: str) -> Board | None:
        """The open one of the vendors.yaml at ``config``, made by somebody who may write."""

    def write_board(self, title: str, body: str, present: Board | None) -> Board:
        """Open it, or change the present one."""


class Forge(Protocol):
    """A place for branches and pull requests. Own ones can be passed to ``submit``.

    Every method raises ForgeError (or another UpstreamsyncError) with what to do about it; none prints.
    ``expected`` is the commit that a branch must still be at, None for a branch that must not exist: the
    lease under which a push or a deletion happens, else PushRefused.
    """

    def base(self, branch: str | None) -> BaseBranch:
        """The branch named, or the default one, with its tip at the forge."""

    def open_pull_requests(self, prefix: str) -> Sequence[Existing]:
        """All open pull requests of this repository's own branches that begin with ``prefix``."""

    def past_pull_requests(self, branch: str) -> Sequence[Existing]:
        """Those of one branch that are closed or merged, newest first."""

    def branches(self, prefix: str) -> Mapping[str, str]:
        """Branches that begin with ``prefix``, with their tips."""

    def commits(self, base: str, branch: str) -> Sequence[BranchCommit]:
        """What ``branch`` has and branch ``base`` has not, oldest first."""

    def conflicts(self, existing: Existing) -> bool:
        """Whether the pull request can't be merged because of conflicts; False while that is unknown."""

    def push(self, branch: str, commit: str, *, expected: str | None) -> None:
        """Set ``branch`` to a commit of the local repository."""

    def delete_branch(self, branch: str, *, expected: str) -> None:
        """Remove ``branch``."""

    def open(self, new: NewPullRequest) -> Existing:
        """Open a pull request; if there is one for that branch already, it is returned as it stands."""

    def edit(
        self,
        existing: Existing,
        *,
        title: str | None = None,
        body: str | None = None,
        base: str | None = None,
        draft: bool | None = None,
    ) -> None:
        """Change what is given, leave the rest."""

    def close(self, existing: Existing) -> None:
        """Close without merging."""

    def comment(self, existing: Existing, text: str, *, key: str) -> None:
        """Say something once: a comment with the same ``key`` is not made again."""

    def remove_label(self, existing: Existing, label: str) -> None:
        """Take a label off, if it is there."""

    def set_statuses(self, commit: str, statuses: Sequence[tuple[str, str, str]]) -> None:
        """Put (context, state, description) on a commit; what stands there already is not repeated."""

    def automerge(self, existing: Existing, *, enable: bool) -> None:
        """Let it merge by itself once its checks pass, or no longer."""

    def notices(self) -> Mapping[str, Notice]:
        """Open notices by vendor."""

    def write_notice(self, vendor: str, title: str, body: str, present: Notice | None) -> Notice:
        """Open a notice, or change the present one."""

    def close_notice(self, notice: Notice, text: str) -> None:
        """Close a notice with a last word."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should know about this forge or token, in whole sentences."""
