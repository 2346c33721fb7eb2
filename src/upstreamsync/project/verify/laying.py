"""Both trees of a verification with what they name outside laid in, by the clients of the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from upstreamsync.project.settings import Settings

if TYPE_CHECKING:  # loaded where something has to be fetched
    from upstreamsync.project.connections import Connections
    from upstreamsync.project.verify.base_revision import Since
    from upstreamsync.references.fetch import Fetcher
    from upstreamsync.references.lay import Laid


@contextmanager
def laid(
    before: Path,
    after: Path,
    settings: Settings,
    *,
    overlays: Sequence[str] = (),
    always: Sequence[str] = (),
    upstream: Sequence[str] = (),
    deduce: bool = True,
    all_units: bool = False,
    hosts: Sequence[str] = (),
    revisions: Since | None = None,
) -> Iterator[Laid]:
    """See ``references.lay``; nothing is opened where nothing outside is named.

    ``revisions``: ``before`` is this revision of that repository, which has submodules, perhaps.
    """
    from upstreamsync.references.lay import lay
    from upstreamsync.references.submodules import Submodules
    from upstreamsync.verify.overlays.tree import Tree

    old = Tree(before)
    new = Tree(after, read_before=old.read_before)
    asked = (*hosts, *settings.allow_hosts)
    opened: list[Connections] = []
    made: list[Fetcher] = []

    def fetcher() -> Fetcher:
        if not opened:
            from upstreamsync.project.connections import Connections

            opened.append(Connections(settings))
            opened[0].name_hosts("", hosts)
            made.append(_fetcher(opened[0], after))
        return made[0]

    modules: tuple[str, ...] = ()
    try:
        if revisions is not None:
            submodules = Submodules(
                revisions.repository, revisions.commit, revisions.folder, fetcher, asked, settings.offline
            )
            old, new = submodules.laid(old, new)
            modules = tuple(submodules.paths)
        yield lay(
            old,
            new,
            fetcher,
            overlays=tuple(overlays) or None,
            always=always,
            upstream=upstream,
            deduce=deduce,
            all_units=all_units,
            foreign=modules,
            hosts=asked,
            offline=settings.offline,
            jobs=min(settings.network_jobs, 8),
        )
    finally:
        for connections in opened:
            connections.close()


def _fetcher(connections: Connections, root: Path) -> Fetcher:
    from upstreamsync.kit.git.remote import Git
    from upstreamsync.project.connections import toolbox
    from upstreamsync.references.fetch import Fetcher

    # Only what the revision that the change stands on names is read, so its paths on this machine are, too.
    local = Git(cache=connections.cache, allow_local=True, timeout=connections.settings.tool_timeout)
    return Fetcher(toolbox(connections, None, root), local)
