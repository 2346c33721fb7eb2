"""Names that namePrefix, nameSuffix or a generator's hash left behind (dangling/unknown_reference).

kustomize renames objects and the references that it knows; one inside a custom resource, an argument or a
text stays as it was, and now names nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from upstreamsync.model import Verdict

from .finding import Manifest, ResultContext, ResultFinding
from .index import Key, World, key_of, key_of_id, leaves, resource_id

#: Fields whose strings are no names of objects of this result, or are rewritten by kustomize itself.
_OWN = re.compile(
    r"^(metadata\.(name|namespace|labels|generateName|ownerReferences|managedFields)|apiVersion|kind|status)\b"
)
_ELSEWHERE = re.compile(
    r"(matchLabels|labels\b|labelSelector|selector\b|matchExpressions|\.image$|ports\[|rules\[\d+\]\."
    r"(apiGroups|resources|verbs)|\.namespace$|\.mountPath$|\.path$)"
)
_REFERENCE_KEY = re.compile(
    r"(Names?|Ref|Secret|ConfigMap|Service|Claim|ServiceAccount|^secret|^service|^configMap|^host)$"
)
_REFERENCE_HOLDER = re.compile(r"([Rr]efs?|[Ss]ervices?|[Ss]ecrets?|[Cc]onfigMaps?|[Tt]arget|[Bb]ackends?)$")
#: Kinds whose references kustomize knows, or that name nothing.
_KNOWN_KINDS = frozenset(("CustomResourceDefinition", "Role", "ClusterRole"))
#: Kinds that nobody refers to by name in fields that kustomize does not know.
_UNREFERENCED = frozenset(
    ("ClusterRoleBinding", "RoleBinding", "PodDisruptionBudget", "NetworkPolicy", "HorizontalPodAutoscaler",
     "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "ServiceMonitor", "PodMonitor",
     "PrometheusRule")
)  # fmt: skip
#: What a field's own name says about the kind of what it names.
_SPOKEN_KINDS = (
    (re.compile(r"secret", re.IGNORECASE), "Secret"),
    (re.compile(r"config-?map", re.IGNORECASE), "ConfigMap"),
    (re.compile(r"service-?account", re.IGNORECASE), "ServiceAccount"),
    (re.compile(r"claim", re.IGNORECASE), "PersistentVolumeClaim"),
    (re.compile(r"service|host", re.IGNORECASE), "Service"),
)
#: An argument that gives something a value.
_FLAG = re.compile(r"--?(?P<name>[\w-]+)=(?P<value>[\w.-]+)$")
#: The end of a field that holds a name; what stands before it says of what.
_NAMED_BY = re.compile(r"(Names?|Refs?)$")
#: Which kind an ambiguous name more probably means.
_LIKELIER = ("ConfigMap", "Secret", "Service")

_GENERATED_KINDS = frozenset(("ConfigMap", "Secret"))


def compare(before: World, after: World, context: ResultContext) -> Iterator[ResultFinding]:
    """Old names that stand in strings of the new result and stood nowhere there in the old one."""
    if not context.renamed_after:
        return
    known = set(_left_behind(before, context.renamed_before))
    base_names = {new: old for old, new in context.renamed_after.items()}
    for (key, path, name), (manifest, kind) in _left_behind(after, context.renamed_after).items():
        new_name = context.renamed_after[name]
        if any(_same(key, name, other) for other in known):
            continue
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


def compare_generated(before: World, after: World, context: ResultContext) -> Iterator[ResultFinding]:
    """Custom resources that newly name a local generated object, without the hash that its name will have.

    A field that named such an object before is left alone: a nameReference configuration may know it.
    """
    hashed = {key_of_id(item) for item in context.hashed & (context.local or frozenset())}
    if not hashed:
        return
    known = {
        (key.group, key.kind, path) for key, path, _, _ in _generated_names(before, hashed | _keys(before))
    }
    for key, path, manifest, named in _generated_names(after, hashed):
        if (key.group, key.kind, path) in known:
            continue
        yield ResultFinding(
            rule="generated-name",
            verdict=Verdict.DANGLING,
            reason="unknown_reference",
            object=resource_id(manifest),
            path=path,
            paths=(path,),
            target=resource_id(after.by_key[named]),
            why=f"kustomize does not know this reference: {key.kind} {key.name} names {named.kind} "
            f"{named.name}, which gets a hash appended to its name",
            hint=f"add a nameReference configuration for {key.kind}, or disableNameSuffixHash",
        )


def _keys(world: World) -> set[Key]:
    return {key for key in world.by_key if key.kind in _GENERATED_KINDS}


def _generated_names(world: World, generated: set[Key]) -> Iterator[tuple[Key, str, Manifest, Key]]:
    """Where custom resources name one of these objects."""
    names = {key.name: key for key in sorted(generated) if key in world.by_key}
    for manifest in world.objects if names else ():
        key = key_of(manifest)
        if "." not in key.group or key.group.endswith(".k8s.io"):
            continue
        for path, field, string in leaves(manifest):
            named = names.get(string)
            if named is None or is_elsewhere(path):
                continue
            if meant(string, field, path, string, [named.kind]) is not None:
                yield key, path, manifest, named


def _same(key: Key, name: str, other: tuple[Key, str, str]) -> bool:
    return (key, name) == (other[0], other[2])


def _kinds(world: World) -> dict[str, list[str]]:
    """The kinds that bear a name, the likeliest first."""
    found: dict[str, list[str]] = {}
    for item in world.objects:
        key = key_of(item)
        if key.kind not in _UNREFERENCED and key.kind not in found.setdefault(key.name, []):
            found[key.name].append(key.kind)
    for kinds in found.values():
        kinds.sort(key=lambda kind: _LIKELIER.index(kind) if kind in _LIKELIER else len(_LIKELIER))
    return found


def _left_behind(
    world: World, renamed: Mapping[str, str]
) -> dict[tuple[Key, str, str], tuple[Manifest, str]]:
    """Where old names stand: by object, path and name, with the kind that is meant."""
    kinds = _kinds(world)
    present = {key_of(item).name for item in world.objects}
    names = [
        old for old, new in renamed.items() if old and old != new and kinds.get(new) and old not in present
    ]
    found: dict[tuple[Key, str, str], tuple[Manifest, str]] = {}
    for manifest in world.objects if names else ():
        if manifest.get("kind") in _KNOWN_KINDS:
            continue
        for path, key, string in leaves(manifest):
            if _OWN.search(path) or _ELSEWHERE.search(path):
                continue
            for name in names:
                if name in string:
                    kind = meant(string, key, path, name, kinds[renamed[name]])
                    if kind is not None:
                        found[key_of(manifest), path, name] = (manifest, kind)
    return found


def meant(string: str, key: str, path: str, name: str, kinds: Sequence[str]) -> str | None:
    """The kind of the object that a string names by its old name; None when it names none."""
    if string == name:
        if not _is_reference_field(key, path):
            return None
        hint = f"{_holder(path)} {key}" if key == "name" else key
        spoken = next((kind for pattern, kind in _SPOKEN_KINDS if pattern.search(hint)), None)
        if spoken or key == "name":
            return spoken if spoken in kinds else None if spoken else kinds[0]
        said = _NAMED_BY.sub("", key).lower()  # appName is no name of an Endpoint
        return next(
            (kind for kind in kinds if not said or said in kind.lower() or kind.lower() in said), None
        )
    if _as_host(name).search(string):
        return "Service" if "Service" in kinds else None
    if (flag := _FLAG.match(string)) and flag["value"] == name:
        spoken = next((kind for pattern, kind in _SPOKEN_KINDS if pattern.search(flag["name"])), None)
        if spoken in kinds:
            return spoken  # --configmap=conf says what it means
    return kinds[0] if _in_text(name).search(string) else None


def is_elsewhere(path: str) -> bool:
    """Whether strings at a path are no names of objects, or are rewritten by kustomize itself."""
    return bool(_OWN.search(path) or _ELSEWHERE.search(path))


def _holder(path: str) -> str:
    """The field that holds the map or list element of which ``path`` is a field."""
    return re.sub(r"\[[^\]]*\]$", "", path.rpartition(".")[0]).rpartition(".")[2]


def _is_reference_field(key: str, path: str) -> bool:
    if key == "name":
        # "name" names the element itself, but in maps that are references by their own name.
        return _REFERENCE_HOLDER.search(_holder(path)) is not None
    return _REFERENCE_KEY.search(key) is not None


@lru_cache(maxsize=4096)
def _as_host(name: str) -> re.Pattern[str]:
    """Finds a name as a host: followed by a port or by ``.svc``, or in a URL."""
    word = re.escape(name)
    local = rf"(?<![\w./-]){word}(?=:\d{{2,5}}\b|\.[a-z0-9-]+\.svc\b|\.svc\b)"
    url = rf"(?<=://){word}(?=$|[:/.\s\"'?])"
    return re.compile(f"{local}|{url}")


@lru_cache(maxsize=4096)
def _in_text(name: str) -> re.Pattern[str]:
    """Finds a name after ``=``, or as ``namespace/name``.

    After ``=`` it has to have several parts, as ``--mode=server`` names no Service.
    """
    word = re.escape(name)
    parted = rf"(?<==){word}(?=$|[\s,;\"'])" if "-" in name else r"(?!)"
    return re.compile(rf"{parted}|^[a-z0-9-]+/{word}$")
