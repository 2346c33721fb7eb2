"""A unit: its kustomization, and where in the user's files each part of that stands."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from upstreamsync.model import Build, Judgement, LeftOut, OverlayVerification, Place, Verification

if TYPE_CHECKING:
    from upstreamsync.effects import Effects, ItemEffect

#: A path in a unit's kustomization.
At = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """``kind`` and ``name`` of the user's object, its ``place``, and the kustomization that stands for it.

    ``places`` say for paths in the kustomization where the user wrote that; the nearest path above counts.
    """

    kind: str
    name: str
    place: Place
    data: Mapping[str, Any]
    places: Mapping[At, Place] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The folder in which its kustomization is laid: one that no file system has."""
        return f"{self.place.file}~{self.kind}~{self.name}"

    @property
    def label(self) -> str:
        """What people call it."""
        return f"{self.place.file}: {self.kind}[{self.name}]"

    @property
    def files(self) -> dict[str, bytes]:
        """Path → content of what is laid."""
        text = json.dumps(self.data, ensure_ascii=False)
        return {f"{self.folder}/kustomization.yaml": text.encode("utf-8", "surrogateescape")}

    def at(self, path: At) -> Place:
        """Where the user wrote what stands at ``path``."""
        while path:
            if path in self.places:
                return self.places[path]
            path = path[:-1]
        return self.place


def told(verification: Verification, units: Sequence[Unit]) -> Verification:
    """The verification in the terms of the user's files."""
    by_folder = {unit.folder: unit for unit in units}
    if not by_folder:
        return verification
    return replace(
        verification, overlays=tuple(_overlay(overlay, by_folder) for overlay in verification.overlays)
    )


def told_effects(effects: Effects, units: Sequence[Unit]) -> Effects:
    """The effects in the terms of the user's files."""
    by_folder = {unit.folder: unit for unit in units}
    return replace(
        effects,
        overlays=tuple(
            replace(
                overlay,
                path=unit.label if (unit := by_folder.get(overlay.path)) is not None else overlay.path,
                items=tuple(_item_effect(item, by_folder) for item in overlay.items),
                left_out=tuple(_left_out(one, unit) for one in overlay.left_out),
            )
            for overlay in effects.overlays
        ),
    )


def _item_effect(item: ItemEffect, units: Mapping[str, Unit]) -> ItemEffect:
    unit = units.get(item.kustomization)
    if unit is None:
        return item
    place = unit.at(_path(item, unit.data))
    return replace(
        item,
        item=f"{unit.label}{_rest(item)}",
        kustomization=unit.place.file,
        file=place.file,
        line=place.line,
    )


def _overlay(overlay: OverlayVerification, units: Mapping[str, Unit]) -> OverlayVerification:
    unit = units.get(overlay.path)
    return replace(
        overlay,
        path=unit.label if unit is not None else overlay.path,
        before=_build(overlay.before, unit),
        after=_build(overlay.after, unit),
        items=tuple(_item(item, units) for item in overlay.items),
        left_out=tuple(_left_out(one, unit) for one in overlay.left_out),
    )


def _build(build: Build, unit: Unit | None) -> Build:
    if unit is None or build.error is None:
        return build
    return replace(build, error=build.error.replace(unit.folder, unit.label))


def _left_out(one: LeftOut, unit: Unit | None) -> LeftOut:
    return replace(one, what=one.what.replace(unit.folder, unit.label)) if unit is not None else one


def _item(item: Judgement, units: Mapping[str, Unit]) -> Judgement:
    unit = units.get(item.kustomization)
    overlays = tuple(units[path].label if path in units else path for path in item.overlays)
    if unit is None:
        return replace(item, overlays=overlays)
    place = unit.at(_path(item, unit.data))
    return replace(
        item,
        item=f"{unit.label}{_rest(item)}",
        kustomization=unit.place.file,
        file=place.file,
        line=place.line,
        why=item.why.replace(unit.folder, unit.label),
        overlays=overlays,
        fix=None,
    )


def _rest(item: Judgement | ItemEffect) -> str:
    """What of a unit is judged, as its name goes on."""
    if item.field == "(result)":
        return " (result)"
    if item.field == "helmCharts":
        return ".values" + item.key.partition(".valuesInline")[2]
    key = f"[{item.key}]" if item.key else ""
    return f".{item.field}{key}"


def _path(item: Judgement | ItemEffect, data: Mapping[str, Any]) -> At:
    if item.field == "helmCharts":
        _, _, dotted = item.key.partition(".valuesInline.")
        values = data["helmCharts"][0].get("valuesInline")
        return ("helmCharts", 0, "valuesInline", *_steps(values, dotted))
    number = item.key.split(" ")[0]
    return (item.field, int(number)) if number.isdigit() else (item.field,)


def _steps(values: Any, dotted: str) -> tuple[str, ...]:
    """The path that ``dotted`` is written for; keys may have dots themselves."""
    if not isinstance(values, Mapping) or not dotted:
        return ()
    for key in sorted(values, key=lambda each: -len(str(each))):
        text = str(key)
        if dotted == text or dotted.startswith(f"{text}."):
            return (text, *_steps(values[key], dotted[len(text) + 1 :]))
    return ()
