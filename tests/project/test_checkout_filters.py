"""A checkout whose files go through filters of git: untouched it is pristine, and a person's edit is noticed."""

from __future__ import annotations

import shlex
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from tests.project.test_checkout import MIXED, UNIX, Team, git

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.model import BaseCondition, Status
from upstreamsync.project.propose.propose import ProposeOptions, propose_from_branch

#: What git-lfs does, with a folder in place of its server.
LFS = """\
import hashlib, pathlib, re, sys
store, data = pathlib.Path(__file__).parent, sys.stdin.buffer.read()
if sys.argv[1] == "clean" and not data.startswith(b"version https://git-lfs"):
    oid = hashlib.sha256(data).hexdigest()
    (store / oid).write_bytes(data)
    data = f"version https://git-lfs.github.com/spec/v1\\noid sha256:{oid}\\nsize {len(data)}\\n".encode()
elif sys.argv[1] == "smudge" and (found := re.search(rb"oid sha256:([0-9a-f]{64})", data)):
    data = (store / found[1].decode()).read_bytes()
sys.stdout.buffer.write(data)
"""
ROT13 = {"filter_crypt_clean": "tr a-z n-za-m", "filter_crypt_smudge": "tr n-za-m a-z"}
BASE = "app/base/app.yaml"


@pytest.fixture
def team(tmp_path: Path, world) -> Team:
    made = Team(tmp_path, world)
    made.publish(UNIX, "1.0.0")
    return made


@pytest.fixture
def lfs(tmp_path: Path) -> dict[str, str]:
    """The settings that `git lfs install` writes."""
    script = tmp_path / "objects/lfs.py"
    script.parent.mkdir()
    script.write_text(LFS)
    command = f"{shlex.quote(sys.executable)} -SE {shlex.quote(str(script))}"
    return {
        "filter_lfs_clean": f"{command} clean",
        "filter_lfs_smudge": f"{command} smudge",
        "filter_lfs_required": "true",
    }


def put(root: Path, files: dict[str, str], message: str) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    git(root, "add", "-A", "--renormalize", ".")
    git(root, "add", "-A")
    git(root, "commit", "-qm", message)


def begun_without(team: Team, attributes: str) -> Path:
    """A repository whose attributes are younger than what was vendored."""
    root = team.begin()
    (root / ".gitattributes").write_text(attributes)
    git(root, "add", ".gitattributes")
    git(root, "commit", "-qm", "Attributes")
    return root


def assert_untouched(team: Team, folder: Path) -> None:
    state = team.state(folder)
    assert state.pristine, state.why
    assert team.status(folder) is Status.UP_TO_DATE
    with team.open(folder) as project:
        assert project.update(["app"]).files == {}


def assert_moves_on(team: Team, folder: Path, text: str = UNIX) -> None:
    team.publish(text, "1.0.0", "1.1.0")
    moved = team.update(folder)
    assert (moved.status, moved.after) == ("updated", "1.1.0")
    assert not any("by hand" in note for note in moved.notes)
    assert team.state(folder).pristine


def refusal(team: Team, folder: Path) -> UpstreamsyncError:
    """What stops an update to the next version, which writes nothing."""
    team.publish(UNIX, "1.0.0", "1.1.0")
    before = (folder / BASE).read_bytes()
    with team.open(folder) as project:
        (update,) = project.update().updates
    assert update.error is not None
    assert (folder / BASE).read_bytes() == before
    return update.error


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (".gitattributes", "app/base/** filter=lfs diff=lfs merge=lfs -text\n"),
        (".gitattributes", "[attr]large filter=lfs -text\napp/base/*.yaml large\n"),
        ("app/.gitattributes", "base/** filter=lfs -text\n"),
        (".git/info/attributes", "app/base/** filter=lfs -text\n"),
        (".gitattributes", "app/base/** filter=lfs text eol=crlf\n"),
        (".gitattributes", "* text=auto\napp/base/** filter=lfs\n"),
        (".gitattributes", "app/base/** filter=lfs ident\n"),
    ],
    ids=["pattern", "macro", "folder", "this clone", "eol", "auto", "ident"],
)
def test_files_in_lfs_are_pristine_with_it_and_without(team, lfs, file, text):
    root = team.begin(**lfs)
    put(root, {file: text}, "Large files")
    assert "oid sha256" in git(root, "cat-file", "-p", f"HEAD:{BASE}")
    assert_untouched(team, root)
    second = team.clone(root)
    assert (second / BASE).read_bytes().startswith(b"version https://git-lfs")
    assert_untouched(team, second)
    assert_moves_on(team, second)


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("fetched", [False, True])
def test_an_edit_of_a_file_in_lfs_is_noticed(team, lfs, committed, fetched):
    root = team.begin("app/base/** filter=lfs -text\n", **lfs)
    if not committed:
        root = team.clone(root, **lfs) if fetched else root
        (root / BASE).write_text(UNIX.replace("one", "ours"))
    else:
        put(root, {BASE: UNIX.replace("one", "ours")}, "Ours")
        root = team.clone(root, **(lfs if fetched else {}))
    state = team.state(root)
    assert (state.pristine, state.condition) == (False, BaseCondition.EDITED)
    assert "edited here" in state.why
    assert "edited by hand" in refusal(team, root).message


