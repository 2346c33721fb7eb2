"""Names of objects that are gone, in fields that no rule of a kind knows (dangling/reference_renamed).

In a custom resource a reference shows by its shape: a name beside its kind, a field that is called after
what it names, a host, a URL. Only names that an object of the old result bore are looked for.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Final

from upstreamsync.kit.kubernetes.objects import likeness
from upstreamsync.model import Verdict

from .finding import Manifest, ResultContext, ResultFinding
from .index import Key, World, elements, key_of, key_of_id, resource_id, step, text, unhashed
from .names import is_elsewhere, meant

#: Kinds that nobody refers to, or whose own references kustomize and the rules of kinds know.
_UNNAMED: Final = frozenset(
    ("ClusterRoleBinding", "RoleBinding", "PodDisruptionBudget", "NetworkPolicy", "HorizontalPodAutoscaler",
     "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "ServiceMonitor", "PodMonitor",
     "PrometheusRule", "CustomResourceDefinition", "Role", "ClusterRole", "Namespace", "Job")
)  # fmt: skip
_SILENT: Final = frozenset(
    ("CustomResourceDefinition", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
)
_LIKELIER: Final = ("Service", "ConfigMap", "Secret", "Deployment", "StatefulSet")


def compare(before: World, after: World, context: ResultContext) -> Iterator[ResultFinding]:
    """Every name of a vanished object that the old result had at the same place, and that upstream did not leave."""
    gone = _gone(before, after, context)
    if not gone:
        return
    upstream = {key_of(item): item for item in context.base_after or ()}
    local = {key_of_id(item) for item in context.local or ()}
    pattern = re.compile("|".join(re.escape(name) for name in sorted(gone, key=len, reverse=True)))
    for manifest in after.objects:
        owner = key_of(manifest)
        was = before.by_key.get(owner)
        if was is None or text(manifest.get("kind")) in _SILENT:
            continue
        for path, kind, name in _named(manifest, gone, pattern):
            if (path, kind, name) not in set(_named(was, gone, pattern)):
                continue
            theirs = upstream.get(_placeless(owner, upstream))
            if owner not in local and theirs is not None and _says(theirs, path, name):
                continue
            yield _finding(manifest, path, gone[name][kind], before, after)


def _gone(before: World, after: World, context: ResultContext) -> dict[str, dict[str, Key]]:
    """The objects of the old result that no object of the new one is called like, by name and kind."""
    present = {(key.group, key.kind, unhashed(key.name)) for key in after.by_key}
    moved = set(context.renamed_before.values()) & set(context.renamed_after)
    found: defaultdict[str, dict[str, Key]] = defaultdict(dict)
    for key in sorted(before.by_key):
        if key.kind in _UNNAMED or (key.group, key.kind, unhashed(key.name)) in present or key.name in moved:
            continue
        found[key.name][key.kind] = key
    return dict(found)


def _named(
    manifest: Manifest, gone: Mapping[str, Mapping[str, Key]], pattern: re.Pattern[str]
) -> Iterator[tuple[str, str, str]]:
    """Where an object names one of them: path, kind and name."""
    for path, key, string, around in _strings(manifest, "", {}):
        if pattern.search(string) is None or is_elsewhere(path):
            continue
        for name, kinds in gone.items():
            if name in string:
                kind = _meaning(path, key, string, around, name, sorted(kinds, key=_rank))
                if kind is not None:
                    yield path, kind, name


def _rank(kind: str) -> int:
    return _LIKELIER.index(kind) if kind in _LIKELIER else len(_LIKELIER)


def _meaning(
    path: str, key: str, string: str, around: Mapping[str, Any], name: str, kinds: Sequence[str]
) -> str | None:
    """The kind of the object that a string names; None where it names none."""
    said = text(around.get("kind"))
    if key == "name" and string == name and said and path != "metadata.name":
        return said if said in kinds else None
    return meant(string, key, path, name, kinds)


def _strings(
    value: Any, path: str, around: Mapping[str, Any]
) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    """Every string with its path, its key, and the map that it stands in."""
    if isinstance(value, dict):
        for key, child in value.items():
            if isinstance(child, str):
                yield step(path, key), key, child, value
            else:
                yield from _strings(child, step(path, key), value)
    elif isinstance(value, list):
        last = re.split(r"[.\[]", path)[-1] if path else ""
        named = {id(item): name for name, item in elements(path, value)}
        for index, item in enumerate(value):
            if isinstance(item, str):
                yield f"{path}[{index}]", last, item, around
            else:
                yield from _strings(item, named.get(id(item), f"{path}[{index}]"), around)


def _placeless(owner: Key, upstream: Mapping[Key, Manifest]) -> Key:
    """The object as upstream calls it: an overlay may have given it a namespace."""
    if owner in upstream:
        return owner
    return next((key for key in upstream if key[:2] == owner[:2] and key.name == owner.name), owner)


def _says(manifest: Manifest, path: str, name: str) -> bool:
    return any(at == path and name in string for at, _, string, _ in _strings(manifest, "", {}))


def _finding(manifest: Manifest, path: str, gone: Key, before: World, after: World) -> ResultFinding:
    successor = new_name(gone, before, after)
    looks = f"; {successor} looks like the new name" if successor else ""
    return ResultFinding(
        rule="vanished",
        verdict=Verdict.DANGLING,
        reason="reference_renamed",
        object=resource_id(manifest),
        path=path,
        paths=(path,),
        why=f"{gone.kind} {gone.name} is gone, and {path} still names it{looks}",
        hint=f"set {path} to {successor}"
        if successor
        else f"name what took the place of {gone.kind} {gone.name}",
        rename=(gone.name, successor) if successor else None,
        missing=(gone.kind, gone.name),
    )


def new_name(gone: Key, before: World, after: World) -> str | None:
    """What the object that is most like a vanished one is called, among those that are new."""
    old = before.by_key.get(gone)
    scored = sorted(
        (-max(_similar(gone.name, key.name), likeness(old, item) if old else 0), key.name)
        for key, item in after.by_key.items()
        if key.kind == gone.kind and key not in before.by_key
    )
    return scored[0][1] if scored and -scored[0][0] >= 0.5 else None


def _similar(one: str, other: str) -> float:
    return 0.9 if one in other or other in one else SequenceMatcher(None, one, other).ratio()
