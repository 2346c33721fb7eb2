"""References that are known by their shape: keys of one's own, selectors, names and hosts in custom resources."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import yaml

from upstreamsync.kit.kubernetes.objects import object_id
from upstreamsync.model import Verdict
from upstreamsync.verify.result_checks import ResultContext, ResultFinding, check_result


def _deployment(name: str = "web", labels: str = "app: web", spec: str = "", container: str = "") -> str:
    more = f", {container}" if container else ""
    beside = f", {spec}" if spec else ""
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec: {{selector: {{matchLabels: {{{labels}}}}},"
        f" template: {{metadata: {{labels: {{{labels}}}}}, spec: {{containers: [{{name: main, image: 'a/b:1'{more}}}]"
        f"{beside}}}}}}}\n"
    )


def _service(name: str = "web", labels: str = "app: web") -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, labels: {{{labels}}}}}\n"
        f"spec: {{selector: {{{labels}}}, ports: [{{name: http, port: 80}}]}}\n"
    )


def _object(kind: str, body: str, api: str = "example.com/v1") -> str:
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: mine}}\n{body}\n"


def _secret(*keys: str, kind: str = "Secret", name: str = "own") -> str:
    field = "stringData" if kind == "Secret" else "data"
    return f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\n{field}: {{{', '.join(f'{k}: x' for k in keys)}}}\n"


def _env(*keys: str, kind: str = "secret", optional: bool = False) -> str:
    tail = ", optional: true" if optional else ""
    return "env: [" + ", ".join(
        f"{{name: {key.upper()}, valueFrom: {{{kind}KeyRef: {{name: own, key: {key}{tail}}}}}}}" for key in keys
    ) + "]"  # fmt: skip


def _volume(source: str) -> str:
    return f"volumes: [{{name: v, {source}}}]"


_RENAMED = (
    _deployment() + "---\n" + _service(),
    _deployment("server", "app: server") + "---\n" + _service("server", "app: server"),
)
_KEPT = (_RENAMED[0], _RENAMED[0].replace("a/b:1", "a/b:2"))
_ITEMS = "configMap: {{name: own, items: [{{key: {0}, path: {0}}}]}}"
_PROJECTED = "projected: {{sources: [{{secret: {{name: own, items: [{{key: {0}, path: {0}}}]}}}}]}}"
_MOUNT = "volumeMounts: [{{name: v, mountPath: /etc/{0}, subPath: {0}}}]"
_PREFIXED = (
    "envFrom: [{{prefix: {0}, secretRef: {{name: own}}}}], args: ['--user=$({0}user)', '--p=$({0}{1})']"
)

#: Upstream before and after, what is local, and a word that the finding has to say; None: nothing is found.
VARIANTS: Mapping[str, tuple[str, str, str, str | None]] = {
    # keys of one's own Secrets and ConfigMaps
    "a new key of a Secret": (
        _deployment(container=_env("a")), _deployment(container=_env("a", "b")), _secret("a"), "key b",
    ),
    "a new key of a ConfigMap": (
        _deployment(container=_env("a", kind="configMap")), _deployment(container=_env("a", "b", kind="configMap")),
        _secret("a", kind="ConfigMap"), "key b",
    ),
    "an item of a volume": (
        _deployment(spec=_volume(_ITEMS.format("a"))), _deployment(spec=_volume(_ITEMS.format("b"))),
        _secret("a", kind="ConfigMap"), "key b",
    ),
    "an item of a projected source": (
        _deployment(spec=_volume(_PROJECTED.format("a"))), _deployment(spec=_volume(_PROJECTED.format("b"))),
        _secret("a"), "key b",
    ),
    "a file of a volume by its subPath": (
        _deployment(spec=_volume("configMap: {name: own}"), container=_MOUNT.format("a")),
        _deployment(spec=_volume("configMap: {name: own}"), container=_MOUNT.format("b")),
        _secret("a", kind="ConfigMap"), "key b",
    ),
    "a variable of a Secret that is read with a prefix": (
        _deployment(container=_PREFIXED.format("DB_", "user")), _deployment(container=_PREFIXED.format("DB_", "pass")),
        _secret("user"), "DB_pass",
    ),
    "an optional key": (
        _deployment(container=_env("a")), _deployment(container=_env("a", "b", optional=True)), _secret("a"), None,
    ),
    "a key that is there": (
        _deployment(container=_env("a")), _deployment(container=_env("a", "b")), _secret("a", "b"), None,
    ),
    "a key that was missing before": (
        _deployment(container=_env("a", "b")), _deployment(container=_env("a", "b", "a")), _secret("a"), None,
    ),
    "a Secret that is filled later": (
        _deployment(container=_env("a")), _deployment(container=_env("a", "b")),
        "apiVersion: v1\nkind: Secret\nmetadata: {name: own}\n", None,
    ),
    "a prefix that fits": (
        _deployment(container=_PREFIXED.format("DB_", "user")), _deployment(container=_PREFIXED.format("DB_", "pass")),
        _secret("user", "pass"), None,
    ),
    # selectors, by their shape
    "an AuthorizationPolicy": (*_RENAMED, _object("AuthorizationPolicy", "spec: {selector: {matchLabels: {app: web}}}"), "app=web"),
    "a Sidecar of Istio": (*_RENAMED, _object("Sidecar", "spec: {workloadSelector: {labels: {app: web}}}"), "app=web"),
    "a cilium policy": (
        *_RENAMED, _object("CiliumNetworkPolicy", "spec: {endpointSelector: {matchLabels: {'k8s:app': web}}}"), "web",
    ),
    "a peer of a network policy": (
        *_RENAMED, _object("NetworkPolicy", "spec: {podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: "
                           "{app: web}}}]}]}", "networking.k8s.io/v1"), "app=web",
    ),
    "a Server of linkerd": (
        *_RENAMED, _object("Server", "spec: {podSelector: {matchLabels: {app: web}}, port: 80}"), "app=web",
    ),
    "expressions": (
        *_RENAMED, _object("Thing", "spec: {selector: {matchExpressions: [{key: app, operator: In, values: [web]}]}}"),
        "web",
    ),
    "a plain selector": (*_RENAMED, _object("Thing", "spec: {selector: {app: web}}"), "app=web"),
    "a selector that still selects": (*_KEPT, _object("Thing", "spec: {selector: {matchLabels: {app: web}}}"), None),
    "a selector that never did": (*_RENAMED, _object("Thing", "spec: {selector: {matchLabels: {app: db}}}"), None),
    "a selector of namespaces": (
        *_RENAMED, _object("Thing", "spec: {namespaceSelector: {matchLabels: {app: web}}}"), None,
    ),
    "a selector of nodes": (*_RENAMED, _object("Thing", "spec: {nodeSelector: {app: web}}"), None),
    "an empty selector": (*_RENAMED, _object("Thing", "spec: {selector: {}}"), None),
    # names, by their shape
    "kind and name": (*_RENAMED, _object("Thing", "spec: {someRef: {kind: Deployment, name: web}}"), "Deployment web"),
    "a destination's host": (
        *_RENAMED, _object("VirtualService", "spec: {http: [{route: [{destination: {host: web}}]}]}"), "Service web",
    ),
    "a full host": (
        *_RENAMED, _object("DestinationRule", "spec: {host: web.ns1.svc.cluster.local}"), "Service web",
    ),
    "a service by its field": (*_RENAMED, _object("Thing", "spec: {backend: {serviceName: web}}"), "Service web"),
    "a service as a map": (*_RENAMED, _object("Thing", "spec: {service: {name: web, port: 80}}"), "Service web"),
    "a URL in a text": (
        *_RENAMED, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine}\ndata: {u: 'see http://web:80/x'}\n",
        "Service web",
    ),
    "a certificate by reference": (
        _secret("a", name="tls"), _secret("a", name="new-tls"),
        _object("Gateway", "spec: {listeners: [{tls: {certificateRefs: [{name: tls}]}}]}"), "Secret tls",
    ),
    "a workload by reference": (
        *_RENAMED, _object("Rollout", "spec: {workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}}",
                           "argoproj.io/v1alpha1"), "Deployment web",
    ),
    "a container of an autoscaler": (
        _deployment(), _deployment().replace("name: main", "name: server"),
        _object("VerticalPodAutoscaler", "spec: {targetRef: {apiVersion: apps/v1, kind: Deployment, name: web},"
                " resourcePolicy: {containerPolicies: [{containerName: main}]}}", "autoscaling.k8s.io/v1"), "main",
    ),
    "a container of a metric": (
        _deployment(), _deployment().replace("name: main", "name: server"),
        _object("HorizontalPodAutoscaler", "spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web},"
                " metrics: [{type: ContainerResource, containerResource: {name: cpu, container: main}}]}",
                "autoscaling/v2"), "main",
    ),
    "any container": (
        _deployment(), _deployment().replace("name: main", "name: server"),
        _object("VerticalPodAutoscaler", "spec: {targetRef: {apiVersion: apps/v1, kind: Deployment, name: web},"
                " resourcePolicy: {containerPolicies: [{containerName: '*'}]}}", "autoscaling.k8s.io/v1"), None,
    ),
    "a name that is still there": (*_KEPT, _object("Thing", "spec: {someRef: {kind: Deployment, name: web}}"), None),
    "a name of something else": (*_RENAMED, _object("Thing", "spec: {mode: web, title: web}"), None),
    "a host outside": (*_RENAMED, _object("Thing", "spec: {host: web.example.com}"), None),
    "a kind that was never there": (*_RENAMED, _object("Thing", "spec: {someRef: {kind: Secret, name: web}}"), None),
    "a name among labels": (*_RENAMED, _object("Thing", "spec: {matchLabels: {name: web}}"), None),
    # affinity and spread
    "affinity and spread": (
        _deployment(labels="app: web, tier: x") + "---\n" + _deployment(
            "other", "app: other", "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
            "[{topologyKey: h, labelSelector: {matchLabels: {tier: x}}}]}}"),
        _deployment(labels="app: web, part: x") + "---\n" + _deployment(
            "other", "app: other", "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
            "[{topologyKey: h, labelSelector: {matchLabels: {tier: x}}}]}}"), "", "tier=x",
    ),
    "a spread that still meets pods": (
        _deployment(labels="app: web", spec="topologySpreadConstraints: [{topologyKey: z, labelSelector: {matchLabels: "
                    "{app: web}}}]"),
        _deployment(labels="app: web, b: c", spec="topologySpreadConstraints: [{topologyKey: z, labelSelector: "
                    "{matchLabels: {app: web}}}]"), "", None,
    ),
}  # fmt: skip


def _objects(text: str) -> list[dict[str, object]]:
    return [each for each in yaml.safe_load_all(text) if each]


def _found(old: str, new: str, local: str) -> list[ResultFinding]:
    mine = _objects(local)
    context = ResultContext(
        local=frozenset(str(object_id(each)) for each in mine),
        base_before=None if not mine else _objects(old),
        base_after=None if not mine else _objects(new),
    )
    found = check_result(before=[*_objects(old), *mine], after=[*_objects(new), *mine], context=context)
    return [each for each in found if each.verdict is Verdict.DANGLING]


@pytest.mark.parametrize("name", VARIANTS)
def test_what_resolved_before_and_no_longer_does_is_told(name: str) -> None:
    old, new, local, word = VARIANTS[name]
    found = _found(old, new, local)
    if word is None:
        assert found == []
    else:
        assert [word in each.why for each in found] == [True], found
