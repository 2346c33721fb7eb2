"""The corrected text of a customization, where the correction is mechanical.

A name that upstream changed is written as it is now: of a container or another element, of the object that
a patch aims at, of an image; an index that moved is corrected; what upstream added to a list that a patch
replaces is added to the patch. Everything else is for a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from upstreamsync.kit.kubernetes.jsonpatch import pointer, resolve, steps
from upstreamsync.kit.kubernetes.objects import element_label, merge_key
from upstreamsync.kit.kubernetes.values import image, same
from upstreamsync.kit.yaml import scalars, syntax
from upstreamsync.model import Fix, Verdict
from upstreamsync.verify.build.builds import Manifest
from upstreamsync.verify.build.chain import Effect
from upstreamsync.verify.classify import successors
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.overlays.items import Item, Kind
from upstreamsync.verify.overlays.tree import Tree

_SEGMENT = re.compile(r"\[[^\]]*\]|\.?[^.\[\]]+")
_AIM_LOST = frozenset((Verdict.LOST, Verdict.FAILS))


@dataclass(frozen=True, slots=True)
class _Case:
    item: Item
    note: Note
    old: Effect
    new: Effect
    tree: Tree


def propose(item: Item, note: Note, old: Effect, new: Effect, tree: Tree) -> Fix | None:
    """The fix for the note that stands for an item; None where a person has to decide."""
    case = _Case(item, note, old, new, tree)
    for attempt in _ATTEMPTS:
        found = attempt(case)
        if found is not None and found.before != found.after and _still_yaml(found.after):
            return found
    return None


def _still_yaml(text: str) -> bool:
    try:
        list(syntax.compose_all(text))
    except syntax.YAMLError:
        return False
    return True


# -- where a patch and its entry stand ---------------------------------------------------------------


def _entry(item: Item, tree: Tree) -> tuple[str, scalars.Source, syntax.Node] | None:
    """The item's entry in its kustomization: file, text, node."""
    kustomization = tree.kustomization(item.folder)
    if kustomization is None or item.index is None or item.is_configured:
        return None
    source = scalars.Source(kustomization.text, kustomization.text)
    node = scalars.find(next(iter(source.documents()), None), [item.field, item.index])
    return (kustomization.file, source, node) if node is not None else None


def patch_text(item: Item, tree: Tree) -> tuple[str, scalars.Source, syntax.Node] | None:
    """A patch itself: its file, its text, the node of its document; None where it can't be edited safely."""
    entry = _entry(item, tree)
    if entry is None or item.kind not in (Kind.MERGE, Kind.JSON):
        return None
    if item.file != entry[0]:
        text = tree.read(item.file).decode("utf-8")
        source: scalars.Source | None = scalars.Source(text, text)
    else:
        holder = entry[2] if isinstance(entry[2], syntax.ScalarNode) else scalars.find(entry[2], ["patch"])
        source = scalars.inline(entry[1].text, holder) if holder is not None else None
    if source is None:
        return None
    documents = source.documents()
    number = (item.doc or 1) - 1
    return (item.file, source, documents[number]) if number < len(documents) else None


def _fix(file: str, source: scalars.Source, edits: Sequence[scalars.Edit | None], title: str) -> Fix | None:
    made = [edit for edit in edits if edit is not None]
    if not made:
        return None
    return Fix(file=file, title=title, before=source.text, after=scalars.apply(source.text, made))


# -- kinds of fixes ----------------------------------------------------------------------------------


def _renamed_element(case: _Case) -> Fix | None:
    """A container, port, env variable … under its new name."""
    if case.note.rename is None or case.item.kind is not Kind.MERGE:
        return None
    body = patch_text(case.item, case.tree)
    if body is None:
        return None
    file, source, document = body
    element = scalars.labelled(document, case.note.path)
    key = case.note.path[-1][1:-1].partition("=")[0]
    new = case.note.rename[1]
    edit = scalars.replace_scalar(source, scalars.find(element, key.split(".")), new)
    what = case.note.path[-2].strip(".").removesuffix("s") if len(case.note.path) > 1 else "element"
    return _fix(file, source, [edit], f"rename the {what} {case.note.rename[0]} to {new}")


