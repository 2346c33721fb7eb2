"""Versions of custom resources: removed from their CRD, or no longer served."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from upstreamsync.model import Verdict

from .finding import Manifest, ResultContext, ResultFinding
from .index import World, at, key_of, key_of_id, mapping, resource_id, strings, text

_KIND = "CustomResourceDefinition"


def versions_of(crd: Manifest) -> dict[str, Mapping[str, Any]]:
    """The versions of a CRD by name, also those of the one-version form of v1beta1."""
    spec = mapping(crd.get("spec"))
    listed = spec.get("versions")
    if isinstance(listed, list) and listed:
        return {text(item.get("name")): item for item in listed if isinstance(item, Mapping)}
    single = text(spec.get("version"))
    return {single: {"name": single, "served": True, "storage": True}} if single else {}


def compare_storage(before: World, after: World, context: ResultContext) -> Iterator[ResultFinding]:
    """Versions that were stored and are gone: the API server refuses while storedVersions lists them."""
    del context
    for crd in after.of_kind(_KIND):
        old = before.by_key.get(key_of(crd))
        if old is None:
            continue
        present = versions_of(crd)
        stored = [name for name, item in versions_of(old).items() if item.get("storage") is True]
        stored += strings(at(old, "status", "storedVersions"))
        gone = sorted({name for name in stored if name not in present})
        if gone and present:
            names = ", ".join(gone)
            yield ResultFinding(
                rule="crd-storage",
                verdict=Verdict.REJECTED,
                reason="crd_version_removed",
                object=resource_id(crd),
                path="spec.versions",
                paths=("spec.versions",),
                why=f"{names} was the storage version of the old CRD and is gone from the new one: the API "
                "server refuses the CRD while status.storedVersions lists it",
                hint="migrate the stored objects and drop the version from status.storedVersions first",
            )


def compare_served(before: World, after: World, context: ResultContext) -> Iterator[ResultFinding]:
    """Local custom resources at a version that their CRD served before and serves no more."""
    local = None if context.local is None else {key_of_id(item) for item in context.local}
    upstream = {key_of(item) for item in context.base_after or ()}
    served_before, served_after = _served(before), _served(after)
    for item in after.objects:
        key = key_of(item)
        kind, version = (key.group, key.kind), text(item.get("apiVersion")).rpartition("/")[2]
        if key in upstream if local is None else key not in local:
            continue
        if version not in served_before.get(kind, ()) or version in served_after.get(kind, ()):
            continue
        left = served_after.get(kind)
        api = f"{key.group}/{version}"
        newest = min(left) if left else ""
        yield ResultFinding(
            rule="crd-served",
            verdict=Verdict.DANGLING,
            reason="version_not_served",
            object=resource_id(item),
            path="apiVersion",
            paths=("apiVersion",),
            why=f"the vendored CRD no longer serves {api} (it serves {', '.join(sorted(left))})"
            if left
            else f"upstream no longer ships the CRD of {key.kind} ({api})",
            hint=f"move {key.kind} {key.name} to {key.group}/{newest}"
            if left
            else f"drop {key.kind} {key.name}, or ship its CRD",
            missing=None if left else (_KIND, key.kind),
        )


def _served(world: World) -> dict[tuple[str, str], frozenset[str]]:
    found: dict[tuple[str, str], frozenset[str]] = {}
    for crd in world.of_kind(_KIND):
        spec = crd.get("spec")
        kind = (text(at(spec, "group")), text(at(spec, "names", "kind")))
        served = {name for name, item in versions_of(crd).items() if item.get("served", True) is not False}
        found[kind] = frozenset(served) | found.get(kind, frozenset())
    return found
