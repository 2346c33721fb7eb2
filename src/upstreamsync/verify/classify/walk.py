"""What every judge of one path is given: its four values, and the walk that it is part of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from upstreamsync.kit.kubernetes.objects import MISSING
from upstreamsync.model import Verdict
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.overlays.items import Item


class Four(NamedTuple):
    """The four values of one path; MISSING where there is none."""

    a: Any
    b: Any
    c: Any
    d: Any

    def child(self, key: str) -> Four:
        """The four values one map key deeper."""
        return Four(*[value.get(key, MISSING) if isinstance(value, dict) else MISSING for value in self])

    @property
    def are_maps(self) -> bool:
        """Whether there is a map in each of the four states."""
        return type(self.a) is type(self.b) is type(self.c) is type(self.d) is dict

    @property
    def is_untouched(self) -> bool:
        """Whether it is plain that the item changes nothing, before and after."""
        a, b, c, d = self
        return (a is b or (type(a) is type(b) and a == b)) and (c is d or (type(c) is type(d) and c == d))

    @property
    def shape(self) -> str:
        """Which of the four are there: ``1101``."""
        return "".join("0" if value is MISSING else "1" for value in self)

    @property
    def present(self) -> list[Any]:
        """The values that are there."""
        return [value for value in self if value is not MISSING]


@dataclass(slots=True)
class Walk(ABC):
    """One walk over the four states of an object. ``gone`` is the reason when an effect has vanished.

    ``copies`` are the values that a replacement takes from its source, before and after.
    """

    item: Item
    gone: str = "target_gone"
    whole: bool = False
    copies: tuple[Any, Any] | None = None
    notes: list[Note] = field(default_factory=list)

    def add(
        self, verdict: Verdict, reason: str | None, path: tuple[str, ...], four: Four, **more: Any
    ) -> None:
        """Note something about ``path``."""
        self.notes.append(Note(verdict=verdict, reason=reason, path=path, values=tuple(four), **more))

    @abstractmethod
    def visit_states(self, states: tuple[Any, Any, Any, Any], path: tuple[str, ...]) -> None:
        """Walk the four states of something below ``path``."""
