"""Rules about one container of a pod."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from upstreamsync.kit.kubernetes.values import quantity
from upstreamsync.verify.result_checks.index import at, elements, mapping, step, strings, text
from upstreamsync.verify.result_checks.pods import Pod

from .wrong import Wrong, is_port_name, number

PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
PROBE_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "grpc")
HOOK_HANDLERS: Final = ("exec", "httpGet", "tcpSocket", "sleep")
VALUE_SOURCES: Final = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_NATIVE: Final = frozenset(("cpu", "memory", "ephemeral-storage"))


def check(
    pod: Pod, field: str, path: str, container: Mapping[str, Any], old: Mapping[str, Any]
) -> Iterator[Wrong]:
    """All rules about one container of the list ``field``; ``old`` is the same one before, or empty."""
    yield from resources(path, mapping(container.get("resources")))
    yield from _probes(field, path, container)
    yield from _hooks(field, path, container, old)
    yield from _ports(pod, path, container)
    yield from _mounts(path, container)
    yield from _env(path, container)
    yield from security(step(path, "securityContext"), mapping(container.get("securityContext")))
    pull = container.get("imagePullPolicy")
    if pull and pull not in ("Always", "IfNotPresent", "Never"):
        yield Wrong(
            step(path, "imagePullPolicy"), f"imagePullPolicy is {pull}", "use Always, IfNotPresent or Never"
        )


def resources(path: str, value: Mapping[str, Any]) -> Iterator[Wrong]:
    """Requests against limits, of a container or of a pod."""
    limits, requests = mapping(value.get("limits")), mapping(value.get("requests"))
    where = step(path, "resources")
    for name, wanted in requests.items():
        here = step(step(where, "requests"), name)
        request, limit = quantity(wanted), quantity(limits.get(name))
        if request is None:
            continue
        if _is_scarce(name):
            if limit is None:
                yield _resource(
                    here, f"{name} is requested without a limit", f"set limits.{name} to the same"
                )
            elif limit != request:
                yield _resource(
                    here, f"the request of {name}, {wanted}, is not its limit, {limits[name]}",
                    f"make request and limit of {name} equal",
                )  # fmt: skip
        elif limit is not None and request > limit:
            yield _resource(
                here, f"the request of {name}, {wanted}, is above its limit, {limits[name]}",
                f"raise the limit of {name} to {wanted} or more, or lower the request",
            )  # fmt: skip
    yield from _amounts(where, limits, requests)


def _amounts(where: str, limits: Mapping[str, Any], requests: Mapping[str, Any]) -> Iterator[Wrong]:
    for field, amounts in (("limits", limits), ("requests", requests)):
        for name, value in amounts.items():
            here = step(step(where, field), name)
            amount = quantity(value)
            if amount is not None and amount < 0:
                yield _resource(here, f"{name} is {value}", f"set {name} to 0 or more")
            if "/" not in name and name not in _NATIVE and not name.startswith("hugepages-"):
                yield _resource(
                    here, f"{name} is no resource of a container", "name a resource with its domain"
                )
            if amount is not None and _is_extended(name) and amount.denominator != 1:
                yield _resource(
                    here, f"{name} is {value}, and has to be whole", f"set {name} to a whole number"
                )
    every = limits.keys() | requests.keys()
    if any(name.startswith("hugepages-") for name in every) and not every & {"cpu", "memory"}:
        yield _resource(where, "huge pages are asked for without cpu or memory", "set cpu or memory, too")


def _resource(path: str, why: str, hint: str) -> Wrong:
    return Wrong(path, why, hint, "resource_limits")


def _is_extended(name: str) -> bool:
    prefix, slash, _ = name.rpartition("/")
    return bool(slash) and prefix != "kubernetes.io" and not prefix.endswith(".kubernetes.io")


def _is_scarce(name: str) -> bool:
    """Whether a request has to equal its limit: such a resource can't be promised twice."""
    return name.startswith("hugepages-") or _is_extended(name)


def _probes(field: str, path: str, container: Mapping[str, Any]) -> Iterator[Wrong]:
    for name in PROBES:
        probe = container.get(name)
        if not isinstance(probe, dict):
            continue
        here = step(path, name)
        if field == "initContainers" and container.get("restartPolicy") != "Always":
            yield Wrong(
                here, f"{name} is set on an init container that does not go on running",
                "set restartPolicy: Always, or drop the probe",
            )  # fmt: skip
            continue
        if not any(probe.get(handler) is not None for handler in PROBE_HANDLERS):
            yield Wrong(
                here, f"{name} has no handler", "give it one of httpGet, tcpSocket, exec and grpc, or drop the probe"
            )  # fmt: skip
        threshold = number(probe.get("successThreshold"))
        if name != "readinessProbe" and threshold is not None and threshold > 1:
            yield Wrong(
                step(here, "successThreshold"), f"successThreshold of {name} is {threshold}", "it has to be 1"
            )
        if name == "readinessProbe" and probe.get("terminationGracePeriodSeconds") is not None:
            yield Wrong(
                step(here, "terminationGracePeriodSeconds"), "a readinessProbe ends nothing",
                "drop terminationGracePeriodSeconds",
            )  # fmt: skip
        yield from _handler_ports(here, probe)


