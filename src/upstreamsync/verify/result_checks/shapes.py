"""References that are known by their shape, in objects of whatever kind: selectors, and names of containers.

A map with ``matchLabels`` or ``matchExpressions``, or a plain map under ``selector``, selects by label; of
what, nobody says. So these count only where they selected pods or Services before.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from .finding import Manifest
from .index import World, at, elements, key_of, mapping, resource_id, step, text
from .links import Link
from .pods import pods_of, selected, selects
from .resolve import describe

#: What is selected there is no pod and no Service.
_OTHERS: Final = re.compile(r"namespace|node|object|volume|crd|resource", re.IGNORECASE)
#: Kinds without selectors, or whose selectors are no references.
_WITHOUT: Final = frozenset(
    ("CustomResourceDefinition", "ConfigMap", "Secret", "Role", "ClusterRole", "PersistentVolumeClaim", "Service")
)  # fmt: skip
#: Marks of cilium's, of where a label comes from; and labels that are none of the pod's own.
_SOURCE: Final = re.compile(r"^(k8s|any):")
_NO_LABEL: Final = re.compile(r"^(k8s:|any:)?io\.(kubernetes\.pod\.namespace|cilium\.)")
_SCALED: Final = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Rollout", "CronJob", "Job")


def shape_links(world: World, manifest: Manifest, known: Collection[str]) -> Iterator[Link]:
    """The selectors and container names of an object; those at the paths ``known`` are left out."""
    kind = text(manifest.get("kind"))
    if kind in _WITHOUT:
        return
    pod = next(pods_of(manifest), None)
    if pod is None:
        found = _selectors(manifest.get("spec"), "spec")
    else:
        found = (
            each
            for field in ("affinity", "topologySpreadConstraints")
            for each in _selectors(pod.spec.get(field), step(pod.spec_path, field))
        )
    for path, selector, everywhere in found:
        if path not in known:
            yield _selection(world, manifest, path, selector, everywhere=everywhere)
    yield from _containers(world, manifest)


def _selectors(value: Any, path: str, *, everywhere: bool = False) -> Iterator[tuple[str, Any, bool]]:
    """Each selector with its path, and whether it is about pods of any namespace."""
    if isinstance(value, dict):
        beyond = everywhere or "namespaceSelector" in value or "namespaces" in value
        for key, child in value.items():
            if _OTHERS.search(key):
                continue
            below = step(path, key)
            selector = _selector(key, child)
            if selector is not None:
                yield below, selector, beyond
            else:
                yield from _selectors(child, below, everywhere=beyond)
    elif isinstance(value, list):
        for below, child in elements(path, value):
            yield from _selectors(child, below, everywhere=everywhere)


def _selector(key: str, value: Any) -> Any:
    if not isinstance(value, dict) or not value:
        return None
    if mapping(value.get("matchLabels")) or value.get("matchExpressions"):
        return plain_selector(value)
    if key == "selector" or key.endswith("Selector"):
        labels = value.get("labels") if isinstance(value.get("labels"), dict) else value
        if labels and all(isinstance(each, str) for each in labels.values()):
            return plain_selector({"matchLabels": labels})
    return None


def plain_selector(selector: Mapping[str, Any]) -> Mapping[str, Any]:
    """The selector without what cilium writes before a label's name."""
    labels = {
        _SOURCE.sub("", name): value
        for name, value in mapping(selector.get("matchLabels")).items()
        if not _NO_LABEL.match(name)
    }
    return {"matchLabels": labels, "matchExpressions": selector.get("matchExpressions") or []}


def _selection(world: World, owner: Manifest, path: str, selector: Any, *, everywhere: bool) -> Link:
    key = key_of(owner)
    namespace = "" if everywhere else key.namespace
    pod = next(selected(world, selector, namespace), None)
    matched = pod.owner if pod is not None else _service(world, selector)
    return Link(
        owner=key,
        resource=resource_id(owner),
        path=path,
        kind="pods",
        name=describe(selector),
        resolved=matched is not None,
        target=resource_id(matched) if matched is not None else None,
        weak=True,
    )


def _service(world: World, selector: Any) -> Manifest | None:
    services = world.of_kind("Service")
    return next((item for item in services if selects(selector, at(item, "metadata", "labels") or {})), None)


# -- containers --------------------------------------------------------------------------------------


def _containers(world: World, manifest: Manifest) -> Iterator[Link]:
    """The containers that an autoscaler names in what it scales."""
    spec = mapping(manifest.get("spec"))
    target = mapping(spec.get("scaleTargetRef")) or mapping(spec.get("targetRef"))
    workload = world.named(_SCALED, text(target.get("name")), key_of(manifest).namespace)
    pod = next(pods_of(workload), None) if workload is not None else None
    if pod is None or workload is None:
        return
    names = [text(container.get("name")) for _, container in pod.containers()]
    policies = at(spec, "resourcePolicy", "containerPolicies")
    places = [
        (step(path, "containerName"), text(policy.get("containerName")))
        for path, policy in elements("spec.resourcePolicy.containerPolicies", policies)
    ]
    for path, metric in elements("spec.metrics", spec.get("metrics")):
        place = step(step(path, "containerResource"), "container")
        places.append((place, text(at(metric, "containerResource", "container"))))
    for path, name in places:
        if name and name != "*":
            yield Link(
                owner=key_of(manifest),
                resource=resource_id(manifest),
                path=path,
                kind="container",
                name=name,
                resolved=name in names,
                target=resource_id(workload),
                options=tuple(names),
                weak=True,
            )
