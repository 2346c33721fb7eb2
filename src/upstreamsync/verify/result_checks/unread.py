"""What an overlay provides and nobody takes any more: configuration that is not read, a size that another sets.

An object of the overlay's own that upstream read, and no longer does (lost); replicas of a workload that an
autoscaler scales now (shadows).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from upstreamsync.model import Severity, Verdict

from .dangling import links_of
from .finding import ResultContext, ResultFinding
from .index import Key, World, at, key_of, key_of_id, leaves, mapping, resource_id, text, unhashed

_PROVIDED: Final = ("ConfigMap", "Secret", "PersistentVolumeClaim")
_SCALERS: Final = ("HorizontalPodAutoscaler", "ScaledObject")


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


def compare_scaled(before: World, after: World, context: ResultContext) -> Iterator[ResultFinding]:
    """Every new autoscaler of a workload whose replicas a customization sets."""
    if context.base_after is None:
        return
    known = {_scaled(each) for each in before.of_kind(*_SCALERS)}
    upstream = World.of(context.base_after)
    theirs_of = {new: old for old, new in context.renamed_after.items()}
    for scaler in after.of_kind(*_SCALERS):
        kind, name = _scaled(scaler)
        workload = after.named((kind,), name, key_of(scaler).namespace)
        replicas = at(workload, "spec", "replicas")
        if (kind, name) in known or workload is None or replicas is None:
            continue
        was = theirs_of.get(name, name)
        theirs = next((each for each in upstream.of_kind(kind) if key_of(each).name == was), None)
        if theirs is None or at(theirs, "spec", "replicas") == replicas:
            continue
        yield ResultFinding(
            rule="scaled",
            verdict=Verdict.SHADOWS,
            reason="upstream_added_value",
            object=resource_id(workload),
            path="spec.replicas",
            paths=("spec.replicas",),
            why=f"{text(scaler.get('kind'))} {key_of(scaler).name} scales it now, and each apply sets it back "
            f"to {replicas}",
            hint="take the replicas out, and set the bounds of the autoscaler",
        )


def _scaled(scaler: object) -> tuple[str, str]:
    target = mapping(at(scaler, "spec", "scaleTargetRef"))
    return text(target.get("kind")) or "Deployment", text(target.get("name"))
