"""Lists of a kustomization that have to name something else, and nothing else of the file."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from upstreamsync.kit.yaml import manifests, syntax

_LISTS = ("resources", "bases", "components")


def redirected(text: str, gone: Collection[str], instead: str) -> str | None:
    """The text of a kustomization with ``instead`` in place of the entries that are gone.

    Comments, order and all other lines stay. None where it has none of them, or where the lists are written
    in a way that can't be changed line by line.
    """
    node = syntax.compose(text)
    if not isinstance(node, syntax.MappingNode):
        return None
    found = [
        item
        for key, value in node.value
        if key.value in _LISTS and isinstance(value, syntax.SequenceNode)
        for item in value.value
        if isinstance(item, syntax.ScalarNode) and item.value in gone
    ]
    if not found:
        return None
    first, *rest = found
    for item in reversed(rest):
        start = text.rfind("\n", 0, item.start_mark.index) + 1
        end = text.find("\n", item.end_mark.index)
        if text[start : item.start_mark.index].strip() != "-":
            return None
        text = text[:start] + (text[end + 1 :] if end >= 0 else "")
    text = text[: first.start_mark.index] + instead + text[first.end_mark.index :]
    return text if _names(text) >= {instead} and not _names(text) & set(gone) - {instead} else None


def _names(text: str) -> set[str]:
    loaded: Any = manifests.load(text, name="the kustomization")
    lists = [loaded.get(key) or [] for key in _LISTS] if isinstance(loaded, dict) else []
    return {one for items in lists for one in items if isinstance(one, str)}
