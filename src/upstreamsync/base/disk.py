"""Files below one folder, reached without ever following a link out of it.

Every path is walked part by part from an open handle of the root, so that nothing that is swapped in
meanwhile can lead elsewhere.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from upstreamsync.errors import Refused, RepositoryError
from upstreamsync.kit.store import dependencies

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A regular file as it is on disk now."""

    data: bytes
    mode: int


class Disk:
    """An open folder; paths are POSIX strings relative to it. Close it, or use it in a ``with``."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        try:
            self.handle = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise RepositoryError(f"{root} can't be opened: {error.strerror}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.handle)

    @contextlib.contextmanager
    def parent(self, path: str, *, create: bool = False) -> Iterator[tuple[int, str]]:
        """An open handle of the folder of ``path``, and the name in it.

        Raises FileNotFoundError when there is no such folder (and none is to be made), Refused when a
        link is in the way, NotADirectoryError when a file is.
        """
        *folders, name = path.split("/")
        handle = os.dup(self.handle)
        try:
            for depth, part in enumerate(folders):
                inner = _enter(handle, part, "/".join(folders[: depth + 1]), create=create)
                os.close(handle)
                handle = inner
            yield handle, name
        finally:
            os.close(handle)

    def find(self, path: str) -> Found | None:
        """The regular file at ``path``; None where there is nothing. Raises Refused for anything else."""
        return dependencies.asked(
            ("file", str(self.root), path),
            lambda: self._find(path),
            lambda found: hashlib.sha256(found.data).hexdigest() if found is not None else None,
        )

    def _find(self, path: str) -> Found | None:
        try:
            with self.parent(path) as (folder, name):
                return _read(folder, name, path)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def is_folder(self, path: str) -> bool:
        """Whether a real folder is at ``path``."""
        try:
            with self.parent(path) as (folder, name):
                return stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def files_below(self, path: str) -> list[str]:
        """Every file and link below the folder ``path``, sorted; nothing where there is no such folder."""
        found = []
        start = os.path.join(self.root, path)
        for folder, folders, names in os.walk(start):
            folders[:] = sorted(name for name in folders if name != ".git")
            below = os.path.relpath(folder, self.root)
            links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
            found += [os.path.join(below, name) if below != "." else name for name in (*names, *links)]
        return sorted(found)

    def remove(self, path: str) -> None:
        """Remove one file; nothing happens when it is gone already."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), self.parent(path) as (folder, name):
            os.unlink(name, dir_fd=folder)

    def prune(self, path: str) -> None:
        """Remove the folders above ``path`` that are empty, up to the root."""
        folder = path.rpartition("/")[0]
        while folder:
            try:
                with self.parent(folder) as (above, name):
                    os.rmdir(name, dir_fd=above)
            except (FileNotFoundError, NotADirectoryError):
                pass
            except OSError:
                return
            folder = folder.rpartition("/")[0]


def _enter(handle: int, part: str, shown: str, *, create: bool) -> int:
    try:
        return os.open(part, _FOLDER, dir_fd=handle)
    except FileNotFoundError:
        if not create:
            raise
        with contextlib.suppress(FileExistsError):
            os.mkdir(part, 0o755, dir_fd=handle)
        return os.open(part, _FOLDER, dir_fd=handle)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            facts = os.stat(part, dir_fd=handle, follow_symlinks=False)
            if stat.S_ISLNK(facts.st_mode):
                raise Refused(
                    f"`{shown}` is a symbolic link; nothing is written through one",
                    hint="use the path of the real folder in vendors.yaml",
                ) from None
        raise


def _read(folder: int, name: str, path: str) -> Found:
    facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if stat.S_ISLNK(facts.st_mode):
        raise Refused(
            f"`{path}` is a symbolic link; nothing is written through one",
            hint="use the path of the real file, or remove the link",
        )
    if not stat.S_ISREG(facts.st_mode):
        what = "a folder" if stat.S_ISDIR(facts.st_mode) else "no regular file"
        raise Refused(f"`{path}` is {what}, where a file is to be written", hint="move it out of the way")
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    with open(handle, "rb") as file:
        return Found(data=file.read(), mode=stat.S_IMODE(facts.st_mode))