def _handler_ports(path: str, handler: Mapping[str, Any]) -> Iterator[Wrong]:
    for name in ("httpGet", "tcpSocket"):
        port = at(handler, name, "port")
        here = step(step(path, name), "port")
        if isinstance(port, str) and not is_port_name(port):
            yield Wrong(
                here, f'"{port}" is no name of a port', "name a port, or give its number without quotes"
            )
        elif (found := number(port)) is not None and not 0 < found < 65536:
            yield Wrong(here, f"port is {found}", "use a number from 1 to 65535")


def _hooks(field: str, path: str, container: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[Wrong]:
    lifecycle = mapping(container.get("lifecycle"))
    for name in ("postStart", "preStop"):
        hook = lifecycle.get(name)
        if not isinstance(hook, dict):
            continue
        here = step(step(path, "lifecycle"), name)
        if field == "initContainers" and container.get("restartPolicy") != "Always":
            yield Wrong(
                here, f"{name} is set on an init container that does not go on running",
                "set restartPolicy: Always, or drop the hook",
            )  # fmt: skip
        elif not any(hook.get(handler) is not None for handler in HOOK_HANDLERS) and not mapping(
            at(old, "lifecycle", name)
        ):  # a hook whose handler is taken away goes away with it in a server-side apply
            yield Wrong(here, f"{name} has no handler", f"give it one, or set {name}: null")


def _ports(pod: Pod, path: str, container: Mapping[str, Any]) -> Iterator[Wrong]:
    names: set[str] = set()
    for here, port in elements(step(path, "ports"), container.get("ports")):
        name = text(port.get("name"))
        if name and name in names:
            yield Wrong(
                step(here, "name"), f"two ports of the container are named {name}", "rename one of them"
            )
        elif name and not is_port_name(name):
            yield Wrong(
                step(here, "name"), f"{name} is no name of a port",
                "use at most 15 lower-case letters, digits and single hyphens",
            )  # fmt: skip
        names.add(name)
        inner, outer = number(port.get("containerPort")), number(port.get("hostPort"))
        if pod.spec.get("hostNetwork") is True and outer and inner and outer != inner:
            yield Wrong(
                step(here, "hostPort"), f"hostPort {outer} differs from containerPort {inner} beside hostNetwork",
                "make them equal, or drop hostPort",
            )  # fmt: skip
        for field, value in (("containerPort", inner), ("hostPort", outer)):
            if value is not None and not (0 < value < 65536 or (field == "hostPort" and value == 0)):
                yield Wrong(step(here, field), f"{field} is {value}", "use a number from 1 to 65535")


def _mounts(path: str, container: Mapping[str, Any]) -> Iterator[Wrong]:
    paths: set[str] = set()
    for here, mount in elements(step(path, "volumeMounts"), container.get("volumeMounts")):
        target = text(mount.get("mountPath"))
        if target and target in paths:
            yield Wrong(
                step(here, "mountPath"), f"two volumes are mounted at {target}", "mount one elsewhere"
            )
        paths.add(target)
        for field in ("subPath", "subPathExpr"):
            inner = text(mount.get(field))
            if inner.startswith("/"):
                yield Wrong(
                    step(here, field), f"{field} {inner} is absolute", "write it relative to the volume"
                )
            elif ".." in inner.split("/"):
                yield Wrong(step(here, field), f"{field} {inner} leaves the volume", "write it without ..")
    devices: set[str] = set()
    for here, device in elements(step(path, "volumeDevices"), container.get("volumeDevices")):
        target = text(device.get("devicePath"))
        if target and (target in devices or target in paths):
            yield Wrong(step(here, "devicePath"), f"two volumes stand at {target}", "move one elsewhere")
        devices.add(target)


def _env(path: str, container: Mapping[str, Any]) -> Iterator[Wrong]:
    for here, variable in elements(step(path, "env"), container.get("env")):
        source = variable.get("valueFrom")
        if isinstance(source, dict) and not any(source.get(name) is not None for name in VALUE_SOURCES):
            yield Wrong(
                step(here, "valueFrom"), f"valueFrom of {variable.get('name')} names no source",
                "set valueFrom: null, or name a source",
            )  # fmt: skip


def security(path: str, value: Mapping[str, Any]) -> Iterator[Wrong]:
    """The security context of a container, or what a pod's shares with it."""
    added = strings(at(value, "capabilities", "add"))
    if value.get("allowPrivilegeEscalation") is False and "CAP_SYS_ADMIN" in added:
        yield Wrong(
            path, "CAP_SYS_ADMIN stands beside allowPrivilegeEscalation: false", "drop one of the two",
            "exclusive_fields",
        )  # fmt: skip
    for field in ("seccompProfile", "appArmorProfile"):
        profile = mapping(value.get(field))
        kind, local = text(profile.get("type")), profile.get("localhostProfile")
        here = step(path, field)
        if kind == "Localhost" and not local:
            yield Wrong(
                step(here, "localhostProfile"), f"{field} Localhost names no profile", "set localhostProfile"
            )
        elif kind and kind != "Localhost" and local is not None:
            yield Wrong(
                step(here, "localhostProfile"), f"localhostProfile is set beside {field} {kind}",
                "set localhostProfile: null", "exclusive_fields",
            )  # fmt: skip
        if profile and kind not in ("Localhost", "RuntimeDefault", "Unconfined"):
            yield Wrong(
                step(here, "type"),
                f"{field} has type {kind or 'none'}",
                "use RuntimeDefault, Localhost or Unconfined",
            )
    for field in ("runAsUser", "runAsGroup"):
        if (found := number(value.get(field))) is not None and found < 0:
            yield Wrong(step(path, field), f"{field} is {found}", "use 0 or more")
