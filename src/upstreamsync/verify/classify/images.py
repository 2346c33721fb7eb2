"""Verdicts on an entry of ``images``: it is about names of images, wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from upstreamsync.kit.foreign import all_strings
from upstreamsync.kit.kubernetes.objects import MISSING, keyed, object_id, segment, shared_key
from upstreamsync.kit.kubernetes.values import Image, image
from upstreamsync.model import Verdict
from upstreamsync.verify.build.builds import Key, Manifest
from upstreamsync.verify.build.chain import Effect
from upstreamsync.verify.classify import scalars, successors
from upstreamsync.verify.classify.effects import ObjectWalk
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.classify.sides import at
from upstreamsync.verify.classify.walk import Four, Walk
from upstreamsync.verify.overlays.items import Item

Path = tuple[str, ...]
#: Where an entry works: object and path → the value before and after.
Places = dict[tuple[Key, Path], tuple[str, str]]


def judge(item: Item, old: Effect, new: Effect) -> list[Note]:
    """The notes on one entry of ``images``."""
    worked, works = places(old), places(new)
    if not works:
        return _without_effect(item, worked, old, new)
    walk = ObjectWalk(item)
    for place, (before, after) in works.items():
        _still(walk, place, worked.get(place), before, after, old, new)
    notes = walk.notes
    for place in worked.keys() - works.keys():
        notes += _narrowed(item, place, worked[place], new, every=len(works))
    return notes


def _still(
    walk: Walk, place: tuple[Key, Path], was: tuple[str, str] | None,
    before: str, after: str, old: Effect, new: Effect,
) -> None:  # fmt: skip
    key, path = place
    found = len(walk.notes)
    resource = str(object_id(new.met[key])) if key in new.met else ""
    if was is None and (idle := at(old.met.get(key), path)) is not MISSING and str(idle) == after:
        was = (str(idle), str(idle))  # the entry said what upstream said itself
    if was is not None:
        parts = [image(text) for text in (*was, before, after)]
        four = Four(*was, before, after)
        if None not in parts:
            a, b, c, d = (part for part in parts if part is not None)
            scalars.pin_image(walk, path, four, (a, b, c, d))
    if len(walk.notes) == found and key not in old.met and old.touched:
        walk.notes.append(
            Note(
                verdict=Verdict.WIDENED, reason="new_resource", path=path, did=f"did not know {key[0].short}",
                does="now applies to it too", because="upstream added it",
            )
        )  # fmt: skip
    if len(walk.notes) == found:
        suffix = ":name" if _name(before) != _name(after) else ""
        walk.notes.append(Note(verdict=Verdict.OK, path=(*path, suffix) if suffix else path))
    walk.notes[found:] = [note.on(resource) for note in walk.notes[found:]]


def _without_effect(item: Item, worked: Places, old: Effect, new: Effect) -> list[Note]:
    """An entry that changes nothing now: upstream says the same, or has no such image any more."""
    name = str(item.spec.get("name", "")) if isinstance(item.spec, Mapping) else ""
    equalled, equals = named_places(old, name), named_places(new, name)
    if not worked and equals:
        was_so = bool(equalled)
        value = next(iter(equals.values()))[0]
        return [
            Note(
                verdict=Verdict.REDUNDANT, path=path, resource=str(object_id(new.met[key])),
                did="says what upstream says", because=f"upstream has {value} itself",
                hint="delete the entry, unless it is to hold the version", was_so=was_so,
            )
            for key, path in equals
        ]  # fmt: skip
    before = worked or equalled
    return _vanished(item, before, old, new) if before else []


def named_places(effect: Effect, name: str) -> Places:
    """Where containers have an image of that name, with what it is, before and after the entry."""
    return {
        (key, path): (text, text)
        for key, obj in effect.met.items()
        for path, text in _images_in(obj, (), "")
        if _name(text) == name
    }


def _images_in(value: Any, path: Path, field: str) -> Iterator[tuple[Path, str]]:
    if isinstance(value, Mapping):
        for key, child in value.items():
            if key == "image" and isinstance(child, str):
                yield (*path, segment(key)), child
            else:
                yield from _images_in(child, (*path, segment(key)), key)
    elif isinstance(value, list):
        fields = shared_key(field, value)
        labelled = (
            keyed(value, fields) if fields else {str(number): item for number, item in enumerate(value)}
        )
        for label, child in labelled.items():
            yield from _images_in(child, (*path, f"[{label}]"), "")


def _vanished(item: Item, worked: Places, old: Effect, new: Effect) -> list[Note]:
    notes = []
    wanted = str(item.spec.get("name", "")) if isinstance(item.spec, Mapping) else ""
    for (key, path), (_, after) in worked.items():
        now = at(new.met.get(key), path)
        resource = str(object_id(old.met[key])) if key in old.met else str(key[0])
        if now is not MISSING and (
            str(now) == after or (_names_alone(item) and _name(str(now)) == _name(after))
        ):
            notes.append(
                Note(
                    verdict=Verdict.REDUNDANT, path=path, resource=resource, did=f"made it {after}",
                    because="upstream now has the same itself" if str(now) == after
                    else f"upstream now takes it from there itself: {now}", hint="delete the entry",
                )
            )  # fmt: skip
            continue
        moved, theirs = _moved(key, path, now, old, new), ""
        if moved and not _is_upstreams(moved, new):
            moved, theirs = "", _upstreams(key, path, new)
        because = f"no image named {wanted} is left"
        because += f"; upstream now uses {moved or theirs}" if moved or theirs else ""
        because += ", of which another customization makes something else" if theirs else ""
        hint = f"set name to {_name(moved)}" if moved else "delete the entry"
        if _name(moved) == wanted:
            because = f"{moved} now stands where kustomize does not look for images"
            hint = "name the new path of the field in the file under configurations"
        notes.append(
            Note(
                verdict=Verdict.LOST, reason="target_gone", path=path, resource=resource,
                did=f"rewrote {wanted}", does="matches no image", because=because,
                hint=hint,
            )
        )  # fmt: skip
    lost = [note for note in notes if note.verdict is Verdict.LOST]
    return lost or notes


def _moved(key: Key, path: Path, now: Any, old: Effect, new: Effect) -> str:
    if isinstance(now, str):
        return now
    content = old.met.get(key)
    if content is None:
        return ""
    if key in new.met:
        return _likely(at(content, path), new.met[key]) or _only_new(content, new.met[key])
    successor = successors.find(key, content, old.met, new.met)
    found = at(successor.manifest, path) if successor else MISSING
    if isinstance(found, str):
        return found
    return _likely(at(content, path), successor.manifest) if successor else ""


def _is_upstreams(text: str, effect: Effect) -> bool:
    """Whether upstream has an image of that name, and not a customization before this one."""
    if effect.upstream is None:
        return True
    name = _name(text)
    return any(name == _name(each) for obj in effect.upstream.values() for each in all_strings(obj))


def _upstreams(key: Key, path: Path, effect: Effect) -> str:
    found = at((effect.upstream or {}).get(key), path)
    return found if isinstance(found, str) else ""


def _likely(was: Any, obj: Manifest) -> str:
    """An image of ``obj`` whose name ends like the old one's."""
    last = _name(str(was)).rpartition("/")[2]
    for text in all_strings(obj):
        if (found := image(text)) and "/" in found.name and found.name.rpartition("/")[2] == last:
            return text
    return ""


