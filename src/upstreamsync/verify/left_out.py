"""What took no part in judging an overlay, and the items of which that leaves something open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from upstreamsync.model import LeftOut, Verdict
from upstreamsync.verify.build.chain import Effect
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.overlays.graph import Tree, reached
from upstreamsync.verify.overlays.items import Item, Kind

#: Items that look for what they change, wherever it is.
_SEEKING: Final = frozenset((Kind.IMAGES, Kind.REPLICAS, Kind.REPLACEMENTS, Kind.VARS))
#: Items that are what they say by themselves.
_OWN: Final = frozenset(
    (Kind.RESOURCE, Kind.NAMESPACE, Kind.PREFIX, Kind.SUFFIX, Kind.LABELS, Kind.ANNOTATIONS)
)


def of_overlay(before: Tree, after: Tree, overlay: str) -> tuple[LeftOut, ...]:
    """What was left out of the overlay on either side."""
    found: dict[LeftOut, None] = {}
    for tree in (after, before):
        if tree.left_out:
            for kustomization in reached(tree, overlay):
                found.update(dict.fromkeys(tree.left_out.get(kustomization.folder, ())))
    return tuple(found)


def judge(
    item: Item, was: Effect | None, now: Effect | None, left_out: Sequence[LeftOut]
) -> tuple[bool, Note] | None:
    """What is to be said of an item because something is missing: alone, or besides; None where nothing is.

    What did nothing on either side may aim at what is missing: nothing else can be said of it. Where what
    is missing moved with the change, an item that looks for its objects everywhere is in doubt as well.
    """
    if not left_out or item.kind in _OWN:
        return None
    silent = not (_acts(was) or _acts(now))
    moved = [one for one in left_out if not one.known]
    if silent:
        return True, _note((moved or list(left_out))[0])
    if moved and _seeks(item):
        return False, _note(moved[0])
    return None


def _acts(effect: Effect | None) -> bool:
    return effect is not None and effect.error is None and bool(effect.touched)


def _seeks(item: Item) -> bool:
    return item.kind in _SEEKING or (bool(item.target) and not item.target.get("name"))


def _note(missing: LeftOut) -> Note:
    return Note(verdict=Verdict.UNJUDGED, reason=missing.reason, because=missing.why, hint=missing.hint)


def moved(left_out: Sequence[LeftOut]) -> Iterator[LeftOut]:
    """What is missing and differs between the sides."""
    yield from (one for one in left_out if not one.known)
