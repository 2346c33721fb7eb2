"""Both trees of a verification with what they name outside laid in, by the clients of the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from upstreamsync.project.settings import Connections, Settings, toolbox

if TYPE_CHECKING:
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
    hosts: Sequence[str] = (),
) -> Iterator[Laid]:
    """See ``references.lay``; nothing is opened where nothing outside is named."""
    from upstreamsync.references.lay import lay
    from upstreamsync.verify.overlays.graph import Tree

    opened: list[Connections] = []

    def fetcher() -> Fetcher:
        opened.append(Connections(settings))
        return _fetcher(opened[0], after)

    try:
        yield lay(
            Tree(before),
            Tree(after),
            fetcher,
            overlays=tuple(overlays) or None,
            always=always,
            upstream=upstream,
            deduce=deduce,
            hosts=(*hosts, *settings.allow_hosts),
            offline=settings.offline,
            jobs=min(settings.network_jobs, 8),
        )
    finally:
        for connections in opened:
            connections.close()


def _fetcher(connections: Connections, root: Path) -> Fetcher:
    from upstreamsync.config.spec import Tools
    from upstreamsync.kit.git.remote import Git
    from upstreamsync.references.fetch import Fetcher

    # Only what the revision that the change stands on names is read, so its paths on this machine are, too.
    local = Git(cache=connections.cache, allow_local=True, timeout=connections.settings.tool_timeout)
    return Fetcher(toolbox(connections, Tools(), root), local)