def _only_new(old: Manifest, new: Manifest) -> str:
    """The one image of a container that an object has only now; empty where there is none, or several."""
    known = {_name(text) for text in container_images(old)}
    fresh = {text for text in container_images(new) if _name(text) not in known}
    return fresh.pop() if len(fresh) == 1 else ""


def container_images(value: Any) -> Iterator[str]:
    """The images of all containers in an object."""
    if isinstance(value, Mapping):
        for key, child in value.items():
            if key in ("containers", "initContainers") and isinstance(child, list):
                for each in child:
                    text = each.get("image") if isinstance(each, Mapping) else None
                    if isinstance(text, str):
                        yield text
            else:
                yield from container_images(child)
    elif isinstance(value, list):
        for child in value:
            yield from container_images(child)


def _names_alone(item: Item) -> bool:
    """Whether an entry gives another name, and leaves tag and digest to upstream."""
    return isinstance(item.spec, Mapping) and not (item.spec.get("newTag") or item.spec.get("digest"))


def _narrowed(
    item: Item, place: tuple[Key, Path], was: tuple[str, str], new: Effect, *, every: int
) -> list[Note]:
    """A place where the entry used to work: a finding only if an image is still there, under another name."""
    key, path = place
    now = at(new.met.get(key), path)
    if not isinstance(now, str) or now == was[1]:
        return []
    before, here = image(was[0]), image(now)
    if here is None or before is None or here.name == before.name:
        return []
    if _names_alone(item) and here.name == _name(was[1]):
        return []  # upstream now takes it from there itself
    return [
        Note(
            verdict=Verdict.NARROWED, reason="target_gone", path=path, resource=str(object_id(new.met[key])),
            did=f"rewrote {before.name} in {key[0].short}", does=f"still applies in {every} other place(s)",
            because=f"{key[0].short} now uses {here.name}", hint=f"add an entry for {here.name}",
        )
    ]  # fmt: skip


def places(effect: Effect) -> Places:
    """Every string that an entry rewrites, in objects that are there before and after."""
    found: Places = {}
    for key, touch in effect.touched.items():
        if touch.before is None or touch.after is None:
            continue
        for path, before, after in _changed(touch.before, touch.after, (), ""):
            found[key, path] = (before, after)
    return found


def _changed(old: Any, new: Any, path: Path, field: str) -> list[tuple[Path, str, str]]:
    if old is new or old == new:
        return []
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return [
            found for key in old if key in new
            for found in _changed(old[key], new[key], (*path, segment(key)), key)
        ]  # fmt: skip
    if isinstance(old, list) and isinstance(new, list):
        fields = shared_key(field, old, new)
        if fields:
            before, after = keyed(old, fields), keyed(new, fields)
            return [
                found for label in before if label in after
                for found in _changed(before[label], after[label], (*path, f"[{label}]"), "")
            ]  # fmt: skip
        return [
            found for index, (one, other) in enumerate(zip(old, new, strict=False))
            for found in _changed(one, other, (*path, f"[{index}]"), "")
        ]  # fmt: skip
    return [(path, str(old), str(new))]


def _name(text: str) -> str:
    found = image(text)
    return found.name if isinstance(found, Image) else text