def _swallowed_items(case: _Case) -> Fix | None:
    """What upstream added to a list that the patch replaces, added to the patch."""
    note = case.note
    if note.reason != "swallows_upstream_addition" or case.item.kind is not Kind.MERGE:
        return None
    old, _, new, result = note.values
    if not all(isinstance(value, list) for value in (new, result)):
        return None
    before = old if isinstance(old, list) else []
    added = [item for item in new if item not in before and item not in result]
    body = patch_text(case.item, case.tree)
    if body is None or not added or not all(isinstance(item, str) for item in added):
        return None
    file, source, document = body
    edits = [scalars.append_item(source, scalars.labelled(document, note.path), item) for item in added[:1]]
    if len(added) != 1:
        return None
    return _fix(file, source, edits, f"take over {added[0]}, which upstream added")


def _moved_index(case: _Case) -> Fix | None:
    """JSON6902 paths whose indexes point at another element now."""
    item = case.item
    if item.kind is not Kind.JSON or not isinstance(item.body, list):
        return None
    if case.note.reason not in ("index_shift", "path_gone", "test_failed"):
        return None
    keys = [key for key in case.old.touched if key in case.new.met and key in case.old.met]
    body = patch_text(case.item, case.tree)
    if len(keys) != 1 or body is None:
        return None
    file, source, document = body
    edits = []
    for number, operation in enumerate(item.body):
        moved = moved_path(operation, case.old.met[keys[0]], case.new.met[keys[0]])
        if moved is None:
            return None  # one that can't be placed is enough: a person has to look
        if moved != str(operation.get("path", "")):
            edits.append(scalars.replace_scalar(source, scalars.find(document, [number, "path"]), moved))
    return _fix(file, source, edits, "correct the indexes")


def moved_path(operation: Any, old: Manifest, new: Manifest) -> str | None:
    """The path of an operation with each index moved to where its element is now; None if one is gone."""
    if not isinstance(operation, Mapping):
        return None
    parts = steps(str(operation.get("path", "")))
    moved: list[str] = []
    for position, part in enumerate(parts):
        before, after = resolve(old, parts[:position]), resolve(new, moved)
        if not isinstance(before, list) or not part.isdigit():
            moved.append(part)
            continue
        inserted = operation.get("op") == "add" and position == len(parts) - 1
        index = _index_now(before, after, int(part), parts[position - 1] if position else "", inserted)
        if index is None:
            return None
        moved.append(str(index))
    return pointer(moved)


def _index_now(before: list[Any], after: Any, index: int, field: str, inserted: bool) -> int | None:
    if not isinstance(after, list):
        return None
    if inserted:  # it stood behind an element; it should stand behind the same one
        if index == 0:
            return 0
        behind = _index_now(before, after, index - 1, field, inserted=False)
        return None if behind is None else behind + 1
    if not 0 <= index < len(before):
        return None
    wanted = before[index]
    fields = merge_key(field, before) if isinstance(wanted, Mapping) else None
    for position, other in enumerate(after):
        if fields and isinstance(other, Mapping):
            if element_label(other, fields) == element_label(wanted, fields):
                return position
        elif same(other, wanted):
            return position
    return None


def _retargeted(case: _Case) -> Fix | None:
    """The object that a patch aims at, by its new name, kind, namespace or version."""
    if case.note.verdict not in _AIM_LOST or case.item.kind not in (Kind.MERGE, Kind.JSON):
        return None
    aim = _new_aim(case)
    if aim is None:
        return None
    was, now, to = aim
    if case.item.target:
        return _target_fix(case, was, now, to)
    body = patch_text(case.item, case.tree)
    if body is None:
        return None
    file, source, document = body
    api = str(to.get("apiVersion", ""))
    edits: list[scalars.Edit | None] = []
    for path, old, new in (
        (["metadata", "name"], was.name, now.name),
        (["kind"], was.kind, now.kind),
        (
            ["apiVersion"],
            "" if was.kind == now.kind and case.note.reason != "apiversion_changed" else "?",
            api,
        ),
        (["metadata", "namespace"], was.namespace, now.namespace),
    ):
        if old == new:
            continue
        node = scalars.find(document, path)
        if node is not None and new and getattr(node, "value", None) != new and old:
            edits.append(scalars.replace_scalar(source, node, new))
        elif node is None and path[-1] == "namespace" and new:
            edits.append(scalars.insert_key(source, scalars.find(document, ["metadata"]), "namespace", new))
    return _fix(file, source, edits, f"aim at {now.short}")


