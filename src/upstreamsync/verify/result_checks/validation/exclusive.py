"""Fields of which the API server accepts only one.

Each rule is that of the API server's validation for the kind in question; a rule says nothing where the
server itself would clear one of the fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from upstreamsync.verify.result_checks.finding import Manifest
from upstreamsync.verify.result_checks.index import at, elements, mapping, step, text, walk
from upstreamsync.verify.result_checks.pods import Pod, pods_of

from .containers import HOOK_HANDLERS, PROBE_HANDLERS, PROBES, VALUE_SOURCES
from .wrong import Wrong

#: (path, what is wrong there, what to do)
Clash = tuple[str, str, str]


def check(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """Every pair of fields that excludes one another."""
    for clash in _clashes(manifest, old):
        yield Wrong(*clash, "exclusive_fields")


def _clashes(manifest: Manifest, old: Manifest | None) -> Iterator[Clash]:
    for pod in pods_of(manifest):
        for path, container in pod.containers():
            yield from _in_container(path, container)
        yield from _in_pod(pod)
    group = text(manifest.get("apiVersion")).rpartition("/")[0]
    kind = text(manifest.get("kind"))
    spec = mapping(manifest.get("spec"))
    if _GROUPS.get(kind, "") != group:
        return
    match kind:
        case "Deployment":
            yield from _strategy(spec, "strategy", "Recreate")
        case "StatefulSet":
            yield from _strategy(spec, "updateStrategy", "OnDelete")
        case "Service":
            yield from _service(spec, mapping(old.get("spec")) if old is not None else {})
        case "PodDisruptionBudget":
            yield from _both(spec, "spec", ("minAvailable", "maxUnavailable"))
        case "NetworkPolicy":
            yield from _network_policy(manifest)
        case "Ingress":
            backends = walk(manifest, "spec.rules[].http.paths[].backend")
            for path, backend in (*walk(manifest, "spec.defaultBackend"), *backends):
                yield from _both(backend, path, ("service", "resource"))
        case "PersistentVolume":
            yield from _volume_sources(spec, "spec", _PV_FIELDS)
        case "PersistentVolumeClaim":
            yield from _data_sources(spec)
        case _:
            yield from _admission(kind, manifest, spec)


_GROUPS: Mapping[str, str] = {
    "Deployment": "apps", "StatefulSet": "apps", "PodDisruptionBudget": "policy",
    "NetworkPolicy": "networking.k8s.io", "Ingress": "networking.k8s.io",
    "ValidatingWebhookConfiguration": "admissionregistration.k8s.io",
    "MutatingWebhookConfiguration": "admissionregistration.k8s.io",
    "CustomResourceDefinition": "apiextensions.k8s.io", "APIService": "apiregistration.k8s.io",
}  # fmt: skip
_PV_FIELDS = frozenset(
    ("accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity", "storageClassName",
     "persistentVolumeReclaimPolicy", "volumeMode", "volumeAttributesClassName")
)  # fmt: skip


def _present(value: Any, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if isinstance(value, Mapping) and value.get(name) is not None]


def _both(value: Any, path: str, names: tuple[str, ...]) -> Iterator[Clash]:
    present = _present(value, names)
    if len(present) > 1:
        yield path, f"{' and '.join(present)} are both set", f"keep one of {' and '.join(present)}"


def _in_container(path: str, container: Mapping[str, Any]) -> Iterator[Clash]:
    for env_path, env in elements(step(path, "env"), container.get("env")):
        name = env.get("name")
        if text(env.get("value")) and mapping(env.get("valueFrom")):
            yield (
                env_path,
                f"env {name} now has both value and valueFrom",
                "add valueFrom: null to the patch, or drop what sets the value",
            )
        sources = _present(env.get("valueFrom"), VALUE_SOURCES)
        if len(sources) > 1:
            yield (
                step(env_path, "valueFrom"),
                f"env {name} takes its value from {' and '.join(sources)}",
                f"set {sources[0]}: null or {sources[1]}: null in the patch",
            )
    for probe in PROBES:
        yield from _handlers(container.get(probe), step(path, probe), PROBE_HANDLERS)
    for hook in ("postStart", "preStop"):
        handler = at(container, "lifecycle", hook)
        yield from _handlers(handler, step(step(path, "lifecycle"), hook), HOOK_HANDLERS)
    for mount_path, mount in elements(step(path, "volumeMounts"), container.get("volumeMounts")):
        yield from _both(mount, mount_path, ("subPath", "subPathExpr"))
    security = mapping(container.get("securityContext"))
    if security.get("privileged") is True and security.get("allowPrivilegeEscalation") is False:
        yield (
            step(path, "securityContext"),
            "privileged: true stands beside allowPrivilegeEscalation: false",
            "drop one of the two",
        )


def _handlers(value: Any, path: str, names: tuple[str, ...]) -> Iterator[Clash]:
    present = _present(value, names)
    if len(present) > 1:
        name = path.rpartition(".")[2]
        yield (
            path,
            f"{name} now has {len(present)} handlers, {' and '.join(present)}",
            f"set the one that is not wanted to null in the patch ({present[0]}: null)",
        )


_VOLUME_FIELDS = frozenset(("name",))


def _in_pod(pod: Pod) -> Iterator[Clash]:
    for path, volume in elements(step(pod.spec_path, "volumes"), pod.spec.get("volumes")):
        yield from _volume_sources(volume, path, _VOLUME_FIELDS)
    for path, toleration in elements(step(pod.spec_path, "tolerations"), pod.spec.get("tolerations")):
        if toleration.get("operator") == "Exists" and text(toleration.get("value")):
            yield path, "a toleration with operator Exists has a value", "drop the value"


def _volume_sources(value: Mapping[str, Any], path: str, other: frozenset[str]) -> Iterator[Clash]:
    sources = [key for key, item in value.items() if key not in other and item is not None and key[:1] != "$"]
    if len(sources) > 1:
        label = f"volume {value['name']}" if "name" in value else "the volume"
        yield (
            path,
            f"{label} now has {len(sources)} sources, {' and '.join(sorted(sources))}",
            f"set the one that is not wanted to null in the patch ({sources[0]}: null)",
        )


def _strategy(spec: Mapping[str, Any], field: str, plain: str) -> Iterator[Clash]:
    strategy = mapping(spec.get(field))
    rolling = strategy.get("rollingUpdate")
    path = step("spec", field)
    if strategy.get("type") == plain and rolling is not None:
        yield path, f"rollingUpdate is set beside type {plain}", "drop rollingUpdate, or set it to null"
    unavailable, surge = at(rolling, "maxUnavailable"), at(rolling, "maxSurge")
    if _is_nothing(unavailable) and _is_nothing(surge):
        yield (
            step(path, "rollingUpdate"),
            "maxUnavailable and maxSurge are both 0",
            "leave one of them above 0",
        )


def _is_nothing(value: Any) -> bool:
    return value is not None and text(value) in ("0", "0%")


#: Fields of a Service, and the types that they belong to.
_BELONGS: Mapping[str, tuple[str, ...]] = {
    "loadBalancerSourceRanges": ("LoadBalancer",), "loadBalancerClass": ("LoadBalancer",),
    "allocateLoadBalancerNodePorts": ("LoadBalancer",),
    "externalTrafficPolicy": ("LoadBalancer", "NodePort"),
    "clusterIP": ("ClusterIP", "NodePort", "LoadBalancer"),
}  # fmt: skip


def _service(spec: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Clash]:
    kind = text(spec.get("type")) or "ClusterIP"
    was = text(before.get("type")) or "ClusterIP"
    for field, kinds in _BELONGS.items():
        value = spec.get(field)
        if kind in kinds or value in (None, [], ""):
            continue
        if field == "externalTrafficPolicy" and spec.get("externalIPs") and kind == "ClusterIP":
            continue
        # The update that changes the type clears the field; the ranges stay, and are refused.
        cleared = before and was in kinds and before.get(field) == value
        if not cleared or field == "loadBalancerSourceRanges":
            yield (
                step("spec", field),
                f"{field} is set on a Service of type {kind}",
                f"set {field}: null, or set type: {kinds[0]}",
            )
    if kind == "ClusterIP":
        known = [text(port.get("nodePort")) for _, port in elements("spec.ports", before.get("ports"))]
        ports = list(elements("spec.ports", spec.get("ports")))
        if was != "ClusterIP" and known == [text(port.get("nodePort")) for _, port in ports]:
            return
        for path, port in ports:
            if port.get("nodePort"):
                yield (
                    step(path, "nodePort"),
                    "nodePort is set on a Service of type ClusterIP",
                    "drop nodePort, or set the type",
                )


def _network_policy(manifest: Manifest) -> Iterator[Clash]:
    for pattern in ("spec.ingress[].from[]", "spec.egress[].to[]"):
        for path, peer in walk(manifest, pattern):
            if peer.get("ipBlock") is not None and _present(peer, ("podSelector", "namespaceSelector")):
                yield path, "ipBlock stands beside a selector in one peer", "make them two peers"


def _data_sources(spec: Mapping[str, Any]) -> Iterator[Clash]:
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if isinstance(source, dict) and isinstance(reference, dict):
        if reference.get("namespace"):
            yield (
                "spec.dataSource",
                "dataSource stands beside a dataSourceRef with namespace",
                "drop dataSource",
            )
        elif {**source, "apiGroup": source.get("apiGroup") or None} != {
            **reference,
            "apiGroup": reference.get("apiGroup") or None,
        }:
            yield "spec.dataSource", "dataSource and dataSourceRef differ", "keep one of them"


def _admission(kind: str, manifest: Manifest, spec: Mapping[str, Any]) -> Iterator[Clash]:
    if kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
        for path, client in walk(manifest, "webhooks[].clientConfig"):
            yield from _both(client, path, ("url", "service"))
    elif kind == "CustomResourceDefinition":
        conversion = mapping(spec.get("conversion"))
        if conversion.get("strategy") == "None" and conversion.get("webhook") is not None:
            yield (
                "spec.conversion",
                "a conversion webhook stands beside strategy None",
                "set webhook: null, or strategy: Webhook",
            )
    elif kind == "APIService":
        if spec.get("insecureSkipTLSVerify") is True and text(spec.get("caBundle")):
            yield "spec", "insecureSkipTLSVerify and caBundle are both set", "set caBundle: null"
    elif kind == "ConfigMap":
        for key in sorted(mapping(manifest.get("data")).keys() & mapping(manifest.get("binaryData")).keys()):
            yield step("binaryData", key), f"key {key} is in data and in binaryData", "keep one of them"
