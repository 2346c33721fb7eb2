"""Customizations that covered every object of a kind and now miss a new one.

One patch may cover them all (a target with a list of names), or one patch each, in the same file. For
``images`` it is repositories that are covered: when every image comes from the mirror, a new one should.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from upstreamsync.kit.kubernetes.objects import MISSING, ObjectId, diff, object_id
from upstreamsync.kit.kubernetes.values import image, same
from upstreamsync.model import FieldChange, Verdict
from upstreamsync.verify.build.builds import Key, Manifest, State
from upstreamsync.verify.build.chain import Effect, Side, Touch
from upstreamsync.verify.classify import named_anew, successors
from upstreamsync.verify.classify.elements import common_changes
from upstreamsync.verify.classify.images import container_images, places
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.overlays.items import Item, Kind

#: How many of a kind have to be covered for a miss to be worth a word.
_AT_LEAST: Final = 2
_NEARLY_ALL: Final = 0.8
#: What tells one element of a list from the others in a path.
_ELEMENT: Final = re.compile(r"=[^\]]*\]")


def find(
    items: Sequence[Item], old: Side, new: Side, notes: Mapping[str, Sequence[Note]]
) -> Iterator[tuple[str, Note]]:
    """For each item, or for the last one of several alike, what it misses: the item's name and the note."""
    patches = [item for item in items if item.kind in (Kind.MERGE, Kind.JSON) and _works(item, old, new)]
    for item in patches:
        was, now = old.effects[item.name], new.effects[item.name]
        yield from ((item.name, note) for note in _missed(was.touched, old, now, set(now.touched)))
    for group in _alike(patches, old):
        touched = {key: touch for item in group for key, touch in old.effects[item.name].touched.items()}
        hit = {key for item in items if item.name in new.effects for key in new.effects[item.name].touched}
        last = group[-1]
        yield from ((last.name, note) for note in _missed(touched, old, new.effects[last.name], hit))
    yield from _images(items, old, new, notes)
    yield from named_anew.find(items, old, new, notes)


def _works(item: Item, old: Side, new: Side) -> bool:
    was, now = old.effects.get(item.name), new.effects.get(item.name)
    return bool(was and now and was.touched and was.error is None and now.error is None)


def _alike(items: Sequence[Item], old: Side) -> Iterator[list[Item]]:
    """Items of one field that do something to one object each, all of a kind."""
    groups: dict[Any, list[Item]] = {}
    for item in items:
        touched = old.effects[item.name].touched
        if len(touched) == 1:
            ((key, touch),) = touched.items()
            place = (item.folder, item.field, key[0].group, key[0].kind, touch.after is None)
            groups.setdefault(place, []).append(item)
    yield from (group for group in groups.values() if len(group) >= _AT_LEAST)


def _missed(touched: Mapping[Key, Touch], before: Side, now: Effect, hit: set[Key]) -> Iterator[Note]:
    """New objects of the kind whose objects were all covered."""
    kinds = {(key[0].group, key[0].kind) for key in touched}
    if len(kinds) != 1 or len(touched) < _AT_LEAST:
        return
    kind = kinds.pop()
    met = before.base.objects if isinstance(before.base, State) else {}
    old = {key for key in (*touched, *met) if (key[0].group, key[0].kind) == kind}
    whole = before.final.objects if isinstance(before.final, State) else {}
    there = sum((key[0].group, key[0].kind) == kind for key in whole)
    deed = _deed(list(touched.values()))
    if deed is None or len(touched) < _NEARLY_ALL * max(len(old), there):
        return
    gone = [key for key in touched if key not in now.met]
    missed = [
        (key, obj)
        for key, obj in now.met.items()
        if (key[0].group, key[0].kind) == kind and key not in hit and key not in old
        if _lacks(obj, deed) and not any(_follows(lost, touched[lost], key, met, now) for lost in gone)
    ]
    names, full = (
        ", ".join(texts)
        for texts in ([key[0].name for key, _ in missed], [key[0].short for key, _ in missed])
    )
    for _, obj in missed:
        yield Note(
            verdict=Verdict.UNCOVERED, reason="new_resource", resource=str(object_id(obj)),
            path=(f".{deed[0].path}",) if deed else (), did=f"covered every {kind[1]}",
            does=f"misses {names}", because=f"upstream added {full}", hint=f"cover {names} too",
        )  # fmt: skip


