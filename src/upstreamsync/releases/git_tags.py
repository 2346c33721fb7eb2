"""Tags of a git repository, by ls-remote: no clone, no account, no limit, and no dates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from upstreamsync.config.spec import Releases
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.model import Release


def feed(spec: Releases, tools: Toolbox) -> Iterator[Sequence[Release]]:
    """The tags, each with the commit that it stands on."""
    refs = tools.git.ls_remote(f"{spec.git}", heads=False, tags=True)
    yield [Release(version=ref.name, ref=ref.name, commit=ref.commit) for ref in refs]
