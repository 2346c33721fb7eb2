"""What a change moves to another kustomization of the repository is not gone; what it drops is."""

from __future__ import annotations

from pathlib import Path

import pytest

from upstreamsync.verify import Store
from verify.small import alarms, deployment, judged

_CRD = (
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: lamps.x.io}\n"
    "spec: {group: x.io, scope: Namespaced, names: {kind: Lamp, plural: lamps}, versions: [{name: v1, served: true,"
    " storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]}\n"
)
_ISSUER = "apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata: {name: staging}\nspec: {}\n"
_CERTIFICATE = (
    "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: c}\n"
    "spec: {secretName: s, issuerRef: {kind: ClusterIssuer, name: staging}}\n"
)
_LAMP = "apiVersion: x.io/v1\nkind: Lamp\nmetadata: {name: mine}\nspec: {}\n"


@pytest.mark.parametrize(("shipped", "own"), [(_CRD, _LAMP), (_ISSUER, _CERTIFICATE)])
@pytest.mark.parametrize("to", ["elsewhere", None])
def test_what_moves_in_the_same_change_is_not_gone(
    shipped: str, own: str, to: str | None, tmp_path: Path, kept: Store
) -> None:
    before = {
        "base/kustomization.yaml": "resources: [up.yaml]\n",
        "base/up.yaml": f"{deployment()}---\n{shipped}",
        "overlay/kustomization.yaml": "resources: [../base, own.yaml]\n",
        "overlay/own.yaml": own,
    }
    after = {"base/up.yaml": deployment(image="acme/web:2")}
    if to is not None:
        after |= {f"{to}/kustomization.yaml": "resources: [up.yaml]\n", f"{to}/up.yaml": shipped}
    found = judged(tmp_path, before, after, upstream=["base"], cache=kept)
    assert bool(alarms(found)) is (to is None), alarms(found)
