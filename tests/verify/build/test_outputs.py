"""The output of an overlay as a whole: what kustomize prints, built once for the same files."""

from __future__ import annotations

from pathlib import Path

import pytest

from upstreamsync.kit.run.engines import Engines, Kustomize
from upstreamsync.verify import overlay_output

OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n"


class Shelf(dict):
    def put(self, key, data):
        self[key] = data


@pytest.fixture(scope="module")
def kustomize() -> Kustomize:
    return Engines().kustomize()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in {
        "base/kustomization.yaml": "resources: [a.yaml]\n",
        "base/a.yaml": OBJECT,
        "overlay/kustomization.yaml": "resources: [../base]\nnamespace: shop\n"
        "configMapGenerator:\n- {name: mine, literals: [a=b]}\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def test_it_is_what_kustomize_prints_hashes_in_names_included(tree, kustomize):
    output = overlay_output(tree, "overlay", kustomize=kustomize)
    assert output == kustomize.build(tree / "overlay", root=tree)
    assert b"name: mine-" in output


def test_the_same_files_are_built_once(tree, kustomize):
    shelf = Shelf()
    first = overlay_output(tree, "overlay", kustomize=kustomize, store=shelf)
    assert len(shelf) == 1
    ((key, kept),) = shelf.items()
    shelf[key] = kept.replace(b"k: v", b"k: from the shelf")
    assert b"from the shelf" in overlay_output(tree, "overlay", kustomize=kustomize, store=shelf)
    (tree / "base/a.yaml").write_text(OBJECT.replace("k: v", "k: w"), "utf-8")
    assert overlay_output(tree, "overlay", kustomize=kustomize, store=shelf) != first
    assert len(shelf) == 2


def test_what_does_not_build_has_no_output(tree, kustomize):
    (tree / "base/kustomization.yaml").write_text("resources: [b.yaml]\n", "utf-8")
    assert overlay_output(tree, "overlay", kustomize=kustomize) == b""
    assert overlay_output(tree, "nowhere", kustomize=kustomize) == b""
