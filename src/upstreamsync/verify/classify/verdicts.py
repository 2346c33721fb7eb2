"""The verdict on one item, from its effect before and its effect after an update."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from upstreamsync.kit.foreign import mapping
from upstreamsync.kit.kubernetes.objects import MISSING, object_id, segment
from upstreamsync.kit.kubernetes.values import same
from upstreamsync.model import Verdict
from upstreamsync.verify.build.builds import Key
from upstreamsync.verify.build.chain import Effect, Touch
from upstreamsync.verify.classify import copied, failures, images, matching, successors, whole
from upstreamsync.verify.classify.effects import ObjectWalk
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.classify.sides import first_path, nameless, resource_of, sides
from upstreamsync.verify.overlays.items import WHOLE_OVERLAY, Item, Kind


def judge(item: Item, old: Effect, new: Effect) -> list[Note]:
    """Everything that is found about ``item``; empty when it did nothing before and does nothing now."""
    if new.error is not None:
        return failures.judge(item, old, new)
    if old.error is not None:
        return _works_again(new)
    if item.kind is Kind.IMAGES:
        return images.judge(item, old, new)
    if not old.touched and not new.touched:
        return idle(item, old, new)
    if item.kind in WHOLE_OVERLAY:
        return whole.judge(item, old, new)
    return _by_object(item, old, new)


def idle(item: Item, old: Effect | None, new: Effect) -> list[Note]:
    """An item that changes nothing: what it says is upstream's too, or it matches nothing (then no note)."""
    if item.kind is Kind.IMAGES:
        return images.judge(item, old or Effect({}), new)
    if not matching.reaches(item, new.met):
        return []
    was_so = old is not None and matching.reaches(item, old.met)
    return [
        Note(
            verdict=Verdict.REDUNDANT, did="says what upstream says",
            because="nothing differs with it, neither before the update nor after it" if was_so
            else "nothing differs with it", hint="delete it, unless upstream may change its mind",
            was_so=was_so,
        )
    ]  # fmt: skip


def _works_again(new: Effect) -> list[Note]:
    return [
        Note(verdict=Verdict.OK, resource=str(object_id(touch.after or touch.before or {})))
        for touch in new.touched.values()
    ]


# -- objects one by one ------------------------------------------------------------------------------


def _by_object(item: Item, old: Effect, new: Effect) -> list[Note]:
    notes: list[Note] = []
    taken: set[Key] = set()
    for key in old.touched:
        if item.kind is Kind.VARS and new.touched and key not in new.touched and key not in new.met:
            continue  # nothing names where a var is used: one place less is no loss
        if key in new.touched or key in new.met or _created(old.touched[key]):
            notes += _same_object(item, old, new, key)
            taken.add(key)
        else:
            found, other = _vanished_object(item, old, new, key)
            notes += found
            taken |= {other} if other else set()
    for key in new.touched.keys() - taken:
        notes += _new_object(item, old, new, key)
    return _settled(notes)


def _created(touch: Touch) -> bool:
    return touch.before is None


def _same_object(item: Item, old: Effect, new: Effect, key: Key) -> list[Note]:
    a, b = sides(old, key)
    c, d = sides(new, key)
    if item.removes_object and b is MISSING and c is MISSING:
        return [Note(verdict=Verdict.REDUNDANT, resource=str(object_id(a)))]
    if a is not MISSING and b is MISSING and d is MISSING and c is not MISSING:
        return [Note(verdict=Verdict.OK, resource=str(object_id(a)))]  # removes the object, as before
    if a is MISSING and d is not MISSING and b is not MISSING and c is MISSING:
        return [Note(verdict=Verdict.OK, resource=str(object_id(d)))]  # creates it, as before
    if item.kind in (Kind.MERGE, Kind.JSON) and a is c is d is MISSING and b is not MISSING:
        return [_made_no_more(item, b)]
    if swallowed := _swallowed_keys(item, a, c, d):
        return [note.on(resource_of(new, key)) for note in swallowed]
    gone = _why_gone(item, old, new, key)
    notes = _walk(item, old, new, gone).run(a, b, c, _copied(item, old, new, c, d))
    if item.kind is Kind.JSON:
        notes = _shifted(notes)
    if key not in new.touched:
        notes = [_unmatched(note, item, new.met.get(key, {})) for note in notes]
    return [note.on(resource_of(new, key)) for note in notes]


