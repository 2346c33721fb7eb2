"""Objects that no longer fit into the annotation of client-side apply (rejected/too_large)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from upstreamsync.model import Verdict

from .finding import Manifest, ResultContext, ResultFinding
from .world import World, at, key_of, resource_id, text

#: The API server's limit for all annotations of an object (TotalAnnotationSizeLimitB).
LIMIT = 262_144


def json_size(manifest: Manifest) -> int:
    """Bytes of the object as kubectl writes it into the last-applied annotation."""
    encoded = json.dumps(manifest, separators=(",", ":"), ensure_ascii=False, default=str)
    # Go escapes these three inside strings as \u00XX, and none of them stands outside of strings.
    return len(encoded.encode()) + 5 * sum(encoded.count(sign) for sign in "<>&")


def compare(before: World, after: World, context: ResultContext) -> Iterator[ResultFinding]:
    """Objects that have outgrown the limit.

    Whoever already ships such an object applies on the server's side, and is told nothing.
    """
    del context
    if any(json_size(item) > LIMIT for item in before.objects):
        return
    for item in after.objects:
        size = json_size(item)
        if size > LIMIT and not _applied_otherwise(item):
            known = key_of(item) in before.by_key
            yield ResultFinding(
                rule="size",
                verdict=Verdict.REJECTED,
                reason="too_large",
                object=resource_id(item),
                why=f"the object {'has grown to' if known else 'has'} {size} bytes and does not fit into the "
                f"last-applied annotation ({LIMIT} bytes) of client-side apply",
                hint="use kubectl apply --server-side (Argo CD: sync option ServerSideApply=true)",
            )


def _applied_otherwise(manifest: Manifest) -> bool:
    options = text(at(manifest, "metadata", "annotations", "argocd.argoproj.io/sync-options"))
    return "ServerSideApply=true" in options or "Replace=true" in options
