"""What the API server fills in where nothing is written, so that writing it down changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from upstreamsync.verify.result_checks.index import mapping, text

_PROBE: Final = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_POD: Final = {
    "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30,
    "schedulerName": "default-scheduler", "enableServiceLinks": True,
}  # fmt: skip
_CONTAINER: Final = {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}
_WITH_MODE: Final = ("secret", "configMap", "projected", "downwardAPI")


def pod_spec(value: Any) -> dict[str, Any]:
    """The spec of a pod, with what a server fills in."""
    spec = {**_POD, **{key: item for key, item in mapping(value).items() if item is not None}}
    account = spec.pop("serviceAccount", None)  # another name of the same
    spec.setdefault("serviceAccountName", account)
    for field in ("containers", "initContainers"):
        if isinstance(spec.get(field), list):
            spec[field] = [_container(item, host=spec.get("hostNetwork") is True) for item in spec[field]]
    if isinstance(spec.get("volumes"), list):
        spec["volumes"] = [_volume(item) for item in spec["volumes"]]
    return spec


def _container(value: Any, *, host: bool) -> dict[str, Any]:
    item = {**_CONTAINER, **mapping(value)}
    image = text(item.get("image"))
    newest = image.endswith(":latest") or (":" not in image.rpartition("/")[2] and "@" not in image)
    item.setdefault("imagePullPolicy", "Always" if newest else "IfNotPresent")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if isinstance(item.get(name), dict):
            item[name] = _handler({**_PROBE, **item[name]})
    if isinstance(item.get("ports"), list):
        item["ports"] = [_port(port, host=host) for port in item["ports"]]
    if isinstance(item.get("env"), list):
        item["env"] = [_variable(variable) for variable in item["env"]]
    resources = mapping(item.get("resources"))
    if mapping(resources.get("limits")):
        requests = {**mapping(resources.get("limits")), **mapping(resources.get("requests"))}
        item["resources"] = {**resources, "requests": requests}
    return item


def _handler(probe: dict[str, Any]) -> dict[str, Any]:
    if isinstance(probe.get("httpGet"), dict):
        probe["httpGet"] = {"path": "/", "scheme": "HTTP", **probe["httpGet"]}
    return probe


def _port(value: Any, *, host: bool) -> dict[str, Any]:
    port = {"protocol": "TCP", **mapping(value)}
    if host:
        port.setdefault("hostPort", port.get("containerPort"))
    return port


def _variable(value: Any) -> dict[str, Any]:
    item = dict(mapping(value))
    source = item.get("valueFrom")
    if isinstance(source, dict) and isinstance(source.get("fieldRef"), dict):
        item["valueFrom"] = {**source, "fieldRef": {"apiVersion": "v1", **source["fieldRef"]}}
    return item


def _volume(value: Any) -> dict[str, Any]:
    item = dict(mapping(value))
    for name in _WITH_MODE:
        if isinstance(item.get(name), dict):
            item[name] = {"defaultMode": 420, **item[name]}
    if not any(key != "name" for key in item):
        item["emptyDir"] = {}
    return item


def claim_spec(value: Any) -> dict[str, Any]:
    """The spec of a claim, with what a server fills in or leaves out."""
    spec = {"volumeMode": "Filesystem", **mapping(value)}
    resources = mapping(spec.get("resources"))
    limits = mapping(resources.get("limits"))
    if limits:
        spec["resources"] = {**resources, "requests": {**limits, **mapping(resources.get("requests"))}}
    return spec


def job_spec(value: Any) -> dict[str, Any]:
    """The spec of a Job, with what a server fills in; its template as well."""
    spec = {"completionMode": "NonIndexed", "manualSelector": False, **mapping(value)}
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    spec["parallelism"] = 1 if spec.get("parallelism") is None else spec["parallelism"]
    template = mapping(spec.get("template"))
    spec["template"] = {**template, "spec": pod_spec(template.get("spec"))}
    return spec


def role_reference(value: Any) -> Mapping[str, Any]:
    """What a binding refers to; the group may be left out."""
    found = mapping(value)
    return {**found, "apiGroup": found.get("apiGroup") or "rbac.authorization.k8s.io"}


def claim_requests(value: Any) -> Any:
    """The spec of a ResourceClaim: one device is asked for where nothing is said."""
    if isinstance(value, dict):
        filled = {key: claim_requests(item) for key, item in value.items()}
        if isinstance(filled.get("exactly"), dict):
            filled["exactly"] = _request(filled["exactly"])
        if isinstance(filled.get("firstAvailable"), list):
            filled["firstAvailable"] = [_request(mapping(item)) for item in filled["firstAvailable"]]
        return filled
    return [claim_requests(item) for item in value] if isinstance(value, list) else value


def _request(value: Mapping[str, Any]) -> dict[str, Any]:
    filled = {"allocationMode": "ExactCount", **{key: item for key, item in value.items() if item}}
    if filled["allocationMode"] == "ExactCount":
        filled.setdefault("count", 1)
    if "adminAccess" in value:
        filled["adminAccess"] = str(value["adminAccess"])  # not said is something else than false here
    return filled
