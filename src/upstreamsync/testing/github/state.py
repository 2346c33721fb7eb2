"""What the GitHub server remembers: issues, pull requests, releases. Branches and commits are git's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

_START = datetime(2024, 6, 1, 12, tzinfo=UTC)


class Clock:
    """GitHub's time: starts at a fixed date and goes on by a second with each event."""

    def __init__(self) -> None:
        self.now = _START

    def tick(self) -> datetime:
        """The time of the next event."""
        self.now += timedelta(seconds=1)
        return self.now


@dataclass(slots=True, kw_only=True)
class Comment:
    """A comment below an issue or a pull request."""

    id: int
    author: str
    body: str
    created: datetime
    updated: datetime


@dataclass(slots=True, kw_only=True)
class Issue:
    """An issue. Tests may change it in place, as a person would on the site; ``editor`` is who did so last."""

    number: int
    id: int
    title: str
    body: str | None
    author: str
    created: datetime
    updated: datetime
    state: str = "open"
    state_reason: str | None = None
    labels: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    milestone: int | None = None
    comments: list[Comment] = field(default_factory=list)
    closed: datetime | None = None
    closed_by: str | None = None
    editor: str | None = None

    @property
    def open(self) -> bool:
        """Whether it is still open."""
        return self.state == "open"


@dataclass(slots=True, kw_only=True)
class Pull(Issue):
    """A pull request. ``head`` and ``base`` are branches; the shas follow them while it is open."""

    head: str
    base: str
    head_sha: str
    base_sha: str
    draft: bool = False
    merged: datetime | None = None
    merged_by: str | None = None
    merge_sha: str | None = None
    reviewers: list[str] = field(default_factory=list)
    team_reviewers: list[str] = field(default_factory=list)
    auto_merge: str | None = None
    auto_merge_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file of a release; ``digest`` is what the API says, ``url`` where the file is served."""

    id: int
    name: str
    size: int
    digest: str | None
    url: str


@dataclass(slots=True, kw_only=True)
class Release:
    """A release, or a draft of one."""

    id: int
    tag: str
    name: str | None
    body: str | None
    draft: bool
    prerelease: bool
    created: datetime
    published: datetime | None
    target: str = "main"
    assets: list[Asset] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A commit status."""

    id: int
    sha: str
    context: str
    state: str
    description: str | None
    target_url: str | None
    author: str
    created: datetime


@dataclass(slots=True, kw_only=True)
class CheckRun:
    """A check of a commit, as GitHub Actions reports them; ``conclusion`` is None until it is done."""

    id: int
    sha: str
    name: str
    conclusion: str | None
    started: datetime


@dataclass(slots=True, kw_only=True)
class Label:
    """A label that a repository knows."""

    id: int
    name: str
    color: str = "ededed"
    description: str = ""


@dataclass(slots=True, kw_only=True)
class Milestone:
    """A milestone."""

    id: int
    number: int
    title: str
    created: datetime
    state: str = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """Whom a token speaks for, and what it may write.

    ``scopes``: those of a classic token, sent as X-OAuth-Scopes; None: it has permissions instead.
    ``permissions``: areas with ``read`` or ``write``, as for apps and fine-grained tokens; None: everything.
    ``kind``: ``user``, or ``integration`` for an app or a workflow's own token.
    """

    login: str
    kind: str = "user"
    scopes: tuple[str, ...] | None = ("repo", "workflow")
    permissions: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A GitHub App with one installation on all repositories; ``private_key`` is PEM."""

    id: int
    slug: str
    installation: int
    private_key: str
    public_key: str
    permissions: Mapping[str, str]


def made_up_sha(*words: str) -> str:
    """A stable sha for a commit that exists in the API alone."""
    return hashlib.sha1("\0".join(words).encode(), usedforsecurity=False).hexdigest()
