"""``init`` on a repository made of the shapes that real ones have, and on each way of naming an upstream."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from upstreamsync.config import load_configuration
from upstreamsync.discover import look_through
from upstreamsync.testing import World, kustomization, write_files

SCHEMA = Path(__file__).resolve().parents[2] / "src/upstreamsync/report/schemas/init.v1.json"


def application(name: str, *, kind: str = "Application", **spec: Any) -> str:
    template = {"template": {"spec": spec}} if kind == "ApplicationSet" else spec
    head = {"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": {"name": name}}
    return yaml.safe_dump({**head, "spec": template}, sort_keys=False)


def upstream(world: World) -> None:
    """What the team's repository names, each at the version that the team has, and a newer one of one chart."""
    for name, version in (
        ("loki", "2.10.0"),
        ("promtail", "3.0.1"),
        ("adapter", "2.12.1"),
        ("rook", "1.5.1"),
    ):
        world.chart("charts", name, version)
    world.chart("charts", "adapter", "2.13.0")
    world.oci_chart("org/multi", "1.2.3")
    world.oci_image("org/squid", ["1.10", "1.9"])
    world.git("team/snapshotter").commit({"config/crd/kustomization.yaml": "resources: []\n"}, tag="v8.1.0")
    world.git("team/topolvm").commit({"deploy/manifests/a.yaml": "a: 1\n"}, tag="v0.7.0")
    for name, tag in (
        ("argoproj/argo-cd", "v1.8.3"),
        ("jetstack/cert-manager", "v1.1.0"),
        ("kubernetes-sigs/metrics", "kustomize/v5.7.1"),
        ("dexidp/dex", "v2.41.1"),
        ("kserve/kserve", "v0.15.0"),
    ):
        world.github.repository(name).release(tag)


def team(world: World) -> dict[str, str]:
    """The shapes of real repositories that are declared in YAML, then those in scripts."""
    charts = f"{world.url}/charts"
    return {
        "argocd/base/kustomization.yaml": kustomization(
            resources=[
                "https://raw.githubusercontent.com/argoproj/argo-cd/v1.8.3/manifests/install.yaml",
                "https://raw.githubusercontent.com/argoproj/argo-cd/v1.8.3/manifests/crds/install.yaml",
                f"{world.url}/git/team/snapshotter.git//config/crd?ref=v8.1.0",
                "../local",
            ],
            images=[
                {"name": f"127.0.0.1:{world.port}/org/squid", "newTag": "1.10"},
                {"name": "x", "newTag": "latest"},
            ],
        ),
        "cert-manager/base/kustomization.yaml": kustomization(
            resources=["https://github.com/jetstack/cert-manager/releases/download/v1.1.0/cert-manager.yaml"]
        ),
        "cert-manager/overlay/kustomization.yaml": kustomization(
            resources=["https://github.com/jetstack/cert-manager/releases/download/v1.1.0/cert-manager.yaml"]
        ),
        "logging/base/kustomization.yaml": kustomization(
            helmCharts=[
                {
                    "name": "loki",
                    "repo": charts,
                    "version": "2.10.0",
                    "releaseName": "loki",
                    "namespace": "logging",
                    "valuesFile": "values.yaml",
                    "valuesInline": {"config": {"auth.enabled": False, "limits": [1]}},
                    "includeCRDs": True,
                }
            ]
        ),
        "logging/base/values.yaml": "a: 1\n",
        "rook/base/kustomization.yaml": kustomization(
            helmCharts=[
                {"name": "rook", "repo": charts, "version": "1.5.1", "releaseName": name, "namespace": name}
                for name in ("ceph-hdd", "ceph-ssd")
            ]
        ),
        "argocd-config/base/adapter.yaml": application(
            "adapter", source={"repoURL": charts, "chart": "adapter", "targetRevision": "2.12.1"}
        ),
        "argocd-config/base/others.yaml": application(
            "multi",
            sources=[
                {
                    "repoURL": f"{world.oci_url}/org".removeprefix("oci://"),
                    "chart": "multi",
                    "targetRevision": "1.2.3",
                },
                {"repoURL": "https://github.com/me/gitops", "targetRevision": "main", "ref": "values"},
            ],
        )
        + "---\n"
        + application(
            "set", kind="ApplicationSet", source={"repoURL": charts, "chart": "loki", "targetRevision": "*"}
        ),
        "flux/release.yaml": f"""\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {{name: grafana, namespace: flux-system}}
spec: {{url: {charts}/}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: promtail, namespace: logging}}
spec:
  chart:
    spec:
      chart: promtail
      version: 3.0.1
      sourceRef: {{kind: HelmRepository, name: grafana, namespace: flux-system}}
""",
        "dex/base/upstream/crds.yaml": "# Downloaded from https://raw.githubusercontent.com/dexidp/dex/v2.41.1/crds.yaml\na: 1\n",
        "old/base/upstream/all.yaml": "metadata:\n  labels:\n    helm.sh/chart: grafana-6.1.0\n",
        "node_modules/x/kustomization.yaml": kustomization(
            resources=["https://github.com/a/b//c?ref=v1.0.0"]
        ),
        "Makefile": f"""\
KUSTOMIZE_VERSION := 5.7.1
TOPOLVM ?= v0.7.0
update-topolvm:
\trm -rf /tmp/topolvm
\tgit clone --depth 1 -b $(TOPOLVM) {world.url}/git/team/topolvm.git /tmp/topolvm
\tcp /tmp/topolvm/deploy/manifests/*.yaml topolvm/base/upstream
update-eck:
\tcurl -sLf -o elastic/base/upstream/eck.yaml https://download.elastic.co/downloads/eck/1.4.0/all-in-one.yaml
tools:
\tcurl -sL https://github.com/kubernetes-sigs/metrics/releases/download/kustomize%2Fv$(KUSTOMIZE_VERSION)/k_v$(KUSTOMIZE_VERSION).tar.gz | tar xz
""",
        "scripts/kserve.sh": """\
#!/usr/bin/env bash
set -eu
KSERVE_VERSION="${KSERVE_VERSION:-v0.15.0}"
REPOSITORY=kserve/kserve
curl -fsSL "https://raw.githubusercontent.com/${REPOSITORY}/${KSERVE_VERSION}/install/${KSERVE_VERSION}/kserve.yaml" \\
  -o applications/kserve/kserve.yaml
""",
    }


