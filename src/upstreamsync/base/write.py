"""Bringing changes to disk: all of them or none, whatever happens meanwhile.

Everything new is staged first, on the same file system, together with a second link to every old file; then
a journal says what is to be done; then each file is put in its place by one rename, so that it always
exists in its old or its new form. Whoever comes next after a kill finds the journal, and finishes (when
the first file had been put in place) or clears away (when none had). An error on the way undoes everything.

The order lets a base build at every moment: files first, then the kustomizations that name them, then the
lock and vendors.yaml, and last the removals.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from upstreamsync.base.disk import Disk, Found
from upstreamsync.base.journal import JOURNAL, UNDOING, Step, digest_of, load_journal, order, save_journal
from upstreamsync.base.paths import check_path
from upstreamsync.errors import Refused, RepositoryError, UpstreamsyncError
from upstreamsync.kit.run.threads import ordered_map, processors
from upstreamsync.model import Change

Checkpoint = Callable[[str], None]
_STAGING_IN_GIT = ".git/upstreamsync-staging"
_STAGING = ".upstreamsync-staging"
_PATIENCE = 20.0


def as_tree(changes: Change | Sequence[Change]) -> dict[str, bytes | None]:
    """Repository path → new bytes, None for a file that goes; later changes win. Sorted by path."""
    merged: dict[str, bytes | None] = {}
    for change in [changes] if isinstance(changes, Change) else changes:
        merged.update(change.files)
    return dict(sorted(merged.items()))


def write(changes: Change | Sequence[Change], root: Path, *, checkpoint: Checkpoint = lambda _: None) -> None:
    """Write the changes below ``root``, the folder of vendors.yaml: all, or none of them.

    Finishes or clears away first what a run that was killed left behind. ``checkpoint`` is called with a
    word before each step; for tests.

    Raises Refused for a path that leads outside, or where a link or folder is in the way; RepositoryError
    when the disk does not take it. Then everything is as it was before.
    """
    several = [changes] if isinstance(changes, Change) else list(changes)
    executable = frozenset(path for change in several for path in change.executable)
    with _opened(root) as disk:
        _recover(disk)
        files = as_tree(several)
        for path in files:
            check_path(path)
        try:
            steps = list(_needed(disk, files, executable))
            if steps:
                _carry_out(disk, steps, files, checkpoint)
        except OSError as error:
            raise _disk_error(error) from error


def recover(root: Path) -> bool:
    """Finish, or clear away, what a killed run left behind; whether there was anything.

    Raises RepositoryError when the disk does not let it.
    """
    with _opened(root) as disk:
        return _recover(disk)


@contextlib.contextmanager
def _opened(root: Path) -> Iterator[Disk]:
    """The root, for this process alone: the lock goes with the process, and leaves nothing behind."""
    with Disk(root) as disk:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(disk.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise RepositoryError(
                        f"another run is writing to {disk.root}", hint="wait for it, or end it"
                    ) from None
                time.sleep(0.05)
            except OSError:
                break  # a file system without locks
        yield disk


def _needed(disk: Disk, files: Mapping[str, bytes | None], executable: frozenset[str]) -> Iterator[Step]:
    """What has to be done; a file that is already as it should be needs nothing."""
    gone = {path for path, data in files.items() if data is None}

    def step(entry: tuple[int, str]) -> Step | None:
        number, path = entry
        data, old = files[path], _now(disk, path, gone)
        mode = 0o755 if path in executable else old.mode if old is not None else 0o644
        if data == (old.data if old is not None else None) and (old is None or old.mode == mode):
            return None
        return Step(
            number=number,
            path=path,
            old=digest_of(old.data if old is not None else None),
            new=digest_of(data),
            mode=mode if data is not None else 0,
        )

    for outcome in ordered_map(step, enumerate(files), processors()):  # digests are computed side by side
        found = outcome.get()
        if found is not None:
            yield found


def _now(disk: Disk, path: str, gone: set[str]) -> Found | None:
    """The file at ``path``. A folder in the way is fine when all that it holds is about to go."""
    if disk.is_folder(path) and (path in gone or gone.issuperset(disk.files_below(path) or [path])):
        return None
    return disk.find(path)


def _carry_out(
    disk: Disk, steps: Sequence[Step], files: Mapping[str, bytes | None], checkpoint: Checkpoint
) -> None:
    staging = _make_staging(disk)
    try:
        for step in steps:
            checkpoint(f"stage {step.path}")
            _stage(disk, staging, step, files[step.path])
        checkpoint("journal")
        save_journal(staging, steps)
        for step in order(steps):
            checkpoint(f"apply {step.path}")
            _apply(disk, staging, step)
    except BaseException:
        _take_back(disk, staging, steps)
        raise
    _prune(disk, steps)
    checkpoint("clear")
    with contextlib.suppress(OSError):  # all is in place; the next run clears what is left
        _clear(staging)
    checkpoint("done")


def _put(disk: Disk, staged: Path, path: str) -> None:
    with disk.parent(path, create=True) as (folder, name):
        try:
            os.replace(staged, name, dst_dir_fd=folder)
        except IsADirectoryError:
            # A folder whose last file has just gone; one that still holds something stays.
            os.rmdir(name, dir_fd=folder)
            os.replace(staged, name, dst_dir_fd=folder)


def _take_back(disk: Disk, staging: Path, steps: Sequence[Step]) -> None:
    try:
        if (staging / JOURNAL).exists():
            os.replace(staging / JOURNAL, staging / UNDOING)
            _undo(disk, staging, steps)
        _clear(staging)
    except OSError as error:
        raise RepositoryError(
            f"a change that could not be written could not be taken back either: {error.strerror or error}",
            hint="make the disk writable and run again: that takes it back first",
        ) from error


def _stage(disk: Disk, staging: Path, step: Step, data: bytes | None) -> None:
    if data is not None:
        handle = os.open(staging / step.new_name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), step.mode)
    if step.old is None:
        return
    with disk.parent(step.path) as (folder, name):
        try:
            os.link(name, staging / step.old_name, src_dir_fd=folder, follow_symlinks=False)
        except (OSError, NotImplementedError):  # a file system without hard links
            found = disk.find(step.path)
            if found is None:
                raise
            (staging / step.old_name).write_bytes(found.data)
            os.chmod(staging / step.old_name, found.mode)


def _apply(disk: Disk, staging: Path, step: Step) -> None:
    if step.new is None:
        disk.remove(step.path)
        disk.prune(step.path)
        return
    _put(disk, staging / step.new_name, step.path)


def _undo(disk: Disk, staging: Path, steps: Sequence[Step]) -> None:
    """Bring back the old files. May itself be broken off and begun again."""
    for step in order(steps, backwards=True):
        if not _is_applied(disk, staging, step):
            continue
        if step.old is None:
            found = _found(disk, step.path)
            if found is not None and digest_of(found.data) == step.new:
                disk.remove(step.path)
                disk.prune(step.path)
        elif (staging / step.old_name).exists():
            _put(disk, staging / step.old_name, step.path)


def _is_applied(disk: Disk, staging: Path, step: Step) -> bool:
    """A staged file is gone from the staging folder once it is in its place."""
    if step.new is None:
        return _found(disk, step.path) is None
    return not (staging / step.new_name).exists()


def _found(disk: Disk, path: str) -> Found | None:
    """The file at ``path``, if there is a plain one."""
    try:
        return disk.find(path)
    except Refused:
        return None


def _prune(disk: Disk, steps: Sequence[Step]) -> None:
    for step in steps:
        disk.prune(step.path)


# -- after a kill -----------------------------------------------------------------------------------


def _recover(disk: Disk) -> bool:
    found = False
    for name in (_STAGING_IN_GIT, _STAGING):
        staging = disk.root / name
        if not _is_ours(staging):
            continue
        found = True
        try:
            _heal(disk, staging)
            _clear(staging)
        except OSError as error:
            raise _disk_error(error) from error
    return found


def _heal(disk: Disk, staging: Path) -> None:
    """Finish what had begun; what had not is forgotten. What somebody changed since then is left alone."""
    undoing = load_journal(staging, UNDOING)
    steps = undoing or load_journal(staging, JOURNAL)
    for step in steps:
        check_path(step.path)
    waiting = [step for step in steps if not _is_applied(disk, staging, step)]
    if not steps or (len(waiting) == len(steps) and not undoing):
        return
    if undoing or not all(_is_whole(staging, step) for step in waiting):
        os.replace(staging / (UNDOING if undoing else JOURNAL), staging / UNDOING)
        _undo(disk, staging, steps)
    else:
        for step in order([step for step in waiting if _is_old(disk, step)]):
            _apply(disk, staging, step)
    _prune(disk, steps)


def _is_old(disk: Disk, step: Step) -> bool:
    found = _found(disk, step.path)
    return digest_of(found.data if found is not None else None) == step.old


def _is_whole(staging: Path, step: Step) -> bool:
    """Whether the new file is there, whole: after a power cut it may not be."""
    if step.new is None:
        return True
    try:
        return digest_of((staging / step.new_name).read_bytes()) == step.new
    except OSError:
        return False


def _make_staging(disk: Disk) -> Path:
    """A new folder, where git does not look and a rename to the root is possible."""
    git = disk.root / ".git"
    inside = git.is_dir() and not git.is_symlink() and git.stat().st_dev == disk.root.stat().st_dev
    staging = disk.root / (_STAGING_IN_GIT if inside else _STAGING)
    os.mkdir(staging, 0o700)
    if not inside:
        (staging / ".gitignore").write_text("*\n")
    return staging


def _is_ours(staging: Path) -> bool:
    """Whether a staging folder is there that this tool made: one that came by git would be open to others."""
    try:
        facts = os.lstat(staging)
    except (FileNotFoundError, NotADirectoryError):
        return False
    if stat.S_ISDIR(facts.st_mode) and stat.S_IMODE(facts.st_mode) == 0o700 and facts.st_uid == os.geteuid():
        return True
    raise Refused(
        f"{staging} is in the way, and was not made by this user's runs", hint="look at it, and remove it"
    )


def _clear(staging: Path) -> None:
    """Remove the staging folder, the journal first: without it the rest is but waste."""
    for name in (JOURNAL, UNDOING):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(staging / name)
    shutil.rmtree(staging)


def _disk_error(error: OSError) -> UpstreamsyncError:
    where = f" ({error.filename})" if error.filename else ""
    return RepositoryError(
        f"the repository can't be written: {error.strerror or error}{where}",
        hint="nothing was changed; see whether the disk is full, or the folder read-only",
    )