def _follows(lost: Key, touch: Touch, key: Key, met: Mapping[Key, Manifest], now: Effect) -> bool:
    found = successors.find(lost, touch.before or {}, met, now.met)
    return found is not None and found.key == key


def _deed(touches: Sequence[Touch]) -> list[FieldChange] | None:
    """What all of them get, path by path, whatever their elements are called; None for nothing in common.

    Objects that are taken away as a whole have that in common: an empty list.
    """
    if all(touch.after is None for touch in touches):
        return []
    each = [
        [replace(change, path=_ELEMENT.sub("]", change.path)) for change in diff(touch.before, touch.after)]
        for touch in touches
        if touch.before is not None and touch.after is not None
    ]
    return (common_changes(each) or None) if len(each) == len(touches) else None


def _lacks(obj: Manifest, deed: Sequence[FieldChange]) -> bool:
    """Whether an object lacks what the others got; it has to have the place for it."""
    if not deed:
        return True
    for change in deed:
        here = list(_values(obj, re.findall(r"\[[^\]]*\]|[^.\[\]]+", change.path)))
        if change.op == "removed":
            if any(value is not MISSING for value in here):
                return True
        elif here and not any(same(value, change.after) for value in here):
            return True
    return False


def _values(value: Any, parts: Sequence[str]) -> Iterator[Any]:
    """What stands at a path, in every element of the lists on the way; MISSING where the last step is not."""
    if not parts:
        yield value
    elif isinstance(value, list) and parts[0].startswith("["):
        for each in value:
            yield from _values(each, parts[1:])
    elif isinstance(value, Mapping):
        key = parts[0].strip("[]")
        if key in value or len(parts) == 1:
            yield from _values(value.get(key, MISSING), parts[1:])
        elif not parts[1].startswith("["):  # a map that a patch would make
            yield MISSING


# -- images ------------------------------------------------------------------------------------------


def _images(
    items: Sequence[Item], old: Side, new: Side, notes: Mapping[str, Sequence[Note]]
) -> Iterator[tuple[str, Note]]:
    """Repositories that no entry covers, when entries took every other one from one registry of their own."""
    entries = [item for item in items if item.kind is Kind.IMAGES and _works(item, old, new)]
    renaming = [item for item in entries if isinstance(item.spec, Mapping) and item.spec.get("newName")]
    hosts = {str(item.spec["newName"]).partition("/")[0] for item in renaming}
    if len(renaming) < _AT_LEAST or len(hosts) != 1 or len(renaming) != len(entries):
        return
    last = renaming[-1]
    if any(note.verdict is Verdict.LOST for item in renaming for note in notes.get(item.name, ())):
        return
    host = hosts.pop()
    before, after = _repositories(old.effects[last.name]), _repositories(new.effects[last.name])
    covered = {name for item in renaming for name in _covered(old.effects[item.name])}
    covered |= {str(item.spec.get("name")) for item in renaming}
    if any(name not in covered and not name.startswith(host) for name in before):
        return
    for name, where in after.items():
        if name not in covered and name not in before and not name.startswith(host):
            yield last.name, Note(
                verdict=Verdict.UNCOVERED, reason="new_resource", resource=str(where),
                did=f"took every image from {host}", does=f"misses {name}",
                because=f"upstream added {name} in {where.short}", hint=f"add an entry for {name}",
            )  # fmt: skip


def _covered(effect: Effect) -> set[str]:
    return {found.name for before, _ in places(effect).values() if (found := image(before))}


def _repositories(effect: Effect) -> dict[str, ObjectId]:
    found: dict[str, ObjectId] = {}
    for obj in effect.met.values():
        for text in container_images(obj):
            if (name := image(text)) is not None:
                found.setdefault(name.name, object_id(obj))
    return found
