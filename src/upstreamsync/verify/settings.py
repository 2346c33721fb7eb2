"""Telling apart what settings of an overlay do that were switched on together.

A namespace, labels, annotations, images and replicas each write values of their own into places of their
own. From an object before and after it can be read which of them changed what, without a build for each.
Every value that differs has to be just what one of them would write; otherwise nothing is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from upstreamsync.kit.objects import MISSING, Missing
from upstreamsync.verify.builds import Manifest
from upstreamsync.verify.items import RENAMING, Item, Kind

_KINDS: Final = frozenset((Kind.NAMESPACE, Kind.LABELS, Kind.ANNOTATIONS, Kind.IMAGES, Kind.REPLICAS))
#: What an entry of ``images`` may have for it to be plain what it writes.
_IMAGE_KEYS: Final = frozenset(("name", "newName", "newTag", "digest"))
_IMAGE: Final = re.compile(r"(?P<name>.+?)(?P<tag>:[^/:@]+)?(?P<digest>@.+)?")
Path = tuple[str | int, ...]


class _Untold(Exception):
    """A difference that can't be laid to one of the settings."""


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A value that differs: where, in what object, and what it was and is."""

    obj: Manifest
    path: Path
    before: Any
    after: Any


def may_join(item: Item, wave: Sequence[Item]) -> bool:
    """Whether what ``item`` does can be told from what those of ``wave`` do, if all are switched on at once."""
    if sum(each.kind in RENAMING for each in (*wave, item)) > 1:
        return False
    mine = _subjects(item)
    theirs = [_subjects(other) for other in wave]
    return bool(mine) and all(other and mine.isdisjoint(other) for other in theirs)


def _subjects(item: Item) -> frozenset[tuple[Kind, str]]:
    """What a setting is about, so that two of the same subject are not mixed; empty for what is no plain one."""
    if item.kind not in _KINDS:
        return frozenset()
    names: Sequence[Any] = ()
    spec = item.spec
    if item.kind is Kind.NAMESPACE:
        names = [""] if isinstance(spec, str) else []
    elif item.kind in (Kind.LABELS, Kind.ANNOTATIONS):
        names = list(_pairs(item))
    elif isinstance(spec, Mapping) and item.kind is Kind.IMAGES and spec.keys() <= _IMAGE_KEYS:
        names = [spec.get("name"), spec.get("newName") or spec.get("name")]
    elif isinstance(spec, Mapping) and item.kind is Kind.REPLICAS:
        names = [spec.get("name")]
    return (
        frozenset((item.kind, name) for name in names)
        if all(isinstance(n, str) for n in names)
        else frozenset()
    )


def _pairs(item: Item) -> Mapping[str, str]:
    """The labels or annotations that an item sets; none where they go to places of the user's choice."""
    spec = item.spec
    if not isinstance(spec, Mapping):
        return {}
    found = spec.get("pairs") if item.field == "labels" else spec
    if item.field == "labels" and spec.get("fields"):
        return {}
    plain = isinstance(found, Mapping) and all(isinstance(value, str) for value in found.values())
    return found if plain and isinstance(found, Mapping) else {}


def tell_apart(wave: Sequence[Item], before: Manifest, after: Manifest) -> list[Manifest] | None:
    """An object after each item of the wave, the last one ``after``; None where that can't be told."""
    try:
        # Each of these looks at every value that differs; the state after the last item is known.
        states = [_blend(before, after, (), before, wave, number) for number in range(max(1, len(wave) - 1))]
    except _Untold:
        return None
    return [*states[: len(wave) - 1], after]


def _blend(a: Any, c: Any, path: Path, obj: Manifest, wave: Sequence[Item], last: int) -> Any:
    """``a`` with those of its differences from ``c`` that are the doing of items up to number ``last``."""
    if a is c or (type(a) is type(c) and a == c):
        return a
    if isinstance(c, Mapping) and isinstance(a, (Mapping, Missing)):
        return _blend_maps(a if isinstance(a, Mapping) else {}, c, path, obj, wave, last) or a
    if isinstance(a, list) and isinstance(c, list) and len(a) == len(c):
        return [
            _blend(left, right, (*path, number), obj, wave, last)
            for number, (left, right) in enumerate(zip(a, c, strict=True))
        ]
    leaf = _Leaf(obj, path, a, c)
    owners = [number for number, item in enumerate(wave) if _WRITES[item.kind](item, leaf)]
    if len(owners) != 1:
        raise _Untold
    return c if owners[0] <= last else a


def _blend_maps(
    a: Mapping[str, Any], c: Mapping[str, Any], path: Path, obj: Manifest, wave: Sequence[Item], last: int
) -> dict[str, Any]:
    if a.keys() - c.keys() or not c:
        raise _Untold
    blended = {
        key: _blend(a.get(key, MISSING), value, (*path, key), obj, wave, last) for key, value in c.items()
    }
    return {key: value for key, value in blended.items() if value is not MISSING}


# -- what each kind of setting writes ----------------------------------------------------------------


def _writes_namespace(item: Item, leaf: _Leaf) -> bool:
    if leaf.after != item.spec:
        return False
    return leaf.path[-1:] == ("namespace",) or (
        leaf.obj.get("kind") == "Namespace" and leaf.path == ("metadata", "name")
    )


def _writes_label(item: Item, leaf: _Leaf) -> bool:
    return leaf.path[-2:-1] != ("annotations",) and _is_pair(item, leaf)


def _writes_annotation(item: Item, leaf: _Leaf) -> bool:
    return leaf.path[-2:-1] == ("annotations",) and _is_pair(item, leaf)


def _is_pair(item: Item, leaf: _Leaf) -> bool:
    pairs = _pairs(item)
    return bool(leaf.path) and leaf.path[-1] in pairs and pairs[str(leaf.path[-1])] == leaf.after


def _writes_image(item: Item, leaf: _Leaf) -> bool:
    if leaf.path[-1:] != ("image",) or not isinstance(leaf.before, str):
        return False
    image = _IMAGE.fullmatch(leaf.before)
    if image is None or image["name"] != item.spec["name"]:
        return False
    tag, digest = image["tag"] or "", image["digest"] or ""
    if item.spec.get("newTag") is not None or item.spec.get("digest") is not None:
        tag = f":{item.spec['newTag']}" if item.spec.get("newTag") is not None else ""
        digest = f"@{item.spec['digest']}" if item.spec.get("digest") is not None else ""
    return bool(leaf.after == f"{item.spec.get('newName') or image['name']}{tag}{digest}")


def _writes_replicas(item: Item, leaf: _Leaf) -> bool:
    return leaf.path == ("spec", "replicas") and bool(leaf.after == item.spec.get("count"))


_WRITES: Final[Mapping[Kind, Callable[[Item, _Leaf], bool]]] = {
    Kind.NAMESPACE: _writes_namespace,
    Kind.LABELS: _writes_label,
    Kind.ANNOTATIONS: _writes_annotation,
    Kind.IMAGES: _writes_image,
    Kind.REPLICAS: _writes_replicas,
}
