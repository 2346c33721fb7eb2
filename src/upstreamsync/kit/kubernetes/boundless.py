"""YAML that grows without bounds when it is read, wherever kustomize would read it.

kustomize follows an alias that stands inside what it names until memory ends, and writes out what aliases
multiply. What it would parse is looked at beforehand: kustomizations, the texts in them, and the files that they
name; not the files that generators only copy.
"""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Final

from upstreamsync.errors import TooLarge
from upstreamsync.kit.kubernetes.kustomizations import FILE_NAMES, Files, Reference, Role, all_references
from upstreamsync.kit.yaml import manifests

_COPIED: Final = ("files", "envs", "env")


class FilesBelow:
    """The files below a folder on disk."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file; None where there is none."""
        place = self._root / path
        try:
            return place.read_bytes() if place.is_file() else None
        except OSError:
            return None

    def is_folder(self, path: str) -> bool:
        """Whether a folder is there."""
        return (self._root / path).is_dir()


def refuse_boundless(files: Files, folder: str) -> None:
    """Raise TooLarge, with the file, for what building ``folder`` would make kustomize read without an end."""
    waiting, seen = [folder], set[str]()
    while waiting:
        here = waiting.pop()
        for name in FILE_NAMES:
            file = posixpath.normpath(posixpath.join(here, name))
            for found in all_references(files, file):
                path = _parsed(found, here)
                if path is None or path in seen:
                    continue
                seen.add(path)
                if (data := files.read(path)) is not None:
                    manifests.refuse_bombs(data, path)
                elif files.is_folder(path):
                    waiting.append(path)


def _parsed(found: Reference, folder: str) -> str | None:
    """The path that kustomize would parse; None for what it copies, and for what is no path below the top."""
    if found.role is Role.BOUNDLESS:
        raise TooLarge(found.text)
    if found.field.rpartition(".")[2].casefold() in _COPIED:
        return None
    return found.path(folder)
