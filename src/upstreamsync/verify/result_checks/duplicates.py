"""The same object twice in one result (duplicate/same_object_at_apply).

kustomize tells objects apart by version and by an explicit namespace; the API server does not, once an
object without a namespace is applied to one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from upstreamsync.model import Verdict

from .finding import Manifest, ResultContext, ResultFinding
from .index import Key, World, key_of, key_of_id, resource_id, same_namespace


def check(world: World, context: ResultContext) -> Iterator[ResultFinding]:
    """Every local object that upstream ships too, under another version or without the namespace."""
    local = None if context.local is None else {key_of_id(item) for item in context.local}
    groups: defaultdict[tuple[str, str, str], list[Manifest]] = defaultdict(list)
    for item in world.objects:
        key = key_of(item)
        groups[key.group, key.kind, key.name].append(item)
    for items in groups.values():
        for index, item in enumerate(items):
            for other in items[:index]:
                if not same_namespace(key_of(item).namespace, key_of(other).namespace):
                    continue
                mine, theirs = _whose(item, other, local, context.local or frozenset())
                if mine is not None and theirs is not None:
                    yield _finding(mine, theirs)


def _whose(
    one: Manifest, other: Manifest, local: set[Key] | None, ids: frozenset[str]
) -> tuple[Manifest | None, Manifest | None]:
    if local is None:
        return one, other
    flags = (_is_local(one, local), _is_local(other, local))
    if key_of(one) == key_of(other):  # told apart by version alone, which the ids of local objects have
        return (other, one) if resource_id(other) in ids else (one, other) if flags[0] else (None, None)
    if flags == (True, False):
        return one, other
    if flags == (False, True):
        return other, one
    return None, None


def _is_local(manifest: Manifest, local: set[Key]) -> bool:
    return key_of(manifest) in local


def _finding(mine: Manifest, theirs: Manifest) -> ResultFinding:
    one, other = resource_id(mine), resource_id(theirs)
    key = key_of(mine)
    if key_of(mine).namespace != key_of(theirs).namespace:
        namespace = key.namespace or key_of(theirs).namespace
        difference = f"with and without namespace {namespace}"
    else:
        difference = f"as {mine.get('apiVersion')} and as {theirs.get('apiVersion')}"
    return ResultFinding(
        rule="twice",
        verdict=Verdict.DUPLICATE,
        reason="same_object_at_apply",
        object=one,
        target=other,
        why=f"the build output holds {key.kind} {key.name} twice, {difference}; the last one applied wins",
        hint="drop one of the two, or turn the local one into a patch",
    )
