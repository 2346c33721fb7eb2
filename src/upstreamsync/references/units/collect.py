"""Every unit of a tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

from upstreamsync.discover.scan import MAX_BYTES, TextFile
from upstreamsync.discover.yamls import Document, read_documents
from upstreamsync.references.units import flux
from upstreamsync.references.units.argocd import applications
from upstreamsync.references.units.umbrella import dependencies, releases
from upstreamsync.references.units.unit import Unit
from upstreamsync.verify.overlays.graph import Tree

_KINDS: Final = re.compile(
    rb"^kind:\s*[\"']?(?:Application|ApplicationSet|HelmRelease|HelmRepository|HelmChart|OCIRepository"
    rb"|GitRepository|Kustomization)\b",
    re.MULTILINE,
)
_GROUPS: Final = re.compile(rb"argoproj\.io/|toolkit\.fluxcd\.io/")
_CONFIG_MAP: Final = re.compile(rb"^kind:\s*ConfigMap\b", re.MULTILINE)
_HELMFILES: Final = re.compile(r"(?:^|/)helmfile(?:\.d/[^/]+)?\.ya?ml$")


def units(tree: Tree) -> tuple[tuple[Unit, ...], frozenset[str]]:
    """The units of all files, in their order, and the files that say what they are; those are the user's.

    What can't be read is no unit.
    """
    documents = list(_documents(tree, _is_of_interest))
    if not documents:
        return (), frozenset()
    cluster = flux.Cluster(documents, tree, cache(lambda: tuple(_documents(tree, _has_config_map))))
    found: dict[str, Unit] = {}
    for document in documents:
        for unit in _of(document, cluster, tree):
            found.setdefault(unit.folder, unit)
    files = {document.file for document in documents}
    files.update(place.file for unit in found.values() for place in unit.places.values())
    return tuple(found.values()), frozenset(files)


def _of(document: Document, cluster: flux.Cluster, tree: Tree) -> Iterator[Unit]:
    if document.file.endswith("Chart.yaml"):
        yield from dependencies(document, tree)
    elif _HELMFILES.search(document.file):
        yield from releases(document, tree)
    else:
        yield from applications(document, tree)
        yield from flux.units(document, cluster)


def _documents(tree: Tree, wanted: Callable[[str, bytes], bool]) -> Iterator[Document]:
    for path in tree.files("."):
        if not path.endswith((".yaml", ".yml")):
            continue
        data = tree.read(path)
        if len(data) <= MAX_BYTES and wanted(path, data):
            yield from read_documents(TextFile(path=path, text=data.decode("utf-8", "replace")))


def _is_of_interest(path: str, data: bytes) -> bool:
    if path.rpartition("/")[2] == "Chart.yaml":
        return b"dependencies:" in data
    return bool(_HELMFILES.search(path)) or bool(_GROUPS.search(data) and _KINDS.search(data))


def _has_config_map(_path: str, data: bytes) -> bool:
    return bool(_CONFIG_MAP.search(data))
