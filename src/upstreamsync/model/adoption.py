"""A hand-kept copy that becomes a base: what ``adopt`` finds and makes."""

from __future__ import annotations

from dataclasses import dataclass

from upstreamsync.model.change import Change
from upstreamsync.model.places import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerUp:
    """A version that a copy may come from: ``differing`` values are not the same, ``shared`` is 0 to 1."""

    version: str
    differing: int
    shared: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What ``adopt`` makes of a copy: a base at ``version``, and the customizations that give the copy back.

    ``candidates`` are the versions, nearest first, and ``why`` says how sure the first is. ``customizations``
    says each in a line. ``change`` is what has to be written; ``proven`` are the folders whose build was
    compared, object by object, before and after.
    """

    vendor: str
    base: str
    version: str
    why: str = ""
    candidates: tuple[RunnerUp, ...] = ()
    customizations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    proven: tuple[str, ...] = ()
    change: Change | None = None
    error: Failure | None = None