def _new_aim(case: _Case) -> tuple[Any, Any, Manifest] | None:
    """The id that the item aimed at, the id that it should aim at, and that object."""
    for key, touch in case.old.touched.items():
        if touch.before is None:
            continue
        if key in case.new.met:
            if case.note.reason == "apiversion_changed":
                return key[0], key[0], case.new.met[key]
            continue
        found = successors.find(key, touch.before, case.old.met, case.new.met)
        if found is not None:
            return key[0], found.key[0], found.manifest
    return None


def _target_fix(case: _Case, was: Any, now: Any, to: Manifest) -> Fix | None:
    entry = _entry(case.item, case.tree)
    if entry is None:
        return None
    file, source, node = entry
    target = scalars.find(node, ["target"])
    group, _, version = str(to.get("apiVersion", "")).rpartition("/")
    edits = []
    for field, old, new in (
        ("name", was.name, now.name), ("kind", was.kind, now.kind), ("namespace", was.namespace, now.namespace),
        ("version", None, version), ("group", was.group, group),
    ):  # fmt: skip
        here = scalars.find(target, [field])
        if not isinstance(here, syntax.ScalarNode) or not new or here.value == new:
            continue
        if field != "version" and (old == new or here.value != old):
            continue
        edits.append(scalars.replace_scalar(source, here, new))
    return _fix(file, source, edits, f"aim at {now.short}")


def _renamed_entry(case: _Case) -> Fix | None:
    """An images or replicas entry under the name that upstream uses now."""
    if case.note.verdict not in _AIM_LOST or case.item.kind not in (Kind.IMAGES, Kind.REPLICAS):
        return None
    entry = _entry(case.item, case.tree)
    if entry is None:
        return None
    file, source, node = entry
    new = _image_now(case) if case.item.kind is Kind.IMAGES else _workload_now(case)
    if new is None:
        return None
    edit = scalars.replace_scalar(source, scalars.find(node, ["name"]), new)
    return _fix(file, source, [edit], f"set the name to {new}")


def _workload_now(case: _Case) -> str | None:
    aim = _new_aim(case)
    return str(aim[1].name) if aim and aim[0].kind == aim[1].kind else None


def _image_now(case: _Case) -> str | None:
    hint = case.note.hint or ""
    name = hint.removeprefix("set name to ") if hint.startswith("set name to ") else ""
    return name if image(name) else None


def _renamed_reference(case: _Case) -> Fix | None:
    """A name that upstream changed, in an object of the overlay's own or in a patch."""
    rename = case.note.rename
    if rename is None or case.note.verdict is not Verdict.DANGLING:
        return None
    parts = _SEGMENT.findall(case.note.text_path)
    path = [part if part.startswith("[") else f".{part.removeprefix('.')}" for part in parts]
    for file, source, document in _documents(case):
        node = scalars.labelled(document, path)
        if isinstance(node, syntax.SequenceNode):  # arguments: the one that says it
            node = next((each for each in node.value if rename[0] in str(each.value)), None)
        if isinstance(node, syntax.ScalarNode) and rename[0] in str(node.value):
            edit = scalars.replace_scalar(source, node, str(node.value).replace(*rename))
            return _fix(file, source, [edit], f"name {rename[1]} in place of {rename[0]}")
    return None


def _documents(case: _Case) -> Iterator[tuple[str, scalars.Source, syntax.Node]]:
    """Where an item may say what its note is about: the patch, or the object of its own."""
    if case.item.kind is not Kind.RESOURCE:
        body = patch_text(case.item, case.tree)
        if body is not None:
            yield body
        return
    if not case.tree.is_file(case.item.file):
        return
    text = case.tree.read(case.item.file).decode("utf-8", "replace")
    source = scalars.Source(text, text)
    _, kind, name = [*case.note.resource.split(" "), "", "", ""][:3]
    for document in source.documents():
        told = [scalars.find(document, where) for where in (["kind"], ["metadata", "name"])]
        if [getattr(node, "value", None) for node in told] == [kind, name.rpartition("/")[2]]:
            yield case.item.file, source, document


_ATTEMPTS = (
    _renamed_element, _swallowed_items, _moved_index, _retargeted, _renamed_entry, _renamed_reference,
)  # fmt: skip
