"""Documents are read once in a run, however many overlays, sides and states have them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

Read = TypeVar("Read")


@dataclass(slots=True)
class ParseCache:
    """Remembers what functions made of texts; safe for several threads, as nothing in it ever changes."""

    _known: dict[tuple[Callable[[bytes], Any], bytes], Any] = field(default_factory=dict)

    def once(self, function: Callable[[bytes], Read], text: bytes) -> Read:
        """What ``function`` makes of ``text``; it has to depend on nothing else. Not to be changed."""
        key = (function, text)
        if key not in self._known:
            self._known[key] = function(text)
        found: Read = self._known[key]
        return found
