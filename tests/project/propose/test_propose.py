"""From the branch to the pull request: what `pr` does with the user's repository."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from upstreamsync.errors import RepositoryError
from upstreamsync.kit.run.engines import Engines
from upstreamsync.model import Action
from upstreamsync.project import Settings, open_project
from upstreamsync.project.propose.propose import Proposed, ProposeOptions, propose_from_branch
from upstreamsync.testing import World


def git(root: Path, *words: str) -> str:
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.com"]
    return subprocess.run(
        ["git", *identity, *words], cwd=root, check=True, capture_output=True, text=True
    ).stdout


class Bench:
    """A repository whose vendors.yaml may lie in a folder, with a bare origin, and one vendor."""

    def __init__(self, tmp: Path, world: World, folder: str = "") -> None:
        self.world, self.git_root = world, tmp / "gitops"
        self.root = self.git_root / folder
        self.root.mkdir(parents=True)
        self.settings = Settings(cache_folder=tmp / "cache", environment={**os.environ})

    def publish(self, *versions: str) -> None:
        for version in versions:
            self.world.file(
                f"app/{version}/app.yaml",
                f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: app}}\ndata: {{v: '{version}'}}\n",
            )
        self.world.file("app/index.html", " ".join(f"app {version};" for version in versions))

    def start(self, extra: str = "") -> None:
        (self.root / "vendors.yaml").write_text(
            f"version: 1\nvendors:\n  - name: app\n    version: 1.0.0\n    base: app/base\n"
            f"    source: {{url: '{self.world.url}/app/{{version}}/app.yaml'}}\n"
            f"    releases: {{page: {{url: '{self.world.url}/app/index.html', pattern: 'app (?P<version>[^;]+)'}}}}\n{extra}"
        )
        overlay = self.root / "app/overlay"
        overlay.mkdir(parents=True)
        (overlay / "kustomization.yaml").write_text("resources: [../base]\nnamePrefix: my-\n")
        with open_project(self.root, settings=self.settings) as project:
            project.update().write()
        git(self.git_root, "init", "-q", "-b", "main")
        git(self.git_root, "add", "-A")
        git(self.git_root, "commit", "-qm", "Start")
        subprocess.run(
            ["git", "clone", "-q", "--bare", self.git_root, self.git_root.parent / "origin.git"], check=True
        )
        git(self.git_root, "remote", "add", "origin", str(self.git_root.parent / "origin.git"))
        git(self.git_root, "fetch", "-q", "origin")

    def pr(self, **options: object):
        proposed = self.attempt(**options)
        assert not proposed.failures
        return proposed

    def attempt(self, **options: object) -> Proposed:
        """Vendors may fail."""
        with open_project(self.root, settings=self.settings) as project:
            return propose_from_branch(project.session, (), ProposeOptions(forge="local", **options))


@pytest.fixture
def bench(tmp_path: Path, world: World) -> Bench:
    return Bench(tmp_path, world)


def test_a_branch_is_made_from_the_base_branch_and_the_checkout_stays(bench: Bench):
    bench.publish("1.0.0")
    bench.start()
    bench.publish("1.0.0", "1.1.0")
    (bench.root / "notes.txt").write_text("mine, not committed\n")
    before = git(bench.git_root, "status", "--porcelain"), git(bench.git_root, "rev-parse", "HEAD")
    (one,) = bench.pr().pull_requests
    assert (one.vendor, one.before, one.after, one.action) == ("app", "1.0.0", "1.1.0", Action.OPENED)
    assert (git(bench.git_root, "status", "--porcelain"), git(bench.git_root, "rev-parse", "HEAD")) == before
    changed = git(bench.git_root, "diff", "--name-only", "main", one.branch).split()
    assert changed == ["app/app.lock.yaml", "app/base/app.yaml", "vendors.yaml"]
    assert git(bench.git_root, "worktree", "list").count("\n") == 1


def test_a_dry_run_leaves_no_trace(bench: Bench):
    bench.publish("1.0.0")
    bench.start()
    bench.publish("1.0.0", "1.1.0")
    before = git(bench.git_root, "for-each-ref")
    (one,) = bench.pr(dry_run=True).pull_requests
    assert one.after == "1.1.0"
    assert git(bench.git_root, "for-each-ref") == before


def test_a_vendors_yaml_in_a_folder_changes_only_that_folder(tmp_path: Path, world: World):
    bench = Bench(tmp_path, world, folder="clusters/one")
    bench.publish("1.0.0")
    bench.start()
    bench.publish("1.0.0", "1.1.0")
    (one,) = bench.pr().pull_requests
    changed = git(bench.git_root, "diff", "--name-only", "main", one.branch).split()
    assert changed == [
        "clusters/one/app/app.lock.yaml", "clusters/one/app/base/app.yaml", "clusters/one/vendors.yaml",
    ]  # fmt: skip


def test_a_major_step_gets_a_pull_request_of_its_own(bench: Bench):
    bench.publish("1.0.0")
    bench.start("    follow: {separate_major: true}\n")
    bench.publish("1.0.0", "1.1.0", "2.0.0")
    made = {one.branch: one.after for one in bench.pr().pull_requests}
    assert made == {"upstreamsync/app": "1.1.0", "upstreamsync/app-major": "2.0.0"}
    with open_project(bench.root, settings=bench.settings) as project:
        (finding,) = project.check()
    assert finding.target is not None
    assert finding.target.version == "1.1.0"
    assert finding.passed_over[0].reason == "a major step, proposed in a pull request of its own"


def test_a_vendor_may_go_to_another_branch(bench: Bench):
    bench.publish("1.0.0")
    bench.start("    pull_request: {base: staging}\n")
    git(bench.git_root, "checkout", "-qb", "staging")
    (bench.root / "staging.txt").write_text("only here\n")
    git(bench.git_root, "add", "-A")
    git(bench.git_root, "commit", "-qm", "Staging")
    git(bench.git_root, "push", "-q", "origin", "staging")
    git(bench.git_root, "checkout", "-q", "main")
    bench.publish("1.0.0", "1.1.0")
    (one,) = bench.pr().pull_requests
    assert git(bench.git_root, "merge-base", one.branch, "staging") == git(
        bench.git_root, "rev-parse", "staging"
    )


@pytest.mark.parametrize("trouble", ["kill -9 $$", "echo 'a: [b'"], ids=["crash", "no YAML"])
def test_a_vendor_that_can_not_be_judged_stops_no_other_and_closes_nothing(
    bench: Bench, tmp_path: Path, trouble: str
):
    (bench.root / "bad/overlay").mkdir(parents=True)
    (bench.root / "bad/overlay/kustomization.yaml").write_text("resources: [../base]\nnamePrefix: my-\n")
    bench.publish("1.0.0")
    bench.start(
        "  - name: bad\n    version: 1.0.0\n    base: bad/base\n"
        f"    source: {{url: '{bench.world.url}/app/{{version}}/app.yaml'}}\n"
        f"    releases: {{page: {{url: '{bench.world.url}/app/index.html', pattern: 'app (?P<version>[^;]+)'}}}}\n"
    )
    bench.publish("1.0.0", "1.1.0")
    assert {one.vendor for one in bench.pr().pull_requests} == {"app", "bad"}
    bench.publish("1.0.0", "1.1.0", "1.2.0")
    real, fake = Engines().kustomize().binary, tmp_path / "kubectl"
    fake.write_text(f'#!/bin/sh\ncase "$2" in */bad/overlay) {trouble}; exit;; esac\nexec {real} "$@"\n')
    fake.chmod(0o755)
    bench.settings = replace(bench.settings, environment={**os.environ, "KUSTOMIZE": str(fake)})
    before = git(bench.git_root, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/*/bad*")
    proposed = bench.attempt()
    assert [(one.vendor, one.after) for one in proposed.pull_requests] == [("app", "1.2.0")]
    assert list(proposed.failures) == ["bad"]
    assert before
    assert before == git(
        bench.git_root, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/*/bad*"
    )


def test_the_library_s_propose_refuses_a_working_tree_that_differs(bench: Bench):
    bench.publish("1.0.0")
    bench.start()
    bench.publish("1.0.0", "1.1.0")
    with open_project(bench.root, settings=bench.settings) as project:
        changes = project.update(["app"])
        report = project.verify(changes)
        (one,) = project.propose(changes, report, ProposeOptions(forge="local"))
        assert one.action is Action.OPENED
        file = bench.root / "vendors.yaml"
        file.write_text(file.read_text() + "# mine\n")
        with pytest.raises(RepositoryError) as caught:
            project.propose(project.update(["app"]), None, ProposeOptions(forge="local"))
        assert "differs from the branch" in caught.value.message


def test_suggested_fixes_are_a_commit_of_their_own(bench: Bench):
    manifest = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: app}}\nspec:\n  selector: {{matchLabels: {{a: b}}}}\n"
        "  template:\n    metadata: {{labels: {{a: b}}}}\n    spec:\n      containers:\n"
        "      - {{name: {container}, image: example.com/app:{version}, resources: {{limits: {{memory: 1Gi}}}}}}\n"
    )
    for version, container in (("1.0.0", "app"), ("1.1.0", "server")):
        bench.world.file(f"app/{version}/app.yaml", manifest.format(version=version, container=container))
    bench.world.file("app/index.html", "app 1.0.0;")
    bench.start()
    patch = bench.root / "app/overlay/memory.yaml"
    patch.write_text(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\nspec:\n  template:\n    spec:\n      containers:\n"
        "      - name: app  # the main one\n        resources: {limits: {memory: 2Gi}}\n"
    )
    (patch.parent / "kustomization.yaml").write_text("resources: [../base]\npatches: [{path: memory.yaml}]\n")
    git(bench.git_root, "add", "-A")
    git(bench.git_root, "commit", "-qm", "Patch")
    git(bench.git_root, "push", "-q", "origin", "main")
    bench.world.file("app/index.html", "app 1.0.0; app 1.1.0;")
    (one,) = bench.pr(suggest_fixes=True).pull_requests
    assert one.draft
    subjects = git(bench.git_root, "log", "--format=%s", f"main..{one.branch}").splitlines()
    assert subjects == ["Adjust local patches to app 1.1.0", "Update app to 1.1.0"]
    fixed = git(bench.git_root, "show", f"{one.branch}:app/overlay/memory.yaml")
    assert fixed == patch.read_text().replace("- name: app  #", "- name: server  #")


def test_where_an_overlay_does_not_build_the_base_is_told_instead(bench: Bench):
    bench.publish("1.0.0")
    bench.start()
    folder = bench.root / "app/overlay"
    (folder / "kustomization.yaml").write_text(
        'resources: [../base]\npatches:\n- patch: \'{"apiVersion": "v1", "kind": "ConfigMap",'
        ' "metadata": {"name": "app"}, "data": {"mine": "1"}}\'\n'
    )
    git(bench.git_root, "add", "-A")
    git(bench.git_root, "commit", "-qm", "Patch")
    git(bench.git_root, "push", "-q", "origin", "main")
    bench.publish("1.0.0", "1.1.0")
    bench.world.file(
        "app/1.1.0/app.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: renamed}\ndata: {v: '1.1.0'}\n",
    )
    (one,) = bench.pr().pull_requests
    assert one.draft
    assert "fails" in one.body
    assert "v1 ConfigMap renamed" in one.body


STAGES = """\
checks:
- {name: good, run: [python3, -c, "print(1)"]}
- {name: policy, run: [python3, "{repository}/policy.py", "{after}"], required: true}
- {name: hint, run: [python3, -c, "raise SystemExit(1)"]}
"""
POLICY = """\
import json, pathlib, sys
files = sorted(pathlib.Path(sys.argv[1]).rglob("*.yaml"))
results = [
    {"level": "error", "ruleId": "no-data", "message": {"text": "data is not allowed"},
     "locations": [{"physicalLocation": {"artifactLocation": {"uri": str(file)}, "region": {"startLine": 2}}}]}
    for file in files if "data:" in file.read_text()
]
print(json.dumps({"version": "2.1.0", "runs": [{"results": results}]}))
"""


def test_stages_of_ones_own_stand_in_the_pull_request(bench: Bench):
    bench.publish("1.0.0")
    (bench.root / "policy.py").write_text(POLICY)
    bench.start(STAGES)
    bench.publish("1.0.0", "1.1.0")
    bench.settings = replace(bench.settings, allow_commands=True)
    (one,) = bench.pr(dry_run=True).pull_requests
    assert one.draft
    assert "Required, and not passed: `policy`" in one.body
    assert "`after/app/overlay.yaml:2`: data is not allowed (`no-data`)" in one.body
    assert "1 passed" in one.body
    assert "2 failed" in one.body


def test_stages_that_were_not_allowed_are_not_called_passed(bench: Bench):
    bench.publish("1.0.0")
    (bench.root / "policy.py").write_text(POLICY)
    bench.start(STAGES)
    bench.publish("1.0.0", "1.1.0")
    (one,) = bench.pr(dry_run=True).pull_requests
    assert one.draft
    assert "3 not run" in one.body
