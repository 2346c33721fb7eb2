"""What settings of an overlay write.

A namespace, labels, annotations, images and replicas each write values of their own into places of their
own; whether a value is the doing of one of them can be seen from what it was and is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from upstreamsync.verify.build.builds import Manifest
from upstreamsync.verify.overlays.items import Item, Kind

_KINDS: Final = frozenset((Kind.NAMESPACE, Kind.LABELS, Kind.ANNOTATIONS, Kind.IMAGES, Kind.REPLICAS))
_FIELDS: Final = {
    Kind.NAMESPACE: frozenset(("namespace",)),
    Kind.IMAGES: frozenset(("image",)),
    Kind.REPLICAS: frozenset(("replicas",)),
}
#: What an entry of ``images`` may have for it to be plain what it writes.
_IMAGE_KEYS: Final = frozenset(("name", "newName", "newTag", "digest"))
_IMAGE: Final = re.compile(r"(?P<name>.+?)(?P<tag>:[^/:@]+)?(?P<digest>@.+)?")
Path = tuple[str | int, ...]


class Leaf(NamedTuple):
    """A value that differs: where, in what object, and what it was and is."""

    obj: Manifest
    path: Path
    before: Any
    after: Any


def subjects(item: Item) -> frozenset[tuple[Kind, str]]:
    """What a setting is about, so that two of the same subject are not mixed; empty for what is no plain one."""
    if item.kind not in _KINDS or item.is_configured:  # with places of its own choice to write to
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


def written_keys(item: Item) -> frozenset[str]:
    """The fields that a setting may write, wherever they are; a Namespace's name besides."""
    if item.kind in (Kind.LABELS, Kind.ANNOTATIONS):
        return frozenset(_pairs(item))
    return _FIELDS.get(item.kind, frozenset())


def creates(item: Item) -> bool:
    """Whether a setting also writes where there was nothing."""
    return item.kind is not Kind.IMAGES


def writer(item: Item) -> Callable[[Leaf], bool]:
    """Says of a value whether what became of it is just what a setting would have made of it."""
    if item.kind in (Kind.LABELS, Kind.ANNOTATIONS):
        return partial(_writes_pair, _pairs(item), item.kind is Kind.ANNOTATIONS)
    return partial(_WRITES[item.kind], item)


# -- what each kind of setting writes ----------------------------------------------------------------


def _writes_namespace(item: Item, leaf: Leaf) -> bool:
    if leaf.after != item.spec:
        return False
    return leaf.path[-1:] == ("namespace",) or (
        leaf.obj.get("kind") == "Namespace" and leaf.path == ("metadata", "name")
    )


def _writes_pair(pairs: Mapping[str, str], among_annotations: bool, leaf: Leaf) -> bool:
    path = leaf.path
    if not path or path[-1] not in pairs or pairs[str(path[-1])] != leaf.after:
        return False
    return (path[-2:-1] == ("annotations",)) is among_annotations


def _writes_image(item: Item, leaf: Leaf) -> bool:
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


def _writes_replicas(item: Item, leaf: Leaf) -> bool:
    return leaf.path == ("spec", "replicas") and bool(leaf.after == item.spec.get("count"))


_WRITES: Final[Mapping[Kind, Callable[[Item, Leaf], bool]]] = {
    Kind.NAMESPACE: _writes_namespace,
    Kind.IMAGES: _writes_image,
    Kind.REPLICAS: _writes_replicas,
}
