"""The adapter of GitPython: reading the commits of the user's repository.

Only `pr` and `adopt` come here, where its import (about 0.1 s) does not matter. Objects are written and
remote repositories are read by plain git commands instead, see ``repository`` and ``remote``. Its own objects
are not used, as they know ids of SHA-1 alone; git writes the log.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from upstreamsync.errors import RepositoryError
from upstreamsync.kit.run.process import PASSED_ON

if TYPE_CHECKING:
    import git

#: Id, author and committer with their addresses, the committer's date in seconds, and the message.
_FORMAT = "--format=%H%x00%an%x00%ae%x00%cn%x00%ce%x00%ct%x00%B"
_BLAME = re.compile(rb"[0-9a-f]{40,64} \d+ \d+")


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
        _leave_the_environment(repository, root, git_folder)
        try:
            printed = repository.git.log(
                _FORMAT, "-z", f"--max-count={limit}", "--end-of-options", revisions, "--",
                stdout_as_string=False, strip_newline_in_stdout=False,
            )  # fmt: skip
        except git.GitCommandError:
            raise RepositoryError(f"`{revisions}` is not a range of revisions of `{root}`") from None
    fields = printed.decode("utf-8", "replace").split("\0")
    return tuple(_entry(fields[at : at + 7]) for at in range(0, len(fields) - 6, 7))


def _entry(fields: list[str]) -> HistoryEntry:
    commit, author, author_mail, committer, committer_mail, seconds, message = fields
    return HistoryEntry(
        commit=commit.strip(),
        author=(author, author_mail),
        committer=(committer, committer_mail),
        date=datetime.fromtimestamp(int(seconds), UTC),
        message=message.strip(),
    )


def commits_of(root: Path, git_folder: Path, paths: Sequence[str], *, limit: int) -> tuple[HistoryEntry, ...]:
    """The commits of HEAD's history that changed some of the paths, newest first, at most ``limit``.

    None where there is no commit yet.
    """
    import git

    with git.Repo(root) as repository:
        _leave_the_environment(repository, root, git_folder)
        try:
            printed = repository.git.log(
                _FORMAT, "-z", f"--max-count={limit}", "HEAD", "--", *paths,
                stdout_as_string=False, strip_newline_in_stdout=False,
            )  # fmt: skip
        except git.GitCommandError:
            return ()
    fields = printed.decode("utf-8", "replace").split("\0")
    return tuple(_entry(fields[at : at + 7]) for at in range(0, len(fields) - 6, 7))


def blame(root: Path, git_folder: Path, path: str) -> tuple[str, ...]:
    """The commit that each line of a file of the working tree comes from; forty zeros for what is not committed.

    Nothing where git does not know the file.
    """
    import git

    with git.Repo(root) as repository:
        _leave_the_environment(repository, root, git_folder)
        try:
            printed = repository.git.blame("--line-porcelain", "--", path, stdout_as_string=False)
        except git.GitCommandError:
            return ()
    lines = printed.split(b"\n")
    heads = [line for line in lines if _BLAME.match(line)]
    return tuple(line.split(b" ", 1)[0].decode() for line in heads)


def _leave_the_environment(repository: git.Repo, root: Path, git_folder: Path) -> None:
    """The caller's GIT_* variables must not lead elsewhere, and its tokens are none of git's business."""
    repository.git.update_environment(
        **{name: "" for name in os.environ if name not in PASSED_ON},
        GIT_DIR=str(git_folder),
        GIT_WORK_TREE=str(root),
        GIT_CONFIG_NOSYSTEM="1",
        GIT_TERMINAL_PROMPT="0",
    )