def test_a_filter_that_gives_back_what_it_was_given(team):
    root = team.begin("app/base/** filter=crypt\n", **ROT13)
    assert "one" not in git(root, "cat-file", "-p", f"HEAD:{BASE}")
    second = team.clone(root, **ROT13)
    assert_untouched(team, second)
    (second / BASE).write_text(UNIX.replace("one", "ours"))
    assert "edited here" in team.state(second).why


def test_where_the_filter_is_missing_it_is_named(team):
    root = team.begin("app/base/** filter=crypt\n", **ROT13)
    second = team.clone(root)
    state = team.state(second)
    assert not state.pristine
    assert "edited here" not in state.why
    assert "filter `crypt`" in state.why
    error = refusal(team, second)
    assert "filter `crypt`" in error.message
    assert "--discard-edits" in error.hint
    assert "by hand" not in error.message


def test_a_filter_that_changes_what_it_stores_is_named_with_a_way_out(team):
    text = UNIX.replace("one\n", "one  \n")
    team.publish(text, "1.0.0")
    strip = {"filter_strip_clean": "sed 's/ *$//'", "filter_strip_smudge": "cat"}
    root = team.begin("*.yaml filter=strip\n", **strip)
    second = team.clone(root, **strip)
    state = team.state(second)
    assert "filter `strip`" in state.why
    assert "app/base/** -filter" in state.command
    with (second / ".gitattributes").open("a") as file:
        file.write("app/base/** -filter\n")
    with team.open(second) as project:
        project.update(["app"], discard_edits=True).write()
    assert_untouched(team, second)


def test_a_filter_that_is_required_and_not_there_fails_nothing(team):
    root = team.begin("app/base/** filter=crypt\n", **ROT13)
    for key in ("clean", "smudge"):
        git(root, "config", f"filter.crypt.{key}", "/nowhere/to/be/found")
    git(root, "config", "filter.crypt.required", "true")
    assert_untouched(team, root)
    (root / BASE).write_text(UNIX.replace("one", "ours"))
    assert "edited here" in team.state(root).why
    (root / BASE).write_text(UNIX)
    assert_moves_on(team, root)


@pytest.mark.parametrize(
    ("text", "attributes", "settings"),
    [
        (UNIX, "app/base/** filter=crypt text eol=crlf\n", ROT13),
        (UNIX, "[attr]odd filter=crypt\n*.yaml odd\n*ve*.yaml !filter\napp/*lock* -filter\n", ROT13),
        (UNIX, "app/base/** text working-tree-encoding=UTF-16LE-BOM\n", {}),
        (UNIX, "app/base/** text working-tree-encoding=UTF-16 eol=crlf\n", {}),
        (MIXED, "app/base/** text eol=crlf\n", {}),
        (UNIX.replace("one", "$Id$"), "app/base/** ident filter=crypt\n", ROT13),
    ],
    ids=["filter and eol", "macro", "encoding", "encoding and eol", "mixed", "ident"],
)
def test_what_git_stores_is_what_was_written(team, text, attributes, settings):
    """As commits have it that were made without these settings: those of `pr`, for one."""
    team.publish(text, "1.0.0")
    root = begun_without(team, attributes)
    second = team.clone(root, **settings)
    assert (second / BASE).read_bytes() != text.encode()
    assert_untouched(team, second)
    assert_moves_on(team, second, text)


@pytest.mark.parametrize(
    ("attributes", "settings"),
    [
        ("* text=auto\n", {}),
        ("* text=auto eol=crlf\n", {}),
        ("", {"core_autocrlf": "true"}),
        ("*.yaml ident\n", {}),
        ("app/base/** filter=crypt\n", ROT13),
    ],
)
def test_an_edit_that_was_committed_is_noticed(team, attributes, settings):
    root = team.begin(attributes, **settings)
    put(root, {BASE: UNIX.replace("one", "ours")}, "Ours")
    second = team.clone(root, **settings)
    state = team.state(second)
    assert (state.pristine, state.condition) == (False, BaseCondition.EDITED)
    assert "edited here" in state.why
    assert state.command == "upstreamsync adopt app"
    assert "edited by hand" in refusal(team, second).message


@pytest.mark.parametrize("file", ["vendors.yaml", "app/app.lock.yaml"])
def test_our_own_files_as_pointers(team, lfs, file):
    root = team.begin(f"{file} filter=lfs\n", **lfs)
    assert file in git(root, "ls-files").split()
    second = team.clone(root)
    with pytest.raises(UpstreamsyncError) as caught:
        team.state(second)
    said = f"{caught.value} {caught.value.hint}"
    assert f"{file}" in said
    assert "a pointer of Git LFS" in said
    assert "git lfs pull" in said


