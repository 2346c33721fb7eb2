"""From notes to what a reader sees: one verdict per item, one plain line, one hint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from upstreamsync.model import Judgement, Severity, Verdict
from upstreamsync.verify.classify.notes import Note, worst
from upstreamsync.verify.items import WHOLE_OVERLAY, Item

_SAME = "does what it did before"
#: What to do where the comparison itself knows nothing better.
_HINTS: Final = {
    Verdict.FAILS: "read kustomize's message, and correct or delete the customization",
    Verdict.MISAPPLIED: "address what it means by name, and check the result",
    Verdict.LOST: "point it at what took the old thing's place, or delete it",
    Verdict.NARROWED: "extend it to what it no longer reaches",
    Verdict.DANGLING: "name what upstream has now",
    Verdict.REJECTED: "correct the customization before applying",
    Verdict.SHADOWS: "compare with upstream's new value, and take over what is wanted",
    Verdict.DUPLICATE: "drop one of the two",
    Verdict.UNCOVERED: "cover the new one too",
}


def judgement(item: Item, notes: Sequence[Note], overlay: str, *, failed_before: bool = False) -> Judgement:
    """The judgement on ``item`` that ``notes`` add up to; without any note the item is unused."""
    if not notes:
        notes = [_unused()]
    first = worst(notes)
    if first is None:  # pragma: no cover - notes is not empty here
        raise AssertionError
    alike = [note for note in notes if (note.verdict, note.reason) == (first.verdict, first.reason)]
    return Judgement(
        item=item.name,
        kustomization=item.folder,
        field=item.field,
        key=item.key,
        file=item.file,
        line=item.line,
        verdict=first.verdict,
        severity=min((note.severity for note in alike), key=lambda each: each.rank),
        reason=first.reason,
        resources=_unique(note.resource for note in alike),
        paths=_unique(_path(note) for note in alike),
        why=sentence(first, len(_unique(note.resource for note in alike))),
        hint=first.hint or _HINTS.get(first.verdict),
        overlays=(overlay,),
        failed_before=failed_before and first.verdict is Verdict.FAILS,
    )


def _unused() -> Note:
    return Note(
        verdict=Verdict.UNUSED,
        because="it matches nothing, neither before nor after the update",
        hint="correct it, or delete it",
    )


def sentence(note: Note, objects: int = 1) -> str:
    """``what it did → what it does now; the evidence from upstream``."""
    if note.verdict is Verdict.OK:
        return note.because or _SAME
    parts = " → ".join(part for part in (note.did, note.does) if part)
    text = "; ".join(part for part in (parts, note.because) if part)
    return f"{text} (and {objects - 1} more)" if objects > 1 else text


def _path(note: Note) -> str:
    text = note.text_path
    return text.removeprefix(".")


def _unique(values: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))  # type: ignore[attr-defined]


def fine(item: Item, overlay: str) -> Judgement:
    """The judgement on an item about which nothing had to be asked."""
    return Judgement(
        item=item.name, kustomization=item.folder, field=item.field, key=item.key, file=item.file,
        line=item.line, verdict=Verdict.OK, severity=Severity.NONE, reason=None, why=_SAME,
        overlays=(overlay,),
    )  # fmt: skip


def on_result(overlay: str, file: str, note: Note) -> Judgement:
    """A judgement on the built output as a whole."""
    return Judgement(
        item=f"{overlay}: (result)", kustomization=overlay, field="(result)", key="", file=file, line=1,
        verdict=note.verdict, severity=note.severity, reason=note.reason,
        resources=(note.resource,) if note.resource else (), paths=(_path(note),) if note.path else (),
        why=sentence(note), hint=note.hint or _HINTS.get(note.verdict), overlays=(overlay,),
    )  # fmt: skip


def is_whole(item: Item) -> bool:
    """Whether an item is a setting for everything in its overlay."""
    return item.kind in WHOLE_OVERLAY
