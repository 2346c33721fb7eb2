"""Why kustomize refuses an item now: the reason in the reader's terms, and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from upstreamsync.kit.kubernetes.jsonpatch import Failure, first_failure
from upstreamsync.kit.kubernetes.objects import MISSING, object_id
from upstreamsync.kit.kubernetes.values import show
from upstreamsync.model import Verdict
from upstreamsync.verify.build.builds import Key, Manifest
from upstreamsync.verify.build.causes import cause
from upstreamsync.verify.build.chain import Effect
from upstreamsync.verify.classify import successors
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.overlays.items import Item, Kind

_SCALABLE: Final = frozenset(("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"))
_DUPLICATE: Final = re.compile(
    r"already registered id|ID conflict|multiple matches for Id|already exists|exists; behavior must be",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Refused:
    """An item that kustomize refuses: what it did before, what it met now, and kustomize's words."""

    item: Item
    old: Effect
    new: Effect
    error: str


def judge(item: Item, old: Effect, new: Effect) -> list[Note]:
    """The notes on an item that kustomize refuses on the new side; ``old`` is what it did before."""
    case = _Refused(item, old, new, new.error or "")
    decide = {
        Kind.RESOURCE: _resource,
        Kind.MERGE: _merge,
        Kind.JSON: _json,
        Kind.REPLICAS: _replicas,
        Kind.REPLACEMENTS: _source,
        Kind.VARS: _source,
        Kind.GENERATOR: _generator,
    }.get(item.kind, _other)
    return decide(case) or _other(case)


def _note(
    reason: str, old: Effect, *, did: str = "", does: str = "", because: str = "", hint: str | None
) -> Note:
    resource, path = _where(old)
    did = did or (f"worked on {resource}" if resource else "")
    return Note(
        verdict=Verdict.FAILS, reason=reason, resource=resource, path=path,
        did=did, does=does or "kustomize refuses to build", because=because, hint=hint,
    )  # fmt: skip


def _where(old: Effect) -> tuple[str, tuple[str, ...]]:
    for touch in old.touched.values():
        obj = touch.before or touch.after
        if obj is not None:
            return str(object_id(obj)), ()
    return "", ()


def _other(case: _Refused) -> list[Note]:
    item, old, error = case.item, case.old, case.error
    line = gist(error)
    if item.kind in (Kind.NAMESPACE, Kind.PREFIX, Kind.SUFFIX) and _DUPLICATE.search(error):
        return [
            _note(
                "id_conflict", old, because=f"two objects would get one name: {line}",
                hint="two of upstream's objects now differ in nothing but what this setting overwrites",
            )
        ]  # fmt: skip
    return [
        _note(
            "tool_error",
            old,
            because=line,
            hint="read kustomize's message; another version may behave differently",
        )
    ]


def gist(error: str) -> str:
    """The part of kustomize's message that says what is wrong, on one line."""
    return cause(error)


# -- by kind -----------------------------------------------------------------------------------------


def _resource(case: _Refused) -> list[Note]:
    new, error = case.new, case.error
    if not _DUPLICATE.search(error):
        return []
    match = re.search(r"registered id: (\w+)\.(\S*?)/([^\s'\\]+)", error)
    what = f"{match.group(1)} {match.group(3).split('.')[0]}" if match else "an object of the same name"
    note = Note(
        verdict=Verdict.DUPLICATE, reason="same_id", resource=_own_resource(new, match),
        did=f"defines {what}", does="kustomize refuses to build",
        because=f"upstream now ships {what} too", hint="drop one of the two, or turn yours into a patch",
    )  # fmt: skip
    return [note]


def _own_resource(new: Effect, match: re.Match[str] | None) -> str:
    if match is None:
        return ""
    kind, name = match.group(1), match.group(3).split(".")[0]
    for key, obj in new.met.items():
        if key[0].kind == kind and key[0].name == name:
            return str(object_id(obj))
    return f"{kind} {name}"


def _merge(case: _Refused) -> list[Note]:
    item, old, new, error = case.item, case.old, case.new, case.error
    if "no matches for" not in error and "failed to find unique target" not in error:
        return _unreadable(item, old, error)
    body = item.body if isinstance(item.body, Mapping) else {}
    wanted = object_id(body)
    for key, obj in new.met.items():
        name = key[0]
        if (name.kind, name.name, name.group) == (wanted.kind, wanted.name, wanted.group):
            return [_moved_namespace(item, old, wanted.namespace, name.namespace, obj)]
    gone = _gone(old, new)
    if gone is None:
        other = successors.by_name(new.met, wanted.name)
        return [
            _note(
                "kind_changed" if other else "target_gone", old,
                because=f"there is no {wanted.kind} {wanted.name}",
                hint=f"{successors.called(other[0])} exists" if other else "correct the patch's kind and name",
            )
        ]  # fmt: skip
    key, content = gone
    successor = successors.find(key, content, old.met, new.met)
    if item.removes_object and successor is None:
        return [
            _note(
                "already_done", old, did=f"removed {key[0].short}", because="upstream removed it itself",
                hint="delete the patch",
            )
        ]  # fmt: skip
    return [_successor_note(item, old, key, successor)]


