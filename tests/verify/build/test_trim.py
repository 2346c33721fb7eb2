"""Small bases: what is cut away, and that no verdict depends on it."""

from __future__ import annotations

import pytest

from upstreamsync.kit.yaml import manifests
from upstreamsync.verify.build import schemas, trim
from upstreamsync.verify.overlays.items import Item, Kind

CRD = b"""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.acme.io
spec:
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        description: |
          schema: text that looks like a key

          # and a comment
        properties:
          schema:
            type: string
    # between
    served: true
  - schema:
      openAPIV3Schema: {type: object}
    name: v2
    served: false
  conversion:
    strategy: None
"""


def _item(kind: Kind, body: object) -> Item:
    return Item(name="o", kind=kind, folder="o", field="patches", key="0", file="f", line=1, body=body)


def test_schemas_go_and_everything_else_of_a_crd_stays() -> None:
    small = trim.without_schemas(CRD)
    assert small is not None
    whole = manifests.load(CRD)
    for version in whole["spec"]["versions"]:
        version["schema"] = {}
    assert manifests.load(small) == whole
    assert schemas.CompleteCrd(manifests.load(small), CRD).read() == manifests.load(CRD)


@pytest.mark.parametrize(
    "text",
    [
        CRD.replace(b"CustomResourceDefinition", b"Widget"),
        CRD.replace(b"    served: true", b"    served: &yes true\n    storage: *yes"),
        CRD.replace(b"    served: true", b"    served: yes"),
        CRD.replace(b"  conversion:\n", b"  conversion:\n    schema:\n      a: 1\n"),
        b'{"kind": "CustomResourceDefinition", "spec": {"schema": {"a": 1}}}\n',
    ],
    ids=["another kind", "anchors", "a value in doubt", "a schema elsewhere", "JSON"],
)
def test_what_is_not_plainly_a_crd_is_left_as_it_is(text: bytes) -> None:
    assert trim.without_schemas(text) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b"kind: Service\nmetadata:\n  labels: {name: no}\n  name: web\n", None),
        (b"apiVersion: v1\nkind: Service\nmetadata:\n  labels:\n    name: no\n  name: web\n", "web"),
        (b"apiVersion: v1\nkind: List\nitems: []\n", None),
        (b"apiVersion: v1\nkind: Service\nmetadata: {name: web}\n", None),
    ],
    ids=["no version", "plain", "a list", "flow"],
)
def test_a_document_is_named_only_when_its_name_is_plain_to_see(text: bytes, name: str | None) -> None:
    found = trim.document_id(text)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("kind", "body", "beside"),
    [
        (Kind.JSON, [{"op": "replace", "path": "/spec/versions/0/served", "value": False}], True),
        (Kind.JSON, [{"op": "add", "path": "/metadata/annotations", "value": {}}], True),
        (Kind.JSON, [{"op": "remove", "path": "/spec/versions/0"}], False),
        (Kind.JSON, [{"op": "remove", "path": "/spec/versions/0/schema/openAPIV3Schema"}], False),
        (Kind.JSON, [{"op": "replace", "path": "/spec", "value": {}}], False),
        (Kind.MERGE, {"metadata": {"labels": {}}}, True),
        (Kind.MERGE, {"spec": {"versions": []}}, False),
        (Kind.IMAGES, None, False),
    ],
)
def test_which_patches_leave_the_schemas_of_a_crd_alone(kind: Kind, body: object, beside: bool) -> None:
    assert trim.leaves_schemas_alone(_item(kind, body)) is beside


def test_an_image_reaches_no_crd_that_speaks_of_its_name() -> None:
    entry = Item(
        name="o",
        kind=Kind.IMAGES,
        folder="o",
        field="images",
        key="0",
        file="f",
        line=1,
        spec={"name": "key"},
    )
    deployment = b"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: key\n"
    ids = {part: trim.document_id(part) for part in (CRD, deployment)}
    assert None not in ids.values()
    assert trim._reachable(ids, [entry]) == {deployment}
