"""Bases that lose most of their objects: upstream may have moved them, or sent something else."""

from __future__ import annotations

from collections.abc import Iterable

from upstreamsync.model import Change, Danger

SHRUNK = "objects-gone"


def shrinking_dangers(changes: Iterable[Change]) -> tuple[Danger, ...]:
    """One for each base that loses most of its objects."""
    return tuple(
        Danger(rule=SHRUNK, resource=one.base, text=f"most objects of the base are gone: {one}")
        for change in changes
        for one in change.shrunk
    )
