"""Each danger rule, with a change that it must name and one that it must not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from upstreamsync.review import CODES, review

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: prod}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
      - {name: app, image: "quay.io/acme/app:v1"}
"""
STATEFUL = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: prod}
spec:
  serviceName: db
  replicas: 1
  template: {spec: {containers: [{name: db, image: "quay.io/acme/db:v1"}]}}
  volumeClaimTemplates:
  - {metadata: {name: data}, spec: {resources: {requests: {storage: 1Gi}}}}
"""
ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: app}
rules:
- {apiGroups: [""], resources: [pods, configmaps], verbs: [get, list]}
- {apiGroups: [apps], resources: ["*"], verbs: [get]}
"""
BINDING = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: app}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: app}
subjects: [{kind: ServiceAccount, name: app, namespace: prod}]
"""
CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.acme.io}
spec:
  group: acme.io
  scope: Namespaced
  names: {kind: Thing, plural: things}
  versions:
  - {name: v1alpha1, served: true, storage: false}
  - {name: v1, served: true, storage: true}
"""
WEBHOOK = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: app}
webhooks:
- name: check.acme.io
  failurePolicy: Ignore
  rules: [{operations: [CREATE], resources: [pods]}]
"""
POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: app, namespace: prod}
spec: {podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{from: [{podSelector: {}}]}], egress: []}
"""
SERVICE = "{apiVersion: v1, kind: Service, metadata: {name: app}, spec: {ports: [{port: 80}]}}"
SECRET = "{apiVersion: v1, kind: Secret, metadata: {name: app}, data: {key: c2VjcmV0}}"
CLAIM = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: d}, spec: {storageClassName: a}}"
NAMESPACE = "{apiVersion: v1, kind: Namespace, metadata: {name: prod}}"
JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: j}
spec: {template: {spec: {containers: [{name: j, image: "a.io/j:1"}]}}}
"""


def load(text: str) -> dict[str, Any]:
    return yaml.safe_load(text)


def put(text: str, path: str, value: Any) -> dict[str, Any]:
    """The object with one value changed; ``path`` by dots, list positions as numbers; None removes."""
    obj = load(text)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    target = obj
    for part in parents:
        target = target[part] if isinstance(target, list) else target.setdefault(part, {})
    if value is None:
        del target[last]
    elif isinstance(target, list) and last == len(target):
        target.append(value)
    else:
        target[last] = value
    return obj


def rules_of(before: Any, after: Any) -> dict[str, str]:
    found = review("o", [before] if before else [], [after] if after else []).dangers
    assert {danger.rule for danger in found} <= CODES.keys()
    return {danger.rule: danger.text for danger in found}


POD = "spec.template.spec"
BOX = f"{POD}.containers.0"
ADDED = "a rule that was not there"

CHANGES = [
    # immutable fields
    (DEPLOYMENT, "spec.selector.matchLabels.app", "other", {"immutable-field": "spec.selector"}),
    (DEPLOYMENT, "spec.replicas", 3, {}),
    (STATEFUL, "spec.serviceName", "dbs", {"immutable-field": "spec.serviceName"}),
    (STATEFUL, "spec.replicas", 3, {}),
    (
        STATEFUL,
        "spec.volumeClaimTemplates.0.spec.resources.requests.storage",
        "2Gi",
        {"immutable-field": ADDED},
    ),
    (SERVICE, "spec.clusterIP", "None", {"immutable-field": "spec.clusterIP"}),
    (CLAIM, "spec.storageClassName", "b", {"immutable-field": "spec.storageClassName"}),
    (CLAIM, "spec.resources", {"requests": {}}, {}),
    (BINDING, "roleRef.name", "other", {"immutable-field": "roleRef"}),
    (JOB, f"{BOX}.image", "a.io/j:2", {"immutable-field": "spec.template"}),
    (CRD, "spec.scope", "Cluster", {"immutable-field": "spec.scope"}),
    # RBAC
    (ROLE, "rules.0.verbs.2", "watch", {"rbac-widened": "may now watch configmaps; watch pods"}),
    (ROLE, "rules.0.verbs", ["get"], {}),
    (ROLE, "rules.2", {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}, {}),
    (
        ROLE,
        "rules.2",
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["*"]},
        {"rbac-wildcard": "may now do anything to nodes"},
    ),
    (
        ROLE,
        "rules.2",
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get"]},
        {"rbac-wildcard": "may now get everything"},
    ),
    (
        ROLE,
        "rules.2",
        {
            "apiGroups": ["rbac.authorization.k8s.io"],
            "resources": ["clusterroles"],
            "verbs": ["bind", "escalate"],
        },
        {"rbac-escalation": ADDED},
    ),
    (
        ROLE,
        "rules.2",
        {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]},
        {"rbac-escalation": "may now impersonate users"},
    ),
    (
        ROLE,
        "rules.2",
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
        {"rbac-secrets": "may now get secrets in every namespace"},
    ),
    (
        ROLE,
        "rules.2",
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["tls"], "verbs": ["get"]},
        {"rbac-widened": "may now get secrets tls"},
    ),
    (
        ROLE,
        "rules.2",
        {"nonResourceURLs": ["/metrics"], "verbs": ["get"]},
        {"rbac-widened": "may now get /metrics"},
    ),
    (
        BINDING,
        "subjects.1",
        {"kind": "Group", "name": "system:authenticated"},
        {"rbac-new-subject": "Group system:authenticated now has app"},
    ),
    # CRDs
    (CRD, "spec.versions.0.served", False, {"crd-version-dropped": "version v1alpha1 is no longer served"}),
    (CRD, "spec.conversion", {"strategy": "Webhook"}, {"webhook-new": "converted by a webhook"}),
    # the node
    (DEPLOYMENT, f"{POD}.hostNetwork", True, {"host-access": "the node's network"}),
    (DEPLOYMENT, f"{POD}.hostPID", True, {"host-access": "the node's processes"}),
    (DEPLOYMENT, f"{POD}.hostNetwork", False, {}),
    (
        DEPLOYMENT,
        f"{POD}.volumes",
        [{"name": "v", "hostPath": {"path": "/etc"}}],
        {"host-access": "mounts /etc"},
    ),
    (DEPLOYMENT, f"{POD}.volumes", [{"name": "v", "emptyDir": {}}], {}),
    (
        DEPLOYMENT,
        f"{BOX}.ports",
        [{"containerPort": 1, "hostPort": 80}],
        {"host-access": "port 80 of the node"},
    ),
    (DEPLOYMENT, f"{BOX}.securityContext", {"privileged": True}, {"privileged": "runs privileged"}),
    (DEPLOYMENT, f"{BOX}.securityContext", {"allowPrivilegeEscalation": True}, {"privileged": "escalation"}),
    (
        DEPLOYMENT,
        f"{BOX}.securityContext",
        {"capabilities": {"add": ["SYS_ADMIN"]}},
        {"capabilities": "SYS_ADMIN"},
    ),
    (DEPLOYMENT, f"{BOX}.securityContext", {"capabilities": {"add": ["NET_BIND_SERVICE"]}}, {}),
    (DEPLOYMENT, f"{BOX}.securityContext", {"capabilities": {"drop": ["ALL"]}}, {}),
    (DEPLOYMENT, f"{BOX}.securityContext", {"runAsUser": 0}, {"run-as-root": "runs as root"}),
    (DEPLOYMENT, f"{POD}.securityContext", {"runAsNonRoot": False}, {"run-as-root": "may run as root"}),
    (DEPLOYMENT, f"{BOX}.securityContext", {"runAsUser": 1000}, {}),
    (
        DEPLOYMENT,
        f"{BOX}.securityContext",
        {"seccompProfile": {"type": "Unconfined"}},
        {"privileged": "seccomp"},
    ),
    (
        NAMESPACE,
        "metadata.labels",
        {"pod-security.kubernetes.io/enforce": "privileged"},
        {"privileged": "admits privileged pods"},
    ),
    # webhooks
    (WEBHOOK, "webhooks.0.failurePolicy", "Fail", {"webhook-fail-closed": "Ignore → Fail"}),
    (WEBHOOK, "webhooks.1", {"name": "new.acme.io"}, {"webhook-new": "new.acme.io is new"}),
    (WEBHOOK, "webhooks.0.rules.0.operations.1", "DELETE", {"webhook-new": "DELETE pods"}),
    (WEBHOOK, "webhooks.0.timeoutSeconds", 3, {}),
    # exposure
    (SERVICE, "spec.type", "LoadBalancer", {"service-exposed": "ClusterIP → LoadBalancer"}),
    (SERVICE, "spec.type", "ClusterIP", {}),
    (POLICY, "spec.policyTypes", ["Ingress"], {"network-policy-removed": "egress is no longer restricted"}),
    (POLICY, "spec.ingress.1", {}, {"network-policy-removed": "from anywhere"}),
    # secrets
    (SECRET, "data.key", "b3RoZXI=", {"secret-shipped": "comes with key"}),
    (SECRET, "data.key", "", {}),
    # images
    (DEPLOYMENT, f"{BOX}.image", "quay.io/acme/app:v2", {}),
    (DEPLOYMENT, f"{BOX}.image", "quay.io/acme/app:latest", {"image-floating": "no fixed version"}),
    (DEPLOYMENT, f"{BOX}.image", "quay.io/acme/app", {"image-floating": "no fixed version"}),
    (DEPLOYMENT, f"{BOX}.image", f"quay.io/acme/app:latest@sha256:{'a' * 64}", {}),
    (DEPLOYMENT, f"{BOX}.image", "ghcr.io/acme/app:v2", {"registry-new": "ghcr.io"}),
    (DEPLOYMENT, f"{BOX}.image", "redis:7", {"registry-new": "docker.io"}),
]


@pytest.mark.parametrize(("text", "path", "value", "expected"), CHANGES)
def test_a_change(text, path, value, expected):
    found = rules_of(load(text), put(text, path, value))
    assert found.keys() == expected.keys()
    for rule, words in expected.items():
        assert words is ADDED or words in found[rule]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DEPLOYMENT, set()),
        (ROLE, {"rbac-wildcard"}),
        (ROLE.replace('["*"]', "[deployments]"), set()),
        (BINDING, set()),
        (BINDING.replace("name: app}\nsubjects", "name: cluster-admin}\nsubjects"), {"rbac-cluster-admin"}),
        (ROLE.replace("[get, list]", '["*"]'), {"rbac-wildcard"}),
        (ROLE.replace("configmaps", "secrets"), {"rbac-secrets", "rbac-wildcard"}),
        (WEBHOOK, {"webhook-new"}),
        (SECRET, {"secret-shipped"}),
        (SERVICE, set()),
        (SERVICE.replace("spec: {", "spec: {type: NodePort, "), {"service-exposed"}),
        (DEPLOYMENT.replace("containers:", "hostIPC: true\n      containers:"), {"host-access"}),
        (DEPLOYMENT.replace(":v1", ""), {"image-floating"}),
        (CRD, set()),
        (NAMESPACE, set()),
    ],
)
def test_a_new_object(text, expected):
    assert rules_of(None, load(text)).keys() == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CLAIM, {"data-pruned"}),
        (NAMESPACE, {"data-pruned"}),
        (STATEFUL, {"data-pruned"}),
        (CRD, {"crd-removed"}),
        (POLICY, {"network-policy-removed"}),
        (DEPLOYMENT, set()),
        (SECRET, set()),
    ],
)
def test_a_removed_object(text, expected):
    assert rules_of(load(text), None).keys() == expected


def test_a_dropped_version_and_a_moved_storage():
    after = load(CRD)
    after["spec"]["versions"] = [{"name": "v2", "served": True, "storage": True}]
    found = review("o", [load(CRD)], [after]).dangers
    assert [(danger.rule, danger.text.split(":")[0]) for danger in found] == [
        ("crd-version-dropped", "version v1alpha1 is gone"),
        ("crd-version-dropped", "version v1 is gone"),
        ("crd-storage-changed", "storage version v1 → v2"),
    ]


def test_a_volume_that_is_no_longer_claimed():
    after = put(STATEFUL, "spec.volumeClaimTemplates", [])
    assert "volume claim template data is gone" in rules_of(load(STATEFUL), after)["data-pruned"]


def test_what_is_made_anew_anyway_is_not_immutable():
    for annotation in ({"helm.sh/hook": "pre-install"}, {"argocd.argoproj.io/hook": "Sync"}):
        before, after = load(JOB), put(JOB, f"{BOX}.image", "a.io/j:2")
        after["metadata"]["annotations"] = before["metadata"]["annotations"] = annotation
        assert rules_of(before, after) == {}


def test_data_that_was_marked_immutable():
    before = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c"},
        "immutable": True,
        "data": {"a": "1"},
    }
    assert "immutable-field" in rules_of(before, {**before, "data": {"a": "2"}})


def test_an_object_of_any_form_is_survived():
    """Upstream's content may be anything that parses."""
    odd = {
        "spec": ["x"],
        "rules": "y",
        "webhooks": [1, None],
        "subjects": {"a": 1},
        "metadata": "m",
        "data": 3,
    }
    for kind in ("ClusterRole", "ClusterRoleBinding", "Service", "Secret", "CustomResourceDefinition", "Deployment",
                 "ValidatingWebhookConfiguration", "NetworkPolicy", "StatefulSet", "Namespace"):  # fmt: skip
        one = {"apiVersion": "v1", "kind": kind, **odd}
        two = {**one, "spec": {"template": {"spec": {"containers": [{"image": 3, "securityContext": []}]}}}}
        review("o", [one], [two])
        review("o", [two], [])
        review("o", [], [one])


def test_every_code_is_documented():
    for code, meaning in CODES.items():
        assert code == code.lower()
        assert meaning.strip()


def test_the_page_about_dangers_lists_them_all():
    page = (Path(__file__).parents[2] / "docs" / "dangers.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| ([^|]+) \|", page, re.MULTILINE))
    assert rows == CODES
