"""Fields that the API server does not let anybody change (rejected/immutable_field).

The lists follow the update validation of each kind in Kubernetes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from upstreamsync.model import Verdict

from .finding import Manifest, ResultContext, ResultFinding
from .index import World, at, key_of, key_of_id, mapping, resource_id, step, text
from .quantities import same_value

#: (path, why, hint)
Refused = tuple[str, str, str]

_STATEFUL_SET_MUTABLE = frozenset(
    ("replicas", "ordinals", "template", "updateStrategy", "persistentVolumeClaimRetentionPolicy",
     "minReadySeconds", "revisionHistoryLimit")
)  # fmt: skip
_JOB_FIELDS = (
    "template", "selector", "completions", "completionMode", "manualSelector", "podFailurePolicy",
    "successPolicy", "backoffLimitPerIndex", "maxFailedIndexes", "managedBy", "podReplacementPolicy",
)  # fmt: skip

#: Fields that may not change, by kind; the ones with rules of their own have functions below.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "Deployment": ("spec.selector",),
    "ReplicaSet": ("spec.selector",),
    "DaemonSet": ("spec.selector",),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
    "StorageClass": ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
    "PriorityClass": ("value", "preemptionPolicy"),
    "IngressClass": ("spec.controller",),
    "RuntimeClass": ("handler",),
    "CSIDriver": ("spec.attachRequired", "spec.volumeLifecycleModes"),
    "CustomResourceDefinition": ("spec.scope", "spec.group", "spec.names.kind", "spec.names.plural"),
    "VolumeSnapshotContent": ("spec.driver", "spec.source"),
    "EndpointSlice": ("addressType",),
    "ResourceClaim": ("spec",),
    "ResourceClaimTemplate": ("spec",),
}
#: What the API server fills in where nothing is written, so that writing it down changes nothing.
_DEFAULTS: Mapping[tuple[str, str], Any] = {
    ("StorageClass", "reclaimPolicy"): "Delete",
    ("StorageClass", "volumeBindingMode"): "Immediate",
    ("PriorityClass", "preemptionPolicy"): "PreemptLowerPriority",
    ("PriorityClass", "value"): 0,
    ("CSIDriver", "spec.attachRequired"): True,
    ("StatefulSet", "podManagementPolicy"): "OrderedReady",
    ("Job", "completionMode"): "NonIndexed",
    ("Job", "manualSelector"): False,
    ("Job", "completions"): 1,
    ("PersistentVolumeClaim", "volumeMode"): "Filesystem",
}
_GROUPS: Mapping[str, str] = {
    "Deployment": "apps", "ReplicaSet": "apps", "DaemonSet": "apps", "StatefulSet": "apps",
    "RoleBinding": "rbac.authorization.k8s.io", "ClusterRoleBinding": "rbac.authorization.k8s.io",
    "StorageClass": "storage.k8s.io", "CSIDriver": "storage.k8s.io", "PriorityClass": "scheduling.k8s.io",
    "IngressClass": "networking.k8s.io", "RuntimeClass": "node.k8s.io",
    "CustomResourceDefinition": "apiextensions.k8s.io", "VolumeSnapshotContent": "snapshot.storage.k8s.io",
    "EndpointSlice": "discovery.k8s.io", "ResourceClaim": "resource.k8s.io",
    "ResourceClaimTemplate": "resource.k8s.io", "Job": "batch", "PersistentVolumeClaim": "",
    "PersistentVolume": "", "Service": "", "Secret": "", "ConfigMap": "", "Pod": "",
}  # fmt: skip


def compare(before: World, after: World, context: ResultContext) -> Iterator[ResultFinding]:
    """Every immutable field of an object in both results that differs between them."""
    hashed = {key_of_id(item) for item in context.hashed}
    for new in after.objects:
        key = key_of(new)
        old = before.by_key.get(key)
        if old is None or _GROUPS.get(key.kind) != key.group or _is_recreated(old, new):
            continue
        if key in hashed:
            continue
        for path, why, hint in _refused(key.kind, old, new):
            yield ResultFinding(
                rule="immutable",
                verdict=Verdict.REJECTED,
                reason="immutable_field",
                object=resource_id(new),
                path=path,
                paths=(path,),
                why=why,
                hint=hint,
            )


def _refused(kind: str, old: Manifest, new: Manifest) -> Iterator[Refused]:
    special = _SPECIAL.get(kind)
    if special is not None:
        yield from special(old, new)
    for path in _FIELDS.get(kind, ()):
        default = _DEFAULTS.get((kind, path))
        steps = path.split(".")
        before, after = at(old, *steps), at(new, *steps)
        if _differ(default if before is None else before, default if after is None else after):
            yield path, f"{path} changed, which is immutable in a {kind}", f"delete the {kind} first"


def _is_recreated(old: Manifest, new: Manifest) -> bool:
    """Whether something deletes the object before it is applied again: a hook, a forced sync, a TTL."""
    annotations = mapping(at(new, "metadata", "annotations"))
    if "helm.sh/hook" in annotations or "argocd.argoproj.io/hook" in annotations:
        return True
    if "Force=true" in text(annotations.get("argocd.argoproj.io/sync-options")):
        return True
    return old.get("kind") == "Job" and at(old, "spec", "ttlSecondsAfterFinished") is not None


def _differ(old: Any, new: Any) -> bool:
    return not same_value(old, new)


def _stateful_set(old: Manifest, new: Manifest) -> Iterator[Refused]:
    before, after = mapping(old.get("spec")), mapping(new.get("spec"))
    for field in sorted((before.keys() | after.keys()) - _STATEFUL_SET_MUTABLE):
        default = _DEFAULTS.get(("StatefulSet", field))
        one, other = before.get(field, default), after.get(field, default)
        if field == "volumeClaimTemplates":
            one, other = _claims(one), _claims(other)
        if _differ(one, other):
            yield (
                step("spec", field),
                f"spec.{field} changed, which is immutable in a StatefulSet",
                "delete the StatefulSet with --cascade=orphan, then apply",
            )


def _claims(value: Any) -> list[Any]:
    claims = []
    for claim in value if isinstance(value, list) else []:
        spec = {"volumeMode": "Filesystem", **mapping(mapping(claim).get("spec"))}
        metadata = {key: item for key, item in mapping(mapping(claim).get("metadata")).items() if item}
        claims.append({"metadata": metadata, "spec": spec})
    return claims


def _job(old: Manifest, new: Manifest) -> Iterator[Refused]:
    before, after = mapping(old.get("spec")), mapping(new.get("spec"))
    for field in _JOB_FIELDS:
        default = _DEFAULTS.get(("Job", field))
        if _differ(before.get(field, default), after.get(field, default)):
            yield (
                step("spec", field),
                f"spec.{field} changed, and that of a Job is immutable: apply fails while the old Job exists",
                "delete the old Job first, or use ttlSecondsAfterFinished or a hook",
            )


def _service(old: Manifest, new: Manifest) -> Iterator[Refused]:
    if "ExternalName" in (at(old, "spec", "type"), at(new, "spec", "type")):
        return
    before, after = text(at(old, "spec", "clusterIP")), text(at(new, "spec", "clusterIP"))
    # Leaving an assigned address out keeps it; leaving None out keeps the Service headless, unlike meant.
    if before != after and (after or before == "None"):
        yield (
            "spec.clusterIP",
            f"spec.clusterIP went from {before or 'nothing'} to {after or 'nothing'}, which is immutable",
            "delete the Service first",
        )


def _data_object(old: Manifest, new: Manifest) -> Iterator[Refused]:
    kind = text(new.get("kind"))
    if kind == "Secret":
        before, after = text(old.get("type")) or "Opaque", text(new.get("type")) or "Opaque"
        if before != after:
            yield (
                "type",
                f"the type of the Secret went from {before} to {after}, which is immutable",
                ("delete the Secret first"),
            )
    if old.get("immutable") is not True:
        return
    hint = f"delete the {kind} first, or give it a new name"
    if new.get("immutable") is not True:
        yield "immutable", f"the {kind} is immutable, which cannot be taken back", hint
    for field in ("data", "stringData", "binaryData"):
        before_data, after_data = mapping(old.get(field)), mapping(new.get(field))
        for key in sorted(before_data.keys() | after_data.keys()):
            if before_data.get(key) != after_data.get(key):
                yield step(field, key), f"the {kind} says immutable: true, and {field}.{key} changed", hint


def _claim(old: Manifest, new: Manifest) -> Iterator[Refused]:
    before, after = mapping(old.get("spec")), mapping(new.get("spec"))
    for field in sorted((before.keys() | after.keys()) - {"resources", "volumeAttributesClassName"}):
        default = _DEFAULTS.get(("PersistentVolumeClaim", field))
        if _differ(before.get(field, default), after.get(field, default)):
            yield (
                step("spec", field),
                f"spec.{field} changed, which is immutable in a PersistentVolumeClaim",
                "make a new claim and move the data",
            )


_PV_MUTABLE = frozenset(
    ("accessModes", "capacity", "claimRef", "mountOptions", "persistentVolumeReclaimPolicy",
     "storageClassName", "volumeAttributesClassName", "nodeAffinity")
)  # fmt: skip


def _volume(old: Manifest, new: Manifest) -> Iterator[Refused]:
    before, after = mapping(old.get("spec")), mapping(new.get("spec"))
    for field in sorted((before.keys() | after.keys()) - _PV_MUTABLE):
        default = "Filesystem" if field == "volumeMode" else None
        if _differ(before.get(field, default), after.get(field, default)):
            yield (
                step("spec", field),
                f"spec.{field} changed, which is immutable in a PersistentVolume",
                "delete the PersistentVolume first",
            )


def _pod(old: Manifest, new: Manifest) -> Iterator[Refused]:
    if _differ(_without_images(old.get("spec")), _without_images(new.get("spec"))):
        yield "spec", "the spec of a Pod is immutable but for its images", "delete the Pod first"


def _without_images(value: Any) -> Any:
    spec = {key: item for key, item in mapping(value).items() if key != "tolerations"}
    for field in ("containers", "initContainers"):
        items = spec.get(field)
        if isinstance(items, list):
            spec[field] = [
                {key: part for key, part in mapping(item).items() if key != "image"} for item in items
            ]
    return spec


_SPECIAL: Mapping[str, Callable[[Manifest, Manifest], Iterator[Refused]]] = {
    "StatefulSet": _stateful_set,
    "Job": _job,
    "Service": _service,
    "Secret": _data_object,
    "ConfigMap": _data_object,
    "PersistentVolumeClaim": _claim,
    "PersistentVolume": _volume,
    "Pod": _pod,
}
