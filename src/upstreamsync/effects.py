"""What customizations do now, as values: the counterpart of a verification where nothing is updated."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from upstreamsync.model import FieldChange, LeftOut


class Does(StrEnum):
    """What a customization does: it changes something; it matches nothing; what it says is there already.

    ``refused``: kustomize does not build with it. ``unknown``: what it may be about could not be had.
    """

    CHANGES = "changes"
    NO_MATCH = "matches-nothing"
    NO_CHANGE = "changes-nothing"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectEffect:
    """One object that a customization changes; ``op`` is ``added``, ``removed`` or ``changed``."""

    resource: str
    op: str
    changes: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemEffect:
    """What one customization does. ``expected`` is how many objects its author says that it changes."""

    item: str
    kustomization: str
    field: str
    key: str
    file: str
    line: int
    does: Does
    why: str = ""
    objects: tuple[ObjectEffect, ...] = ()
    expected: int | None = None

    @property
    def is_as_expected(self) -> bool:
        """Whether it changes as many objects as it says, where it says."""
        return self.expected is None or self.does is Does.UNKNOWN or self.expected == len(self.objects)

    @property
    def is_idle(self) -> bool:
        """Whether it could be deleted, or was written by mistake."""
        return self.does in (Does.NO_MATCH, Does.NO_CHANGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayEffects:
    """One overlay; ``error`` is kustomize's word where it does not build at all."""

    path: str
    error: str | None = None
    items: tuple[ItemEffect, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What ``effects`` says. ``engine`` names the kustomize that built."""

    overlays: tuple[OverlayEffects, ...] = ()
    engine: str = ""

    @property
    def items(self) -> tuple[ItemEffect, ...]:
        """The items of all overlays, in order."""
        return tuple(item for overlay in self.overlays for item in overlay.items)

    @property
    def is_incomplete(self) -> bool:
        """Exit code 3: of something nothing could be said."""
        return any(item.does is Does.UNKNOWN for item in self.items)

    def needs_person(self, *, strict: bool) -> bool:
        """Exit code 1: something does not build, or not what it says; ``strict``: or something is idle."""
        return (
            any(overlay.error is not None for overlay in self.overlays)
            or any(item.does is Does.REFUSED or not item.is_as_expected for item in self.items)
            or (strict and any(item.is_idle for item in self.items))
        )
