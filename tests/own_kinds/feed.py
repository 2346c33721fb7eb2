"""A feed: the versions on the shelf, ``shelf: FOLDER`` in vendors.yaml."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from upstreamsync import Release, Releases, Toolbox


def versions(spec: Releases, tools: Toolbox) -> Iterable[Sequence[Release]]:
    """One page: a release for each folder."""
    assert spec.own is not None
    folder = Path(str(spec.own.options))
    return [[Release(version=path.name, ref=path.name) for path in sorted(folder.iterdir())]]
