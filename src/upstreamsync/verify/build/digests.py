"""Digests of other content that charts write into annotations and labels, so that pods start again with it.

They change with whatever they are made of, for each version of the chart in its own way. What a value does is told
by that content; that a digest of it is another one says nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

#: What stands in the place of a digest.
ANY: Final = "(a digest of what this chart renders)"
_HEX: Final = re.compile(r"[0-9a-f]{32,128}")
_NAMED: Final = re.compile(r"checksum|sha256|\bhash\b|[-/.]hash$", re.IGNORECASE)


def without_digests(obj: Mapping[str, Any]) -> dict[str, Any]:
    """The object with one text in the place of each digest; itself, where it has none."""
    found: dict[str, Any] = _without(obj, _is_digest)
    return found


def without_labels(obj: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The object with one text in the place of each label and annotation of these names."""
    found: dict[str, Any] = _without(obj, lambda key, _: key in names)
    return found


def _without(value: Any, is_out: Callable[[str, str], bool]) -> Any:
    if isinstance(value, Mapping):
        changed = {
            key: _marked(inner, is_out) if key in ("annotations", "labels") else _without(inner, is_out)
            for key, inner in value.items()
        }
        return changed if any(changed[key] is not inner for key, inner in value.items()) else value
    if isinstance(value, list):
        items = [_without(one, is_out) for one in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def _marked(texts: Any, is_out: Callable[[str, str], bool]) -> Any:
    if not isinstance(texts, Mapping):
        return _without(texts, is_out)
    out = {key for key, text in texts.items() if isinstance(text, str) and is_out(str(key), text)}
    return {key: ANY if key in out else text for key, text in texts.items()} if out else texts


def _is_digest(key: str, text: str) -> bool:
    if _HEX.fullmatch(text):
        return any(character.isdigit() for character in text) and any(
            character.isalpha() for character in text
        )
    return bool(_NAMED.search(key)) and bool(re.fullmatch(r"[0-9a-f]{6,}", text))
