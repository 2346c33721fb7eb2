"""Findings that follow from another customization's: one cause is one alarm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from upstreamsync.kit.kubernetes.objects import MISSING, object_id
from upstreamsync.kit.kubernetes.values import same
from upstreamsync.model import Severity, Verdict
from upstreamsync.verify.build.builds import Key, State
from upstreamsync.verify.build.chain import Effect, Side
from upstreamsync.verify.classify import matching
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.classify.sides import at, sides
from upstreamsync.verify.overlays.items import Item, Kind

#: What an item no longer does, others may build upon.
_CAUSES: Final = frozenset((Verdict.FAILS, Verdict.LOST, Verdict.NARROWED, Verdict.MISAPPLIED))
_FOLLOWING: Final = frozenset((Verdict.LOST, Verdict.NARROWED, Verdict.MISAPPLIED))

_ABSENT: Final = frozenset(("target_gone", "source_gone", "selector_mismatch"))


def told(
    items: Sequence[Item],
    partners: Mapping[str, Item],
    old: Side,
    new: Side,
    notes: Mapping[str, Sequence[Note]],
) -> dict[str, list[Note]]:
    """The notes, with those marked that are about what an item before them no longer provides."""
    effects = {
        item.name: (effect, new.effects.get(item.name))
        for item in items
        if item.name in partners and (effect := old.effects.get(partners[item.name].name)) is not None
    }
    causes: list[Item] = []
    found: dict[str, list[Note]] = {}
    unmade = [item for item in items if item.kind is Kind.GENERATOR and _fails(notes[item.name])]
    for item in items:
        mine = effects.get(item.name)
        found[item.name] = [
            _marked(note, mine[0], [(cause, *effects[cause.name]) for cause in causes])
            if mine is not None and note.verdict in _FOLLOWING
            else _of_source(note, item, unmade)
            for note in notes[item.name]
        ]
        if mine is not None and any(
            note.verdict in _CAUSES and not note.consequence for note in found[item.name]
        ):
            causes.append(item)
    return found


def _fails(notes: Sequence[Note]) -> bool:
    return any(note.verdict is Verdict.FAILS for note in notes)


def _of_source(note: Note, item: Item, unmade: Sequence[Item]) -> Note:
    """A value that can't be taken from an object which another customization was to generate."""
    if (
        note.verdict is not Verdict.FAILS
        or note.reason != "source_gone"
        or not isinstance(item.spec, Mapping)
    ):
        return note
    source = item.spec.get("source") or item.spec.get("objref")
    name = source.get("name") if isinstance(source, Mapping) else None
    maker = next((each for each in unmade if each.key == name), None)
    return _after(note, maker.name) if maker is not None else note


def of_refused(note: Note, items: Sequence[Item], old: Side, new: Side) -> Note:
    """A note on the result, about an object that a customization works on which kustomize refuses now."""
    refused = [item for item in items if (now := new.effects.get(item.name)) is not None and now.error]
    if not refused or not isinstance(new.final, State):
        return note
    for key, obj in new.final.objects.items():
        if str(object_id(obj)) != note.resource:
            continue
        for item in refused:
            was = old.effects.get(item.name)
            worked = was is not None and new.names.get(key, key) in was.touched
            if worked or matching.aims_at(item, obj):
                return _after(note, item.name)
    return note


def of_gone(note: Note, item: Item, gone: str, there: Mapping[Key, Mapping[str, object]]) -> Note:
    """A note on an item whose object went with the entry ``gone``, which can't be read any more."""
    if note.verdict not in (Verdict.FAILS, Verdict.LOST, Verdict.NARROWED) or note.reason not in _ABSENT:
        return note
    kept = any(_is_called(obj, note.resource) or matching.aims_at(item, obj) for obj in there.values())
    return note if kept else _after(note, gone)


def _after(note: Note, cause: str) -> Note:
    because = "; ".join(part for part in (note.because, f"follows from `{cause}`") if part)
    return replace(
        note, grave=Severity.INFO, consequence=True, because=because, rename=None, hint=f"mend {cause} first"
    )


def _marked(note: Note, was: Effect, causes: Sequence[tuple[Item, Effect, Effect | None]]) -> Note:
    key = next((key for key, obj in was.met.items() if _is_called(obj, note.resource)), None)
    if key is None or not note.path:
        return note
    path = note.path[:-1] if note.path[-1].startswith(":") else note.path
    met = at(was.met[key], path)
    for cause, before, now in causes:
        if met is not MISSING and _wrote(before, key, path, met) and not _writes(now, key, path):
            return _after(note, cause.name)
    return note


def _is_called(obj: Mapping[str, object], resource: str) -> bool:
    return str(object_id(obj).unversioned) == _unversioned(resource) or str(object_id(obj)) == resource


def _unversioned(resource: str) -> str:
    api, _, rest = resource.partition(" ")
    group = api.rpartition("/")[0]
    return f"{group}/ {rest}" if group else f" {rest}"


def _wrote(effect: Effect, key: Key, path: tuple[str, ...], value: object) -> bool:
    """Whether an item put a value where it stood."""
    if key not in effect.touched:
        return False
    before, after = (at(side, path) for side in sides(effect, key))
    return after is not MISSING and same(after, value) and not same(before, after)


def _writes(effect: Effect | None, key: Key, path: tuple[str, ...]) -> bool:
    """Whether it still does."""
    if effect is None or effect.error is not None or key not in effect.touched:
        return False
    before, after = (at(side, path) for side in sides(effect, key))
    return after is not MISSING and not same(before, after)
