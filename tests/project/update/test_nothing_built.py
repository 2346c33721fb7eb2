"""Where nothing is built of a repository there is nothing to judge, and no tree is laid out for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from upstreamsync.model import Verification
from upstreamsync.project import Settings, open_project
from upstreamsync.project.verify import verification as module
from upstreamsync.testing import World

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec: {template: {spec: {containers: [{name: VERSION, image: i}]}}}
"""
PATCH = """\
resources: [../base/app.yaml]
patches:
- patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: app}, spec: {template: {spec: {containers:
    [{name: v1, env: [{name: A, value: b}]}]}}}}'
"""
BUILT: dict[str, dict[str, str]] = {
    "an overlay": {"overlay/kustomization.yaml": PATCH},
    "one with another of its names": {"overlay/Kustomization": PATCH},
    "a Kustomization of Flux": {
        "overlay/app.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
        "metadata: {name: app}\nspec: {path: ./base}\n",
    },
    "an Application of Argo CD": {
        "apps/app.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: app}\n"
        "spec: {source: {path: base}}\n",
    },
    "a helmfile": {"helmfile.yaml": "releases: []\n"},
    "a chart with dependencies": {"chart/Chart.yaml": "apiVersion: v2\nname: c\ndependencies: []\n"},
}
NOT_BUILT: dict[str, dict[str, str]] = {
    "a base alone": {},
    "other manifests": {"own/app.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\n"},
    "what is built elsewhere": {
        "own/app.yaml": "apiVersion: x.example/v1\nkind: Kustomization\nmetadata: {name: own}\n"
    },
    "a name that says so": {"own/kustomization.txt": PATCH, "own/my-kustomization.yaml": "a: 1\n"},
    "a chart": {"chart/Chart.yaml": "apiVersion: v2\nname: c\n"},
}


@pytest.fixture
def world():
    with World() as world:
        for version in ("v1", "v2"):
            world.file(f"app/{version}.yaml", DEPLOYMENT.replace("VERSION", version))
            world.github.repository("acme/app").tag(version)
        yield world


def _verified(
    root: Path, world: World, files: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> tuple[Verification, bool]:
    """What becomes of a move to v2 with these files beside, and whether trees were laid out for it."""
    row = (
        f"- name: app\n  version: v1\n  base: base\n  source: {{url: '{world.url}/app/{{version}}.yaml',"
        " file: app.yaml}\n  releases: {github_tags: acme/app, scheme: loose}\n"
    )
    for path, text in {**files, "vendors.yaml": f"version: 1\nvendors:\n{row}"}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    environment = {**os.environ, "GITHUB_API_URL": f"{world.url}/api/v3"}
    settings = Settings(cache_folder=root.parent / "cache", environment=environment)
    laid_out, tree_with = [], module.tree_with

    def seen(*args):
        laid_out.append(args)
        return tree_with(*args)

    with open_project(root, settings=settings) as project:
        project.update(["app"], to="v1").write()
        monkeypatch.setattr(module, "tree_with", seen)
        return project.verify(project.update(["app"])), bool(laid_out)


@pytest.mark.parametrize("files", BUILT.values(), ids=BUILT)
def test_what_is_built_is_looked_at(tmp_path: Path, world: World, monkeypatch, files):
    (tmp_path / "repository").mkdir()
    _, laid_out = _verified(tmp_path / "repository", world, files, monkeypatch)
    assert laid_out


@pytest.mark.parametrize("files", NOT_BUILT.values(), ids=NOT_BUILT)
def test_and_where_nothing_is_a_look_would_find_nothing(tmp_path: Path, world: World, monkeypatch, files):
    (tmp_path / "repository").mkdir()
    verification, laid_out = _verified(tmp_path / "repository", world, files, monkeypatch)
    assert not laid_out
    monkeypatch.setattr(module, "_has_overlays", lambda *_: True)
    (tmp_path / "other").mkdir()
    looked, laid_out = _verified(tmp_path / "other", world, files, monkeypatch)
    assert laid_out
    assert verification == looked
    assert verification.engine
