"""What a merge of two commits would be, by git itself and without a checkout; and what came to a branch."""

from __future__ import annotations

from dataclasses import dataclass

from upstreamsync.errors import RepositoryError
from upstreamsync.kit.git import command as git_command
from upstreamsync.kit.git.command import COMMIT
from upstreamsync.kit.git.revisions import Revisions

_FIELDS = "%H%x00%an%x00%ct%x00%s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A commit as it came to a branch: alone, or as the merge of what it brought. ``time`` is in seconds."""

    commit: str
    author: str
    time: int
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What a merge gives: a tree, or the paths in conflict."""

    tree: str | None
    conflicts: tuple[str, ...] = ()


def arrivals(repository: Revisions, base: str, tip: str, *, limit: int = 500) -> tuple[Arrival, ...]:
    """What ``tip`` has and ``base`` has not, along the first parents, newest first.

    A commit counts as no older than the ones below it: ``time`` is the latest of the committers' dates.
    """
    span = f"{repository.resolve(base)}..{repository.resolve(tip)}"
    words = ("log", "--first-parent", "-z", f"--format={_FIELDS}", f"--max-count={limit}")
    printed = git_command.run(*words, "--end-of-options", span, "--", folder=repository.root).stdout
    fields = printed.decode("utf-8", "replace").split("\0")
    found: list[Arrival] = []
    latest = 0
    for at in reversed(range(0, len(fields) - 3, 4)):
        commit, author, seconds, subject = fields[at : at + 4]
        latest = max(latest, int(seconds))
        found.append(Arrival(commit=commit.strip(), author=author, time=latest, subject=subject))
    return tuple(reversed(found))


def merged(repository: Revisions, ours: str, theirs: str) -> Merged:
    """What merging ``theirs`` into ``ours`` would give. Raises RepositoryError where git can't tell.

    A fast-forward needs no merge; anything else git 2.38 or newer.
    """
    ours, theirs = repository.resolve(ours), repository.resolve(theirs)
    base = repository.merge_base(ours, theirs)
    if base == ours:
        return Merged(tree=repository.resolve(theirs, kind="tree"))
    if base == theirs:
        return Merged(tree=repository.resolve(ours, kind="tree"))
    if base is None:
        raise RepositoryError(
            "the two branches have no commit in common here",
            hint="fetch the whole history: `fetch-depth: 0` for actions/checkout, or `git fetch --unshallow`",
        )
    words = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs)
    done = git_command.run(*words, folder=repository.root, accept_failure=True)
    first, *names = done.stdout.decode("utf-8", "surrogateescape").rstrip("\0").split("\0")
    if not COMMIT.fullmatch(first) or done.returncode not in (0, 1):
        raise RepositoryError(
            "git could not say what merging the two branches gives", hint="use git 2.38 or newer"
        )
    return Merged(tree=first) if done.returncode == 0 else Merged(tree=None, conflicts=tuple(names))
