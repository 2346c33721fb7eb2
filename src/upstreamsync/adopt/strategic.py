"""Operations as a strategic merge patch: the form that reads like the object itself."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from upstreamsync.adopt.operations import Element, Operation, Path


def strategic_merge(manifest: Mapping[str, Any], operations: Sequence[Operation]) -> dict[str, Any] | None:
    """The patch for one object of upstream's; None where this form can't say it.

    It can't rename an object, set a null, or take away what names an element. Whether kustomize makes of
    it what is meant is for a build to show: where it has no merge key for a list, it replaces the list.
    """
    metadata = manifest.get("metadata") or {}
    patch: dict[str, Any] = {
        "apiVersion": manifest["apiVersion"],
        "kind": manifest["kind"],
        "metadata": {key: metadata[key] for key in ("name", "namespace") if key in metadata},
    }
    for operation in operations:
        if not _can_say(operation) or not _put(patch, operation):
            return None
    return patch


def deletion(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The patch that takes an object away."""
    patch = strategic_merge(manifest, ())
    return {"$patch": "delete", **(patch or {})}


_NAMING: frozenset[Path] = frozenset(
    (("apiVersion",), ("kind",), ("metadata",), ("metadata", "name"), ("metadata", "namespace"))
)


def _can_say(operation: Operation) -> bool:
    return operation.path not in _NAMING and (operation.is_removal or not _has_null(operation.after))


def _has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_null(one) for one in value.values())
    if isinstance(value, list):
        return any(_has_null(one) for one in value)
    return value is None


def _put(patch: dict[str, Any], operation: Operation) -> bool:
    """Write one operation into the patch; whether its place could be made."""
    here: Any = patch
    for step, following in zip(operation.path[:-1], operation.path[1:], strict=True):
        if isinstance(step, Element):
            here = _element(here, step)
        else:
            here = here.setdefault(step, [] if isinstance(following, Element) else {})
        if not isinstance(here, list if isinstance(following, Element) else dict):
            return False
    last = operation.path[-1]
    if isinstance(last, str):
        here[last] = None if operation.is_removal else copy.deepcopy(operation.after)
    elif operation.is_removal:
        here.append({"$patch": "delete", **_key_of(operation.before, last)})
    else:
        here.append(copy.deepcopy(operation.after))
    return True


def _element(items: list[Any], step: Element) -> Any:
    """The element of the patch's list that stands for ``step``, made where there is none yet."""
    wanted = _named(step)
    for item in items:
        if all(item.get(key) == value for key, value in wanted.items()):
            return item
    items.append(dict(wanted))
    return items[-1]


def _named(step: Element) -> dict[str, Any]:
    """What names an element, as its label says it. Numbers are numbers in the API."""
    found: dict[str, Any] = {}
    for part in step.label.split(","):
        key, _, value = part.partition("=")
        number = key in ("containerPort", "port") and value.isdigit()
        found[key] = int(value) if number else value
    return found


def _key_of(item: Mapping[str, Any], step: Element) -> dict[str, Any]:
    return {field: item[field] for field in step.fields if field in item}
