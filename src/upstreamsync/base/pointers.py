"""Pointers of Git LFS among what was fetched: refused wherever the file itself is needed."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from upstreamsync.base.documents import YAML_SUFFIXES
from upstreamsync.base.kustomization import chart_folders, is_kustomization
from upstreamsync.kit.kubernetes.charts import is_read
from upstreamsync.kit.kubernetes.foreign import FilesByPath
from upstreamsync.kit.kubernetes.kustomizations import all_references
from upstreamsync.kit.lfs import is_pointer, refuse_pointer
from upstreamsync.model import ContentFile


def refuse_pointers(files: Sequence[ContentFile], *, tree: bool) -> None:
    """Raise ContentError for a pointer in place of a manifest, or of what kustomize or helm makes one of.

    In a ``tree`` (a folder that was taken as it is) a picture or program may be one, as to whoever clones it.
    """
    pointers = [file for file in files if is_pointer(file.data)]
    if not pointers:
        return
    needed = frozenset(_needed(files)) if tree else frozenset(file.path for file in files)
    for file in pointers:
        if file.path in needed:
            refuse_pointer(file.data, file.path)


def _needed(files: Sequence[ContentFile]) -> Iterator[str]:
    """The paths of the files of a tree without which its manifests are not what they should be."""
    content = {file.path: file.data for file in files}
    charts = chart_folders(content)
    for path in content:
        in_chart = any(path.startswith(folder) for folder in charts)
        if path.lower().endswith(YAML_SUFFIXES) or is_kustomization(path) or (in_chart and is_read(path)):
            yield path
        if is_kustomization(path):
            yield from _named(FilesByPath(content), path)


def _named(files: FilesByPath, kustomization: str) -> Iterator[str]:
    folder = posixpath.dirname(kustomization) or "."
    for reference in all_references(files, kustomization):
        if (path := reference.path(folder)) is not None:
            yield path