def _unreadable(item: Item, old: Effect, error: str) -> list[Note]:
    return [_note("tool_error", old, because=gist(error), hint=f"correct the patch in {item.file}")]


def _moved_namespace(item: Item, old: Effect, wanted: str, now: str, obj: Manifest) -> Note:
    bodied = item.body if isinstance(item.body, Mapping) else {}
    if (wanted or "default") == (now or "default"):
        version = object_id(obj).version
        return _note(
            "apiversion_changed", old,
            because=f"{object_id(obj).short} is now {obj.get('apiVersion')}",
            hint=f"set apiVersion: {obj.get('apiVersion')} in {item.file} (it says {bodied.get('apiVersion')})"
            if version else None,
        )  # fmt: skip
    because = f"upstream now sets namespace {now}" if now else "upstream no longer sets a namespace"
    hint = (
        f"add metadata.namespace: {now} to {item.file}" if now else f"remove the namespace from {item.file}"
    )
    return _note("namespace_changed", old, because=because, hint=hint)


def _gone(old: Effect, new: Effect) -> tuple[Key, Manifest] | None:
    for key, touch in old.touched.items():
        if key not in new.met and touch.before is not None:
            return key, touch.before
    return None


def _successor_note(item: Item, old: Effect, key: Key, successor: successors.Successor | None) -> Note:
    name = key[0]
    if successor is None:
        return _note(
            "target_gone", old, did=f"changed {name.short}", because=f"upstream no longer ships {name.short}",
            hint="delete the customization, or point it at what took its place",
        )  # fmt: skip
    to = successor.key[0]
    if successor.reason == "kind_changed":
        because, hint = f"{name.name} is now a {to.kind}", f"set kind to {to.kind}"
    elif successor.reason == "namespace_changed":
        because, hint = (
            f"upstream now sets namespace {to.namespace or '(none)'}",
            (f"add metadata.namespace: {to.namespace} to {item.file}"),
        )
    elif successor.reason == "apiversion_changed":
        because, hint = f"{name.name} is now in group {to.group}", f"set the group {to.group}"
    else:
        because = f"{name.short} is gone; {to.short} looks like its new name"
        hint = f"rename it to {to.name} in {item.file}"
    return _note(successor.reason, old, did=f"changed {name.short}", because=because, hint=hint)


def _json(case: _Refused) -> list[Note]:
    item, old, new, error = case.item, case.old, case.new, case.error
    operations: Sequence[Any] = item.body if isinstance(item.body, list) else ()
    candidates = [key for key in old.touched if key in new.met] or [
        key for key in new.met if key[0].name == item.target.get("name")
    ]
    for key in candidates:
        failure = first_failure(operations, new.met[key])
        if failure is None:
            continue
        touch = old.touched.get(key)
        before = touch.before if touch else None
        return [_operation_note(operations, failure, before, new.met[key])]
    if "test failed" in error or "testing value" in error:
        return [
            _note("test_failed", old, because=gist(error), hint="the guard found something else: correct it")
        ]
    if re.search(
        r"nonexistent key|doc is missing|missing path|out of bounds|unable to find|index",
        error,
        re.IGNORECASE,
    ):
        return [_note("path_gone", old, because=gist(error), hint="correct the path")]
    return []


def _operation_note(
    operations: Sequence[Any], failure: Failure, before: Manifest | None, now: Manifest
) -> Note:
    operation, why = operations[failure.index], failure.why
    what = str(operation.get("path", ""))
    did = f"{operation.get('op')} {what}"
    was = failure.value_at(before) if before is not None else MISSING
    moved = failure.moved_to(now, was)
    resource, path = str(object_id(now)), failure.path
    if operation.get("op") == "test":
        found = f"it found {show(failure.found)} in place of {show(operation.get('value'))}"
        hint = f"{what} is now {moved}" if moved else "correct the test, or delete the patch"
        reason, because = "test_failed", found
    elif operation.get("op") == "remove" and moved is None:
        reason, because = "already_done", "upstream removed it itself; the patch has no work left"
        hint = "delete the patch" if len(operations) == 1 else "delete this operation"
    else:
        reason, because = "path_gone", why
        hint = (
            f"{what} is now {moved}"
            if moved
            else "use a strategic merge patch, which creates what is missing"
        )
    return Note(
        verdict=Verdict.FAILS, reason=reason, resource=resource, path=path, did=did,
        does="kustomize refuses to build", because=because, hint=hint,
    )  # fmt: skip


