"""A base that goes back to an older version: what a newer one had added is gone again, and nobody misapplied it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from upstreamsync.kit.kubernetes.values import image, older
from upstreamsync.model import Verdict
from upstreamsync.verify.build.builds import Outcome, State
from upstreamsync.verify.classify.images import container_images
from upstreamsync.verify.classify.notes import Note

_OF_THE_STEP: Final = frozenset(("adds_instead_of_modifies", "modifies_instead_of_adds"))


def is_way_back(old: Outcome, new: Outcome) -> bool:
    """Whether the versions of upstream's images go down, on the whole."""
    if not isinstance(old, State) or not isinstance(new, State):
        return False
    down = up = 0
    for key, obj in new.objects.items():
        before = {
            found.name: found.tag for text in container_images(old.objects.get(key)) if (found := image(text))
        }
        for text in container_images(obj):
            now = image(text)
            was = before.get(now.name) if now is not None else None
            if now is None or not was or was == now.tag:
                continue
            down += older(now.tag, was) is True
            up += older(was, now.tag) is True
    return down > up


def told(old: Outcome, new: Outcome, notes: dict[str, list[Note]]) -> dict[str, list[Note]]:
    """The notes, those softened that are the step's own where a base goes back."""
    if not any(_is_of_the_step(note) for each in notes.values() for note in each):
        return notes  # the images of large bases need not be looked through
    if not is_way_back(old, new):
        return notes
    return {name: [softened(note) for note in each] for name, each in notes.items()}


def _is_of_the_step(note: Note) -> bool:
    return note.verdict is Verdict.MISAPPLIED and note.reason in _OF_THE_STEP and note.rename is None


def softened(note: Note) -> Note:
    """A note on what the newer version had, and the older one has not: to be looked at, but nothing that broke."""
    if not _is_of_the_step(note):
        return note
    because = "; ".join(part for part in (note.because, "the base goes back to an older version") if part)
    return replace(note, verdict=Verdict.SHADOWS, reason="upstream_removed_value", because=because)
