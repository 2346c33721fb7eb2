"""What kustomize is not given: it would fetch, or what it needs was not fetched; and what is said of that."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from upstreamsync.model import Verdict
from upstreamsync.testing import write_files
from upstreamsync.verify import verify_trees
from upstreamsync.verify.build.unbuildable import Unbuildable
from upstreamsync.verify.build.workspace import Workspace
from upstreamsync.verify.overlays.tree import Tree

URL = "http://127.0.0.1:1/x.yaml"
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
GENERATOR = f"{{apiVersion: builtin, kind: ConfigMapGenerator, metadata: {{name: g}}, files: ['m={URL}']}}"
FETCHING = {
    "resource": f"resources: [../base, '{URL}']\n",
    "another case": f"resources: [../base]\nBases: ['{URL}']\n",
    "merged": f"resources: [../base]\n<<: {{resources: ['{URL}']}}\n",
    "said twice": f"resources: ['{URL}']\nresources: [../base]\n",
    "behind a tag": f"resources: [../base, !!binary {b64encode(URL.encode()).decode()}]\n",
    "a repository": "resources: [../base]\ncomponents: ['git@host.example:acme/parts//part?ref=v1']\n",
    "inline plugin": f'resources: [../base]\ngenerators: ["{GENERATOR}"]\n',
    "plugin in a file": "resources: [../base]\ngenerators: [g.yaml]\n",
    "below": "resources: [../base, ../remote]\n",
}


def tree(root: Path, overlay: str) -> Path:
    write_files(
        root,
        {
            "base/kustomization.yaml": "resources: [a.yaml]\n",
            "base/a.yaml": OBJECT,
            "remote/kustomization.yaml": f"resources: ['{URL}']\n",
            "overlay/kustomization.yaml": overlay,
            "overlay/g.yaml": GENERATOR,
        },
    )
    return root


@pytest.mark.parametrize("form", FETCHING)
def test_what_would_be_fetched_is_not_built(tmp_path: Path, form: str) -> None:
    space = Workspace(Tree(tree(tmp_path / "t", FETCHING[form])), "overlay", (), tmp_path / "w")
    for _ in range(2):  # and no less the second time
        with pytest.raises(Unbuildable) as caught:
            space.state(())
        assert caught.value.reason == "not_reachable"
    with pytest.raises(Unbuildable):
        space.original()


def test_what_was_not_built_is_unjudged(tmp_path: Path) -> None:
    before = tree(tmp_path / "before", "resources: [../base]\nnamePrefix: our-\n")
    after = tree(tmp_path / "after", f"{FETCHING['inline plugin']}namePrefix: our-\n")
    (overlay,) = verify_trees(before, after, ["overlay"], upstream=["base"]).overlays
    assert not overlay.after.ok
    assert {item.verdict for item in overlay.items} == {Verdict.UNJUDGED}
    assert {item.reason for item in overlay.items} == {"not_reachable"}
    assert "overlay/kustomization.yaml:2" in overlay.items[0].why


@pytest.mark.parametrize(
    ("chart", "said"),
    [
        ("{name: web, repo: 'https://charts.example', version: 1.0.0}", "was not fetched"),
        ("{name: local, releaseName: '-x'}", "option"),
        ("{name: local, namespace: '--debug'}", "option"),
        ("{name: web, version: '-1', repo: 'https://charts.example'}", "option"),
        ("{name: '../../../etc'}", "no chart found"),
        ("{name: local, valuesFile: '/etc/hostname'}", "not in or below"),
        ("{name: local, valuesFile: ../base/a.yaml}", "not in or below"),
        ("{name: local, additionalValuesFiles: ['-x']}", "option"),
        ("{name: local, apiVersions: ['--debug']}", "option"),
        ("{name: local, valuesFile: 'https://host.example/v.yaml'}", "was not fetched"),
        ("{name: local, valuesInline: {a: 1}, valuesMerge: other}", "must be one of"),
    ],
)
def test_charts_take_nothing_from_elsewhere_and_no_options(tmp_path: Path, chart: str, said: str) -> None:
    root = tree(tmp_path / "t", f"resources: [../base]\nhelmCharts: [{chart}]\n")
    local = {"Chart.yaml": "apiVersion: v2\nname: local\nversion: 1.0.0\n", "values.yaml": "a: 1\n"}
    write_files(root / "overlay/charts/local", local)
    with pytest.raises(Unbuildable, match=said):
        Workspace(Tree(root), "overlay", (), tmp_path / "w").state(())
