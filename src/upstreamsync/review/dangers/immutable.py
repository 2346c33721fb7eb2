"""Fields that the API server never lets change: the apply fails until the object is deleted.

From the validation of the Kubernetes API (ValidateXxxUpdate functions) and its reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from upstreamsync.kit.kubernetes.objects import diff
from upstreamsync.model import Danger
from upstreamsync.review.pairs import Object, Pair, Pairs
from upstreamsync.review.pods import mapping

_FIELDS: Final[dict[str, re.Pattern[str]]] = {
    kind: re.compile(pattern)
    for kind, pattern in {
        "Deployment": r"^spec\.selector\b",
        "ReplicaSet": r"^spec\.selector\b",
        "DaemonSet": r"^spec\.selector\b",
        "StatefulSet": (
            r"^spec\.(?!replicas\b|template\b|updateStrategy\b|ordinals\b|minReadySeconds\b"
            r"|revisionHistoryLimit\b|persistentVolumeClaimRetentionPolicy\b)"
        ),
        "Job": r"^spec\.(?:selector|template|completionMode|podFailurePolicy|backoffLimitPerIndex)\b",
        "Service": r"^spec\.(?:clusterIP|clusterIPs|ipFamilies\[0\])\b",
        "PersistentVolumeClaim": r"^spec\.(?!resources\b|volumeAttributesClassName\b)",
        "PersistentVolume": r"^spec\.(?:csi|nfs|local|hostPath|volumeMode|nodeAffinity)\b",
        "RoleBinding": r"^roleRef\b",
        "ClusterRoleBinding": r"^roleRef\b",
        "StorageClass": r"^(?:provisioner|parameters|reclaimPolicy|volumeBindingMode)\b",
        "VolumeSnapshotClass": r"^(?:driver|parameters|deletionPolicy)\b",
        "IngressClass": r"^spec\.controller\b",
        "PriorityClass": r"^(?:value|preemptionPolicy)\b",
        "RuntimeClass": r"^handler\b",
        "CSIDriver": r"^spec\.(?:attachRequired|volumeLifecycleModes)\b",
        "Secret": r"^type\b",
        "CustomResourceDefinition": r"^spec\.(?:group|scope|names\.(?:plural|kind))\b",
        "APIService": r"^spec\.(?:group|version)\b",
    }.items()
}


def immutable_dangers(pairs: Pairs) -> Iterator[Danger]:
    """Changed objects in which an immutable field differs."""
    for pair in pairs.changed:
        if _is_recreated(pair.new):
            continue
        for path in _immutable_paths(pair):
            text = f"{path} can't be changed in place: delete the object first, or replace it"
            yield Danger(rule="immutable-field", resource=str(pair), text=text)


def _is_recreated(obj: Object) -> bool:
    """Hooks are deleted before they are created anew, and so is what asks Argo CD for it."""
    annotations = mapping(mapping(obj.get("metadata")).get("annotations"))
    options = str(annotations.get("argocd.argoproj.io/sync-options", ""))
    return (
        "helm.sh/hook" in annotations or "argocd.argoproj.io/hook" in annotations or "Force=true" in options
    )


def _immutable_paths(pair: Pair) -> Iterator[str]:
    if (
        pair.kind in ("ConfigMap", "Secret")
        and pair.old.get("immutable") is True
        and any(pair.old.get(key) != pair.new.get(key) for key in ("data", "binaryData", "stringData"))
    ):
        yield "data of an object that is marked immutable"
    pattern = _FIELDS.get(pair.kind)
    if pattern is None:
        return
    changes = diff(_head(pair, pair.old), _head(pair, pair.new))
    yield from dict.fromkeys(_shown(change.path) for change in changes if pattern.match(change.path))


def _head(pair: Pair, obj: object) -> object:
    """A CRD's schemas are megabytes and never immutable."""
    if (
        pair.kind == "CustomResourceDefinition"
        and isinstance(obj, dict)
        and isinstance(obj.get("spec"), dict)
    ):
        return {"spec": {key: value for key, value in obj["spec"].items() if key != "versions"}}
    return obj


def _shown(path: str) -> str:
    """Selectors and roleRefs are one thing to a reader: their parts are not listed."""
    for whole in ("spec.selector", "roleRef", "spec.template", "spec.volumeClaimTemplates"):
        if path.startswith(whole):
            return whole
    return path
