"""The whole job on real upstream content: every base equals upstream's documents, byte for byte."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from upstreamsync.project import Settings, open_project
from upstreamsync.testing import World

PATCH = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../base]
commonAnnotations: {team: platform}
"""


def vendors_yaml(upstream: str, git: str) -> str:
    return f"""\
version: 1
vendors:
  - name: argo-cd
    version: v3.2.7
    source: {{url: "{upstream}/raw/argoproj/argo-cd/{{version}}/manifests/install.yaml"}}
    releases: {{github: argoproj/argo-cd}}
    base: argo-cd/base
  - name: cert-manager
    version: v1.17.4
    source: {{url: "{upstream}/cert-manager/cert-manager/releases/download/{{version}}/cert-manager.yaml"}}
    releases: {{github: cert-manager/cert-manager}}
    base: cert-manager/base
  - name: metallb
    version: v0.14.0
    source: {{url: "{upstream}/metallb/metallb/releases/download/{{version}}/metallb-native.yaml"}}
    releases: {{github: metallb/metallb, tag: '^(?P<version>v[0-9.]+)$'}}
    base: metallb/base
    layout: per-resource
  - name: ingress-nginx
    version: v1.11.5
    source: {{url: "{upstream}/kubernetes/ingress-nginx/releases/download/controller-{{version}}/deploy.yaml"}}
    releases: {{github: kubernetes/ingress-nginx, tag: '^controller-(?P<version>v[0-9.]+)$'}}
    base: ingress-nginx/base
  - name: ingress-nginx-page
    version: v1.11.5
    source:
      docs:
        url: "{upstream}/docs/ingress-nginx/controller-{{version}}/install-highlighted.html"
        blocks:
          - {{file: 1.yaml, language: yaml, heading: Step 1}}
          - {{file: 2.yaml, language: yaml, heading: Step 2}}
          - {{file: 3.yaml, language: yaml, heading: Step 3}}
          - {{file: 4.yaml, language: yaml, heading: Step 4}}
    releases: {{github: kubernetes/ingress-nginx, tag: '^controller-(?P<version>v[0-9.]+)$'}}
    base: ingress-nginx-page/base
  - name: kube-state-metrics
    version: v2.14.0
    source: {{git: {{repository: "{git}", paths: [examples/standard/*.yaml]}}}}
    base: kube-state-metrics/base
  - name: metrics-server
    version: 3.12.1
    source:
      url: "{upstream}/kubernetes-sigs/metrics-server/releases/download/metrics-server-helm-chart-{{version}}/components.yaml"
    releases: {{github: kubernetes-sigs/metrics-server, tag: '^metrics-server-helm-chart-(?P<version>.+)$'}}
    base: metrics-server/base
  - name: kube-prometheus-stack
    version: 87.19.0
    source:
      url: "{upstream}/prometheus-community/kube-prometheus-stack/releases/download/{{version}}/manifests.yaml"
    releases: {{github: prometheus-community/kube-prometheus-stack}}
    base: kube-prometheus-stack/base
"""


NEWEST = {
    "argo-cd": "v3.4.7",  # v3.5.0 is listed, but its files are not there
    "cert-manager": "v1.20.2",
    "metallb": "v0.15.3",
    "ingress-nginx": "v1.15.0",
    "ingress-nginx-page": "v1.15.0",
    "kube-state-metrics": "v2.20.0",
    "metrics-server": "3.13.0",
    "kube-prometheus-stack": "88.5.0",
}


@pytest.fixture(scope="module")
def git_world(content: Path):
    """kube-state-metrics as a git repository, made from the raw files: one tag a version."""
    with World() as world:
        remote = world.git("kube-state-metrics")
        folder = content / "data/base/raw/kubernetes/kube-state-metrics"
        for version in sorted(
            folder.iterdir(), key=lambda path: [int(n) for n in re.findall(r"\d+", path.name)]
        ):
            files = {
                path.relative_to(version).as_posix(): path.read_bytes()
                for path in sorted(version.rglob("*"))
                if path.is_file()
            }
            remote.commit(files, version.name, tag=version.name)
        yield world


@pytest.fixture
def repository(tmp_path: Path, upstream: str, git_world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A GitOps repository at the older versions, committed, with a bare origin."""
    monkeypatch.setenv("GITHUB_API_URL", f"{upstream}/api/v3")
    root = tmp_path / "gitops"
    root.mkdir()
    (root / "vendors.yaml").write_text(vendors_yaml(upstream, git_world.git("kube-state-metrics").url))
    for name in NEWEST:
        (root / name / "overlay").mkdir(parents=True)
        (root / name / "overlay" / "kustomization.yaml").write_text(PATCH)
    with open_project(root, settings=Settings(cache_folder=tmp_path / "cache")) as project:
        for vendor in project.configuration.vendors:
            changes = project.update([vendor.name], to=vendor.version)
            assert [update.error for update in changes.updates] == [None]
            changes.write()
    for words in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        ["-c", "user.name=Team", "-c", "user.email=team@example.com", "commit", "-qm", "Vendor"],
    ):
        subprocess.run(["git", *words], cwd=root, check=True)
    subprocess.run(["git", "clone", "-q", "--bare", str(root), str(tmp_path / "origin.git")], check=True)
    subprocess.run(["git", "remote", "add", "origin", str(tmp_path / "origin.git")], cwd=root, check=True)
    return root


def run(root: Path, *words: str, code: int | tuple[int, ...] = 0) -> dict:
    """One command line, as JSON."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "upstreamsync",
            *words,
            "--format",
            "json",
            "--cache-dir",
            str(root.parent / "cache"),
        ],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    expected = (code,) if isinstance(code, int) else code
    assert done.returncode in expected, done.stderr
    return json.loads(done.stdout)


