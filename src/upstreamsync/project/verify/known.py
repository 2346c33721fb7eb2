"""The working tree as git knows it: what merely lies in it, on the machine that judges, is not read.

A runner's workspace has files that no revision has: credentials that an earlier step wrote, what a build left.
Whoever builds from git doesn't have them either. So a change is judged by the files that git has, in the index or
in a submodule that the base revision declares, as they are in the working tree. Of the others those count that
somebody is about to add here: files that git doesn't ignore and that a kustomization names which is itself not
committed as it is, and files that a lock vouches for, byte by byte. What a committed kustomization, chart or link
names is out of reach until it is added: its author may be a stranger.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from upstreamsync.errors import RepositoryError
from upstreamsync.kit.git.index import Index, index, to_be_added
from upstreamsync.kit.git.repository import Repository
from upstreamsync.kit.kubernetes.kustomizations import FILE_NAMES
from upstreamsync.kit.run.threads import ahead
from upstreamsync.kit.trees import link_or_copy
from upstreamsync.model import EMPTY

#: The files that say which others are read.
DECIDING: Final = frozenset((*FILE_NAMES, "Chart.yaml"))


def listing(repository: Repository, root: Path) -> Callable[[], Index]:
    """Begin to ask git what lies below ``root``, for ``known_tree``; meanwhile there is other work."""
    return ahead(lambda: index(repository.root, _prefix(repository, root)))


@contextmanager
def known_tree(
    repository: Repository,
    since: str,
    root: Path,
    listing: Callable[[], Index],
    locked: Mapping[str, str] = EMPTY,
) -> Iterator[Path]:
    """``root`` (the repository or a folder in it) with the files that count: itself where it has no others.

    ``since`` is the base revision; ``locked`` has the digests of vendored files, by path below ``root``.
    """
    listed, prefix = listing(), _prefix(repository, root)
    if not listed.others and not any(_holds_something(root / path) for path in listed.submodules):
        yield root
        return
    with TemporaryDirectory(prefix="upstreamsync-after-") as folder:
        target = Path(folder) / "tree"
        target.mkdir()
        made = {target}
        for path in _counted(repository, since, root, prefix, listed, locked):
            _put(root / path, target / path, made)
        yield target


def _prefix(repository: Repository, root: Path) -> str:
    """What the paths of ``root`` begin with in the repository."""
    below = os.path.relpath(os.path.realpath(root), os.path.realpath(repository.root))
    return "" if below == "." else f"{below}/"


def _holds_something(folder: Path) -> bool:
    try:
        return any(True for _ in os.scandir(folder))
    except OSError:
        return False


def _put(source: Path, target: Path, made: set[Path]) -> None:
    """The same file in the other folder, a link as a link; nothing for what is not there any more."""
    if not (source.is_symlink() or source.is_file()) or os.path.lexists(target):
        return
    if target.parent not in made:
        target.parent.mkdir(parents=True, exist_ok=True)
        made.add(target.parent)
    if source.is_symlink():
        target.symlink_to(os.readlink(source))
    else:
        link_or_copy(source, target)


def _counted(
    repository: Repository, since: str, root: Path, prefix: str, listed: Index, locked: Mapping[str, str]
) -> Iterator[str]:
    """The files that count, by path; some may not be there any more."""
    yield from listed.files
    if listed.submodules:
        yield from _of_submodules(repository, since, root, prefix, listed.submodules)
    if not listed.others:
        return
    if fresh := to_be_added(repository.root, prefix):
        from upstreamsync.project.verify.fresh import about_to_be_added

        yield from about_to_be_added(root, fresh, _committed(repository, prefix))
    yield from _vouched_for(root, {path: locked[path] for path in locked.keys() - set(listed.files)})


def _committed(repository: Repository, prefix: str) -> dict[str, bytes]:
    """The kustomizations and charts below a folder as they were committed last, by path in it."""

    def wanted(path: str) -> bool:
        return path.startswith(prefix) and path.rpartition("/")[2] in DECIDING

    try:
        found = repository.read_those("HEAD", wanted)
    except RepositoryError:  # no commit yet
        return {}
    return {path.removeprefix(prefix): data for path, data in found.items()}


def _vouched_for(root: Path, locked: Mapping[str, str]) -> Iterator[str]:
    """The vendored files that git does not know, as an update wrote them."""
    if not locked:
        return
    from upstreamsync.lock import digest

    top = os.path.realpath(root)
    for path, known in locked.items():
        file = os.path.join(top, path)
        if (
            os.path.realpath(file) == file
            and os.path.isfile(file)
            and digest(Path(file).read_bytes()) == known
        ):
            yield path


def _of_submodules(
    repository: Repository, since: str, root: Path, prefix: str, pointers: Mapping[str, str]
) -> Iterator[str]:
    """What git knows of the clones that lie where submodules belong, but for those that only the change names.

    A runner may have been made to clone those, with rights that the change's author does not have.
    """
    before, now = (
        {one.path: one.url for one in repository.submodules(revision)} for revision in (since, "HEAD")
    )
    was, committed = repository.pointers(since), repository.pointers("HEAD")
    for path, commit in pointers.items():
        full = f"{prefix}{path}"
        same = full in was and before.get(full) == now.get(full)
        if (same or full not in committed) and (root / path / ".git").exists():
            yield from _of_clone(root, path, nested=was.get(full) == commit or full not in committed)


def _of_clone(root: Path, path: str, *, nested: bool) -> Iterator[str]:
    inner = index(root / path)
    yield from (f"{path}/{name}" for name in inner.files)
    for name in inner.submodules if nested else ():
        if (root / path / name / ".git").exists():
            yield from _of_clone(root, f"{path}/{name}", nested=True)
