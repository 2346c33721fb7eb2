"""From notes to what a reader sees: one verdict per item, one plain line, one hint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from upstreamsync.model import Fix, ItemFinding, Judgement, Verdict
from upstreamsync.verify.classify.notes import Note, rank
from upstreamsync.verify.overlays.items import WHOLE_OVERLAY, Item

#: Gives the correction for a note; None where a person has to decide.
Fixer = Callable[[Note], Fix | None]

_SAME = "does what it did before"
#: How many findings of one verdict and reason an item tells one by one.
_OF_A_KIND: Final = 6
#: How many remarks about what is well are told.
_AT_ONCE: Final = 3
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


def judgement(
    item: Item,
    notes: Sequence[Note],
    overlay: str,
    *,
    failed_before: bool = False,
    was_there: bool = True,
    fix_of: Fixer | None = None,
) -> Judgement:
    """The judgement on ``item`` that ``notes`` add up to; without any note the item is unused.

    ``was_there`` says whether the old side has it too, ``fix_of`` gives the correction for a note.
    """
    found = findings(notes or [_unused()], fix_of)
    first = found[0]
    return Judgement(
        item=item.name,
        kustomization=item.folder,
        field=item.field,
        key=item.key,
        file=item.file,
        line=item.line,
        verdict=first.verdict,
        severity=first.severity,
        reason=first.reason,
        resources=first.resources,
        paths=first.paths,
        why=first.why,
        hint=first.hint,
        overlays=(overlay,),
        failed_before=failed_before and first.verdict is Verdict.FAILS,
        was_so=all(note.was_so for note in notes) if notes else was_there,
        fix=next((finding.fix for finding in found if finding.fix is not None), None),
        findings=found,
    )


def findings(notes: Sequence[Note], fix_of: Fixer | None = None) -> tuple[ItemFinding, ...]:
    """What the notes say, worst first; what is well is told where there is nothing else to tell."""
    told = [note for note in notes if note.verdict is not Verdict.OK]
    told += _calm([note for note in notes if note.verdict is Verdict.OK], alone=not told)
    groups: dict[object, list[Note]] = {}
    for note in sorted(told, key=rank):
        groups.setdefault(_subject(note), []).append(note)
    kinds: dict[tuple[Verdict, str | None], list[list[Note]]] = {}
    for group in _of_one_cause(list(groups.values())):
        kinds.setdefault((group[0].verdict, group[0].reason), []).append(group)
    return tuple(_finding(group, fix_of) for kind in kinds.values() for group in _folded(kind))


def _calm(notes: Sequence[Note], *, alone: bool) -> list[Note]:
    """What is well, in one note, where there is something to say of it or nothing else to tell."""
    telling = [note for note in notes if note.because]
    if not telling:
        return list(notes)[:1] if alone else []
    texts = _unique(note.because for note in telling)
    more = f"; and {len(texts) - _AT_ONCE} more" if len(texts) > _AT_ONCE else ""
    return [replace(telling[0], because="; ".join(texts[:_AT_ONCE]) + more)]


def _subject(note: Note) -> object:
    """What a finding is about: one path, in however many objects."""
    return (note.verdict, note.reason, note.severity, _path(note))


def _of_one_cause(groups: Sequence[list[Note]]) -> list[list[Note]]:
    """The groups, those of one field in several places put together where the very same is said of it."""
    found: dict[object, list[Note]] = {}
    for number, group in enumerate(groups):
        first = group[0]
        words = (first.verdict, first.reason, first.severity, sentence(first), first.hint)
        alike = first.rename is None and bool(sentence(first)) and bool(first.path)
        field = first.path[-1].rpartition(".")[2] if alike else ""
        found.setdefault((*words, field) if alike else number, []).extend(group)
    return list(found.values())


def _folded(groups: list[list[Note]]) -> list[list[Note]]:
    """At most so many findings of one kind; the rest is told with the last one."""
    if len(groups) <= _OF_A_KIND:
        return groups
    rest = [note for group in groups[_OF_A_KIND - 1 :] for note in group]
    return [*groups[: _OF_A_KIND - 1], rest]


def _finding(notes: Sequence[Note], fix_of: Fixer | None) -> ItemFinding:
    first = notes[0]
    fix = fix_of(first) if fix_of is not None else None
    # Another name is advice only where somebody can follow it: where the customization says the old one.
    hint = first.hint if first.rename is None or fix is not None or fix_of is None else None
    resources = _unique(note.resource for note in notes)
    paths = _unique(_path(note) for note in notes)
    return ItemFinding(
        verdict=first.verdict,
        severity=min((note.severity for note in notes), key=lambda each: each.rank),
        reason=first.reason,
        why=sentence(first, max(len(resources), len(paths))),
        hint=hint or usual_hint(first.verdict),
        resources=resources,
        paths=paths,
        fix=fix,
    )


def usual_hint(verdict: Verdict) -> str | None:
    """What to do about a verdict of which nothing better is known."""
    return _HINTS.get(verdict)


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
    named = note.verdict is Verdict.UNCOVERED  # it names them all
    return f"{text} (and {objects - 1} more)" if objects > 1 and not named else text


def _path(note: Note) -> str:
    text = note.text_path
    return text.removeprefix(".")


def _unique(values: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))  # type: ignore[attr-defined]


def fine(item: Item, overlay: str) -> Judgement:
    """The judgement on an item about which nothing had to be asked."""
    return judgement(item, [Note(verdict=Verdict.OK)], overlay)


def on_result(overlay: str, file: str, note: Note, *, line: int = 1) -> Judgement:
    """A judgement on the built output as a whole."""
    return replace(on_results(overlay, file, [note])[0], line=line)


def on_results(overlay: str, file: str, notes: Sequence[Note]) -> list[Judgement]:
    """Judgements on the built output as a whole: one for each cause, with all objects of which the same is said."""
    return [
        Judgement(
            item=f"{overlay}: (result)", kustomization=overlay, field="(result)", key="", file=file, line=1,
            verdict=finding.verdict, severity=finding.severity, reason=finding.reason,
            resources=finding.resources, paths=finding.paths, why=finding.why, hint=finding.hint,
            overlays=(overlay,), findings=(finding,),
        )
        for finding in (findings(notes) if notes else ())
    ]  # fmt: skip


def is_whole(item: Item) -> bool:
    """Whether an item is a setting for everything in its overlay."""
    return item.kind in WHOLE_OVERLAY
