"""What a repository remembers of when versions were first on offer, as a text that is kept in it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

from upstreamsync.kit.store.dependencies import record_dependencies

SCHEMA: Final = "upstreamsync/first-seen/v1"
#: Version → when it was first seen; aware, UTC, in whole seconds.
Times = Mapping[str, datetime]


class FirstSights:
    """What the text knows that ``read`` gives (asked once), and what this run has seen; safe for many threads."""

    def __init__(self, read: Callable[[], str | None] = lambda: None) -> None:
        self._read = read
        self._relevant: dict[str, dict[str, datetime]] = {}
        self._new = 0
        self._lock = threading.Lock()

    @cached_property
    def _known(self) -> dict[str, dict[str, datetime]]:
        try:
            with (
                record_dependencies()
            ):  # what it says that matters goes into the cache, and is relied on there
                text = self._read()
            document = json.loads(text or "{}")
            feeds = document.get("feeds", {}) if document.get("schema") == SCHEMA else {}
            return {str(feed): _times(times) for feed, times in feeds.items()}
        except (ValueError, TypeError, AttributeError, RecursionError):
            return {}  # whatever else it is, is as good as nothing

    def of(self, feed: str) -> Times:
        """What is known of one feed."""
        return self._known.get(feed, {})

    def saw(self, feed: str, times: Times, *, began: int = 0) -> None:
        """``times`` of the versions whose age still matters; ``began`` of them were never seen before."""
        with self._lock:
            self._relevant.setdefault(feed, {}).update(times)
            self._new += began

    @property
    def new(self) -> int:
        """For how many versions nothing was known, so that they begin to wait now."""
        return self._new

    @property
    def saw_any(self) -> bool:
        """Whether this run has come across a version whose first sight matters, or that no longer does."""
        return bool(self._relevant)

    def merged_with(self, kept: str | None) -> str | None:
        """The text to keep in place of ``kept``; None where that says it all.

        Of each feed seen in this run what still matters, with its earliest times; other feeds stay as they are.
        """
        there = FirstSights(lambda: kept)
        feeds = {feed: dict(times) for feed, times in there._known.items()}
        for feed, times in self._relevant.items():
            known = (there.of(feed), self.of(feed))
            feeds[feed] = {
                version: min(at, *(one[version] for one in known if version in one))
                if any(version in one for one in known)
                else at
                for version, at in times.items()
            }
        feeds = {feed: times for feed, times in feeds.items() if times}
        return _dump(feeds) if feeds != there._known else None


def _dump(feeds: Mapping[str, Times]) -> str:
    """Sorted, one line a version, so that a difference can be read."""
    written = {
        feed: {version: at.strftime("%Y-%m-%dT%H:%M:%SZ") for version, at in sorted(times.items())}
        for feed, times in sorted(feeds.items())
    }
    return json.dumps({"schema": SCHEMA, "feeds": written}, indent=1, ensure_ascii=False) + "\n"


def _times(times: Any) -> dict[str, datetime]:
    found = {}
    for version, text in times.items():
        at = datetime.fromisoformat(str(text))
        found[str(version)] = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return found
