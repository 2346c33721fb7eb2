"""Objects in which a release has moved labels and images alone, as it does in most of them.

What holds of the rest held before: rules that look at other fields need not look at these objects again.
"""

from __future__ import annotations

from typing import Any

from .finding import Manifest
from .index import Key, World, at, key_of
from .pods import CONTAINER_LISTS, template_steps


def alike(before: World, after: World) -> frozenset[Key]:
    """The objects of the new result that differ from the old ones in such values alone, if at all."""
    known: tuple[World, frozenset[Key]] | None = after.derived.get("alike")
    if known is None or known[0] is not before:
        found = frozenset(
            key
            for new in after.objects
            if (old := before.by_key.get(key := key_of(new))) is not None and is_alike(old, new)
        )
        known = after.derived["alike"] = before, found
    return known[1]


def is_alike(old: Manifest, new: Manifest) -> bool:
    """Whether nothing differs but labels of the object, and the images of its containers; all of them texts."""
    if old is new or old == new:
        return True
    return _same_but_labels(old.get("metadata"), new.get("metadata")) and _same_but(
        old, new, ("metadata",), template_steps(new)
    )


def _same_but_labels(old: Any, new: Any) -> bool:
    if old == new:
        return True
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return False
    labels = new.get("labels")
    texts = isinstance(labels, dict) and all(isinstance(value, str) for value in labels.values())
    return texts and _rest_equals(old, new, ("labels",))


def _same_but(old: Any, new: Any, left_out: tuple[str, ...], steps: tuple[str, ...] | None) -> bool:
    """Whether two maps are the same but for what is left out, and for images below the steps to a pod template."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return bool(old == new)
    if steps is None:
        return _rest_equals(old, new, left_out)
    if steps:
        way, *others = steps
        return _rest_equals(old, new, (*left_out, way)) and _same_but(
            old.get(way), new.get(way), (), tuple(others)
        )
    return _rest_equals(old, new, (*left_out, "spec")) and _same_pod(old.get("spec"), new.get("spec"))


def _same_pod(old: Any, new: Any) -> bool:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return bool(old == new)
    return _rest_equals(old, new, CONTAINER_LISTS) and all(
        _same_containers(old.get(name), new.get(name)) for name in CONTAINER_LISTS
    )


def _same_containers(old: Any, new: Any) -> bool:
    if old == new:
        return True
    if not (isinstance(old, list) and isinstance(new, list) and len(old) == len(new)):
        return False
    return all(
        one == other or (_has_image(one) and _has_image(other) and _rest_equals(one, other, ("image",)))
        for one, other in zip(old, new, strict=True)
    )


def _has_image(container: Any) -> bool:
    image = at(container, "image")
    return isinstance(image, str) and bool(image)


def _rest_equals(old: dict[str, Any], new: dict[str, Any], left_out: tuple[str, ...]) -> bool:
    """Whether all but the keys that are left out is the same, which both have or have not."""
    if old.keys() != new.keys():
        return False
    return all(value is new[key] or value == new[key] for key, value in old.items() if key not in left_out)
