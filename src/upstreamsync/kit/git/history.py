"""The adapter of GitPython: reading the commits of the user's repository.

Only pull-request runs come here, where its import (about 0.1 s) does not matter. Objects are written and
remote repositories are read by plain git commands instead, see ``repository`` and ``git``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from upstreamsync.errors import RepositoryError


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One commit. ``date`` is the committer's; ``message`` is stripped."""

    commit: str
    author: tuple[str, str]
    committer: tuple[str, str]
    date: datetime
    message: str


def history(root: Path, git_folder: Path, revisions: str, *, limit: int) -> tuple[HistoryEntry, ...]:
    """The commits of a range such as ``main..feature``, newest first, at most ``limit``.

    Raises RepositoryError when git does not know the range.
    """
    import git

    with git.Repo(root) as repository:
        # The caller's GIT_* variables must not lead elsewhere, whatever the environment says.
        repository.git.update_environment(
            GIT_DIR=str(git_folder), GIT_WORK_TREE=str(root), GIT_CONFIG_NOSYSTEM="1", GIT_TERMINAL_PROMPT="0"
        )
        try:
            return tuple(_entry(commit) for commit in repository.iter_commits(revisions, max_count=limit))
        except (git.GitCommandError, ValueError):
            raise RepositoryError(f"`{revisions}` is not a range of revisions of `{root}`") from None


def _entry(commit: object) -> HistoryEntry:
    import git

    assert isinstance(commit, git.Commit)  # noqa: S101 (GitPython types its generators loosely)
    message = commit.message if isinstance(commit.message, str) else commit.message.decode("utf-8", "replace")
    return HistoryEntry(
        commit=commit.hexsha,
        author=(commit.author.name or "", commit.author.email or ""),
        committer=(commit.committer.name or "", commit.committer.email or ""),
        date=commit.committed_datetime,
        message=message.strip(),
    )
