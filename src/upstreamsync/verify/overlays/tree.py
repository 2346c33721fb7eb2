"""A directory tree as the judge reads it: its files, and the kustomizations among them."""

from __future__ import annotations

import os
import posixpath
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.kubernetes.kustomizations import FILE_NAMES as FILE_NAMES
from upstreamsync.kit.lfs import is_pointer
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import LeftOut
from upstreamsync.verify.overlays.spelling import canonical


@dataclass(frozen=True, slots=True)
class Kustomization:
    """One kustomization: ``folder`` and ``file`` are paths in the tree; ``data``: as kustomize reads it."""

    folder: str
    file: str
    text: str
    data: Mapping[str, Any]

    def entries(self, name: str) -> list[Any]:
        """The list under ``name``; empty when it is missing or no list."""
        value = self.data.get(name)
        return value if isinstance(value, list) else []

    def resolve(self, entry: str) -> str:
        """The path, relative to the tree, that ``entry`` names; may lead out of it (``../…``)."""
        return normalize(posixpath.join(self.folder, entry))


def normalize(path: str) -> str:
    """A POSIX path without ``.`` and ``..``; the tree itself is ``.``."""
    return posixpath.normpath(path.replace(os.sep, "/"))


def within(path: str, folders: Collection[str]) -> bool:
    """Whether ``path`` is one of ``folders`` or lies below one."""
    return any(folder == "." or path == folder or path.startswith(folder + "/") for folder in folders)


@dataclass(slots=True)
class _Disk:
    """What lies in a folder, looked at once for all trees that are made of it; links are not followed."""

    root: Path
    _files: list[str] | None = None
    _plain: frozenset[str] = frozenset()
    _links: list[str] = field(default_factory=list)
    _folders: frozenset[str] = frozenset()

    def load(self) -> None:
        """Look, unless that was done."""
        if self._files is not None:
            return
        found: list[str] = []
        folders = {"."}
        waiting = [""]
        while waiting:
            here = waiting.pop()
            try:
                entries = list(os.scandir(self.root / here))
            except OSError:
                continue
            for entry in entries:
                path = f"{here}{entry.name}"
                if entry.name == ".git":
                    continue
                if entry.is_symlink():
                    self._links.append(path)
                elif entry.is_dir(follow_symlinks=False):
                    folders.add(path)
                    waiting.append(f"{path}/")
                elif entry.is_file(follow_symlinks=False):
                    found.append(path)
        self._files = sorted(found)
        self._plain, self._folders = frozenset(found), frozenset(folders)

    def has_plain(self, path: str) -> bool:
        """Whether a file is known to lie there, without a link on the way."""
        return path in self._plain

    def has_folder(self, path: str) -> bool:
        """Whether a folder is known to lie there, without a link on the way."""
        return path in self._folders

    def below(self, folder: str) -> tuple[list[str], list[str]] | None:
        """The plain files and the links at or below a folder; None for one that is none, or that a link leads to."""
        self.load()
        if folder not in self._folders or self._files is None:
            return None
        if folder == ".":
            return self._files, self._links
        begin, end = (bisect_left(self._files, f"{folder}{mark}") for mark in ("/", "0"))
        return self._files[begin:end], [link for link in self._links if link.startswith(f"{folder}/")]


