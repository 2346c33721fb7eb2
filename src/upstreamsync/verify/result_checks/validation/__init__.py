"""The rules of Kubernetes' own APIs: what a server says of an object beyond its schema.

Each kind has its rules in the table below; the rules follow the validation in Kubernetes. An object that is
as it was is not looked at, and of one that changed only what is new is said: a server has taken the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from upstreamsync.model import Verdict
from upstreamsync.verify.result_checks.alike import alike
from upstreamsync.verify.result_checks.finding import Manifest, ResultContext, ResultFinding
from upstreamsync.verify.result_checks.index import World, key_of, resource_id

from . import admission, config, exclusive, network, pods, storage, structural, values, workloads
from .wrong import Rule, Wrong

#: The rules by group and kind, whatever the version.
RULES: Final[Mapping[tuple[str, str], tuple[Rule, ...]]] = {
    ("apps", "Deployment"): (pods.check, workloads.deployment),
    ("apps", "DaemonSet"): (pods.check, workloads.daemon_set),
    ("apps", "StatefulSet"): (pods.check, workloads.stateful_set),
    ("apps", "ReplicaSet"): (pods.check,),
    ("", "ReplicationController"): (pods.check,),
    ("", "Pod"): (pods.check,),
    ("", "PodTemplate"): (pods.check,),
    ("batch", "Job"): (pods.check, workloads.job),
    ("batch", "CronJob"): (pods.check, workloads.cron_job),
    ("autoscaling", "HorizontalPodAutoscaler"): (workloads.autoscaler,),
    ("", "Service"): (network.service,),
    ("networking.k8s.io", "Ingress"): (network.ingress,),
    ("networking.k8s.io", "NetworkPolicy"): (network.network_policy,),
    ("", "PersistentVolume"): (storage.volume,),
    ("", "PersistentVolumeClaim"): (storage.claim,),
    ("", "LimitRange"): (storage.limit_range,),
    ("", "ResourceQuota"): (storage.quota,),
    ("", "Secret"): (config.secret,),
    ("", "ConfigMap"): (config.config_map,),
    ("rbac.authorization.k8s.io", "Role"): (config.role,),
    ("rbac.authorization.k8s.io", "ClusterRole"): (config.role,),
    ("rbac.authorization.k8s.io", "RoleBinding"): (config.binding,),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): (config.binding,),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): (admission.webhooks,),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): (admission.webhooks,),
    ("apiregistration.k8s.io", "APIService"): (admission.api_service,),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): (admission.definition, structural.definition),
}


def compare(before: World, after: World, context: ResultContext) -> Iterator[ResultFinding]:
    """What a server refuses in the new result and would not have refused in the old one."""
    del context
    same = alike(before, after)
    for new in after.objects:
        key = key_of(new)
        old = before.by_key.get(key)
        if old is new or old == new:
            continue
        wrongs = config.metadata(*key[:2], new) if key in same else _wrongs(key.group, key.kind, new, old)
        found = list(wrongs)
        if not found:
            continue
        known = (
            {(wrong.path, wrong.reason) for wrong in _wrongs(key.group, key.kind, old, old)} if old else set()
        )
        for wrong in found:
            if (wrong.path, wrong.reason) not in known:
                yield _finding(new, wrong)


def _wrongs(group: str, kind: str, manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    found = [*config.metadata(group, kind, manifest), *exclusive.check(manifest, old)]
    for rule in RULES.get((group, kind), ()):
        found += rule(manifest, old)
    yield from found
    said = {wrong.path for wrong in found}  # a rule that knows more of a field says it better
    yield from (wrong for wrong in values.check(group, kind, manifest) if wrong.path not in said)


def _finding(manifest: Manifest, wrong: Wrong) -> ResultFinding:
    return ResultFinding(
        rule="validation",
        verdict=Verdict.REJECTED,
        reason=wrong.reason,
        object=resource_id(manifest),
        path=wrong.path,
        paths=(wrong.path,),
        why=f"{wrong.why}, which the API server refuses",
        hint=wrong.hint,
    )
