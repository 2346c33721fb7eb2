"""Objects of an overlay's own that upstream read, and that nobody reads any more (lost)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from upstreamsync.model import Severity, Verdict

from .dangling import links_of
from .finding import ResultContext, ResultFinding
from .index import Key, World, key_of, key_of_id, leaves, resource_id, unhashed

_PROVIDED: Final = ("ConfigMap", "Secret", "PersistentVolumeClaim")


def compare(before: World, after: World, context: ResultContext) -> Iterator[ResultFinding]:
    """Every object of the overlay's own that upstream's objects read before, and that nothing names now."""
    mine = {key: each for item in context.local or () if (each := after.by_key.get(key := key_of_id(item)))}
    mine = {key: each for key, each in mine.items() if key.kind in _PROVIDED and key in before.by_key}
    if not mine:
        return
    local = {key_of_id(item) for item in context.local or ()}
    readers: dict[Key, Key] = {}
    for link in links_of(before):
        if link.target and link.owner not in local and link.owner in after.by_key:
            readers.setdefault(key_of_id(link.target), link.owner)
    read = {key: readers[key] for key in mine if key in readers}
    if not read:
        return
    now = links_of(after)
    named = {key_of_id(link.target) for link in now if link.target}
    # Who reads something else of that kind now, which is not there, is told of that.
    astray = {(link.owner, link.kind) for link in now if not link.resolved}
    for key, reader in read.items():
        if key in named or (reader, key.kind) in astray or _is_mentioned(after, key):
            continue
        yield ResultFinding(
            rule="unread",
            verdict=Verdict.LOST,
            reason="target_gone",
            object=resource_id(mine[key]),
            why=f"{reader.kind} {reader.name} no longer reads {key.kind} {key.name}, and nothing else does",
            hint="give what it says in the way that upstream takes it now, or delete it",
            severity=Severity.REVIEW,
        )


def _is_mentioned(world: World, key: Key) -> bool:
    """Whether a string of another object has its name, in whatever form."""
    name = unhashed(key.name)
    return any(
        name in string
        for manifest in world.objects
        if key_of(manifest) != key
        for _, _, string in leaves({field: value for field, value in manifest.items() if field != "metadata"})
    )
