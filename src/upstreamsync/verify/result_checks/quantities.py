"""Whether two values say the same: 500m and 0.5, "1" and 1, a missing map and an empty one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_QUANTITY = re.compile(
    r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(m|u|n|[kMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,3})?"
)
_FACTORS = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1),
    "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12),
    "P": Decimal(10**15), "E": Decimal(10**18), "Ki": Decimal(2**10), "Mi": Decimal(2**20),
    "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50), "Ei": Decimal(2**60),
}  # fmt: skip


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


def quantity(value: Any) -> Decimal | None:
    """The number that a quantity stands for (``500m``, ``1Gi``, ``1e3``, 0.5); None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    match = _QUANTITY.fullmatch(str(value))
    if match is None:
        return None
    suffix = match.group(2) or ""
    factor = _FACTORS.get(suffix)
    return Decimal(match.group(1)) * (Decimal("1" + suffix) if factor is None else factor)
