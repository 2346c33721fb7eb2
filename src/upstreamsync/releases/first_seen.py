"""When each version of a feed was first on offer, for upstreams that publish no dates.

Kept in two places. The cache serves runs on one machine; it may forget, and CI throws it away. So `pr` keeps
it in the repository as well, as a note of git (``refs/notes/upstreamsync``): every run finds it there, nobody
has to merge it, no workflow is started by it, no protection of branches stands in its way, and no branch is
in anybody's list. A file beside the lock would need a commit on the main branch for each version that is
merely looked at; a branch of its own would be swept up as stale, or collide with one that people have.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from upstreamsync.kit.redact import redact
from upstreamsync.kit.store import dependencies
from upstreamsync.kit.store.cache import Cache
from upstreamsync.kit.store.first_sights import FirstSights, Times
from upstreamsync.model import Release

_NAMESPACE = "first-seen"


def load(cache: Cache, feed: str) -> Times:
    """Version → when it was first seen (aware, UTC). ``feed`` names the feed: see ``feed_key``."""
    return _read(cache.get(_NAMESPACE, feed))


def _read(raw: bytes | None) -> Times:
    if raw is None:
        return {}
    try:
        known = json.loads(raw)
        return {str(version): datetime.fromtimestamp(int(at), UTC) for version, at in known.items()}
    except (ValueError, TypeError, AttributeError, OverflowError, OSError):
        return {}


def record(
    cache: Cache,
    feed: str,
    releases: Iterable[Release],
    now: datetime,
    sights: FirstSights | None = None,
) -> Times:
    """Note the versions without a date that are on offer now; returns what is known of those on offer.

    A version that vanishes is kept in mind, so that one that comes and goes does not start anew. What the
    repository's ``sights`` know counts where it is earlier.
    """
    undated = {release.version for release in releases if release.published is None}
    if not undated:
        return {}
    kept = cache.get(_NAMESPACE, feed)
    known = _read(kept)
    noted = sights.of(named(feed)) if sights is not None else {}
    merged = dict(known)
    for version in undated:
        merged.setdefault(version, now.replace(microsecond=0))
        if version in noted:
            merged[version] = min(merged[version], noted[version])
    if merged != known:
        times = {version: int(at.timestamp()) for version, at in sorted(merged.items())}
        kept = json.dumps(times).encode()
        if not cache.put(_NAMESPACE, feed, kept):
            dependencies.doubt()
    # As long as this is kept, and the same versions are on offer, there is nothing to be noted.
    cache.relied_on(_NAMESPACE, feed, kept)
    return {version: merged[version] for version in sorted(undated)}


def began_now(times: Times, now: datetime) -> int:
    """How many of the versions were seen for the first time at this very moment."""
    return sum(at >= now.replace(microsecond=0) for at in times.values())


def named(feed: str) -> str:
    """The feed's name where others may read it: without passwords."""
    return redact(feed)
