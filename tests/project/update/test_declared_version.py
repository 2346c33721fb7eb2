"""What vendors.yaml says is vendored may not be what is there: nothing is said of a base that was not looked at."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from upstreamsync.model import Status
from upstreamsync.project import Settings, open_project
from upstreamsync.testing import World

SOURCES: dict[str, str] = {
    "url": "source: {url: '{url}/app/{version}.yaml', file: app.yaml}\n  releases: {github_tags: acme/app}",
    "git": "source: {git: {repository: '{url}/git/app.git', paths: [app.yaml]}}",
    "chart": "source: {helm: {repository: '{url}/charts/acme', chart: app}}",
    "branch": "source: {git: {repository: '{url}/git/app.git', paths: [app.yaml]}}\n"
    "  releases: {branch: {repository: '{url}/git/app.git', name: main}}",
}


def config_map(version: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: app}}\ndata: {{version: '{version}'}}\n"


class Repository:
    """A vendor of some kind of source at its first version of two, vendored."""

    def __init__(self, root: Path, world: World, kind: str) -> None:
        self.root, self.kind = root, kind
        self._text = SOURCES[kind].replace("{url}", world.url)
        self._environment = {**os.environ, "GITHUB_API_URL": f"{world.url}/api/v3"}
        self.names = self._publish(world)
        root.mkdir()
        self.says(self.names[0])
        self.update(to=None if kind == "branch" else self.names[0])

    def _publish(self, world: World) -> tuple[str, str]:
        if self.kind == "chart":
            for version in ("1.0.0", "1.1.0"):
                world.chart("charts/acme", "app", version)
            return "1.0.0", "1.1.0"
        remote = world.git("app")
        commits = []
        for version in ("v1.0.0", "v1.1.0"):
            world.file(f"app/{version}.yaml", config_map(version))
            world.github.repository("acme/app").tag(version)
            commits.append(remote.commit({"app.yaml": config_map(version)}))
            remote.tag(version)
        return (commits[0], commits[1]) if self.kind == "branch" else ("v1.0.0", "v1.1.0")

    def says(self, version: str, more: str = "") -> None:
        text = (
            f"version: 1\nvendors:\n- name: app\n  version: {version}\n  base: base\n  {self._text}\n{more}"
        )
        (self.root / "vendors.yaml").write_text(text)

    def _open(self):
        settings = Settings(cache_folder=self.root.parent / "cache", environment=self._environment)
        return open_project(self.root, settings=settings)

    def update(self, **options):
        with self._open() as project:
            changes = project.update(["app"] if options.pop("named", options.get("to")) else [], **options)
            changes.write()
        (one,) = changes.updates
        return one

    def check(self):
        with self._open() as project:
            (finding,) = project.check()
        return finding

    def content(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.root.rglob("*") if path.is_file()}


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        yield world


@pytest.fixture
def vendored(tmp_path: Path, world: World) -> Callable[[str], Repository]:
    return lambda kind: Repository(tmp_path / "repository", world, kind)


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("kind", ["url", "git", "chart"])
def test_a_version_that_nobody_offers_and_that_the_base_is_not(vendored, kind, named):
    repository = vendored(kind)
    repository.says("v9.9.9")
    before = repository.content()
    one = repository.update(named=named)
    assert one.status == "failed"
    assert "v9.9.9, which upstream does not offer" in one.error.message
    assert f"the base is {repository.names[0]}" in one.error.message
    assert f"`version: {repository.names[0]}`" in one.error.hint
    assert repository.content() == before


def test_check_says_both_versions(vendored):
    repository = vendored("url")
    repository.says("v9.9.9")
    finding = repository.check()
    assert finding.status is Status.WITHDRAWN
    assert any("v9.9.9, the base is v1.0.0" in remark for remark in finding.remarks)
    assert not any("--to v9.9.9" in remark for remark in finding.remarks), "that can't be had"


def test_without_a_lock_nobody_knows(vendored):
    repository = vendored("url")
    repository.says("v9.9.9")
    (repository.root / "app.lock.yaml").unlink()
    one = repository.update()
    assert one.status == "failed"
    assert "no lock says what the base is" in one.error.message


def test_locked_is_no_way_around(vendored):
    repository = vendored("url")
    repository.says("v9.9.9")
    assert repository.update(locked=True).status == "failed"


def test_what_was_taken_back_after_it_was_vendored_stays(vendored, world):
    """Lock and vendors.yaml agree: nobody slipped."""
    repository = vendored("git")
    repository.update(to="v1.1.0")
    world.git("app").delete("refs/tags/v1.1.0")
    finding = repository.check()
    assert (finding.status, finding.remarks) == (Status.WITHDRAWN, ())
    assert repository.update().status == "unchanged"


@pytest.mark.parametrize(
    ("declared", "vendored_at"),
    [("v1.0.5", 0), ("v0.9.0", 0), ("v1.1.0", 0)],
    ids=["between, offered by nobody", "older, offered by nobody", "the newest, never vendored"],
)
def test_the_way_begins_at_what_the_base_is(vendored, declared, vendored_at):
    repository = vendored("url")
    repository.says(declared)
    one = repository.update()
    assert (one.status, one.before, one.after) == ("updated", "v1.0.0", "v1.1.0")
    assert f"vendors.yaml said {declared}, and the base was v1.0.0" in one.notes
    assert "version: v1.1.0\n" in (repository.root / "vendors.yaml").read_text()
    assert repository.check().status is Status.UP_TO_DATE


def test_a_declaration_that_lags_behind_its_base_is_corrected(vendored):
    repository = vendored("url")
    repository.update(to="v1.1.0")
    repository.says("v1.0.0")
    one = repository.update()
    assert (one.before, one.after, one.changed) == ("v1.0.0", "v1.1.0", ("vendors.yaml",))
    assert "vendors.yaml said v1.0.0, and the base was v1.1.0" in one.notes


def test_a_branch_offers_its_newest_commit_alone(vendored):
    repository = vendored("branch")
    old, new = repository.names
    assert repository.update().after == new
    repository.says(old)
    one = repository.update()
    assert (one.after, one.changed) == (new, ("vendors.yaml",))
    assert repository.update().status == "unchanged"
