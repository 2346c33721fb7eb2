"""Timestamps as texts, and what reading them, or any JSON that is not what it should be, raises."""

from __future__ import annotations

from datetime import datetime

#: What unpacking JSON of another shape than expected may raise.
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError)


def parse_timestamp(text: str) -> datetime:
    """A moment as ``isoformat`` writes it. Raises ValueError for one in no time zone, TypeError for no text."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text} is in no time zone")
    return at
