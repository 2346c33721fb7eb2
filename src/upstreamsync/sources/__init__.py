"""Sources: how a release's content is fetched and verified. None of them chooses a version.

Each kind is a module with ``fetch`` and ``probe`` and a line in KINDS. What they return are upstream's own
bytes; selection, splitting and layout come later.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from upstreamsync.errors import UsageError
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.model import EMPTY, Artifact, Release
from upstreamsync.sources.job import Job, SourceKind

if TYPE_CHECKING:  # charts are fetched for those, too, who have no vendors.yaml
    from upstreamsync.config.spec import Source, Vendor

__all__ = ["KINDS", "Job", "SourceKind", "fetch", "probe"]


class _Modules(Mapping[str, SourceKind]):
    """The modules of this folder by their names, each loaded when it is first used."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def __getitem__(self, name: str) -> SourceKind:
        if name not in self._names:
            raise KeyError(name)
        kind: SourceKind = import_module(f"{__name__}.{name}")
        return kind

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


#: Every kind of source by its key in vendors.yaml.
KINDS: Mapping[str, SourceKind] = _Modules("archive", "command", "docs", "git", "helm", "kustomize", "url")


def fetch(
    source: Source,
    release: Release,
    vendor: Vendor,
    tools: Toolbox,
    *,
    overrides: Mapping[str, bytes] = EMPTY,
    registry: Mapping[str, SourceKind] = KINDS,
) -> Artifact:
    """The content of ``source`` at ``release``, verified; files sorted by path.

    ``overrides`` maps repository paths to the bytes that user files (values files) will have when the
    edits that precede the render are made. Raises UpstreamError, ContentError, ToolError and
    RepositoryError with their families.
    """
    job = Job(source=source, release=release, vendor=vendor, tools=_own(tools, vendor), overrides=overrides)
    return _kind(source, tools, registry).fetch(job)


def probe(
    source: Source,
    release: Release,
    vendor: Vendor,
    tools: Toolbox,
    *,
    registry: Mapping[str, SourceKind] = KINDS,
) -> None:
    """A cheap look whether the release's content exists upstream. Raises NotFound when it does not."""
    job = Job(source=source, release=release, vendor=vendor, tools=_own(tools, vendor))
    _kind(source, tools, registry).probe(job)


def _own(tools: Toolbox, vendor: Vendor) -> Toolbox:
    """The tools with what this vendor allows."""
    return dataclasses.replace(tools, allow_http=True) if vendor.allow_http else tools


def _kind(source: Source, tools: Toolbox, registry: Mapping[str, SourceKind]) -> SourceKind:
    known = tools.own_sources if source.own is not None else registry
    try:
        kind: SourceKind = known[source.kind]
    except KeyError:
        raise UsageError(
            f"nothing is registered for sources of kind `{source.kind}`",
            hint=f"registered: {', '.join(sorted({*registry, *tools.own_sources}))}",
        ) from None
    return kind
