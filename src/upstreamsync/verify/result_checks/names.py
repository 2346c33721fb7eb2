"""Names that namePrefix or nameSuffix left behind (dangling/unknown_reference).

kustomize renames objects and the references that it knows; one inside a custom resource, an argument or a
text stays as it was, and now names nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from upstreamsync.model import Verdict

from .finding import Manifest, ResultContext, ResultFinding
from .world import Key, World, key_of, leaves, resource_id

#: Fields whose strings are no names of objects of this result, or are rewritten by kustomize itself.
_OWN = re.compile(
    r"^(metadata\.(name|namespace|labels|generateName|ownerReferences|managedFields)|apiVersion|kind|status)\b"
)
_ELSEWHERE = re.compile(
    r"(matchLabels|labels\b|labelSelector|selector\b|matchExpressions|\.image$|\.command\[|ports\[|rules\[\d+\]\."
    r"(apiGroups|resources|verbs)|\.namespace$|\.mountPath$|\.path$)"
)
_REFERENCE_KEY = re.compile(
    r"(Name|Ref|Secret|ConfigMap|Service|Claim|ServiceAccount|^name|^secret|^service|^configMap|^host|Names|^serviceAccount)$"
)
_KNOWN_KINDS = frozenset(("CustomResourceDefinition",))
#: Kinds that nobody refers to by name in free text.
_UNREFERENCED = frozenset(
    ("ClusterRoleBinding", "RoleBinding", "PodDisruptionBudget", "NetworkPolicy", "HorizontalPodAutoscaler")
)


def compare(before: World, after: World, context: ResultContext) -> Iterator[ResultFinding]:
    """Old names that stand in strings of the new result and stood nowhere there in the old one."""
    if not context.renamed_after:
        return
    known = set(_left_behind(before, context.renamed_before))
    said = {string for item in before.objects for _, _, string in leaves(item)}
    base_names = {new: old for old, new in context.renamed_after.items()}
    kinds = _kinds(after)
    for (key, path, name), (manifest, string) in _left_behind(after, context.renamed_after).items():
        new_name = context.renamed_after[name]
        if string in said or any(_same(key, name, other) for other in known):
            continue
        kind = kinds.get(new_name, "object")
        owner = base_names.get(key.name, key.name)
        yield ResultFinding(
            rule="renaming",
            verdict=Verdict.DANGLING,
            reason="unknown_reference",
            object=resource_id(manifest),
            path=path,
            paths=(path,),
            why=f"kustomize does not know this reference: {key.kind} {owner} still names "
            f'"{name}", the {kind} is now "{new_name}"',
            hint=f"add a nameReference configuration for {key.kind}, or a replacement for {path}",
        )


def _same(key: Key, name: str, other: tuple[Key, str, str]) -> bool:
    return (key, name) == (other[0], other[2])


def _kinds(world: World) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in world.objects:
        key = key_of(item)
        if key.kind not in _UNREFERENCED:
            found.setdefault(key.name, key.kind)
    return found


def _left_behind(
    world: World, renamed: Mapping[str, str]
) -> dict[tuple[Key, str, str], tuple[Manifest, str]]:
    kinds = _kinds(world)
    present = {key_of(item).name for item in world.objects}
    names = [
        old for old, new in renamed.items() if old != new and new in kinds and old not in present and old
    ]
    found: dict[tuple[Key, str, str], tuple[Manifest, str]] = {}
    for manifest in world.objects if names else ():
        if manifest.get("kind") in _KNOWN_KINDS:
            continue
        for path, key, string in leaves(manifest):
            if _OWN.search(path) or _ELSEWHERE.search(path):
                continue
            for name in names:
                if name in string and _refers(string, key, path, name):
                    found[key_of(manifest), path, name] = (manifest, string)
    return found


def _refers(string: str, key: str, path: str, name: str) -> bool:
    if string == name:
        return _is_reference_field(key, path)
    return _in_text(name).search(string) is not None


def _is_reference_field(key: str, path: str) -> bool:
    if key == "name":
        # "name" names the element itself, but for elements and maps that are references by their own name.
        holder = re.sub(r"\[[^\]]*\]$", "", path.rpartition(".")[0]).rpartition(".")[2]
        return bool(
            re.search(r"([Rr]efs?|[Ss]ervices?|[Ss]ecrets?|[Cc]onfigMaps?|[Tt]arget|[Bb]ackends?)$", holder)
        )
    return bool(_REFERENCE_KEY.search(key))


@lru_cache(maxsize=4096)
def _in_text(name: str) -> re.Pattern[str]:
    """Finds a name inside a longer string: as a host, after ``=``, or as ``namespace/name``.

    A host is followed by a port or by ``.svc``, or stands in a URL; after ``=`` a name has to have
    several parts, as ``--mode=server`` names no Service.
    """
    word = re.escape(name)
    host = rf"(?<![\w./-]){word}(?=:\d{{2,5}}\b|\.[a-z0-9-]+\.svc\b|\.svc\b)"
    url = rf"(?<=://){word}(?=$|[:/.\s\"'?])"
    parted = rf"(?<==){word}(?=$|[\s,;\"'])" if "-" in name else r"(?!)"
    qualified = rf"^[a-z0-9-]+/{word}$"
    return re.compile("|".join((host, url, parted, qualified)))
