"""Where the kustomizations of a tree name something outside of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from upstreamsync.references.remote import (
    CHART_IN_GIT,
    ChartVersion,
    GitChart,
    Remote,
    WebFile,
    read_file,
    read_git,
    read_resource,
)
from upstreamsync.verify.overlays.tree import Kustomization

Path = tuple[str | int, ...]
_COLLECTING: Final = ("resources", "bases", "components", "generators", "transformers", "validators")
_LISTS: Final = ("patchesStrategicMerge", "configurations", "crds")
_PATHS: Final = ("patches", "patchesJson6902", "replacements")
_GENERATORS: Final = ("configMapGenerator", "secretGenerator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One place of a kustomization that names something outside; ``path`` leads to it in the data.

    ``key`` is what stands before the address in an entry of a generator (``name=https://…``).
    """

    folder: str
    path: Path
    remote: Remote
    key: str = ""

    @property
    def field(self) -> str:
        """The field of the kustomization."""
        return str(self.path[0])

    @property
    def shown(self) -> str:
        """What stands there, for people."""
        return self.remote.name if isinstance(self.remote, ChartVersion | GitChart) else str(self.remote)

    @property
    def is_chart(self) -> bool:
        """Whether a chart is inflated."""
        return isinstance(self.remote, ChartVersion | GitChart)


def references(kustomization: Kustomization) -> Iterator[Reference]:
    """Everything outside that a kustomization names, in the order of its fields."""
    for path, remote, key in _named(kustomization):
        yield Reference(folder=kustomization.folder, path=path, remote=remote, key=key)


def _named(kustomization: Kustomization) -> Iterator[tuple[Path, Remote, str]]:
    for name in _COLLECTING:
        for index, entry in enumerate(kustomization.entries(name)):
            if isinstance(entry, str) and (found := read_resource(entry)) is not None:
                yield (name, index), found, ""
    yield from _files(kustomization)
    for index, chart in enumerate(kustomization.entries("helmCharts")):
        if isinstance(chart, Mapping):
            if (fetched := chart_of(chart)) is not None:
                yield ("helmCharts", index), fetched, ""
            yield from _values(("helmCharts", index), chart)


def _files(kustomization: Kustomization) -> Iterator[tuple[Path, WebFile, str]]:
    for name in _LISTS:
        for index, entry in enumerate(kustomization.entries(name)):
            yield from _file((name, index), entry)
    for name in _PATHS:
        for index, entry in enumerate(kustomization.entries(name)):
            if isinstance(entry, Mapping):
                yield from _file((name, index, "path"), entry.get("path"))
    openapi = kustomization.data.get("openapi")
    if isinstance(openapi, Mapping):
        yield from _file(("openapi", "path"), openapi.get("path"))
    for name in _GENERATORS:
        for index, entry in enumerate(kustomization.entries(name)):
            if isinstance(entry, Mapping):
                yield from _generated((name, index), entry)


def _generated(at: Path, entry: Mapping[str, Any]) -> Iterator[tuple[Path, WebFile, str]]:
    for field in ("files", "envs"):
        listed = entry.get(field)
        for number, one in enumerate(listed if isinstance(listed, list) else ()):
            yield from _file((*at, field, number), one)
    yield from _file((*at, "env"), entry.get("env"))


def _values(at: Path, chart: Mapping[str, Any]) -> Iterator[tuple[Path, WebFile, str]]:
    yield from _file((*at, "valuesFile"), chart.get("valuesFile"))
    listed = chart.get("additionalValuesFiles")
    for number, one in enumerate(listed if isinstance(listed, list) else ()):
        yield from _file((*at, "additionalValuesFiles", number), one)


def _file(at: Path, entry: Any) -> Iterator[tuple[Path, WebFile, str]]:
    if not isinstance(entry, str):
        return
    key, equals, rest = entry.partition("=")
    if equals and "/" not in key and (found := read_file(rest)) is not None:
        yield at, found, key
    elif (found := read_file(entry)) is not None:
        yield at, found, ""


def chart_of(chart: Mapping[str, Any]) -> ChartVersion | GitChart | None:
    """The chart that an entry of ``helmCharts`` fetches; None for one that lies beside it."""
    repository, name = chart.get("repo"), chart.get("name")
    if not isinstance(repository, str) or not repository.strip() or not isinstance(name, str) or not name:
        return None
    if repository.startswith(CHART_IN_GIT):
        found = read_git(f"git::{repository.removeprefix(CHART_IN_GIT)}")
        return GitChart(repository=found.repository, path=found.path, ref=found.ref) if found else None
    return ChartVersion(repository=repository.strip(), name=name, version=str(chart.get("version") or ""))


def value_at(data: Any, path: Path) -> Any:
    """The value at ``path``; None where the way ends."""
    for step in path:
        if isinstance(step, int) and isinstance(data, list) and step < len(data):
            data = data[step]
        elif isinstance(step, str) and isinstance(data, Mapping):
            data = data.get(step)
        else:
            return None
    return data