def run(root: Path, world: World, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "GITHUB_API_URL": f"{world.url}/api/v3",
        "UPSTREAMSYNC_CACHE": str(root.parent / "cache"),
        "NO_COLOR": "1",
    }
    return subprocess.run(
        [sys.executable, "-m", "upstreamsync", *words],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_shapes_of_real_repositories(tmp_path: Path, world: World) -> None:
    root = tmp_path / "team"
    write_files(root, team(world))
    upstream(world)

    done = run(root, world, "init", "--images", "--format", "json")

    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    state = {one["name"]: (one["version"], one["complete"]) for one in document["vendors"]}
    assert state == {
        "adapter": ("2.12.1", True),
        "argo-cd": ("v1.8.3", True),
        "ceph-hdd": ("1.5.1", True),
        "cert-manager": ("v1.1.0", True),
        "dex": ("v2.41.1", True),
        "eck": ("1.4.0", False),
        "grafana": ("6.1.0", False),
        "kserve": ("v0.15.0", True),
        "loki": ("2.10.0", True),
        "set": ("*", False),
        "metrics": ("v5.7.1", True),
        "multi": ("1.2.3", True),
        "promtail": ("3.0.1", True),
        "snapshotter": ("v8.1.0", True),
        "squid-image": (None, True),
        "topolvm": ("v0.7.0", True),
    }
    checked = run(root, world, "check", "--format", "json")
    assert checked.returncode == 1, checked.stdout + checked.stderr
    statuses = {one["name"]: one["status"] for one in json.loads(checked.stdout)["vendors"]}
    assert statuses.pop("adapter") == "outdated"
    assert set(statuses) == {name for name, (_, complete) in state.items() if complete} - {"adapter"}
    assert statuses.pop("dex") == "edited"  # nothing says that its base is upstream's
    assert set(statuses.values()) == {"up-to-date", "not-vendored"}


def test_what_it_writes_is_what_the_places_say(tmp_path: Path, world: World) -> None:
    write_files(tmp_path, team(world))

    start = look_through(tmp_path)

    assert look_through(tmp_path) == start
    (tmp_path / "vendors.yaml").write_text(start.text)
    vendors = {vendor.name: vendor for vendor in load_configuration(tmp_path / "vendors.yaml").vendors}
    entries = {one["name"]: one for one in yaml.safe_load(start.text)["vendors"]}
    assert "squid-image" not in vendors
    bases = [base for vendor in vendors.values() for base in vendor.bases]
    assert len(bases) == len(set(bases))
    assert entries["argo-cd"]["source"] == [
        {"url": "https://raw.githubusercontent.com/argoproj/argo-cd/{version}/manifests/install.yaml"},
        {
            "url": "https://raw.githubusercontent.com/argoproj/argo-cd/{version}/manifests/crds/install.yaml",
            "file": "install-2.yaml",
        },
    ]
    assert entries["loki"]["source"]["helm"] == {
        "repository": f"{world.url}/charts",
        "chart": "loki",
        "release": "loki",
        "namespace": "logging",
        "values": ["logging/base/values.yaml"],
        "set": {r"config.auth\.enabled": False, "config.limits": [1]},
    }
    assert [one["helm"]["namespace"] for one in entries["ceph-hdd"]["source"]] == ["ceph-hdd", "ceph-ssd"]
    assert entries["multi"]["edits"] == [
        {
            "file": "argocd-config/base/others.yaml",
            "path": "(kind=Application,name=multi).spec.sources[0].targetRevision",
            "value": "{version}",
        }
    ]
    assert entries["adapter"]["edits"][0]["path"] == "spec.source.targetRevision"
    assert entries["dex"]["base"] == "dex/base/upstream"
    assert entries["topolvm"]["source"]["git"]["paths"] == ["deploy/manifests/*.yaml"]
    assert entries["topolvm"]["base"] == "topolvm/base/upstream"
    assert entries["kserve"]["source"]["url"].endswith("/kserve/{version}/install/{version}/kserve.yaml")
    assert entries["metrics"]["releases"] == {
        "github": "kubernetes-sigs/metrics",
        "tag": r"^kustomize/(?P<version>[vV]?\d.*)$",
    }
    assert "  # found in argocd-config/base/adapter.yaml:7\n  - name: adapter\n" in start.text
    assert (
        "# found in cert-manager/base/kustomization.yaml:4\n  # found in cert-manager/overlay" in start.text
    )
    assert "  # - name: eck\n" in start.text


def test_each_edit_finds_its_place(tmp_path: Path, world: World) -> None:
    from upstreamsync.base.edits import current_value

    write_files(tmp_path, team(world))
    (tmp_path / "vendors.yaml").write_text(look_through(tmp_path, images=True).text)

    vendors = load_configuration(tmp_path / "vendors.yaml").vendors
    edits = [(vendor.version, edit) for vendor in vendors for edit in vendor.edits]
    edits += [(image.version, edit) for vendor in vendors for image in vendor.images for edit in image.edits]

    assert len(edits) == 7
    for version, edit in edits:
        found = current_value(edit, lambda path: (tmp_path / path).read_bytes())
        assert found.removeprefix("v") == (version or "").removeprefix("v"), edit


@pytest.mark.parametrize(
    ("entry", "source"),
    [
        ("github.com/o/r/deploy?ref=v1.0.0", ("https://github.com/o/r", "deploy")),
        ("https://github.com/o/r//deploy/a?ref=v1.0.0&timeout=90s", ("https://github.com/o/r", "deploy/a")),
        ("git::https://example.com/o/r.git//deploy?ref=v1.0.0", ("https://example.com/o/r.git", "deploy")),
        ("https://gitlab.com/o/r.git/deploy?ref=v1.0.0", ("https://gitlab.com/o/r.git", "deploy")),
        ("git@github.com:o/r.git//deploy?ref=v1.0.0", ("git@github.com:o/r", "deploy")),
        ("ssh://git@example.com/o/r.git?ref=v1.0.0", ("ssh://git@example.com/o/r.git", ".")),
    ],
)
def test_remote_targets(tmp_path: Path, entry: str, source: tuple[str, str]) -> None:
    write_files(tmp_path, {"a/kustomization.yaml": kustomization(resources=[entry])})

    (vendor,) = yaml.safe_load(look_through(tmp_path).text)["vendors"]

    assert vendor["version"] == "v1.0.0"
    assert vendor["name"] == "r"
    assert (vendor["source"]["kustomize"]["repository"], vendor["source"]["kustomize"]["path"]) == source


def test_passwords_stay_where_they_are(tmp_path: Path) -> None:
    files = {
        "a/kustomization.yaml": kustomization(
            resources=["https://me:s3cret@example.com/o/r.git//a?ref=v1.0.0"],
            helmCharts=[{"name": "c", "repo": "https://me:s3cret@charts.example.com", "version": "1.0.0"}],
        ),
        "get.sh": "curl -o b/c.yaml https://me:s3cret@github.com/o/r/releases/download/v1.0.0/x.yaml\n",
    }
    write_files(tmp_path, files)

    text = look_through(tmp_path).text

    assert "s3cret" not in text
    assert len(yaml.safe_load(text)["vendors"]) == 3


def test_a_component_is_taken_as_files(tmp_path: Path) -> None:
    component = "https://github.com/o/r//components/tls?ref=v1.0.0"
    write_files(tmp_path, {"a/kustomization.yaml": kustomization(components=[component])})

    (vendor,) = yaml.safe_load(look_through(tmp_path).text)["vendors"]

    assert vendor["source"] == {"git": {"repository": "https://github.com/o/r", "paths": ["components/tls"]}}


def test_vendors_that_would_share_a_folder(tmp_path: Path) -> None:
    entries = [f"https://github.com/o/{name}//deploy?ref=v1.0.0" for name in ("one", "two")]
    header = "# Fetched from https://raw.githubusercontent.com/o/{}/v1.0.0/a.yaml\na: 1\n"
    write_files(
        tmp_path,
        {
            "a/kustomization.yaml": kustomization(resources=entries),
            "b/upstream/a.yaml": header.format("three"),
            "b/upstream/b.yaml": header.format("four"),
        },
    )

    start = look_through(tmp_path)

    bases = {one.name: (one.base, one.complete) for one in start.proposals}
    assert bases == {
        "one": ("a/upstream", True),
        "two": ("a/upstream-two", True),
        "three": ("b/upstream", True),
        "four": ("b/upstream", False),
    }
    assert "# unsure: `b/upstream` also holds content of `three`" in start.text


def test_a_branch_and_a_commit_are_followed_as_branches(tmp_path: Path) -> None:
    commit = "0123456789012345678901234567890123456789"
    entries = [f"https://github.com/o/one//a?ref={commit}", "https://github.com/o/two//a?ref=release"]
    write_files(tmp_path, {"a/kustomization.yaml": kustomization(resources=entries)})

    one, two = yaml.safe_load(look_through(tmp_path).text)["vendors"]

    assert (one["version"], one["releases"]["branch"]["name"]) == (commit, "main")
    assert (two["version"], two["releases"]["branch"]["name"]) == ("release", "release")


def test_versions_that_yaml_would_misread_are_quoted(tmp_path: Path) -> None:
    chart = {"name": "c", "repo": "https://example.com", "version": "1.10"}
    write_files(tmp_path, {"a/kustomization.yaml": kustomization(helmCharts=[chart])})

    assert '#   version: "1.10"\n' in look_through(tmp_path).text, "to helm, it is a range"


def test_helm_lines(tmp_path: Path) -> None:
    script = """\
#!/bin/sh
V=1.2.3
helm repo add acme https://charts.example.com/
helm template mine acme/tool --version $V -n tools --set a.b=1,c=x --include-crds > tool/base/upstream/tool.yaml
helm pull oci://example.com/charts/other --version 4.5.6 --untar
git clone --branch v0.1.0 https://github.com/o/metrics /tmp/metrics
helm template m /tmp/metrics/docs/helm --set x=true > metrics/base/all.yaml
"""
    write_files(tmp_path, {"update.sh": script})

    entries = {one["name"]: one for one in yaml.safe_load(look_through(tmp_path).text)["vendors"]}

    assert set(entries) == {"mine", "other", "m"}
    assert entries["mine"]["source"] == {
        "helm": {
            "repository": "https://charts.example.com",
            "chart": "tool",
            "release": "mine",
            "namespace": "tools",
            "set": {"a.b": 1, "c": "x"},
        },
        "file": "tool.yaml",
    }
    assert entries["mine"]["edits"][0]["value"] == "{version}"
    assert entries["m"]["source"]["helm"]["git"] == "https://github.com/o/metrics"
    assert entries["m"]["source"]["helm"]["path"] == "docs/helm"


def test_what_it_can_not_read_stays_out(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {
            "a/kustomization.yaml": "resources: [\n",
            "b/kustomization.yaml": b"\xff\xfe",
            "c/kustomization.yaml": "x: &a [1]\nresources: *a\n",
            "d/kustomization.yaml": "# "
            + "x" * (2 * 1024 * 1024)
            + "\nresources: ['github.com/o/r?ref=v1.0.0']\n",
            "e.yaml": "kind: Application\nspec: {{ template }}\n",
            "run.sh": "curl 'unclosed https://github.com/o/r/x.yaml\n",
        },
    )
    (tmp_path / "f").mkdir()
    (tmp_path / "f/kustomization.yaml").symlink_to(tmp_path / "d/kustomization.yaml")

    assert yaml.safe_load(look_through(tmp_path).text) == {"version": 1, "vendors": []}


def test_it_does_not_overwrite(tmp_path: Path, world: World) -> None:
    root = tmp_path / "team"
    write_files(root, {"vendors.yaml": "mine\n"})

    done = run(root, world, "init")

    assert done.returncode == 2
    assert "exists already" in done.stderr
    assert "hint: `--force`" in done.stderr
    assert (root / "vendors.yaml").read_text() == "mine\n"
    assert run(root, world, "init", "--force").returncode == 0
    assert run(root, world, "init", str(root), "--output", "other.yaml").returncode == 0
    assert (root / "other.yaml").read_text() == (root / "vendors.yaml").read_text()
