"""An untouched checkout is pristine, whatever git did to its bytes; what git leaves out is said."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from upstreamsync.kit.git.conversions import stands_for
from upstreamsync.lock import digest
from upstreamsync.model import BaseCondition, Status
from upstreamsync.project import Settings, open_project
from upstreamsync.project.propose.propose import ProposeOptions, propose_from_branch
from upstreamsync.testing import World

UNIX = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app\ndata:\n  text: |\n    one\n    two\n"
DOS = UNIX.replace("\n", "\r\n")
MIXED = DOS.replace("data:\r\n", "data:\n")


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.com"]
    return subprocess.run(
        ["git", *identity, *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


@dataclass
class Team:
    tmp: Path
    world: World

    def publish(self, text: str, *versions: str) -> None:
        for version in versions:
            data = text.replace("one", f"one {version}") if version != "1.0.0" else text
            self.world.file(f"app/{version}.yaml", data.encode())
        listed = ", ".join(f'"{version}"' for version in versions)
        self.world.file("app/versions.json", f"[{listed}]", modified=None)

    def begin(self, attributes: str = "", **settings: str) -> Path:
        root = self.tmp / "first"
        root.mkdir()
        git(root, "init", "-q", "-b", "main")
        for name, value in settings.items():
            git(root, "config", name.replace("_", "."), value)
        row = (
            "  - name: app\n    version: 1.0.0\n    base: app/base\n"
            f"    source: {{url: '{self.world.url}/app/{{version}}.yaml', file: app.yaml}}\n"
            f"    releases: {{json: {{url: '{self.world.url}/app/versions.json', path: '[*]'}}}}\n"
        )
        (root / "vendors.yaml").write_text(f"version: 1\nvendors:\n{row}")
        if attributes:
            (root / ".gitattributes").write_text(attributes)
        self.update(root)
        git(root, "add", "-A")
        git(root, "commit", "-qm", "Start")
        return root

    def clone(self, root: Path, *, folder: str = "second", **settings: str) -> Path:
        words = [
            word for name, value in settings.items() for word in ("-c", f"{name.replace('_', '.')}={value}")
        ]
        made = self.tmp / folder
        subprocess.run(["git", "clone", "-q", *words, root, made], check=True)
        return made

    def open(self, root: Path):
        return open_project(root, settings=Settings(cache_folder=self.tmp / "cache"))

    def update(self, root: Path):
        with self.open(root) as project:
            changes = project.update()
            assert [one.error for one in changes.updates if one.error] == []
            changes.write()
        return changes.updates[0]

    def state(self, root: Path):
        with self.open(root) as project:
            vendor = project.configuration.vendor("app")
            (state,) = project.session.base_states(vendor)
        return state

    def status(self, root: Path) -> Status:
        with self.open(root) as project:
            return project.check()[0].status


@pytest.fixture
def team(tmp_path: Path, world: World) -> Team:
    made = Team(tmp_path, world)
    made.publish(UNIX, "1.0.0")
    return made


@pytest.mark.parametrize(
    ("text", "attributes", "settings"),
    [
        (UNIX, "", {"core_autocrlf": "true"}),
        (UNIX, "", {"core_autocrlf": "input"}),
        (UNIX, "* text=auto eol=crlf\n", {}),
        (UNIX, "*.yaml eol=crlf\n", {}),
        (DOS, "* text=auto\n", {}),
        (DOS, "* text\n", {"core_eol": "crlf"}),
        (DOS, "", {"core_autocrlf": "input"}),
        (DOS, "* -text\n", {"core_autocrlf": "true"}),
        (UNIX.replace("one", "$Id$"), "*.yaml ident\n", {}),
        (DOS.replace("one", "$Id$"), "*.yaml ident text\n", {}),
    ],
)
def test_an_untouched_checkout_is_pristine(team, text, attributes, settings):
    team.publish(text, "1.0.0")
    root = team.begin(attributes, **settings)
    second = team.clone(root, **settings)
    for folder in (root, second):
        assert team.state(folder).pristine, folder
        assert team.status(folder) is Status.UP_TO_DATE
        with team.open(folder) as project:
            assert project.update(["app"]).files == {}
        assert git(folder, "status", "--porcelain") == ""
    team.publish(text, "1.0.0", "1.1.0")
    moved = team.update(second)
    assert (moved.status, moved.after) == ("updated", "1.1.0")
    assert not any("by hand" in note for note in moved.notes)
    assert team.state(second).pristine


@pytest.mark.parametrize(("text", "attributes"), [(UNIX, "* text=auto eol=crlf\n"), (DOS, "* text=auto\n")])
def test_a_pull_request_brings_no_line_endings(team, text, attributes):
    team.publish(text, "1.0.0")
    root = team.begin(attributes)
    with team.open(root) as project:
        done = propose_from_branch(project.session, (), ProposeOptions(forge="local"))
    assert (done.pull_requests, done.failures) == ((), {})
    team.publish(text, "1.0.0", "1.1.0")
    with team.open(root) as project:
        done = propose_from_branch(project.session, (), ProposeOptions(forge="local"))
    assert [one.after for one in done.pull_requests] == ["1.1.0"]
    assert not done.failures


def test_what_a_person_changed_is_still_found(team):
    root = team.begin("* text=auto eol=crlf\n")
    second = team.clone(root)
    path = second / "app/base/app.yaml"
    path.write_bytes(path.read_bytes().replace(b"one", b"ours"))
    state = team.state(second)
    assert (state.pristine, state.condition) == (False, BaseCondition.EDITED)
    assert "edited here" in state.why


def test_where_upstreams_are_mixed_line_endings_are_named(team):
    team.publish(MIXED, "1.0.0")
    root = team.begin("* text=auto\n")
    second = team.clone(root)
    state = team.state(second)
    assert not state.pristine
    assert "git converts the line endings of these files" in state.why
    assert "-text" in state.command
    team.publish(MIXED, "1.0.0", "1.1.0")
    assert team.update(second).after == "1.1.0", "nothing that a person wrote is lost"


def test_pointers_of_lfs_stand_for_what_they_point_to():
    data = UNIX.encode()
    oid = digest(data).removeprefix("sha256:")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(data)}\n".encode()
    assert stands_for(pointer, digest(data))
    assert not stands_for(pointer.replace(b"size", b"sized"), digest(data))
    assert not stands_for(pointer, digest(b"other"))


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (DOS, True),
        (UNIX, True),
        (UNIX + "\n", False),
        (UNIX.replace("one", "One"), False),
        (UNIX.rstrip("\n"), False),
        (UNIX.replace("  text", "\ttext"), False),
        (MIXED, True),
    ],
)
def test_line_endings_alone_are_no_difference(other, same):
    assert stands_for(other.encode(), digest(UNIX.encode())) is same


@pytest.mark.parametrize(
    ("rule", "swallowed"),
    [
        ("base/\n", True),
        ("*.yaml\n!vendors.yaml\n", True),
        ("app/base/app.yaml\n", True),
        ("build/\n", False),
        ("app/base/*\n!app/base/app.yaml\n", False),
        ("/base\n", False),
    ],
)
def test_a_base_that_gitignore_swallows_is_said(team, rule, swallowed):
    root = team.begin()
    (root / ".gitignore").write_text(rule)
    git(root, "rm", "-rq", "--cached", "app")
    team.publish(UNIX, "1.0.0", "1.1.0")
    notes = team.update(root).notes
    assert (
        any(
            "git ignores" in note and "`app/base/app.yaml`" in note and ".gitignore:1" in note
            for note in notes
        )
        is swallowed
    )
