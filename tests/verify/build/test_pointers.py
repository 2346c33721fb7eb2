"""What a kustomization names and what is but a pointer of Git LFS in this checkout is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from upstreamsync.verify.build.obstacles import Reason, obstacles
from upstreamsync.verify.overlays.tree import Tree

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12\n"
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
LFS = {".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"}
NAMED = {
    "a resource": "resources: [file.yaml]\n",
    "a resource beside another one": "resources: [other.yaml, file.yaml]\n",
    "a patch": "resources: [other.yaml]\npatches: [{path: file.yaml}]\n",
    "a patch of old": "resources: [other.yaml]\npatchesStrategicMerge: [file.yaml]\n",
    "a replacement": "resources: [other.yaml]\nreplacements: [{path: file.yaml}]\n",
    "a file of a generator": "configMapGenerator: [{name: g, files: [key=file.yaml]}]\n",
    "an env file of a generator": "secretGenerator: [{name: g, envs: [file.yaml]}]\n",
    "a configuration": "resources: [other.yaml]\nconfigurations: [file.yaml]\n",
    "a file of a base": "resources: [../base]\n",
}


def _tree(folder: Path, kustomization: str, text: str, attributes: dict[str, str]) -> Tree:
    files = {
        "app/kustomization.yaml": kustomization,
        "app/other.yaml": OBJECT,
        "app/file.yaml": text,
        "base/kustomization.yaml": "resources: [file.yaml]\n",
        "base/file.yaml": text,
        **attributes,
    }
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(data)
    return Tree(folder)


@pytest.mark.parametrize("kustomization", NAMED.values(), ids=NAMED)
def test_a_pointer_is_not_the_file(tmp_path, kustomization):
    (found,) = obstacles(_tree(tmp_path, kustomization, POINTER, LFS), "app")
    assert found.reason is Reason.NOT_REACHABLE
    assert "file.yaml is a pointer of Git LFS: this checkout does not have the file itself" in found.why
    assert "git lfs pull" in (found.hint or "")


@pytest.mark.parametrize("kustomization", NAMED.values(), ids=NAMED)
def test_the_file_itself_is(tmp_path, kustomization):
    assert obstacles(_tree(tmp_path, kustomization, OBJECT, LFS), "app") == ()


@pytest.mark.parametrize(
    ("text", "attributes"),
    [
        (f"# {POINTER.splitlines()[0]}\n{OBJECT}", LFS),
        (OBJECT + POINTER.replace("version", "# version").replace("\n", "\n# "), LFS),
        (POINTER, {}),
        (POINTER, {".gitattributes": "*.sh eol=lf\n"}),
    ],
)
def test_nothing_is_said_of_what_looks_so(tmp_path, text, attributes):
    assert obstacles(_tree(tmp_path, NAMED["a resource"], text, attributes), "app") == ()


def test_attributes_may_stand_beside_the_file(tmp_path):
    tree = _tree(tmp_path, NAMED["a resource"], POINTER, {"app/.gitattributes": LFS[".gitattributes"]})
    assert len(obstacles(tree, "app")) == 1
