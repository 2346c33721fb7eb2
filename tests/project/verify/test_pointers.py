"""A file under Git LFS is judged by what it is, on both sides; where one side has but a pointer, that is said."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from upstreamsync.project import Settings
from upstreamsync.project.verify.verification import verify_revision_without_configuration

OBJECT = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\n"
    "spec: {template: {spec: {containers: [{name: main, image: 'h/app:VERSION', args: [--port=80]}]}}}\n"
)
OVERLAY = """\
resources: [../base]
patches:
- patch: |-
    - {op: replace, path: /spec/template/spec/containers/0/args/0, value: --port=81}
  target: {kind: Deployment}
"""
ATTRIBUTES = "base/app.yaml filter=lfs diff=lfs merge=lfs -text\n"


def _pointer(text: str) -> str:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(text)}\n"


def _git(root: Path, *words: str) -> None:
    off = ["-c", "filter.lfs.clean=", "-c", "filter.lfs.smudge=", "-c", "filter.lfs.required=false"]
    user = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run(["git", *off, *user, *words], cwd=root, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path):
    """A repository whose base is a pointer in git; ``keep`` puts a text where LFS keeps what it fetched."""
    root = tmp_path / "repository"
    (root / "base").mkdir(parents=True)
    (root / "overlay").mkdir()
    (root / ".gitattributes").write_text(ATTRIBUTES)
    (root / "overlay/kustomization.yaml").write_text(OVERLAY)
    (root / "base/app.yaml").write_text(_pointer(OBJECT))
    (root / "base/kustomization.yaml").write_text("resources: [app.yaml]\n")
    _git(root, "init", "-q")
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "-m", "A base under LFS")
    return root


def _keep(root: Path, text: str, data: str | None = None) -> None:
    name = hashlib.sha256(text.encode()).hexdigest()
    file = root / ".git/lfs/objects" / name[:2] / name[2:4] / name
    file.parent.mkdir(parents=True)
    file.write_text(text if data is None else data)


def _judged(root: Path, tmp_path: Path):
    settings = Settings(cache_folder=tmp_path / "cache")
    found, _ = verify_revision_without_configuration(
        root, settings, since="HEAD", overlays=lambda _: ["overlay"]
    )
    return [
        (item.verdict, item.reason)
        for overlay in found.overlays
        for item in overlay.items
        if item.field == "patches"
    ], found


@pytest.mark.parametrize("now", [OBJECT, OBJECT.replace("VERSION", "2")])
def test_what_was_fetched_is_what_is_compared(checkout, tmp_path, now):
    _keep(checkout, OBJECT)
    (checkout / "base/app.yaml").write_text(now)
    assert _judged(checkout, tmp_path)[0] == [("ok", None)]


def test_a_patch_that_lost_its_place_is_found(checkout, tmp_path):
    _keep(checkout, OBJECT)
    (checkout / "base/app.yaml").write_text(OBJECT.replace("--port=80", "--verbose, --port=80"))
    ((verdict, _),) = _judged(checkout, tmp_path)[0]
    assert verdict != "ok"


@pytest.mark.parametrize("kept", [None, "something else"])
def test_where_it_was_not_fetched_nothing_is_said_to_be_well(checkout, tmp_path, kept):
    if kept is not None:
        _keep(checkout, OBJECT, kept)
    (checkout / "base/app.yaml").write_text(OBJECT.replace("VERSION", "2"))
    ((verdict, _),), found = _judged(checkout, tmp_path)
    assert verdict == "unjudged"
    assert "is a pointer of Git LFS" in str(found)
