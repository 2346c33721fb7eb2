"""The dashboard: one issue with every vendor, and boxes that the next run acts on; on the test world's GitHub."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from upstreamsync.forge.rules.dashboard import box, carried, config_of, line, marker, ticked, wishes_of
from upstreamsync.forge.text.dashboard import Row, dashboard
from upstreamsync.project import Settings, open_project
from upstreamsync.project.propose.board import without_outlived
from upstreamsync.project.propose.propose import Proposed, ProposeOptions, propose_from_branch
from upstreamsync.testing import GitOps, World


@dataclass
class Bench:
    """Vendors `app` (old) and `new` (too young), as images: nothing has to be built."""

    gitops: GitOps
    world: World
    cache: Path

    def start(self, **forge: object) -> None:
        releases = {"page": {"url": f"{self.world.url}/app", "pattern": r"app (?P<version>[0-9.]+);"}}
        files = {"cm.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"}
        vendors = []
        for name in ("app", "web"):
            files[f"{name}.yaml"] = f"version: 1.0.0 # {name}\n"
            edit = {"file": f"{name}.yaml", "path": "version", "value": "{version}"}
            vendors.append(
                {"name": name, "version": "1.0.0", "reference": True, "releases": releases, "edits": [edit]}
            )
        vendors[1] |= {"releases": {"github": "up/web"}, "follow": {"cooldown": "30d"}}
        if not self.world.github.repository("up/web").releases:
            for version, days in (("1.0.0", 90), ("1.1.0", 1)):
                published = datetime.now(UTC) - timedelta(days=days)
                self.world.github.repository("up/web").release(version, published=published)
        self.world.file("app", "app 1.0.0; app 1.1.0;")
        self.gitops.vendors(*vendors, forge={"dashboard": True, **forge})
        self.gitops.write(files)
        self.gitops.commit("Start")

    def pr(self, *vendors: str, **options: object) -> Proposed:
        environment = {
            **os.environ,
            "GITHUB_TOKEN": "any",
            "UPSTREAMSYNC_GITHUB_API_URL": self.world.github.url,
            "GITHUB_API_URL": self.world.github.url,
            "GITHUB_REPOSITORY": "acme/gitops",
        }
        settings = Settings(cache_folder=self.cache, environment=environment, look_up_images=False)
        with open_project(self.gitops.path, settings=settings) as project:
            return propose_from_branch(project.session, vendors, ProposeOptions(**options))

    @property
    def issue(self):
        (found,) = self.gitops.github.notes("open")
        return found

    def tick(self, mark: str, by: str = "human", on: str = "x") -> None:
        text = f"] <!-- upstreamsync:{mark} -->"
        assert text in self.issue.body, mark
        before, after = self.issue.body.split(text)
        self.issue.body, self.issue.editor = f"{before[:-1]}{on}{text}{after}", by

    def open(self) -> set[str]:
        return {pull.title for pull in self.gitops.github.pulls("open")}


@pytest.fixture
def bench(gitops, world, tmp_path) -> Bench:
    made = Bench(gitops, world, tmp_path / "cache")
    made.start()
    return made


def test_it_shows_every_vendor_and_is_written_only_when_something_changed(bench):
    bench.pr()
    body = bench.issue.body
    assert "**2 vendors**: 1 open, 1 waiting." in body
    assert "**app** `1.0.0` → `1.1.0`, #1\n" in body
    assert "**web** `1.0.0` → `1.1.0`: young; it is taken on " in body
    updated = bench.issue.updated
    bench.pr()
    assert bench.issue.updated == updated
    bench.pr("app")
    assert bench.issue.updated == updated


def test_it_is_opt_in(bench):
    bench.start(dashboard=False)
    bench.pr()
    assert bench.gitops.github.notes() == []


def test_a_version_is_taken_before_its_time_for_as_long_as_the_box_is_ticked(bench):
    bench.pr()
    assert bench.open() == {"Update app to 1.1.0"}
    bench.tick("take=web@1.1.0")
    bench.pr()
    assert bench.open() == {"Update app to 1.1.0", "Update web to 1.1.0"}
    bench.pr()
    assert bench.open() == {"Update app to 1.1.0", "Update web to 1.1.0"}
    assert "[x] <!-- upstreamsync:take=web@1.1.0 -->" in bench.issue.body
    bench.tick("take=web@1.1.0", on=" ")
    bench.pr()
    assert bench.open() == {"Update app to 1.1.0"}


def test_a_version_is_ignored_until_the_box_is_empty_again(bench):
    bench.pr()
    bench.tick("ignore=app@1.1.0")
    bench.pr()
    assert bench.open() == set()
    assert "### Ignored here" in bench.issue.body
    bench.pr("app")
    assert bench.open() == set()
    bench.tick("ignore=app@1.1.0", on=" ")
    bench.pr()
    assert bench.open() == {"Update app to 1.1.0"}


def test_a_rebuild_is_done_once(bench):
    bench.pr()
    branch = "upstreamsync/app"
    bench.gitops.github.push_commit_as_human(branch, {"mine.txt": "mine"})
    bench.pr()
    assert "mine.txt" in bench.gitops.origin.files(branch)
    bench.tick("rebuild=app")
    bench.pr()
    assert "mine.txt" not in bench.gitops.origin.files(branch)
    assert "[ ] <!-- upstreamsync:rebuild=app -->" in bench.issue.body


def test_what_is_held_back_can_be_taken(bench):
    bench.start(max_open=1)
    bench.world.file("app", "app 1.0.0; app 1.1.0;")
    text = (bench.gitops.path / "vendors.yaml").read_text().replace("30d", "0d")
    bench.gitops.write({"vendors.yaml": text})
    bench.gitops.commit()
    bench.pr()
    assert len(bench.open()) == 1
    waiting = "web" if "**web**" in bench.issue.body.split("### Waiting")[1] else "app"
    bench.tick(f"take={waiting}@1.1.0")
    bench.pr()
    assert len(bench.open()) == 2


def test_ticks_of_somebody_who_may_not_write_are_not_acted_on(bench):
    bench.pr()
    bench.world.github.strangers.add("mallory")
    bench.tick("ignore=app@1.1.0", by="mallory")
    done = bench.pr()
    assert bench.open() == {"Update app to 1.1.0"}
    assert any("what mallory ticked" in remark for remark in done.remarks)
    assert "[x]" not in bench.issue.body


def test_an_issue_of_a_stranger_is_no_dashboard(bench):
    bench.world.github.strangers.add("mallory")
    forged = line(box("ignore", "app", "1.1.0"), "", {box("ignore", "app", "1.1.0")}) + marker("vendors.yaml")
    number = bench.gitops.github.open_issue("upstreamsync dashboard", forged, author="mallory").number
    bench.gitops.github.add_label(number, "upstreamsync")
    bench.pr()
    assert bench.open() == {"Update app to 1.1.0"}
    assert len(bench.gitops.github.notes("open")) == 2


def test_a_dry_run_writes_none(bench):
    bench.pr(dry_run=True)
    assert bench.gitops.github.notes() == []


def test_the_local_forge_says_that_it_has_none(bench):
    assert "this forge keeps no issues, and so no dashboard" in bench.pr(forge="local").remarks


@pytest.mark.parametrize("version", ["v1.2.3", "a --> b", "x\n- [x] <!-- y", "1@2", "%2d", "<!-- -->"])
def test_a_version_stays_in_its_mark(version):
    mark = box("ignore", "app", version)
    body = line(mark, "", {mark})
    assert ticked(body) == {mark}
    assert wishes_of(ticked(body)).ignore == {"app": (version,)}
    assert ticked(line(mark, "", ())) == frozenset()


def test_what_is_ticked_meanwhile_is_not_lost():
    one, two = box("rebuild", "app"), box("ignore", "web", "1")
    before, now = (
        line(one, "", {one}) + "\n" + line(two, "", ()),
        line(one, "", ()) + "\n" + line(two, "", {two}),
    )
    assert carried(before, now) == ({two}, {one})


def test_an_ignored_version_that_was_left_behind_is_forgotten():
    row = Row(vendor="a", state="fine", before="1.2.0", ignored=("1.1.0", "1.2.0", "1.3.0", "nightly"))
    assert without_outlived(row, "semver").ignored == ("1.3.0", "nightly")


def test_a_thousand_vendors_fit():
    states = ("open", "waiting", "trouble", "fine")
    rows = [
        Row(
            vendor=f"v{n}",
            state=states[n % 4],
            before="1",
            after="2",
            why="w" * 300,
            key="k",
            number=n,
            url="https://x/1",
        )
        for n in range(1000)
    ]
    text = dashboard(rows, config="vendors.yaml")
    assert len(text) < 65_536
    assert config_of(text) == "vendors.yaml"
    assert "more" in text
