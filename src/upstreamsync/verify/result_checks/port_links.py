"""Ports by their number or name, where a policy or a Service means those of pods.

A container need not declare the ports that it listens on, so these count only where the very same port was
declared before, and pods that declare none say nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from .finding import Manifest
from .index import World, at, elements, key_of, mapping, resource_id, step, text
from .links import Link
from .pods import Pod, selected
from .resolve import describe
from .shapes import plain_selector

#: Where a port stands, what is written there, and the pods that are meant: their selector and namespace.
_Place = tuple[str, Any, Any, str]


def port_links(world: World, manifest: Manifest) -> Iterator[Link]:
    """The ports of pods that an object names."""
    places = _PLACES.get(text(manifest.get("kind")))
    for path, port, selector, namespace in places(manifest) if places else ():
        chosen = list(selected(world, selector, namespace))
        yield from pod_port(manifest, path, port, selector, chosen, weak=True)


def pod_port(
    owner: Manifest, path: str, port: Any, selector: Any, pods: Sequence[Pod], *, weak: bool
) -> Iterator[Link]:
    """A port of pods, by its name or number; nothing where they declare none of that sort."""
    field = "containerPort" if text(port).isdigit() else "name"
    declared = {
        text(each[field])
        for pod in pods
        for _, container in pod.containers()
        for _, each in elements("ports", container.get("ports"))
        if each.get(field)
    }
    options = sorted(declared, key=lambda name: (len(name), name) if field != "name" else (0, name))
    if not text(port) or (weak and not options):
        return
    yield Link(
        owner=key_of(owner),
        resource=resource_id(owner),
        path=path,
        kind="pods",
        name=describe(selector),
        part=f"port {port}",
        resolved=text(port) in options,
        target=resource_id(pods[0].owner) if pods else None,
        options=tuple(options),
        weak=weak,
    )


def _of_policy(manifest: Manifest) -> Iterator[_Place]:
    """A NetworkPolicy: incoming ports are those of its own pods, outgoing ones those of the peers."""
    spec, namespace = mapping(manifest.get("spec")), key_of(manifest).namespace
    for path, rule in elements("spec.ingress", spec.get("ingress")):
        yield from _ports(path, rule, spec.get("podSelector"), namespace)
    for path, rule in elements("spec.egress", spec.get("egress")):
        for _, peer in elements("", rule.get("to")):
            beyond = "namespaceSelector" in peer
            yield from _ports(path, rule, peer.get("podSelector"), "" if beyond else namespace)


def _ports(path: str, rule: Mapping[str, Any], selector: Any, namespace: str) -> Iterator[_Place]:
    if not _selects_some(selector):
        return
    listed = rule.get("ports")
    for index, each in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(each, Mapping) and "endPort" not in each:
            yield f"{step(path, 'ports')}[{index}].port", each.get("port"), selector, namespace


def _of_cilium(manifest: Manifest) -> Iterator[_Place]:
    spec, namespace = mapping(manifest.get("spec")), key_of(manifest).namespace
    for path, rule in elements("spec.ingress", spec.get("ingress")):
        yield from _to_ports(path, rule, plain_selector(mapping(spec.get("endpointSelector"))), namespace)
    for path, rule in elements("spec.egress", spec.get("egress")):
        for _, peer in elements("", rule.get("toEndpoints")):
            beyond = any("pod.namespace" in key for key in mapping(peer.get("matchLabels")))
            yield from _to_ports(path, rule, plain_selector(peer), "" if beyond else namespace)


def _to_ports(path: str, rule: Mapping[str, Any], selector: Any, namespace: str) -> Iterator[_Place]:
    for below, entry in elements(step(path, "toPorts"), rule.get("toPorts")):
        yield from _ports(below, entry, selector, namespace)


def _of_mesh(manifest: Manifest) -> Iterator[_Place]:
    """Istio's policies: ports of the workloads that they select."""
    selector, namespace = at(manifest, "spec", "selector"), key_of(manifest).namespace
    if not _selects_some(selector):
        return
    for path, rule in elements("spec.rules", at(manifest, "spec", "rules")):
        for below, to in elements(step(path, "to"), rule.get("to")):
            listed = at(to, "operation", "ports")
            for index, port in enumerate(listed if isinstance(listed, list) else ()):
                yield f"{below}.operation.ports[{index}]", port, selector, namespace
    for port in mapping(at(manifest, "spec", "portLevelMtls")):
        yield step("spec.portLevelMtls", text(port)), port, selector, namespace


def _selects_some(selector: Any) -> bool:
    return bool(mapping(at(selector, "matchLabels")) or at(selector, "matchExpressions"))


_PLACES: Final[Mapping[str, Callable[[Manifest], Iterator[_Place]]]] = {
    "NetworkPolicy": _of_policy,
    "CiliumNetworkPolicy": _of_cilium,
    "CiliumClusterwideNetworkPolicy": _of_cilium,
    "AuthorizationPolicy": _of_mesh,
    "PeerAuthentication": _of_mesh,
}
