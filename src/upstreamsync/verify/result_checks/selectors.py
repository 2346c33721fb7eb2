"""A workload's selector against the labels of its own pods (rejected/selector_mismatch)."""

from __future__ import annotations

from collections.abc import Iterator

from upstreamsync.model import Verdict

from .finding import ResultContext, ResultFinding
from .index import World, at, mapping, resource_id, step, text
from .pods import Pod, pods_of, selects

_SELECTING = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Rollout")


def check(world: World, context: ResultContext) -> Iterator[ResultFinding]:
    """Every workload whose selector does not match its own template."""
    del context
    for manifest in world.of_kind(*_SELECTING):
        selector = at(manifest, "spec", "selector")
        if manifest.get("kind") == "ReplicationController":
            selector = {"matchLabels": selector}
        for pod in pods_of(manifest):
            if any(mapping(selector).values()) and not selects(selector, pod.labels):
                yield _finding(pod, mapping(mapping(selector).get("matchLabels")))


def _finding(pod: Pod, wanted: dict[str, object] | object) -> ResultFinding:
    wrong = [
        key for key, value in mapping(wanted).items()
        if key not in pod.labels or text(pod.labels[key]) != text(value)
    ]  # fmt: skip
    labels = step(step(pod.path, "metadata"), "labels")
    paths = [step(labels, key) for key in wrong] or [labels]
    if wrong:
        key = wrong[0]
        wish = text(mapping(wanted).get(key))
        has = f"{key}={text(pod.labels[key])}" if key in pod.labels else f"no {key}"
        why = f"the pods have {has}, but spec.selector wants {key}={wish}"
        hint = f"make the pod label {key} equal {wish}, or drop it from the patch"
    else:
        why = "spec.selector no longer matches the labels of the pods"
        hint = "make the pod labels fit spec.selector.matchExpressions"
    return ResultFinding(
        rule="selector",
        verdict=Verdict.REJECTED,
        reason="selector_mismatch",
        object=resource_id(pod.owner),
        path=paths[0],
        paths=(*paths, *(step("spec.selector.matchLabels", key) for key in wrong)),
        why=why,
        hint=hint,
    )
