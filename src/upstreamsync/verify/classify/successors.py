"""What took the place of an object that upstream no longer ships under its old name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from upstreamsync.kit.kubernetes.objects import likeness, object_id
from upstreamsync.verify.build.builds import Key, Manifest
from upstreamsync.verify.classify.elements import alike

_WORKLOADS: Final = frozenset(
    ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob", "Pod")
)
#: Below this likeness an object is not taken for the old one under a new name.
_LEAST: Final = 0.3


@dataclass(frozen=True, slots=True)
class Successor:
    """An object that exists only now, and why it is taken for the old one: a reason code."""

    key: Key
    manifest: Manifest
    reason: str


def find(
    key: Key, content: Manifest, old: Mapping[Key, Any], new: Mapping[Key, Manifest]
) -> Successor | None:
    """The successor of object ``key`` among the objects that only the new side has; None without one."""
    fresh = {other: obj for other, obj in new.items() if other not in old}
    name = key[0]
    for other, obj in fresh.items():
        here = other[0]
        if here.name == name.name and here.kind == name.kind and here.group == name.group:
            return Successor(other, obj, "namespace_changed")
    for other, obj in fresh.items():
        if other[0].name == name.name and _turned_into(key, other, content, obj):
            reason = "kind_changed" if other[0].kind != name.kind else "apiversion_changed"
            return Successor(other, obj, reason)
    best, found = 0.0, None
    for other, obj in sorted(fresh.items()):
        if (other[0].kind, other[0].group) != (name.kind, name.group):
            continue
        score = object_likeness(content, obj)
        if score > best:
            best, found = score, Successor(other, obj, "target_gone")
    return found if best >= _LEAST else None


def _turned_into(old: Key, new: Key, content: Manifest, obj: Manifest) -> bool:
    if old[0].kind == new[0].kind:
        return True
    both_workloads = old[0].kind in _WORKLOADS and new[0].kind in _WORKLOADS
    return both_workloads or (old[0].group == new[0].group and object_likeness(content, obj) >= _LEAST)


def object_likeness(old: Manifest, new: Manifest) -> float:
    """How alike two objects are; their names don't count, the images of their containers do."""
    score = likeness(_content(old), _content(new))
    left, right = _containers(old), _containers(new)
    if left and right:
        score = max(score, max(alike(one, other) for one in left for other in right) * 0.7)
    if not _content(old) and not _content(new):
        return 0.5  # nothing but a name: ServiceAccounts and the like
    return score


def _content(obj: Manifest) -> dict[str, Any]:
    return {
        key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata", "status")
    }


def _containers(obj: Any) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    if isinstance(obj, Mapping):
        for key, value in obj.items():
            if key in ("containers", "initContainers") and isinstance(value, list):
                found += [each for each in value if isinstance(each, Mapping)]
            elif key != "status":
                found += _containers(value)
    return found


def by_name(new: Mapping[Key, Manifest], name: str, kinds: frozenset[str] | None = None) -> list[Manifest]:
    """Every object of that name, of one of ``kinds``."""
    return [
        obj for key, obj in new.items() if key[0].name == name and (kinds is None or key[0].kind in kinds)
    ]


def workloads(objects: Mapping[Key, Manifest]) -> Mapping[Key, Manifest]:
    """The objects that run pods."""
    return {key: obj for key, obj in objects.items() if key[0].kind in _WORKLOADS}


def called(obj: Manifest) -> str:
    """``Deployment argocd/argocd-server``."""
    return object_id(obj).short
