"""examples/workflows/verify.yml on a pull request: action.yml's steps, run as GitHub runs them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from references import test_since
from references.conftest import Repository, Upstreams
from upstreamsync.testing import World

ROOT = Path(__file__).resolve().parents[2]
EXPRESSION = re.compile(r"\$\{\{\s*([\w.]+)\s*\}\}")


class Runner:
    """As much of GitHub's runner as a composite action needs: inputs, expressions, environment files."""

    def __init__(
        self, folder: Path, checkout: Path, event: dict[str, Any], environment: dict[str, str]
    ) -> None:
        self.temp, self.checkout, self.event = folder / "temp", checkout, event
        self.temp.mkdir(parents=True)
        (folder / "event.json").write_text(json.dumps(event))
        self.environment = {
            **environment,
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_ACTIONS": "true",
        }
        # What the step "Install" leaves: the program in a virtual environment below RUNNER_TEMP.
        program = self.temp / "upstreamsync/bin/upstreamsync"
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m upstreamsync "$@"\n')
        program.chmod(0o755)
        self.folder = folder

    def run(self, given: dict[str, str]) -> tuple[int, str, str]:
        """Run the action's own step with these inputs; its code, what was printed, and the step summary."""
        action = yaml.safe_load((ROOT / "action.yml").read_text())
        assert set(given) <= set(action["inputs"]), "the workflow gives inputs that the action does not have"
        inputs = {name: str(given.get(name, one["default"])) for name, one in action["inputs"].items()}
        (step,) = [step for step in action["runs"]["steps"] if step["name"] == "Run"]
        values = {f"inputs.{name}": self._value(value) for name, value in inputs.items()}
        environment = {name: self._value(text, values) for name, text in step["env"].items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.checkout,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        summary = self.folder / "summary"
        return done.returncode, done.stdout + done.stderr, summary.read_text() if summary.is_file() else ""

    def _value(self, text: str, values: dict[str, str] | None = None) -> str:
        def known(match: re.Match[str]) -> str:
            name = match[1]
            if values is not None and name in values:
                return values[name]
            if name == "github.token":
                return self.environment.get("TOKEN", "")
            found: Any = {"github": {"event": self.event}}
            for step in name.split("."):
                found = found.get(step, "") if isinstance(found, dict) else ""
            return str(found)

        return EXPRESSION.sub(known, text)


@pytest.fixture
def pull_request(repository: Repository, upstreams: Upstreams, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """The checkout of a bot's pull request, one commit deep, and the event."""
    form = test_since.FORMS["git"]
    base = repository.commit(form(upstreams, "1.0.0"))
    repository.git("checkout", "-q", "-b", "bot")
    head = repository.commit(form(upstreams, "1.1.0"), "Update widget to 1.1.0")
    repository.git("checkout", "-q", "main")
    repository.git("checkout", "-q", "-b", "merge")
    repository.git("merge", "-q", "--no-ff", "-m", "merge", "bot")
    checkout = tmp_path / "checkout"
    subprocess.run(
        ["git", "clone", "-q", "--depth=1", "--branch", "merge", f"file://{repository.root}", str(checkout)],
        check=True,
    )
    return checkout, {"pull_request": {"number": 7, "base": {"sha": base}, "head": {"sha": head}}}


def inputs_of_the_example() -> dict[str, str]:
    """What the workflow gives the action, and that it needs no more than one commit."""
    workflow = yaml.safe_load((ROOT / "examples/workflows/verify.yml").read_text())
    assert "pull_request" in workflow[True]
    (job,) = workflow["jobs"].values()
    checkout, step = job["steps"]
    assert "fetch-depth" not in checkout["with"]
    given: dict[str, str] = step["with"]
    return given


def environment(world: World, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "UPSTREAMSYNC_CACHE": str(tmp_path / "cache"),
        "GITHUB_API_URL": f"{world.url}/api/v3",
        "GITHUB_REF": "refs/pull/7/merge",
        "GITHUB_REPOSITORY": "acme/gitops",
        "NO_COLOR": "1",
    }


def test_the_example_judges_a_bots_pull_request(
    pull_request: tuple[Path, dict[str, Any]], world: World, tmp_path: Path
) -> None:
    checkout, event = pull_request
    runner = Runner(tmp_path / "runner", checkout, event, environment(world, tmp_path))
    code, printed, summary = runner.run(inputs_of_the_example())
    assert code == 1, printed
    assert "::error file=app/kustomization.yaml,line=5,title=" in printed
    assert "patches[0]" in summary
    assert "exit-code=1" in (tmp_path / "runner/output").read_text()


def test_sarif_and_one_comment(
    pull_request: tuple[Path, dict[str, Any]], world: World, tmp_path: Path
) -> None:
    checkout, event = pull_request
    world.github.token("t0ken")
    repo = world.github.repository("acme/gitops")
    number = repo.open_issue("A pull request, which is an issue as well").number
    event["pull_request"]["number"] = number
    settings = {**environment(world, tmp_path), "TOKEN": "t0ken", "GITHUB_REF": f"refs/pull/{number}/merge"}
    log = tmp_path / "log.sarif"
    for attempt in range(2):
        runner = Runner(tmp_path / f"runner{attempt}", checkout, event, settings)
        code, printed, _ = runner.run({**inputs_of_the_example(), "comment": "true", "sarif": str(log)})
        assert code == 1, printed
    assert json.loads(log.read_text())["runs"][0]["results"]
    (comment,) = repo.issues[number].comments
    assert "app: patches" in (comment.body or "")
