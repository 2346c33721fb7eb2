"""Every folder of examples/ runs through all verbs on loopback, twice; the second time nothing changes."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from upstreamsync.config.spec import RELEASE_KINDS, SOURCE_KINDS
from upstreamsync.model import Action, Status
from upstreamsync.project import Project, Settings, open_project
from upstreamsync.project.propose.propose import Proposed, ProposeOptions, propose_from_branch
from upstreamsync.testing import World
from upstreamsync.testing.git import git

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/upstream"))


def load_run() -> ModuleType:
    spec = importlib.util.spec_from_file_location("examples_run", EXAMPLES / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


run = load_run()


def snapshot(repository: Path) -> dict[str, bytes]:
    files = (path for path in repository.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {path.relative_to(repository).as_posix(): path.read_bytes() for path in files}


class Bench:
    """One example as a repository, opened afresh for each verb, as the command line does it."""

    def __init__(self, name: str, folder: Path, world: World) -> None:
        self.repository = folder / name
        self.world = world
        run.install(EXAMPLES / name, self.repository, world)
        self.settings = Settings(
            cache_folder=folder / "cache", allow_commands=True, environment=run.environment(world)
        )

    def open(self) -> Project:
        return open_project(self.repository, settings=self.settings)

    def statuses(self) -> set[Status]:
        with self.open() as project:
            return {finding.status for finding in project.check()}

    def update(self, *, dry_run: bool = False) -> dict[str, bytes | None]:
        """Update and verify, and demand that nothing fails and nobody is needed."""
        with self.open() as project:
            changes = project.update()
            assert {one.vendor: one.error for one in changes.updates if one.error} == {}
            assert not project.verify(changes).needs_person
            if not dry_run:
                changes.write()
            return dict(changes.files)

    def pull_requests(self) -> Proposed:
        with self.open() as project:
            return propose_from_branch(project.session, (), ProposeOptions(forge="local"))

    def verify(self) -> None:
        with self.open() as project:
            verification = project.verify()
            assert not verification.needs_person
            assert all(base.pristine for base in verification.bases)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_example_runs_and_then_rests(name: str, tmp_path: Path, world: World):
    bench = Bench(name, tmp_path, world)
    run.publish(world, EXAMPLES / name / "upstream/1")
    bench.update()
    run.commit(bench.repository, "Vendor")
    bench.verify()
    assert bench.statuses() == {Status.UP_TO_DATE}

    run.publish(world, EXAMPLES / name / "upstream/2")
    assert bench.statuses() == {Status.OUTDATED}
    assert bench.update(dry_run=True) != {}
    assert git("status", "--porcelain", cwd=bench.repository) == ""
    actions = [one.action for one in bench.pull_requests().pull_requests]
    assert Action.OPENED in actions
    assert set(actions) <= {Action.OPENED, Action.SKIPPED}
    again = [one.action for one in bench.pull_requests().pull_requests]
    assert again == [Action.UNCHANGED if action is Action.OPENED else action for action in actions]
    assert git("status", "--porcelain", cwd=bench.repository) == ""

    bench.update()
    bench.verify()
    run.commit(bench.repository, "Update")
    before = snapshot(bench.repository)
    assert bench.statuses() == {Status.UP_TO_DATE}
    assert bench.update() == {}
    bench.verify()
    assert {one.action for one in bench.pull_requests().pull_requests} <= {Action.CLOSED}
    assert snapshot(bench.repository) == before
    assert git("status", "--porcelain", cwd=bench.repository) == ""


@pytest.mark.parametrize("name", ["forks", "watch"])
def test_what_is_only_reported_is_reported(name: str, tmp_path: Path, world: World):
    bench = Bench(name, tmp_path, world)
    run.publish(world, EXAMPLES / name / "upstream/1")
    bench.update()
    run.publish(world, EXAMPLES / name / "upstream/2")
    with bench.open() as project:
        (update,) = project.update().updates
    (note,) = update.notes
    assert "settings.yaml" in note


@pytest.mark.slow
def test_a_person_can_run_one(capfd: pytest.CaptureFixture[str]):
    assert run.main("text") == 0
    assert "$ upstreamsync pr --allow-commands --forge local" in capfd.readouterr().out


def test_there_is_an_example_of_every_kind_and_the_list_names_them_all():
    texts = {name: (EXAMPLES / name / "vendors.yaml").read_text() for name in NAMES}
    sources = {kind for kind in SOURCE_KINDS for text in texts.values() if re.search(rf"\b{kind}: ", text)}
    sources |= {
        kind
        for kind in SOURCE_KINDS
        for text in texts.values()
        if re.search(rf"^ +{kind}:$", text, re.MULTILINE)
    }
    assert sources == set(SOURCE_KINDS)
    feeds = {
        kind for kind in RELEASE_KINDS for text in texts.values() if re.search(rf"releases: {{{kind}: ", text)
    }
    assert feeds == set(RELEASE_KINDS)
    listed = re.findall(r"^\| \[([a-z-]+)\]\(", (EXAMPLES / "README.md").read_text(), re.MULTILINE)
    assert set(NAMES) <= set(listed)
    assert [name for name in listed if not (EXAMPLES / name).is_dir()] == []
