"""The two trees that the judge compares: plain folders, made from git, the working tree and a change."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from upstreamsync.kit.git.repository import Repository
from upstreamsync.kit.trees import link_or_copy

#: Folders that never hold kustomizations of the user's.
_SKIPPED = frozenset((".git", ".venv", "node_modules", "__pycache__", ".tools", ".tox", ".mypy_cache"))


@contextmanager
def tree_of_revision(repository: Repository, revision: str, root: Path) -> Iterator[Path]:
    """The files of ``root`` (the repository or a folder in it) as they are at ``revision``; not to be written into."""
    prefix = root.resolve().relative_to(repository.root.resolve()).as_posix()
    with TemporaryDirectory(prefix="upstreamsync-before-") as folder:
        target = Path(folder)
        repository.export(revision, target, None if prefix == "." else [prefix], links=True, stored=True)
        yield target if prefix == "." else target / prefix


@contextmanager
def tree_with(root: Path, files: Mapping[str, bytes | None]) -> Iterator[Path]:
    """The working tree of ``root`` with ``files`` written over it, in a folder of its own."""
    with TemporaryDirectory(prefix="upstreamsync-after-") as folder:
        target = Path(folder) / "tree"
        _copy(root, target)
        for path, data in files.items():
            place = target / path
            if data is None:
                place.unlink(missing_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            # The copy may share its inode with the user's file: never write into it, replace it.
            place.unlink(missing_ok=True)
            place.write_bytes(data)
        yield target


def _copy(root: Path, target: Path) -> None:
    """Copy the plain files below ``root``; links are left out, as kustomize would not follow them out."""
    for folder, names, files in os.walk(root):
        names[:] = sorted(
            name for name in names if name not in _SKIPPED and not os.path.islink(Path(folder, name))
        )
        here = target / Path(folder).relative_to(root)
        here.mkdir(parents=True, exist_ok=True)
        for name in sorted(files):
            source = Path(folder, name)
            if source.is_file() and not source.is_symlink():
                link_or_copy(source, here / name)
