"""How a version is written in titles: commits by their short form and date."""

from __future__ import annotations

import re

from upstreamsync.kit.defuse import inert
from upstreamsync.model import Change

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHORT = 7


def titled(change: Change) -> str:
    """The version that a change brings: ``v1.2.0``, ``3f2a1b4 (2026-01-10)``."""
    if not _COMMIT.fullmatch(change.after):
        return inert(change.after)
    at = change.release.published if change.release is not None else None
    return f"{change.after[:_SHORT]} ({at:%Y-%m-%d})" if at is not None else change.after[:_SHORT]


def short(version: str) -> str:
    """A version for a table: commits are cut."""
    return version[:_SHORT] if _COMMIT.fullmatch(version) else version