@pytest.mark.parametrize("edited", [False, True])
def test_where_history_was_cut_off_nothing_is_claimed(team, edited):
    team.publish(MIXED, "1.0.0")
    root = team.begin("* text=auto\n")
    if edited:
        put(root, {BASE: UNIX.replace("one", "ours")}, "Ours")
    shallow = team.tmp / "shallow"
    git(team.tmp, "clone", "-q", "--depth=1", f"file://{root}", str(shallow))
    state = team.state(shallow)
    assert not state.pristine
    assert "nobody has edited" not in state.why
    assert "edited here" not in state.why
    assert "can't be told without the history" in state.why
    assert state.command.startswith("git fetch --unshallow")


@pytest.mark.parametrize("edited", [False, True])
def test_what_git_converts_can_be_removed_unless_it_was_edited(team, edited):
    root = begun_without(team, "app/base/** text working-tree-encoding=UTF-16\n")
    second = team.clone(root)
    if edited:
        (second / BASE).write_bytes(UNIX.replace("one", "ours").encode("utf-16"))
    with team.open(second) as project:
        if edited:
            with pytest.raises(UpstreamsyncError, match="edited by hand"):
                project.remove("app")
        else:
            assert project.remove("app").base_files[BASE] is None


# -- `pr`, which reads commits and not a checkout ---------------------------------------------------------


def proposed(team: Team, root: Path):
    with team.open(root) as project:
        return propose_from_branch(project.session, (), ProposeOptions(forge="local"))


@pytest.mark.parametrize(
    ("file", "text", "named"),
    [
        (".gitattributes", "app/base/** filter=lfs -text\n", True),
        (
            ".gitattributes",
            "[attr]large filter=lfs\n*.yaml large\nvendors.yaml -filter\n*lock* -filter\n",
            True,
        ),
        ("app/.gitattributes", "base/** filter=lfs -text\n", True),
        (".git/info/attributes", "app/base/** filter=lfs -text\n", True),
        (".gitattributes", "app/base/** filter=lfs\napp/base/** -filter\n", False),
        (".gitattributes", "*.png filter=lfs\n* text=auto\n", False),
        (".gitattributes", "app/overlay/** filter=lfs\n", False),
    ],
)
def test_a_pull_request_says_which_files_go_through_a_filter(team, lfs, file, text, named):
    root = team.begin(**lfs)
    put(root, {file: text}, "Attributes")
    team.publish(UNIX, "1.0.0", "1.1.0")
    done = proposed(team, root)
    assert not done.failures
    (one,) = done.pull_requests
    body = one.body
    assert ("the filter `lfs`" in body) is named
    if named:
        assert "`app/base/app.yaml`" in body


@pytest.mark.parametrize("edited", [False, True])
def test_what_a_filter_stores_is_not_by_hand_to_a_pull_request(team, edited):
    root = team.begin("app/base/** filter=crypt\n", **ROT13)
    if edited:
        put(root, {BASE: UNIX.replace("one", "ours")}, "Ours")
    team.publish(UNIX, "1.0.0", "1.1.0")
    done = proposed(team, root)
    assert done.pull_requests == ()
    failure = done.failures["app"]
    assert ("edited by hand" in failure.message) is edited
    assert ("filter `crypt`" in failure.message) is not edited


@pytest.mark.parametrize(
    "attributes", ["app/base/** filter=crypt\n", "* filter=crypt\nvendors.yaml -filter\napp/*lock* -filter\n"]
)
def test_no_filter_is_run(team, attributes):
    root = team.begin(attributes, **ROT13)
    second = team.clone(root, **ROT13)
    (second / BASE).write_text(UNIX.replace("one", "ours"))
    third = team.clone(root, folder="third")
    ran = team.tmp / "ran"
    for folder in (root, second, third):
        for key in ("clean", "smudge", "process"):
            git(folder, "config", f"filter.crypt.{key}", f"touch {ran}; cat")
    team.publish(UNIX, "1.0.0", "1.1.0")
    for folder in (root, second, third):
        team.state(folder)
        team.status(folder)
        with team.open(folder) as project:
            project.update()
        proposed(team, folder)
        with team.open(folder) as project, suppress(UpstreamsyncError):
            project.remove("app")
    assert not ran.exists()


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
@pytest.mark.parametrize(
    ("attributes", "settings"), [("* text=auto eol=crlf\n", {}), ("app/base/** filter=crypt\n", ROT13)]
)
def test_an_edit_that_git_was_told_not_to_see_is_noticed(team, flag, attributes, settings):
    root = team.begin(attributes, **settings)
    second = team.clone(root, **settings)
    git(second, "update-index", flag, BASE)
    (second / BASE).write_text(UNIX.replace("one", "ours"))
    assert git(second, "status", "--porcelain") == ""
    assert "edited here" in team.state(second).why
    assert "edited by hand" in refusal(team, second).message
