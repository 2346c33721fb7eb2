"""Releases as bytes, to be kept: an answer that has not changed need not be read a second time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from upstreamsync.kit.store import serialize
from upstreamsync.kit.store.cache import Cache
from upstreamsync.model import Release

_NAMESPACE = "releases"
#: To be raised whenever a feed reads answers differently: what was kept before is then not used.
_READING = 3


def remembered(
    cache: Cache, key: Sequence[str], read: Callable[[], tuple[Release, ...]], *, part: Sequence[str] = ()
) -> tuple[Release, ...]:
    """What ``read`` makes of an answer, from the cache where that has it.

    ``key`` and ``part`` have to determine the outcome: the answer's digest, and everything else that enters
    into it. The parts of one answer lie together, a line each.
    """
    name = json.dumps([_READING, *key])
    begin = json.dumps(list(part)).encode() + b"\t"
    kept = cache.get(_NAMESPACE, name) or b""
    for line in kept.splitlines():
        if line.startswith(begin):
            try:
                return load(line[len(begin) :])
            except serialize.UNREADABLE:
                kept = b"damaged"
    if kept and not kept.endswith(b"\n"):
        cache.forget(_NAMESPACE, name)
    releases = read()
    cache.add(_NAMESPACE, name, begin + dump(releases) + b"\n")
    return releases


def dump(releases: Sequence[Release]) -> bytes:
    """The releases as JSON, without what is not set."""
    return json.dumps([serialize.of_release(release) for release in releases], separators=(",", ":")).encode()


def load(data: bytes) -> tuple[Release, ...]:
    """What ``dump`` made. Raises one of ``serialize.UNREADABLE`` for anything else."""
    return tuple(serialize.release(one) for one in json.loads(data))