def upstream_documents(content: Path, vendor: str, version: str) -> list[bytes]:
    """What upstream published, as documents."""
    assets = content / "data/base/assets"
    file = {
        "argo-cd": f"argoproj/argo-cd/{version}/install.yaml",
        "cert-manager": f"cert-manager/cert-manager/{version}/cert-manager.yaml",
        "metallb": f"metallb/metallb/{version}/metallb-native.yaml",
        "ingress-nginx": f"kubernetes/ingress-nginx/controller-{version}/deploy.yaml",
        "ingress-nginx-page": f"kubernetes/ingress-nginx/controller-{version}/deploy.yaml",
        "metrics-server": f"kubernetes-sigs/metrics-server/metrics-server-helm-chart-{version}/components.yaml",
        "kube-prometheus-stack": f"prometheus-community/kube-prometheus-stack/{version}/manifests.yaml",
    }.get(vendor)
    if file is not None:
        return documents(assets.joinpath(file).read_bytes())
    folder = content / f"data/base/raw/kubernetes/kube-state-metrics/{version}/examples/standard"
    return [one for path in sorted(folder.glob("*.yaml")) for one in documents(path.read_bytes())]


def documents(text: bytes) -> list[bytes]:
    parts = re.split(rb"(?m)^---[ \t]*$", text)
    return [part.strip(b"\n") for part in parts if part.strip()]


def base_documents(base: Path) -> list[bytes]:
    found: list[bytes] = []
    for path in sorted(base.rglob("*.yaml")):
        if path.name == "kustomization.yaml" and b"kind: Kustomization" in path.read_bytes():
            continue
        found += documents(path.read_bytes())
    return found


def test_every_vendor_moves_to_the_newest_complete_release(repository: Path, content: Path):
    checked = run(repository, "check")
    assert {vendor["name"]: vendor["target"] for vendor in checked["vendors"]} == NEWEST
    argo = checked["vendors"][0]
    reasons = {one["version"]: one["reason"] for one in argo["passed_over"]}
    assert "incomplete upstream" in reasons["v3.5.0"]

    before = subprocess.run(
        ["git", "status", "--porcelain"], cwd=repository, capture_output=True, check=True
    ).stdout
    assert before == b""
    updated = run(repository, "update", code=(0, 1))
    assert {vendor["name"]: vendor["to"] for vendor in updated["vendors"]} == NEWEST
    for name, version in NEWEST.items():
        assert sorted(base_documents(repository / name / "base")) == sorted(
            upstream_documents(content, name, version)
        ), name

    changed = subprocess.run(
        ["git", "diff", "--stat"], cwd=repository, capture_output=True, check=True
    ).stdout
    again = run(repository, "update")
    assert {vendor["status"] for vendor in again["vendors"]} == {"unchanged"}
    assert (
        subprocess.run(["git", "diff", "--stat"], cwd=repository, capture_output=True, check=True).stdout
        == changed
    )


def test_verify_sees_the_update_and_builds_nothing_when_nothing_changed(repository: Path):
    quiet = run(repository, "verify")
    assert {base["pristine"] for base in quiet["bases"]} == {True}
    assert sum(overlay["builds"] for overlay in quiet["overlays"]) == 0
    run(repository, "update", "metallb", "cert-manager", code=(0, 1))
    seen = run(repository, "verify", "--no-cache", code=(0, 1))
    built = {overlay["path"] for overlay in seen["overlays"] if overlay["builds"]}
    assert built == {"metallb/overlay", "cert-manager/overlay"}
    items = [item for overlay in seen["overlays"] for item in overlay["items"]]
    # cert-manager's Job is a helm hook, and its template is immutable to whoever knows no hooks.
    told = [item for item in items if item["verdict"] not in {"ok", "widened"}]
    assert [(item["verdict"], item["reason"]) for item in told] == [("rejected", "immutable_field")]
    assert all("Job" in name for item in told for name in item["resources"])


def test_pull_requests_become_branches_and_a_second_run_changes_nothing(repository: Path):
    first = run(repository, "pr", "--forge", "local", code=(0, 1))
    assert {one["vendor"]: one["to"] for one in first["proposals"]} == NEWEST
    assert {one["action"] for one in first["proposals"]} == {"opened"}
    status = subprocess.run(["git", "status", "--porcelain"], cwd=repository, capture_output=True, check=True)
    assert status.stdout == b""
    second = run(repository, "pr", "--forge", "local", code=(0, 1))
    assert {one["action"] for one in second["proposals"]} == {"unchanged"}
