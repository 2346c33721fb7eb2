"""What may not change in volumes and claims."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from upstreamsync.kit.kubernetes.values import quantity
from upstreamsync.verify.result_checks.finding import Manifest
from upstreamsync.verify.result_checks.index import at, mapping, step, text

from . import defaults
from .refused import Refused, differ, immutable

_PV_MUTABLE: Final = frozenset(
    ("accessModes", "capacity", "claimRef", "mountOptions", "persistentVolumeReclaimPolicy",
     "storageClassName", "volumeAttributesClassName", "nodeAffinity")
)  # fmt: skip
_BETA_LABELS: Final = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "beta.kubernetes.io/os": "kubernetes.io/os", "beta.kubernetes.io/arch": "kubernetes.io/arch",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
}  # fmt: skip
_MOVE: Final = "make a new claim and move the data"


def claim(old: Manifest, new: Manifest) -> Iterator[Refused]:
    """A claim keeps its spec; it may grow, and what was left open may be said once."""
    before, after = defaults.claim_spec(old.get("spec")), defaults.claim_spec(new.get("spec"))
    _settle(before, after)
    for field in sorted((before.keys() | after.keys()) - {"resources", "volumeAttributesClassName"}):
        if differ(before.get(field), after.get(field)):
            yield immutable("PersistentVolumeClaim", step("spec", field), _MOVE)
    yield from _resources(mapping(before.get("resources")), mapping(after.get("resources")))


def _settle(before: dict[str, Any], after: dict[str, Any]) -> None:
    """What a server takes or fills in by itself, made equal on both sides."""
    for field in ("volumeName", "storageClassName"):
        if before.get(field) in (None, "" if field == "volumeName" else None):
            before[field] = after.get(field)
    source = after.get("dataSource")
    if not before.get("dataSource") and not before.get("dataSourceRef") and not _is_source(source):
        after.pop("dataSource", None)  # of a kind that is not supported: left out by the server
    for field, other in (("dataSource", "dataSourceRef"), ("dataSourceRef", "dataSource")):
        # Each of the two is filled in from the other, and what was filled in stays.
        if before.get(field) and not after.get(field) and not before.get(other):
            after[field] = before[field]
        if after.get(field) and not before.get(field) and not differ(before.get(other), after[field]):
            before[field] = after[field]


def _is_source(value: Any) -> bool:
    group, kind = text(at(value, "apiGroup")), at(value, "kind")
    return (group, kind) in (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot"))


def _resources(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Refused]:
    for field in ("limits", "requests"):
        one, other = mapping(before.get(field)), mapping(after.get(field))
        for name in sorted(one.keys() | other.keys()):
            path = step(f"spec.resources.{field}", name)
            if (field, name) != ("requests", "storage"):
                if differ(one.get(name), other.get(name)):
                    yield immutable("PersistentVolumeClaim", path, _MOVE)
                continue
            was, now = quantity(one.get(name)), quantity(other.get(name))
            if was is not None and now is not None and now < was:
                yield Refused(
                    path, f"the claim shrinks from {one[name]} to {other[name]}, which it can't", _MOVE
                )


def volume(old: Manifest, new: Manifest) -> Iterator[Refused]:
    """A volume keeps its source, its mode, and the nodes that it belongs to."""
    before, after = mapping(old.get("spec")), mapping(new.get("spec"))
    for field in sorted((before.keys() | after.keys()) - _PV_MUTABLE):
        default = "Filesystem" if field == "volumeMode" else None
        if differ(before.get(field) or default, after.get(field) or default):
            yield immutable("PersistentVolume", step("spec", field))
    affinity = before.get("nodeAffinity")
    if affinity and differ(_renamed(affinity), _renamed(after.get("nodeAffinity"))):
        yield immutable("PersistentVolume", "spec.nodeAffinity")


def _renamed(value: Any) -> Any:
    """A node selector with the labels of today in place of those of beta times."""
    if isinstance(value, dict):
        return {
            key: _BETA_LABELS.get(item, item) if key == "key" else _renamed(item)
            for key, item in value.items()
        }
    return [_renamed(item) for item in value] if isinstance(value, list) else value
