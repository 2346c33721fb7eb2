"""What may not change in Services, in Secrets and ConfigMaps, in quotas, nodes and ranges of addresses."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from upstreamsync.verify.result_checks.finding import Manifest
from upstreamsync.verify.result_checks.index import at, mapping, step, strings, text
from upstreamsync.verify.result_checks.placeholders import is_placeholder

from .refused import Refused, differ, immutable


def service(old: Manifest, new: Manifest) -> Iterator[Refused]:
    """Its address, the class of its load balancer, and the port that its health is asked at."""
    before, after = mapping(old.get("spec")), mapping(new.get("spec"))
    was, now = text(before.get("type")) or "ClusterIP", text(after.get("type")) or "ClusterIP"
    if "ExternalName" in (was, now):
        return
    yield from _address(before, after, now)
    one, other = strings(before.get("ipFamilies")), strings(after.get("ipFamilies"))
    if one and other and one[0] != other[0]:
        yield immutable("Service", "spec.ipFamilies")
    if was != "LoadBalancer" or now != "LoadBalancer":
        return
    if differ(before.get("loadBalancerClass"), after.get("loadBalancerClass")):
        yield Refused(
            "spec.loadBalancerClass",
            f"loadBalancerClass went from {before.get('loadBalancerClass') or 'nothing'} to "
            f"{after.get('loadBalancerClass') or 'nothing'}, which is fixed once a Service is a load balancer",
            "delete the Service first",
        )
    local = all(spec.get("externalTrafficPolicy") == "Local" for spec in (before, after))
    port = after.get("healthCheckNodePort")
    if local and port and differ(before.get("healthCheckNodePort"), port):
        yield immutable("Service", "spec.healthCheckNodePort")


def _address(before: Mapping[str, Any], after: Mapping[str, Any], kind: str) -> Iterator[Refused]:
    # An address that is left out stays as it is, None too.
    one, other = text(before.get("clusterIP")), text(after.get("clusterIP"))
    if is_placeholder(one) or is_placeholder(other):
        return
    if other and one != other:
        yield Refused(
            "spec.clusterIP", f"spec.clusterIP went from {one or 'nothing'} to {other}, which is immutable",
            "delete the Service first",
        )  # fmt: skip
    elif one == "None" and not other and kind != "ClusterIP":
        yield Refused(
            "spec.type", f"a headless Service becomes one of type {kind}, and keeps its clusterIP None",
            "delete the Service first",
        )  # fmt: skip


def data_object(old: Manifest, new: Manifest) -> Iterator[Refused]:
    """The type of a Secret, and all that is in a Secret or ConfigMap which says that it is immutable."""
    kind = text(new.get("kind"))
    if kind == "Secret":
        before, after = text(old.get("type")) or "Opaque", text(new.get("type")) or "Opaque"
        if before != after:
            yield Refused(
                "type", f"the type of the Secret went from {before} to {after}, which is immutable",
                "delete the Secret first",
            )  # fmt: skip
    if old.get("immutable") is not True:
        return
    hint = f"delete the {kind} first, or give it a new name"
    if new.get("immutable") is not True:
        yield Refused("immutable", f"the {kind} is immutable, which cannot be taken back", hint)
    same = kind == "Secret" and _contents(old) == _contents(new)
    for field in () if same else ("data", "stringData", "binaryData"):
        before_data, after_data = mapping(old.get(field)), mapping(new.get(field))
        for key in sorted(before_data.keys() | after_data.keys()):
            if before_data.get(key) != after_data.get(key):
                yield Refused(
                    step(field, key), f"the {kind} says immutable: true, and {field}.{key} changed", hint
                )


def _contents(manifest: Manifest) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in mapping(manifest.get("data")).items():
        try:
            found[key] = base64.b64decode(text(value))
        except (binascii.Error, ValueError):
            found[key] = value
    plain = mapping(manifest.get("stringData")).items()
    return {**found, **{key: text(value).encode() for key, value in plain}}


def node(old: Manifest, new: Manifest) -> Iterator[Refused]:
    """What a node is called by its provider, and the addresses of its pods: said once."""
    for field in ("podCIDR", "podCIDRs", "providerID"):
        one, other = at(old, "spec", field), at(new, "spec", field)
        if one and differ(one, other):
            yield immutable("Node", step("spec", field))
    if differ(at(old, "spec", "externalID"), at(new, "spec", "externalID")):
        yield immutable("Node", "spec.externalID")


def quota(old: Manifest, new: Manifest) -> Iterator[Refused]:
    """What a quota is about; in what order that is said does not matter."""
    one, other = (set(strings(at(item, "spec", "scopes"))) for item in (old, new))
    if one != other:
        yield immutable("ResourceQuota", "spec.scopes")


def ranges(old: Manifest, new: Manifest) -> Iterator[Refused]:
    """The ranges of a ServiceCIDR: one of the other family may be added."""
    one, other = strings(at(old, "spec", "cidrs")), strings(at(new, "spec", "cidrs"))
    if other[: len(one)] != one:
        yield immutable("ServiceCIDR", "spec.cidrs")
