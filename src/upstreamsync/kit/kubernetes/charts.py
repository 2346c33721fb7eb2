"""What stands in a chart: Chart.yaml, its lock, its dependencies; and a chart's entries in an index."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from upstreamsync.errors import Malformed
from upstreamsync.kit.kubernetes.chart_index import Entry, HelmIndex
from upstreamsync.kit.lfs import refuse_pointer
from upstreamsync.kit.versions import Version, parse
from upstreamsync.kit.yaml import manifests, syntax

_EXACT = re.compile(r"=?\s*(v?\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?)")
#: What names and versions of charts are made of; both become parts of file names.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]*")
_READ = (".yaml", ".yml", ".json", ".tpl", ".tgz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """A chart that another one needs; ``exact`` is the version that is locked, or the only one allowed."""

    name: str
    version: str
    repository: str
    exact: str | None


def refuse_pointers(files: Mapping[str, bytes], where: str) -> None:
    """Raise ContentError where a file that helm reads of a chart (path → bytes) is a pointer of Git LFS."""
    for path, data in files.items():
        if is_read(path):
            refuse_pointer(data, f"{where}/{path}")


def is_read(path: str) -> bool:
    """Whether a file of that name becomes part of what a chart makes; its pictures do not."""
    return path.lower().endswith(_READ)


def metadata(files: Mapping[str, bytes], where: str) -> Mapping[str, Any]:
    """Chart.yaml of a chart given as path → bytes; its name and version are texts, and plain.

    Raises Malformed when it is missing, or without these.
    """
    if "Chart.yaml" not in files:
        raise Malformed(f"{where} has no Chart.yaml", hint="is this the chart's folder?")
    document = _as_text(files["Chart.yaml"], f"{where}/Chart.yaml")
    if not isinstance(document, dict):
        raise Malformed(f"{where}/Chart.yaml is no YAML mapping")
    for key, plain in (("name", _NAME), ("version", _VERSION)):
        value = document.get(key)
        if not isinstance(value, str) or not plain.fullmatch(value) or ".." in value:
            raise Malformed(
                f"{where}/Chart.yaml: {value!r} is no {key} of a chart", hint="ask its publishers"
            )
    return document


def dependencies(files: Mapping[str, bytes], where: str) -> tuple[Dependency, ...]:
    """What Chart.yaml (or requirements.yaml, its older form) lists, with the versions of the lock."""
    listed = _listed(metadata(files, where), files, "requirements.yaml", where)
    locked = {
        (entry.get("name"), entry.get("repository", "")): entry.get("version")
        for name in ("Chart.lock", "requirements.lock")
        if name in files
        for entry in _entries(_as_text(files[name], f"{where}/{name}"))
    }
    found = []
    for entry in listed:
        name, version = str(entry.get("name", "")), str(entry.get("version", ""))
        repository = str(entry.get("repository") or "")
        exact = locked.get((name, repository))
        if not isinstance(exact, str):
            match = _EXACT.fullmatch(version.strip())
            exact = match[1] if match else None
        found.append(Dependency(name=name, version=version, repository=repository, exact=exact))
    return tuple(found)


def _listed(
    document: Mapping[str, Any], files: Mapping[str, bytes], older: str, where: str
) -> list[dict[str, Any]]:
    if document.get("dependencies") or older not in files:
        return _entries(document)
    return _entries(_as_text(files[older], f"{where}/{older}"))


def _entries(document: object) -> list[dict[str, Any]]:
    value = document.get("dependencies") if isinstance(document, Mapping) else None
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def index_entry(index: bytes, chart: str, versions: tuple[str, ...], where: str) -> Mapping[str, Any] | None:
    """The first entry of ``chart`` whose version is one of ``versions``, taken in that order.

    Reads the chart's own block where the index is plainly written, all of it otherwise. A chart that is
    not listed gives None; so does a version. Raises Malformed for what is no index.
    """
    entries = list(_chart_entries(index, chart, where))
    for version in versions:
        for entry in entries:
            if entry.get("version") == version:
                return entry
    return None


def newest_with_app_version(
    index: bytes, chart: str, app_version: str, where: str
) -> Mapping[str, Any] | None:
    """The entry of ``chart`` with that appVersion whose version is the newest; stable ones go first.

    A leading v of the appVersion is of no account. Raises as ``index_entry``.
    """
    wanted = app_version.removeprefix("v")
    best: tuple[bool, Version] | None = None
    found = None
    for entry in _chart_entries(index, chart, where):
        version = parse(str(entry.get("version")), "semver")
        if version is None or str(entry.get("appVersion", "")).removeprefix("v") != wanted:
            continue
        rank = (not version.is_prerelease, version)
        if best is None or rank > best:
            best, found = rank, entry
    return found


def index_versions(index: bytes, chart: str, where: str) -> tuple[str, ...]:
    """Every version of ``chart`` that an index lists. Raises as ``index_entry``."""
    return tuple(str(entry.get("version", "")) for entry in _chart_entries(index, chart, where))


def _chart_entries(index: bytes, chart: str, where: str) -> tuple[Entry, ...]:
    try:
        return HelmIndex(index).entries(chart) or ()
    except Malformed as error:
        raise Malformed(f"{where}: {error.message}", hint=error.hint) from None


def _as_text(data: bytes, where: str) -> Any:
    """A YAML document whose scalars stay as they are written: a digest of digits is no number."""
    manifests.refuse_bombs(data, where)
    with manifests.no_garbage_collection():
        try:
            return syntax.load_text(data)
        except (syntax.YAMLError, UnicodeDecodeError) as error:
            first = str(error).partition("\n")[0]
            raise Malformed(
                f"{where} is no YAML that can be read: {first}", hint="is it a Helm repository?"
            ) from None
