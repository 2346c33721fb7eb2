"""Releases as bytes, to be kept: an answer that has not changed need not be read a second time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from upstreamsync.kit import facts
from upstreamsync.kit.cache import Cache
from upstreamsync.model import Release

_NAMESPACE = "releases"
#: To be raised whenever a feed reads answers differently: what was kept before is then not used.
_READING = 1


def remembered(
    cache: Cache, key: Sequence[str], read: Callable[[], tuple[Release, ...]]
) -> tuple[Release, ...]:
    """What ``read`` makes of an answer, from the cache where that has it.

    ``key`` has to determine the outcome: the answer's digest, and everything else that enters into it.
    """
    name = json.dumps([_READING, *key])
    kept = cache.get(_NAMESPACE, name)
    if kept is not None:
        try:
            return load(kept)
        except facts.UNREADABLE:
            pass
    releases = read()
    cache.put_soon(_NAMESPACE, name, dump(releases))
    return releases


def dump(releases: Sequence[Release]) -> bytes:
    """The releases as JSON, without what is not set."""
    return json.dumps([facts.of_release(release) for release in releases], separators=(",", ":")).encode()


def load(data: bytes) -> tuple[Release, ...]:
    """What ``dump`` made. Raises one of ``facts.UNREADABLE`` for anything else."""
    return tuple(facts.release(one) for one in json.loads(data))