def _made_no_more(item: Item, made: Any) -> Note:
    """An object that a patch made of another one, by giving it another name, and that does not come about now."""
    what = object_id(made)
    return Note(
        verdict=Verdict.LOST, reason="target_gone", resource=str(what), did=f"made {what.short} of another object",
        does="makes nothing", because="its target matches nothing any more", hint=_no_effect_hint(item),
    )  # fmt: skip


def _walk(item: Item, old: Effect, new: Effect, gone: str) -> ObjectWalk:
    copies = None
    if item.kind is Kind.REPLACEMENTS:
        copies = (copied.source_value(item, old.met), copied.source_value(item, new.met))
    return ObjectWalk(item, gone=gone, copies=None if copies and MISSING in copies else copies)


def _copied(item: Item, old: Effect, new: Effect, met: Any, made: Any) -> Any:
    """The object that an item made, a changed value that it copies taken for the one that it was."""
    if item.kind is not Kind.REPLACEMENTS:
        return made
    then, now = copied.source_value(item, old.met), copied.source_value(item, new.met)
    if MISSING in (then, now) or same(then, now):
        return made
    return copied.as_before(met, made, now, then)


def _shifted(notes: list[Note]) -> list[Note]:
    """Say of a patch that now hits something else what it used to hit: one finding, not two."""
    lost = [note for note in notes if note.verdict is Verdict.LOST]
    kept = []
    for note in notes:
        moved = note.verdict is Verdict.MISAPPLIED and note.reason == "index_shift"
        was = next((each for each in lost if each.path != note.path), None) if moved else None
        if was is not None:
            lost.remove(was)
            note = replace(
                note, did=f"used to change {was.text_path}", does=f"now {note.does} at {note.text_path}"
            )
        kept.append(note)
    return [note for note in kept if note.verdict is not Verdict.LOST or note in lost]


def _unmatched(note: Note, item: Item, now: Any) -> Note:
    """Say why an object that is still there is no longer reached."""
    if note.verdict is not Verdict.LOST or note.reason == "element_renamed":
        return note
    what = object_id(now).short if isinstance(now, Mapping) and now else "the object"
    if note.reason == "selector_mismatch":
        selector = item.target.get("labelSelector") or item.target.get("annotationSelector")
        because = f"its selector {selector} no longer matches {what}"
        hint = f"adjust the selector: {what} has {_labels(item, now)}"
    elif note.reason == "apiversion_changed":
        because = f"{what} is now {now.get('apiVersion')}"
        wanted = item.target.get("version")
        hint = f"drop target.version, or set {object_id(now).version}" if wanted else "correct its apiVersion"
    elif note.hint:
        return note
    else:
        because, hint = note.because, _no_effect_hint(item)
    return replace(note, because=because, hint=hint)


def _labels(item: Item, now: Any) -> str:
    field = "labels" if item.target.get("labelSelector") else "annotations"
    found = mapping(mapping(mapping(now).get("metadata")).get(field))
    selector = str(item.target.get("labelSelector") or item.target.get("annotationSelector"))
    asked = {key: value for key, value in found.items() if key in selector}
    return ", ".join(f"{key}={value}" for key, value in (asked or found).items()) or f"no {field}"


def _no_effect_hint(item: Item) -> str:
    return {
        Kind.HELM_VALUE: "look up what the new chart calls this value",
        Kind.VARS: "drop the var, or use it again",
        Kind.REPLACEMENTS: "correct the target's select and fieldPaths",
    }.get(item.kind, "correct what it selects, or delete it")


