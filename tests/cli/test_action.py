"""The GitHub Action's one step, run as GitHub runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def action(vendored, tmp_path):
    """Run the step with these inputs; returns the exit code, the outputs, and what was printed."""

    def action(command: str, *, arguments: str = "", vendors: str = "", html: bool = False):
        temp = tmp_path / "runner"
        temp.mkdir(exist_ok=True)
        launcher = temp / "upstreamsync"
        launcher.write_text(f'#!/bin/sh\nexec {sys.executable} -m upstreamsync "$@"\n')
        launcher.chmod(0o755)
        environment = {
            **vendored.environment,
            "RUNNER_TEMP": str(temp),
            "GITHUB_OUTPUT": str(temp / "output"),
            "GITHUB_STEP_SUMMARY": str(temp / "summary"),
            "UPSTREAMSYNC_BIN": str(launcher),
            "COMMAND": command,
            "ARGUMENTS": arguments,
            "CONFIG": "vendors.yaml",
            "VENDORS": vendors,
            "HTML": "true" if html else "false",
        }
        done = subprocess.run(
            ["bash", str(ROOT / "scripts/action.sh")],
            cwd=vendored.root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        lines = (temp / "output").read_text().splitlines()
        code, (_, delimiter) = lines[0].removeprefix("exit-code="), lines[1].split("<<")
        result = "\n".join(lines[2 : lines.index(delimiter, 2)])
        summary = (temp / "summary").read_text() if (temp / "summary").is_file() else ""
        return done.returncode, code, json.loads(result), done.stdout + done.stderr, summary, temp

    return action


def test_a_scheduled_run_succeeds_when_a_person_is_needed(vendored, action):
    vendored.publish("v1.0.0", "v1.1.0", container="main")
    vendored.git("clone", "-q", "--bare", ".", "../origin.git")
    vendored.git("remote", "add", "origin", str(vendored.root.parent / "origin.git"))
    code, exit_code, result, printed, summary, temp = action(
        "pr", arguments="--forge local", vendors="server"
    )
    assert (code, exit_code) == (0, "1"), printed
    assert result["schema"] == "upstreamsync/pr/v1"
    assert "::notice" in printed
    assert "misapplied" in summary
    (report,) = (temp / "upstreamsync-reports").iterdir()
    assert "misapplied" in report.read_text()


def test_a_check_of_the_patches_fails_when_a_person_is_needed(vendored, action):
    file = vendored.root / "server/base/install.yaml"
    file.write_text(vendored.deployment("v1.1.0", "main"))
    code, exit_code, result, printed, _, temp = action("verify", arguments="--since HEAD", html=True)
    assert (code, exit_code) == (1, "1"), printed
    assert result["summary"] == {"misapplied": 1}
    assert "::error file=server/overlay/kustomization.yaml" in printed
    assert "misapplied" in (temp / "upstreamsync-page.html").read_text("utf-8")


def test_the_install_step_runs_nothing_of_the_checkout(tmp_path):
    """A pull request from a fork may bring modules named like those that the step runs."""
    steps = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
    script = next(step["run"] for step in steps if step["name"] == "Install")
    checkout, temp = tmp_path / "checkout", tmp_path / "temp"
    for folder in (checkout, temp):
        folder.mkdir()
    for name in (
        "venv",
        "pip",
        "ensurepip",
        "sitecustomize",
        "usercustomize",
        "encodings",
        "runpy",
        "logging",
    ):
        (checkout / name).mkdir()
        for file in ("__init__.py", "__main__.py"):
            (checkout / name / file).write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write('{name} ')\n")
    environment = {
        **os.environ,
        "RUNNER_TEMP": str(temp),
        "WANTED": "",
        "ACTION": str(tmp_path / "no-such-package"),
    }
    done = subprocess.run(
        ["bash", "-c", script], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )
    assert "no-such-package" in done.stderr, done.stderr  # it came as far as that
    assert not (tmp_path / "ran").exists()
