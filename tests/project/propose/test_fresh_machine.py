"""A workflow that begins on a fresh machine each time, without a cache, takes releases after their cooldown."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from upstreamsync.kit.git.notes import REF
from upstreamsync.model import Action, Status
from upstreamsync.project import Settings, open_project
from upstreamsync.project.propose.propose import Proposed, ProposeOptions, propose_from_branch
from upstreamsync.testing import Fault, GitOps, World

#: Commits of the world's repositories are made in the first minutes of this day.
DAY = datetime(2024, 1, 1, tzinfo=UTC)


class Workflow:
    """Runs of `pr`, each from a new clone with a new cache, at the time that is given."""

    def __init__(self, tmp: Path, world: World, gitops: GitOps) -> None:
        self.tmp, self.world, self.gitops = tmp, world, gitops
        self.numbers = count()

    def begin(self, *rows: str) -> None:
        text = "".join(rows).replace("WORLD", self.world.url)
        self.gitops.write({"vendors.yaml": f"version: 1\ndefaults: {{cooldown: 3d}}\nvendors:\n{text}"})
        with open_project(self.gitops.path, settings=self.settings(self.tmp / "start", 0.1)) as project:
            project.update().write()
        self.gitops.commit("Start")

    def publish(self, name: str, *versions: str) -> None:
        for version in versions:
            manifest = (
                f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{v: '{version}'}}\n"
            )
            self.world.file(f"{name}/{version}.yaml", manifest)

    def clone(self) -> Path:
        folder = self.tmp / f"machine-{next(self.numbers)}"
        subprocess.run(["git", "clone", "-q", "--depth=1", self.gitops.origin.url, folder], check=True)
        return folder

    def settings(self, folder: Path, days: float) -> Settings:
        environment = {
            **os.environ,
            "GITHUB_TOKEN": "any",
            "GITHUB_API_URL": self.world.github.url,
            "GITHUB_REPOSITORY": "acme/gitops",
        }
        now = DAY + timedelta(days=days)
        return Settings(cache_folder=folder.with_suffix(".cache"), environment=environment, now=now)

    def run(self, days: float, **options) -> Proposed:
        folder = self.clone()
        with open_project(folder, settings=self.settings(folder, days)) as project:
            return propose_from_branch(project.session, (), ProposeOptions(**options))

    def check(self, days: float) -> dict[str, Status]:
        folder = self.clone()
        subprocess.run(["git", "fetch", "-q", "origin", f"+{REF}:{REF}"], cwd=folder, check=False)
        with open_project(folder, settings=self.settings(folder, days)) as project:
            return {one.vendor: one.status for one in project.check()}


def moved(proposed: Proposed) -> dict[str, str]:
    assert not proposed.failures, proposed.failures
    assert all(
        one.action in (Action.OPENED, Action.UPDATED, Action.UNCHANGED) for one in proposed.pull_requests
    )
    return {one.vendor: one.after for one in proposed.pull_requests}


DATED = """\
- name: dated
  version: v1.0.0
  base: dated/base
  source: {url: "WORLD/dated/{version}.yaml"}
  releases: {git: WORLD/git/dated.git}
"""
UNDATED = """\
- name: undated
  version: 1.0.0
  base: undated/base
  source: {url: "WORLD/undated/{version}.yaml"}
  releases: {json: {url: WORLD/undated/versions.json, path: "[*]"}}