def _replicas(case: _Refused) -> list[Note]:
    item, old, new = case.item, case.old, case.new
    name = str(item.spec.get("name", "")) if isinstance(item.spec, Mapping) else ""
    others = [key for key in successors.workloads(new.met) if key[0].name == name]
    if others and not any(key[0].kind in _SCALABLE for key in others):
        kind = others[0][0].kind
        return [
            _note(
                "kind_changed", old, did=f"set the replicas of {name}",
                because=f"{name} is a {kind} now and has no replicas", hint="drop the entry",
            )
        ]  # fmt: skip
    gone = _gone(old, new)
    successor = successors.find(*gone, old.met, new.met) if gone else None
    to = successor.key[0].name if successor else ""
    return [
        _note(
            "target_gone", old, did=f"set the replicas of {name}",
            because=f"no scalable object named {name} is left" + (f"; {to} looks like its new name" if to else ""),
            hint=f"set name to {to}" if to else "drop the entry",
        )
    ]  # fmt: skip


_SOURCE_ERRORS: Final = re.compile(
    r"nothing selected by|multiple matches for selector|missing for replacement source|cannot be mapped|"
    r"found multiple possible matches|field specified in var|var .* not found|unable to find.*source",
    re.IGNORECASE,
)


def _other_version(source: Mapping[str, Any], present: Sequence[Manifest]) -> str:
    """The apiVersion of the object that a source means, where the source names another one; else empty."""
    group, version = _group_of(source), _version_of(source).rpartition("/")[2]
    for obj in present:
        name = object_id(obj)
        if (group and group != name.group) or (version and version != name.version):
            return str(obj.get("apiVersion"))
    return ""


def _group_of(source: Mapping[str, Any]) -> str:
    return str(source.get("group") or str(source.get("apiVersion") or "").rpartition("/")[0])


def _version_of(source: Mapping[str, Any]) -> str:
    version = str(source.get("version") or str(source.get("apiVersion") or "").rpartition("/")[2])
    return "/".join(part for part in (_group_of(source), version) if part)


def _source(case: _Refused) -> list[Note]:
    item, old, new, error = case.item, case.old, case.new, case.error
    if not _SOURCE_ERRORS.search(error):
        if re.search(r"unable to find field|no such field|index|not found|fieldPath", error, re.IGNORECASE):
            return [
                _note("path_gone", old, because=gist(error), hint="correct fieldPaths, or set create: true")
            ]
        return []
    spec: Any = item.spec if isinstance(item.spec, Mapping) else {}
    source: Any = spec.get("source") or spec.get("objref") or {}
    kind, name = str(source.get("kind", "")), str(source.get("name", ""))
    what = f"{kind} {name}".strip()
    before = next((key for key in old.met if (key[0].kind, key[0].name) == (kind, name)), None)
    present = [obj for key, obj in new.met.items() if (key[0].kind, key[0].name) == (kind, name)]
    if present and (moved := _other_version(source, present)):
        resource = str(object_id(old.met[before])) if before else what
        return [
            Note(
                verdict=Verdict.FAILS, reason="apiversion_changed", resource=resource,
                did=f"took a value from {what}", does="kustomize refuses to build",
                because=f"{what} is now {moved}", hint=f"set the source to {moved} (it says {_version_of(source)})",
            )
        ]  # fmt: skip
    if present:
        because, hint = f"{what} no longer has the field: {gist(error)}", "correct the source's fieldPath"
    else:
        successor = successors.find(before, old.met[before], old.met, new.met) if before else None
        because = f"the source {what} is gone"
        hint = f"point its name at {successor.key[0].name}" if successor else "point it at another object"
        if successor and successor.reason == "target_gone":
            because += f"; {successor.key[0].short} looks like its new name"
    resource = str(object_id(old.met[before])) if before else what
    return [
        Note(
            verdict=Verdict.FAILS, reason="source_gone", resource=resource, did=f"took a value from {what}",
            does="kustomize refuses to build", because=because, hint=hint,
        )
    ]  # fmt: skip


def _generator(case: _Refused) -> list[Note]:
    item, old, new, error = case.item, case.old, case.new, case.error
    spec: Any = item.spec if isinstance(item.spec, Mapping) else {}
    kinds = (item.field, spec.get("kind"))
    kind = "ConfigMap" if {"configMapGenerator", "ConfigMapGenerator"} & {*kinds} else "Secret"
    what = f"{kind} {spec.get('name', '')}"
    if spec.get("behavior") in ("merge", "replace"):
        gone = _gone(old, new)
        successor = successors.find(*gone, old.met, new.met) if gone else None
        to = f"; {successor.key[0].short} looks like its new name" if successor else ""
        hint = (
            f"set name to {successor.key[0].name}" if successor else "drop the entry, or set behavior: create"
        )
        return [_note("target_gone", old, because=f"upstream no longer ships {what}{to}", hint=hint)]
    if _DUPLICATE.search(error):
        return [
            Note(
                verdict=Verdict.DUPLICATE, reason="same_id", resource=f"v1 {what}", did=f"creates {what}",
                does="kustomize refuses to build", because=f"upstream now ships {what} itself",
                hint="set behavior: merge, or drop the entry",
            )
        ]  # fmt: skip
    return []
