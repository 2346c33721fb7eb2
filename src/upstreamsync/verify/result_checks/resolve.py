"""Finding what a reference means in a result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .finding import Manifest
from .index import World, at, elements, key_of, resource_id, text
from .links import Link
from .pods import selected, selects

_CLUSTER_SCOPED = frozenset(
    ("ClusterRole", "ClusterIssuer", "StorageClass", "IngressClass", "PriorityClass", "RuntimeClass",
     "GatewayClass", "Namespace", "CustomResourceDefinition")
)  # fmt: skip


def object_link(
    world: World,
    owner: Manifest,
    path: str,
    kinds: Sequence[str],
    name: str,
    *,
    namespace: str | None = None,
    group: str | None = None,
    optional: bool = False,
    environment: bool = False,
) -> Link:
    """A reference by name; without ``namespace`` it means the owner's own."""
    key = key_of(owner)
    where = key.namespace if namespace is None else namespace
    if all(kind in _CLUSTER_SCOPED for kind in kinds):
        where = ""
    target = world.named(kinds, name, where)
    if target is not None and group is not None and key_of(target).group != group:
        target = None
    found = None if target is None else resource_id(target)
    provided = target is not None or any(kind == "Secret" and _is_made(world, name) for kind in kinds)
    return Link(
        owner=key,
        resource=resource_id(owner),
        path=path,
        kind=" or ".join(kinds),
        name=name,
        resolved=provided,
        target=found,
        options=world.names(kinds),
        optional=optional or not name,
        environment=environment,
    )


def _is_made(world: World, name: str) -> bool:
    """Whether an object of the result will make this Secret in the cluster."""
    for item in world.objects:
        kind = text(item.get("kind"))
        if kind == "Certificate" and text(at(item, "spec", "secretName")) == name:
            return True
        if kind not in ("Secret", "ExternalSecret") and "Secret" in kind and key_of(item).name == name:
            return True
        if kind == "ExternalSecret" and name in (text(at(item, "spec", "target", "name")), key_of(item).name):
            return True
    return False


def service_links(
    world: World,
    owner: Manifest,
    path: str,
    port_path: str,
    name: str,
    port: Any,
    namespace: str | None = None,
) -> Iterator[Link]:
    """A reference to a Service and, where the Service is there, to one of its ports."""
    link = object_link(world, owner, path, ("Service",), name, namespace=namespace)
    yield link
    service = world.named(("Service",), name, key_of(owner).namespace if namespace is None else namespace)
    if service is None or port in (None, ""):
        return
    ports = list(elements("spec.ports", at(service, "spec", "ports")))
    names = [text(item.get("name")) for _, item in ports if item.get("name")]
    numbers = [text(item.get("port")) for _, item in ports]
    by_number = isinstance(port, int) or text(port).isdigit()
    yield Link(
        owner=link.owner,
        resource=link.resource,
        path=port_path,
        kind="Service",
        name=name,
        part=f"port {port}",
        resolved=text(port) in (numbers if by_number else names),
        target=link.target,
        options=tuple(numbers if by_number else names),
    )


def selection_link(world: World, owner: Manifest, path: str, selector: Any, *, of: str = "pods") -> Link:
    """A label selector: resolved when it selects anything at all. ``of`` is pods or Services."""
    key = key_of(owner)
    matched = next(_selected(world, of, selector, key.namespace), None)
    return Link(
        owner=key,
        resource=resource_id(owner),
        path=path,
        kind=of,
        name=describe(selector),
        resolved=matched is not None,
        target=resource_id(matched) if matched is not None else None,
    )


def _selected(world: World, of: str, selector: Any, namespace: str) -> Iterator[Manifest]:
    if of == "pods":
        return (pod.owner for pod in selected(world, selector, namespace))
    services = world.of_kind("Service")
    return (item for item in services if selects(selector, at(item, "metadata", "labels") or {}))


def describe(selector: Any) -> str:
    """A selector in one line: ``app=server,tier in (a,b)``."""
    labels = at(selector, "matchLabels") or {}
    parts = [f"{key}={text(labels[key])}" for key in sorted(labels)]
    for item in at(selector, "matchExpressions") or []:
        values = ",".join(text(value) for value in item.get("values") or [])
        parts.append(f"{item.get('key')} {item.get('operator')} ({values})")
    return ",".join(parts)
