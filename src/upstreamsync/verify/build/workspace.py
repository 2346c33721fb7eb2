"""Throw-away copies of what an overlay reads, with some of its customizations switched off.

The user's tree is only ever read. A copy holds exactly the files that the overlay reaches, in their
places, so that kustomize's load restrictor means the same; kustomization files that have to differ are
written anew, as JSON, which is YAML too.
"""

from __future__ import annotations

import copy
import json
import shutil
import threading
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from upstreamsync.kit.foreign import all_strings
from upstreamsync.kit.trees import link_or_copy
from upstreamsync.verify.build.inflate import COMPONENT, Charts, inflated, inflates, local_charts
from upstreamsync.verify.build.obstacles import Place
from upstreamsync.verify.build.restrictor import reads_above
from upstreamsync.verify.build.trim import Cut
from upstreamsync.verify.build.unbuildable import Unbuildable, refuse_fetching
from upstreamsync.verify.overlays.graph import inputs, reached
from upstreamsync.verify.overlays.item import INLINE
from upstreamsync.verify.overlays.items import Item, Kind
from upstreamsync.verify.overlays.tree import Kustomization, Tree


@dataclass(slots=True)
class Workspace:
    """Copies of one overlay of one tree below ``scratch``; each state of it in a folder of its own."""

    tree: Tree
    overlay: str
    items: Sequence[Item]
    scratch: Path
    cut: Cut = field(default_factory=Cut)
    charts: Charts = field(default_factory=local_charts)
    #: Entries in place of those that can't be had, none for those that are left out; and the files they name.
    instead: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)
    files: Collection[str] = ()
    #: Whether kustomize's own load restrictor is wanted.
    strict: bool = False
    #: Items that stay switched on: what they do is the same on both sides.
    settled: frozenset[str] = frozenset()
    unrestricted: bool = False
    kustomizations: tuple[Kustomization, ...] = ()
    _count: int = 0
    _guard: threading.RLock = field(default_factory=threading.RLock)
    _pristine: Path | None = None
    _refused: Unbuildable | None = None

    def __post_init__(self) -> None:
        self.kustomizations = reached(self.tree, self.overlay)
        self.unrestricted = not self.strict and reads_above(self.tree, self.kustomizations)

    def on(self, tree: Tree, items: Sequence[Item], scratch: Path) -> Workspace:
        """The same of another tree: what is left out, and what stands in for what can't be had, is as here."""
        return Workspace(
            tree, self.overlay, items, scratch, self.cut, charts=self.charts,
            instead=self.instead, files=self.files, strict=self.strict, settled=self.settled,
        )  # fmt: skip

    def has(self, item: Item) -> bool:
        """Whether the item's entry takes part."""
        return item.index is None or (item.folder, item.field, item.index) not in self.instead

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
        return rewritten(kustomization, mine, off, self._instead(kustomization))

    def _instead(self, kustomization: Kustomization) -> dict[tuple[str, int], tuple[str, ...]]:
        """The entries in place of others, by field and number."""
        return {
            (name, index): entries
            for (folder, name, index), entries in self.instead.items()
            if folder == kustomization.folder
        }

    def included_state(self, off: Collection[Item]) -> Hashable | None:
        """What tells apart the states of a folder that the overlay, with ``off``, does no more than include."""
        if self.instead:
            return None
        names, folder = {item.name for item in off}, self.overlay
        while (inner := self._included(folder, names)) is not None:
            folder = inner
        if folder == self.overlay:
            return None
        below = {kustomization.folder for kustomization in reached(self.tree, folder)}
        mine = frozenset(item.name for item in off if item.folder in below)
        cut = frozenset((path, data) for path, data in self.cut.files.items())
        return (str(self.tree.root), id(self.tree), folder, mine, cut, self.unrestricted)

    def _included(self, folder: str, off: Collection[str]) -> str | None:
        """The one folder that a kustomization with ``off`` includes, if that is all it does."""
        kustomization = self.tree.kustomization(folder)
        if kustomization is None:
            return None
        data = self.rewritten(kustomization, off) or kustomization.data
        said = {name for name, value in data.items() if value} - {"apiVersion", "kind", "generatorOptions"}
        entries = [*kustomization.entries("resources"), *kustomization.entries("bases")]
        if not said <= {"resources", "bases"} or len(entries) != 1 or not isinstance(entries[0], str):
            return None
        path = kustomization.resolve(entries[0])
        return path if self.tree.is_folder(path) else None

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
                    refuse_fetching(self.tree, self.overlay, but=set(self._left_out()))
                    self._write(self.scratch / "pristine")
                except Unbuildable as refused:
                    self._refused = refused
                    raise
                self._pristine = self.scratch / "pristine"
            return self._pristine

    def _write(self, target: Path) -> None:
        for name in sorted({*inputs(self.tree, self.overlay), *self.files}):
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.content(name))
        (target / self.overlay).mkdir(parents=True, exist_ok=True)
        for kustomization in self.kustomizations:
            instead = self._instead(kustomization)
            if instead or inflates(kustomization, self.tree):
                self._replace(target, kustomization, _substituted(kustomization.data, instead))

    def _left_out(self) -> Iterator[tuple[str, str]]:
        """The texts, with the folder of their kustomization, that name what does not take part."""
        for folder, name, index in self.instead:
            kustomization = self.tree.kustomization(folder)
            entries = kustomization.entries(name) if kustomization is not None else []
            for text in all_strings(entries[index]) if index < len(entries) else ():
                yield folder, text


