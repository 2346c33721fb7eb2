"""What takes no part in the builds of the judge changes nothing: case by case, against builds of all of it.

The judge reads plain bases instead of building them, leaves out CRD schemas and documents that no
customization can reach, and switches on together what can be told apart (more of that in test_apart.py).
Here each case is judged once like that, whatever its size, and once with everything built, one
customization after the other; both have to say the same to the letter.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from upstreamsync.kit.run.engines import Engines, Kustomize
from upstreamsync.verify import Store, verify_trees
from upstreamsync.verify.build import chain, trim
from upstreamsync.verify.build.builds import Builder, State
from upstreamsync.verify.build.unbuilt import unbuilt
from upstreamsync.verify.build.workspace import Workspace
from upstreamsync.verify.overlays.graph import deduce_upstream
from upstreamsync.verify.overlays.items import enumerate_items
from upstreamsync.verify.overlays.parse_cache import ParseCache
from upstreamsync.verify.overlays.tree import Tree
from verify.everything import Everything, said, write_trees

_REPOSITORY = Path(__file__).parents[2]
_SHARED = Path(os.environ.get("PATCH_CASES") or _REPOSITORY.parent / "shared" / "patch-cases")
_WORLD = Path(os.environ.get("UPSTREAM_WORLD") or _REPOSITORY.parent / "shared" / "upstream-world")
_CASES = [
    folder
    for home in (_SHARED, Path(__file__).parent / "cases")
    if home.is_dir()
    for folder in sorted(home.iterdir())
    if (folder / "expected.yaml").is_file()
]


@pytest.fixture(scope="module")
def kustomize() -> Kustomize:
    return Engines().kustomize()


@pytest.mark.slow
@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.name)
def test_a_case_is_judged_alike_with_everything_built(
    case: Path, kustomize: Kustomize, kept: Store, everything: Everything, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlays = yaml.safe_load((case / "expected.yaml").read_text("utf-8"))["overlays"]
    whole = everything(case / "old", case / "new", overlays, kustomize=kustomize, cache=kept)
    monkeypatch.setattr(trim, "_WORTH_IT", 0)
    small = verify_trees(case / "old", case / "new", overlays, kustomize=kustomize, cache=kept)
    assert said(small) == said(whole)


@pytest.mark.slow
@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.name)
def test_a_base_that_is_not_built_is_what_a_build_prints(
    case: Path, kustomize: Kustomize, kept: Store, tmp_path: Path
) -> None:
    upstream = deduce_upstream(Tree(case / "old"), Tree(case / "new"))
    for side in ("old", "new"):
        tree = Tree(case / side)
        for overlay in yaml.safe_load((case / "expected.yaml").read_text("utf-8"))["overlays"]:
            items = enumerate_items(tree, overlay, upstream)
            space = Workspace(tree, overlay, items, tmp_path / f"{side}-{overlay.replace('/', '-')}")
            off = [item for item in items if item.kind not in chain._ALWAYS_ON]
            read = unbuilt(space, off, ParseCache())
            if read is None:
                continue
            folder = space.state(off)
            root = folder.parents[overlay.count("/")] if overlay != "." else folder
            built = Builder(kustomize, 1, kept).build(folder, root=root)
            assert isinstance(built, State), built
            assert dict(read.objects) == dict(built.objects)


# -- bases that are heavy with CRDs ------------------------------------------------------------------

_PATCH = """\
patches:
- target: {kind: Deployment, name: .*}
  patch: |-
    - {op: add, path: /spec/template/spec/priorityClassName, value: high}
"""
_CRD_PATCH = """\
patches:
- target: {kind: CustomResourceDefinition}
  patch: |-
    - {op: add, path: /metadata/annotations/team, value: infra}
"""
_OVERLAYS = {
    "a patch": _PATCH,
    "a namespace": "namespace: bench\n" + _PATCH,
    "labels and a prefix": "namePrefix: my-\ncommonLabels: {team: infra}\n",
    "a patch of every CRD": _CRD_PATCH,
    "an image that schemas speak of": "images: [{name: schema, newTag: v2}]\n" + _PATCH,
    "images": "images: [{name: quay.io/argoproj/argocd, newName: mirror.example/argocd}]\n",
}


def _crds(release: str, differing: int) -> str:
    """Eight CRDs with schemas of some size, ``differing`` of which say which release they belong to."""
    return "".join(
        f"---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
        f"metadata:\n  name: kind{n}s.acme.io\n"
        f"spec:\n  group: acme.io\n  names: {{kind: Kind{n}, plural: kind{n}s}}\n  scope: Namespaced\n"
        "  versions:\n  - name: v1\n    served: true\n    storage: true\n    schema:\n"
        "      openAPIV3Schema:\n        type: object\n        properties:\n"
        + "".join(
            f"          f{i}:\n            type: string\n            description: Field {i} "
            f"{release if n < differing else ''} of schema-cutting.\n"
            for i in range(140)
        )
        for n in range(8)
    )


_DEPLOYMENT = """\
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    release: "{release}"
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: web
        image: quay.io/argoproj/argocd:v{release}
