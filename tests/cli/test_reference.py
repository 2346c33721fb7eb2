"""Vendors that are only referred to, and charts that are vendored as they are."""

from __future__ import annotations

import pytest

from cli.conftest import Bench
from references.conftest import PATCH, Upstreams


@pytest.fixture
def referring(bench: Bench) -> Bench:
    """A remote resource and an Application's targetRevision, both at v1.0.0 of one repository."""
    git = Upstreams(bench.world).git
    bench.configure(
        f"""\
  - name: widget
    version: v1.0.0
    reference: true
    releases: {{git: "{git}"}}
    edits:
      - {{file: app/kustomization.yaml, pattern: 'ref=(v[0-9.]+)', value: "{{version}}"}}
      - {{file: apps/widget.yaml, path: spec.source.targetRevision, value: "{{version}}"}}
"""
    )
    for path, text in {
        "app/kustomization.yaml": f"resources: ['{git}//config/default?ref=v1.0.0']\n{PATCH}",
        "apps/widget.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: widget}\n"
        f"spec:\n  source:\n    repoURL: {git}\n    path: config/default\n    targetRevision: v1.0.0\n",
    }.items():
        (bench.root / path).parent.mkdir(parents=True, exist_ok=True)
        (bench.root / path).write_text(text)
    bench.commit()
    return bench


def test_a_reference_moves_in_place_and_is_judged(referring: Bench) -> None:
    (vendor,) = referring.json("check")["vendors"]
    assert (vendor["status"], vendor["target"]) == ("outdated", "v1.1.0")
    document = referring.json("update", code=1)
    assert document["vendors"][0]["status"] == "updated"
    assert "ref=v1.1.0" in (referring.root / "app/kustomization.yaml").read_text()
    assert "targetRevision: v1.1.0" in (referring.root / "apps/widget.yaml").read_text()
    assert "version: v1.1.0" in (referring.root / "vendors.yaml").read_text()
    assert not list(referring.root.rglob("*.lock.yaml"))
    overlays = {overlay["path"]: overlay for overlay in document["verification"]["overlays"]}
    assert set(overlays) == {"app", "apps/widget.yaml: Application[widget]"}
    (item,) = overlays["app"]["items"]
    assert item["verdict"] in ("misapplied", "rejected")


def test_a_reference_has_edits_and_no_base(bench: Bench) -> None:
    bench.configure(
        "  - {name: widget, version: v1.0.0, reference: true, releases: {git: 'https://example.com/x.git'}, base: x, source: {git: {repository: 'https://example.com/x.git', paths: [a]}}}\n"
    )
    done = bench.run("check")
    assert done.returncode == 2
    assert "is a reference, and has a `base`" in done.stderr
    assert "says nowhere what moves" in done.stderr


def test_a_chart_as_it_is(bench: Bench) -> None:
    """A base of a chart's own files, which a kustomization inflates; local changes to it are found."""
    upstreams = Upstreams(bench.world)
    bench.configure(
        f"""\
  - name: widget
    version: 1.0.0
    source: {{render: false, helm: {{repository: "{upstreams.url}/charts", chart: widget}}}}
    base: app/charts/widget
"""
    )
    app = bench.root / "app"
    app.mkdir()
    (app / "kustomization.yaml").write_text(
        "helmCharts:\n- name: widget\n  releaseName: widget\n  valuesInline: {replicas: 2}\n"
    )
    bench.run("update", "--to", "1.0.0", "widget")  # nothing was there to compare with
    chart = app / "charts/widget"
    assert {path.relative_to(chart).as_posix() for path in chart.rglob("*") if path.is_file()} == {
        "Chart.yaml", "values.yaml", "templates/deployment.yaml",
    }  # fmt: skip
    bench.commit()
    document = bench.json("update", code=1)
    assert document["vendors"][0]["to"] == "1.1.0"
    (overlay,) = document["verification"]["overlays"]
    assert {item["item"]: item["verdict"] for item in overlay["items"]} == {
        "app: helmCharts[widget].valuesInline.replicas": "lost"
    }
    edited = chart / "templates/deployment.yaml"
    edited.write_text(edited.read_text() + "# ours\n")
    (base,) = bench.json("verify", code=1)["bases"]
    assert base["changed_files"] == ["app/charts/widget/templates/deployment.yaml"]


def test_init_tells_renovate_to_leave_the_bases_alone(bench: Bench) -> None:
    bench.publish("v1.0.0")
    url = f"{bench.world.url}/server/v1.0.0/install.yaml"
    (bench.root / "Makefile").write_text(f"update:\n\tcurl -o server/base/install.yaml {url}\n")
    assert "ignorePaths" not in bench.run("init", "--output", "first.yaml").stdout
    (bench.root / "renovate.json").write_text("{}\n")
    done = bench.run("init", "--output", "second.yaml")
    assert done.returncode == 0, done.stderr
    assert 'renovate.json: add `"ignorePaths": ["server/base/**"]`' in done.stdout