def _link(source: Path, target: Path) -> None:
    """A second tree of the same files: hard links, so that a state costs no space; nothing writes to them."""
    shutil.copytree(source, target, copy_function=link_or_copy)


def _substituted(data: Mapping[str, Any], instead: Mapping[tuple[str, int], Sequence[str]]) -> dict[str, Any]:
    """A kustomization with entries in place of others, and nothing else changed."""
    found = dict(data)
    for name in {name for name, _ in instead}:
        found[name] = _entries(data[name], (), (), _of_field(instead, name))
        if not found[name]:
            del found[name]
    if not any(found.get(name) for name in found if name not in ("apiVersion", "kind", "metadata")):
        found["generatorOptions"] = {"disableNameSuffixHash": True}  # an empty one would be refused
    return found


def _of_field(instead: Mapping[tuple[str, int], Sequence[str]], name: str) -> dict[int, Sequence[str]]:
    return {index: entries for (field, index), entries in instead.items() if field == name}


def rewritten(
    kustomization: Kustomization,
    items: Sequence[Item],
    off: Collection[str],
    instead: Mapping[tuple[str, int], Sequence[str]] | None = None,
) -> Any:
    """The kustomization with the items named in ``off`` left out and no content hashes in names.

    ``instead`` are entries in place of others, by field and number. None when it can stay as it is: it has
    no items, names nothing that can't be had and generates nothing.
    """
    instead = instead or {}
    generates = kustomization.data.get("configMapGenerator") or kustomization.data.get("secretGenerator")
    if not items and not generates and not instead:
        return None
    data = copy.deepcopy(dict(kustomization.data))
    options = data.get("generatorOptions")
    # An otherwise emptied kustomization would be refused; this line keeps it alive.
    data["generatorOptions"] = {
        **(options if isinstance(options, dict) else {}),
        "disableNameSuffixHash": True,
    }
    items = [item for item in items if (item.field, item.index) not in instead]
    for name in dict.fromkeys((*(item.field for item in items), *(name for name, _ in instead))):
        mine = [item for item in items if item.field == name]
        others = _of_field(instead, name)
        if name in ("generators", "transformers"):
            # In the order in which kustomize takes them, each by itself: those written in place come first.
            data[name] = [
                *(item.text for item in mine if item.name not in off),
                *_without_items(data[name], mine, others),
            ]
        elif name == "helmCharts":
            _drop_values(data, [item for item in mine if item.name in off])
            data[name] = _entries(data[name], (), off, others)
        elif mine and mine[0].index is None:
            if mine[0].name in off:
                del data[name]
            elif mine[0].foreign:
                data[name] = mine[0].spec
        else:
            data[name] = _entries(data[name], mine, off, others)
        if not data.get(name):
            data.pop(name, None)
    for name in ("configMapGenerator", "secretGenerator"):
        for entry in data.get(name) or ():
            if isinstance(entry, dict) and isinstance(entry.get("options"), dict):
                entry["options"]["disableNameSuffixHash"] = True
    return data


def _without_items(
    entries: Sequence[Any], items: Sequence[Item], instead: Mapping[int, Sequence[str]]
) -> list[Any]:
    """Entries of which no part is an item: charts that are inflated, what can't be read."""
    mine = {item.index for item in items}
    return [entry for index, entry in enumerate(entries) if index not in mine and index not in instead]


def _entries(
    entries: Sequence[Any],
    items: Sequence[Item],
    off: Collection[str],
    instead: Mapping[int, Sequence[str]],
) -> list[Any]:
    kept: list[Any] = []
    for index, entry in enumerate(entries):
        if index in instead:
            kept += instead[index]
            continue
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
