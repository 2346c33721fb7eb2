"""JSON6902 operations on an object, followed far enough to say which of them can't be done, and why.

kustomize is what decides; this only explains its refusal, and gives the elements behind indexes names.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from upstreamsync.kit.kubernetes.objects import MISSING, element_label, merge_key, segment
from upstreamsync.kit.kubernetes.values import same, show


def steps(pointer: str) -> list[str]:
    """The steps of a JSON pointer, unescaped."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def pointer(parts: Sequence[str]) -> str:
    """A JSON pointer of steps."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def resolve(document: Any, parts: Sequence[str]) -> Any:
    """The value at a pointer; MISSING when there is none."""
    here = document
    for part in parts:
        if isinstance(here, Mapping) and part in here:
            here = here[part]
        elif isinstance(here, list) and part.lstrip("-").isdigit() and -len(here) <= int(part) < len(here):
            here = here[int(part)]
        else:
            return MISSING
    return here


def named_path(document: Any, parts: Sequence[str]) -> tuple[str, ...]:
    """A pointer as a path whose list elements are named by merge key, where the document has them."""
    here, path, field = document, [], ""
    for part in parts:
        if isinstance(here, list):
            fields = merge_key(field, here)
            index = int(part) if part.isdigit() else -1
            if 0 <= index < len(here):
                path.append(f"[{element_label(here[index], fields)}]" if fields else f"[{part}]")
                here = here[index]
            else:
                path.append(f"[{part}]")
                here = MISSING
            field = ""
        else:
            path.append(segment(part))
            field = part
            here = here.get(part, MISSING) if isinstance(here, Mapping) else MISSING
    return tuple(path)


@dataclass(frozen=True, slots=True)
class Failure:
    """The first operation that can't be done: ``index`` in the patch, ``found`` the value in its way."""

    index: int
    parts: tuple[str, ...]
    path: tuple[str, ...]
    found: Any
    why: str

    def value_at(self, document: Any) -> Any:
        """What stood at the operation's path in another state."""
        return resolve(document, self.parts)

    def moved_to(self, document: Any, value: Any) -> str | None:
        """Where ``value`` stands now: another index of the same list, or another key of the same map."""
        if value is MISSING:
            return None
        parent = resolve(document, self.parts[:-1])
        if isinstance(parent, list):
            for index, other in enumerate(parent):
                if same(other, value) or _same_name(other, value):
                    return pointer([*self.parts[:-1], str(index)])
        elif isinstance(parent, Mapping) and not isinstance(value, (bool, type(None))):
            for key, other in parent.items():
                if key != self.parts[-1] and same(other, value) and isinstance(value, (str, dict, list)):
                    return pointer([*self.parts[:-1], str(key)])
        return None


def _same_name(one: Any, other: Any) -> bool:
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return False
    return "name" in one and one.get("name") == other.get("name")


def first_failure(operations: Sequence[Any], document: Any) -> Failure | None:
    """The first operation of a patch that can't be applied to ``document``; None when all can."""
    here = copy.deepcopy(document)
    for index, operation in enumerate(operations):
        if not isinstance(operation, Mapping):
            continue
        parts = tuple(steps(str(operation.get("path", ""))))
        why = _refusal(operation, here, parts)
        if why is not None:
            return Failure(index, parts, named_path(here, parts), resolve(here, parts), why)
        _apply(operation, here, parts)
    return None


def _refusal(operation: Mapping[str, Any], here: Any, parts: tuple[str, ...]) -> str | None:
    op = operation.get("op")
    if op == "add":
        parent = resolve(here, parts[:-1])
        where = "/" + "/".join(parts[:-1])
        if parts[:2] == ("metadata", "annotations") and len(parts) == 3:
            return None  # kustomize keeps annotations of its own there while it builds
        if not isinstance(parent, (Mapping, list)):
            return f"{where} is gone upstream"
        if isinstance(parent, list) and parts[-1] != "-" and int_or(parts[-1]) > len(parent):
            return f"{where} has only {len(parent)} items now"
        return None
    found = resolve(here, parts)
    if found is MISSING:
        parent = resolve(here, parts[:-1])
        if isinstance(parent, list):
            return f"/{'/'.join(parts[:-1])} has only {len(parent)} items now"
        return f"/{'/'.join(parts)} is gone upstream"
    if op == "test" and not same(found, operation.get("value")):
        return f"found {show(found)}"
    return None


def int_or(text: str, other: int = 0) -> int:
    """The number that ``text`` is, or ``other``."""
    return int(text) if text.isdigit() else other


def _apply(operation: Mapping[str, Any], document: Any, parts: tuple[str, ...]) -> None:
    op, value = operation.get("op"), copy.deepcopy(operation.get("value"))
    parent = resolve(document, parts[:-1])
    last = parts[-1] if parts else ""
    if isinstance(parent, list):
        index = len(parent) if last == "-" else int_or(last)
        if op == "add":
            parent.insert(index, value)
        elif op == "remove" and index < len(parent):
            del parent[index]
        elif op == "replace" and index < len(parent):
            parent[index] = value
    elif isinstance(parent, dict):
        if op in ("add", "replace"):
            parent[last] = value
        elif op == "remove":
            parent.pop(last, None)
