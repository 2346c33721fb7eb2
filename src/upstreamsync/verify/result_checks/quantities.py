"""Whether two values say the same: 500m and 0.5, "1" and 1, a missing map and an empty one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upstreamsync.kit.kubernetes.values import quantity

_ABSENT: tuple[Any, ...] = (None, False, "", [], {})


def _is_zero(value: Any) -> bool:
    """Whether it is the number 0, which Python takes for false."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def same_value(one: Any, other: Any) -> bool:
    """Equality as the API server sees it; null, false and what is empty count as absent."""
    if one in _ABSENT and other in _ABSENT and not _is_zero(one) and not _is_zero(other):
        return True
    if isinstance(one, Mapping) or isinstance(other, Mapping):
        if not isinstance(one or {}, Mapping) or not isinstance(other or {}, Mapping):
            return False
        left, right = one or {}, other or {}
        return all(same_value(left.get(key), right.get(key)) for key in left.keys() | right.keys())
    if isinstance(one, list) or isinstance(other, list):
        if not isinstance(one or [], list) or not isinstance(other or [], list):
            return False
        items, others = one or [], other or []
        return len(items) == len(others) and all(map(same_value, items, others))
    if one == other and type(one) is type(other):
        return True
    return quantity(one) is not None and quantity(one) == quantity(other)
