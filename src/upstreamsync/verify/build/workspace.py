"""Throw-away copies of what an overlay reads, with some of its customizations switched off.

The user's tree is only ever read. A copy holds exactly the files that the overlay reaches, in their
places, so that kustomize's load restrictor means the same; kustomization files that have to differ are
written anew, as JSON, which is YAML too.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from upstreamsync.verify.build.inflate import COMPONENT, Charts, inflated, inflates, local_charts
from upstreamsync.verify.build.trim import Cut
from upstreamsync.verify.build.unbuildable import Unbuildable, refuse_fetching
from upstreamsync.verify.overlays.graph import Kustomization, Tree, inputs, reached
from upstreamsync.verify.overlays.item import INLINE
from upstreamsync.verify.overlays.items import Item, Kind


@dataclass(slots=True)
class Workspace:
    """Copies of one overlay of one tree below ``scratch``; each state of it in a folder of its own."""

    tree: Tree
    overlay: str
    items: Sequence[Item]
    scratch: Path
    cut: Cut = field(default_factory=Cut)
    charts: Charts = field(default_factory=local_charts)
    kustomizations: tuple[Kustomization, ...] = ()
    _count: int = 0
    _guard: threading.RLock = field(default_factory=threading.RLock)
    _pristine: Path | None = None
    _refused: Unbuildable | None = None

    def __post_init__(self) -> None:
        self.kustomizations = reached(self.tree, self.overlay)

    def state(self, off: Collection[Item], *, folder: str | None = None) -> Path:
        """Write a copy with ``off`` switched off; the folder to build (the overlay's, or ``folder``).

        Raises Unbuildable for what kustomize can't be given.
        """
        target = self._next()
        _link(self._copy(), target)
        names = {item.name for item in off}
        for kustomization in self.kustomizations:
            data = self.rewritten(kustomization, names)
            if data is not None:
                self._replace(target, kustomization, data)
        return target / (folder or self.overlay)

    def _replace(self, target: Path, kustomization: Kustomization, data: Mapping[str, Any]) -> None:
        """Write a kustomization anew, with what its charts render to in their place."""
        if inflates(kustomization, self.tree):
            data, files = inflated(data, kustomization, self.tree, self.charts)
            component = target / kustomization.folder / COMPONENT
            shutil.rmtree(component, ignore_errors=True)  # links to the copy's
            for name, content in files.items():
                component.mkdir(exist_ok=True)
                (component / name).write_bytes(content)
        path = target / kustomization.file
        path.unlink()
        path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")

    def original(self) -> Path:
        """A copy in which nothing is switched off; the overlay's folder in it. Raises as ``state``."""
        return self._copy() / self.overlay

    def rewritten(self, kustomization: Kustomization, off: Collection[str]) -> Any:
        """A kustomization of the overlay with the items named in ``off`` left out; None: it can stay."""
        mine = [item for item in self.items if item.folder == kustomization.folder]
        return rewritten(kustomization, mine, off)

    def content(self, path: str) -> bytes:
        """What a file of the tree says in the copies."""
        kept = self.cut.files.get(path)
        return self.tree.read(path) if kept is None else kept

    def _next(self) -> Path:
        with self._guard:
            self._count += 1
            return self.scratch / f"state-{self._count}"

    def _copy(self) -> Path:
        with self._guard:
            if self._refused is not None:
                raise self._refused
            if self._pristine is None:
                try:
                    refuse_fetching(self.tree, self.overlay)
                    self._write(self.scratch / "pristine")
                except Unbuildable as refused:
                    self._refused = refused
                    raise
                self._pristine = self.scratch / "pristine"
            return self._pristine

    def _write(self, target: Path) -> None:
        for name in inputs(self.tree, self.overlay):
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.content(name))
        (target / self.overlay).mkdir(parents=True, exist_ok=True)
        for kustomization in self.kustomizations:
            if inflates(kustomization, self.tree):
                self._replace(target, kustomization, kustomization.data)


def _link(source: Path, target: Path) -> None:
    """A second tree of the same files: hard links, so that a state costs no space; nothing writes to them."""
    shutil.copytree(source, target, copy_function=_link_file)


def _link_file(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def rewritten(kustomization: Kustomization, items: Sequence[Item], off: Collection[str]) -> Any:
    """The kustomization with the items named in ``off`` left out and no content hashes in names.

    None when it can stay as it is: it has no items and generates nothing.
    """
    generates = kustomization.data.get("configMapGenerator") or kustomization.data.get("secretGenerator")
    if not items and not generates:
        return None
    data = copy.deepcopy(dict(kustomization.data))
    options = data.get("generatorOptions")
    # An otherwise emptied kustomization would be refused; this line keeps it alive.
    data["generatorOptions"] = {
        **(options if isinstance(options, dict) else {}),
        "disableNameSuffixHash": True,
    }
    for name in {item.field: None for item in items}:
        mine = [item for item in items if item.field == name]
        if name in ("generators", "transformers"):
            # In the order in which kustomize takes them, each by itself: those written in place come first.
            data[name] = [item.text for item in mine if item.name not in off]
            if not data[name]:
                del data[name]
        elif name == "helmCharts":
            _drop_values(data, [item for item in mine if item.name in off])
        elif mine[0].index is None:
            if mine[0].name in off:
                del data[name]
            elif mine[0].foreign:
                data[name] = mine[0].spec
        else:
            data[name] = _entries(data[name], mine, off)
            if not data[name]:
                del data[name]
    for name in ("configMapGenerator", "secretGenerator"):
        for entry in data.get(name) or ():
            if isinstance(entry, dict) and isinstance(entry.get("options"), dict):
                entry["options"]["disableNameSuffixHash"] = True
    return data


def _entries(entries: Sequence[Any], items: Sequence[Item], off: Collection[str]) -> list[Any]:
    kept: list[Any] = []
    for index, entry in enumerate(entries):
        mine = [item for item in items if item.index == index]
        if len(mine) > 1 or (mine and (mine[0].doc is not None or mine[0].foreign)):
            kept.extend(_written(entry, item) for item in mine if item.name not in off)
        elif not mine or mine[0].name not in off:
            kept.append(entry)
    return kept


def _written(entry: Any, item: Item) -> Any:
    """An item as an entry of its own: one document of several, or what does not stand in the tree."""
    if not item.foreign:
        return _one_document(entry, item)
    if item.kind in (Kind.MERGE, Kind.JSON):
        return _one_document("" if item.field == "patchesStrategicMerge" else item.spec, item)
    return item.spec


def _one_document(entry: Any, item: Item) -> Any:
    text = item.text
    if text.startswith("---"):
        text = text.partition("\n")[2]
    if not isinstance(entry, Mapping):
        return text
    return {**{key: value for key, value in entry.items() if key != "path"}, "patch": text}


def _drop_values(data: dict[str, Any], items: Sequence[Item]) -> None:
    for item in items:
        if item.kind is Kind.HELM_VALUE and item.index is not None and item.layer == INLINE:
            without_value(data["helmCharts"][item.index].get(INLINE), item.spec)


def without_value(values: Any, path: Sequence[str]) -> None:
    """Take the value at ``path`` out of ``values``, where it is there."""
    for step in path[:-1]:
        values = values.get(step) if isinstance(values, dict) else None
    if isinstance(values, dict):
        values.pop(path[-1], None)