"""


@pytest.fixture
def workflow(tmp_path: Path, world: World, gitops: GitOps) -> Workflow:
    flow = Workflow(tmp_path, world, gitops)
    flow.publish("dated", "v1.0.0", "v1.1.0")
    flow.publish("undated", "1.0.0", "1.1.0", "1.2.0")
    dated = world.git("dated")
    dated.commit({"x": "1"}, tag="v1.0.0")
    dated.commit({"x": "2"})
    dated.tag("v1.1.0")
    world.file("undated/versions.json", '["1.0.0", "1.1.0"]', modified=None)
    flow.begin(DATED, UNDATED)
    return flow


def test_dated_and_undated_releases_are_taken_after_their_cooldown(workflow):
    first = workflow.run(1)
    assert moved(first) == {}
    assert first.remarks[-1] == "1 version without a date was never seen before: the cooldown begins now"
    assert moved(workflow.run(3.5)) == {"dated": "v1.1.0"}, "by the date of its commit"
    assert moved(workflow.run(3.99)) == {"dated": "v1.1.0"}
    assert moved(workflow.run(4)) == {"dated": "v1.1.0", "undated": "1.1.0"}, "by its first sight"


def test_a_version_that_comes_later_waits_by_itself(workflow, world):
    workflow.run(1)
    world.file("undated/versions.json", '["1.0.0", "1.1.0", "1.2.0"]', modified=None)
    workflow.run(3)
    assert moved(workflow.run(5))["undated"] == "1.1.0"
    assert moved(workflow.run(6))["undated"] == "1.2.0"


def test_what_is_kept_can_be_read_and_holds_what_still_matters(workflow, world):
    world.file("undated/versions.json", '["0.8.0", "0.9.0", "1.0.0", "1.1.0"]', modified=None)
    workflow.run(1)
    folder = workflow.clone()
    subprocess.run(["git", "fetch", "-q", "origin", f"+{REF}:{REF}"], cwd=folder, check=True)
    words = ["git", "notes", f"--ref={REF}", "show", "4b825dc642cb6eb9a060e54bf8d69288fbee4904"]
    text = subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True).stdout
    assert '"schema": "upstreamsync/first-seen/v1"' in text
    assert '"1.1.0": "2024-01-02T00:00:00Z"' in text
    assert "0.9.0" not in text
    assert "v1.1.0" not in text
    assert [ref for ref in workflow.gitops.origin.refs() if not ref.startswith("refs/heads/")] == [REF]


def test_nothing_new_writes_nothing(workflow):
    workflow.run(1)
    before = workflow.gitops.origin.refs()
    workflow.run(1.5)
    assert workflow.gitops.origin.refs() == before


def test_a_dry_run_leaves_no_trace(workflow):
    workflow.run(1, dry_run=True)
    assert REF not in workflow.gitops.origin.refs()


def test_check_finds_it_too(workflow):
    workflow.run(1)
    assert workflow.check(3) == {"dated": Status.PENDING, "undated": Status.PENDING}
    assert workflow.check(4) == {"dated": Status.OUTDATED, "undated": Status.OUTDATED}


def test_a_push_that_is_refused_is_told_and_fails_nothing(workflow, world):
    world.fault("*/git-receive-pack", Fault.status(403), method="POST")
    proposed = workflow.run(1)
    assert not proposed.failures
    assert f"could not be kept in {REF}" in proposed.remarks[-1]


def test_two_runs_at_once_lose_nothing(workflow, world):
    """Another run pushes between our look and our push."""
    other = workflow.clone()
    with open_project(other, settings=workflow.settings(other, 1)) as project:
        workflow.run(0.5)
        done = propose_from_branch(project.session, (), ProposeOptions())
    assert not any("could not be kept" in remark for remark in done.remarks)
    assert moved(workflow.run(3.5))["undated"] == "1.1.0"


def test_an_address_with_a_password_is_not_written_down(workflow, world):
    row = UNDATED.replace("{url: WORLD/undated", "{url: USER/undated")
    row = row.replace("USER", world.url.replace("://", "://user:s3cret-word@"))
    workflow.begin(row)
    workflow.run(1)
    folder = workflow.clone()
    subprocess.run(["git", "fetch", "-q", "origin", f"+{REF}:{REF}"], cwd=folder, check=True)
    words = ["git", "log", "-p", REF]
    text = subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True).stdout
    assert "1.1.0" in text
    assert "s3cret" not in text
    assert moved(workflow.run(4))["undated"] == "1.1.0"
