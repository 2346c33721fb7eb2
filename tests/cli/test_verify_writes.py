"""`verify --fix` and `verify --add-guards`: what is written into the user's patches, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from upstreamsync.kit.run.engines import Engines


def deployment(*containers: str) -> str:
    listed = "".join(
        f"      - name: {name}\n        image: example.com/{name}:1\n        resources: {{limits: {{memory: 1Gi}}}}\n"
        for name in containers
    )
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\nspec:\n  selector: {matchLabels: {a: b}}\n"
        f"  template:\n    metadata: {{labels: {{a: b}}}}\n    spec:\n      containers:\n{listed}"
    )


KUSTOMIZATION = """\
resources: [../base]
patches:
# ours, since the incident
- target: {kind: Deployment, name: app}
  patch: |-
    - op: replace
      path: /spec/template/spec/containers/0/resources/limits/memory
      value: 2Gi
"""


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for side, containers in (("old", ("app",)), ("new", ("agent", "app"))):
        for path, text in (
            ("base/kustomization.yaml", "resources: [all.yaml]\n"),
            ("base/all.yaml", deployment(*containers)),
            ("overlay/kustomization.yaml", KUSTOMIZATION),
        ):
            (tmp_path / side / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / side / path).write_text(text)
    return tmp_path


def verify(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "upstreamsync", "verify", "--before", "old", "--after", "new", "overlay", *words],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_fix_moves_the_index_and_leaves_the_rest_of_the_file(folders: Path):
    first = verify(folders)
    assert first.returncode == 1
    assert "misapplied" in first.stdout
    file = folders / "new/overlay/kustomization.yaml"
    assert file.read_text() == KUSTOMIZATION
    assert verify(folders, "--fix").returncode == 1
    assert file.read_text() == KUSTOMIZATION.replace("containers/0/", "containers/1/")
    assert (folders / "old/overlay/kustomization.yaml").read_text() == KUSTOMIZATION


def test_guards_make_kustomize_itself_refuse_another_element(folders: Path):
    (folders / "new/base/all.yaml").write_text(deployment("app"))
    assert verify(folders, "--add-guards").returncode == 0
    guarded = (folders / "new/overlay/kustomization.yaml").read_text()
    assert "op: test" in guarded
    assert "# ours, since the incident" in guarded
    kustomize = Engines().kustomize()
    assert b"2Gi" in kustomize.build(folders / "new/overlay", root=folders / "new")
    (folders / "new/base/all.yaml").write_text(deployment("agent", "app"))
    with pytest.raises(Exception, match="test"):
        kustomize.build(folders / "new/overlay", root=folders / "new")


def test_a_dry_run_shows_the_correction_and_writes_nothing(folders: Path):
    done = verify(folders, "--fix", "--dry-run")
    assert done.returncode == 1
    assert "would correct overlay/kustomization.yaml" in done.stdout
    assert "-      path: /spec/template/spec/containers/0/resources/limits/memory" in done.stdout
    assert "+      path: /spec/template/spec/containers/1/resources/limits/memory" in done.stdout
    assert (folders / "new/overlay/kustomization.yaml").read_text() == KUSTOMIZATION
    assert "corrected overlay/kustomization.yaml" in verify(folders, "--fix").stdout
    assert verify(folders, "--dry-run").returncode == 2
