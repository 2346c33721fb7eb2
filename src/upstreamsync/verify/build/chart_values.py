"""A chart as one side of a comparison inflates it, with some of its values taken away.

Only helm runs here: what a value changes shows in what the chart renders to, whatever is done to that later.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.kubernetes.objects import leaves
from upstreamsync.kit.run.threads import submit
from upstreamsync.kit.yaml import manifests
from upstreamsync.verify.build.builds import Builder, Failed, Outcome, State
from upstreamsync.verify.build.chain import Effect, Touch, pairs
from upstreamsync.verify.build.digests import without_digests
from upstreamsync.verify.build.inflate import inflations, values_of
from upstreamsync.verify.build.unbuildable import Unbuildable
from upstreamsync.verify.build.workspace import Workspace, without_value
from upstreamsync.verify.overlays.item import INLINE, Item, Kind
from upstreamsync.verify.overlays.tree import Kustomization, Tree


@dataclass(slots=True)
class ChartUse:
    """One entry of ``helmCharts``; renders are kept, as many questions want the same ones."""

    space: Workspace
    kustomization: Kustomization
    index: int
    builder: Builder
    _known: dict[frozenset[str], Outcome] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @property
    def renders(self) -> int:
        """How many times helm was asked."""
        return len(self._known)

    def render(self, off: Collection[Item]) -> Outcome:
        """What the chart renders to without the values in ``off``."""
        names = frozenset(item.name for item in off)
        with self._guard:
            known = self._known.get(names)
        if known is None:
            left = [item for item in self.space.items if item.name in names]
            known = self._rendered(left)
            with self._guard:
                self._known[names] = known
        return known

    def begin(self, off: Collection[Item]) -> None:
        """Render without the values in ``off`` for those who ask later; what fails is said to them."""
        try:
            self._output(off)
        except (Unbuildable, UpstreamsyncError):
            return

    def _rendered(self, off: Collection[Item]) -> Outcome:
        try:
            outcome = self.builder.parse(self._output(off))
        except Unbuildable as error:
            return Failed(error.error, error.reason, error.hint)
        except UpstreamsyncError as error:
            return Failed(error.message)
        return replace(outcome, objects={key: without_digests(obj) for key, obj in outcome.objects.items()})

    def _output(self, off: Collection[Item]) -> bytes:
        """What helm prints. Raises Unbuildable, and what reading the tree raises."""
        chart = copy.deepcopy(self.kustomization.entries("helmCharts")[self.index])
        files: dict[str, Any] = {}
        for item in off:
            if item.layer == INLINE:
                without_value(chart.get("valuesInline"), item.spec)
            else:
                without_value(files.setdefault(item.file, _loaded(self.space.tree, item.file)), item.spec)
        data = {"helmCharts": [chart], "helmGlobals": self.kustomization.data.get("helmGlobals")}
        tree = self.space.tree.plus({file: json.dumps(value).encode() for file, value in files.items()})
        (asked,) = inflations(data, self.kustomization, tree)
        content = self.space.charts.content(self.space.tree, self.kustomization, asked)
        values = values_of(content, self.kustomization, tree, asked)
        return self.space.charts.rendered(content, values, asked)

    def effect(self, group: Collection[Item]) -> Effect:
        """What the values in ``group`` change together; ``error`` where the chart renders with none at all."""
        everything = self.render(())
        if isinstance(everything, Failed):
            return Effect({}, error=everything.error)
        without = self.render(group)
        if isinstance(without, Failed):  # values that the chart can't do without do their work
            return Effect(
                everything.objects, {key: Touch(None, obj) for key, obj in everything.objects.items()}
            )
        return Effect(without.objects, _touched(without, everything))

    def can_do_without(self, group: Collection[Item]) -> bool:
        """Whether the chart renders without these values."""
        return isinstance(self.render(group), State)

    def known_values(self) -> dict[tuple[str, ...], Any]:
        """The values that the chart declares, by their paths."""
        data = {
            "helmCharts": [self.kustomization.entries("helmCharts")[self.index]],
            "helmGlobals": self.kustomization.data.get("helmGlobals"),
        }
        try:
            (asked,) = inflations(data, self.kustomization, self.space.tree)
            content = self.space.charts.content(self.space.tree, self.kustomization, asked)
            values = manifests.load(content.read("values.yaml") or b"{}", name="values.yaml")
        except (Unbuildable, UpstreamsyncError):
            return {}
        return {path: value for path, value in leaves(values) if path} if isinstance(values, Mapping) else {}


def begin_renders(
    items: Sequence[tuple[Sequence[Item], Workspace]], builder: Builder, pool: Executor
) -> None:
    """Let helm render the charts of both sides, with all of their values and with none, ahead of who asks.

    Each render is kept where charts are rendered, so nothing is rendered twice; what fails is said there.
    """
    named = [{item.name: item.identity for item in mine if item.kind is Kind.HELM_VALUE} for mine, _ in items]
    for mine, space in items:
        uses: dict[tuple[str, int], list[Item]] = {}
        for item in mine:
            if item.kind is Kind.HELM_VALUE and item.index is not None:
                uses.setdefault((item.folder, item.index), []).append(item)
        for (folder, index), values in uses.items():
            kustomization = space.tree.kustomization(folder)
            if kustomization is None or index >= len(kustomization.entries("helmCharts")):
                continue
            use = ChartUse(space, kustomization, index, builder)
            submit(pool, use.begin, ())
            # Values of which one is new, or another, are not compared as one.
            if all(side.get(item.name) == item.identity for side in named for item in values):
                submit(pool, use.begin, values)


def without_values(tree: Tree, items: Collection[Item]) -> Tree:
    """The tree without these values, wherever they stand."""
    files: dict[str, Any] = {}
    originals: dict[str, str] = {}
    for item in items:
        kustomization = tree.kustomization(item.folder)
        if kustomization is None:
            continue
        if item.layer != INLINE:
            files.setdefault(item.file, _loaded(tree, item.file))
            without_value(files[item.file], item.spec)
        else:
            data = files.setdefault(kustomization.file, copy.deepcopy(dict(kustomization.data)))
            originals[kustomization.file] = kustomization.text
            without_value(data["helmCharts"][item.index].get(INLINE), item.spec)
    return tree.plus({file: json.dumps(value).encode() for file, value in files.items()}, originals)


def _loaded(tree: Tree, file: str) -> Any:
    try:
        return manifests.load(tree.read(file), name=file)
    except UpstreamsyncError:
        return {}


def _touched(without: State, everything: State) -> dict[Any, Touch]:
    touched = {}
    for before, after in pairs(without, everything, ()):
        left = without.objects[before] if before else None
        right = everything.objects[after] if after else None
        key = before or after
        if key is not None and left != right:
            touched[key] = Touch(left, right)
    return touched
