"""The revision that a change is judged against; a clone without history is given that one commit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from upstreamsync.errors import RepositoryError, ToolFailed
from upstreamsync.kit.git.repository import Repository
from upstreamsync.kit.http.credentials import Credentials
from upstreamsync.project.settings import Settings

_PARENT: Final = re.compile(r"(?:HEAD|@)(?:\^1?|~1?)")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """The ``commit`` that the working tree of ``folder`` (a path in the repository) is compared with."""

    repository: Repository
    commit: str
    folder: str = "."


def base_revision(repository: Repository, since: str, settings: Settings) -> str:
    """The commit that ``since`` stands for.

    In a shallow clone, as CI makes them, the commit itself, the parent of HEAD or the tip of a remote branch is
    fetched where it is missing. Raises RepositoryError, which says what to set, where it can't be had.
    """
    try:
        return repository.resolve(since)
    except RepositoryError:
        if not repository.is_shallow or settings.offline:
            raise
    wanted, remote = _wanted(repository, since)
    if wanted is None:
        raise RepositoryError(
            f"`{since}` is not in this clone, which has no history",
            hint="name a commit or a branch, or clone with history (`fetch-depth: 0`, `GIT_DEPTH: 0`)",
        )
    try:
        return _authorized(repository, settings, remote).fetch_commit(wanted, remote)
    except (RepositoryError, ToolFailed) as error:
        raise RepositoryError(
            f"`{since}` is not in this clone, which has no history, and can't be fetched: {error.message}",
            hint="clone with history (`fetch-depth: 0`, `GIT_DEPTH: 0`), or let the clone keep its credentials",
        ) from None


def _wanted(repository: Repository, since: str) -> tuple[str | None, str]:
    """What to ask for, and whom."""
    if _COMMIT.fullmatch(since):
        return since, "origin"
    if _PARENT.fullmatch(since):
        parents = repository.parents()
        return (parents[0] if parents else None), "origin"
    remote, slash, branch = since.partition("/")
    if slash and repository.remote_url(remote) is not None:
        return branch, remote
    return None, "origin"


def _authorized(repository: Repository, settings: Settings, remote: str) -> Repository:
    """With the credentials of the run, where there are any for that host; else with the clone's own."""
    url = repository.remote_url(remote) or ""
    if not url.startswith(("https://", "http://")):
        return repository
    header = Credentials.from_environment(settings.environment).for_url(url).get("authorization")
    if header is None:
        return repository
    if header.startswith("Bearer "):
        from upstreamsync.kit.http.credentials import basic

        header = basic("x-access-token", header.removeprefix("Bearer "))
    return repository.authorized(header, remote)
