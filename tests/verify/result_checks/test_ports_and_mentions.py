"""Ports by number, and what texts name: told where it was there before and is not any more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from upstreamsync.kit.kubernetes.objects import object_id
from upstreamsync.verify.result_checks import ResultContext, check_result


def _web(ports: str = "{containerPort: 8080, name: http}", name: str = "web", account: str = "web") -> str:
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec: {{selector: {{matchLabels: {{app: web}}}},"
        f" template: {{metadata: {{labels: {{app: web}}}}, spec: {{serviceAccountName: {account}, containers: [{{name: {name},"
        f" image: 'a/b:1', ports: [{ports}]}}]}}}}}}\n---\n"
        f"apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {account}, namespace: prod}}\n"
    ).replace(f"metadata: {{name: {name}}}", f"metadata: {{name: {name}, namespace: prod}}")


def _api(port: int = 80, more: str = "") -> str:
    return (
        "apiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: prod}\n"
        f"spec: {{selector: {{app: api}}, ports: [{{name: http, port: {port}}}]{more}}}\n"
    )


def _own(kind: str, spec: str, api: str = "example.com/v1") -> str:
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: mine, namespace: prod}}\n{spec}\n"


def _policy(port: Any, more: str = "") -> str:
    spec = f"spec: {{podSelector: {{matchLabels: {{app: web}}}}, ingress: [{{ports: [{{port: {port}{more}}}]}}]}}"
    return _own("NetworkPolicy", spec, "networking.k8s.io/v1")


def _cilium(port: int) -> str:
    return _own(
        "CiliumNetworkPolicy",
        "spec: {endpointSelector: {matchLabels: {k8s:app: web}}, "
        f"ingress: [{{toPorts: [{{ports: [{{port: '{port}', protocol: TCP}}]}}]}}]}}",
        "cilium.io/v2",
    )


def _text(line: str) -> str:
    return yaml.safe_dump(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine", "namespace": "prod"},
         "data": {"conf": line}}
    )  # fmt: skip


def _service(target: str) -> str:
    return _own("Service", f"spec: {{selector: {{app: web}}, ports: [{{port: 1{target}}}]}}", "v1")


_EGRESS = _own(
    "NetworkPolicy",
    "spec: {podSelector: {}, egress: [{to: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 8080}]}]}",
    "networking.k8s.io/v1",
)
_ROUTE = "spec: {http: [{route: [{destination: {host: api.prod.svc.cluster.local, port: {number: 80}}}]}]}"
_ALLOWED = "spec: {rules: [{from: [{source: {principals: [cluster.local/ns/prod/sa/web]}}]}]}"
_OPERATION = "spec: {selector: {matchLabels: {app: web}}, rules: [{to: [{operation: {ports: ['8080']}}]}]}"
_OTHER = "{containerPort: 9090, name: http}"
_RENAMED = _web(name="server")
_QUERY = 'up{job="api"} == 0 or kube_deployment_status_replicas{deployment="web"} < 1'

#: The object of one's own, upstream before and after, and a word of what is said (None: nothing).
VARIANTS: Mapping[str, tuple[str, str, str, str | None]] = {
    "a policy's port number": (_policy(8080), _web(), _web(_OTHER), "port 8080"),
    "a policy's port name": (_policy("http"), _web(), _web("{containerPort: 8080, name: web}"), "port http"),
    "a policy's outgoing port": (_EGRESS, _web(), _web(_OTHER), "port 8080"),
    "cilium's port": (_cilium(8080), _web(), _web(_OTHER), "port 8080"),
    "a mesh's port": (_own("AuthorizationPolicy", _OPERATION), _web(), _web(_OTHER), "port 8080"),
    "a Service's target by number": (_service(", targetPort: 8080"), _web(), _web(_OTHER), "port 8080"),
    "a Service's port that is its target": (
        _service("").replace("port: 1", "port: 8080"), _web(), _web(_OTHER), "port 8080",
    ),
    "a port in a URL": (_text("to = http://api:80/x"), _api(), _api(8080), "port 80"),
    "a port behind a long host": (_text("api.prod.svc.cluster.local:80"), _api(), _api(8080), "port 80"),
    "a mesh's destination": (_own("VirtualService", _ROUTE), _api(), _api(8080), "port 80"),
    "a service account in a mesh": (
        _own("AuthorizationPolicy", _ALLOWED), _web(), _web(account="server"), "ServiceAccount web",
    ),
    "a service account as a user": (
        _text("system:serviceaccount:prod:web"), _web(), _web(account="server"), "ServiceAccount web",
    ),
    "a Deployment in a query": (_text(_QUERY), _web() + "---\n" + _api(), _RENAMED + "---\n" + _api(), "Deployment web"),
    "a container in a query": (_text('x{container=~"web|log"}'), _web(), _RENAMED, "container web"),
    "pods in a dashboard": (
        _text('{"expr": "x{pod=~\\"web-.*\\"}"}'), _web(), _RENAMED, "web",
    ),
    "a port that is kept": (_policy(8080), _web(), _web() + "---\n" + _api(), None),
    "a port that nobody ever declared": (_policy(7777), _web(), _web(_OTHER), None),
    "a port of pods that declare none now": (_policy(8080), _web(), _web(""), None),
    "a port inside of a range": (_policy(8080, ", endPort: 9999"), _web(), _web(_OTHER), None),
    "a port that moved to another container": (
        _policy(8080), _web(), _web(_OTHER) + "---\n" + _web(name="proxy"), None,
    ),
    "a Service's name for a port": (_service(", targetPort: http"), _web(), _web(_OTHER), None),
    "a port behind a headless Service": (
        _text("api:80"), _api(more=", clusterIP: None"), _api(8080, ", clusterIP: None"), None,
    ),
    "a host of that name somewhere else": (_text("http://api.example.com:80"), _api(), _api(8080), None),
    "an image of that name": (_text("registry/api:80"), _api(), _api(8080), None),
    "an account of another namespace": (
        _text("system:serviceaccount:dev:web"), _web(), _web(account="server"), None,
    ),
    "every pod in a query": (_text('x{pod=~".*"}'), _web(), _RENAMED, None),
    "what a query leaves out": (_text('x{container!="web"}'), _web(), _RENAMED, None),
    "a label that only ends alike": (_text('x{exported_container="web"}'), _web(), _RENAMED, None),
    "a query about what is still there": (_text(_QUERY), _web() + "---\n" + _api(), _web(_OTHER) + "---\n" + _api(), None),
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_what_was_there_and_is_not_any_more_is_told(name: str) -> None:
    own, old, new, word = VARIANTS[name]
    mine, before, after = (list(yaml.safe_load_all(text)) for text in (own, old, new))
    context = ResultContext(
        local=frozenset(str(object_id(each)) for each in mine), base_before=before, base_after=after
    )
    found = [
        each
        for each in check_result(before=[*before, *mine], after=[*after, *mine], context=context)
        if each.object.endswith("prod/mine")
    ]
    assert [word in each.why for each in found if word] == ([True] if word else []), found
    assert word is not None or found == []


def test_what_upstream_says_of_itself_is_its_own_affair() -> None:
    before, after = (
        list(yaml.safe_load_all(_policy(8080) + "---\n" + each)) for each in (_web(), _web(_OTHER))
    )
    context = ResultContext(local=frozenset(), base_before=before, base_after=after)
    assert check_result(before=before, after=after, context=context) == ()
