"""Writing: complete or not at all, at whatever moment the process ends."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upstreamsync.base.write import as_tree, recover, write
from upstreamsync.errors import Refused, RepositoryError
from upstreamsync.model import Change

# The children do nothing but system calls before they die.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")

BEFORE = {
    "vendors.yaml": b"version: 1\n",
    "app/v.lock.yaml": b"lock: 1\n",
    "app/base/kustomization.yaml": b"resources: [a.yaml, gone.yaml]\n",
    "app/base/a.yaml": b"a: 1\n",
    "app/base/gone.yaml": b"gone: 1\n",
    "app/base/deep/er/gone.yaml": b"gone: 2\n",
    "app/base/turns": b"a file becomes a folder\n",
    "app/base/back/to": b"a folder becomes a file\n",
    "app/local.yaml": b"ours: 1\n",
}
CHANGE = Change(
    vendor="v",
    before="1",
    after="2",
    base_files={
        "vendors.yaml": b"version: 2\n",
        "app/v.lock.yaml": b"lock: 2\n",
        "app/base/kustomization.yaml": b"resources: [a.yaml, new/n.yaml]\n",
        "app/base/a.yaml": b"a: 2\n",
        "app/base/gone.yaml": None,
        "app/base/deep/er/gone.yaml": None,
        "app/base/new/n.yaml": b"n: 1\n",
        "app/base/run.sh": b"#!/bin/sh\n",
        "app/base/turns": None,
        "app/base/turns/into": b"x\n",
        "app/base/back/to": None,
        "app/base/back": b"y\n",
    },
    edit_files={"app/local.yaml": b"ours: 2\n"},
    executable=frozenset({"app/base/run.sh"}),
)
AFTER = {
    **{path: data for path, data in BEFORE.items() if path not in CHANGE.files},
    **{path: data for path, data in CHANGE.files.items() if data is not None},
}


@pytest.fixture(params=["git", "plain"])
def root(request, tmp_path: Path) -> Path:
    """A repository as it was; with and without .git beside vendors.yaml."""
    return make_root(tmp_path / "repo", git=request.param == "git")


def make_root(root: Path, *, git: bool = False) -> Path:
    for path, data in BEFORE.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        target.chmod(0o644)
    if git:
        (root / ".git").mkdir()
    return root


def tree(root: Path) -> dict[str, bytes]:
    """Every file, everything that a run might leave behind included; empty folders count as files."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file():
            found[name] = path.read_bytes()
        elif not any(path.iterdir()) and name != ".git":
            found[f"{name}/"] = b""
    return found


def steps(root: Path) -> list[str]:
    names: list[str] = []
    write(CHANGE, root, checkpoint=names.append)
    return names


# -- the plain way ----------------------------------------------------------------------------------


def test_a_change_is_written_whole_and_nothing_is_left_behind(root):
    write(CHANGE, root)
    assert tree(root) == AFTER


def test_again_touches_nothing(root):
    write(CHANGE, root)
    stamps = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    names = steps(root)
    assert names == []
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == stamps


def test_modes_are_kept_and_programs_are_executable(root):
    (root / "app/base/a.yaml").chmod(0o600)
    write(CHANGE, root)
    modes = {name: (root / name).stat().st_mode & 0o777 for name in AFTER}
    assert modes.pop("app/base/a.yaml") == 0o600
    assert modes.pop("app/base/run.sh") == 0o755
    assert set(modes.values()) == {0o644}


def test_several_changes_are_one(root):
    later = Change(vendor="w", before="1", after="2", edit_files={"app/local.yaml": b"ours: 3\n"})
    write([CHANGE, later], root)
    assert tree(root) == {**AFTER, "app/local.yaml": b"ours: 3\n"}
    assert as_tree([CHANGE, later])["app/local.yaml"] == b"ours: 3\n"


def test_files_come_before_kustomizations_before_records_before_removals(root):
    applied = [name.removeprefix("apply ") for name in steps(root) if name.startswith("apply ")]
    place = applied.index
    assert place("app/base/new/n.yaml") < place("app/base/kustomization.yaml") < place("vendors.yaml")
    assert place("app/v.lock.yaml") < place("app/base/gone.yaml")


# -- a kill at any moment ---------------------------------------------------------------------------


@pytest.mark.slow
def test_killed_before_every_system_call_a_rerun_completes_it(root, tmp_path):
    git = (root / ".git").exists()
    healed_to = []
    for moment in range(1000):
        where = make_root(tmp_path / f"repo-{moment}", git=git)
        if not killed(where, moment):
            break
        for name, data in BEFORE.items():
            if name in AFTER:
                assert (where / name).read_bytes() in (data, AFTER[name]), "a file was missing or torn"
        healed = make_copy(where, tmp_path / f"healed-{moment}")
        recover(healed)
        assert tree(healed) in (BEFORE, AFTER), "neither as it was nor complete"
        healed_to.append(tree(healed) == AFTER)
        assert not recover(healed)
        write(CHANGE, where)
        assert tree(where) == AFTER
    assert moment > 80
    assert healed_to == sorted(healed_to), "once complete, always complete"
    assert set(healed_to) == {True, False}


