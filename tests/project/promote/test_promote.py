"""`promote`: one pull request kept open between two branches, on the test world's GitHub."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from upstreamsync.errors import UsageError
from upstreamsync.model import Action, HoldKind, Promoted
from upstreamsync.project import Settings, open_project
from upstreamsync.project.promote.promote import PromoteOptions, Promotions, promote
from upstreamsync.testing import GitOps, World
from upstreamsync.testing.builders import read_folder
from upstreamsync.testing.git import git

KINDS = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: app}}\nspec:\n  template:\n    spec:\n      containers:\n      - {{name: {0}, image: 'example.com/app:{1}'}}\n"
PATCH = (
    "resources: [../base]\npatches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: app}\n"
    "    spec: {template: {spec: {containers: [{name: app, env: [{name: A, value: b}]}]}}}\n"
)


@dataclass
class Bench:
    """A repository with the branches main and stage, the same at first."""

    gitops: GitOps
    cache: Path
    world: World
    forge: str = "github"
    days: float = 10

    def start(self, extra: str = "") -> None:
        self.gitops.write(self.vendored("1.0.0", extra=extra))
        self.gitops.commit("Start")
        self.branch("stage")

    def branch(self, name: str) -> None:
        self.gitops.git("branch", "-f", name)
        self.gitops.git("push", "-q", "origin", name)

    def vendored(self, version: str, *, container: str = "app", extra: str = "") -> dict[str, str]:
        """What an update to that version leaves in the repository."""
        self.world.file(f"app/{version}.yaml", KINDS.format(container, version))
        self.world.file("app/index", "app 1.0.0; app 1.1.0; app 1.2.0;")
        text = (
            f"version: 1\n{extra}vendors:\n- name: app\n  version: {version}\n  base: app/base\n"
            f"  source: {{url: '{self.world.url}/app/{{version}}.yaml'}}\n  releases: {{page: {{url: '{self.world.url}/app/index', pattern: 'app (?P<version>[^;]+)'}}}}\n"
        )
        with TemporaryDirectory() as folder:
            place = Path(folder)
            (place / "vendors.yaml").write_text(text)
            (place / "app/overlay").mkdir(parents=True)
            (place / "app/overlay/kustomization.yaml").write_text(PATCH)
            with open_project(place, settings=Settings(cache_folder=self.cache)) as project:
                changes = project.update(["app"], to=version)
                assert changes.updates[0].error is None, changes.updates[0].error
                changes.write()
            return {path: data.decode() for path, data in read_folder(place).items()}

    def change(self, files: dict[str, str], message: str = "Change", check: str | None = "success") -> str:
        """A commit on main; `check` is what its one check says, empty for none."""
        self.gitops.write(files)
        sha = self.gitops.commit(message)
        if check != "":
            self.gitops.github.check_run(sha, "build", check)
        return sha

    def hotfix(self, files: dict[str, str], branch: str = "stage") -> None:
        """A commit that the other branch alone has."""
        self.gitops.origin.commit(files, "Hotfix", branch=branch)

    def settings(self) -> Settings:
        environment = {
            **os.environ,
            "GITHUB_TOKEN": "any",
            "GITHUB_API_URL": self.world.github.url,
            "GITHUB_REPOSITORY": "acme/gitops",
        }
        now = datetime.now(UTC) + timedelta(days=self.days)
        return Settings(cache_folder=self.cache, environment=environment, now=now, look_up_images=False)

    def run(self, **options) -> Promotions:
        given = {
            "source": "main",
            "target": "stage",
            "soak": timedelta(days=3),
            "forge": self.forge,
            **options,
        }
        before = self.gitops.status(), self.gitops.git("rev-parse", "HEAD")
        with open_project(self.gitops.path, settings=self.settings()) as project:
            done = promote(project.session, PromoteOptions(**given))
        assert (self.gitops.status(), self.gitops.git("rev-parse", "HEAD")) == before
        return done

    def one(self, **options) -> Promoted:
        (done,) = self.run(**options).promoted
        assert done.error is None, done.error
        return done

    @property
    def pull(self):
        (found,) = self.gitops.github.pulls("open")
        return found

    def status(self, sha: str) -> tuple[str, str]:
        found = self.gitops.github.status_of(sha)["upstreamsync/promote/stage"]
        return found.state, found.description


@pytest.fixture
def bench(gitops, world, tmp_path) -> Bench:
    made = Bench(gitops, tmp_path / "cache", world)
    made.start()
    return made


def test_it_is_opened_with_what_moves_and_what_judge_and_review_say(bench):
    sha = bench.change(bench.vendored("1.1.0"), "Update app to 1.1.0")
    done = bench.one()
    assert (done.action, done.hold, done.draft, done.commit) == (Action.OPENED, None, False, sha)
    pull = bench.pull
    assert (pull.title, pull.base, pull.head_sha) == ("Promote main to stage: app 1.1.0", "stage", sha)
    assert pull.auto_merge is None
    for words in (
        "`1.0.0` | `1.1.0`",
        "1 ok",
        "example.com/app:1.1.0",
        "Update app to 1.1.0",
        "`build` success",
    ):
        assert words in pull.body, words
    assert bench.status(sha) == ("success", "may go to stage")
    assert bench.one().action is Action.UNCHANGED


def test_a_patch_that_the_other_branch_would_lose_makes_it_a_draft(bench):
    sha = bench.change(bench.vendored("1.1.0", container="server"))
    done = bench.one()
    assert (done.action, done.draft) == (Action.OPENED, True)
    assert "**misapplied**" in bench.pull.body
    assert bench.status(sha)[0] == "failure"


def test_it_is_refreshed_by_a_newer_commit(bench):
    bench.change(bench.vendored("1.1.0"))
    bench.one()
    sha = bench.change(bench.vendored("1.2.0"))
    done = bench.one()
    assert (done.action, done.reason) == (Action.UPDATED, f"now main {sha[:12]}")
    assert (bench.pull.head_sha, bench.pull.title) == (sha, "Promote main to stage: app 1.2.0")
    assert len(bench.gitops.github.pulls()) == 1


def test_it_is_held_by_age_and_ready_once_it_is_old_enough(bench):
    sha = bench.change(bench.vendored("1.1.0"))
    bench.days = 1
    done = bench.one()
    assert (done.action, done.draft, done.hold.by) == (Action.OPENED, True, HoldKind.AGE)
    assert bench.pull.draft
    assert "Held by age" in bench.pull.body
    assert bench.status(sha)[0] == "pending"
    assert bench.one().action is Action.UNCHANGED
    bench.days = 4
    done = bench.one()
    assert (done.action, done.reason, done.hold) == (Action.UPDATED, "what holds it has changed", None)
    assert not bench.pull.draft
    assert bench.status(sha)[0] == "success"


def test_a_younger_commit_waits_and_the_older_one_goes(bench):
    old = bench.change(bench.vendored("1.1.0"))
    bench.gitops.write(bench.vendored("1.2.0"))
    # Committed five days later than the other, as a branch that goes on.
    later = datetime.now(UTC) + timedelta(days=5)
    git("add", "-A", cwd=bench.gitops.path)
    env = {"GIT_COMMITTER_DATE": later.isoformat(), "GIT_CONFIG_GLOBAL": os.devnull}
    git("commit", "-qm", "Later", cwd=bench.gitops.path, env=env)
    bench.gitops.git("push", "-q", "origin", "main")
    new = bench.gitops.git("rev-parse", "HEAD")
    bench.gitops.github.check_run(new, "build")
    bench.days = 6
    done = bench.one()
    assert (done.commit, done.hold, [one.commit for one in done.waiting]) == (old, None, [new])
    assert "1 newer commit of `main` waits" in bench.pull.body
    bench.days = 9
    assert bench.one().commit == new


@pytest.mark.parametrize(
    ("check", "reason", "draft_status"),
    [
        ("failure", "not green: build", "failure"),
        (None, "not done: build", "pending"),
        ("", "no check has looked at it", "failure"),
    ],
)
def test_it_is_held_by_a_check_that_is_not_green(bench, check, reason, draft_status):
    sha = bench.change(bench.vendored("1.1.0"), check=check)
    done = bench.one()
    assert (done.draft, done.hold.by, done.hold.reason) == (True, HoldKind.CHECKS, reason)
    assert bench.status(sha) == (draft_status, reason)
    bench.gitops.github.check_run(sha, "build", "success")
    done = bench.one()
    assert (done.action, done.hold, bench.pull.draft) == (Action.UPDATED, None, False)


def test_a_red_commit_is_passed_over_for_the_green_one_before_it(bench):
    green = bench.change(bench.vendored("1.1.0"))
    red = bench.change(bench.vendored("1.2.0"), check="failure")
    done = bench.one()
    assert (done.commit, [one.commit for one in done.waiting]) == (green, [red])


def test_a_check_that_turns_red_holds_what_was_ready(bench):
    sha = bench.change(bench.vendored("1.1.0"))
    bench.one()
    bench.gitops.github.check_run(sha, "build", "timed_out")
    done = bench.one()
    assert (done.action, bench.pull.draft, bench.status(sha)[0]) == (Action.UPDATED, True, "failure")


def test_which_checks_count_is_declared(bench):
    bench.start(extra="promote: [{from: main, to: stage, soak: 1d, checks: ['e2e*'], labels: [env]}]\n")
    sha = bench.change(
        bench.vendored(
            "1.1.0", extra="promote: [{from: main, to: stage, checks: ['e2e*'], labels: [env]}]\n"
        ),
        check="failure",
    )
    done = bench.one(source=None, target=None, soak=None)
    assert done.hold.reason == "has not reported: e2e*"
    bench.gitops.github.check_run(sha, "e2e / smoke", "success")
    assert bench.one(source=None, target=None, soak=None).hold is None
    assert bench.pull.labels == ["env"]


def test_a_conflict_is_said_and_left_to_people(bench):
    bench.hotfix({"app/overlay/kustomization.yaml": PATCH + "namePrefix: stage-\n"})
    bench.change({"app/overlay/kustomization.yaml": PATCH + "namePrefix: main-\n"})
    done = bench.one()
    assert (done.action, done.draft, done.hold.by) == (Action.OPENED, True, HoldKind.CONFLICT)
    assert "- `app/overlay/kustomization.yaml`" in bench.pull.body
    assert "Nothing was judged" in bench.pull.body
    # A person resolves it in the pull request: their commit stays.
    branch = bench.pull.head
    mine = bench.gitops.github.push_commit_as_human(branch, {"app/overlay/kustomization.yaml": PATCH})
    done = bench.one()
    assert done.action is Action.SKIPPED
    assert "Ann Human" in done.reason
    assert bench.gitops.origin.sha(branch) == mine


def test_a_hotfix_of_the_other_branch_stays_in_what_is_judged(bench):
    files = bench.vendored("1.1.0")
    bench.hotfix({"app/overlay/kustomization.yaml": PATCH + "namePrefix: stage-\n"})
    bench.change(files)
    done = bench.one()
    assert done.hold is None
    assert "stage-app" in bench.pull.body


def test_once_merged_nothing_is_left_to_do(bench):
    bench.change(bench.vendored("1.1.0"))
    number = bench.one().number
    bench.gitops.github.merge(number)
    done = bench.one()
    assert (done.action, done.number) == (Action.UNCHANGED, None)
    sha = bench.change(bench.vendored("1.2.0"))
    done = bench.one()
    assert (done.action, done.commit, done.number) == (Action.OPENED, sha, number + 1)


def test_once_squashed_nothing_is_left_until_the_same_lines_change_again(bench):
    overlay = "app/overlay/kustomization.yaml"
    bench.change({overlay: PATCH + "namePrefix: one-\n"})
    bench.gitops.github.merge(bench.one().number, method="squash")
    assert bench.one().reason == "merging it would change no file of stage"
    bench.change({overlay: PATCH + "namePrefix: two-\n"})
    assert bench.one().hold.by is HoldKind.CONFLICT
    assert "use merge commits" in bench.pull.body


def test_what_came_by_another_way_closes_it(bench):
    bench.change(bench.vendored("1.1.0"))
    bench.one()
    bench.hotfix(bench.vendored("1.1.0"))
    done = bench.one()
    assert done.action is Action.CLOSED
    assert bench.gitops.github.pulls("open") == []


def test_closed_by_a_person_it_stays_closed_for_this_commit(bench):
    bench.change(bench.vendored("1.1.0"))
    bench.gitops.github.close(bench.one().number)
    assert bench.one().action is Action.SKIPPED
    bench.change(bench.vendored("1.2.0"))
    assert bench.one().action is Action.OPENED


def test_pr_leaves_a_promotion_alone(bench):
    from upstreamsync.project.propose.propose import ProposeOptions, propose_from_branch

    bench.change(bench.vendored("1.2.0"))
    bench.one()
    with open_project(bench.gitops.path, settings=bench.settings()) as project:
        done = propose_from_branch(project.session, (), ProposeOptions())
    assert (done.pull_requests, done.failures) == ((), {})
    assert bench.pull.title == "Promote main to stage: app 1.2.0"


def test_a_dry_run_leaves_no_trace(bench):
    bench.change(bench.vendored("1.1.0"))
    before = bench.gitops.origin.refs()
    done = bench.one(dry_run=True)
    assert (done.action, done.title) == (Action.OPENED, "Promote main to stage: app 1.1.0")
    assert (bench.gitops.github.pulls(), bench.gitops.origin.refs()) == ([], before)


def test_locally_it_is_a_branch_and_a_text(bench):
    bench.forge = "local"
    sha = bench.change(bench.vendored("1.1.0"))
    done = bench.one()
    assert (done.action, done.hold) == (Action.OPENED, None)
    assert bench.gitops.git("rev-parse", "upstreamsync-promote/main-to-stage") == sha
    assert "not looked at: this forge has none" in Path(done.url).read_text()
    assert bench.one().action is Action.UNCHANGED
    bench.days = 0
    bench.change(bench.vendored("1.2.0"))
    assert bench.one().hold.by is HoldKind.AGE


def test_the_command_line_says_it_in_json_and_by_its_exit_code(bench):
    bench.change(bench.vendored("1.1.0", container="server"))
    words = [
        "promote",
        "--from",
        "main",
        "--to",
        "stage",
        "--forge",
        "local",
        "--dry-run",
        "--format",
        "json",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "upstreamsync", *words],
        cwd=bench.gitops.path,
        env={**os.environ, "UPSTREAMSYNC_CACHE": str(bench.cache)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr  # a patch needs a person
    document = json.loads(done.stdout)
    assert document["schema"] == "upstreamsync/promote/v1"
    (one,) = document["promotions"]
    assert one["vendors"] == [{"name": "app", "from": "1.0.0", "to": "1.1.0", "note": ""}]
    assert (one["action"], one["held"], one["draft"]) == ("opened", None, True)


def test_a_forge_without_checks_says_that_it_cannot(bench):
    class Other:
        """Anything."""

    with pytest.raises(UsageError, match="does not say which checks"):
        bench.run(forge=Other())


def test_branches_that_are_not_there_are_the_users_mistake(bench):
    (done,) = bench.run(target="release").promoted
    assert done.action is Action.FAILED
    assert "`release`" in done.error.message
    with pytest.raises(UsageError, match="itself"):
        bench.run(target="main")
    with pytest.raises(UsageError, match="from one branch to another"):
        bench.run(target=None)
