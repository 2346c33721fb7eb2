"""Secrets whose value comes with the content: anybody who reads upstream knows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from upstreamsync.model import Danger
from upstreamsync.review.pairs import Pairs
from upstreamsync.review.pods import mapping


def secret_dangers(pairs: Pairs) -> Iterator[Danger]:
    """New or changed Secrets that carry values. The values themselves are never shown."""
    for lone in pairs.added:
        if keys := _filled(lone.object):
            yield Danger(
                rule="secret-shipped", resource=str(lone), text=f"comes with {', '.join(sorted(keys))}"
            )
    for pair in pairs.changed:
        before, after = _filled(pair.old), _filled(pair.new)
        if changed := sorted(key for key, value in after.items() if before.get(key) != value):
            yield Danger(rule="secret-shipped", resource=str(pair), text=f"comes with {', '.join(changed)}")


def _filled(obj: Mapping[str, Any]) -> dict[str, Any]:
    if obj.get("kind") != "Secret" or obj.get("apiVersion") != "v1":
        return {}
    data = {**mapping(obj.get("data")), **mapping(obj.get("stringData"))}
    return {str(key): value for key, value in data.items() if value}
