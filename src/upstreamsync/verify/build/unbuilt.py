"""The state before any customization, where it can be told without a build.

Most bases merely collect files of manifests. Such a state is upstream's own files, and as long as
kustomize would print each object with the values that it is written with, reading them says the same as
building them, at a fraction of the cost. Whatever is not that plain is built.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

from upstreamsync.kit.kubernetes.objects import object_id
from upstreamsync.kit.yaml import manifests
from upstreamsync.kit.yaml.plain import plain_object
from upstreamsync.verify.build.builds import Key, Manifest, State
from upstreamsync.verify.build.workspace import Workspace
from upstreamsync.verify.overlays.items import Item
from upstreamsync.verify.overlays.parse_cache import ParseCache
from upstreamsync.verify.overlays.tree import Kustomization

#: Fields that change nothing about the objects of ``resources``.
_HARMLESS: Final = frozenset(
    (
        "apiVersion", "kind", "metadata", "resources", "bases", "components", "generatorOptions",
        "configurations", "crds", "openapi", "sortOptions",
    )
)  # fmt: skip
_COLLECTING: Final = ("resources", "bases", "components")


class _InDoubt(Exception):
    """Something of which only kustomize can say what becomes of it."""


@dataclass(slots=True)
class _Reader:
    workspace: Workspace
    off: Collection[str]
    parsed: ParseCache
    folders: set[str] = field(default_factory=set)
    names: set[tuple[str, ...]] = field(default_factory=set)
    objects: dict[Key, Manifest] = field(default_factory=dict)
    texts: dict[Key, bytes] = field(default_factory=dict)

    def visit(self, folder: str, *, component: bool = False) -> None:
        """Read what the kustomization in ``folder`` collects."""
        kustomization = self.workspace.tree.kustomization(folder)
        if kustomization is None or folder in self.folders:
            raise _InDoubt
        self.folders.add(folder)
        data = self.workspace.rewritten(kustomization, self.off) or kustomization.data
        if (data.get("kind") == "Component") is not component:
            raise _InDoubt
        if any(value and name not in _HARMLESS for name, value in data.items()):
            raise _InDoubt
        for name in _COLLECTING:
            for entry in data.get(name) or ():
                self._entry(kustomization, entry, component=name == "components")

    def _entry(self, kustomization: Kustomization, entry: Any, *, component: bool) -> None:
        path = kustomization.resolve(entry) if isinstance(entry, str) else ""
        if self.workspace.tree.is_folder(path):
            self.visit(path, component=component)
        elif self.workspace.tree.is_file(path) and path.endswith((".yaml", ".yml")):
            for part in self.parsed.once(manifests.split, self.workspace.content(path)):
                self._document(part)
        else:
            raise _InDoubt

    def _document(self, part: bytes) -> None:
        if manifests.says_nothing(part):
            return
        obj = self.parsed.once(plain_object, part)
        if obj is None:
            raise _InDoubt
        found = object_id(obj)
        # Two that are nearly one are a conflict, perhaps; kustomize decides.
        name = (found.group, found.kind, found.namespace or "default", found.name)
        if name in self.names:
            raise _InDoubt
        self.names.add(name)
        self.objects[found.unversioned, 1] = obj
        self.texts[found.unversioned, 1] = part


def unbuilt(workspace: Workspace, off: Collection[Item], parsed: ParseCache) -> State | None:
    """The state of an overlay with ``off`` switched off, or None where it has to be built."""
    reader = _Reader(workspace, {item.name for item in off}, parsed)
    try:
        reader.visit(workspace.overlay)
    except _InDoubt:
        return None
    return State(reader.objects, reader.texts) if reader.objects else None
