"""What single fields of Kubernetes' own kinds may hold: names, numbers, words and addresses.

One table a kind: where, and what is allowed there. The schemas that Kubernetes publishes say the type of such a
field and nothing more; the rest is in its validation, which these tables follow (held against a server of 1.34).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from upstreamsync.verify.result_checks.addresses import is_address, is_network
from upstreamsync.verify.result_checks.finding import Manifest
from upstreamsync.verify.result_checks.index import elements, mapping, step
from upstreamsync.verify.result_checks.placeholders import is_name_to_fill_in, is_placeholder
from upstreamsync.verify.result_checks.pods import Pod, pods_of

from .wrong import Wrong, is_label, is_label_value, is_port_name, is_qualified, is_subdomain

#: Whether a value is allowed, and what is; None and what is of another type is for the schema to say.
Test = tuple[Callable[[Any], bool], str]
Table = Sequence[tuple[str, Test]]

#: What is required and not there; no test allows it.
_MISSING: Final = ()
_FIELD: Final = re.compile(
    r"metadata\.(name|namespace|uid)|metadata\.(labels|annotations)\['.+'\]"
    r"|spec\.(nodeName|serviceAccountName)|status\.(hostIPs?|podIPs?)"
)
_CONFIG_KEY: Final = re.compile(r"[-._a-zA-Z0-9]{1,253}")


def _text(test: Callable[[str], bool], words: str) -> Test:
    return (lambda value: not isinstance(value, str) or is_placeholder(value) or test(value)), words


def _number(least: int, most: int | None = None) -> Test:
    def within(value: Any) -> bool:
        if not isinstance(value, int) or isinstance(value, bool):
            return True
        return value >= least and (most is None or value <= most)

    return within, f"a number from {least} on" if most is None else f"a number from {least} to {most}"


def _word(*words: str, empty: bool = False) -> Test:
    """``empty``: nothing stands for the default."""
    shown = f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]
    return _text(lambda value: value in words or (empty and not value), shown)


def _is_amount(value: Any) -> bool:
    """A number or a percentage, as rollouts and budgets take it."""
    if isinstance(value, str):
        return re.fullmatch(r"[0-9]+%", value) is not None
    return _number(0)[0](value)


_SOME: Final = _text(bool, "something")
_MANY: Final[Test] = (lambda value: not isinstance(value, list) or bool(value)), "at least one"
_NAME: Final = _text(is_subdomain, "a name of lower case letters, digits, - and .")
_NAME_OR_NONE: Final = _text(
    lambda value: not value or is_subdomain(value), "a name of lower case letters, digits, - and ."
)
_LABEL: Final = _text(is_label, "a name of at most 63 lower case letters, digits and -")
_VALUE: Final = _text(is_label_value, "the value of a label: at most 63 letters, digits, -, _ and .")
_KEY: Final = _text(is_qualified, "the key of a label")
_KEY_OR_NONE: Final = _text(lambda value: not value or is_qualified(value), "the key of a label")


def _is_host(value: str) -> bool:
    return is_name_to_fill_in(value) or is_subdomain(value.removeprefix("*."))


_HOST: Final = _text(_is_host, "the name of a host")
_HOST_OR_NONE: Final = _text(lambda value: not value or _is_host(value), "the name of a host")
_PORT: Final[Test] = (
    (lambda value: is_port_name(value) if isinstance(value, str) else _number(1, 65535)[0](value)),
    "a port from 1 to 65535, or the name of one",
)
_TARGET: Final = _number(0, 65535)
_NETWORK: Final = _text(lambda value: is_network(value.strip()), "a network such as 10.0.0.0/8")
_AMOUNT: Final[Test] = _is_amount, "a number from 0 on, or a percentage"
_NATURAL: Final = _number(0)
_POSITIVE: Final = _number(1)
_PROTOCOL: Final = _word("TCP", "UDP", "SCTP", empty=True)
_MODE: Final = _number(0, 0o777)
_OPERATOR: Final = _word("In", "NotIn", "Exists", "DoesNotExist")
_METRIC: Final = _word("Utilization", "Value", "AverageValue")

_KEY_OF_DATA: Final = _text(lambda key: _CONFIG_KEY.fullmatch(key) is not None, "the key of a value")
_FIELD_PATH: Final = _text(lambda path: _FIELD.fullmatch(path) is not None, "a field such as metadata.name")
_LIMITED: Final = _text(
    lambda value: value in ("Pod", "Container", "PersistentVolumeClaim") or "/" in value,
    "Container, Pod or PersistentVolumeClaim",
)
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"

_POD: Final[Table] = (
    ("serviceAccountName", _NAME_OR_NONE), ("priorityClassName", _NAME_OR_NONE), ("nodeSelector{}", _VALUE),
    ("securityContext.fsGroup", _number(0, 2**31 - 1)), ("tolerations[].key", _KEY_OR_NONE),
    ("tolerations[].value", _VALUE), ("topologySpreadConstraints[].topologyKey", _SOME),
    ("topologySpreadConstraints[].whenUnsatisfiable", _word("DoNotSchedule", "ScheduleAnyway")),
    ("hostAliases[].ip", _text(is_address, "an IP address")), ("hostAliases[].hostnames[]", _NAME),
    ("containers!", _MANY), ("volumes[].name", _LABEL), ("volumes[].persistentVolumeClaim.claimName", _SOME),
    ("volumes[].configMap.name!", _SOME), ("volumes[].hostPath.path", _SOME),
    ("volumes[].hostPath.type", _word("DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice",
                                      "BlockDevice", empty=True)),
    *((f"volumes[].{kind}.defaultMode", _MODE) for kind in ("configMap", "secret", "projected", "downwardAPI")),
    *((f"volumes[].{kind}.items[].{field}", _SOME) for kind in ("configMap", "secret") for field in ("key", "path")),
    ("volumes[].projected.sources[].serviceAccountToken.path", _SOME),
    ("volumes[].projected.sources[].serviceAccountToken.expirationSeconds", _number(600)),
    ("volumes[].projected.sources[].secret.name!", _SOME),
    ("volumes[].projected.sources[].configMap.name!", _SOME),
    *((f"affinity.{which}.{when}.topologyKey", _KEY_OR_NONE) for which in ("podAffinity", "podAntiAffinity")
      for when in (f"{_REQUIRED}[]",
                   "preferredDuringSchedulingIgnoredDuringExecution[].podAffinityTerm")),
    *((f"affinity.nodeAffinity.{_REQUIRED}.nodeSelectorTerms[].matchExpressions[].{field}", test)
      for field, test in (("key", _KEY), ("values[]", _VALUE))),
)  # fmt: skip
_CONTAINER: Final[Table] = (
    ("name", _LABEL), ("ports[].protocol", _PROTOCOL), ("env[].name", _SOME),
    *((f"env[].valueFrom.{source}.name!", _NAME) for source in ("secretKeyRef", "configMapKeyRef")),
    *((f"env[].valueFrom.{source}.key", _KEY_OF_DATA) for source in ("secretKeyRef", "configMapKeyRef")),
    ("env[].valueFrom.fieldRef.fieldPath", _FIELD_PATH),
    ("envFrom[].configMapRef.name!", _NAME), ("envFrom[].secretRef.name!", _NAME),
    *((f"{probe}.{field}", _NATURAL) for probe in ("livenessProbe", "readinessProbe", "startupProbe")
      for field in ("periodSeconds", "timeoutSeconds", "failureThreshold", "initialDelaySeconds", "successThreshold")),
    *((f"{probe}.httpGet.scheme", _word("HTTP", "HTTPS", empty=True))
      for probe in ("livenessProbe", "readinessProbe", "startupProbe")),
    *((f"{hook}.exec.command!", _MANY)
      for hook in ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle.preStop", "lifecycle.postStart")),
    ("volumeMounts[].mountPath", _SOME),
    ("volumeMounts[].mountPropagation", _word("None", "HostToContainer", "Bidirectional")),
)  # fmt: skip
_SELECTOR: Final[Table] = (
    ("matchLabels{}", _VALUE), ("matchExpressions[].key", _KEY), ("matchExpressions[].operator", _OPERATOR),
)  # fmt: skip
_WORKLOAD: Final[Table] = (("minReadySeconds", _NATURAL), ("revisionHistoryLimit", _NATURAL))
_BACKEND: Final[Table] = (
    ("service.name", _LABEL), ("service.port.number", _TARGET),
    ("service.port.name", _text(lambda value: not value or is_port_name(value), "the name of a port")),
)  # fmt: skip


def _below(path: str, table: Table) -> Table:
    return tuple((f"{path}.{field}", test) for field, test in table)


_WEBHOOK: Final[Table] = (
    ("failurePolicy", _word("Fail", "Ignore")), ("matchPolicy", _word("Exact", "Equivalent")),
    ("clientConfig.service.name", _SOME), ("clientConfig.service.namespace", _SOME),
    ("clientConfig.service.path", _text(lambda path: not path or path.startswith("/"), "a path that begins with /")),
    ("clientConfig.service.port", _number(1, 65535)),
    *((f"rules[].{field}!", _MANY) for field in ("apiGroups", "apiVersions", "operations", "resources")),
    ("rules[].apiVersions[]", _SOME), ("rules[].resources[]", _SOME),
    ("rules[].operations[]", _word("CREATE", "UPDATE", "DELETE", "CONNECT", "*")),
    ("rules[].scope", _word("Cluster", "Namespaced", "*")),
    *_below("namespaceSelector", _SELECTOR), *_below("objectSelector", _SELECTOR),
)  # fmt: skip
_SCALING: Final[Table] = (
    ("stabilizationWindowSeconds", _number(0, 3600)), ("selectPolicy", _word("Max", "Min", "Disabled")),
    ("policies", _MANY), ("policies[].type", _word("Pods", "Percent")), ("policies[].value", _POSITIVE),
    ("policies[].periodSeconds", _number(1, 1800)),
)  # fmt: skip
_PEERS: Final = tuple(f"{way}[].{peer}" for way, peer in (("ingress", "from[]"), ("egress", "to[]")))
_KINDS: Final[Mapping[tuple[str, str], Table]] = {
    ("apps", "Deployment"): _below("spec", _WORKLOAD),
    ("apps", "DaemonSet"): (*_below("spec", _WORKLOAD), ("spec.updateStrategy.rollingUpdate.maxUnavailable", _AMOUNT)),
    ("apps", "StatefulSet"): (
        *_below("spec", _WORKLOAD), ("spec.updateStrategy.rollingUpdate.partition", _NATURAL),
        ("spec.ordinals.start", _NATURAL),
        *((f"spec.persistentVolumeClaimRetentionPolicy.{when}", _word("Retain", "Delete", empty=True))
          for when in ("whenDeleted", "whenScaled")),
    ),
    ("batch", "CronJob"): (
        ("spec.schedule", _SOME), ("spec.timeZone", _SOME), ("spec.startingDeadlineSeconds", _NATURAL),
        ("spec.successfulJobsHistoryLimit", _NATURAL), ("spec.failedJobsHistoryLimit", _NATURAL),
    ),
    ("", "Service"): (
        ("spec.selector{}", _VALUE), ("spec.sessionAffinityConfig.clientIP.timeoutSeconds", _number(1, 86400)),
        ("spec.internalTrafficPolicy", _word("Cluster", "Local")), ("spec.loadBalancerSourceRanges[]", _NETWORK),
        ("spec.ports[].protocol", _PROTOCOL), ("spec.ports[].appProtocol", _KEY), ("spec.ports[].targetPort", _TARGET),
    ),
    ("networking.k8s.io", "Ingress"): (
        ("spec.ingressClassName", _NAME), ("spec.tls[].hosts[]", _HOST), ("spec.tls[].secretName", _NAME_OR_NONE),
        ("spec.rules[].host", _HOST_OR_NONE), ("spec.rules[].http.paths", _MANY),
        ("spec.rules[].http.paths[].pathType", _SOME),
        *_below("spec.defaultBackend", _BACKEND), *_below("spec.rules[].http.paths[].backend", _BACKEND),
    ),
    ("networking.k8s.io", "IngressClass"): (
        ("spec.parameters.apiGroup", _NAME), ("spec.parameters.kind", _SOME), ("spec.parameters.name", _SOME),
        ("spec.parameters.scope", _word("Cluster", "Namespace")),
    ),
    ("autoscaling", "HorizontalPodAutoscaler"): (
        ("spec.minReplicas", _NATURAL), ("spec.scaleTargetRef.kind", _SOME), ("spec.scaleTargetRef.name", _SOME),
        *((f"spec.metrics[].{kind}.target.{field}", test)
          for kind in ("resource", "containerResource", "pods", "object", "external")
          for field, test in (("type", _METRIC), ("averageUtilization", _POSITIVE))),
        ("spec.metrics[].resource.name", _SOME), ("spec.metrics[].pods.metric.name", _SOME),
        *_below("spec.behavior.scaleUp", _SCALING), *_below("spec.behavior.scaleDown", _SCALING),
    ),
    ("policy", "PodDisruptionBudget"): (
        ("spec.minAvailable", _AMOUNT), ("spec.maxUnavailable", _AMOUNT), *_below("spec.selector", _SELECTOR),
        ("spec.unhealthyPodEvictionPolicy", _word("IfHealthyBudget", "AlwaysAllow")),
    ),
    ("networking.k8s.io", "NetworkPolicy"): (
        ("spec.policyTypes[]", _word("Ingress", "Egress")), *_below("spec.podSelector", _SELECTOR),
        *((f"spec.{way}.ipBlock.{field}", _NETWORK) for way in _PEERS for field in ("cidr", "except[]")),
        *(row for way in _PEERS for row in _below(f"spec.{way}.podSelector", _SELECTOR)),
        *(row for way in _PEERS for row in _below(f"spec.{way}.namespaceSelector", _SELECTOR)),
        *(row for way in ("ingress", "egress") for row in (
            (f"spec.{way}[].ports[].port", _PORT), (f"spec.{way}[].ports[].endPort", _number(1, 65535)),
            (f"spec.{way}[].ports[].protocol", _word("TCP", "UDP", "SCTP")))),
    ),
    ("rbac.authorization.k8s.io", "ClusterRole"): (
        ("aggregationRule.clusterRoleSelectors", _MANY), *_below("aggregationRule.clusterRoleSelectors[]", _SELECTOR),
    ),
    ("rbac.authorization.k8s.io", "RoleBinding"): (("subjects[].name", _SOME),),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): (("subjects[].name", _SOME),),
    ("", "LimitRange"): (
        ("spec.limits[].type", _LIMITED),
    ),
    ("", "PersistentVolume"): (
        ("spec.persistentVolumeReclaimPolicy", _word("Retain", "Recycle", "Delete", empty=True)),
        ("spec.storageClassName", _NAME_OR_NONE),
    ),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): _below("webhooks[]", _WEBHOOK),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): _below("webhooks[]", _WEBHOOK),
}  # fmt: skip


def check(group: str, kind: str, manifest: Manifest) -> Iterator[Wrong]:
    """What one of the tables does not allow."""
    if table := _KINDS.get((group, kind)):
        yield from _held(manifest, "", table)
    for pod in pods_of(manifest):
        yield from _pod(pod)


def _pod(pod: Pod) -> Iterator[Wrong]:
    yield from _held(pod.spec, pod.spec_path, _POD)
    for path, container in pod.containers():
        yield from _held(container, path, _CONTAINER)
    for path, rule in elements(
        step(pod.spec_path, "topologySpreadConstraints"), pod.spec.get("topologySpreadConstraints")
    ):
        yield from _held(mapping(rule.get("labelSelector")), step(path, "labelSelector"), _SELECTOR)


def _held(value: Mapping[str, Any], path: str, table: Table) -> Iterator[Wrong]:
    for row in _rows(table):
        # Of the many fields that a table knows an object has a few: only these are followed.
        if row.key not in value and not row.required:
            continue
        for where, found in _found(value, path, row.parts):
            if found is _MISSING or not row.allowed(found):
                name = row.parts[-1].rstrip("[]{}!")
                shown = f"`{found}`" if found or isinstance(found, int) else "empty"
                yield Wrong(where, f"{name} is {shown}", f"it has to be {row.words}")


class _Row(NamedTuple):
    """A row of a table, its pattern split; ``key`` is the first field, and ``required`` where that has to be there."""

    key: str
    required: bool
    parts: tuple[str, ...]
    allowed: Callable[[Any], bool]
    words: str


#: The tables that were asked for, split, by identity; each is held, so that its identity stays its own.
_SPLIT: Final[dict[int, tuple[Table, tuple[_Row, ...]]]] = {}


def _rows(table: Table) -> tuple[_Row, ...]:
    known = _SPLIT.get(id(table))
    if known is None:
        known = table, tuple(_row(pattern.split("."), *test) for pattern, test in table)
        _SPLIT[id(table)] = known
    return known[1]


def _row(parts: Sequence[str], allowed: Callable[[Any], bool], words: str) -> _Row:
    return _Row(parts[0].rstrip("[]{}!"), parts[0].endswith("!"), tuple(parts), allowed, words)


def _found(value: Any, path: str, parts: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """What stands at a pattern: ``[]`` are the elements of a list, ``{}`` the values of a map.

    What is marked with ``!`` has to be there.
    """
    if not parts:
        if value is not None:
            yield path, value
        return
    if not isinstance(value, dict):
        return
    key = parts[0].rstrip("[]{}!")
    below = value.get(key)
    here = step(path, key) if path else key
    if parts[0].endswith("!"):
        yield here, _MISSING if below is None else below
    elif parts[0].endswith("{}"):
        for name, item in mapping(below).items():
            yield step(here, name), item
    elif not parts[0].endswith("[]"):
        yield from _found(below, here, parts[1:])
    elif len(parts) > 1:
        for where, element in elements(here, below):
            yield from _found(element, where, parts[1:])
    else:
        for number, item in enumerate(below if isinstance(below, list) else ()):
            yield f"{here}[{number}]", item
