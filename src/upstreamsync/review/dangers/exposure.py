"""What becomes reachable: services that face outwards, network policies that vanish or open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from upstreamsync.model import Danger
from upstreamsync.review.pairs import Pairs
from upstreamsync.review.pods import mapping, mappings

_OUTWARD: Final = ("LoadBalancer", "NodePort")


def exposure_dangers(pairs: Pairs) -> Iterator[Danger]:
    """Services newly of an outward type, new Ingresses; removed or opened network policies."""
    for lone in pairs.added:
        if lone.kind == "Service" and (kind := _type(lone.object)) in _OUTWARD:
            yield Danger(rule="service-exposed", resource=str(lone), text=f"new service of type {kind}")
        elif lone.kind in ("Ingress", "HTTPRoute", "Gateway"):
            text = f"a new {lone.kind} lets traffic in"
            yield Danger(rule="service-exposed", resource=str(lone), text=text)
    for pair in pairs.changed:
        if pair.kind == "Service":
            old, new = _type(pair.old), _type(pair.new)
            if new in _OUTWARD and new != old:
                yield Danger(rule="service-exposed", resource=str(pair), text=f"type {old} → {new}")
        elif pair.kind == "NetworkPolicy" and (opened := _opened(pair.old, pair.new)):
            yield Danger(rule="network-policy-removed", resource=str(pair), text=opened)
    for lone in pairs.removed:
        if lone.kind == "NetworkPolicy":
            text = "the policy is gone: what it kept out may get in"
            yield Danger(rule="network-policy-removed", resource=str(lone), text=text)


def _type(service: Mapping[str, Any]) -> str:
    return str(mapping(service.get("spec")).get("type", "ClusterIP"))


def _opened(old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """Only what is certain: a direction no longer governed, or one more rule that allows something."""
    before, after = mapping(old.get("spec")), mapping(new.get("spec"))
    for direction in ("ingress", "egress"):
        if direction.capitalize() in _types(before) and direction.capitalize() not in _types(after):
            return f"{direction} is no longer restricted"
        if {} in mappings(after.get(direction)) and {} not in mappings(before.get(direction)):
            return (
                f"{direction} is now allowed from anywhere"
                if direction == "ingress"
                else "egress is now free"
            )
    return None


def _types(spec: Mapping[str, Any]) -> tuple[str, ...]:
    listed = spec.get("policyTypes")
    if isinstance(listed, list):
        return tuple(str(item) for item in listed)
    return ("Ingress", "Egress") if "egress" in spec else ("Ingress",)
