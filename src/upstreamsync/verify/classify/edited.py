"""Verdicts on a customization that was edited in the same change as the base that it stands on.

What an edit is for can't be seen from what the item did and does, as both have changed. So each of the two
versions is judged on both bases: what is found about the old one is what the update does, and what is found
about the new one as well is what the edit has not cured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from upstreamsync.kit.kubernetes.objects import object_id
from upstreamsync.kit.kubernetes.values import Image, flag, image, same
from upstreamsync.model import Severity, Verdict
from upstreamsync.verify.build.builds import Key, Manifest
from upstreamsync.verify.build.chain import Effect
from upstreamsync.verify.classify import failures, images, moved_flags, sequences, verdicts
from upstreamsync.verify.classify.notes import Note, worst
from upstreamsync.verify.classify.sides import at
from upstreamsync.verify.overlays.items import Item, Kind

_NOTHING: Final = "was edited, and had an effect before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """An item and what it was, and the effects of both on both bases; None where one can't be had.

    ``followed`` says that nothing but values which follow the version have changed. ``final`` are the objects
    that come of all customizations together.
    """

    old: Item
    new: Item
    old_on_old: Effect | None
    old_on_new: Effect | None
    new_on_old: Effect | None
    new_on_new: Effect
    followed: bool = False
    final: Mapping[Key, Manifest] = field(default_factory=dict)


def judge(edit: Edit) -> list[Note]:
    """Everything that is found about an edited item."""
    now, was = edit.new_on_new, edit.old_on_old
    if now.error is not None:
        return failures.judge(edit.new, edit.new_on_old or was or Effect({}), now)
    if was is None or was.error is not None:
        return verdicts.first_effect(edit.new, None, now)
    found = [*_after_edit(edit), *_same_digest(edit)]
    if edit.new.kind is Kind.JSON and all(note.severity.rank > Severity.REVIEW.rank for note in found):
        found += moved_flags.find(was, now)
    if any(note.severity.rank <= Severity.REVIEW.rank for note in found) or now.touched or found:
        return found
    return verdicts.first_effect(edit.new, was, now)


def _after_edit(edit: Edit) -> list[Note]:
    was, now = edit.old_on_old, edit.new_on_new
    present = _judged(edit.new, edit.new_on_old, now)
    if present is None:
        return verdicts.first_effect(edit.new, was, now)
    if edit.followed and was is not None and not was.touched and not now.touched:
        return verdicts.idle(edit.new, was, now)  # it said what upstream said, and still does
    if edit.followed:
        return [note for note in present if not _is_moved(note)]
    past = _judged(edit.old, was, edit.old_on_new)
    if past is None:
        past = present
    alarms = [note for note in past if note.severity.rank <= Severity.REVIEW.rank]
    if was is not None and now.touched and _does_the_same(edit.new, was, now):
        return [*_cured(alarms), *_calm(present, past)]
    if was is not None and _aims_otherwise(edit, was):
        return verdicts.judge(edit.new, was, now)  # what it does was not edited: it can be compared as it is
    if edit.new.kind is Kind.IMAGES and (open_ := _left_alone(edit)):
        return [_not_cured(note) for note in past if note.path in open_] + _calm(present, past)
    left = [note for note in present if any(_is_same(note, alarm) for alarm in alarms)]
    if left:
        return [_not_cured(note) for note in left] + _calm(present, past)
    if not now.touched and was is not None and was.touched:
        return _without_effect(edit, present)
    return [*_cured(alarms), *_calm(present, past)]


def _left_alone(edit: Edit) -> set[tuple[str, ...]]:
    """Where the old entry of images worked, and the new one leaves an image that nobody rewrites."""
    was, now = edit.old_on_old, edit.new_on_new
    works = images.places(now)
    found = set()
    for (key, path), (_, after) in (images.places(was) if was is not None else {}).items():
        here = at(edit.final.get(key), path)
        one, other = (image(each) if isinstance(each, str) else None for each in (after, here))
        if (key, path) in works or one is None or other is None or one.name == other.name:
            continue
        if now.upstream is not None and at(now.upstream.get(key), path) == here:
            found.add(path)
    return found


def _does_the_same(item: Item, was: Effect, now: Effect) -> bool:
    """Whether the new version does to the new base what the old one did to the old: indexes may have moved."""
    found = verdicts.judge(item, was, now)
    return all(note.severity.rank > Severity.REVIEW.rank for note in found)


def _aims_otherwise(edit: Edit, was: Effect) -> bool:
    """Whether the edit is about what a patch aims at, and it reaches the very objects that it reached before."""
    same_objects = bool(was.touched) and was.touched.keys() == edit.new_on_new.touched.keys()
    return same_objects and _content(edit.old) is not None and _content(edit.old) == _content(edit.new)


def _content(item: Item) -> Any:
    """What a patch does, without what it does it to."""
    if item.kind is Kind.JSON:
        return item.body
    if item.kind is not Kind.MERGE or not isinstance(item.body, Mapping):
        return None
    metadata = item.body.get("metadata")
    named = {key: value for key, value in (metadata or {}).items() if key not in ("name", "namespace")}
    rest = {key: value for key, value in item.body.items() if key not in ("apiVersion", "kind", "metadata")}
    return {**rest, "metadata": named}


def _judged(item: Item, old: Effect | None, new: Effect | None) -> list[Note] | None:
    if old is None or new is None or old.error is not None:
        return None
    return verdicts.judge(item, old, new)


def _calm(notes: Sequence[Note], past: Sequence[Note]) -> list[Note]:
    """What is no alarm; of what an item newly reaches, that which upstream added to the old version too."""
    widened = {(note.resource, note.path) for note in past if note.verdict is Verdict.WIDENED}
    return [
        note
        for note in notes
        if note.severity.rank > Severity.REVIEW.rank
        and (note.verdict is not Verdict.WIDENED or (note.resource, note.path) in widened)
    ]


def _is_same(note: Note, before: Note) -> bool:
    """Whether what was found about the old version holds of the new one."""
    if (note.verdict, note.reason) != (before.verdict, before.reason):
        return False
    if note.verdict is Verdict.LOST and note.resource == before.resource:
        return True
    if (note.resource, note.path) != (before.resource, before.path):
        return False
    # A value that was edited has been looked at; in a list, what the note is about may still be there.
    result, now = before.values[3], note.values[3]
    if note.verdict is not Verdict.SHADOWS:
        return True
    if isinstance(now, list):
        return not _was_looked_at(before.values, now)
    return same(result, now)


def _was_looked_at(values: Sequence[Any], now: Sequence[Any]) -> bool:
    """Whether an edit changed every argument of a list that upstream changed, too."""
    theirs, ours, result = values[0], values[2], values[3]
    if not all(isinstance(each, list) for each in (theirs, ours, result)):
        return False
    changed = {flag(sequences.token(each)) for one, other in ((theirs, ours), (ours, theirs))
               for each in one if each not in other}  # fmt: skip

    def said(listed: Sequence[Any], name: str) -> list[str]:
        return sorted(text for each in listed if flag(text := sequences.token(each)) == name)

    return bool(changed) and all(said(result, name) != said(now, name) for name in changed)


def _is_moved(note: Note) -> bool:
    """Whether a note is about a digest that follows the version."""
    return note.verdict is Verdict.SHADOWS and note.path[-1:] == (":tag",) and "digest" in (note.hint or "")


def _not_cured(note: Note) -> Note:
    because = "; ".join(
        part for part in (note.because, "the edit in the same change has not cured this") if part
    )
    return replace(note, because=because)


def _cured(alarms: Sequence[Note]) -> list[Note]:
    first = worst(alarms)
    if first is None:
        return [Note(verdict=Verdict.OK)]
    what = "; ".join(part for part in (first.did, first.because) if part)
    more = f", and {len(alarms) - 1} more" if len(alarms) > 1 else ""
    return [
        Note(
            verdict=Verdict.OK, resource=first.resource, path=first.path,
            because=f"was edited in the same change; without that: {first.verdict} ({what}){more}",
        )
    ]  # fmt: skip


def _without_effect(edit: Edit, present: Sequence[Note]) -> list[Note]:
    """The new version changes nothing of the new base, whatever the old one would."""
    moot = [note for note in present if note.verdict is Verdict.REDUNDANT]
    if moot := moot or verdicts.idle(edit.new, edit.old_on_old, edit.new_on_new):
        return moot
    found = verdicts.judge(edit.new, edit.old_on_old or Effect({}), edit.new_on_new)
    return [note for note in found if note.verdict in (Verdict.LOST, Verdict.REDUNDANT)] or [
        Note(
            verdict=Verdict.LOST, reason="target_gone", did=_NOTHING, does="changes nothing now",
            because="it matches nothing of the new base",
        )
    ]  # fmt: skip


# -- a tag that was moved beside a digest ------------------------------------------------------------


def _same_digest(edit: Edit) -> list[Note]:
    """Images whose tag was edited while the digest beside it stayed: the digest decides what runs."""
    notes = []
    before = _pinned(edit.old_on_old)
    for (key, path), now in _pinned(edit.new_on_new).items():
        was = before.get((key, path))
        if was is None or not now.digest or now.digest != was.digest or now.tag == was.tag:
            continue
        notes.append(
            Note(
                verdict=Verdict.SHADOWS, reason="upstream_changed_value", path=(*path, ":digest"),
                resource=str(object_id(edit.new_on_new.met[key])) if key in edit.new_on_new.met else "",
                did=f"ran {was}", does=f"says {now.tag} now, and goes on running the same image",
                because=f"the digest {now.digest[:19]}… has stayed, and it decides, whatever the tag says",
                hint=f"set the digest of {now.tag}, or drop it", grave=Severity.SILENT_BREAK,
            )
        )  # fmt: skip
    return notes


def _pinned(effect: Effect | None) -> dict[Any, Image]:
    """The images that an item writes, by object and path."""
    found: dict[Any, Image] = {}
    if effect is None:
        return found
    for place, (_, after) in images.places(effect).items():
        if place[1][-1:] == (".image",) and (read := image(after)) is not None:
            found[place] = read
    return found
