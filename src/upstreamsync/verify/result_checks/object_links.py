"""What objects other than pods name: Services and ports, workloads to scale, roles, selectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .finding import Manifest
from .index import World, at, elements, mapping, step, text, walk
from .links import Link
from .pods import pods, selected, selects
from .port_links import pod_port
from .resolve import object_link, selection_link, service_links

_SCALABLE = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "DaemonSet", "Rollout")


def object_links(world: World, manifest: Manifest) -> Iterator[Link]:
    """Everything that an object names by the rules of its kind."""
    extract = _BY_KIND.get(text(manifest.get("kind")))
    if extract is not None:
        yield from extract(world, manifest)
    kind = text(manifest.get("kind"))
    for pattern, target_kinds in _SIMPLE.get(kind, ()):
        for path, value in walk(manifest, pattern):
            if isinstance(value, str) and value:
                yield object_link(world, manifest, path, target_kinds, value)


#: Fields that hold nothing but the name of one object, by kind.
_SIMPLE: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "Ingress": (
        ("spec.ingressClassName", ("IngressClass",)),
        ("spec.tls[].secretName", ("Secret",)),
    ),
    "PersistentVolumeClaim": (
        ("spec.storageClassName", ("StorageClass",)),
        ("spec.volumeName", ("PersistentVolume",)),
    ),
    "ServiceAccount": (("secrets[].name", ("Secret",)), ("imagePullSecrets[].name", ("Secret",))),
    "Application": (("spec.project", ("AppProject",)),),
    "Gateway": (("spec.gatewayClassName", ("GatewayClass",)),),
    "Certificate": (("spec.issuerRef.name", ("Issuer", "ClusterIssuer")),),
    "ValidatingAdmissionPolicyBinding": (("spec.policyName", ("ValidatingAdmissionPolicy",)),),
    "Prometheus": (("spec.serviceAccountName", ("ServiceAccount",)),),
}


def _ingress(world: World, manifest: Manifest) -> Iterator[Link]:
    backends = [
        *walk(manifest, "spec.rules[].http.paths[].backend"),
        *walk(manifest, "spec.defaultBackend"),
        *walk(manifest, "spec.backend"),
    ]
    for path, backend in backends:
        service = mapping(at(backend, "service"))
        base = step(path, "service")
        for field in ("name", "number"):
            port = at(service, "port", field)
            if port is not None:
                yield from service_links(
                    world, manifest, step(base, "name"), step(step(base, "port"), field),
                    text(service.get("name")), port,
                )  # fmt: skip
        if service and at(service, "port") is None:
            yield from service_links(
                world, manifest, step(base, "name"), base, text(service.get("name")), None
            )
        if at(backend, "serviceName"):
            yield from service_links(
                world, manifest, step(path, "serviceName"), step(path, "servicePort"),
                text(backend["serviceName"]), backend.get("servicePort"),
            )  # fmt: skip


def _named_services(*patterns: str) -> Callable[[World, Manifest], Iterator[Link]]:
    def extract(world: World, manifest: Manifest) -> Iterator[Link]:
        for pattern in patterns:
            for path, item in walk(manifest, pattern):
                if text(at(item, "kind")) not in ("", "Service") or not text(at(item, "name")):
                    continue
                namespace = at(item, "namespace")
                yield from service_links(
                    world, manifest, step(path, "name"), step(path, "port"), text(item["name"]),
                    item.get("port"), None if namespace is None else text(namespace),
                )  # fmt: skip

    return extract


def _client_services(*patterns: str) -> Callable[[World, Manifest], Iterator[Link]]:
    def extract(world: World, manifest: Manifest) -> Iterator[Link]:
        for pattern in patterns:
            for path, service in walk(manifest, pattern):
                if isinstance(service, Mapping) and service.get("name"):
                    yield from service_links(
                        world, manifest, step(path, "name"), step(path, "port"), text(service["name"]),
                        service.get("port"), text(service.get("namespace")),
                    )  # fmt: skip

    return extract


def _workload(*patterns: str) -> Callable[[World, Manifest], Iterator[Link]]:
    def extract(world: World, manifest: Manifest) -> Iterator[Link]:
        for pattern in patterns:
            for path, target in walk(manifest, pattern):
                if not isinstance(target, Mapping):
                    continue
                kind = text(target.get("kind")) or "Deployment"
                group = text(target.get("apiVersion")).rpartition("/")[0] or None
                if kind in _SCALABLE:
                    yield object_link(
                        world, manifest, step(path, "name"), (kind,), text(target.get("name")), group=group
                    )

    return extract


def _binding(world: World, manifest: Manifest) -> Iterator[Link]:
    role = mapping(manifest.get("roleRef"))
    if role.get("name"):
        kind = text(role.get("kind")) or "ClusterRole"
        yield object_link(world, manifest, "roleRef.name", (kind,), text(role["name"]))
    for path, subject in elements("subjects", manifest.get("subjects")):
        if subject.get("kind") == "ServiceAccount":
            namespace = subject.get("namespace")
            yield object_link(
                world, manifest, step(path, "name"), ("ServiceAccount",), text(subject.get("name")),
                namespace=None if namespace is None else text(namespace),
            )  # fmt: skip


def _service(world: World, manifest: Manifest) -> Iterator[Link]:
    labels = mapping(at(manifest, "spec", "selector"))
    if not labels:
        return
    selector = {"matchLabels": labels}
    link = selection_link(world, manifest, "spec.selector", selector)
    yield link
    chosen = list(selected(world, selector, link.owner.namespace))
    if not chosen:
        return
    for path, port in elements("spec.ports", at(manifest, "spec", "ports")):
        wanted = port.get("targetPort")
        place = step(path, "targetPort" if wanted is not None else "port")
        number = wanted is None or text(wanted).isdigit()
        yield from pod_port(
            manifest, place, port.get("port") if wanted is None else wanted, selector, chosen, weak=number
        )


def _selecting(*paths: str) -> Callable[[World, Manifest], Iterator[Link]]:
    def extract(world: World, manifest: Manifest) -> Iterator[Link]:
        for path in paths:
            for found, selector in walk(manifest, path):
                if mapping(at(selector, "matchLabels")) or at(selector, "matchExpressions"):
                    yield selection_link(world, manifest, found, selector)

    return extract


def _monitor(of: str, endpoints: str) -> Callable[[World, Manifest], Iterator[Link]]:
    """ServiceMonitors select Services and their ports by name, PodMonitors pods and theirs."""

    def extract(world: World, manifest: Manifest) -> Iterator[Link]:
        selector = at(manifest, "spec", "selector")
        if not (mapping(at(selector, "matchLabels")) or at(selector, "matchExpressions")):
            return
        link = selection_link(world, manifest, "spec.selector", selector, of=of)
        yield link
        if link.resolved:
            names = _port_names(world, of, selector)
            for path, endpoint in elements(f"spec.{endpoints}", at(manifest, "spec", endpoints)):
                port = endpoint.get("port")
                if isinstance(port, str):
                    yield Link(
                        owner=link.owner,
                        resource=link.resource,
                        path=step(path, "port"),
                        kind=of,
                        name=link.name,
                        part=f"port {port}",
                        resolved=port in names,
                        target=link.target,
                        options=tuple(names),
                    )

    return extract


def _port_names(world: World, of: str, selector: Any) -> list[str]:
    if of == "pods":
        lists = [
            container.get("ports")
            for pod in pods(world)
            if selects(selector, pod.labels)
            for _, container in pod.containers()
        ]
    else:
        lists = [
            at(service, "spec", "ports")
            for service in world.of_kind("Service")
            if selects(selector, at(service, "metadata", "labels") or {})
        ]
    return sorted(
        {text(port["name"]) for items in lists for _, port in elements("", items) if port.get("name")}
    )


def _route(world: World, manifest: Manifest) -> Iterator[Link]:
    """An OpenShift Route."""
    name = text(at(manifest, "spec", "to", "name"))
    if name:
        yield from service_links(
            world, manifest, "spec.to.name", "spec.port.targetPort", name,
            at(manifest, "spec", "port", "targetPort"),
        )  # fmt: skip


_WEBHOOKS = _client_services("webhooks[].clientConfig.service")
_BACKENDS = _named_services("spec.rules[].backendRefs[]", "spec.rules[].filters[].requestMirror.backendRef")
_SCALING = _workload("spec.scaleTargetRef")

_BY_KIND: Mapping[str, Callable[[World, Manifest], Iterator[Link]]] = {
    "Ingress": _ingress,
    "HTTPProxy": _named_services("spec.routes[].services[]", "spec.tcpproxy.services[]"),
    "IngressRoute": _named_services("spec.routes[].services[]"),
    "HTTPRoute": _BACKENDS,
    "GRPCRoute": _BACKENDS,
    "TCPRoute": _BACKENDS,
    "TLSRoute": _BACKENDS,
    "Route": _route,
    "ValidatingWebhookConfiguration": _WEBHOOKS,
    "MutatingWebhookConfiguration": _WEBHOOKS,
    "CustomResourceDefinition": _client_services(
        "spec.conversion.webhook.clientConfig.service", "spec.conversion.webhookClientConfig.service"
    ),
    "APIService": _client_services("spec.service"),
    "HorizontalPodAutoscaler": _SCALING,
    "ScaledObject": _SCALING,
    "VerticalPodAutoscaler": _workload("spec.targetRef"),
    "Canary": _workload("spec.targetRef"),
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
    "Service": _service,
    "PodDisruptionBudget": _selecting("spec.selector"),
    "NetworkPolicy": _selecting("spec.podSelector"),
    "ServiceMonitor": _monitor("services", "endpoints"),
    "VMServiceScrape": _monitor("services", "endpoints"),
    "PodMonitor": _monitor("pods", "podMetricsEndpoints"),
    "VMPodScrape": _monitor("pods", "podMetricsEndpoints"),
}
