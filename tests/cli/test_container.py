"""Containerfile, the hooks for pre-commit and the template for GitLab: their steps, run without an engine."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import yaml

from cli.conftest import Bench
from cli.test_effects import DEPLOYMENT

ROOT = Path(__file__).resolve().parents[2]


def instructions() -> list[tuple[str, str]]:
    """The Containerfile's instructions, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Containerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1].strip()) for line in lines if line.strip()]


@pytest.fixture
def app(bench: Bench) -> Bench:
    folder = bench.root / "app"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(
        "resources: [d.yaml]\nimages: [{name: acme/widget, newTag: '2'}]\n"
    )
    (folder / "d.yaml").write_text(DEPLOYMENT)
    bench.commit()
    return bench


def test_the_image_runs_as_nobody_in_particular() -> None:
    found = instructions()
    users = [value for name, value in found if name == "USER"]
    assert users
    assert users[-1] not in ("root", "0")
    assert ("ENTRYPOINT", '["upstreamsync"]') in found
    after = [value for name, value in found[found.index(("USER", users[-1])) :] if name == "RUN"]
    assert "upstreamsync doctor --install" in after
    ignored = (ROOT / ".containerignore").read_text().splitlines()
    assert ignored[0] == "*"  # nothing comes in that is not named
    assert all((ROOT / line.removeprefix("!")).exists() for line in ignored[1:])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_images_steps_make_a_program_that_works(app: Bench, tmp_path: Path) -> None:
    """The wheel is built and installed from what was built, as the two stages do."""
    steps = [value for name, value in instructions() if name == "RUN"]
    (build,) = [step for step in steps if " pip wheel " in step]
    (install,) = [step for step in steps if "pip install" in step]
    wheels, home = tmp_path / "wheels", tmp_path / "venv"
    places = {"/wheels": str(wheels), "/src": str(ROOT)}
    words = [places.get(word, word) for word in shlex.split(build)]
    subprocess.run([sys.executable, *words[1:]], check=True, cwd=tmp_path)
    venv.create(home, with_pip=True)
    words = [places.get(word, word) for word in shlex.split(install) if not word.startswith("--mount")]
    subprocess.run([str(home / "bin/python"), *words[1:]], check=True, cwd=tmp_path)
    done = subprocess.run(
        [str(home / "bin/upstreamsync"), "effects", "--format", "json"],
        cwd=app.root,
        env=app.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["summary"] == {"changes": 1}


def entry_points(words: str, app: Bench) -> subprocess.CompletedProcess[str]:
    command = shlex.split(words)
    assert command[0] == "upstreamsync"
    return app.run(*command[1:])


def test_the_hooks_do_what_they_say(app: Bench) -> None:
    hooks = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    assert set(hooks) == {"upstreamsync-verify", "upstreamsync-effects"}
    assert all(hook["language"] == "python" and not hook["pass_filenames"] for hook in hooks.values())
    for hook in hooks.values():
        assert entry_points(hook["entry"], app).returncode == 0
    (app.root / "app/d.yaml").write_text(DEPLOYMENT.replace("acme/widget", "acme/renamed"))
    for hook in hooks.values():
        done = entry_points(hook["entry"], app)
        assert done.returncode == 1, done.stdout


def test_the_template_for_gitlab_writes_its_reports(app: Bench) -> None:
    template = yaml.safe_load((ROOT / "examples/gitlab/upstreamsync.gitlab-ci.yml").read_text())
    job = template["upstreamsync"]
    (script,) = job["script"]
    base = app.git("rev-parse", "HEAD").strip()
    (app.root / "app/d.yaml").write_text(DEPLOYMENT.replace("acme/widget", "acme/renamed"))
    launcher = app.root.parent / "bin/upstreamsync"
    launcher.parent.mkdir()
    launcher.write_text(f'#!/bin/sh\nexec {sys.executable} -m upstreamsync "$@"\n')
    launcher.chmod(0o755)
    environment = {
        **app.environment,
        "PATH": f"{launcher.parent}:{os.environ['PATH']}",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
    }
    done = subprocess.run(
        ["bash", "-c", script], cwd=app.root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    reports = job["artifacts"]["reports"]
    quality = json.loads((app.root / reports["codequality"]).read_text())
    assert [one["location"]["path"] for one in quality] == ["app/kustomization.yaml"]
    assert "<failure" in (app.root / reports["junit"]).read_text()