CALLS = ("open", "link", "mkdir", "replace", "unlink", "rmdir", "fchmod")


def killed(where: Path, moment: int) -> bool:
    """Write in a forked child that dies before its system call number ``moment``; False if it made fewer."""
    child = os.fork()
    if child == 0:
        left = [moment]

        def deadly(call):
            def wrapped(*args, **kwargs):
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left[0] -= 1
                return call(*args, **kwargs)

            return wrapped

        try:
            for name in CALLS:
                setattr(os, name, deadly(getattr(os, name)))
            write(CHANGE, where)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def make_copy(where: Path, target: Path) -> Path:
    shutil.copytree(where, target)  # modes too, which the staging folder is known by
    return target


def test_what_somebody_changed_since_the_kill_is_left_alone(root):
    applied = steps_until(root, lambda name: name == "apply vendors.yaml")
    assert applied
    (root / "vendors.yaml").write_bytes(b"my own\n")
    assert recover(root)
    assert tree(root) == {**AFTER, "vendors.yaml": b"my own\n"}


def steps_until(root: Path, stop) -> bool:
    child = os.fork()
    if child == 0:
        try:
            write(CHANGE, root, checkpoint=lambda name: stop(name) and os.kill(os.getpid(), signal.SIGKILL))
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_a_staged_file_lost_to_a_power_cut_takes_the_change_back(root):
    assert steps_until(root, lambda name: name == "apply vendors.yaml")
    places = (root / ".git/upstreamsync-staging", root / ".upstreamsync-staging")
    staging = next(path for path in places if path.exists())
    for staged in staging.glob("new-*"):
        staged.write_bytes(b"")
    assert recover(root)
    assert tree(root) == BEFORE


# -- errors on the way ------------------------------------------------------------------------------


def test_an_error_at_any_step_takes_everything_back(root, tmp_path):
    git = (root / ".git").exists()
    names = steps(make_root(tmp_path / "count", git=git))
    for moment in range(names.index("clear")):
        where = make_root(tmp_path / f"repo-{moment}", git=git)
        left = [moment]

        def checkpoint(_: str, left=left) -> None:
            if left[0] == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            left[0] -= 1

        with pytest.raises(RepositoryError, match="No space left") as caught:
            write(CHANGE, where, checkpoint=checkpoint)
        assert "disk is full" in caught.value.hint
        assert tree(where) == BEFORE, names[moment]


@pytest.mark.parametrize("moment", range(1, 6))
def test_killed_while_taking_back_the_next_run_goes_on(root, moment):
    """Five renames: the journal's, and one for each file that had a new form by then."""
    child = os.fork()
    if child == 0:
        real, left = os.replace, [moment]

        def dying(*args, **kwargs):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)

        def checkpoint(name: str) -> None:
            if name == "apply app/base/gone.yaml":
                os.replace = dying
                raise OSError(errno.EIO, "input/output error")

        try:
            write(CHANGE, root, checkpoint=checkpoint)
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert recover(root)
    assert tree(root) == (BEFORE if moment > 1 else AFTER), "before the journal says so, it goes on forward"


AS_NOBODY = """
import os, sys
from pathlib import Path
from upstreamsync.base.write import write
from upstreamsync.errors import RepositoryError
from upstreamsync.model import Change
if os.geteuid() == 0:
    os.setgid(65534); os.setuid(65534)
change = Change(vendor="v", before="1", after="2", base_files={"open/a": b"new", "shut/b": b"new"})
try:
    write(change, Path(sys.argv[1]))
except RepositoryError as error:
    print(error, error.hint)
    sys.exit(7)
"""


def test_a_folder_that_can_not_be_written_leaves_everything_as_it_was():
    with tempfile.TemporaryDirectory() as folder:  # not pytest's, which nobody else may enter
        root = Path(folder)
        root.chmod(0o777)
        for name, mode in (("open/a", 0o777), ("shut/b", 0o555)):
            (root / name).parent.mkdir()
            (root / name).write_bytes(b"old")
            (root / name).chmod(0o666)
            (root / name).parent.chmod(mode)
        done = subprocess.run([sys.executable, "-c", AS_NOBODY, folder], capture_output=True, text=True)
        assert done.returncode == 7, done.stderr
        assert "read-only" in done.stdout
        assert tree(root) == {"open/a": b"old", "shut/b": b"old"}
        (root / "shut").chmod(0o755)


FULL = """
import resource, signal, sys
from pathlib import Path
from upstreamsync.base.write import write
from upstreamsync.errors import RepositoryError
from upstreamsync.model import Change
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10000, 10000))
change = Change(vendor="v", before="1", after="2", base_files={"a": b"new", "b": b"x" * 20000})
try:
    write(change, Path(sys.argv[1]))
except RepositoryError as error:
    print(error)
    sys.exit(7)
"""


