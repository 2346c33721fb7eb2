"""A branch, followed by commit: it has one version, the newest commit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from upstreamsync.config.spec import BranchReleases, Releases
from upstreamsync.errors import NotFound
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.model import Release


def feed(spec: Releases, tools: Toolbox) -> Iterator[Sequence[Release]]:
    """The newest commit of the branch, or the newest that changes something below ``paths``."""
    branch = spec.branch
    if branch is None:
        return
    refs = tools.git.ls_remote(branch.repository, heads=True, tags=False)
    tip = next((ref.commit for ref in refs if ref.name == branch.name), None)
    if tip is None:
        raise NotFound(
            f"`{branch.repository}` has no branch `{branch.name}`",
            hint="it has " + (", ".join(f"`{ref.name}`" for ref in refs[:5]) or "no branches at all"),
        )
    commit = _newest_change(branch, tip, tools) if branch.paths else tip
    yield [Release(version=commit, ref=commit, commit=commit)]


def _newest_change(branch: BranchReleases, tip: str, tools: Toolbox) -> str:
    """The newest of the last changes of each path.

    Of two commits the one is newer from which the other is reached: seen from it, the other is still the
    last change of its path.
    """
    newest: str | None = None
    for path in branch.paths:
        change = tools.git.last_change(branch.repository, tip, path)
        if newest is None or not _reaches(branch.repository, newest, change, path, tools):
            newest = change
    return newest or tip


def _reaches(repository: str, commit: str, other: str, path: str, tools: Toolbox) -> bool:
    """Whether ``other``, the last change of ``path`` on the branch, lies behind ``commit``."""
    try:
        return tools.git.last_change(repository, commit, path) == other
    except NotFound:
        return False
