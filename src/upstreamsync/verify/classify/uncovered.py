"""Customizations that covered every object of a kind and now miss a new one.

One patch may cover them all (a target with a list of names), or one patch each, in the same file. For
``images`` it is repositories that are covered: when every image comes from the mirror, a new one should.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from upstreamsync.kit.kubernetes.objects import ObjectId, diff, object_id
from upstreamsync.kit.kubernetes.values import image, same
from upstreamsync.model import Verdict
from upstreamsync.verify.build.builds import Key, Manifest, State
from upstreamsync.verify.build.chain import Effect, Side, Touch
from upstreamsync.verify.classify import successors
from upstreamsync.verify.classify.images import at, container_images, places
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.overlays.items import Item, Kind

#: How many of a kind have to be covered for a miss to be worth a word.
_AT_LEAST: Final = 2
_NEARLY_ALL: Final = 0.8


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


def _works(item: Item, old: Side, new: Side) -> bool:
    was, now = old.effects.get(item.name), new.effects.get(item.name)
    return bool(was and now and was.touched and was.error is None and now.error is None)


def _alike(items: Sequence[Item], old: Side) -> Iterator[list[Item]]:
    """Items of one file that do the same to one object each, all of a kind."""
    groups: dict[Any, list[Item]] = {}
    for item in items:
        touched = old.effects[item.name].touched
        if len(touched) == 1:
            ((key, touch),) = touched.items()
            place = (item.folder, item.field, item.file, key[0].group, key[0].kind, _deed(touch))
            groups.setdefault(place, []).append(item)
    yield from (group for group in groups.values() if len(group) >= _AT_LEAST)


def _deed(touch: Touch) -> str:
    if touch.before is None or touch.after is None:
        return "removed" if touch.after is None else "added"
    changes = diff(touch.before, touch.after)
    return repr([(re.sub(r"=[^\]]*", "", change.path), change.op, str(change.after)) for change in changes])


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
    if len(touched) < _NEARLY_ALL * max(len(old), there):
        return
    sample = next(iter(touched.values()))
    gone = [key for key in touched if key not in now.met]
    for key, obj in now.met.items():
        if (key[0].group, key[0].kind) != kind or key in hit or key in old:
            continue
        if any(_follows(lost, touched[lost], key, met, now) for lost in gone) or _has(obj, sample):
            continue
        yield Note(
            verdict=Verdict.UNCOVERED, reason="new_resource", resource=str(object_id(obj)),
            path=_path(sample), did=f"covered every {key[0].kind}", does=f"misses {key[0].name}",
            because=f"upstream added {key[0].short}", hint=f"cover {key[0].name} too",
        )  # fmt: skip


def _follows(lost: Key, touch: Touch, key: Key, met: Mapping[Key, Manifest], now: Effect) -> bool:
    found = successors.find(lost, touch.before or {}, met, now.met)
    return found is not None and found.key == key


def _has(obj: Manifest, sample: Touch) -> bool:
    """Whether an object already says what the patch would make it say."""
    if sample.before is None or sample.after is None:
        return False
    changes = diff(sample.before, sample.after)
    return all(
        same(_at(obj, change.path), change.after) for change in changes if change.op != "removed"
    ) and bool(changes)


def _at(obj: Manifest, path: str) -> Any:
    parts = re.findall(r"\[[^\]]*\]|\.?[^.\[\]]+", path)
    return at(obj, tuple(part if part.startswith(("[", ".")) else f".{part}" for part in parts))


def _path(sample: Touch) -> tuple[str, ...]:
    if sample.before is None or sample.after is None:
        return ()
    changes = diff(sample.before, sample.after)
    return (f".{changes[0].path}",) if changes else ()


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
