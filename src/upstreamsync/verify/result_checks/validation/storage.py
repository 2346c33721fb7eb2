"""Rules about volumes, claims, and what bounds resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from upstreamsync.kit.kubernetes.values import quantity
from upstreamsync.verify.result_checks.finding import Manifest
from upstreamsync.verify.result_checks.index import at, elements, mapping, step, strings

from .pods import node_terms
from .wrong import Wrong

_MODES: Final = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")
_OPPOSITES: Final = (("Terminating", "NotTerminating"), ("BestEffort", "NotBestEffort"))


def volume(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """A PersistentVolume."""
    del old
    spec = mapping(manifest.get("spec"))
    required = at(spec, "nodeAffinity", "required")
    if isinstance(required, dict):
        yield from node_terms("spec.nodeAffinity.required", required)
    yield from _modes("spec.accessModes", spec.get("accessModes"))
    if not mapping(spec.get("capacity")).get("storage"):
        yield Wrong("spec.capacity", "the volume has no capacity", "set capacity.storage")


def claim(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """A PersistentVolumeClaim."""
    del old
    yield from _claim("spec", mapping(manifest.get("spec")))


def _claim(path: str, spec: Mapping[str, Any]) -> Iterator[Wrong]:
    yield from _modes(step(path, "accessModes"), spec.get("accessModes"))
    request = at(spec, "resources", "requests", "storage")
    where = step(step(path, "resources"), "requests")
    if request is None:
        yield Wrong(where, "the claim asks for no storage", "set resources.requests.storage")
    elif (amount := quantity(request)) is not None and amount <= 0:
        yield Wrong(step(where, "storage"), f"the claim asks for {request}", "ask for more than nothing")
    limit, wanted = quantity(at(spec, "resources", "limits", "storage")), quantity(request)
    if limit is not None and wanted is not None and wanted > limit:
        yield Wrong(
            step(where, "storage"), f"the request of storage, {request}, is above its limit", "raise the limit",
            "resource_limits",
        )  # fmt: skip


def _modes(path: str, modes: Any) -> Iterator[Wrong]:
    given = strings(modes)
    if not given:
        yield Wrong(path, "no access mode is named", "set accessModes")
    for mode in given:
        if mode not in _MODES:
            yield Wrong(path, f"{mode} is no access mode", f"use one of {', '.join(_MODES)}")
    if "ReadWriteOncePod" in given and len(given) > 1:
        yield Wrong(
            path, "ReadWriteOncePod stands beside other access modes", "keep it alone", "exclusive_fields"
        )


def limit_range(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """Each limit's own order: min, defaultRequest, default, max."""
    del old
    for path, item in elements("spec.limits", at(manifest, "spec", "limits")):
        order = ("min", "defaultRequest", "default", "max")
        names = sorted({name for field in order for name in mapping(item.get(field))})
        for name in names:
            known = [
                (field, value, amount)
                for field in order
                if (value := mapping(item.get(field)).get(name)) is not None
                and (amount := quantity(value)) is not None
            ]
            for (low, small, one), (high, large, other) in pairwise(known):
                if one > other:
                    yield Wrong(
                        step(step(path, low), name), f"{low} of {name}, {small}, is above {high}, {large}",
                        f"lower {low}, or raise {high}", "resource_limits",
                    )  # fmt: skip
        if item.get("type") == "Pod" and (item.get("default") or item.get("defaultRequest")):
            yield Wrong(
                path,
                "a limit of type Pod has defaults",
                "drop default and defaultRequest",
                "exclusive_fields",
            )


def quota(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """Scopes that exclude one another."""
    del old
    scopes = strings(at(manifest, "spec", "scopes"))
    for one, other in _OPPOSITES:
        if one in scopes and other in scopes:
            yield Wrong(
                "spec.scopes",
                f"{one} and {other} exclude one another",
                "keep one of them",
                "exclusive_fields",
            )