@dataclass(slots=True)
class Tree:
    """A directory tree, read lazily; nothing is ever written to it.

    ``added`` are files, by path, that are not on disk or that are read in place of those that are.
    ``originals`` has the texts, as their author wrote them, of kustomizations among them; ``left_out``
    what could not be had, by the folder of the kustomization that names it.
    """

    root: Path
    #: Why files that the tree should have are not there, by path: a submodule, a file that git ignores, …
    absent: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, bytes] = field(default_factory=dict)
    originals: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, tuple[LeftOut, ...]] = field(default_factory=dict)
    _kustomizations: dict[str, Kustomization | None] = field(default_factory=dict)
    _unreadable: dict[str, str] = field(default_factory=dict)
    _folders: tuple[str, ...] | None = None
    _real: str | None = None
    _found: dict[str, bool] = field(default_factory=dict)
    known_inputs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    known_children: dict[str, tuple[tuple[str, str, str], ...]] = field(default_factory=dict)
    #: What the texts of kustomizations say; may be shared by trees that are mostly alike. Never changed.
    read_before: dict[str, Any] = field(default_factory=dict)
    _added_folders: dict[str, list[str]] = field(default_factory=dict)
    _has_pointers: bool | None = None
    disk: _Disk | None = None

    def __post_init__(self) -> None:
        if self.disk is None:
            self.disk = _Disk(self.root)
        for path in sorted(self.added):
            folder = path
            while folder:
                folder = folder.rpartition("/")[0]
                self._added_folders.setdefault(folder or ".", []).append(path)

    def plus(self, files: Mapping[str, bytes], originals: Mapping[str, str] | None = None) -> Tree:
        """The tree with further files, and what was written in their place; itself where there are none."""
        if not files:
            return self
        return Tree(
            self.root,
            absent=self.absent,
            added={**self.added, **files},
            originals={**self.originals, **(originals or {})},
            left_out=self.left_out,
            disk=self.disk,
            read_before=self.read_before,
        )

    def exists(self, path: str) -> bool:
        """Whether a file or folder of the tree is there."""
        return self.is_file(path) or self.is_folder(path)

    def is_folder(self, path: str) -> bool:
        """Whether ``path`` is a folder of the tree."""
        if path in self._added_folders or (self.disk is not None and self.disk.has_folder(path)):
            return True
        return self._inside(path) and (self.root / path).is_dir()

    def is_file(self, path: str) -> bool:
        """Whether ``path`` is a file of the tree."""
        if path in self.added or (self.disk is not None and self.disk.has_plain(path)):
            return True
        return self._inside(path) and (self.root / path).is_file()

    def _inside(self, path: str) -> bool:
        """Whether a path stays inside the tree, links followed: nothing else of the machine is read.

        Nor is what git keeps there: its configuration may have a token.
        """
        if path not in self._found:
            self._found[path] = self._leads_inside(path)
        return self._found[path]

    def _leads_inside(self, path: str) -> bool:
        if path.startswith(("..", "/")) or "\0" in path or _too_long(path):
            return False
        # realpath, unlike Path.resolve, takes links that lead in a circle as they are.
        self._real = self._real or os.path.realpath(self.root)
        real = Path(os.path.realpath(self.root / path))
        return real.is_relative_to(self._real) and not _is_of_git(real.relative_to(self._real).parts)

    def read(self, path: str) -> bytes:
        """The bytes of one file."""
        added = self.added.get(path)
        if added is not None:
            return added
        with open(
            f"{self.root}/{path}", "rb"
        ) as file:  # a Path for each of thousands of files takes its time
            return file.read()

    def is_pointer(self, path: str) -> bool:
        """Whether a file is but a pointer of Git LFS. Only looked at where attributes of git speak of LFS at all."""
        if self._has_pointers is None:
            attributes = (name for name in self.files("") if posixpath.basename(name) == ".gitattributes")
            self._has_pointers = any(b"lfs" in self.read(name) for name in attributes)
        return self._has_pointers and is_pointer(self.read(path))

    def files(self, folder: str) -> Iterator[str]:
        """Every file at or below ``folder``, sorted, version control left out."""
        if self.added:
            here = normalize(folder)
            mine = [here] if here in self.added else self._added_folders.get(here, ())
            yield from sorted({*self._files(folder), *mine})
        else:
            yield from self._files(folder)

    def _files(self, folder: str) -> Iterator[str]:
        known = self.disk.below(normalize(folder)) if self.disk is not None else None
        if known is not None:
            plain, links = known
            others = [link for link in links if self.is_file(link)]
            yield from sorted((*plain, *others)) if others else plain
            return
        top = self.root / folder
        if top.is_file():
            yield normalize(folder)
            return
        for here, folders, names in os.walk(top):
            folders[:] = sorted(name for name in folders if name != ".git")
            relative = os.path.relpath(here, self.root)
            found = (normalize(posixpath.join(relative, name)) for name in sorted(names) if name != ".git")
            yield from (name for name in found if self.is_file(name))

    def kustomization(self, folder: str) -> Kustomization | None:
        """The kustomization in ``folder``; None when there is none, or none that can be read."""
        folder = normalize(folder)
        if folder not in self._kustomizations:
            self._kustomizations[folder] = self._load(folder)
        return self._kustomizations[folder]

    def unreadable(self, folder: str) -> str | None:
        """What is wrong with the kustomization in ``folder``, with its place; None when it can be read."""
        self.kustomization(folder)
        return self._unreadable.get(normalize(folder))

    def kustomization_file(self, folder: str) -> str | None:
        """The file that kustomize would read in ``folder``, whether it can be read or not."""
        names = (normalize(posixpath.join(folder, name)) for name in FILE_NAMES)
        return next((name for name in names if self.is_file(name)), None)

    def _load(self, folder: str) -> Kustomization | None:
        for name in FILE_NAMES:
            file = normalize(posixpath.join(folder, name))
            if not self.is_file(file):
                continue
            try:
                text = self.read(file).decode("utf-8")
                data = self._data(text, file)
            except (UpstreamsyncError, UnicodeDecodeError) as error:
                self._unreadable[folder] = (
                    str(error) if isinstance(error, UpstreamsyncError) else f"{file}:1:1: not in UTF-8"
                )
                return None
            if isinstance(data, dict):
                original = self.originals.get(file, text)
                return Kustomization(folder, file, original, data)
            if data is not None:
                self._unreadable[folder] = f"{file}:1:1: not a kustomization, which is a mapping of fields"
            return None
        return None

    def _data(self, text: str, file: str) -> Any:
        """What a kustomization says, its fields as kustomize spells them. Raises what reading it raises."""
        if text not in self.read_before:
            data = manifests.load(text, name=file)
            self.read_before[text] = canonical(data) if isinstance(data, dict) else data
        return self.read_before[text]

    def folders(self) -> tuple[str, ...]:
        """Every folder that holds a kustomization, sorted."""
        if self._folders is None:
            found = [posixpath.dirname(path) or "." for path in self._files(".") if _is_kustomization(path)]
            found += [posixpath.dirname(path) or "." for path in self.added if _is_kustomization(path)]
            self._folders = tuple(sorted(set(found)))
        return self._folders


@dataclass(frozen=True, slots=True)
class Files:
    """A tree as something to look references up in: what is not there is None."""

    tree: Tree

    def read(self, path: str) -> bytes | None:
        """The bytes of a file inside the tree; None where there is none."""
        return self.tree.read(path) if self.tree.is_file(path) else None

    def is_folder(self, path: str) -> bool:
        """Whether it is a folder of the tree."""
        return self.tree.is_folder(path)


def _is_kustomization(path: str) -> bool:
    return posixpath.basename(path) in FILE_NAMES


def _is_of_git(parts: Collection[str]) -> bool:
    """Whether a path leads into a ``.git`` folder, as any file system may spell it."""
    return any(part.casefold().rstrip(". ") == ".git" for part in parts)


def _too_long(path: str) -> bool:
    """Whether no file system of ours could hold such a path: then nothing is there."""
    return len(path) > 3000 or any(len(part.encode("utf-8", "replace")) > 255 for part in path.split("/"))
