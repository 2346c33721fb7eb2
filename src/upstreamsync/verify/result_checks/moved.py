"""Names that ``namespace`` left behind, and selectors that labels narrowed too far.

kustomize moves objects and the references that it knows; ``namespace/name``, host names and arguments stay
as they were, and now lead to the old namespace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from upstreamsync.model import Verdict

from .finding import Manifest, ResultContext, ResultFinding
from .index import Key, World, at, key_of, leaves, mapping, resource_id, text
from .names import is_elsewhere
from .pods import pods, selected
from .resolve import describe

_SILENT: Final = frozenset(("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"))
_NAMESPACE: Final = re.compile(r"namespace|(^|[_-])ns$", re.IGNORECASE)
#: An argument that sets a namespace: ``--watch-namespace=sys``.
_ARGUMENT: Final = re.compile(r"--?[\w-]*namespaces?=(?P<value>[a-z0-9-]+)", re.IGNORECASE)
#: A list of namespaces in a custom resource: those that a monitor or an operator looks into.
_LISTED: Final = re.compile(r"([nN]amespaces|[nN]amespaceSelector\.matchNames)\[\d+\]$")

#: What an object was before it was moved: namespace and name.
_Old = tuple[str, str]


def compare(before: World, after: World, context: ResultContext) -> Iterator[ResultFinding]:
    """Strings of the new result that lead to a namespace which everything was moved out of."""
    if not context.moved_after:
        return
    known = {(key, what) for key, _, what, _ in _left_behind(before, context.moved_before)}
    for key, path, what, manifest in _left_behind(after, context.moved_after):
        if (key, what) in known:
            continue
        namespace, name = what
        now = context.moved_after.get(what) or next(
            new for (old, _), new in context.moved_after.items() if old == namespace
        )
        called = f"{namespace}/{name}" if name else f"namespace {namespace}"
        yield ResultFinding(
            rule="moving",
            verdict=Verdict.DANGLING,
            reason="unknown_reference",
            object=resource_id(manifest),
            path=path,
            paths=(path,),
            why=f"kustomize does not know this reference: {key.kind} {key.name} still names {called}, "
            f"which is in {now} now",
            hint=f"add a replacement or a patch for {path}, so that it says {now}",
        )


def _left_behind(world: World, moved: Mapping[_Old, str]) -> Iterator[tuple[Key, str, _Old, Manifest]]:
    """Where old namespaces stand: the object, the path, and what is named; an empty name for a namespace alone."""
    names = {old for old in moved if old[1]}
    if not names:
        return
    namespaces = {namespace for namespace, _ in names}
    present = {key.namespace for key in world.by_key}
    namespaces -= present
    pattern = _pattern({old for old in names if old[0] in namespaces})
    if pattern is None:
        return
    for manifest in world.objects:
        key = key_of(manifest)
        if key.kind in _SILENT:
            continue
        part = {"metadata": manifest.get("metadata")} if key.kind == "CustomResourceDefinition" else manifest
        for path, field, string in leaves(part):
            if is_elsewhere(path):
                continue
            for what in _meant(string, field, path, pattern, namespaces):
                yield key, path, what, manifest


def _pattern(names: set[_Old]) -> re.Pattern[str] | None:
    """Finds ``namespace/name`` as a word, and ``name.namespace`` as a host."""
    if not names:
        return None
    paired = "|".join(re.escape(f"{namespace}/{name}") for namespace, name in sorted(names))
    hosts = "|".join(re.escape(f"{name}.{namespace}") for namespace, name in sorted(names))
    return re.compile(
        rf"(?:(?<=^)|(?<=[=\s,:\"']))(?P<pair>{paired})(?=$|[\s,;:\"'])"
        rf"|(?<![\w.-])(?P<host>{hosts})(?=\.svc\b|$|[:/\s,\"'])"
    )


def _meant(
    string: str, field: str, path: str, pattern: re.Pattern[str], namespaces: set[str]
) -> Iterator[_Old]:
    for match in pattern.finditer(string):
        if match["pair"]:
            namespace, _, name = match["pair"].partition("/")
            yield namespace, name
        else:
            name, _, namespace = match["host"].partition(".")
            yield namespace, name
    for match in _ARGUMENT.finditer(string):
        if match["value"] in namespaces:
            yield match["value"], ""
    if string in namespaces and (
        (field == "value" and _NAMESPACE.search(_variable(path))) or _LISTED.search(path)
    ):
        yield string, ""


def _variable(path: str) -> str:
    """The name of the environment variable whose value stands at a path; empty for anything else."""
    match = re.search(r"\.env\[name=([^\]]+)\]\.value$", path)
    return match.group(1) if match else ""


# -- names in a namespace that is not here -------------------------------------------------------------

#: Accounts as users, and hosts inside of the cluster: what follows a name or precedes it says its namespace.
_PLACED: Final = re.compile(
    r"system:serviceaccount:(?P<a>[a-z0-9-]+):(?P<account>[a-z0-9-]+)(?![\w-])"
    r"|(?<![\w.-])(?P<service>[a-z0-9-]+)\.(?P<b>[a-z0-9-]+)\.svc(?![\w-])"
)


def compare_misplaced(before: World, after: World, context: ResultContext) -> Iterator[ResultFinding]:
    """Arguments, variables and rules that name an account or a Service of the result in a namespace that it lacks."""
    del context
    found = list(_misplaced(after))
    known = {what for what, _, _ in _misplaced(before)} if found else set()
    for what, path, manifest in found:
        if what in known:
            continue
        known.add(what)
        _, kind, name, namespace, now = what
        yield ResultFinding(
            rule="misplaced",
            verdict=Verdict.DANGLING,
            reason="unknown_reference",
            object=resource_id(manifest),
            path=path,
            paths=(path,),
            why=f"names {kind} {name} in namespace {namespace}, and it is in {now}",
            hint=f"say {now} in place of {namespace} in {path}",
        )


#: Who names it; kind, name and namespace of what is named; and where that really is.
_Misplaced = tuple[Key, str, str, str, str]


def _misplaced(world: World) -> Iterator[tuple[_Misplaced, str, Manifest]]:
    places: dict[tuple[str, str], set[str]] = {}
    for key in world.by_key:
        if key.kind in ("ServiceAccount", "Service"):
            places.setdefault((key.kind, key.name), set()).add(key.namespace)
    present = {key.namespace for key in world.by_key}
    for manifest, path, string in _naming(world):
        for match in _PLACED.finditer(string) if ":" in string or ".svc" in string else ():
            kind = "ServiceAccount" if match["account"] else "Service"
            name, namespace = match["account"] or match["service"], match["a"] or match["b"]
            found = places.get((kind, name), set())
            if namespace not in present and len(found) == 1 and "" not in found:
                yield (key_of(manifest), kind, name, namespace, next(iter(found))), path, manifest


def _naming(world: World) -> Iterator[tuple[Manifest, str, str]]:
    """What containers are told, and the objects that roles name."""
    for pod in pods(world):
        for where, container in pod.containers():
            told = {field: container.get(field) for field in ("command", "args", "env")}
            said = str(told)  # most say neither, and their paths need not be told
            if ".svc" not in said and "serviceaccount:" not in said:
                continue
            yield from ((pod.owner, path, string) for path, _, string in leaves(told, where))
    for role in world.of_kind("Role", "ClusterRole"):
        for number, rule in enumerate(role.get("rules") or ()):
            names = {"resourceNames": mapping(rule).get("resourceNames")}
            yield from ((role, path, string) for path, _, string in leaves(names, f"rules[{number}]"))


# -- labels ------------------------------------------------------------------------------------------

_SELECTORS: Final = {
    "Service": ("spec", "selector"),
    "NetworkPolicy": ("spec", "podSelector"),
    "PodDisruptionBudget": ("spec", "selector"),
}


def compare_selectors(before: World, after: World, context: ResultContext) -> Iterator[ResultFinding]:
    """New objects whose selectors got a label that pods which the result does not hold can't have."""
    if context.base_after is None:
        return
    upstream = _by_new_name(context)
    for key, manifest in after.keyed(tuple(_SELECTORS)):
        theirs = upstream.get((key.kind, key.name))
        if key in before.by_key or theirs is None:
            continue
        wanted, had = (_labels(each, key.kind) for each in (manifest, theirs))
        added = {name: value for name, value in wanted.items() if name not in had}
        if not had or not added or any(had.get(name) != wanted.get(name) for name in had):
            continue
        if next(selected(after, {"matchLabels": wanted}, key.namespace), None) is not None:
            continue
        path = ".".join(_SELECTORS[key.kind])
        now, was, more = (describe({"matchLabels": labels}) for labels in (wanted, had, added))
        yield ResultFinding(
            rule="label",
            verdict=Verdict.DANGLING,
            reason="unknown_reference",
            object=resource_id(manifest),
            path=path,
            paths=(path,),
            why=f"{key.kind} {key.name} selects pods with {now}; upstream selects by {was}, "
            f"and pods that something else makes lack {more}",
            hint=f"keep {key.name} out of the labels that enter selectors (includeSelectors: false)",
        )


def _by_new_name(context: ResultContext) -> Mapping[tuple[str, str], Manifest]:
    """Upstream's objects that select pods, by kind and by what they are called in the new result."""
    found: dict[tuple[str, str], Manifest] = {}
    for manifest in context.base_after or ():
        kind = text(manifest.get("kind"))
        if kind in _SELECTORS:
            name = key_of(manifest).name
            found.setdefault((kind, context.renamed_after.get(name, name)), manifest)
    return found


def _labels(manifest: Manifest, kind: str) -> Mapping[str, Any]:
    found = mapping(at(manifest, *_SELECTORS[kind]))
    labels = found if kind == "Service" else mapping(found.get("matchLabels"))
    return {name: text(value) for name, value in labels.items()}
