"""Customizations that look well because one below them sets the same place, and is stale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from upstreamsync.kit.kubernetes.objects import MISSING, object_id
from upstreamsync.kit.kubernetes.values import same
from upstreamsync.model import Verdict
from upstreamsync.verify.build.builds import Key, Manifest, State
from upstreamsync.verify.build.chain import Effect, Side
from upstreamsync.verify.classify import matching
from upstreamsync.verify.classify.effects import ObjectWalk, states
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.classify.sides import at, sides
from upstreamsync.verify.overlays.items import Item, Kind

_KINDS = frozenset((Kind.MERGE, Kind.JSON, Kind.IMAGES, Kind.GENERATOR))
#: What a note adds to a path to say which part of an image it is about.
_PARTS = frozenset((":tag", ":digest", ":name"))


def find(
    items: Sequence[Item],
    partners: Mapping[str, Item],
    old: Side,
    new: Side,
    notes: Mapping[str, Sequence[Note]],
) -> Iterator[tuple[str, Note]]:
    """For each item above a stale one that sets the same place: what is stale of its own value there."""
    if not isinstance(old.base, State) or not isinstance(new.base, State):
        return
    stale: dict[tuple[str, tuple[str, ...]], str] = {}
    for item in items:
        was = old.effects.get(partners[item.name].name) if item.name in partners else None
        now = new.effects.get(item.name)
        mine = {(note.resource, _plain(note.path)) for note in notes[item.name] if _is_stale(note)}
        if item.kind in _KINDS and was is not None and now is not None and now.error is None:
            for (resource, path), lower in stale.items():
                if (resource, path) not in mine:
                    found = _judged(item, was, now, (old.base, new.base), resource, path)
                    yield from ((item.name, _above(note, lower)) for note in found)
        stale |= dict.fromkeys(mine, item.name)


def _is_stale(note: Note) -> bool:
    return note.verdict is Verdict.SHADOWS and bool(note.path)


def _plain(path: tuple[str, ...]) -> tuple[str, ...]:
    return path[:-1] if path[-1:] and path[-1] in _PARTS else path


def _judged(
    item: Item, was: Effect, now: Effect, bases: tuple[State, State], resource: str, path: tuple[str, ...]
) -> list[Note]:
    key = _key(now, resource)
    if key is None or key not in was.met or not (key in now.touched or _is_about(item, now.met[key])):
        return []
    theirs = [at(base.objects.get(key), path) for base in bases]
    _, b = (at(side, path) for side in sides(was, key))
    c, d = (at(side, path) for side in sides(now, key))
    if MISSING in (b, d) or (same(c, d) and not states(item, path)):
        return []
    walk = ObjectWalk(item)
    walk.visit_named((theirs[0], b, theirs[1], d), path)
    return [note.on(resource) for note in walk.notes if _is_stale(note)]


def _is_about(item: Item, obj: Manifest) -> bool:
    """Whether an item that changes nothing of an object aims at it all the same."""
    if item.kind is not Kind.MERGE or item.target:
        return matching.aims_at(item, obj)
    mine, theirs = (object_id(each) for each in (item.body, obj))
    return (mine.kind, mine.name) == (theirs.kind, theirs.name)


def _key(effect: Effect, resource: str) -> Key | None:
    return next((key for key, obj in effect.met.items() if str(object_id(obj)) == resource), None)


def _above(note: Note, lower: str) -> Note:
    because = "; ".join(part for part in (note.because, f"`{lower}`, below it, sets it as well") if part)
    return replace(note, because=because)
