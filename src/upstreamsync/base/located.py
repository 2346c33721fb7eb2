"""Where in vendors.yaml a declaration stands that can't be followed, without knowing of the file."""

from __future__ import annotations

from collections.abc import Callable

from upstreamsync.model import Place

#: The keys that lead to a declaration below its vendor → its place; None where that is not known.
At = Callable[..., Place | None]


def nowhere(*_: str | int) -> Place | None:
    """For callers without a file."""
    return None
