"""`kind: List` is looked into by `select` and `layout`."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from upstreamsync.base.lists import unpacked
from upstreamsync.base.shape import make_bases
from upstreamsync.config.spec import Vendor
from upstreamsync.errors import SelectionError
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import Artifact, ContentFile, Release

BLOCK = b"""\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap   # upstream's own spacing
  metadata: {name: a}
  data:
    script: |
      #!/bin/sh
        indented
      - apiVersion: no

    folded: >-
      one
      two
# between
- kind: Secret
  apiVersion: v1
  metadata:
    name: b
    namespace: x
"""
INDENTED = BLOCK.replace(b"\n- ", b"\n  - ").replace(b"\n  kind", b"\n    kind").replace(b"\n  ", b"\n    ")


def make(data: bytes, **source) -> dict[str, bytes]:
    layout = source.pop("layout", "as-is")
    vendor = Vendor.model_validate(
        {
            "name": "v",
            "version": "1",
            "base": "b",
            "layout": layout,
            "source": {"url": "https://h/x", **source},
        }
    )
    artifact = Artifact(resolved=(), files=(ContentFile(path="x.yaml", data=data),))
    (base,) = make_bases(vendor, [(vendor.source[0], artifact)], Release(version="1", ref="1"))
    return {file.path: file.data for file in base.files if file.path != "kustomization.yaml"}


def same(data: bytes, parts: list[bytes]) -> bool:
    return [manifests.load(part) for part in parts] == manifests.objects(data)


@pytest.mark.parametrize(
    "data",
    [
        BLOCK,
        BLOCK.replace(b"kind: List", b"kind: ConfigMapList"),
        b"\xef\xbb\xbf" + BLOCK,
        BLOCK.replace(b"\n", b"\r\n"),
        b"---\n" + BLOCK,
        json.dumps({"kind": "List", "apiVersion": "v1", "items": manifests.objects(BLOCK)}).encode(),
        json.dumps({"kind": "List", "apiVersion": "v1", "items": manifests.objects(BLOCK)}, indent=4).encode(),
        yaml.safe_dump({"kind": "List", "apiVersion": "v1", "items": manifests.objects(BLOCK)}, indent=6).encode(),
        b"apiVersion: v1\nitems:\n    -   apiVersion: v1\n        kind: A\n        metadata: {name: x}\nkind: List\n",
    ],
)  # fmt: skip
def test_items_mean_what_they_meant(data):
    parts = unpacked(data, "x.yaml")
    assert parts is not None
    assert same(data, parts)
    assert all(part.startswith(b"---\n") for part in parts)


@pytest.mark.parametrize(
    "data",
    [
        b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
        b"apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: a}\n",
        b"apiVersion: v1\nkind: List\nitems: []\n",
        b"apiVersion: v1\nkind: List\nitems:\n- &a {apiVersion: v1, kind: A}\n- *a\n",
        b"apiVersion: x/v1\nkind: AllowList\nspec: {}\n",
    ],
)
def test_what_is_no_list_of_objects_stays_one_document(data):
    assert unpacked(data, "x.yaml") is None


def test_layout_gives_each_item_a_file():
    made = make(BLOCK, layout="per-resource")
    assert list(made) == ["configmap-a.yaml", "secret-b.yaml"]
    assert (
        made["secret-b.yaml"] == b"---\nkind: Secret\napiVersion: v1\nmetadata:\n  name: b\n  namespace: x\n"
    )
    assert b"kind: ConfigMap   # upstream's own spacing\n" in made["configmap-a.yaml"]


def test_select_sees_the_items():
    made = make(BLOCK, select={"include": [{"kind": "Secret"}]})
    assert [one["metadata"]["name"] for one in manifests.objects(made["x.yaml"])] == ["b"]
    made = make(BLOCK, select={"exclude": [{"name": "b"}]})
    assert [one["metadata"]["name"] for one in manifests.objects(made["x.yaml"])] == ["a"]
    with pytest.raises(SelectionError) as caught:
        make(BLOCK, select={"include": [{"kind": "Role"}]})
    assert caught.value.hint == "there is: ConfigMap a; Secret x/b"


def test_without_either_the_bytes_stay():
    assert make(BLOCK)["x.yaml"] == BLOCK


_texts = st.text(alphabet="ab :#-\n\t'\"|", max_size=12)
_items = st.lists(
    st.fixed_dictionaries(
        {"apiVersion": st.just("v1"), "kind": st.just("ConfigMap")},
        optional={"data": st.dictionaries(st.sampled_from(["k", "l.m"]), _texts, max_size=2),
                  "list": st.lists(_texts, max_size=2)},
    ),
    min_size=1, max_size=3,
)  # fmt: skip


@given(_items, st.sampled_from([2, 4, 7]), st.sampled_from([None, True, False]))
def test_any_list_unpacks_to_its_items(items, indent, flow):
    text = yaml.safe_dump(
        {"apiVersion": "v1", "kind": "List", "items": items}, indent=indent, default_flow_style=flow
    ).encode()
    parts = unpacked(text, "x")
    assert parts is not None
    assert same(text, parts), text
