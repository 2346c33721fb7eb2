"""Objects that no longer fit into the annotation of client-side apply (rejected/too_large)."""

from __future__ import annotations

import json
import marshal
from collections.abc import Iterator, Mapping
from functools import cached_property

from upstreamsync.model import Verdict

from .applying import applied
from .finding import Manifest, ResultContext, ResultFinding, Whole
from .index import World, key_of, resource_id

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
    now = [_Sized(item, context.whole_after) for item in after.objects]
    now = [one for one in now if not one.is_small and one.may_exceed()]
    if now:
        how = applied(context)
        now = [one for one in now if not how.on_the_server(one.item) and not how.replaces(one.item)]
    if not now:
        return
    was = [_Sized(item, context.whole_before) for item in before.objects]
    # What is plain comes first: a large CRD takes a while to be read.
    if any(one.exceeds for one in was) or any(one.is_too_large() for one in was):
        return
    for one in now:
        if one.is_too_large():
            known = key_of(one.item) in before.by_key
            yield ResultFinding(
                rule="size",
                verdict=Verdict.REJECTED,
                reason="too_large",
                object=resource_id(one.item),
                why=f"the object {'has grown to' if known else 'has'} {one.size} bytes and does not fit into "
                f"the last-applied annotation ({LIMIT} bytes) of client-side apply",
                hint="use kubectl apply --server-side (Argo CD: sync option ServerSideApply=true)",
            )


class _Sized:
    """An object and its size; of one that is not here as a whole, bounds of its size."""

    def __init__(self, item: Manifest, whole: Mapping[str, Whole]) -> None:
        self.item = item
        self._whole = whole.get(resource_id(item)) if whole else None

    @property
    def is_small(self) -> bool:
        """Whether it is plain that it does not exceed the limit; told ten times as fast as its size.

        A byte of a text is six of JSON at most, and all else takes more here than there.
        """
        if self._whole is not None:
            return False
        try:
            return 6 * len(marshal.dumps(self.item, 2)) <= LIMIT  # type: ignore[arg-type]
        except ValueError:  # a value that JSON does not have
            return False

    @cached_property
    def size(self) -> int:
        return json_size(self.item if self._whole is None else self._whole.read())

    def may_exceed(self) -> bool:
        return self.size > LIMIT if self._whole is None else self._whole.may_exceed(LIMIT)

    @cached_property
    def exceeds(self) -> bool | None:
        return self.size > LIMIT if self._whole is None else self._whole.exceeds(LIMIT)

    def is_too_large(self) -> bool:
        return self.size > LIMIT if self.exceeds is None else self.exceeds
