"""What a replacement copies: a source's value may change, and what it is copied to changes with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from upstreamsync.kit.kubernetes.objects import MISSING
from upstreamsync.kit.kubernetes.values import same
from upstreamsync.verify.build.builds import Key, Manifest
from upstreamsync.verify.classify.matching import selects
from upstreamsync.verify.overlays.items import Item

_STEP: Final = re.compile(r"\[([^\]]*)\]|((?:\\.|[^.\[\]])+)")
#: What a source selects its object by.
_SELECTED: Final = ("group", "version", "kind", "name", "namespace")


def source_value(item: Item, objects: Mapping[Key, Manifest]) -> Any:
    """The value that a replacement takes from ``objects``; MISSING where that can't be told."""
    spec = item.spec if isinstance(item.spec, Mapping) else {}
    if "sourceValue" in spec:
        return spec["sourceValue"]
    source = spec.get("source")
    if not isinstance(source, Mapping):
        return MISSING
    wanted = {key: re.escape(str(source[key])) for key in _SELECTED if source.get(key)}
    found = [obj for obj in objects.values() if selects(wanted, obj)]
    if len(found) != 1:
        return MISSING
    value = at_field_path(found[0], str(source.get("fieldPath") or "metadata.name"))
    options = source.get("options")
    if isinstance(options, Mapping) and options.get("delimiter") and isinstance(value, str):
        parts, index = value.split(str(options["delimiter"])), int(options.get("index") or 0)
        return parts[index] if 0 <= index < len(parts) else MISSING
    return value


def at_field_path(value: Any, path: str) -> Any:
    """What stands at a ``fieldPath``: ``spec.containers.[name=a].image``; dots in names are escaped."""
    for inside, plain in _STEP.findall(path):
        name = inside or plain.replace("\\.", ".")
        if isinstance(value, Mapping):
            value = value.get(name, MISSING)
        elif isinstance(value, list) and "=" in inside:
            key, _, wanted = inside.partition("=")
            value = next(
                (each for each in value if isinstance(each, Mapping) and str(each.get(key)) == wanted),
                MISSING,
            )
        elif isinstance(value, list) and name.isdigit():
            value = value[int(name)] if int(name) < len(value) else MISSING
        else:
            return MISSING
    return value


def as_before(met: Any, made: Any, now: Any, then: Any) -> Any:
    """What a replacement made of an object, had its source still the value ``then`` in place of ``now``."""
    if isinstance(met, dict) and isinstance(made, dict):
        return {key: as_before(met.get(key, MISSING), value, now, then) for key, value in made.items()}
    if isinstance(met, list) and isinstance(made, list) and len(met) == len(made):
        return [as_before(one, other, now, then) for one, other in zip(met, made, strict=True)]
    if met is not MISSING and same(met, made):
        return made
    if same(made, now):
        return then
    return made.replace(now, str(then)) if isinstance(made, str) and isinstance(now, str) and now else made
