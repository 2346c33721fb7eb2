"""`effects`: what each customization does now, what does nothing, and what is not as its author says."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.conftest import Bench

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: widget}
spec:
  replicas: 1
  template:
    spec: {containers: [{name: manager, image: "acme/widget:1"}]}
"""
KUSTOMIZATION = """\
resources: [d.yaml]
images:
- {name: acme/widget, newTag: "2"}   # upstreamsync: expect 1 object
- {name: acme/gone, newTag: "2"}
replicas: [{name: widget, count: 1}]
patches:
# upstreamsync: expect 2 objects
- target: {kind: Deployment}
  patch: |-
    - {op: add, path: /metadata/labels, value: {a: b}}
- path: same.yaml
- target: {kind: StatefulSet}
  patch: |-
    - {op: replace, path: /spec/replicas, value: 3}
"""
SAME = """\
# upstreamsync: expect 0 objects
apiVersion: apps/v1
kind: Deployment
metadata: {name: widget}
spec: {replicas: 1}
"""


@pytest.fixture
def plain(bench: Bench) -> Bench:
    """A repository without a vendors.yaml."""
    app = bench.root / "app"
    app.mkdir()
    (app / "kustomization.yaml").write_text(KUSTOMIZATION)
    (app / "d.yaml").write_text(DEPLOYMENT)
    (app / "same.yaml").write_text(SAME)
    bench.commit()
    return bench


def test_each_customization_says_what_it_does(plain: Bench) -> None:
    document = plain.json("effects", code=1)
    (overlay,) = document["overlays"]
    items = {item["item"]: item for item in overlay["items"]}
    assert {name: item["does"] for name, item in items.items()} == {
        "app: patches[0]": "changes",
        "app: patches[1]": "changes-nothing",
        "app: patches[2]": "matches-nothing",
        "app: replicas[0]": "changes-nothing",
        "app: images[0]": "changes",
        "app: images[1]": "matches-nothing",
    }
    (changed,) = items["app: images[0]"]["objects"]
    assert changed["resource"] == "apps/v1 Deployment widget"
    assert [(one["before"], one["after"]) for one in changed["changes"]] == [
        ("acme/widget:1", "acme/widget:2")
    ]
    assert {name for name, item in items.items() if not item["as_expected"]} == {"app: patches[0]"}
    assert {name: item["expected"] for name, item in items.items() if item["expected"] is not None} == {
        "app: patches[0]": 2,
        "app: patches[1]": 0,
        "app: images[0]": 1,
    }


def test_idle_customizations_matter_only_where_that_is_asked_for(plain: Bench) -> None:
    file = plain.root / "app/kustomization.yaml"
    file.write_text(file.read_text().replace("expect 2 objects", "expect 1 object"))
    assert plain.run("effects").returncode == 0
    assert plain.run("effects", "app").returncode == 0
    strict = plain.run("effects", "app", "--strict")
    assert strict.returncode == 1
    assert "app: images[1]: matches nothing" in strict.stdout
    assert "app: patches[0]: 1 object" in strict.stdout


def test_other_forms(plain: Bench) -> None:
    markdown = plain.run("effects", "--format", "markdown").stdout
    assert "| app: patches[0] (app/kustomization.yaml:10) | 1 object, 2 expected |" in markdown
    github = plain.run("effects", "--format", "github").stdout
    assert "::error file=app/kustomization.yaml,line=10,title=app%3A patches[0]::" in github
    assert "::notice file=app/kustomization.yaml,line=4," in github


def test_what_does_not_build_is_said(plain: Bench) -> None:
    (plain.root / "app/d.yaml").write_text("kind: [\n")
    document = plain.json("effects", code=1)
    items = {item["item"]: item["does"] for item in document["overlays"][0]["items"]}
    assert items["app: resources[d.yaml]"] == "refused"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"app/kustomization.yaml": "resources: [d.yaml\n"}, "app/kustomization.yaml:2:1: not valid YAML"),
        ({"app/kustomization.yaml": "- d.yaml\n"}, "not a kustomization"),
        ({"app/kustomization.yaml": "resources: [d.yaml, ../base]\n"}, "base is not in the repository"),
        (
            {"app/kustomization.yaml": "resources: [../base]\n", "base/kustomization.yaml": "a: [\n"},
            "base/kustomization.yaml:2:1",
        ),
    ],
)
def test_an_overlay_that_can_not_be_read_is_told_of(plain: Bench, files: dict[str, str], words: str) -> None:
    for path, text in files.items():
        (plain.root / path).parent.mkdir(exist_ok=True)
        (plain.root / path).write_text(text)
    document = plain.json("effects", code=1)
    (overlay,) = document["overlays"]
    assert (overlay["path"], overlay["ok"]) == ("app", False)
    assert words in overlay["error"]


def test_verify_holds_a_customization_to_what_it_says(plain: Bench) -> None:
    file = plain.root / "app/kustomization.yaml"
    file.write_text(file.read_text().replace("expect 2 objects", "expect 1 object"))
    second = DEPLOYMENT.replace("widget}", "other}").replace("acme/widget", "acme/other")
    (plain.root / "app/d.yaml").write_text(DEPLOYMENT + "---\n" + second)
    document = plain.json("verify", code=1)
    (item,) = [one for one in document["overlays"][0]["items"] if one["item"] == "app: patches[0]"]
    assert (item["verdict"], item["severity"], item["reason"]) == ("widened", "review", "expectation")


def test_a_folder_that_is_in_no_repository(tmp_path: Path, plain: Bench) -> None:
    assert plain.run("effects", "nowhere").returncode == 2


def test_a_chart_without_helm_leaves_it_unknown_and_says_how_to_get_it(plain: Bench) -> None:
    chart = plain.root / "chart/charts/x"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: x\nversion: 1.0.0\n")
    (chart / "values.yaml").write_text("a: 1\n")
    (chart.parents[1] / "kustomization.yaml").write_text(
        "helmCharts: [{name: x, version: 1.0.0, releaseName: x}]\nnamespace: q\n"
    )
    plain.environment["HELM"] = str(plain.root / "nowhere")
    done = plain.run("effects", "chart")
    assert done.returncode == 3, done.stdout
    assert done.stdout.splitlines()[-4:] == [
        f"  left out chart: x: HELM names `{plain.root}/nowhere`, which is not a program",
        "    hint: correct or unset the environment variable HELM",
        "  chart: namespace: not known chart/kustomization.yaml:2",
        "1 unknown",
    ]
