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
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from upstreamsync.verify.graph import Kustomization, Tree, inputs, reached
from upstreamsync.verify.items import Item, Kind

#: Rewrites a resource file before it is copied (CRD schemas cut out); None leaves it as it is.
Trim = Callable[[str, bytes], bytes | None]


@dataclass(slots=True)
class Workspace:
    """Copies of one overlay of one tree below ``scratch``; each state of it in a folder of its own."""

    tree: Tree
    overlay: str
    items: Sequence[Item]
    scratch: Path
    trim: Trim | None = None
    _kustomizations: tuple[Kustomization, ...] = ()
    _count: int = 0
    _guard: threading.RLock = field(default_factory=threading.RLock)
    _pristine: dict[bool, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._kustomizations = reached(self.tree, self.overlay)

    @property
    def needs_helm(self) -> bool:
        """Whether kustomize has to call helm."""
        return any(
            k.data.get("helmCharts") or k.data.get("helmChartInflationGenerator")
            for k in self._kustomizations
        )

    @property
    def splits(self) -> bool:
        """Whether a copy hands kustomize its patches in other pieces than the user's files do."""
        return any(item.doc is not None for item in self.items)

    def state(self, off: Collection[Item], *, folder: str | None = None, full: bool = False) -> Path:
        """Write a copy with ``off`` switched off; the folder to build (the overlay's, or ``folder``).

        ``full`` copies have nothing trimmed away.
        """
        target = self._next()
        source = self._copy(trimmed=self.trim is not None and not full)
        _link(source, target)
        names = {item.name for item in off}
        for kustomization in self._kustomizations:
            mine = [item for item in self.items if item.folder == kustomization.folder]
            data = rewritten(kustomization, mine, names)
            if data is not None:
                path = target / kustomization.file
                path.unlink()
                path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        return target / (folder or self.overlay)

    def original(self) -> Path:
        """A copy in which nothing is switched off or rewritten."""
        target = self._next()
        _link(self._copy(trimmed=False), target)
        return target / self.overlay

    def _next(self) -> Path:
        with self._guard:
            self._count += 1
            return self.scratch / f"state-{self._count}"

    def _copy(self, *, trimmed: bool) -> Path:
        with self._guard:
            if trimmed not in self._pristine:
                self._pristine[trimmed] = self.scratch / ("trimmed" if trimmed else "pristine")
                self._write(self._pristine[trimmed], trimmed=trimmed)
            return self._pristine[trimmed]

    def _write(self, target: Path, *, trimmed: bool) -> None:
        for name in inputs(self.tree, self.overlay):
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            data = self.tree.read(name)
            if trimmed and self.trim is not None:
                data = self.trim(name, data) or data
            path.write_bytes(data)
        (target / self.overlay).mkdir(parents=True, exist_ok=True)


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
        if name == "helmCharts":
            _drop_values(data, [item for item in mine if item.name in off])
        elif mine[0].index is None:
            if mine[0].name in off:
                del data[name]
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
        if len(mine) > 1 or (mine and mine[0].doc is not None):
            kept.extend(_one_document(entry, item) for item in mine if item.name not in off)
        elif not mine or mine[0].name not in off:
            kept.append(entry)
    return kept


def _one_document(entry: Any, item: Item) -> Any:
    text = item.text
    if text.startswith("---"):
        text = text.partition("\n")[2]
    if not isinstance(entry, Mapping):
        return text
    return {**{key: value for key, value in entry.items() if key != "path"}, "patch": text}


def _drop_values(data: dict[str, Any], items: Sequence[Item]) -> None:
    for item in items:
        if item.kind is not Kind.HELM_VALUE or item.index is None:
            continue
        values = data["helmCharts"][item.index].get("valuesInline")
        for step in item.spec[:-1]:
            values = values.get(step) if isinstance(values, dict) else None
        if isinstance(values, dict):
            values.pop(item.spec[-1], None)
