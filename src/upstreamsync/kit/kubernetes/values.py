"""Scalars as Kubernetes means them: quantities, images, flags; and whether two values say the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from upstreamsync.kit.kubernetes.objects import MISSING, keyed, shared_key

if TYPE_CHECKING:  # loaded where there are quantities to compare
    from fractions import Fraction

_QUANTITY: Final = re.compile(
    r"([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)(?:[eE]([+-]?\d{1,3})|([KMGTPE]i|[numkMGTPE]))?"
)
_IMAGE: Final = re.compile(
    r"(?P<name>(?:[\w.-]+(?::\d+)?/)?[\w.-]+(?:/[\w.-]+)*)(?::(?P<tag>[\w][\w.-]{0,127}))?"
    r"(?:@(?P<digest>[a-z0-9]+:[0-9a-f]{32,}))?"
)
_NUMBERS: Final = re.compile(r"\d+")
#: What versions are called before they are released, in order.
_STAGES: Final = ("snapshot", "alpha", "beta", "preview", "pre", "rc")
_CANDIDATE: Final = re.compile(rf"[-_.+]?({'|'.join(_STAGES)})(?![a-z])", re.IGNORECASE)


@cache
def _units() -> Mapping[str, Fraction]:
    from fractions import Fraction

    return {
        "n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "": Fraction(1),
        "k": Fraction(10**3), "M": Fraction(10**6), "G": Fraction(10**9), "T": Fraction(10**12),
        "P": Fraction(10**15), "E": Fraction(10**18), "Ki": Fraction(2**10), "Mi": Fraction(2**20),
        "Gi": Fraction(2**30), "Ti": Fraction(2**40), "Pi": Fraction(2**50), "Ei": Fraction(2**60),
    }  # fmt: skip


def quantity(value: Any) -> Fraction | None:
    """The number that a quantity stands for (``500m``, ``1Gi``, ``1e3``, 0.5); None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    match = _QUANTITY.fullmatch(str(value))
    if match is None:
        return None
    from fractions import Fraction

    number, exponent, unit = match.groups()
    power = Fraction(10) ** int(exponent) if exponent else Fraction(1)
    return Fraction(number) * power * _units()[unit or ""]


def same(left: Any, right: Any, field: str = "") -> bool:
    """Whether two JSON-like values mean the same: quoting, units and the order of keyed lists aside."""
    if left is MISSING or right is MISSING:
        return left is right
    if type(left) is type(right) and left == right:
        return True
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(
            same(value, right[key], key)
            for key, value in left.items()
            if type(value) is not type(right[key]) or value != right[key]
        )
    if isinstance(left, list) and isinstance(right, list):
        return _same_lists(left, right, field)
    if isinstance(left, (dict, list)) or isinstance(right, (dict, list)):
        return False
    return _same_scalars(left, right)


def _same_lists(left: list[Any], right: list[Any], field: str) -> bool:
    if len(left) != len(right):
        return False
    fields = shared_key(field, left, right)
    if fields is not None:
        return same(keyed(left, fields), keyed(right, fields))
    return all(same(one, other) for one, other in zip(left, right, strict=True))


def _same_scalars(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    if isinstance(left, bool) or isinstance(right, bool):
        return str(left).lower() == str(right).lower()
    if str(left) == str(right):
        return True
    one, other = quantity(left), quantity(right)
    return one is not None and one == other and not (isinstance(left, str) and _zero_padded(left))


def _zero_padded(text: str) -> bool:
    return len(text) > 1 and text[0] == "0" and text[1].isdigit()


@dataclass(frozen=True, slots=True)
class Image:
    """A container image's parts; ``tag`` and ``digest`` are empty when it has none."""

    name: str
    tag: str
    digest: str

    def __str__(self) -> str:
        return f"{self.name}{':' + self.tag if self.tag else ''}{'@' + self.digest if self.digest else ''}"


def image(value: Any) -> Image | None:
    """The parts of an image reference; None for what can't be one."""
    match = _IMAGE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    return Image(match["name"], match["tag"] or "", match["digest"] or "")


def older(tag: str, other: str) -> bool | None:
    """Whether ``tag`` names an older version than ``other``; None when the two can't be compared."""
    left, right = _NUMBERS.findall(tag), _NUMBERS.findall(other)
    plain = re.compile(r"v?\d+(?:\.\d+)*(?:[-_+.].*)?")
    if not (plain.fullmatch(tag) and plain.fullmatch(other)) or not left or not right:
        return None
    core = re.compile(r"v?(\d+(?:\.\d+)*)")
    one, two = core.match(tag), core.match(other)
    if one is None or two is None:
        return None
    first = [int(part) for part in one.group(1).split(".")]
    second = [int(part) for part in two.group(1).split(".")]
    width = max(len(first), len(second))
    first, second = (each + [0] * (width - len(each)) for each in (first, second))
    return (first, _stage(tag[one.end() :])) < (second, _stage(other[two.end() :]))


def _stage(rest: str) -> tuple[int, list[int]]:
    """How far the way to a release has come, by what stands behind its numbers; a release itself is last."""
    match = _CANDIDATE.match(rest)
    if match is None:
        return len(_STAGES), []
    numbers = [int(part) for part in _NUMBERS.findall(rest[match.end() :])]
    return _STAGES.index(match[1].lower()), numbers


def flag(token: str) -> str:
    """The part of an argument that names it: ``--port`` of ``--port=8080``."""
    return token.partition("=")[0] if token.startswith("-") else token


def show(value: Any, limit: int = 80) -> str:
    """A value for a sentence: short, on one line."""
    if value is MISSING:
        return "nothing"
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif value is None:
        text = "null"
    elif isinstance(value, (dict, list)):
        text = _outline(value)
    else:
        text = str(value)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _outline(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {show(child, 40)}" for key, child in value.items()) + "}"
    return "[" + ", ".join(show(child, 40) for child in value) + "]"
