"""Labels for everything say anew what an object belongs to; that upstream says so too now is no news."""

from __future__ import annotations

from pathlib import Path

import pytest

from upstreamsync.verify import Store
from verify.small import alarms, judged

_TRANSFORMER = (
    "apiVersion: builtin\nkind: LabelTransformer\nmetadata: {{name: l}}\nlabels: {{{0}: mine}}\n"
    "fieldSpecs: [{{path: metadata/labels, create: true}}]\n"
)


def _map(label: str = "") -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c, labels: {{x: y{label}}}}}\n"


@pytest.mark.parametrize(
    ("kustomization", "label", "value", "is_told"),
    [
        ("labels: [{pairs: {app.kubernetes.io/name: mine}}]\n", "app.kubernetes.io/name", "up", False),
        ("labels: [{pairs: {app.kubernetes.io/part-of: mine}}]\n", "app.kubernetes.io/part-of", "up", False),
        ("commonLabels: {helm.sh/chart: mine}\n", "helm.sh/chart", "up-1", False),
        ("transformers: [t.yaml]\n", "app.kubernetes.io/name", "up", False),
        ("labels: [{pairs: {app.kubernetes.io/name: mine}}]\n", "app.kubernetes.io/name", "mine", False),
        ("labels: [{pairs: {tier: mine}}]\n", "tier", "up", True),
        ("commonLabels: {app: mine}\n", "app", "up", True),
        ("commonAnnotations: {app.kubernetes.io/name: mine}\n", "", "", True),
        ("transformers: [t.yaml]\n", "tier", "up", True),
        ("patches: [{path: p.yaml}]\n", "app.kubernetes.io/name", "up", True),
    ],
)
def test_a_label_that_describes_may_be_said_twice(
    kustomization: str, label: str, value: str, is_told: bool, tmp_path: Path, kept: Store
) -> None:
    new = _map(f", {label}: {value}")
    if not label:
        new = _map().replace("labels:", "annotations: {app.kubernetes.io/name: up}, labels:")
    before = {
        "base/kustomization.yaml": "resources: [up.yaml]\n",
        "base/up.yaml": _map(),
        "overlay/kustomization.yaml": f"resources: [../base]\n{kustomization}",
        "overlay/t.yaml": _TRANSFORMER.format(label),
        "overlay/p.yaml": _map(f", {label}: mine"),
    }
    found = judged(tmp_path, before, {"base/up.yaml": new}, upstream=["base"], cache=kept)
    assert bool(alarms(found)) == is_told, alarms(found)
