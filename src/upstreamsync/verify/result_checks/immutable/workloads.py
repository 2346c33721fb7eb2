"""What may not change in StatefulSets, Jobs and Pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from upstreamsync.verify.result_checks.finding import Manifest
from upstreamsync.verify.result_checks.index import at, mapping, step

from . import defaults
from .refused import Refused, differ, immutable

_STATEFUL_SET: Final = frozenset(
    ("replicas", "selector", "template", "volumeClaimTemplates", "serviceName", "podManagementPolicy",
     "updateStrategy", "revisionHistoryLimit", "minReadySeconds", "persistentVolumeClaimRetentionPolicy", "ordinals")
)  # fmt: skip
_STATEFUL_SET_MUTABLE: Final = frozenset(
    ("replicas", "ordinals", "template", "updateStrategy", "persistentVolumeClaimRetentionPolicy",
     "minReadySeconds", "revisionHistoryLimit")
)  # fmt: skip
_JOB_FIELDS: Final = (
    "template", "selector", "completions", "completionMode", "podFailurePolicy", "successPolicy",
    "backoffLimitPerIndex", "managedBy",
)  # fmt: skip
#: What may change in the template of a Job that has not begun.
_SCHEDULING: Final = ("nodeSelector", "tolerations", "affinity", "schedulingGates")


def stateful_set(old: Manifest, new: Manifest) -> Iterator[Refused]:
    """All but a few fields."""
    before, after = mapping(old.get("spec")), mapping(new.get("spec"))
    for field in sorted((before.keys() | after.keys()) & _STATEFUL_SET - _STATEFUL_SET_MUTABLE):
        one, other = before.get(field), after.get(field)
        if field == "podManagementPolicy":
            one, other = one or "OrderedReady", other or "OrderedReady"
        if field == "volumeClaimTemplates":
            one, other = _claims(one), _claims(other)
        if differ(one, other):
            yield immutable(
                "StatefulSet", step("spec", field), "delete the StatefulSet with --cascade=orphan, then apply"
            )


def _claims(value: Any) -> list[Any]:
    claims = []
    for claim in value if isinstance(value, list) else []:
        metadata = {key: item for key, item in mapping(mapping(claim).get("metadata")).items() if item}
        claims.append({"metadata": metadata, "spec": defaults.claim_spec(mapping(claim).get("spec"))})
    return claims


def job(old: Manifest, new: Manifest) -> Iterator[Refused]:
    """The template, and how completion is told; an indexed Job may grow, a suspended one be scheduled anew."""
    before, after = defaults.job_spec(old.get("spec")), defaults.job_spec(new.get("spec"))
    for field in _JOB_FIELDS:
        one, other = before.get(field), after.get(field)
        if field == "template" and before.get("suspend") is True:
            one, other = _unscheduled(one), _unscheduled(other)
        if field == "completions" and after.get("completionMode") == "Indexed":
            # It may move together with parallelism; where it is missing another rule is broken.
            one = other if other is None or not differ(other, after.get("parallelism")) else one
        if differ(one, other):
            yield Refused(
                step("spec", field),
                f"spec.{field} changed, and that of a Job is immutable: apply fails while the old Job exists",
                "delete the old Job first, or use ttlSecondsAfterFinished or a hook",
            )


def _unscheduled(template: Any) -> Any:
    spec = {key: item for key, item in mapping(at(template, "spec")).items() if key not in _SCHEDULING}
    return {"spec": spec}


def pod(old: Manifest, new: Manifest) -> Iterator[Refused]:
    """All but images, further tolerations, and a deadline that is set or comes nearer."""
    one, other = defaults.pod_spec(old.get("spec")), defaults.pod_spec(new.get("spec"))
    if differ(_without_images(one), _without_images(other)):
        yield Refused("spec", "the spec of a Pod is immutable but for its images", "delete the Pod first")
    was, now = one.get("activeDeadlineSeconds"), other.get("activeDeadlineSeconds")
    if isinstance(was, int) and (not isinstance(now, int) or now > was):
        yield Refused(
            "spec.activeDeadlineSeconds", f"activeDeadlineSeconds went from {was} to {now or 'nothing'}",
            "delete the Pod first",
        )  # fmt: skip


def _without_images(value: Mapping[str, Any]) -> Mapping[str, Any]:
    spec = {key: item for key, item in value.items() if key not in ("tolerations", "activeDeadlineSeconds")}
    for field in ("containers", "initContainers"):
        items = spec.get(field)
        if isinstance(items, list):
            spec[field] = [
                {key: part for key, part in mapping(item).items() if key not in ("image", "imagePullPolicy")}
                for item in items
            ]
    return spec
