"""A definition that moves in one place is a schema for the user's own objects in all others."""

from __future__ import annotations

from pathlib import Path

from upstreamsync.kit.run.engines import Engines
from upstreamsync.model import Verification
from upstreamsync.verify import verify_trees

CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: kilns.shop.io
spec:
  group: shop.io
  scope: Namespaced
  names: {kind: Kiln, plural: kilns}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {heat: {type: TYPE}}}}}}
"""
KILN = "apiVersion: shop.io/v1\nkind: Kiln\nmetadata: {name: big}\nspec: {heat: 5}\n"


def tree(folder: Path, kind: str) -> Path:
    for name, text in {
        "operator/base/crd.yaml": CRD.replace("TYPE", kind),
        "operator/base/kustomization.yaml": "resources: [crd.yaml]\n",
        "operator/overlay/kustomization.yaml": "resources: [../base]\ncommonAnnotations: {a: b}\n",
        "pottery/kustomization.yaml": "resources: [kiln.yaml]\nnamespace: pottery\n",
        "pottery/kiln.yaml": KILN,
        "bakery/kustomization.yaml": "resources: [map.yaml]\n",
        "bakery/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def judged(tmp_path: Path, before: str, after: str) -> Verification:
    sides = tree(tmp_path / "old", before), tree(tmp_path / "new", after)
    return verify_trees(*sides, kustomize=Engines().kustomize(), upstream=["operator/base"])


def test_objects_of_a_kind_whose_definition_moved_are_looked_at(tmp_path: Path) -> None:
    verification = judged(tmp_path, "integer", "string")
    assert [overlay.path for overlay in verification.overlays] == ["operator/overlay", "pottery"]
    told = {item.item: (item.verdict.value, item.reason) for item in verification.overlays[1].items}
    assert told["pottery: resources[kiln.yaml]"] == ("rejected", "schema_violation")
    assert verification.needs_person


def test_where_nothing_is_found_nothing_is_said(tmp_path: Path) -> None:
    verification = judged(tmp_path, "string", "integer")
    assert [overlay.path for overlay in verification.overlays] == ["operator/overlay"]
