"""The definitions of custom resources that stand in a tree, whatever overlay they belong to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.yaml import manifests
from upstreamsync.verify.overlays.tree import Tree

_KIND: Final = b"CustomResourceDefinition"
_NAME: Final = re.compile(rb"\bname[\"']?:[ \t]*[\"']?([a-z0-9-]+(?:\.[a-z0-9-]+)+)")
#: In so many bytes a definition says what it is called, annotations included.
_HEAD: Final = 16 * 1024
#: A tree is not searched for definitions beyond so many bytes of files that have some.
_MOST: Final = 64 * 1024 * 1024


@dataclass(slots=True)
class TreeDefinitions(Mapping[tuple[str, str], Mapping[str, Any]]):
    """By group and kind; the tree is searched when the first is asked for, and a document read when it is meant.

    One for all overlays of a tree: several threads may search at once, and find the same.
    """

    tree: Tree
    _documents: dict[bytes, list[bytes]] | None = None
    _read: dict[tuple[str, str], Mapping[str, Any] | None] = field(default_factory=dict)

    def __getitem__(self, name: tuple[str, str]) -> Mapping[str, Any]:
        if name not in self._read:
            self._read[name] = self._find(*name)
        found = self._read[name]
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(name for name, found in self._read.items() if found is not None)

    def __len__(self) -> int:
        return sum(found is not None for found in self._read.values())

    def _find(self, group: str, kind: str) -> Mapping[str, Any] | None:
        if self._documents is None:
            self._documents = _documents(self.tree)
        wanted = re.compile(rb"\bkind[\"']?:[ \t]*[\"']?" + re.escape(kind.encode()) + rb"\b")
        for document in self._documents.get(group.encode(), ()):
            if not wanted.search(document):
                continue
            try:
                crd = manifests.load(document, name="a definition")
            except UpstreamsyncError:
                continue
            spec = crd.get("spec") if isinstance(crd, dict) else None
            names = spec.get("names") if isinstance(spec, dict) else None
            if isinstance(names, dict) and names.get("kind") == kind and crd.get("kind") == _KIND.decode():
                return dict(crd)
        return None


def _documents(tree: Tree) -> dict[bytes, list[bytes]]:
    """The documents of definitions by group, which their names end with."""
    found: dict[bytes, list[bytes]] = {}
    size = 0
    for name in tree.files(""):
        if not name.endswith((".yaml", ".yml")):
            continue
        data = tree.read(name)
        if _KIND not in data:
            continue
        size += len(data)
        if size > _MOST:
            break
        for document in manifests.split(data):
            if _KIND in document:
                for full in set(_NAME.findall(document[:_HEAD])):
                    found.setdefault(full.partition(b".")[2], []).append(document)
    return found
