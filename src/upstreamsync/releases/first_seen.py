"""When each version of a feed was first on offer, for upstreams that publish no dates.

Kept in the cache, which may forget: then a version counts as new once more, and waits once more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from upstreamsync.kit.store import dependencies
from upstreamsync.kit.store.cache import Cache
from upstreamsync.model import Release

_NAMESPACE = "first-seen"


def load(cache: Cache, feed: str) -> Mapping[str, datetime]:
    """Version → when it was first seen (aware, UTC). ``feed`` names the feed: see ``feed_key``."""
    return _read(cache.get(_NAMESPACE, feed))


def _read(raw: bytes | None) -> Mapping[str, datetime]:
    if raw is None:
        return {}
    try:
        known = json.loads(raw)
        return {str(version): datetime.fromtimestamp(int(at), UTC) for version, at in known.items()}
    except (ValueError, TypeError, AttributeError, OverflowError, OSError):
        return {}


def record(cache: Cache, feed: str, releases: Iterable[Release], now: datetime) -> Mapping[str, datetime]:
    """Note the versions without a date that are on offer now; returns what is known of those on offer.

    A version that vanishes is kept in mind, so that one that comes and goes does not start anew.
    """
    undated = {release.version for release in releases if release.published is None}
    if not undated:
        return {}
    kept = cache.get(_NAMESPACE, feed)
    known = _read(kept)
    merged = dict(known)
    for version in undated:
        merged.setdefault(version, now.replace(microsecond=0))
    if merged.keys() != known.keys():
        times = {version: int(at.timestamp()) for version, at in sorted(merged.items())}
        kept = json.dumps(times).encode()
        if not cache.put(_NAMESPACE, feed, kept):
            dependencies.doubt()
    # As long as this is kept, and the same versions are on offer, there is nothing to be noted.
    cache.relied_on(_NAMESPACE, feed, kept)
    return {version: merged[version] for version in sorted(undated)}
