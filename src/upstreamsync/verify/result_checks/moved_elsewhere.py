"""Objects that are gone from an overlay because the same change put them into another one's files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.yaml import manifests
from upstreamsync.verify.overlays.graph import changed_files, inputs
from upstreamsync.verify.overlays.tree import Tree

from .index import at, text

_CRD = "CustomResourceDefinition"


@dataclass(slots=True)
class Elsewhere:
    """What files that the overlay does not read define now, and did not before; read when it is asked for."""

    trees: tuple[Tree, Tree]
    overlay: str
    _found: frozenset[tuple[str, str]] | None = field(default=None)

    def has(self, kind: str, name: str) -> bool:
        """Whether an object of that kind and name was moved there; a CRD goes by the kind that it defines."""
        if self._found is None:
            self._found = frozenset(self._moved())
        return any((each, name) in self._found for each in kind.split(" or "))

    def _moved(self) -> Iterator[tuple[str, str]]:
        before, after = self.trees
        mine = set(inputs(after, self.overlay))
        for path in changed_files(before, after):
            if path not in mine and path.endswith((".yaml", ".yml")) and after.is_file(path):
                known = set(_names(before, path)) if before.is_file(path) else set()
                yield from set(_names(after, path)) - known


def _names(tree: Tree, path: str) -> Iterator[tuple[str, str]]:
    try:
        objects: list[dict[str, Any]] = manifests.objects(tree.read(path), name=path)
    except UpstreamsyncError:
        return
    for obj in objects:
        kind = text(obj.get("kind"))
        yield kind, text(at(obj, "metadata", "name"))
        if kind == _CRD:
            yield _CRD, text(at(obj, "spec", "names", "kind"))
