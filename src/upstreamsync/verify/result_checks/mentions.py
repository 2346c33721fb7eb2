"""What texts and custom resources name in a form of their own.

Ports of Services behind host names, service accounts as users, objects in the labels of queries.

Nobody says that these are references, so they count only where the very same one resolved before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from .finding import Manifest
from .index import World, at, elements, key_of, leaves, mapping, resource_id, step, text
from .links import Link
from .pods import pods

#: Kinds whose strings name nothing in these forms.
_WITHOUT: Final = frozenset(("CustomResourceDefinition", "Role", "ClusterRole"))
#: ``web:80``, ``web.ns:80``, ``web.ns.svc.cluster.local:80``, with or without a scheme; no image, no path.
_HOST: Final = re.compile(
    r"(?:(?<=//)|(?<![\w./-]))(?P<host>(?P<name>[a-z][a-z0-9-]*)(?:\.(?P<namespace>[a-z0-9-]+)(?:\.svc[a-z.]*)?)?)"
    r":(?P<port>\d{2,5})(?![\w.])"
)
#: A service account as the API server and a mesh spell it.
_ACCOUNT: Final = re.compile(
    r"(?:system:serviceaccount:(?P<a>[a-z0-9-]+):|\bns/(?P<b>[a-z0-9-]+)/sa/)(?P<name>[a-z0-9.-]+)(?![\w.*-])"
)
#: A matcher of a query: the label that metrics have of an object, and its value.
_MATCHER: Final = re.compile(
    r"\b(?P<label>deployment|statefulset|daemonset|container|service|job|pod|cronjob|configmap|secret"
    r"|persistentvolumeclaim|horizontalpodautoscaler)\s*(?P<how>=~?)\s*\\*[\"'](?P<value>[\w.*+|()-]+?)\\*[\"']"
)
_WORKLOADS: Final = ("Deployment", "StatefulSet", "DaemonSet")
_OF_LABEL: Final = {
    "deployment": ("Deployment",),
    "statefulset": ("StatefulSet",),
    "daemonset": ("DaemonSet",),
    "service": ("Service",),
    "job": ("Service",),  # what a scrape is called unless somebody says otherwise
    "pod": _WORKLOADS,
    "cronjob": ("CronJob",),
    "configmap": ("ConfigMap",),
    "secret": ("Secret",),
    "persistentvolumeclaim": ("PersistentVolumeClaim",),
    "horizontalpodautoscaler": ("HorizontalPodAutoscaler",),
}
#: The end of a pattern that stands for whatever the cluster appends to a name.
_TAIL: Final = re.compile(r"-?(\.[*+])$")


def mention_links(world: World, manifest: Manifest) -> Iterator[Link]:
    """What the strings of an object name."""
    if text(manifest.get("kind")) in _WITHOUT:
        return
    # Most objects name nothing in these forms: that is seen without the paths of all that they hold.
    if _leads_somewhere(manifest.get("spec")):
        yield from _destinations(world, manifest, manifest.get("spec"), "spec")
    if not _speaks(manifest):
        return
    for path, field, string in leaves(manifest):
        if field != "image" and ":" in string:
            yield from _hosts(world, manifest, path, string)
        if "sa/" in string or "system:serviceaccount:" in string:
            yield from _accounts(world, manifest, path, string)
        if "=" in string and ('"' in string or "'" in string):
            yield from _matchers(world, manifest, path, string)


def _leads_somewhere(value: Any) -> bool:
    """Whether there is a ``host`` beside a ``port`` anywhere."""
    if isinstance(value, dict):
        return ("host" in value and "port" in value) or any(map(_leads_somewhere, value.values()))
    return isinstance(value, list) and any(map(_leads_somewhere, value))


def _speaks(value: Any, field: str = "") -> bool:
    """Whether any string below a value may name something; see ``mention_links``."""
    if isinstance(value, str):
        return (
            (":" in value and field != "image")
            or "sa/" in value
            or ("=" in value and ('"' in value or "'" in value))
        )
    if isinstance(value, dict):
        return any(_speaks(child, key) for key, child in value.items())
    return isinstance(value, list) and any(_speaks(child, field) for child in value)


@lru_cache(maxsize=4096)
def _found(pattern: re.Pattern[str], string: str) -> tuple[re.Match[str], ...]:
    """All matches in a text; dashboards are long, and each overlay has them on both sides."""
    return tuple(pattern.finditer(string))


def _hosts(world: World, owner: Manifest, path: str, string: str) -> Iterator[Link]:
    for match in _found(_HOST, string):
        yield from _port(
            world, owner, path, match["name"], match["namespace"], match["port"], f"{match['host']}:"
        )


def _destinations(world: World, owner: Manifest, value: Any, path: str) -> Iterator[Link]:
    """``host`` beside ``port``, as meshes name the Service that they lead to."""
    if isinstance(value, dict):
        host, port = value.get("host"), value.get("port")
        number = port.get("number") if isinstance(port, dict) else port
        if isinstance(host, str) and isinstance(number, int):
            name, _, rest = host.partition(".")
            below = step(path, "port")
            place = step(below, "number") if isinstance(port, dict) else below
            yield from _port(world, owner, place, name, rest.partition(".")[0] or None, str(number), "")
        for key, child in value.items():
            yield from _destinations(world, owner, child, step(path, key))
    elif isinstance(value, list):
        for below, child in elements(path, value):
            yield from _destinations(world, owner, child, below)


def _port(
    world: World, owner: Manifest, path: str, name: str, namespace: str | None, port: str, before: str
) -> Iterator[Link]:
    service = world.named(("Service",), name, key_of(owner).namespace if namespace is None else namespace)
    spec = mapping(at(service, "spec"))
    if service is None or spec.get("clusterIP") == "None" or spec.get("type") == "ExternalName":
        return  # behind these a port is the pod's, or somebody else's
    numbers = tuple(text(each.get("port")) for _, each in elements("spec.ports", spec.get("ports")))
    yield Link(
        owner=key_of(owner),
        resource=resource_id(owner),
        path=path,
        kind="Service",
        name=name,
        part=f"port {port}",
        resolved=port in numbers,
        target=resource_id(service),
        options=numbers,
        weak=True,
        spelled=before,
    )


def _accounts(world: World, owner: Manifest, path: str, string: str) -> Iterator[Link]:
    for match in _found(_ACCOUNT, string):
        found = world.named(("ServiceAccount",), match["name"], match["a"] or match["b"])
        yield _named(owner, path, ("ServiceAccount",), match["name"], found)


def _matchers(world: World, owner: Manifest, path: str, string: str) -> Iterator[Link]:
    for match in _found(_MATCHER, string):
        for each in match["value"].strip("()").split("|") if match["how"] == "=~" else [match["value"]]:
            name = _TAIL.sub("", each)
            if not name or set(name) & set(".*+()"):
                continue
            if match["label"] == "container":
                yield _named(owner, path, ("container",), name, _with_container(world).get(name))
            else:
                kinds = _OF_LABEL[match["label"]]
                yield _named(owner, path, kinds, name, world.named(kinds, name))


def _with_container(world: World) -> dict[str, Manifest]:
    """The workloads by the names of their containers."""
    found: dict[str, Manifest] | None = world.derived.get("by container")
    if found is None:
        found = {text(each.get("name")): pod.owner for pod in pods(world) for _, each in pod.containers()}
        world.derived["by container"] = found
    return found


def _named(owner: Manifest, path: str, kinds: tuple[str, ...], name: str, found: Manifest | None) -> Link:
    return Link(
        owner=key_of(owner),
        resource=resource_id(owner),
        path=path,
        kind=" or ".join(kinds),
        name=name,
        resolved=found is not None,
        target=resource_id(found) if found is not None else None,
        weak=True,
    )
