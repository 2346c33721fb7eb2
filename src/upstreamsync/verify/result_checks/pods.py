"""Where pod templates stand, and what is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .finding import Manifest
from .index import World, at, elements, key_of, mapping, same_namespace, step, text

_TEMPLATES = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Rollout": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "PodTemplate": ("template",),
    "Pod": (),
}
CONTAINER_LISTS = ("containers", "initContainers", "ephemeralContainers")


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod template: ``path`` leads to it (empty for a bare Pod)."""

    owner: Manifest
    path: str
    labels: Mapping[str, Any]
    spec: Mapping[str, Any]

    @property
    def spec_path(self) -> str:
        """The path of the pod's spec."""
        return step(self.path, "spec")

    @property
    def namespace(self) -> str:
        """The namespace of the object that holds the template."""
        return key_of(self.owner).namespace

    def containers(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """All containers of all sorts, each with its path."""
        for field in CONTAINER_LISTS:
            yield from elements(step(self.spec_path, field), self.spec.get(field))


def template_steps(manifest: Manifest) -> tuple[str, ...] | None:
    """The steps to an object's pod template; None where its kind has none."""
    return _TEMPLATES.get(text(manifest.get("kind")))


def pods_of(manifest: Manifest) -> Iterator[Pod]:
    """The pod template of an object, if it has one."""
    steps = template_steps(manifest)
    if steps is None:
        return
    template = at(manifest, *steps)
    if isinstance(template, Mapping):
        labels = mapping(at(template, "metadata", "labels"))
        yield Pod(manifest, ".".join(steps), labels, mapping(template.get("spec")))


def pods(world: World) -> Sequence[Pod]:
    """The pod templates of a result."""
    found: tuple[Pod, ...] | None = world.derived.get("pods")
    if found is None:
        found = tuple(pod for manifest in world.objects for pod in pods_of(manifest))
        world.derived["pods"] = found
    return found


def selected(world: World, selector: Any, namespace: str) -> Iterator[Pod]:
    """The pods of a namespace that a LabelSelector selects, in the order of the result."""
    wanted = mapping(at(selector, "matchLabels"))
    candidates = pods(world)
    if wanted:  # one of the labels leads to few pods; asking all of them for each selector is quadratic
        name, value = next(iter(wanted.items()))
        candidates = _by_label(world).get((name, text(value)), ())
    for pod in candidates:
        if same_namespace(pod.namespace, namespace) and selects(selector, pod.labels):
            yield pod


def _by_label(world: World) -> Mapping[tuple[str, str], Sequence[Pod]]:
    index: dict[tuple[str, str], list[Pod]] | None = world.derived.get("pods by label")
    if index is None:
        index = {}
        for pod in pods(world):
            for name, value in pod.labels.items():
                index.setdefault((name, text(value)), []).append(pod)
        world.derived["pods by label"] = index
    return index


def selects(selector: Any, labels: Mapping[str, Any]) -> bool:
    """Whether a LabelSelector (matchLabels, matchExpressions) holds for labels; an empty one always does."""
    wanted = mapping(at(selector, "matchLabels"))
    if any(text(labels.get(key)) != text(value) or key not in labels for key, value in wanted.items()):
        return False
    expressions = at(selector, "matchExpressions")
    return all(
        _holds(item, labels)
        for item in (expressions if isinstance(expressions, list) else [])
        if isinstance(item, Mapping)
    )


def _holds(expression: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    key = text(expression.get("key"))
    values = [text(value) for value in expression.get("values") or []]
    match text(expression.get("operator")):
        case "In":
            return key in labels and text(labels[key]) in values
        case "NotIn":
            return key not in labels or text(labels[key]) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            return True
