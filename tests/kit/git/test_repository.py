"""The user's repository, with real git."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from upstreamsync.errors import PushRefused, Refused, RepositoryError, UpstreamsyncError, UsageError
from upstreamsync.kit.git.index import index
from upstreamsync.kit.git.remote import Git
from upstreamsync.kit.git.repository import Identity, Repository

ME = Identity(name="A Robot", email="robot@example.org")


def git(folder: Path, *words: str) -> str:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    who = (("NAME", "Test"), ("EMAIL", "test@example.org"), ("DATE", "1700000000 +0000"))
    env |= {f"GIT_{role}_{field}": value for role in ("AUTHOR", "COMMITTER") for field, value in who}
    return subprocess.run(
        ["git", *words], cwd=folder, env=env, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    origin = tmp_path / "origin.git"
    work = tmp_path / "work"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(origin))
    git(tmp_path, "clone", "-q", str(origin), str(work))
    git(work, "checkout", "-q", "-b", "main")
    (work / "base").mkdir()
    (work / "base" / "one.yaml").write_bytes(b"a: 1\r\n")
    (work / "base" / "über maß.yaml").write_text("b: 2\n")
    (work / "run.sh").write_text("#!/bin/sh\n")
    (work / "run.sh").chmod(0o755)
    (work / "link.yaml").symlink_to("base/one.yaml")
    (work / "out").symlink_to("/etc")
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "first")
    git(work, "push", "-q", "origin", "main")
    git(work, "remote", "set-head", "origin", "main")
    return work


@pytest.fixture
def repository(clone: Path) -> Repository:
    return Repository.open(clone / "base")


def state(folder: Path) -> tuple[str, ...]:
    return (
        git(folder, "status", "--porcelain=v2", "--branch"),
        git(folder, "rev-parse", "HEAD"),
        (folder / ".git" / "index").read_bytes().hex(),
    )


def test_it_is_found_from_any_folder_in_it(clone: Path, repository: Repository) -> None:
    assert repository.root == clone
    assert Repository.open(clone / "base" / "one.yaml").root == clone


def test_no_repository_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError) as caught:
        Repository.open(tmp_path)
    assert caught.value.hint


def test_reading_at_a_revision(clone: Path, repository: Repository) -> None:
    first = repository.head()
    (clone / "base" / "one.yaml").write_text("a: 3\n")
    assert repository.is_dirty()
    assert repository.is_dirty(["base"])
    assert not repository.is_dirty(["run.sh"])
    assert repository.read(first, "base/one.yaml") == b"a: 1\r\n"
    assert repository.read(first, "base/absent.yaml") is None
    assert repository.read(first, "base") is None
    assert repository.tracked_files("HEAD", "base") == ("base/one.yaml", "base/über maß.yaml")
    assert repository.resolve("main~0") == first
    with pytest.raises(Refused):
        repository.read(first, "link.yaml")


@pytest.mark.parametrize("rev", ["--help", "", "nowhere", "a\nb", "HEAD:run.sh"])
def test_a_revision_that_is_none_is_an_error(repository: Repository, rev: str) -> None:
    with pytest.raises(RepositoryError):
        repository.resolve(rev)


def test_untracked_files_count_as_dirty_and_looking_does_not_write_the_index(
    clone: Path, repository: Repository
) -> None:
    os.utime(clone / "run.sh", (1, 1))  # a refresh would now be due
    before = (clone / ".git" / "index").read_bytes()
    assert not repository.is_dirty()
    (clone / "base" / "new.yaml").write_text("")
    assert repository.is_dirty(["base"])
    assert (clone / ".git" / "index").read_bytes() == before


def test_export_writes_plain_files_and_copies_what_links_point_to(
    tmp_path: Path, repository: Repository
) -> None:
    repository.export("HEAD", tmp_path / "all")
    written = {str(p.relative_to(tmp_path / "all")) for p in (tmp_path / "all").rglob("*") if not p.is_dir()}
    assert written == {"base/one.yaml", "base/über maß.yaml", "run.sh", "link.yaml"}
    assert (tmp_path / "all" / "link.yaml").read_bytes() == b"a: 1\r\n"
    assert not (tmp_path / "all" / "link.yaml").is_symlink()
    assert os.access(tmp_path / "all" / "run.sh", os.X_OK)
    repository.export("HEAD", tmp_path / "some", ["base/"])
    assert sorted(p.name for p in (tmp_path / "some").iterdir()) == ["base"]


def test_an_export_may_link_to_what_the_working_tree_has_just_so(
    tmp_path: Path, clone: Path, repository: Repository
) -> None:
    (clone / "base/one.yaml").write_bytes(b"a: edited\r\n")
    repository.export("HEAD", tmp_path / "before", links=True)
    assert (tmp_path / "before/base/one.yaml").read_bytes() == b"a: 1\r\n"
    assert (tmp_path / "before/link.yaml").read_bytes() == b"a: 1\r\n"
    assert not (tmp_path / "before/link.yaml").is_symlink()
    assert (tmp_path / "before/run.sh").samefile(clone / "run.sh")
    assert os.access(tmp_path / "before/run.sh", os.X_OK)
    (clone / "run.sh").chmod(0o644)  # what may be run no more is not the same, and stays as the user has it
    repository.export("HEAD", tmp_path / "again", links=True)
    assert os.access(tmp_path / "again/run.sh", os.X_OK)
    assert not os.access(clone / "run.sh", os.X_OK)


def test_a_commit_changes_what_it_says_and_nothing_of_the_users(clone: Path, repository: Repository) -> None:
    (clone / "run.sh").write_text("being edited\n")
    before = state(clone)
    commit = repository.commit(
        parent="HEAD",
        files={
            "base/one.yaml": b"a: 2\n",
            "base/über maß.yaml": None,
            "run.sh": b"#!/bin/sh -e\n",
            "base/deep/new.yaml": b"",
        },
        message="Move on\n\nBecause.\n",
        author=ME,
    )
    assert state(clone) == before
    assert repository.diff_paths("HEAD", commit) == (
        "base/deep/new.yaml",
        "base/one.yaml",
        "base/über maß.yaml",
        "run.sh",
    )
    assert repository.read(commit, "base/one.yaml") == b"a: 2\n"
    assert git(clone, "ls-tree", commit, "run.sh").startswith("100755")
    assert git(clone, "log", "-1", "--format=%an|%ae|%cn|%ce|%at|%ct", commit) == (
        "A Robot|robot@example.org|A Robot|robot@example.org|1700000000|1700000000"
    )
    (entry,) = repository.log(f"HEAD..{commit}")
    assert (entry.commit, entry.author, entry.message) == (commit, ME, "Move on\n\nBecause.")
    assert entry.date == datetime.fromtimestamp(1700000000, UTC)


def test_the_same_commit_twice_is_one(repository: Repository) -> None:
    commits = {repository.commit(parent="main", files={"x": b"1"}, message="m", author=ME) for _ in range(2)}
    assert len(commits) == 1


def test_a_folder_takes_the_place_of_a_file(repository: Repository) -> None:
    commit = repository.commit(
        parent="HEAD", files={"run.sh": None, "run.sh/inner": b"x"}, message="m", author=ME
    )
    assert "run.sh/inner" in repository.tracked_files(commit)


@pytest.mark.parametrize(
    "path", ["link.yaml", "out/passwd", "../x", "/x", ".git/config", "a/../b", "a\\b", "", "a//b"]
)
def test_nothing_is_written_through_links_or_out_of_the_tree(repository: Repository, path: str) -> None:
    with pytest.raises(Refused):
        repository.commit(parent="HEAD", files={path: b"x"}, message="m", author=ME)


def test_branches_move_only_from_where_they_are_expected(clone: Path, repository: Repository) -> None:
    one = repository.commit(parent="HEAD", files={"x": b"1"}, message="m", author=ME)
    two = repository.commit(parent=one, files={"x": b"2"}, message="m", author=ME)
    repository.update_branch("upstreamsync/x", one, "")
    with pytest.raises(RepositoryError):
        repository.update_branch("upstreamsync/x", two, "")
    with pytest.raises(RepositoryError):
        repository.update_branch("upstreamsync/x", two, two)
    repository.update_branch("upstreamsync/x", two, one)
    assert repository.branch_commit("upstreamsync/x") == two
    assert repository.merge_base("main", two) == repository.head()
    repository.delete_branch("upstreamsync/x")
    repository.delete_branch("upstreamsync/x")
    assert repository.branch_commit("upstreamsync/x") is None
    with pytest.raises(RepositoryError, match="checked out"):
        repository.update_branch("main", two)
    with pytest.raises(RepositoryError, match="checked out"):
        repository.delete_branch("main")


@pytest.mark.parametrize(
    "branch", ["-f", "a..b", "a b", "a.lock", "/a", "a/", "x^", "a~1", "a:b", "@", "a\nb", ".a"]
)
def test_branch_names_that_git_does_not_allow_are_refused(repository: Repository, branch: str) -> None:
    with pytest.raises(Refused):
        repository.update_branch(branch, "HEAD")


def test_pushing_with_a_lease(tmp_path: Path, clone: Path, repository: Repository) -> None:
    one = repository.commit(parent="HEAD", files={"x": b"1"}, message="m", author=ME)
    two = repository.commit(parent="HEAD", files={"x": b"2"}, message="m", author=ME)
    repository.push("origin", "upstreamsync/x", one, lease="")
    assert repository.remote_heads("origin", "upstreamsync/*") == {"upstreamsync/x": one}
    with pytest.raises(PushRefused) as caught:
        repository.push("origin", "upstreamsync/x", two, lease="")
    assert "somebody else" in (caught.value.hint or "")
    with pytest.raises(PushRefused):
        repository.push("origin", "upstreamsync/x", two)
    repository.push("origin", "upstreamsync/x", two, lease=one)
    assert repository.remote_heads()["upstreamsync/x"] == two
    repository.delete_remote_branch("origin", "upstreamsync/x", lease=two)
    assert set(repository.remote_heads()) == {"main"}
    assert repository.default_branch() == "main"
    assert repository.remote_url() == str(tmp_path / "origin.git")
    assert repository.remote_url("nowhere") is None


def test_hooks_of_the_clone_do_not_run(tmp_path: Path, clone: Path, repository: Repository) -> None:
    for hook in ("pre-push", "reference-transaction", "post-commit"):
        (clone / ".git" / "hooks").mkdir(exist_ok=True)
        (clone / ".git" / "hooks" / hook).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
        (clone / ".git" / "hooks" / hook).chmod(0o755)
    commit = repository.commit(parent="HEAD", files={"x": b"1"}, message="m", author=ME)
    repository.update_branch("topic", commit)
    repository.push("origin", "topic", commit)
    assert not (tmp_path / "ran").exists()


def test_fetching_moves_no_branch_of_the_users(tmp_path: Path, clone: Path, repository: Repository) -> None:
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(tmp_path / "origin.git"), str(other))
    (other / "new").write_text("new\n")
    git(other, "add", "-A")
    git(other, "commit", "-q", "-m", "second")
    git(other, "push", "-q", "origin", "main")
    refs = git(clone, "for-each-ref")
    commit = repository.fetch("origin", "main")
    assert commit == git(other, "rev-parse", "HEAD")
    assert repository.read(commit, "new") == b"new\n"
    assert git(clone, "for-each-ref") == refs
    with pytest.raises(RepositoryError):
        repository.fetch("origin", "absent")


def test_two_runs_do_not_meet_and_a_killed_one_does_not_stand_in_the_way(
    clone: Path, repository: Repository
) -> None:
    with repository.lock(), pytest.raises(RepositoryError, match=str(os.getpid())), repository.lock():
        pass
    (clone / ".git" / "upstreamsync.lock").write_text("4194303\n")  # left by a process that is gone
    with repository.lock():
        pass
    assert not (clone / ".git" / "upstreamsync.lock").exists()


def test_the_environments_git_variables_are_kept_out(
    clone: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert Repository.open(clone).head() == repository.head()
    assert not (tmp_path / "index").exists()


def test_an_identity_that_would_break_a_commit_is_refused() -> None:
    with pytest.raises(UsageError):
        Identity(name="x\nparent 0", email="a@b")


def usage() -> float:
    """CPU seconds of this process and of the programs that it ran, which no other process makes longer."""
    return sum(os.times()[:4])


def test_a_branch_on_a_thousand_files_costs_little(clone: Path, repository: Repository) -> None:
    for number in range(1000):
        (clone / "base" / f"{number}.yaml").write_text(f"number: {number}\n")
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", "many")
    taken = []
    for number in range(5):
        start = usage()
        files: dict[str, bytes | None] = {f"base/{n}.yaml": b"changed: %d\n" % number for n in range(3)}
        commit = repository.commit(parent="HEAD", files=files, message="m", author=ME)
        repository.update_branch("topic", commit)
        taken.append(usage() - start)
    print(f"best of 5: {min(taken) * 1000:.0f} ms")
    assert min(taken) < 0.25  # of CPU time; 50 ms all in all on an idle machine, see benchmarks


@pytest.mark.parametrize("worktree", [".", "..", None])
def test_a_folder_that_looks_like_a_repository_is_none(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worktree: str | None
) -> None:
    """Everything of it can be committed, its configuration among it, which names programs to run."""
    disguised, ran = clone / "base", tmp_path / "ran"
    for name in ("objects", "refs"):
        (disguised / name).mkdir()
    (disguised / "HEAD").write_text("ref: refs/heads/main\n")
    (disguised / "shallow").write_text("1" * 40 + "\n")
    (disguised / "config").write_text(
        f"[core]\n\tbare = {str(worktree is None).lower()}\n\tsshCommand = touch {ran} #\n"
        + (f"\tworktree = {worktree}\n" if worktree else "")
        + '[remote "origin"]\n\turl = ssh://127.0.0.1/x\n[url "ssh://127.0.0.1/x"]\n\tinsteadOf = https://127.0.0.1/\n'
    )
    monkeypatch.chdir(disguised)
    repository = Repository.open(disguised)
    assert repository.root == clone
    assert not repository.is_shallow
    assert "base/config" not in index(repository.root).files
    with pytest.raises(UpstreamsyncError):
        Git(timeout=5, attempts=1).ls_remote("https://127.0.0.1:1/a")
    assert not ran.exists()