"""


@pytest.mark.slow
@pytest.mark.parametrize("differing", [0, 1, 8])
@pytest.mark.parametrize("overlay", _OVERLAYS.values(), ids=_OVERLAYS)
def test_crds_out_of_reach_are_judged_as_if_they_were_built(
    tmp_path: Path, overlay: str, differing: int, kustomize: Kustomize, everything: Everything
) -> None:
    sides = [_crds(one, differing) + _DEPLOYMENT.format(release=one) for one in ("1.0.0", "1.1.0")]
    trees = write_trees(tmp_path, overlay, sides)
    whole = everything(*trees, ["overlay"], kustomize=kustomize)
    small = verify_trees(*trees, ["overlay"], kustomize=kustomize)
    assert said(small) == said(whole)
    crds = [one.resource for one in small.overlays[0].changed if "CustomResourceDefinition" in one.resource]
    assert len(crds) == differing


@pytest.mark.slow
@pytest.mark.parametrize("edited", [0, 8])
@pytest.mark.parametrize("overlay", ["a patch", "labels and a prefix", "a patch of every CRD"])
def test_crds_of_the_users_own_are_judged_as_if_they_were_built(
    tmp_path: Path,
    overlay: str,
    edited: int,
    kustomize: Kustomize,
    everything: Everything,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trim, "_WORTH_IT", 0)
    own = "resources: [../base, crds.yaml, made.yaml]\n" + _OVERLAYS[overlay]
    made = "apiVersion: acme.io/v1\nkind: Kind0\nmetadata: {name: mine}\nf1: 1\nf2: text\n"
    trees = write_trees(tmp_path, "", [_DEPLOYMENT.format(release=one) for one in ("1.0.0", "1.1.0")])
    for tree, release in zip(trees, ("1.0.0", "1.1.0"), strict=True):
        for name, text in (
            ("kustomization.yaml", own),
            ("crds.yaml", _crds(release, edited).removeprefix("---\n")),
            ("made.yaml", made),
        ):
            (tree / "overlay" / name).write_text(text, "utf-8")
    whole = everything(*trees, ["overlay"], kustomize=kustomize, upstream=["base"])
    small = verify_trees(*trees, ["overlay"], kustomize=kustomize, upstream=["base"])
    assert said(small) == said(whole)
    kinds = [one.resource for one in small.overlays[0].changed]
    assert sum("CustomResourceDefinition" in one for one in kinds) == edited
    items = [*enumerate_items(Tree(trees[1]), "overlay", ["base"])]
    sides = (Tree(trees[0]), Tree(trees[1]))
    cuts = trim.plan_trim(*sides, "overlay", ["base"], items, ParseCache())
    assert [len(cut.schemas) for cut in cuts] == [8, 8]


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_crd_that_is_no_yaml_is_for_kustomize_to_complain_about(
    tmp_path: Path, jobs: int, kustomize: Kustomize
) -> None:
    sound = _crds("1.0.0", 8) + _DEPLOYMENT.format(release="1.0.0")
    broken = sound.replace("            description: Field 7 ", "            description: 'Field 7 ", 1)
    trees = write_trees(tmp_path, _PATCH, [sound, broken])
    (overlay,) = verify_trees(*trees, ["overlay"], kustomize=kustomize, jobs=jobs).overlays
    assert (overlay.before.ok, overlay.after.ok) == (True, False)
    assert "yaml" in (overlay.after.error or "").lower()
    assert [one.verdict.value for one in overlay.items if one.severity.value == "broken"]


_REAL = {
    "argo-cd": ("argoproj/argo-cd/v3.3.9/install.yaml", "argoproj/argo-cd/v3.4.7/install.yaml"),
    "kube-prometheus-stack": (
        "prometheus-community/kube-prometheus-stack/87.19.0/manifests.yaml",
        "prometheus-community/kube-prometheus-stack/88.5.0/manifests.yaml",
    ),
    "cert-manager": (
        "cert-manager/cert-manager/v1.19.4/cert-manager.yaml",
        "cert-manager/cert-manager/v1.20.2/cert-manager.yaml",
    ),
    "metallb": ("metallb/metallb/v0.14.9/metallb-native.yaml", "metallb/metallb/v0.15.3/metallb-native.yaml"),
}


@pytest.mark.slow
@pytest.mark.world
@pytest.mark.skipif(not _WORLD.is_dir(), reason="the folder with the real upstream content is not here")
@pytest.mark.parametrize("overlay", _OVERLAYS.values(), ids=_OVERLAYS)
@pytest.mark.parametrize("content", _REAL.values(), ids=_REAL)
def test_real_bases_are_judged_as_if_all_of_them_were_built(
    tmp_path: Path, content: Sequence[str], overlay: str, kustomize: Kustomize, everything: Everything
) -> None:
    sides = [(_WORLD / "data/base/assets" / path).read_text("utf-8") for path in content]
    trees = write_trees(tmp_path, overlay, sides)
    whole = everything(*trees, ["overlay"], kustomize=kustomize)
    assert said(verify_trees(*trees, ["overlay"], kustomize=kustomize)) == said(whole)