def _swallowed_keys(item: Item, a: Any, c: Any, d: Any) -> list[Note]:
    """Keys that upstream added to a ConfigMap or Secret which a generator replaces as a whole."""
    if item.kind is not Kind.GENERATOR or not all(isinstance(side, Mapping) for side in (a, c, d)):
        return []
    lost = [
        place
        for place in _data_keys(c)
        if place[1] not in {key for _, key in (*_data_keys(a), *_data_keys(d))}
    ]
    return [
        Note(
            verdict=Verdict.SHADOWS, reason="swallows_upstream_addition", path=(f".{field}", segment(key)),
            did=f"replaces {object_id(c).short} as a whole", does=f"drops {key}",
            because=f"upstream added the key {key}", hint="use behavior: merge",
        )
        for field, key in lost
    ]  # fmt: skip


def _data_keys(obj: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (field, str(key)) for field in ("data", "stringData", "binaryData") for key in mapping(obj.get(field))
    ]


def _why_gone(item: Item, old: Effect, new: Effect, key: Key) -> str:
    """The reason, should an effect on an object that is still there have vanished."""
    if key in new.touched:
        return "merge_key_ambiguous" if item.kind is Kind.MERGE else "target_gone"
    if item.selects_by_label:
        return "selector_mismatch"
    now = new.met.get(key)
    before = old.met.get(key)
    if now is not None and before is not None and item.kind in (Kind.MERGE, Kind.JSON):
        if object_id(now).version != object_id(before).version:
            return "apiversion_changed"
        if not item.target:
            return "merge_key_ambiguous"
    return "target_gone"


def _vanished_object(item: Item, old: Effect, new: Effect, key: Key) -> tuple[list[Note], Key | None]:
    """An object that upstream no longer ships; the object that took its place, when the item meets it."""
    touch = old.touched[key]
    before = touch.before or {}
    successor = successors.find(key, before, old.met, new.met)
    if successor and successor.key in new.touched:
        now = new.touched[successor.key]
        notes = ObjectWalk(item).run(*nameless(touch), *nameless(now))
        return [note.on(str(object_id(successor.manifest))) for note in notes], successor.key
    resource = str(object_id(before))
    if touch.after is None and successor is None:
        return [
            Note(
                verdict=Verdict.REDUNDANT, resource=resource, did=f"removed {key[0].short}",
                because="upstream no longer ships it", hint="delete the patch",
            )
        ], None  # fmt: skip
    if successor is None and new.touched and not _names(item, key):
        return [], None  # a broad target: the object is simply gone
    reason = successor.reason if successor else "target_gone"
    if reason == "target_gone" and item.selects_by_label:
        reason = "selector_mismatch" if successor and not item.target.get("name") else "target_gone"
    return [
        Note(
            verdict=Verdict.LOST, reason=reason, resource=resource, path=first_path(touch),
            did=f"changed {key[0].short}", does="its target matches nothing any more",
            because=_because(key, successor), hint=_retarget(item, successor),
        )
    ], None  # fmt: skip


def _because(key: Key, successor: successors.Successor | None) -> str:
    if successor is None:
        return f"upstream no longer ships {key[0].short}"
    to = successor.key[0]
    return {
        "kind_changed": f"{key[0].name} is now a {to.kind}",
        "namespace_changed": f"upstream moved it to namespace {to.namespace or '(none)'}",
        "apiversion_changed": f"it is now in group {to.group}",
    }.get(successor.reason, f"{key[0].short} is gone; {to.short} looks like its new name")


def _retarget(item: Item, successor: successors.Successor | None) -> str:
    if successor is None:
        return "delete the customization, or point it at what took its place"
    to = successor.key[0]
    return {
        "kind_changed": f"set target.kind to {to.kind}",
        "namespace_changed": f"set target.namespace to {to.namespace}, or drop it",
        "apiversion_changed": f"set target.group to {to.group}",
    }.get(successor.reason, f"set target.name to {to.name}" if item.target else f"rename it to {to.name}")


def _names(item: Item, key: Key) -> bool:
    """Whether the item names its objects, rather than meaning all of a kind."""
    if item.kind in (Kind.MERGE, Kind.JSON) and item.target:
        return bool(item.target.get("name")) and ".*" not in str(item.target.get("name"))
    return item.kind is not Kind.REPLACEMENTS or key[0].name in str(item.spec)


