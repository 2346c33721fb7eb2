"""Elements that a JSON 6902 patch meets by their position, whatever upstream calls them now.

A strategic merge goes by name; a patch by index does the same to an element that was only renamed where it
stands. So such an element is compared with what it was, and one of which the patch itself changes the key too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from upstreamsync.kit.kubernetes.values import same
from upstreamsync.verify.classify.elements import alike
from upstreamsync.verify.classify.walk import Four

#: From here on two elements at one position are one; an equal repository of images gets there.
_ENOUGH: Final = 0.6


def by_position(around: Four) -> Four:
    """Four lists by label, an element that is only called otherwise under the label that it had first."""
    a, b, c, d = around
    for old, new in _exchanged(a, c):
        if _is_one(a[old], c[new]):
            c, d = _relabelled(c, new, old), _relabelled(d, new, old)
    for old, edited in _exchanged(a, b):
        now = next((new for label, new in _exchanged(c, d) if label == old), None)
        if now is not None:
            b, d = _relabelled(b, edited, old), _relabelled(d, now, old)
    return Four(a, b, c, d)


def _exchanged(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The labels that stand at one position, each of which the other list has not."""
    return [
        (old, new) for old, new in zip(one, other, strict=False) if old not in other and new not in one
    ]  # fmt: skip


def _relabelled(elements: Mapping[str, Any], label: str, instead: str) -> dict[str, Any]:
    return {instead if each == label else each: value for each, value in elements.items()}


def _is_one(old: Any, new: Any) -> bool:
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return False
    name = old.get("name")
    return (name is not None and same(name, new.get("name"))) or alike(old, new) >= _ENOUGH
