"""Values of a chart from several places, one upon the other, each with the place where it is written."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.yaml import manifests, syntax
from upstreamsync.model import Place
from upstreamsync.references.units.unit import At

_STEP = re.compile(r"([^.\[\]\\]|\\.)+|\[\d+\]")
#: Where a unit's values stand in its kustomization.
PREFIX: At = ("helmCharts", 0, "valuesInline")


@dataclass(slots=True)
class Values:
    """Layers of values, merged as helm merges them: maps key by key, all else replaced."""

    merged: dict[str, Any] = field(default_factory=dict)
    places: dict[At, Place] = field(default_factory=dict)

    def add(self, value: Any, node: syntax.Node | None, file: str, shift: int = 0) -> None:
        """Lay a map upon what is there; ``node`` is the same in YAML, ``shift`` the lines above its text."""
        if not isinstance(value, Mapping):
            return
        _merge(self.merged, value)
        for path, line in _lines(node):
            self.places[(*PREFIX, *path)] = Place(file=file, line=line + shift)

    def add_text(self, text: str, file: str, shift: int = 0) -> None:
        """Lay a YAML text upon what is there; one that can't be read adds nothing."""
        try:
            value = manifests.load(text, name=file)
            node = syntax.compose(text)
        except (UpstreamsyncError, syntax.YAMLError):
            return
        self.add(value, node, file, shift)

    def set(self, name: str, value: Any, place: Place) -> None:
        """Set one value by helm's path (``a.b[0].c``)."""
        steps: list[str | int] = [
            int(match.group()[1:-1])
            if match.group().startswith("[")
            else re.sub(r"\\(.)", r"\1", match.group())
            for match in _STEP.finditer(name)
        ]
        if steps and isinstance(steps[0], str):
            _set(self.merged, steps, value)
            known = tuple(
                steps[: next((n for n, one in enumerate(steps) if isinstance(one, int)), len(steps))]
            )
            self.places[(*PREFIX, *known)] = place


def typed(text: str) -> Any:
    """What ``--set`` makes of a text: a number, a truth value, null, or the text."""
    if text in ("true", "false"):
        return text == "true"
    if text == "null":
        return None
    return int(text) if re.fullmatch(r"-?(0|[1-9]\d{0,17})", text) else text


def _merge(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    for key, value in above.items():
        mine = below.get(str(key))
        if isinstance(mine, dict) and isinstance(value, Mapping):
            _merge(mine, value)
        else:
            below[str(key)] = copy.deepcopy(value)


def _set(values: Any, steps: list[str | int], value: Any) -> None:
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        values.extend([None] * (step + 1 - len(values)))
    if not rest:
        values[step] = value
        return
    wanted: type = list if isinstance(rest[0], int) else dict
    inner = values[step] if isinstance(step, int) else values.get(step)
    if not isinstance(inner, wanted):
        inner = wanted()
        values[step] = inner
    _set(inner, rest, value)


def _lines(node: syntax.Node | None, path: At = ()) -> Iterator[tuple[At, int]]:
    if isinstance(node, syntax.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            yield here, key.start_mark.line + 1
            yield from _lines(value, here)
