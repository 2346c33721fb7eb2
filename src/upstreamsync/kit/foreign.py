"""Values that others wrote, which may have any form: taken for what is wanted, or for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, (dict, Mapping)) else {}  # a dict is told at once


def elements(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def strings(value: Any) -> list[str]:
    """The strings in a list; nothing where it is no list."""
    return [one for one in elements(value) if isinstance(one, str)]


def all_strings(value: Any) -> Iterator[str]:
    """Every string in a value, at any depth, keys left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for child in value.values():
            yield from all_strings(child)
    elif isinstance(value, list):
        for child in value:
            yield from all_strings(child)
