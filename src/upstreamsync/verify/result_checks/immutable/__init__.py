"""Fields that the API server does not let anybody change (rejected/immutable_field).

The lists follow the update validation of each kind in Kubernetes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from upstreamsync.model import Verdict
from upstreamsync.verify.result_checks.applying import applied
from upstreamsync.verify.result_checks.finding import Manifest, ResultContext, ResultFinding
from upstreamsync.verify.result_checks.index import World, at, key_of, key_of_id, resource_id

from . import defaults, others, storage, workloads
from .refused import Refused, Rule, differ, immutable


class _Field(NamedTuple):
    """A field that may not change; what holds where it is left out; how it is made comparable."""

    path: str
    default: Any = None
    filled: Callable[[Any], Any] | None = None


#: Fields that may not change, by group and kind.
_FIELDS: Final[Mapping[tuple[str, str], tuple[_Field, ...]]] = {
    ("apps", "Deployment"): (_Field("spec.selector"),),
    ("apps", "ReplicaSet"): (_Field("spec.selector"),),
    ("apps", "DaemonSet"): (_Field("spec.selector"),),
    ("apps", "ControllerRevision"): (_Field("data"),),
    ("rbac.authorization.k8s.io", "RoleBinding"): (_Field("roleRef", filled=defaults.role_reference),),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): (_Field("roleRef", filled=defaults.role_reference),),
    ("storage.k8s.io", "StorageClass"): (
        _Field("provisioner"), _Field("parameters"), _Field("reclaimPolicy", "Delete"),
        _Field("volumeBindingMode", "Immediate"),
    ),
    ("storage.k8s.io", "CSIDriver"): (
        _Field("spec.attachRequired", True), _Field("spec.volumeLifecycleModes", ["Persistent"]),
    ),
    ("storage.k8s.io", "CSINode"): (_Field("spec.drivers"),),
    ("storage.k8s.io", "CSIStorageCapacity"): (_Field("storageClassName"), _Field("nodeTopology")),
    ("storage.k8s.io", "VolumeAttachment"): (_Field("spec"),),
    ("storage.k8s.io", "VolumeAttributesClass"): (_Field("driverName"), _Field("parameters")),
    ("scheduling.k8s.io", "PriorityClass"): (
        _Field("value", 0), _Field("preemptionPolicy", "PreemptLowerPriority"),
    ),
    ("networking.k8s.io", "IngressClass"): (_Field("spec.controller"),),
    ("networking.k8s.io", "IPAddress"): (_Field("spec.parentRef"),),
    ("node.k8s.io", "RuntimeClass"): (_Field("handler"),),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): (
        _Field("spec.scope"), _Field("spec.group"), _Field("spec.names.kind"), _Field("spec.names.plural"),
    ),
    ("snapshot.storage.k8s.io", "VolumeSnapshotContent"): (_Field("spec.driver"), _Field("spec.source")),
    ("discovery.k8s.io", "EndpointSlice"): (_Field("addressType"),),
    ("resource.k8s.io", "ResourceClaim"): (_Field("spec", filled=defaults.claim_requests),),
    ("resource.k8s.io", "ResourceClaimTemplate"): (_Field("spec", filled=defaults.claim_requests),),
}  # fmt: skip
#: Kinds whose rules are no list of fields.
_RULES: Final[Mapping[tuple[str, str], Rule]] = {
    ("apps", "StatefulSet"): workloads.stateful_set,
    ("batch", "Job"): workloads.job,
    ("", "Pod"): workloads.pod,
    ("", "PersistentVolumeClaim"): storage.claim,
    ("", "PersistentVolume"): storage.volume,
    ("", "Service"): others.service,
    ("", "Secret"): others.data_object,
    ("", "ConfigMap"): others.data_object,
    ("", "Node"): others.node,
    ("", "ResourceQuota"): others.quota,
    ("networking.k8s.io", "ServiceCIDR"): others.ranges,
}


def compare(before: World, after: World, context: ResultContext) -> Iterator[ResultFinding]:
    """Every immutable field of an object in both results that differs between them."""
    hashed = {key_of_id(item) for item in context.hashed}
    for new in after.objects:
        key = key_of(new)
        old = before.by_key.get(key)
        if old is None or old is new or key in hashed:
            continue
        refused = list(_refused((key.group, key.kind), old, new))
        if not refused or applied(context).recreates(old, new):
            continue
        advice = applied(context).hook_advice(new)
        for path, why, hint in refused:
            yield ResultFinding(
                rule="immutable",
                verdict=Verdict.REJECTED,
                reason="immutable_field",
                object=resource_id(new),
                path=path,
                paths=(path,),
                why=why,
                hint=advice or hint,
            )


def _refused(kind: tuple[str, str], old: Manifest, new: Manifest) -> Iterator[Refused]:
    rule = _RULES.get(kind)
    if rule is not None:
        yield from rule(old, new)
    for field in _FIELDS.get(kind, ()):
        steps = field.path.split(".")
        one, other = at(old, *steps) or field.default, at(new, *steps) or field.default
        if field.filled is not None:
            one, other = field.filled(one), field.filled(other)
        if differ(one, other):
            yield immutable(kind[1], field.path)
