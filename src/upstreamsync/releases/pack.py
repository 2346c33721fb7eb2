"""Releases as bytes, to be kept: an answer that has not changed need not be read a second time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from upstreamsync.kit.cache import Cache
from upstreamsync.model import Release

_NAMESPACE = "releases"
#: To be raised whenever a feed reads answers differently: what was kept before is then not used.
_READING = 1
_DEFAULTS = {field.name: field.default for field in fields(Release)}


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
        except (ValueError, TypeError, KeyError, AttributeError):
            pass
    releases = read()
    cache.put(_NAMESPACE, name, dump(releases))
    return releases


def dump(releases: Sequence[Release]) -> bytes:
    """The releases as JSON, without what is not set."""
    return json.dumps([_facts(release) for release in releases], separators=(",", ":")).encode()


def load(data: bytes) -> tuple[Release, ...]:
    """What ``dump`` made. Raises ValueError, TypeError, KeyError or AttributeError for anything else."""
    return tuple(_release(facts) for facts in json.loads(data))


def _facts(release: Release) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for name, default in _DEFAULTS.items():
        value = getattr(release, name)
        if value is None or value is default or value == ():
            continue
        if isinstance(value, datetime):
            value = value.isoformat()
        elif name in {"assets", "groups"}:
            value = dict(value)
            if not value:
                continue
        facts[name] = value
    return facts


def _release(facts: dict[str, Any]) -> Release:
    if "published" in facts:
        facts["published"] = datetime.fromisoformat(facts["published"])
    if "download" in facts:
        facts["download"] = tuple(facts["download"])
    return Release(**facts)
