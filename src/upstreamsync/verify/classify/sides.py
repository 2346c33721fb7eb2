"""The two states of an object on one side: what an item met, and what it made of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from upstreamsync.kit.kubernetes.objects import MISSING, diff, keyed, object_id, shared_key
from upstreamsync.verify.build.builds import Key
from upstreamsync.verify.build.chain import Effect, Touch


def sides(effect: Effect, key: Key) -> tuple[Any, Any]:
    """The object before and after the item; the same twice when the item leaves it alone."""
    touch = effect.touched.get(key)
    if touch is not None:
        return (
            MISSING if touch.before is None else touch.before,
            MISSING if touch.after is None else touch.after,
        )
    here = effect.met.get(key, MISSING)
    return here, here


def nameless(touch: Touch) -> tuple[Any, Any]:
    """A touched object before and after, without what tells it from its kind."""
    return without_name(touch.before), without_name(touch.after)


def without_name(obj: Any) -> Any:
    """An object without name, namespace, kind and version; MISSING for none."""
    if not isinstance(obj, Mapping):
        return MISSING
    metadata = obj.get("metadata")
    kept = {key: value for key, value in (metadata or {}).items() if key not in ("name", "namespace")}
    return {
        **{key: value for key, value in obj.items() if key not in ("apiVersion", "kind")},
        "metadata": kept,
    }


def first_path(touch: Touch) -> tuple[str, ...]:
    """The path of the first field that an item changes."""
    if touch.before is None or touch.after is None:
        return ()
    changes = diff(touch.before, touch.after)
    return (f".{changes[0].path}",) if changes else ()


def resource_of(effect: Effect, key: Key) -> str:
    """The object as text, with the version that it has on this side."""
    obj = effect.met.get(key)
    return str(object_id(obj)) if obj is not None else str(key[0])


def at(obj: Any, path: tuple[str, ...]) -> Any:
    """The value at a path of keys and labels; MISSING when there is none."""
    here, field = obj, ""
    for part in path:
        plain = part[1:] if part.startswith(".") else part[1:-1]
        if isinstance(here, Mapping):
            here = here.get(plain, MISSING)
            field = plain
        elif isinstance(here, list):
            fields = shared_key(field, here)
            if fields:
                here = keyed(here, fields).get(plain, MISSING)
            else:
                here = here[int(plain)] if plain.isdigit() and int(plain) < len(here) else MISSING
        else:
            return MISSING
    return here if obj is not None else MISSING


def value_at(obj: Any, path: str) -> Any:
    """The value at a path as ``diff`` writes it; MISSING when there is none."""
    parts = re.findall(r"\[[^\]]*\]|\.?[^.\[\]]+", path)
    return at(obj, tuple(part if part.startswith(("[", ".")) else f".{part}" for part in parts))
