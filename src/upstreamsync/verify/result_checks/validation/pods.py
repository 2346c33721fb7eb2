"""Rules about pods, and about the templates of pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from upstreamsync.verify.result_checks.finding import Manifest
from upstreamsync.verify.result_checks.index import at, elements, mapping, step, text
from upstreamsync.verify.result_checks.pods import CONTAINER_LISTS, Pod, pods_of

from . import containers
from .wrong import Wrong, is_label_value, number, one_of

_LINUX_ONLY: Final = ("seLinuxOptions", "seccompProfile", "appArmorProfile", "runAsUser", "runAsGroup",
                      "fsGroup", "supplementalGroups", "sysctls", "fsGroupChangePolicy")  # fmt: skip
_LINUX_POD: Final = ("hostPID", "hostIPC", "shareProcessNamespace")
_LINUX_CONTAINER: Final = ("seLinuxOptions", "seccompProfile", "appArmorProfile", "capabilities",
                           "readOnlyRootFilesystem", "privileged", "allowPrivilegeEscalation", "procMount",
                           "runAsUser", "runAsGroup")  # fmt: skip
_PROJECTIONS: Final = ("secret", "downwardAPI", "configMap", "serviceAccountToken", "clusterTrustBundle",
                       "podCertificate")  # fmt: skip
_DNS: Final = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
#: Which policies a template may have, by the kind that holds it.
_RESTART: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "ReplicationController"), ("Always",)),
    "Job": ("Never", "OnFailure"), "CronJob": ("Never", "OnFailure"), "Pod": ("Always", "Never", "OnFailure"),
}  # fmt: skip


def check(manifest: Manifest, old: Manifest | None) -> Iterator[Wrong]:
    """The rules about the pod, or the template, of an object."""
    before = next(iter(pods_of(old)), None) if old is not None else None
    for pod in pods_of(manifest):
        was = dict(before.containers()) if before else {}
        for field in CONTAINER_LISTS:
            for path, container in elements(step(pod.spec_path, field), pod.spec.get(field)):
                yield from containers.check(pod, field, path, container, was.get(path, {}))
                if before is not None and not text(container.get("image")):
                    yield Wrong(
                        step(path, "image"), "a container has no image", "set image, or drop the container"
                    )
        yield from _names(pod)
        yield from _host_ports(pod)
        yield from _restart(text(manifest.get("kind")), pod)
        yield from _labels(pod)
        yield from _network(pod)
        yield from _tolerations(pod)
        yield from _spread(pod)
        yield from _affinity(pod)
        yield from _volumes(pod)
        yield from _system(pod)
        yield from containers.resources(pod.spec_path, mapping(pod.spec.get("resources")))
        context = mapping(pod.spec.get("securityContext"))
        yield from containers.security(step(pod.spec_path, "securityContext"), context)


def _names(pod: Pod) -> Iterator[Wrong]:
    for fields in (CONTAINER_LISTS, ("volumes",)):
        seen: set[str] = set()
        for field in fields:
            for path, item in elements(step(pod.spec_path, field), pod.spec.get(field)):
                name = text(item.get("name"))
                if name and name in seen:
                    what = "volumes" if field == "volumes" else "containers"
                    yield Wrong(
                        step(path, "name"), f"two {what} are named {name}",
                        "rename one of them, or make the local one a patch of the other",
                    )  # fmt: skip
                seen.add(name)


def _host_ports(pod: Pod) -> Iterator[Wrong]:
    taken: set[tuple[str, ...]] = set()
    for field in ("containers", "initContainers"):
        for path, container in elements(step(pod.spec_path, field), pod.spec.get(field)):
            if field == "initContainers" and container.get("restartPolicy") != "Always":
                continue
            for here, port in elements(step(path, "ports"), container.get("ports")):
                host = port.get("hostPort") or (
                    port.get("containerPort") if pod.spec.get("hostNetwork") is True else None
                )
                if not host:
                    continue
                key = (text(host), text(port.get("protocol")) or "TCP", text(port.get("hostIP")))
                if key in taken:
                    yield Wrong(
                        step(here, "hostPort"), f"port {key[0]}/{key[1]} of the host is taken twice",
                        "move one of the ports",
                    )  # fmt: skip
                taken.add(key)


def _restart(kind: str, pod: Pod) -> Iterator[Wrong]:
    allowed = _RESTART.get(kind)
    if allowed is None:
        return
    policy = text(pod.spec.get("restartPolicy")) or "Always"
    here = step(pod.spec_path, "restartPolicy")
    if policy not in allowed:
        yield Wrong(here, f"restartPolicy is {policy} in a {kind}", f"use {' or '.join(allowed)}")
    if allowed == ("Always",) and pod.spec.get("activeDeadlineSeconds") is not None:
        yield Wrong(
            step(pod.spec_path, "activeDeadlineSeconds"), f"activeDeadlineSeconds is set in a {kind}",
            "drop it: such pods have no end",
        )  # fmt: skip
    if kind != "Pod" and pod.spec.get("ephemeralContainers"):
        yield Wrong(
            step(pod.spec_path, "ephemeralContainers"),
            "a template of pods has ephemeral containers",
            "drop them",
        )


def _labels(pod: Pod) -> Iterator[Wrong]:
    labels = step(step(pod.path, "metadata"), "labels")
    for key, value in pod.labels.items():
        if pod.path and isinstance(value, str) and not is_label_value(value):
            yield Wrong(
                step(labels, key), f'"{value}" is no value of a label',
                "use at most 63 letters, digits, hyphens, dots and underscores",
            )  # fmt: skip


def _network(pod: Pod) -> Iterator[Wrong]:
    policy = text(pod.spec.get("dnsPolicy"))
    servers = at(pod.spec, "dnsConfig", "nameservers")
    if policy == "None" and not servers:
        yield Wrong(
            step(step(pod.spec_path, "dnsConfig"), "nameservers"), "dnsPolicy None stands without nameservers",
            "name at least one in dnsConfig.nameservers",
        )  # fmt: skip
    if policy and policy not in _DNS:
        yield Wrong(
            step(pod.spec_path, "dnsPolicy"), f"dnsPolicy is {policy}", f"use one of {', '.join(_DNS)}"
        )
    if isinstance(servers, list) and len(servers) > 3:
        yield Wrong(
            step(step(pod.spec_path, "dnsConfig"), "nameservers"), f"there are {len(servers)} nameservers",
            "name at most 3",
        )  # fmt: skip
    if pod.spec.get("shareProcessNamespace") is True and pod.spec.get("hostPID") is True:
        yield Wrong(
            step(pod.spec_path, "shareProcessNamespace"), "shareProcessNamespace stands beside hostPID",
            "drop one of the two", "exclusive_fields",
        )  # fmt: skip


def _tolerations(pod: Pod) -> Iterator[Wrong]:
    for path, item in elements(step(pod.spec_path, "tolerations"), pod.spec.get("tolerations")):
        operator, effect = text(item.get("operator")) or "Equal", text(item.get("effect"))
        if not text(item.get("key")) and operator != "Exists":
            yield Wrong(
                step(path, "operator"), f"a toleration without key has operator {operator}",
                "set operator: Exists, or a key",
            )  # fmt: skip
        if operator not in ("Equal", "Exists", "Lt", "Gt"):
            yield Wrong(step(path, "operator"), f"operator is {operator}", "use Equal or Exists")
        if effect not in ("", "NoSchedule", "PreferNoSchedule", "NoExecute"):
            yield Wrong(
                step(path, "effect"), f"effect is {effect}", "use NoSchedule, PreferNoSchedule or NoExecute"
            )
        elif item.get("tolerationSeconds") is not None and effect != "NoExecute":
            yield Wrong(
                step(path, "effect"), f"tolerationSeconds stands beside effect {effect or 'none'}",
                "set effect: NoExecute, or drop tolerationSeconds",
            )  # fmt: skip


def _spread(pod: Pod) -> Iterator[Wrong]:
    seen: set[tuple[str, str]] = set()
    field = step(pod.spec_path, "topologySpreadConstraints")
    for path, item in elements(field, pod.spec.get("topologySpreadConstraints")):
        key, action = text(item.get("topologyKey")), text(item.get("whenUnsatisfiable"))
        if (key, action) in seen:
            yield Wrong(path, f"two constraints have topologyKey {key} and {action}", "keep one of them")
        seen.add((key, action))
        if item.get("minDomains") is not None and action == "ScheduleAnyway":
            yield Wrong(
                step(path, "minDomains"), "minDomains stands beside ScheduleAnyway",
                "drop it, or set whenUnsatisfiable: DoNotSchedule", "exclusive_fields",
            )  # fmt: skip
        if action not in ("", "DoNotSchedule", "ScheduleAnyway"):
            yield Wrong(
                step(path, "whenUnsatisfiable"), f"whenUnsatisfiable is {action}",
                "use DoNotSchedule or ScheduleAnyway",
            )  # fmt: skip
        if (skew := number(item.get("maxSkew"))) is not None and skew < 1:
            yield Wrong(step(path, "maxSkew"), f"maxSkew is {skew}", "use 1 or more")


def _affinity(pod: Pod) -> Iterator[Wrong]:
    affinity = mapping(pod.spec.get("affinity"))
    top = step(pod.spec_path, "affinity")
    node = mapping(affinity.get("nodeAffinity"))
    required = node.get("requiredDuringSchedulingIgnoredDuringExecution")
    where = step(step(top, "nodeAffinity"), "requiredDuringSchedulingIgnoredDuringExecution")
    if isinstance(required, dict):
        yield from node_terms(where, required)
    for name in ("podAffinity", "podAntiAffinity"):
        part = mapping(affinity.get(name))
        for kind in ("required", "preferred"):
            field = f"{kind}DuringSchedulingIgnoredDuringExecution"
            for path, item in elements(step(step(top, name), field), part.get(field)):
                term = mapping(item.get("podAffinityTerm")) if kind == "preferred" else item
                inner = step(path, "podAffinityTerm") if kind == "preferred" else path
                if not text(term.get("topologyKey")):
                    yield Wrong(
                        step(inner, "topologyKey"), f"a term of {name} has no topologyKey", "set topologyKey"
                    )
                weight = number(item.get("weight"))
                if kind == "preferred" and (weight is None or not 1 <= weight <= 100):
                    yield Wrong(step(path, "weight"), f"weight is {weight}", "use a number from 1 to 100")


def node_terms(path: str, selector: Mapping[str, Any]) -> Iterator[Wrong]:
    """The terms of a node selector: at least one, and each expression with the values that it needs."""
    terms = selector.get("nodeSelectorTerms")
    here = step(path, "nodeSelectorTerms")
    if not terms:
        yield Wrong(here, "a node selector has no terms", "name at least one, or drop the selector")
    for where, term in elements(here, terms):
        for field in ("matchExpressions", "matchFields"):
            yield from expressions(step(where, field), term.get(field))


def expressions(path: str, value: Any) -> Iterator[Wrong]:
    """The expressions of a selector: operator and values have to fit one another."""
    for here, item in elements(path, value):
        operator, values = text(item.get("operator")), item.get("values")
        count = len(values) if isinstance(values, list) else 0
        fits = {
            "In": count > 0, "NotIn": count > 0, "Exists": count == 0, "DoesNotExist": count == 0,
            "Gt": count == 1, "Lt": count == 1,
        }.get(operator)  # fmt: skip
        if fits is None:
            yield Wrong(
                step(here, "operator"), f"operator is {operator or 'missing'}", "use In, NotIn or Exists"
            )
        elif not fits:
            yield Wrong(
                step(here, "values"), f"operator {operator} has {count or 'no'} value{'s' * (count != 1)}",
                "make operator and values fit",
            )  # fmt: skip


def _volumes(pod: Pod) -> Iterator[Wrong]:
    for path, volume in elements(step(pod.spec_path, "volumes"), pod.spec.get("volumes")):
        sources = at(volume, "projected", "sources")
        for here, source in elements(step(step(path, "projected"), "sources"), sources):
            found = one_of(source, _PROJECTIONS)
            if len(found) > 1:
                yield Wrong(
                    here, f"one projected source has {' and '.join(found)}", "make them two sources",
                    "exclusive_fields",
                )  # fmt: skip
        host = text(at(volume, "hostPath", "path"))
        if ".." in host.split("/"):
            yield Wrong(
                step(step(path, "hostPath"), "path"), f"the path {host} goes upwards", "write it without .."
            )


def _system(pod: Pod) -> Iterator[Wrong]:
    """What a pod may not say beside the operating system that it names."""
    system = text(at(pod.spec, "os", "name"))
    if not system:
        return
    context = mapping(pod.spec.get("securityContext"))
    path = step(pod.spec_path, "securityContext")
    if system == "linux":
        yield from _foreign(path, context, ("windowsOptions",), system)
    elif system == "windows":
        yield from _foreign(path, context, _LINUX_ONLY, system)
        yield from _foreign(pod.spec_path, pod.spec, _LINUX_POD, system)
    else:
        yield Wrong(step(step(pod.spec_path, "os"), "name"), f"os.name is {system}", "use linux or windows")
    for where, container in pod.containers():
        inner = mapping(container.get("securityContext"))
        names = {"linux": ("windowsOptions",), "windows": _LINUX_CONTAINER}.get(system, ())
        yield from _foreign(step(where, "securityContext"), inner, names, system)


def _foreign(path: str, value: Mapping[str, Any], names: tuple[str, ...], system: str) -> Iterator[Wrong]:
    for name in one_of(value, names):
        yield Wrong(
            step(path, name),
            f"{name} is set in a pod for {system}",
            f"drop {name}, or os.name",
            "exclusive_fields",
        )