def test_a_file_that_does_not_fit_leaves_everything_as_it_was(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 7, done.stderr
    assert "File too large" in done.stdout
    assert tree(tmp_path) == {"a": b"old"}


paths = st.lists(st.sampled_from(["a", "b", "kustomization.yaml"]), min_size=1, max_size=3).map("/".join)


def without_conflicts(files: dict[str, bytes]) -> dict[str, bytes]:
    """Only those of which none is the folder of another."""
    return {
        path: data for path, data in files.items() if not any(other.startswith(f"{path}/") for other in files)
    }


trees = st.dictionaries(paths, st.sampled_from([b"1", b"2", b""]), max_size=8).map(without_conflicts)


@settings(deadline=None)
@given(before=trees, after=trees, moment=st.integers(0, 30))
def test_any_tree_becomes_any_other_or_stays_what_it_was(before, after, moment):
    change = Change(vendor="v", before="1", after="2", base_files={**dict.fromkeys(before), **after})
    left = [moment]

    def checkpoint(name: str) -> None:
        left[0] -= 1
        if left[0] == -1 and name not in ("clear", "done"):
            raise OSError(errno.EIO, "input/output error")

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path, data in before.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
        try:
            write(change, root, checkpoint=checkpoint)
        except RepositoryError:
            assert tree(root) == before
            write(change, root)
        assert tree(root) == after


# -- nothing outside --------------------------------------------------------------------------------


def one(path: str, data: bytes | None = b"evil\n") -> Change:
    return Change(vendor="v", before="1", after="2", base_files={"app/base/a.yaml": b"a: 2\n", path: data})


@pytest.mark.parametrize(
    "path",
    [
        "../out",
        "/etc/out",
        "app/../../out",
        ".git/hooks/pre-commit",
        "app/.GIT/config",
        "a\\b",
        "",
        "a//b",
        "~/x",
    ],
)
def test_paths_that_lead_outside_are_refused(root, path):
    with pytest.raises(Refused):
        write(one(path), root)
    assert tree(root) == BEFORE


@pytest.mark.parametrize("data", [b"evil\n", None], ids=["write", "remove"])
@pytest.mark.parametrize("link", ["app/base/link", "app/base"])
def test_links_are_not_followed(root, tmp_path, link, data):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_bytes(b"precious\n")
    if (root / link).exists():
        os.rename(root / link, tmp_path / "moved")
    (root / link).symlink_to(outside)
    with pytest.raises(Refused, match="symbolic link"):
        write(one(f"{link}/x", data), root)
    assert tree(outside) == {"x": b"precious\n"}


def test_a_link_in_place_of_the_file_is_not_written_through(root, tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious\n")
    (root / "app/base/x.yaml").symlink_to(outside)
    with pytest.raises(Refused, match="symbolic link"):
        write(one("app/base/x.yaml"), root)
    assert outside.read_bytes() == b"precious\n"
    assert (root / "app/base/a.yaml").read_bytes() == b"a: 1\n"


def test_a_link_swapped_in_between_is_not_followed(root, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()

    def checkpoint(name: str) -> None:
        if name.startswith("apply"):
            os.rename(root / "app/base", tmp_path / "moved")
            (root / "app/base").symlink_to(outside)

    with pytest.raises((Refused, RepositoryError)):
        write(one("app/base/new.yaml"), root, checkpoint=checkpoint)
    assert tree(outside) == {}


def test_a_folder_in_the_way_is_refused(root):
    (root / "app/base/x.yaml").mkdir()
    (root / "app/base/x.yaml/keep").write_bytes(b"mine\n")
    with pytest.raises(Refused, match="a folder"):
        write(one("app/base/x.yaml"), root)
    assert (root / "app/base/x.yaml/keep").read_bytes() == b"mine\n"


def test_a_staging_folder_that_came_with_the_repository_is_not_obeyed(tmp_path):
    root = make_root(tmp_path / "repo")
    (root / ".upstreamsync-staging").mkdir()
    (root / ".upstreamsync-staging/journal.json").write_text("[]")
    with pytest.raises(Refused, match="in the way"):
        write(CHANGE, root)
    (root / ".upstreamsync-staging/journal.json").unlink()
    (root / ".upstreamsync-staging").rmdir()
    (root / ".upstreamsync-staging").symlink_to(tmp_path)
    with pytest.raises(Refused, match="in the way"):
        write(CHANGE, root)


def test_two_writers_take_turns(root):
    order = []

    def checkpoint(name: str) -> None:
        if name == "journal":
            child = subprocess.Popen([sys.executable, "-c", RECOVERING, str(root)])
            order.append(child)
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(1)

    write(CHANGE, root, checkpoint=checkpoint)
    assert order[0].wait(20) == 0
    assert tree(root) == AFTER


RECOVERING = """
import sys
import tempfile
from pathlib import Path
from upstreamsync.base.write import recover
sys.exit(recover(Path(sys.argv[1])))
"""