def _new_object(item: Item, old: Effect, new: Effect, key: Key) -> list[Note]:
    """An object which the item did not touch before: widened, or wrongly hit."""
    touch = new.touched[key]
    resource = str(object_id(touch.after or touch.before or {}))
    if key in old.met:
        a, _ = sides(old, key)
        c, d = sides(new, key)
        if item.kind is Kind.REPLACEMENTS:
            found = _walk(item, old, new, "target_gone").run(a, a, c, _copied(item, old, new, c, d))
            if found and all(note.verdict in (Verdict.OK, Verdict.MISAPPLIED) for note in found):
                return [note.on(resource) for note in found]
        notes = [note for note in ObjectWalk(item).run(a, a, c, d) if note.verdict is Verdict.SHADOWS]
        if notes and not old.touched:
            return [note.on(resource) for note in notes]
    if touch.before is None:
        return [Note(verdict=Verdict.OK, resource=resource)]
    for other in old.touched.values():
        if wrong := _unlike(item, other, touch):
            return [note.on(resource) for note in wrong]
    reason = "newly_matched" if key in old.met else "new_resource"
    return [
        Note(
            verdict=Verdict.WIDENED, reason=reason, resource=resource, path=first_path(touch),
            did=f"did not touch {key[0].short}", does="now applies to it too",
            because="upstream added it" if reason == "new_resource" else "it now matches",
            hint=f"narrow the target if {key[0].name} should not get this",
        )
    ]  # fmt: skip


def _unlike(item: Item, usual: Touch, here: Touch) -> list[Note]:
    """What the item adds to this object though elsewhere it only changes it."""
    notes = ObjectWalk(item).run(*nameless(usual), *nameless(here))
    what = object_id(here.before or here.after or {})
    return [
        replace(
            note, did=note.did.replace("used to change", "elsewhere changes"),
            because=f"{what.short} has none that it could change",
            hint=f"narrow the target so that it does not match {what.name}", rename=None,
        )
        for note in notes
        if note.verdict is Verdict.MISAPPLIED and note.reason == "adds_instead_of_modifies"
    ]  # fmt: skip


def _settled(notes: list[Note]) -> list[Note]:
    """Lost on some objects only is narrowed; what is moot in part is no reason to delete the rest."""
    working = {note.resource for note in notes if note.verdict not in (Verdict.LOST, Verdict.REDUNDANT)}
    settled = [
        _narrowed(note)
        if note.verdict is Verdict.LOST and working - {note.resource} and note.resource not in working
        else note
        for note in notes
    ]
    if all(_is_moot(note) for note in settled):
        return settled
    return [_moot_part(note) if _is_moot(note) else note for note in settled]


def _is_moot(note: Note) -> bool:
    return note.verdict is Verdict.REDUNDANT and note.reason is None


def _moot_part(note: Note) -> Note:
    """The same said of a part of an item that does something else besides."""
    what = "; ".join(part for part in (note.did, note.because) if part)
    at = note.text_path.removeprefix(".") or note.resource
    return Note(
        verdict=Verdict.OK, resource=note.resource, path=note.path,
        because=f"works; no longer needed of it is {at}" + (f" ({what})" if what else ""),
    )  # fmt: skip


def _narrowed(note: Note) -> Note:
    reason = note.reason if note.reason == "selector_mismatch" else "target_gone"
    return Note(
        verdict=Verdict.NARROWED, reason=reason, resource=note.resource, path=note.path,
        did=note.did, does="still works elsewhere, but no longer there", because=note.because, hint=note.hint,
    )  # fmt: skip


def first_effect(item: Item, old: Effect | None, new: Effect) -> list[Note]:
    """An item that is new, or that can't be compared with what it was: does it do anything at all?"""
    if new.error is not None:
        return failures.judge(item, old or Effect({}), new)
    if new.touched:
        return [
            Note(verdict=Verdict.OK, resource=str(object_id(touch.after or touch.before or {})))
            for touch in new.touched.values()
        ]
    if moot := idle(item, old, new):
        return moot
    if old is not None and old.touched:
        return [
            Note(
                verdict=Verdict.LOST, reason="target_gone", did="was edited, and had an effect before",
                does="changes nothing now", because="it matches nothing of the new base",
            )
        ]  # fmt: skip
    return []
