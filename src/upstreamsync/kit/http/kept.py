"""Answers on disk: with their validators, so that each is revalidated before it is used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from upstreamsync.kit.store.cache import Cache

if TYPE_CHECKING:
    from upstreamsync.kit.http.wire import Answer

#: Where bodies are kept as they are, and where in gzip as they came.
PLAIN, GZIP = "http-body", "http-gzip"
#: Headers that are kept with a cached answer; others may be private, or mean that one exchange only.
KEPT_HEADERS = (
    "content-type",
    "content-disposition",
    "docker-content-digest",
    "etag",
    "last-modified",
    "link",
)


class KeptAnswers:
    """What a cache has of earlier answers."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def get(self, key: str) -> Mapping[str, str] | None:
        """What the cache knows of an address, if it can serve it."""
        raw = self._cache.get("http", key)
        if raw is None:
            return None
        try:
            kept = json.loads(raw)
        except ValueError:
            return None
        if not isinstance(kept, dict) or not isinstance(kept.get("digest"), str):
            return None
        if not str(kept.get("size", "")).isdigit() or not all(isinstance(v, str) for v in kept.values()):
            return None
        return kept if self._cache.has(GZIP if "packed" in kept else PLAIN, kept["digest"]) else None

    def put(self, key: str, answer: Answer) -> bool:
        """Store an answer that can be revalidated later."""
        validators = answer.headers.get("etag") or answer.headers.get("last-modified")
        if answer.status != 200 or not validators or "no-store" in answer.headers.get("cache-control", ""):
            return False
        kept = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
        kept |= {"digest": answer.digest, "size": str(answer.size)}
        if answer.packed:
            kept["packed"] = "gzip"
        return self._cache.put(
            GZIP if answer.packed else PLAIN, answer.digest, answer.body
        ) and self._cache.put("http", key, json.dumps(kept, sort_keys=True).encode())


def conditions(kept: Mapping[str, str]) -> dict[str, str]:
    """The headers that ask whether an answer is still the one that is kept."""
    conditions = {}
    if "etag" in kept:
        conditions["if-none-match"] = kept["etag"]
    if "last-modified" in kept:
        conditions["if-modified-since"] = kept["last-modified"]
    return conditions
