"""Names that `namespace:`, `namePrefix:` and labels leave behind, or take along when they should not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from upstreamsync.model import Verdict, Verification
from upstreamsync.verify import Store
from verify.small import alarms, deployment, item, judged, verdicts

_SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: hook, namespace: sys}\nspec: {selector: {app: hook}, ports: [{port: 443}]}\n"
_CERTIFICATE = (
    "---\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: cert, namespace: sys}\n"
    "spec: {secretName: cert, dnsNames: [DNS]}\n"
)
_HOOKS = (
    "---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata:\n  name: hooks\n"
    "  annotations: {cert-manager.io/inject-ca-from: FROM}\nwebhooks:\n- {name: a.example.com, sideEffects: None,"
    " admissionReviewVersions: [v1], clientConfig: {service: {name: hook, namespace: sys}}}\n"
)
_PROD = "resources: [../base]\nnamespace: prod\n"
_ROLE = (
    "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: b, namespace: sys}\n"
    "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}\nsubjects: [SUBJECT]\n"
)


def _dns(*names: str) -> str:
    return _CERTIFICATE.replace("DNS", ", ".join(names))


def _placed(args: str = "", env: str = "") -> str:
    text = deployment("web", args=args, more=f"env: [{env}]" if env else "")
    return "---\n" + text.replace("metadata: {name: web}", "metadata: {name: web, namespace: sys}", 1)


def _account(name: str) -> str:
    return f"---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {name}, namespace: sys}}\n"


def _subject(name: str, namespace: str) -> str:
    return _ROLE.replace("SUBJECT", f"{{kind: ServiceAccount, name: {name}, namespace: {namespace}}}")


#: The overlay, what upstream adds to a Service, the item, and its verdict; None: nothing is found.
VARIANTS: Mapping[str, tuple[str, str, str, Verdict | None]] = {
    "inject-ca-from": (_PROD, _HOOKS.replace("FROM", "sys/cert") + _dns("a.example.com"), "namespace", Verdict.DANGLING),
    "a name in a certificate": (_PROD, _dns("hook.sys.svc"), "namespace", Verdict.DANGLING),
    "a full name in a certificate": (_PROD, _dns("hook.sys.svc.cluster.local"), "namespace", Verdict.DANGLING),
    "a host in an argument": (_PROD, _placed('"--hook=https://hook.sys.svc:443/"'), "namespace", Verdict.DANGLING),
    "namespace and name in an argument": (_PROD, _placed('"--service=sys/hook"'), "namespace", Verdict.DANGLING),
    "a namespace in an argument": (_PROD, _placed('"--leader-election-namespace=sys"'), "namespace", Verdict.DANGLING),
    "a host in a variable": (_PROD, _placed(env="{name: HOOK, value: hook.sys.svc}"), "namespace", Verdict.DANGLING),
    "a namespace in a variable": (_PROD, _placed(env="{name: POD_NAMESPACE, value: sys}"), "namespace", Verdict.DANGLING),
    "a name that a prefix leaves behind": (
        "resources: [../base]\nnamePrefix: a-\n", _placed('"--hook=https://hook:443/"'), "namePrefix", Verdict.DANGLING,
    ),
    "a subject of another namespace": (_PROD, _subject("default", "monitoring"), "namespace", Verdict.WIDENED),
    "a name of another namespace": (_PROD, _dns("other.elsewhere.svc"), "namespace", None),
    "a host without a namespace": (_PROD, _placed('"--hook=https://hook:443/"'), "namespace", None),
    "a variable from the pod itself": (
        _PROD, _placed(env="{name: NS, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}"), "namespace", None,
    ),
    "the word in another sense": (_PROD, _placed('"--mode=sys"', "{name: KIND, value: sys}"), "namespace", None),
    "a subject of the same namespace": (_PROD, _account("web") + _subject("web", "sys"), "namespace", None),
    "a subject that kustomize leaves alone": (_PROD, _subject("prometheus", "monitoring"), "namespace", None),
    "a namespace that is the same": (
        "resources: [../base]\nnamespace: sys\n", _dns("hook.sys.svc"), "namespace", None,
    ),
}  # fmt: skip


def _run(folder: Path, kept: Store, overlay: str, added: str, *, before: str = "") -> Verification:
    files = {"base/kustomization.yaml": "resources: [up.yaml]\n", "base/up.yaml": _SERVICE + before,
             "overlay/kustomization.yaml": overlay}  # fmt: skip
    new = _SERVICE.replace("port: 443", "port: 8443") if before else _SERVICE
    return judged(folder, files, {"base/up.yaml": new + added}, upstream=["base"], cache=kept)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_name_that_is_left_behind_is_told(name: str, tmp_path: Path, kept: Store) -> None:
    overlay, added, which, verdict = VARIANTS[name]
    found = _run(tmp_path, kept, overlay, added)
    if verdict is None:
        assert alarms(found) == []
    else:
        assert verdict in verdicts(item(found, f"overlay: {which}")), alarms(found)


@pytest.mark.parametrize("name", [name for name, each in VARIANTS.items() if each[3] is not None])
def test_what_was_left_behind_before_is_no_news(name: str, tmp_path: Path, kept: Store) -> None:
    overlay, added, _, _ = VARIANTS[name]
    assert alarms(_run(tmp_path, kept, overlay, added, before=added)) == []


_SELECTING = "---\napiVersion: v1\nkind: Service\nmetadata: {name: NAME, namespace: sys}\nspec: {selector: {app: APP}, ports: [{port: 80}]}\n"


@pytest.mark.parametrize(
    ("labels", "added", "is_found"),
    [
        ("commonLabels: {team: x}\n", _SELECTING.replace("APP", "made-by-an-operator"), True),
        ("labels: [{pairs: {team: x}, includeSelectors: true}]\n", _SELECTING.replace("APP", "made"), True),
        ("commonLabels: {team: x}\n", _SELECTING.replace("APP", "web") + _placed(), False),
        ("labels: [{pairs: {team: x}}]\n", _SELECTING.replace("APP", "made"), False),
        ("commonLabels: {team: x}\n", _placed(), False),
    ],
)
def test_a_label_that_pods_of_others_lack(
    labels: str, added: str, is_found: bool, tmp_path: Path, kept: Store
) -> None:
    found = _run(tmp_path, kept, f"resources: [../base]\n{labels}", added.replace("NAME", "new"))
    assert bool(alarms(found)) is is_found, alarms(found)
