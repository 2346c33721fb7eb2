"""Operations as a JSON 6902 patch: the form for what has no merge key, and for what a merge would lose.

A path by position hits something else as soon as upstream moves it. So each position is guarded by a
`test` of what names the element there: then an update that moves it fails, and is not silent.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from upstreamsync.adopt.operations import Element, Operation, operations
from upstreamsync.kit.kubernetes.objects import element_label, likeness

Step = dict[str, Any]
#: Elements without a name that are at least this alike are one element that was changed.
_ALIKE = 0.3


@dataclass(slots=True)
class _Patch:
    """The steps so far, and the object as it is after them."""

    state: Any
    steps: list[Step] = field(default_factory=list)
    guarded: set[tuple[str, str]] = field(default_factory=set)

    def add(self, op: str, pointer: str, value: Any) -> None:
        self.steps.append({"op": op, "path": pointer, "value": copy.deepcopy(value)})

    def remove(self, pointer: str) -> None:
        self.steps.append({"op": "remove", "path": pointer})

    def guard(self, pointer: str, value: Any) -> None:
        key = (pointer, json.dumps(value, sort_keys=True))
        if key not in self.guarded:
            self.guarded.add(key)
            self.add("test", pointer, value)

    def moved(self) -> None:
        """Positions may stand for other elements now: what was tested has to be tested again."""
        self.guarded.clear()


def json_patch(manifest: Mapping[str, Any], changes: Sequence[Operation]) -> tuple[Step, ...]:
    """The steps that make the changes, upon upstream's object.

    Elements that go, go from the end; elements that come, come last, so that positions hold meanwhile.
    """
    patch = _Patch(state=copy.deepcopy(dict(manifest)))
    into = [one for one in changes if not isinstance(one.path[-1], Element)]
    going = [one for one in changes if isinstance(one.path[-1], Element) and one.is_removal]
    coming = [one for one in changes if isinstance(one.path[-1], Element) and not one.is_removal]
    for operation in (*into, *reversed(going), *coming):
        _apply(patch, operation)
    return tuple(patch.steps)


def whole_fields(
    manifest: Mapping[str, Any], changes: Sequence[Operation], local: Mapping[str, Any]
) -> Iterator[Step]:
    """The coarsest steps: each top-level field that differs, as a whole. For what nothing finer gives back."""
    for name in dict.fromkeys(str(one.path[0]) for one in changes):
        pointer = f"/{_escaped(name)}"
        if name not in local:
            yield {"op": "remove", "path": pointer}
        else:
            op = "replace" if name in manifest else "add"
            yield {"op": op, "path": pointer, "value": copy.deepcopy(local[name])}


def _apply(patch: _Patch, operation: Operation) -> None:
    parent, pointer = _descend(patch, operation.path[:-1])
    last = operation.path[-1]
    if isinstance(last, str):
        here = f"{pointer}/{_escaped(last)}"
        if operation.is_removal:
            patch.remove(here)
            parent.pop(last)
        elif isinstance(operation.before, list) and isinstance(operation.after, list):
            _change_list(patch, operation.before, operation.after, here)
            parent[last] = copy.deepcopy(operation.after)
        else:
            patch.add("add" if operation.is_addition else "replace", here, operation.after)
            parent[last] = copy.deepcopy(operation.after)
    elif operation.is_removal:
        index = _index(parent, last)
        _guard_element(patch, f"{pointer}/{index}", parent[index], last)
        patch.remove(f"{pointer}/{index}")
        parent.pop(index)
        patch.moved()
    elif operation.is_addition:
        patch.add("add", f"{pointer}/-", operation.after)
        parent.append(copy.deepcopy(operation.after))
    else:
        index = _index(parent, last)
        patch.add("replace", f"{pointer}/{index}", operation.after)
        parent[index] = copy.deepcopy(operation.after)


def _descend(patch: _Patch, path: Sequence[str | Element]) -> tuple[Any, str]:
    """The value at a path and its pointer; guards each position on the way."""
    here, pointer = patch.state, ""
    for step in path:
        if isinstance(step, Element):
            index = _index(here, step)
            here, pointer = here[index], f"{pointer}/{index}"
            _guard_element(patch, pointer, here, step)
        else:
            here, pointer = here[step], f"{pointer}/{_escaped(step)}"
    return here, pointer


def _index(items: Sequence[Any], step: Element) -> int:
    return next(index for index, item in enumerate(items) if element_label(item, step.fields) == step.label)


def _guard_element(patch: _Patch, pointer: str, item: Mapping[str, Any], step: Element) -> None:
    for name in step.fields:
        value: Any = item
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            patch.guard(f"{pointer}/{name.replace('.', '/')}", value)


def _escaped(key: str) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")


# -- lists without names -----------------------------------------------------------------------------


def _change_list(patch: _Patch, before: list[Any], after: list[Any], pointer: str) -> None:
    """Change single elements where that is shorter than to say the whole list again."""
    single = _Patch(state=None)
    for tag, i1, i2, j1, j2 in reversed(_opcodes(before, after)):
        _change_run(single, before, after, (tag, i1, i2, j1, j2), pointer)
    whole: Step = {"op": "replace", "path": pointer, "value": copy.deepcopy(after)}
    if _length(single.steps) <= _length([whole]):
        patch.steps += single.steps
    else:
        patch.steps.append(whole)


def _opcodes(before: Sequence[Any], after: Sequence[Any]) -> list[tuple[str, int, int, int, int]]:
    one, other = ([json.dumps(item, sort_keys=True) for item in items] for items in (before, after))
    found = SequenceMatcher(a=one, b=other, autojunk=False).get_opcodes()
    return [(tag, i1, i2, j1, j2) for tag, i1, i2, j1, j2 in found if tag != "equal"]


def _change_run(
    patch: _Patch, before: list[Any], after: list[Any], run: tuple[str, int, int, int, int], pointer: str
) -> None:
    """One run of elements, from its end, so that positions before it hold."""
    _, i1, i2, j1, j2 = run
    common = min(i2 - i1, j2 - j1)
    for index in reversed(range(i1 + common, i2)):
        for place, value in _identity(before[index], f"{pointer}/{index}", before):
            patch.guard(place, value)
        patch.remove(f"{pointer}/{index}")
        patch.moved()
    for offset, item in enumerate(after[j1 + common : j2]):
        index = i1 + common + offset
        at_end = i1 + common == len(before)
        if not at_end and not offset:
            for place, value in _identity(before[i1 + common], f"{pointer}/{i1 + common}", before):
                patch.guard(place, value)
        patch.add("add", f"{pointer}/{'-' if at_end else index}", item)
    if j2 - j1 > common:
        patch.moved()
    for offset in reversed(range(common)):
        _change_element(patch, before, i1 + offset, after[j1 + offset], f"{pointer}/{i1 + offset}")


def _change_element(patch: _Patch, before: list[Any], index: int, new: Any, pointer: str) -> None:
    old = before[index]
    if isinstance(old, dict) and isinstance(new, dict) and likeness(old, new) >= _ALIKE:
        changes = operations(old, new)
        touched = {str(one.path[0]) for one in changes}
        for place, value in _identity({key: old[key] for key in old if key not in touched}, pointer, before):
            patch.guard(place, value)
        inner = json_patch(old, changes)
        if _length(inner) <= _length([{"op": "replace", "path": pointer, "value": new}]):
            patch.steps += [{**step, "path": pointer + step["path"]} for step in inner]
            return
    for place, value in _identity(old, pointer, before):
        patch.guard(place, value)
    patch.add("replace", pointer, new)


def _identity(item: Any, pointer: str, siblings: Sequence[Any] = ()) -> Iterator[tuple[str, Any]]:
    """The least that tells an element without a name from its ``siblings``: itself, or the shortest field."""
    if isinstance(item, dict) and item:

        def others(key: str) -> int:
            """How many of the siblings have the same there."""
            return sum(isinstance(one, dict) and one.get(key) == item[key] for one in siblings)

        key = min(item, key=lambda one: (others(one), _length([item[one]]), str(one)))
        yield f"{pointer}/{_escaped(key)}", item[key]
    elif not isinstance(item, dict):
        yield pointer, item


def _length(value: Sequence[Any]) -> int:
    """How long something is when it is written down, in characters."""
    return len(json.dumps(value))
