"""Rules about the controllers of pods, and about what scales them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from upstreamsync.verify.result_checks.finding import Manifest
from upstreamsync.verify.result_checks.index import at, elements, mapping, step, text

from .wrong import Wrong, number

_MACROS: Final = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
_CRON_FIELD: Final = re.compile(r"[0-9A-Za-z*?/,\-]+")
_METRICS: Final[Mapping[str, str]] = {
    "Object": "object", "Pods": "pods", "Resource": "resource", "ContainerResource": "containerResource",
    "External": "external",
}  # fmt: skip


def deployment(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """Deadlines, and how many pods may be missing."""
    del old
    spec = mapping(manifest.get("spec"))
    ready, deadline = number(spec.get("minReadySeconds")), number(spec.get("progressDeadlineSeconds"))
    most = 600 if deadline is None else deadline
    if ready and ready >= most:
        yield Wrong(
            "spec.progressDeadlineSeconds",
            f"minReadySeconds, {ready}, is not below progressDeadlineSeconds, {most}",
            "raise progressDeadlineSeconds, or lower minReadySeconds",
        )  # fmt: skip
    kind = text(at(spec, "strategy", "type"))
    if kind not in ("", "Recreate", "RollingUpdate"):
        yield Wrong(
            "spec.strategy.type", f"the type of the strategy is {kind}", "use RollingUpdate or Recreate"
        )
    yield from _rolling("spec.strategy.rollingUpdate", at(spec, "strategy", "rollingUpdate"))
    yield from _replicas(spec)


def stateful_set(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """How it is updated."""
    del old
    spec = mapping(manifest.get("spec"))
    kind = text(at(spec, "updateStrategy", "type"))
    if kind not in ("", "OnDelete", "RollingUpdate"):
        yield Wrong(
            "spec.updateStrategy.type",
            f"the type of updateStrategy is {kind}",
            "use RollingUpdate or OnDelete",
        )
    yield from _replicas(spec)


def daemon_set(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """Pods are either added first or taken away first; one is taken away where nothing is said."""
    del old
    strategy = mapping(at(manifest, "spec", "updateStrategy"))
    kind = text(strategy.get("type"))
    if kind not in ("", "OnDelete", "RollingUpdate"):
        yield Wrong(
            "spec.updateStrategy.type",
            f"the type of updateStrategy is {kind}",
            "use RollingUpdate or OnDelete",
        )
    rolling = strategy.get("rollingUpdate")
    if kind == "OnDelete" or not isinstance(rolling, dict):
        return
    surge, missing = rolling.get("maxSurge", 0), rolling.get("maxUnavailable", 1)
    path = "spec.updateStrategy.rollingUpdate"
    if not _is_zero(surge) and not _is_zero(missing):
        yield Wrong(
            f"{path}.maxSurge", f"maxSurge {surge} stands beside maxUnavailable {missing}",
            "set one of them to 0 (maxUnavailable is 1 where it is left out)", "exclusive_fields",
        )  # fmt: skip
    elif _is_zero(surge) and _is_zero(missing):
        yield Wrong(
            f"{path}.maxUnavailable", "maxUnavailable and maxSurge are both 0", "leave one of them above 0"
        )


def _is_zero(value: Any) -> bool:
    return value is None or text(value) in ("0", "0%")


def _rolling(path: str, rolling: Any) -> Iterator[Wrong]:
    for field in ("maxSurge", "maxUnavailable"):
        value = at(rolling, field)
        if isinstance(value, str) and not re.fullmatch(r"[0-9]+%", value):
            yield Wrong(
                f"{path}.{field}", f'{field} is "{value}"', "use a number, or a percentage such as 25%"
            )
        elif (found := number(value)) is not None and found < 0:
            yield Wrong(f"{path}.{field}", f"{field} is {found}", "use 0 or more")
        elif field == "maxUnavailable" and isinstance(value, str) and int(value[:-1]) > 100:
            yield Wrong(f"{path}.{field}", f"{field} is {value}", "use at most 100%")


def _replicas(spec: Mapping[str, Any]) -> Iterator[Wrong]:
    if (found := number(spec.get("replicas"))) is not None and found < 0:
        yield Wrong("spec.replicas", f"replicas is {found}", "use 0 or more")


def job(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """A Job's own rules."""
    del old
    yield from _job("spec", mapping(manifest.get("spec")))


