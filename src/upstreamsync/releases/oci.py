"""Tags in an OCI registry: of an image, or of a chart. They come without dates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from upstreamsync.config.spec import HelmReleases, Releases
from upstreamsync.kit.http.oci import Oci
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.model import Release

#: Tags under which signatures and attestations of other tags are kept.
_ATTACHED = re.compile(r"sha256-[0-9a-f]{64}(?:\..+)?")


def feed(spec: Releases, tools: Toolbox) -> Iterator[Sequence[Release]]:
    """The tags of ``host/path``, as they are."""
    yield [Release(version=tag, ref=tag) for tag in _tags(f"{spec.oci}", tools)]


def chart_versions(wanted: HelmReleases, tools: Toolbox) -> tuple[Release, ...]:
    """The versions of a chart in a registry. Tags can't hold a ``+``; Helm writes ``_`` for it."""
    repository = f"{wanted.repository.rstrip('/')}/{wanted.chart}"
    return tuple(
        Release(version=tag.replace("_", "+"), ref=tag)
        for tag in _tags(repository.removeprefix("oci://"), tools)
    )


def _tags(repository: str, tools: Toolbox) -> tuple[str, ...]:
    tags = Oci(tools.http, allow_http=tools.allow_http).tags(repository)
    return tuple(tag for tag in tags if not _ATTACHED.fullmatch(tag))
