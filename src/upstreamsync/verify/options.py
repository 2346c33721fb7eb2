"""How overlays are judged: what a user says of all of them, or of some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from upstreamsync.kit.run.budget import Total

#: What one overlay, and all of them together, may take where nobody says otherwise, in seconds.
PER_OVERLAY = 600.0
IN_ALL = 3600.0
LoadRestrictor = Literal["none", "root"]
#: Told of each overlay that is done: its path, and how many there are.
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayOptions:
    """How the overlays are judged whose path matches the glob ``path``; None: as the others are.

    ``load_restrictor`` ``root`` is kustomize's own rule, ``none`` lets it read all of the repository.
    ``allow_unjudged`` says that it is known that not all can be judged. ``budget`` is in seconds.
    """

    path: str = "*"
    load_restrictor: LoadRestrictor | None = None
    allow_unjudged: bool | None = None
    budget: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How overlays are judged. ``budget`` bounds them together; later ``overlays`` count more.

    ``as_it_is``: an overlay in which nothing differs is built all the same, and the result looked at.
    ``builds_unchanged``: it is built, and nothing but a refusal is told.
    ``elsewhere``: overlays that hold objects of a kind whose definition moves are looked at, too, and told
    where something is found.
    """

    budget: Total = field(default_factory=lambda: Total(IN_ALL), compare=False)
    overlays: tuple[OverlayOptions, ...] = ()
    progress: Progress | None = field(default=None, compare=False)
    as_it_is: bool = False
    builds_unchanged: bool = False
    elsewhere: bool = False

    def of(self, overlay: str) -> OverlayOptions:
        """What holds for one overlay."""
        found = OverlayOptions(path=overlay, load_restrictor="none", allow_unjudged=False, budget=PER_OVERLAY)
        for one in self.overlays:
            if fnmatchcase(overlay, one.path) or one.path == overlay:
                found = OverlayOptions(
                    path=overlay,
                    load_restrictor=one.load_restrictor or found.load_restrictor,
                    allow_unjudged=found.allow_unjudged if one.allow_unjudged is None else one.allow_unjudged,
                    budget=found.budget if one.budget is None else one.budget,
                )
        return found