def cron_job(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """When it runs, and the rules of the Job that it makes."""
    del old
    spec = mapping(manifest.get("spec"))
    yield from _job("spec.jobTemplate.spec", mapping(at(spec, "jobTemplate", "spec")))
    schedule = text(spec.get("schedule")).strip()
    if schedule and not _is_schedule(schedule):
        yield Wrong(
            "spec.schedule", f'"{schedule}" is no schedule', "use five fields, or a word such as @daily"
        )
    policy = text(spec.get("concurrencyPolicy"))
    if policy not in ("", "Allow", "Forbid", "Replace"):
        yield Wrong(
            "spec.concurrencyPolicy", f"concurrencyPolicy is {policy}", "use Allow, Forbid or Replace"
        )


def _is_schedule(schedule: str) -> bool:
    if schedule.startswith("@"):
        return schedule in _MACROS or schedule.startswith("@every ")
    fields = schedule.split()
    if fields[0].startswith(("TZ=", "CRON_TZ=")):
        fields = fields[1:]
    return len(fields) == 5 and all(map(_CRON_FIELD.fullmatch, fields))


def _job(path: str, spec: Mapping[str, Any]) -> Iterator[Wrong]:
    indexed = spec.get("completionMode") == "Indexed"
    if indexed and spec.get("completions") is None:
        yield Wrong(
            step(path, "completions"),
            "completions is missing beside completionMode Indexed",
            "set completions",
        )
    for field in ("backoffLimitPerIndex", "successPolicy"):
        if spec.get(field) is not None and not indexed:
            yield Wrong(
                step(path, field), f"{field} is set without completionMode Indexed",
                f"set completionMode: Indexed, or drop {field}",
            )  # fmt: skip
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        yield Wrong(
            step(path, "backoffLimitPerIndex"), "maxFailedIndexes is set without backoffLimitPerIndex",
            "set backoffLimitPerIndex",
        )  # fmt: skip
    policy = at(spec, "template", "spec", "restartPolicy")
    if spec.get("podFailurePolicy") is not None and policy == "OnFailure":
        yield Wrong(
            step(step(step(path, "template"), "spec"), "restartPolicy"),
            "podFailurePolicy stands beside restartPolicy OnFailure", "set restartPolicy: Never", "exclusive_fields",
        )  # fmt: skip
    if spec.get("podFailurePolicy") is not None and spec.get("podReplacementPolicy") == "TerminatingOrFailed":
        yield Wrong(
            step(path, "podReplacementPolicy"), "TerminatingOrFailed stands beside a podFailurePolicy",
            "set podReplacementPolicy: Failed", "exclusive_fields",
        )  # fmt: skip
    if mapping(spec.get("selector")) and spec.get("manualSelector") is not True:
        yield Wrong(step(path, "selector"), "the selector of a Job is made by the server", "drop it")
    for field in (
        "parallelism",
        "completions",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "activeDeadlineSeconds",
    ):
        if (found := number(spec.get(field))) is not None and found < 0:
            yield Wrong(step(path, field), f"{field} is {found}", "use 0 or more")


def autoscaler(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """Bounds, and what is measured."""
    del old
    spec = mapping(manifest.get("spec"))
    low, high = number(spec.get("minReplicas")), number(spec.get("maxReplicas"))
    if high is not None and high < (1 if low is None else low):
        yield Wrong(
            "spec.maxReplicas", f"maxReplicas, {high}, is below minReplicas, {1 if low is None else low}",
            "raise maxReplicas, or lower minReplicas",
        )  # fmt: skip
    if low == 0 and not any(
        metric.get("type") in ("Object", "External") for _, metric in elements("", spec.get("metrics"))
    ):
        yield Wrong("spec.minReplicas", "minReplicas is 0", "use 1 or more")
    for path, metric in elements("spec.metrics", spec.get("metrics")):
        yield from _metric(path, metric)


def _metric(path: str, metric: Mapping[str, Any]) -> Iterator[Wrong]:
    kind = text(metric.get("type"))
    wanted = _METRICS.get(kind)
    if wanted is None:
        yield Wrong(
            step(path, "type"), f"the type of a metric is {kind or 'missing'}", f"use {', '.join(_METRICS)}"
        )
        return
    if metric.get(wanted) is None:
        yield Wrong(
            step(path, wanted), f"a metric of type {kind} has no {wanted}", f"set {wanted}, or the type"
        )
    for other in _METRICS.values():
        if other != wanted and metric.get(other) is not None:
            yield Wrong(
                step(path, other), f"a metric of type {kind} has {other}, too", f"set {other}: null",
                "exclusive_fields",
            )  # fmt: skip
    target = mapping(at(metric, wanted, "target"))
    where = step(step(path, wanted), "target")
    if kind in ("Resource", "ContainerResource"):
        both = target.get("averageUtilization") is not None and target.get("averageValue") is not None
        if both:
            yield Wrong(
                step(where, "averageValue"), "averageValue and averageUtilization are both set",
                "keep one of the two", "exclusive_fields",
            )  # fmt: skip
        if target and target.get("averageUtilization") is None and target.get("averageValue") is None:
            yield Wrong(
                where, "the target names neither averageUtilization nor averageValue", "set one of the two"
            )
    elif (
        kind in ("Object", "External")
        and target.get("value") is not None
        and target.get("averageValue") is not None
    ):
        yield Wrong(
            step(where, "averageValue"), "value and averageValue are both set", "keep one of the two",
            "exclusive_fields",
        )  # fmt: skip
