"""A new sibling that lacks what all the others got: webhooks, CRDs, containers, documents, images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from upstreamsync.model import Verdict, Verification
from upstreamsync.verify import Store
from verify.small import all_findings, deployment, judged, words

_PLAIN = "resources: [../base]\npatches: [{path: p.yaml}]\n"


def _hooks(*names: str, extra: str = "") -> str:
    entries = "".join(
        f"- {{name: {name}.example.com, failurePolicy: Fail, sideEffects: None, admissionReviewVersions: [v1],"
        f" clientConfig: {{caBundle: Cg==, service: {{name: hook, namespace: system, path: /{name}}}}}{extra}}}\n"
        for name in names
    )
    return (
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\n"
        f"metadata: {{name: hooks}}\nwebhooks:\n{entries}"
    )


def _hook_patch(*entries: str) -> str:
    return _hooks().replace("webhooks:\n", "webhooks:\n" + "".join(f"- {each}\n" for each in entries))


def _served(name: str, more: str = "") -> str:
    return f"{{name: {name}.example.com, clientConfig: {{service: {{name: mine, namespace: prod}}}}{more}}}"


def _crd(name: str, *, status: bool = True) -> str:
    return (
        f"---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {name}.x.io}}\n"
        f"spec: {{group: x.io, scope: Namespaced, names: {{kind: {name}, plural: {name}}}, versions: [{{name: v1,"
        " served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}\n"
        + ("status: {conditions: [], storedVersions: []}\n" if status else "")
    )


def _crd_patch(*names: str, extra: str = "") -> str:
    head = "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {}.x.io{}}}\n"
    return "".join(head.format(name, extra if name == names[0] else "") + "status: null\n" for name in names)


def _containers(*names: str, more: str = "") -> str:
    listed = ", ".join(f'{{name: {name}, image: "acme/{name}:1"{more}}}' for name in names)
    return deployment().replace('{name: web, image: "acme/web:1"}', listed)


def _limits(*entries: str) -> str:
    listed = ", ".join(f"{{name: {name}, resources: {{limits: {{memory: {value}}}}}}}"
                       for name, value in (entry.split("=") for entry in entries))  # fmt: skip
    return deployment().replace('{name: web, image: "acme/web:1"}', listed)


def _deployments(*names: str) -> str:
    return "---\n".join(deployment(name, image=f"docker.io/up/{name}:1") for name in names)


def _replicas(*names: str) -> str:
    one = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {}}}\nspec: {{replicas: 2}}\n"
    return "".join(one.format(name) for name in names)


def _mirrored(*names: str) -> str:
    entries = "".join(f"- {{name: docker.io/up/{name}, newName: mirror.example/{name}}}\n" for name in names)
    return f"resources: [../base]\nimages:\n{entries}"


#: Overlay, upstream before and after, and the siblings that are missed.
VARIANTS: Mapping[str, tuple[dict[str, str], str, str, Sequence[str]]] = {
    "a third webhook": (
        {"p.yaml": _hook_patch(_served("one"), _served("two"))}, _hooks("one", "two"),
        _hooks("one", "two", "three"), ["three.example.com"],
    ),
    "a third webhook, though one of the others gets more": (
        {"p.yaml": _hook_patch(_served("one"), _served("two", ", matchPolicy: Exact"))}, _hooks("one", "two"),
        _hooks("one", "two", "three"), ["three.example.com"],
    ),
    "two more webhooks": (
        {"p.yaml": _hook_patch(_served("one"), _served("two"))}, _hooks("one", "two"),
        _hooks("one", "two", "three", "four"), ["three.example.com", "four.example.com"],
    ),
    "a CRD whose status nobody takes away": (
        {"p.yaml": _crd_patch("aas", "bbs")}, _crd("aas") + _crd("bbs"), _crd("aas") + _crd("bbs") + _crd("ccs"),
        ["ccs.x.io"],
    ),
    "a CRD, though one document says more": (
        {"p.yaml": _crd_patch("aas", "bbs", extra=", labels: {a: b}")}, _crd("aas") + _crd("bbs"),
        _crd("aas") + _crd("bbs") + _crd("ccs"), ["ccs.x.io"],
    ),
    "a container without the limits of the others": (
        {"p.yaml": _limits("web=1Gi", "side=1Gi")}, _containers("web", "side"), _containers("web", "side", "log"),
        ["log"],
    ),
    "a Deployment that nobody scales": (
        {"p.yaml": _replicas("a", "b")}, _deployments("a", "b"), _deployments("a", "b", "c"), ["Deployment c"],
    ),
    "an image that no entry mirrors": (
        {"kustomization.yaml": _mirrored("a", "b")}, _deployments("a", "b"), _deployments("a", "b", "c"),
        ["docker.io/up/c"],
    ),
    "a webhook that has what the others get": (
        {"p.yaml": _hook_patch(_served("one"), _served("two"))}, _hooks("one", "two"),
        _hooks("one", "two") + "- " + _served("three") + "\n", [],
    ),
    "webhooks that are treated unlike": (
        {"p.yaml": _hook_patch("{name: one.example.com, failurePolicy: Ignore}",
                               "{name: two.example.com, timeoutSeconds: 5}")},
        _hooks("one", "two"), _hooks("one", "two", "three"), [],
    ),
    "a CRD without a status": (
        {"p.yaml": _crd_patch("aas", "bbs")}, _crd("aas") + _crd("bbs"),
        _crd("aas") + _crd("bbs") + _crd("ccs", status=False), [],
    ),
    "one of two CRDs was treated": (
        {"p.yaml": _crd_patch("aas")}, _crd("aas") + _crd("bbs"), _crd("aas") + _crd("bbs") + _crd("ccs"), [],
    ),
    "each container has limits of its own": (
        {"p.yaml": _limits("web=1Gi", "side=2Gi")}, _containers("web", "side"), _containers("web", "side", "log"),
        [],
    ),
    "a new image of the mirror itself": (
        {"kustomization.yaml": _mirrored("a", "b")}, _deployments("a", "b"),
        _deployments("a", "b") + "---\n" + deployment("c", image="mirror.example/c:1"), [],
    ),
    "a webhook under another name": (
        {"p.yaml": _hook_patch("{name: one.example.com, failurePolicy: Ignore}",
                               "{name: two.example.com, failurePolicy: Ignore}")},
        _hooks("one", "two"), _hooks("one", "two").replace("path: /one", "path: /1"), [],
    ),
}  # fmt: skip


def _run(folder: Path, kept: Store, overlay: dict[str, str], old: str, new: str) -> Verification:
    files = {"kustomization.yaml": _PLAIN, **overlay}
    before = {"base/kustomization.yaml": "resources: [up.yaml]\n", "base/up.yaml": old,
              **{f"overlay/{name}": text for name, text in files.items()}}  # fmt: skip
    return judged(folder, before, {"base/up.yaml": new}, cache=kept)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_new_sibling_that_lacks_what_the_others_got_is_told(name: str, tmp_path: Path, kept: Store) -> None:
    overlay, old, new, missed = VARIANTS[name]
    found = _run(tmp_path, kept, overlay, old, new)
    uncovered = [finding for finding in all_findings(found) if finding.verdict is Verdict.UNCOVERED]
    assert len(uncovered) == (1 if missed else 0), uncovered
    for each in missed:
        assert each in words(found)
