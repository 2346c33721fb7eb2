"""Pods that get closer to the node: host namespaces and files, privileges, capabilities, root."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from upstreamsync.model import Danger
from upstreamsync.review.pairs import Pairs
from upstreamsync.review.pods import PodSpec, containers, mapping, mappings, pod_specs, strings

_HOST_SWITCHES: Final = {
    "hostNetwork": "the node's network",
    "hostPID": "the node's processes",
    "hostIPC": "the node's shared memory",
}
#: What every container runtime grants anyway: adding them says nothing.
_HARMLESS: Final = frozenset({"NET_BIND_SERVICE"})

Trait = tuple[str, str]


def workload_dangers(pairs: Pairs) -> Iterator[Danger]:
    """Traits that a workload has now and had not before; a new workload had none."""
    for pair in pairs.changed:
        had = set(_traits(pair.old))
        for rule, text in _traits(pair.new):
            if (rule, text) not in had:
                yield Danger(rule=rule, resource=str(pair), text=text)
    for lone in pairs.added:
        for rule, text in _traits(lone.object):
            yield Danger(rule=rule, resource=str(lone), text=text)


def _traits(obj: Mapping[str, Any]) -> Iterator[Trait]:
    if obj.get("kind") == "Namespace":
        labels = mapping(mapping(obj.get("metadata")).get("labels"))
        if labels.get("pod-security.kubernetes.io/enforce") == "privileged":
            yield "privileged", "the namespace admits privileged pods"
    for _, spec in pod_specs(obj):
        yield from _pod_traits(spec)


def _pod_traits(spec: PodSpec) -> Iterator[Trait]:
    for switch, what in _HOST_SWITCHES.items():
        if spec.get(switch) is True:
            yield "host-access", f"uses {what} ({switch})"
    for volume in mappings(spec.get("volumes")):
        if "hostPath" in volume:
            path = mapping(volume["hostPath"]).get("path", "")
            yield "host-access", f"mounts {path} of the node ({volume.get('name')})"
    pod = mapping(spec.get("securityContext"))
    for name, container in containers(spec):
        yield from _container_traits(name, container, pod)


def _container_traits(name: str, container: Mapping[str, Any], pod: Mapping[str, Any]) -> Iterator[Trait]:
    own = mapping(container.get("securityContext"))
    if own.get("privileged") is True:
        yield "privileged", f"container {name} runs privileged"
    if own.get("allowPrivilegeEscalation") is True:
        yield "privileged", f"container {name} allows privilege escalation"
    for capability in strings(mapping(own.get("capabilities")).get("add")):
        if capability.removeprefix("CAP_") not in _HARMLESS:
            yield "capabilities", f"container {name} gets {capability}"
    for port in mappings(container.get("ports")):
        if port.get("hostPort"):
            yield "host-access", f"container {name} listens on port {port['hostPort']} of the node"
    if own.get("runAsUser", pod.get("runAsUser")) == 0:
        yield "run-as-root", f"container {name} runs as root"
    elif own.get("runAsNonRoot", pod.get("runAsNonRoot")) is False:
        yield "run-as-root", f"container {name} may run as root"
    profile = mapping(own.get("seccompProfile", pod.get("seccompProfile"))).get("type")
    if profile == "Unconfined":
        yield "privileged", f"container {name} runs without a seccomp profile"
