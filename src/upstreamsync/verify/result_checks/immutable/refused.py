"""One change that the API server refuses, and when two values are the same to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from upstreamsync.verify.result_checks.finding import Manifest
from upstreamsync.verify.result_checks.quantities import same_value


class Refused(NamedTuple):
    """Where, why, and what to do about it."""

    path: str
    why: str
    hint: str


#: The rule of one kind: given the object before and after.
Rule = Callable[[Manifest, Manifest], Iterator[Refused]]


def differ(old: Any, new: Any) -> bool:
    """Whether two values differ for the API server."""
    return not same_value(old, new)


def immutable(kind: str, path: str, hint: str = "") -> Refused:
    """The plain case."""
    return Refused(
        path, f"{path} changed, which is immutable in a {kind}", hint or f"delete the {kind} first"
    )
