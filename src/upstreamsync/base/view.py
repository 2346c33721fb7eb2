"""The repository as something to read: on disk, at a revision, or with changes laid over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from upstreamsync.base.disk import Disk
from upstreamsync.model import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Two questions that one may ask a repository; paths are relative to the folder of vendors.yaml.

    ``read`` gives the bytes of a regular file, None where there is none. ``listing`` gives the paths of
    all files below a folder, sorted; none where there is no such folder.
    """

    read: Callable[[str], bytes | None]
    listing: Callable[[str], Sequence[str]]

    def with_files(self, files: Mapping[str, bytes]) -> View:
        """The repository with other content of some of its files."""

        def read(path: str) -> bytes | None:
            return files[path] if path in files else self.read(path)

        return View(read=read, listing=self.listing)

    def with_changes(self, changes: Change | Sequence[Change]) -> View:
        """The repository as it will be when the changes are written, so that a next one can build on them."""
        from upstreamsync.base.write import as_tree

        laid_over = as_tree(changes)

        def read(path: str) -> bytes | None:
            return laid_over[path] if path in laid_over else self.read(path)

        def listing(folder: str) -> Sequence[str]:
            below = f"{folder}/" if folder else ""
            known = set(self.listing(folder)) | {path for path in laid_over if path.startswith(below)}
            return sorted(path for path in known if laid_over.get(path, b"") is not None)

        return View(read=read, listing=listing)


def disk_view(root: Path) -> View:
    """The working tree below ``root``. Reading raises Refused where a link, or no file, is in the way."""

    def read(path: str) -> bytes | None:
        with Disk(root) as disk:
            found = disk.find(path)
        return found.data if found is not None else None

    def listing(folder: str) -> Sequence[str]:
        with Disk(root) as disk:
            return disk.files_below(folder)

    return View(read=read, listing=listing)
