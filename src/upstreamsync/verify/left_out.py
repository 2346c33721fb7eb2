"""What took no part in judging an overlay, and the items of which that leaves something open."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from upstreamsync.model import LeftOut, Verdict
from upstreamsync.verify.build.availability import Availability, Missing
from upstreamsync.verify.build.chain import Effect
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.overlays.graph import reached
from upstreamsync.verify.overlays.item import WHOLE_OVERLAY, Item, Kind
from upstreamsync.verify.overlays.tree import Tree

#: Reasons that say that something is not there: what is missing may have it.
_ABSENCE: Final = frozenset(
    ("target_gone", "kind_changed", "apiversion_changed", "namespace_changed", "source_gone",
     "selector_mismatch", "tool_error", "already_done", "reference_renamed", "unknown_reference")
)  # fmt: skip
_LOSS: Final = frozenset((Verdict.FAILS, Verdict.LOST, Verdict.NARROWED, Verdict.DANGLING))
_GAIN: Final = frozenset((Verdict.WIDENED, Verdict.UNCOVERED))
_CALM: Final = frozenset((Verdict.OK, Verdict.REDUNDANT, Verdict.UNUSED))
_LITERAL: Final = re.compile(r"[A-Za-z0-9_-]+(?:[.][A-Za-z0-9_-]+)*")


def in_reach(item: Item, available: Availability, trees: Sequence[Tree]) -> tuple[Missing, ...]:
    """What an item may aim at of what is missing: an item sees nothing but what lies below its folder.

    A component sees all that stands before it.
    """
    if not available.missing:
        return ()
    below: set[str] = set()
    for tree in trees:
        kustomization = tree.kustomization(item.folder)
        if kustomization is not None and kustomization.data.get("kind") == "Component":
            return available.missing
        below |= {each.folder for each in reached(tree, item.folder)}
    return tuple(one for one in available.missing if one.folder in below)


def judge(
    item: Item, notes: list[Note], was: Effect | None, now: Effect | None, missing: Sequence[Missing]
) -> list[Note]:
    """The notes on an item of which something may be ``missing``: what can't be known is not said.

    What did nothing on either side may aim at what is missing. Where that is the same on both sides, an item
    does there what it did. Where it differs, what an item lost, gained or found equal elsewhere is open as
    well, unless the item names the one object that it is about and both sides have it.
    """
    if not missing:
        return notes
    differing = [one for one in missing if one.differs]
    if _is_silent(item, was, now) and not _is_elsewhere(notes):
        return [unjudged((differing or list(missing))[0].said)]
    if not differing:
        return notes
    kept = [note for note in notes if not is_open(note, differing)]
    calm = all(note.verdict in _CALM for note in kept)
    if len(kept) == len(notes) and (not calm or _is_about_one(item, was, now)):
        return notes
    if calm and len(kept) == len(notes):
        return [unjudged(differing[0].said)]
    return [*(note for note in kept if note.verdict not in _CALM), unjudged(differing[0].said)]


def _is_silent(item: Item, was: Effect | None, now: Effect | None) -> bool:
    """Whether an item does nothing that could be seen, on either side."""
    if item.kind is Kind.RESOURCE:
        return False
    return not _acts(was) and not _acts(now)


def _is_elsewhere(notes: Sequence[Note]) -> bool:
    """Whether kustomize refuses an item for something that is wrong with an object at hand."""
    return any(note.verdict is Verdict.FAILS and note.reason not in _ABSENCE for note in notes)


def _acts(effect: Effect | None) -> bool:
    return effect is not None and effect.error is None and bool(effect.touched)


def is_open(note: Note, missing: Collection[Missing]) -> bool:
    """Whether a note rests on something not being there, on a side of which something else is missing."""
    missing = [one for one in missing if one.differs]
    if note.verdict in _LOSS and (note.reason in _ABSENCE or note.verdict is Verdict.DANGLING):
        return any(one.after for one in missing)
    return note.verdict in _GAIN and any(one.before for one in missing)


def _is_about_one(item: Item, was: Effect | None, now: Effect | None) -> bool:
    """Whether an item names the one object that it is about, and changed it on both sides."""
    if not (_acts(was) and _acts(now)) or item.kind in WHOLE_OVERLAY:
        return False
    if item.kind is Kind.MERGE and not item.target:
        return True
    if item.kind in (Kind.MERGE, Kind.JSON):
        named = (item.target.get("name"), item.target.get("kind"))
        return all(isinstance(text, str) and _LITERAL.fullmatch(text) for text in named)
    if item.kind is Kind.GENERATOR:
        return isinstance(item.spec, dict) and item.spec.get("behavior") in ("merge", "replace")
    return item.kind is Kind.REPLICAS


def unjudged(said: LeftOut) -> Note:
    """The note that an item could not be compared, since that is missing."""
    return Note(verdict=Verdict.UNJUDGED, reason=said.reason, because=said.why, hint=said.hint)


def of_new(note: Note) -> Note:
    """A note on an item of an overlay that is new: nothing can be said of what it did before."""
    if note.verdict is not Verdict.OK:
        return note
    return replace(note, because="the overlay is new: there is nothing to compare it with")
