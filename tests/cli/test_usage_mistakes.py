"""What the command line names and is not there is wrong usage: exit 2, and what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROW = "version: 1\nvendors:\n- name: app\n  version: '1.0'\n  base: a/base\n  source: {url: 'https://h.invalid/{version}.yaml'}\n  releases: {github_tags: a/b}\n"


def run(root: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "UPSTREAMSYNC_CACHE": str(root / "cache"), "GITHUB_TOKEN": "x", **environment}
    return subprocess.run(
        [sys.executable, "-m", "upstreamsync", *words],
        cwd=root,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "vendors.yaml").write_text(ROW)
    return tmp_path


def commit(root: Path) -> None:
    for words in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=b@c", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *words], cwd=root, check=True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["verify", "--since", "nope"], "`nope` is not a commit"),
        (["verify", "--since", "--x"], "is not a git revision"),
        (["verify", "--since", "HEAD~7"], "`HEAD~7` is not a commit"),
        (["verify", "--since", "HEAD~7"], "`HEAD` has 1 commit in all"),
        (["pr"], "has no remote `origin`"),
        (["pr", "--forge", "nowhere"], "there is no forge `nowhere`"),
        (["explain", "nope"], "there is no vendor `nope`"),
        (["adopt", ".git"], "no vendor declares the folder `.git`"),
        (["verify", "nowhere"], "there is no folder `nowhere`"),
        (["verify", "--since", ""], "--since names no revision"),
        (["verify", "--budget", "soon"], "a duration is a number and a unit"),
        (["demo", "vendors.yaml"], "is a file"),
        (["update", "--to", "v1"], "--to needs exactly one vendor"),
        (["check", "--format", "sarif"], "no --format sarif"),
        (["check", "-c", "nope.yaml"], "nope.yaml"),
        (["mv", "app", "../x"], "../x"),
        (["promote", "--from", "main", "--to", "main"], "can't be promoted to itself"),
        (["verify", "--html", "/nowhere/page.html"], "/nowhere/page.html"),
    ],
)
def test_in_a_repository(root, words, message):
    commit(root)
    done = run(root, *words, GITHUB_REPOSITORY="a/b")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
    assert message in done.stderr
    assert "hint:" in done.stderr


def test_an_overlay_without_a_vendors_yaml(root):
    (root / "prod").mkdir()
    (root / "prod" / "kustomization.yaml").write_text("namePrefix: a-\n")
    (root / "vendors.yaml").unlink()
    commit(root)
    assert "there is no folder `HEAD~1`" in run(root, "verify", "HEAD~1").stderr
    assert "name its folder, `prod`" in run(root, "verify", "prod/kustomization.yaml").stderr


@pytest.mark.parametrize("words", [["verify", "--since", "HEAD"], ["pr"], ["pr", "--forge", "local"]])
def test_without_a_repository(root, words):
    done = run(root, *words)
    assert done.returncode == 2, done.stderr
    assert "is not in a git repository" in done.stderr


def test_without_a_vendors_yaml(tmp_path):
    assert run(tmp_path, "check").returncode == 2


@pytest.mark.parametrize("verb", [["check"], ["update"], ["adopt"], ["pr", "--forge", "local"]])
def test_a_vendors_yaml_without_vendors_is_said(root, verb):
    (root / "vendors.yaml").write_text("version: 1\nvendors: []\n")
    commit(root)
    done = run(root, *verb)
    assert (done.returncode, "declares no vendor yet" in done.stderr) == (0, True), done.stderr


def test_what_no_option_knows_is_told_in_plain_words(root):
    done = run(root, "check", "--format", "yaml")
    assert (done.returncode, "'yaml' is none of text, json" in done.stderr) == (2, True), done.stderr
    done = run(root, "check", "--jobs", "many")
    assert (done.returncode, "'many' is no whole number" in done.stderr) == (2, True), done.stderr


def test_a_configuration_in_a_folder_above_is_named(root):
    (root / "deep/er").mkdir(parents=True)
    assert "note: ../../vendors.yaml is used" in run(root / "deep/er", "effects").stderr
    assert "is used" not in run(root, "effects").stderr
    assert "is used" not in run(root / "deep/er", "effects", "-c", "../../vendors.yaml").stderr
