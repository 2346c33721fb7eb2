"""Whether an item reaches anything at all, though it may change nothing there.

What matches nothing is a mistake; what matches and changes nothing says what upstream says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from upstreamsync.kit.expressions import compiled
from upstreamsync.kit.kubernetes.objects import object_id
from upstreamsync.verify.build.builds import Key, Manifest
from upstreamsync.verify.overlays.items import Item, Kind

_TERM: Final = re.compile(
    r"\s*(?P<not>!)?(?P<key>[\w./-]+)\s*(?:(?P<op>==|=|!=|\s+notin\s+|\s+in\s+)\s*(?P<value>\([^)]*\)|[^,]*))?\s*(?:,|$)"
)


def reaches(item: Item, objects: Mapping[Key, Manifest]) -> bool:
    """Whether ``item`` finds something among ``objects`` that it is about."""
    match item.kind:
        case Kind.MERGE | Kind.JSON:
            return not item.target or any(selects(item.target, obj) for obj in objects.values())
        case Kind.LABELS | Kind.ANNOTATIONS:
            return bool(objects)
        case Kind.NAMESPACE:
            return any(key[0].namespace == str(item.spec) for key in objects)
        case Kind.REPLACEMENTS:
            return any(selects(select, obj) for select in _selects(item) for obj in objects.values())
        case Kind.REPLICAS | Kind.GENERATOR:
            return True
    return False


def aims_at(item: Item, obj: Manifest) -> bool:
    """Whether a patch or a replacement selects an object."""
    if item.kind in (Kind.MERGE, Kind.JSON):
        return bool(item.target) and selects(item.target, obj)
    return item.kind is Kind.REPLACEMENTS and any(selects(select, obj) for select in _selects(item))


def _selects(item: Item) -> list[Mapping[str, Any]]:
    spec = item.spec if isinstance(item.spec, Mapping) else {}
    targets = spec.get("targets")
    found = [target.get("select") for target in targets or () if isinstance(target, Mapping)]
    return [select for select in found if isinstance(select, Mapping)]


def selects(target: Mapping[str, Any], obj: Manifest) -> bool:
    """Whether a patch's target selects an object; its fields are anchored regular expressions."""
    name = object_id(obj)
    parts = (
        ("group", name.group), ("version", name.version), ("kind", name.kind), ("name", name.name),
        ("namespace", name.namespace or "default"),
    )  # fmt: skip
    for field, value in parts:
        wanted = target.get(field)
        if wanted and not _is_like(str(wanted), value):
            return False
    metadata = obj.get("metadata")
    here = metadata if isinstance(metadata, Mapping) else {}
    return all(
        _holds(str(target[field]), here.get(kind))
        for field, kind in (("labelSelector", "labels"), ("annotationSelector", "annotations"))
        if target.get(field)
    )


def _is_like(pattern: str, value: str) -> bool:
    expression = compiled(pattern)
    return pattern == value if expression is None else expression.fullmatch(value) is not None


def _holds(selector: str, labels: Any) -> bool:
    """Whether labels satisfy a selector as kubectl writes it: ``a=b,c!=d,e in (f,g),!h``."""
    found = labels if isinstance(labels, Mapping) else {}
    for match in _TERM.finditer(selector):
        key, operation = match["key"], (match["op"] or "").strip()
        value = (match["value"] or "").strip()
        here = str(found[key]) if key in found else None
        if not operation:
            holds = (here is None) is bool(match["not"])
        elif operation in ("=", "=="):
            holds = here == value
        elif operation == "!=":
            holds = here != value
        else:
            listed = [part.strip() for part in value.strip("()").split(",")]
            holds = (here in listed) is (operation == "in")
        if not holds:
            return False
    return True
