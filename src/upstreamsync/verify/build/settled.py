"""Customizations that can do nothing else than they did: those of folders in which nothing differs.

A kustomization sees what lies below it and nothing else. Where that is the same on both sides, so is what its
customizations make of it; they stay switched on, and need no builds of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from upstreamsync.verify.overlays.graph import inputs, reached
from upstreamsync.verify.overlays.items import Item, Kind
from upstreamsync.verify.overlays.tree import Tree

#: Where fewer than that are spared, reading the base instead of building it spares more.
_WORTHWHILE: Final = 4
#: What is always on, and what has its effect further up.
_APART: Final = frozenset((Kind.RESOURCE, Kind.HELM_VALUE, Kind.VARS))
#: With other names in the base, nobody could tell whose objects they are.
_NAMING: Final = frozenset((Kind.PREFIX, Kind.SUFFIX))


def settled(trees: tuple[Tree, Tree], overlay: str, items: Sequence[Item]) -> frozenset[str]:
    """The names of the items of an overlay that stay on; none where that would not pay."""
    named = {item.folder for item in items if item.kind in _NAMING}
    folders = {folder for folder in _unchanged(trees, overlay) if folder not in named}
    found = frozenset(item.name for item in items if item.folder in folders and item.kind not in _APART)
    return found if len(found) >= _WORTHWHILE else frozenset()


def _unchanged(trees: tuple[Tree, Tree], overlay: str) -> Iterator[str]:
    before, after = trees
    known: dict[str, bool] = {}

    def same(path: str) -> bool:
        if path not in known:
            known[path] = before.read(path) == after.read(path)
        return known[path]

    for kustomization in reached(after, overlay):
        folder = kustomization.folder
        if folder == overlay or kustomization.data.get("kind") == "Component":
            continue
        if before.kustomization(folder) is None:
            continue
        names = inputs(before, folder)
        if names == inputs(after, folder) and all(map(same, names)):
            yield folder
