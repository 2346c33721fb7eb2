"""What a pod template names: volumes, ConfigMaps, Secrets, accounts, ports and variables of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .finding import Manifest
from .index import World, at, elements, key_of, mapping, resource_id, step, strings, text
from .links import Link
from .pods import Pod, pods_of
from .resolve import object_link

_VARIABLE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
#: Objects that every cluster has, named by no manifest.
_BUILT_IN = frozenset(("default", "kube-root-ca.crt", "system-cluster-critical", "system-node-critical"))


def pod_links(world: World, manifest: Manifest) -> Iterator[Link]:
    """Everything that the pods of an object name."""
    for pod in pods_of(manifest):
        yield from _volumes(world, pod)
        for path, container in pod.containers():
            yield from _mounts(world, pod, path, container)
            yield from _environment(world, pod, path, container)
            yield from _variables(world, pod, path, container)
            yield from _ports(pod, path, container)
        yield from _settings(world, pod)


def _inside(pod: Pod, path: str, kind: str, name: str, *, valid: list[str], source: str) -> Link:
    return Link(
        owner=key_of(pod.owner),
        resource=resource_id(pod.owner),
        path=path,
        kind=kind,
        name=name,
        resolved=name in valid,
        target=resource_id(pod.owner),
        options=tuple(valid),
        inside=True,
        source=source,
    )


def _mounts(world: World, pod: Pod, path: str, container: Mapping[str, Any]) -> Iterator[Link]:
    volumes = [text(item.get("name")) for _, item in elements("", pod.spec.get("volumes"))]
    claims = [
        text(at(item, "metadata", "name"))
        for _, item in elements("", at(pod.owner, "spec", "volumeClaimTemplates"))
    ]
    for field in ("volumeMounts", "volumeDevices"):
        for mount_path, mount in elements(step(path, field), container.get(field)):
            name = text(mount.get("name"))
            if name:
                yield _inside(
                    pod,
                    step(mount_path, "name"),
                    "volume",
                    name,
                    valid=volumes + claims,
                    source=step(pod.spec_path, "volumes"),
                )
            yield from _file(world, pod, mount_path, mount)


def _ports(pod: Pod, path: str, container: Mapping[str, Any]) -> Iterator[Link]:
    own = [text(port.get("name")) for _, port in elements("", container.get("ports")) if port.get("name")]
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        for handler in ("httpGet", "tcpSocket"):
            port = at(container, probe, handler, "port")
            if isinstance(port, str) and not port.isdigit():
                at_path = step(step(step(path, probe), handler), "port")
                yield _inside(pod, at_path, "container port", port, valid=own, source=step(path, "ports"))


def _variables(world: World, pod: Pod, path: str, container: Mapping[str, Any]) -> Iterator[Link]:
    """``$(NAME)`` in an argument needs the variable; in another variable, an earlier one."""
    listed = [text(env.get("name")) for _, env in elements("", container.get("env"))]
    provided = _provided(world, pod, container)
    if provided is None:
        return  # names that come from a whole ConfigMap or Secret may be defined anywhere
    listed += provided
    source = step(path, "env")
    for field in ("command", "args"):
        for item in strings(container.get(field)):
            for name in _names(item):
                yield _inside(pod, step(path, field), "variable", name, valid=listed, source=source)
    earlier = list(provided)
    for env_path, env in elements(step(path, "env"), container.get("env")):
        for name in _names(text(env.get("value"))):
            yield _inside(pod, step(env_path, "value"), "variable", name, valid=list(earlier), source=source)
        earlier.append(text(env.get("name")))


def _provided(world: World, pod: Pod, container: Mapping[str, Any]) -> list[str] | None:
    """The variables that come from whole ConfigMaps and Secrets; None where one of them is not known."""
    found: list[str] = []
    for _, entry in elements("envFrom", container.get("envFrom")):
        for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
            source = at(entry, field)
            if isinstance(source, Mapping):
                keys = _keys(world, pod, kind, text(source.get("name")))
                if keys is None:
                    return None
                found += [f"{text(entry.get('prefix'))}{key}" for key in keys]
    return found


def _keys(world: World, pod: Pod, kind: str, name: str) -> list[str] | None:
    """The keys of a ConfigMap or Secret; None where it is not there, or is filled at run time."""
    target = world.named((kind,), name, pod.namespace)
    if target is None:
        return None
    keys = {key for field in ("data", "stringData", "binaryData") for key in mapping(target.get(field))}
    return sorted(keys) if keys or kind == "ConfigMap" else None


def _names(value: str) -> list[str]:
    return [match.group(1) for match in _VARIABLE.finditer(value) if match.group(1)]


def _environment(world: World, pod: Pod, path: str, container: Mapping[str, Any]) -> Iterator[Link]:
    for env_path, env in elements(step(path, "env"), container.get("env")):
        for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
            source = at(env, "valueFrom", field)
            if isinstance(source, Mapping):
                base = step(step(env_path, "valueFrom"), field)
                yield from _keyed_source(world, pod, base, kind, source)
    for from_path, entry in elements(step(path, "envFrom"), container.get("envFrom")):
        for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
            source = at(entry, field)
            if isinstance(source, Mapping):
                yield object_link(
                    world,
                    pod.owner,
                    step(step(from_path, field), "name"),
                    (kind,),
                    text(source.get("name")),
                    optional=source.get("optional") is True,
                    environment=kind == "Secret",
                )


def _keyed_source(world: World, pod: Pod, path: str, kind: str, source: Mapping[str, Any]) -> Iterator[Link]:
    name, key = text(source.get("name")), text(source.get("key"))
    optional = source.get("optional") is True
    link = object_link(
        world,
        pod.owner,
        step(path, "name"),
        (kind,),
        name,
        optional=optional,
        environment=kind == "Secret",
    )
    yield link
    yield from _key(world, pod, step(path, "key"), kind, name, key, optional=optional)


def _key(
    world: World, pod: Pod, path: str, kind: str, name: str, key: str, *, optional: bool
) -> Iterator[Link]:
    """A key of a ConfigMap or Secret, where it is known what that has."""
    keys = _keys(world, pod, kind, name)
    target = world.named((kind,), name, pod.namespace)
    if keys is not None and target is not None:
        yield Link(
            owner=key_of(pod.owner),
            resource=resource_id(pod.owner),
            path=path,
            kind=kind,
            name=name,
            part=f"key {key}",
            resolved=key in keys,
            target=resource_id(target),
            options=tuple(keys),
            optional=optional,
        )


def _volumes(world: World, pod: Pod) -> Iterator[Link]:
    for path, volume in elements(step(pod.spec_path, "volumes"), pod.spec.get("volumes")):
        yield from _source(world, pod, path, volume)
        for source_path, source in elements(
            step(step(path, "projected"), "sources"), at(volume, "projected", "sources")
        ):
            yield from _source(world, pod, source_path, source)


_SOURCES = (
    ("configMap", "name", "ConfigMap"),
    ("secret", "secretName", "Secret"),
    ("secret", "name", "Secret"),
    ("persistentVolumeClaim", "claimName", "PersistentVolumeClaim"),
)


def _source(world: World, pod: Pod, path: str, source: Mapping[str, Any]) -> Iterator[Link]:
    for field, name_field, kind in _SOURCES:
        value = at(source, field)
        name = text(at(value, name_field))
        if name:
            yield object_link(
                world,
                pod.owner,
                step(step(path, field), name_field),
                (kind,),
                name,
                optional=mapping(value).get("optional") is True,
            )
            yield from _items(world, pod, step(path, field), kind, name, mapping(value))


def _items(
    world: World, pod: Pod, path: str, kind: str, name: str, source: Mapping[str, Any]
) -> Iterator[Link]:
    """The keys of which a volume makes files."""
    for item_path, item in elements(step(path, "items"), source.get("items")):
        key = text(item.get("key"))
        optional = source.get("optional") is True
        yield from _key(world, pod, step(item_path, "key"), kind, name, key, optional=optional)


def _file(world: World, pod: Pod, path: str, mount: Mapping[str, Any]) -> Iterator[Link]:
    """The key that a mount takes out of a volume as a file."""
    wanted = text(mount.get("subPath")).partition("/")[0]
    for _, volume in elements("", pod.spec.get("volumes")) if wanted else ():
        if volume.get("name") != mount.get("name"):
            continue
        for field, name_field, kind in _SOURCES:
            source = mapping(at(volume, field))
            if source.get(name_field) and not source.get("items") and kind in ("ConfigMap", "Secret"):
                optional = source.get("optional") is True
                name = text(source.get(name_field))
                yield from _key(world, pod, step(path, "subPath"), kind, name, wanted, optional=optional)


def _settings(world: World, pod: Pod) -> Iterator[Link]:
    spec, path = pod.spec, pod.spec_path
    for field, kind in (
        ("serviceAccountName", "ServiceAccount"),
        ("priorityClassName", "PriorityClass"),
        ("runtimeClassName", "RuntimeClass"),
    ):
        name = text(spec.get(field))
        if name and name not in _BUILT_IN:
            yield object_link(world, pod.owner, step(path, field), (kind,), name)
    for secret_path, secret in elements(step(path, "imagePullSecrets"), spec.get("imagePullSecrets")):
        name = text(secret.get("name"))
        yield object_link(world, pod.owner, step(secret_path, "name"), ("Secret",), name)
    service = text(at(pod.owner, "spec", "serviceName"))
    if service and pod.owner.get("kind") == "StatefulSet":
        yield object_link(world, pod.owner, "spec.serviceName", ("Service",), service)
