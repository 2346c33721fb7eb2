"""Which Argo CD Applications and ApplicationSets of the repository read a folder.

Only what stands in the files is read: an Application whose path is patched in by a kustomization is
found by the path in its own file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.yaml import manifests
from upstreamsync.review.pods import mapping, mappings

_TEMPLATE = re.compile(r"\{\{.*?\}\}")
_MARK = b"argoproj.io/"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Reader:
    """An Application (or ApplicationSet) and the folder that it reads; ``path`` may be a glob."""

    name: str
    path: str
    file: str
    repository: str = ""


def find_readers(files: Iterable[tuple[str, bytes]]) -> tuple[Reader, ...]:
    """All readers in YAML files, given as (path, bytes); files that are no YAML are passed over."""
    found: set[Reader] = set()
    for path, data in files:
        if _MARK not in data or b"Application" not in data or b"path" not in data:
            continue
        for document in manifests.split(data):
            if _MARK in document and b"Application" in document:
                found.update(_readers(path, document))
    return tuple(sorted(found))


def reading(readers: Iterable[Reader], overlay: str) -> tuple[str, ...]:
    """Names of those that read ``overlay`` or a folder below it, sorted."""
    return tuple(sorted({reader.name for reader in readers if _reads(reader.path, overlay)}))


def _reads(pattern: str, overlay: str) -> bool:
    return fnmatchcase(overlay, pattern) or pattern.startswith(f"{overlay}/")


def _readers(file: str, document: bytes) -> Iterator[Reader]:
    try:
        objects = manifests.objects(document, name=file)
    except UpstreamsyncError:
        return  # templates of charts and other half-YAML are not ours to judge
    for obj in objects:
        name = mapping(obj.get("metadata")).get("name", "")
        spec = mapping(obj.get("spec"))
        if obj.get("kind") == "Application":
            sources = _sources(spec)
            generated: tuple[str, ...] = ()
        elif obj.get("kind") == "ApplicationSet":
            sources = _sources(mapping(mapping(spec.get("template")).get("spec")))
            generated = tuple(_generated(spec.get("generators")))
        else:
            continue
        for repository, path in sources:
            for folder in generated if generated and _is_variable(path) else (path,):
                yield Reader(
                    name=f"{obj['kind']} {name}", path=_glob(folder), file=file, repository=repository
                )


def _sources(spec: Mapping[str, Any]) -> list[tuple[str, str]]:
    listed = [mapping(spec.get("source")), *mappings(spec.get("sources"))]
    return [
        (str(source.get("repoURL", "")), str(source["path"]))
        for source in listed
        if isinstance(source.get("path"), str)
    ]


def _generated(generators: Any) -> Iterator[str]:
    """Folders that git generators give; nested in matrix and merge generators too."""
    for generator in mappings(generators):
        for entry in mappings(mapping(generator.get("git")).get("directories")):
            if isinstance(entry.get("path"), str) and entry.get("exclude") is not True:
                yield entry["path"]
        for combining in ("matrix", "merge"):
            yield from _generated(mapping(generator.get(combining)).get("generators"))


def _is_variable(path: str) -> bool:
    """Whether the path is nothing but the generator's own."""
    return _TEMPLATE.fullmatch(path.strip()) is not None


def _glob(path: str) -> str:
    path = _TEMPLATE.sub("*", path)
    return "/".join(part for part in path.split("/") if part not in ("", "."))
