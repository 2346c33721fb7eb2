"""Every unit of a tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

from upstreamsync.references.units.interest import MAX_BYTES, is_helmfile, is_of_interest, is_yaml
from upstreamsync.references.units.unit import Unit
from upstreamsync.verify.overlays.tree import Tree

if TYPE_CHECKING:  # most repositories have nothing for these modules to read
    from upstreamsync.discover.yamls import Document
    from upstreamsync.references.units import flux

_CONFIG_MAP: Final = re.compile(rb"^kind:\s*ConfigMap\b", re.MULTILINE)


def units(tree: Tree) -> tuple[tuple[Unit, ...], frozenset[str]]:
    """The units of all files, in their order, and the files that say what they are; those are the user's.

    What can't be read is no unit.
    """
    texts = list(_texts(tree, is_of_interest))
    if not texts:
        return (), frozenset()
    from upstreamsync.references.units import flux

    documents = [document for path, data in texts for document in _documents(path, data)]

    def config_maps() -> tuple[Document, ...]:
        found = _texts(tree, _has_config_map)
        return tuple(document for path, data in found for document in _documents(path, data))

    cluster = flux.Cluster(documents, tree, cache(config_maps))
    found: dict[str, Unit] = {}
    for document in documents:
        for unit in _of(document, cluster, tree):
            found.setdefault(unit.folder, unit)
    files = {document.file for document in documents}
    files.update(place.file for unit in found.values() for place in unit.places.values())
    return tuple(found.values()), frozenset(files)


def _of(document: Document, cluster: flux.Cluster, tree: Tree) -> Iterator[Unit]:
    from upstreamsync.references.units import flux
    from upstreamsync.references.units.argocd import applications
    from upstreamsync.references.units.umbrella import dependencies, releases

    if document.file.endswith("Chart.yaml"):
        yield from dependencies(document, tree)
    elif is_helmfile(document.file):
        yield from releases(document, tree)
    else:
        yield from applications(document, tree)
        yield from flux.units(document, cluster)


def _texts(tree: Tree, wanted: Callable[[str, bytes], bool]) -> Iterator[tuple[str, bytes]]:
    for path in tree.files("."):
        if is_yaml(path):
            data = tree.read(path)
            if wanted(path, data):
                yield path, data


def _documents(path: str, data: bytes) -> Iterator[Document]:
    from upstreamsync.discover.scan import TextFile
    from upstreamsync.discover.yamls import read_documents

    yield from read_documents(TextFile(path=path, text=data.decode("utf-8", "replace")))


def _has_config_map(_path: str, data: bytes) -> bool:
    return len(data) <= MAX_BYTES and bool(_CONFIG_MAP.search(data))
