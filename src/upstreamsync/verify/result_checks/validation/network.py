"""Rules about Services, Ingresses and network policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from upstreamsync.verify.result_checks.finding import Manifest
from upstreamsync.verify.result_checks.index import at, elements, mapping, step, text, walk

from .wrong import Wrong, is_label, is_port_name, number

#: What a Service of type ExternalName, which has no address, may not ask for.
_ADDRESSED: Final = ("clusterIPs", "ipFamilies", "ipFamilyPolicy")


def service(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """Ports, addresses, and what each type may have.

    Fields that belong to another type are cleared by the update that changes the type, where they stay as
    they were, and refused otherwise.
    """
    spec = mapping(manifest.get("spec"))
    before = mapping(old.get("spec")) if old is not None else {}
    kind = kind_of(spec)
    yield from _ports(spec, kind)
    if kind == "ExternalName":
        yield from _external_name(spec, before)
    elif spec.get("clusterIP") == "None" and kind in ("NodePort", "LoadBalancer"):
        yield Wrong(
            "spec.clusterIP", f"clusterIP is None on a Service of type {kind}", "drop clusterIP, or the type",
            "exclusive_fields",
        )  # fmt: skip
    yield from _addresses(spec, kind)
    yield from _foreign_fields(spec, before, kind)


def kind_of(spec: Mapping[str, Any]) -> str:
    """The type of a Service, given its spec."""
    return text(spec.get("type")) or "ClusterIP"


def _ports(spec: Mapping[str, Any], kind: str) -> Iterator[Wrong]:
    ports = spec.get("ports")
    if not ports and kind != "ExternalName" and spec.get("clusterIP") != "None":
        yield Wrong("spec.ports", "the Service has no ports", "name at least one, or set clusterIP: None")
    names: set[str] = set()
    numbers: set[tuple[str, str]] = set()
    nodes: set[tuple[str, str]] = set()
    several = isinstance(ports, list) and len(ports) > 1
    for path, port in elements("spec.ports", ports):
        name, protocol = text(port.get("name")), text(port.get("protocol")) or "TCP"
        if several and not name:
            yield Wrong(step(path, "name"), "a port has no name beside other ports", "give each port a name")
        elif name and name in names:
            yield Wrong(step(path, "name"), f"two ports are named {name}", "rename one of them")
        elif name and not is_label(name):
            yield Wrong(
                step(path, "name"),
                f"{name} is no name of a port",
                "use lower-case letters, digits and hyphens",
            )
        names.add(name)
        key = (text(port.get("port")), protocol)
        if port.get("port") is not None and key in numbers:
            yield Wrong(path, f"port {key[0]}/{protocol} stands twice", "drop one, or give it another number")
        numbers.add(key)
        node = (text(port.get("nodePort")), protocol)
        if port.get("nodePort") and node in nodes:
            yield Wrong(
                step(path, "nodePort"), f"nodePort {node[0]}/{protocol} is taken twice", "drop one of them"
            )
        nodes.add(node)
        if (found := number(port.get("port"))) is not None and not 0 < found < 65536:
            yield Wrong(step(path, "port"), f"port is {found}", "use a number from 1 to 65535")
        target = port.get("targetPort")
        if isinstance(target, str) and target and not is_port_name(target):
            yield Wrong(step(path, "targetPort"), f'targetPort "{target}" is no name of a port',
                        "name a port, or give its number without quotes")  # fmt: skip


def _external_name(spec: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Wrong]:
    if not text(spec.get("externalName")):
        yield Wrong(
            "spec.externalName", "a Service of type ExternalName has no externalName", "set externalName"
        )
    had = kind_of(before) != "ExternalName"
    for field in _ADDRESSED:
        value = spec.get(field)
        if value and not (had and before and before.get(field) == value):
            yield Wrong(
                f"spec.{field}", f"{field} is set on a Service of type ExternalName", f"set {field}: null",
                "exclusive_fields",
            )  # fmt: skip


def _addresses(spec: Mapping[str, Any], kind: str) -> Iterator[Wrong]:
    address, addresses = text(spec.get("clusterIP")), spec.get("clusterIPs")
    if address and isinstance(addresses, list) and addresses and addresses[0] != address:
        yield Wrong("spec.clusterIPs", f"clusterIPs begins with {addresses[0]}, and clusterIP is {address}",
                    "make them equal, or drop one", "exclusive_fields")  # fmt: skip
    affinity = text(spec.get("sessionAffinity"))
    if affinity not in ("", "None", "ClientIP"):
        yield Wrong("spec.sessionAffinity", f"sessionAffinity is {affinity}", "use ClientIP or None")
    if kind not in ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"):
        yield Wrong(
            "spec.type", f"the type is {kind}", "use ClusterIP, NodePort, LoadBalancer or ExternalName"
        )


def _foreign_fields(spec: Mapping[str, Any], before: Mapping[str, Any], kind: str) -> Iterator[Wrong]:
    policy = text(spec.get("externalTrafficPolicy"))
    check = spec.get("healthCheckNodePort")
    was_needed = kind_of(before) == "LoadBalancer" and kind != "LoadBalancer"
    if (
        check
        and not (kind == "LoadBalancer" and policy == "Local")
        and not (was_needed and before.get("healthCheckNodePort") == check)
    ):
        yield Wrong(
            "spec.healthCheckNodePort", "healthCheckNodePort is set without type LoadBalancer and "
            "externalTrafficPolicy Local", "set healthCheckNodePort: null", "exclusive_fields",
        )  # fmt: skip
    if policy not in ("", "Cluster", "Local"):
        yield Wrong(
            "spec.externalTrafficPolicy", f"externalTrafficPolicy is {policy}", "use Cluster or Local"
        )


def ingress(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """Backends, paths, and the class, which a new one may name but once."""
    if manifest.get("apiVersion") != "networking.k8s.io/v1":
        return  # a backend was written otherwise before
    spec = mapping(manifest.get("spec"))
    if not spec.get("defaultBackend") and not spec.get("rules"):
        yield Wrong("spec.rules", "the Ingress has neither rules nor defaultBackend", "set one of the two")
    backends = [*walk(manifest, "spec.defaultBackend"), *walk(manifest, "spec.rules[].http.paths[].backend")]
    for path, backend in backends:
        if not isinstance(backend, dict):
            continue
        if backend.get("service") is None and backend.get("resource") is None:
            yield Wrong(path, "a backend names neither a service nor a resource", "set service")
        port = mapping(at(backend, "service", "port"))
        where = step(step(path, "service"), "port")
        if text(port.get("name")) and port.get("number"):
            yield Wrong(
                where, "name and number of a port are both set", "keep one of the two", "exclusive_fields"
            )
        elif backend.get("service") is not None and not text(port.get("name")) and not port.get("number"):
            yield Wrong(where, "a backend names no port of its service", "set name or number")
    for path, item in walk(manifest, "spec.rules[].http.paths[]"):
        kind, value = text(item.get("pathType")), text(item.get("path"))
        if kind in ("Exact", "Prefix") and not value.startswith("/"):
            yield Wrong(step(path, "path"), f'the path "{value}" is not absolute', "begin it with /")
        if kind and kind not in ("Exact", "Prefix", "ImplementationSpecific"):
            yield Wrong(
                step(path, "pathType"), f"pathType is {kind}", "use Exact, Prefix or ImplementationSpecific"
            )
    noted = text(at(manifest, "metadata", "annotations", "kubernetes.io/ingress.class"))
    named = text(spec.get("ingressClassName"))
    if old is None and noted and named and noted != named:
        yield Wrong(
            "metadata.annotations[kubernetes.io/ingress.class]",
            f"the annotation names class {noted}, and ingressClassName names {named}", "keep one of the two",
            "exclusive_fields",
        )  # fmt: skip


def network_policy(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """Peers and ranges of ports."""
    del old
    for pattern in ("spec.ingress[].ports[]", "spec.egress[].ports[]"):
        for path, item in walk(manifest, pattern):
            port, end = item.get("port"), item.get("endPort")
            where = step(path, "endPort")
            if end is None:
                continue
            if isinstance(port, str):
                yield Wrong(where, f"endPort stands beside the named port {port}", "give the port's number",
                            "exclusive_fields")  # fmt: skip
            elif port is None:
                yield Wrong(where, "endPort stands without port", "set port")
            elif (first := number(port)) is not None and (last := number(end)) is not None and last < first:
                yield Wrong(where, f"endPort {last} is below port {first}", "raise endPort")
    for pattern in ("spec.ingress[].from[]", "spec.egress[].to[]"):
        for path, peer in walk(manifest, pattern):
            if not any(
                peer.get(name) is not None for name in ("ipBlock", "podSelector", "namespaceSelector")
            ):
                yield Wrong(path, "a peer selects nothing", "name podSelector, namespaceSelector or ipBlock")
