"""The kustomizations of a tree: what each of them reads, and which ones stand on a vendored base."""

from __future__ import annotations

import os
import posixpath
import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import LeftOut
from upstreamsync.verify.overlays.spelling import canonical

#: The names under which kustomize looks for its file, in this order.
FILE_NAMES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
#: Fields whose entries are other kustomizations (folders) or files with objects.
OBJECT_FIELDS: Final = ("resources", "bases", "components", "generators", "transformers", "validators")
#: Fields that change what the resources say; a kustomization without them merely collects.
_PATCHING: Final = (
    "patches", "patchesStrategicMerge", "patchesJson6902", "replacements", "vars", "replicas", "components",
)  # fmt: skip
#: Fields of a chart's entry with values of its own.
_VALUES: Final = ("valuesInline", "valuesFile", "additionalValuesFiles")
_ADJUSTING: Final = (
    "images", "imageTags", "namespace", "namePrefix", "nameSuffix", "labels", "commonLabels", "commonAnnotations",
)  # fmt: skip
#: What may name a file or folder in a text that can't be read, of which so many bytes are looked at.
_WORD: Final = re.compile(r"[\w.][\w./-]*")
_LONGEST: Final = 100_000


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
    _added_folders: dict[str, list[str]] = field(default_factory=dict)
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
        )

    def exists(self, path: str) -> bool:
        """Whether a file or folder of the tree is there."""
        return self.is_file(path) or self.is_folder(path)

    def is_folder(self, path: str) -> bool:
        """Whether ``path`` is a folder of the tree."""
        return path in self._added_folders or (self._inside(path) and (self.root / path).is_dir())

    def is_file(self, path: str) -> bool:
        """Whether ``path`` is a file of the tree."""
        if path in self.added or (self.disk is not None and self.disk.has_plain(path)):
            return True
        return self._inside(path) and (self.root / path).is_file()

    def _inside(self, path: str) -> bool:
        """Whether a path stays inside the tree, links followed: nothing else of the machine is read."""
        if path not in self._found:
            self._found[path] = self._leads_inside(path)
        return self._found[path]

    def _leads_inside(self, path: str) -> bool:
        if path.startswith(("..", "/")) or "\0" in path or _too_long(path):
            return False
        # realpath, unlike Path.resolve, takes links that lead in a circle as they are.
        self._real = self._real or os.path.realpath(self.root)
        return Path(os.path.realpath(self.root / path)).is_relative_to(self._real)

    def read(self, path: str) -> bytes:
        """The bytes of one file."""
        added = self.added.get(path)
        return (self.root / path).read_bytes() if added is None else added

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
                data = manifests.load(text, name=file)
            except (UpstreamsyncError, UnicodeDecodeError) as error:
                self._unreadable[folder] = (
                    str(error) if isinstance(error, UpstreamsyncError) else f"{file}:1:1: not in UTF-8"
                )
                return None
            if isinstance(data, dict):
                original = self.originals.get(file, text)
                return Kustomization(folder, file, original, canonical(data))
            if data is not None:
                self._unreadable[folder] = f"{file}:1:1: not a kustomization, which is a mapping of fields"
            return None
        return None

    def folders(self) -> tuple[str, ...]:
        """Every folder that holds a kustomization, sorted."""
        if self._folders is None:
            found = [posixpath.dirname(path) or "." for path in self._files(".") if _is_kustomization(path)]
            found += [posixpath.dirname(path) or "." for path in self.added if _is_kustomization(path)]
            self._folders = tuple(sorted(set(found)))
        return self._folders


def _is_kustomization(path: str) -> bool:
    return posixpath.basename(path) in FILE_NAMES


def _too_long(path: str) -> bool:
    """Whether no file system of ours could hold such a path: then nothing is there."""
    return len(path) > 3000 or any(len(part.encode("utf-8", "replace")) > 255 for part in path.split("/"))


def children(tree: Tree, kustomization: Kustomization) -> Iterator[tuple[str, str, str]]:
    """The objects' sources of a kustomization: (field, entry as written, path); remote ones left out."""
    for name in OBJECT_FIELDS:
        for entry in kustomization.entries(name):
            if isinstance(entry, str) and "\n" not in entry:
                path = kustomization.resolve(entry)
                if tree.exists(path):
                    yield name, entry, path


def reached(tree: Tree, folder: str) -> tuple[Kustomization, ...]:
    """The kustomization in ``folder`` and every one below it, each once, depth first."""
    found: dict[str, Kustomization] = {}

    def visit(here: str) -> None:
        kustomization = tree.kustomization(here)
        if kustomization is None or here in found:
            return
        found[here] = kustomization
        for _, _, path in children(tree, kustomization):
            if tree.is_folder(path):
                visit(path)

    visit(normalize(folder))
    return tuple(found.values())


def inputs(tree: Tree, folder: str) -> tuple[str, ...]:
    """Every file of the tree that building ``folder`` reads, sorted."""
    if folder not in tree.known_inputs:
        tree.known_inputs[folder] = _inputs(tree, folder)
    return tree.known_inputs[folder]


def _inputs(tree: Tree, folder: str) -> tuple[str, ...]:
    files: set[str] = set()
    for kustomization in reached(tree, folder):
        files.add(kustomization.file)
        for path in _sources(tree, kustomization):
            if tree.is_file(path):
                files.add(path)
            elif tree.is_folder(path):
                files.update(tree.files(path))
    return tuple(sorted(files))


def _sources(tree: Tree, kustomization: Kustomization) -> Iterator[str]:
    for name, _, path in children(tree, kustomization):
        if tree.is_file(path):
            yield path
        if name in ("generators", "transformers", "validators"):
            yield kustomization.folder  # their files may name further files in ways of their own
    data = kustomization.data
    for entry in _mentioned_files(data):
        path = kustomization.resolve(entry)
        if not path.startswith(".."):
            yield path
    if data.get("helmCharts") or data.get("helmChartInflationGenerator"):
        settings = data.get("helmGlobals")
        home = settings.get("chartHome") if isinstance(settings, dict) else None
        yield kustomization.resolve(home if isinstance(home, str) else "charts")
        for chart in kustomization.entries("helmCharts"):
            if isinstance(chart, dict):
                yield kustomization.resolve(str(chart.get("valuesFile") or "values.yaml"))


def _mentioned_files(data: Mapping[str, Any]) -> Iterator[str]:
    """Every string that may be a file: paths of patches, generators, configurations and the like."""
    for name in ("patchesStrategicMerge", "configurations", "crds"):
        yield from _short_strings(data.get(name))
    for name in ("patches", "patchesJson6902", "replacements", "openapi"):
        value = data.get(name)
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, dict):
                yield from _short_strings([entry.get("path")])
    for name in ("configMapGenerator", "secretGenerator"):
        for entry in data.get(name) or ():
            if isinstance(entry, dict):
                yield from _short_strings([entry.get("env"), *(entry.get("envs") or ())])
                for spec in _short_strings(entry.get("files")):
                    yield spec.partition("=")[2] or spec
    for chart in data.get("helmCharts") or ():
        if isinstance(chart, dict):
            yield from _short_strings(chart.get("additionalValuesFiles"))


def _short_strings(values: Any) -> Iterator[str]:
    for value in values if isinstance(values, list) else ():
        if isinstance(value, str) and value and "\n" not in value:
            yield value


# -- which kustomizations stand on a base ------------------------------------------------------------


def find_overlays(tree: Path | Tree, upstream: Collection[str]) -> tuple[str, ...]:
    """The root kustomizations that reach one of the ``upstream`` paths (files or folders), sorted.

    A root is a kustomization which no other one includes. Kustomizations that lie inside an upstream
    folder are upstream's own and no roots.
    """
    tree = tree if isinstance(tree, Tree) else Tree(tree)
    paths = {normalize(path) for path in upstream}
    parents: dict[str, set[str]] = {}
    direct: set[str] = set()
    for folder in tree.folders():
        for path in _named_paths(tree, folder):
            if tree.is_folder(path) and tree.kustomization_file(path) and path != folder:
                parents.setdefault(path, set()).add(folder)
            if within(path, paths) or any(within(other, (path,)) for other in paths if path != folder):
                direct.add(folder)
    affected = set(direct) | {folder for folder in tree.folders() if within(folder, paths)}
    waiting = list(affected)
    while waiting:
        for parent in parents.get(waiting.pop(), ()):
            if parent not in affected:
                affected.add(parent)
                waiting.append(parent)
    return tuple(
        sorted(
            folder
            for folder in affected
            if not parents.get(folder)
            and not within(folder, paths)
            and (_builds(tree, folder) or tree.unreadable(folder) is not None)
        )
    )


def _named_paths(tree: Tree, folder: str) -> Iterator[str]:
    """What a kustomization names in the tree, whether it is there or not.

    In one that can't be read whatever looks like the name of something counts: it is judged, and said to be
    unreadable, rather than left out.
    """
    kustomization = tree.kustomization(folder)
    if kustomization is not None:
        for name in OBJECT_FIELDS:
            for entry in kustomization.entries(name):
                if isinstance(entry, str) and "\n" not in entry and "://" not in entry:
                    yield kustomization.resolve(entry)
        yield from _sources(tree, kustomization)
        return
    file = tree.kustomization_file(folder)
    if file is None or tree.unreadable(folder) is None:
        return
    for word in _WORD.findall(tree.read(file)[:_LONGEST].decode("utf-8", "replace")):
        path = normalize(posixpath.join(folder, word))
        if tree.exists(path):
            yield path


def roots(tree: Tree) -> tuple[str, ...]:
    """Every kustomization that no other one includes, and that is no component; sorted."""
    included = {
        path
        for folder in tree.folders()
        if (kustomization := tree.kustomization(folder))
        for _, _, path in children(tree, kustomization)
        if path != folder
    }
    return tuple(folder for folder in tree.folders() if folder not in included and _builds(tree, folder))


def _builds(tree: Tree, folder: str) -> bool:
    kustomization = tree.kustomization(folder)
    return kustomization is not None and kustomization.data.get("kind") != "Component"


def deduce_upstream(before: Tree, after: Tree, *, same: Collection[str] = ()) -> tuple[str, ...]:
    """What is vendored, judged by what differs between two trees: folders or single files.

    Files in ``same`` count as equal whatever they say.

    A kustomization that only collects resources, some of which differ, is a base as a whole; so is one
    that merely sets names, labels or images and that others include. Where patches stand beside the
    vendored files, only the files that differ are upstream's. Files beside a base that differs are the
    overlay's own, edited together with it.
    """
    changed = set(changed_files(before, after)).difference(same)
    included = {
        path
        for tree in (before, after)
        for folder in tree.folders()
        if (kustomization := tree.kustomization(folder))
        for _, _, path in children(tree, kustomization)
    }
    found: set[str] = set()
    for tree in (before, after):
        for folder in tree.folders():
            kustomization = tree.kustomization(folder)
            if kustomization is None:
                continue
            mine = _changed_resources(tree, kustomization, changed)
            sources = {kustomization.file, *_sources(tree, kustomization)}
            if _only_collects(kustomization, folder in included):
                if mine or (folder in included and sources & changed):
                    found.add(folder)
            else:
                found |= mine
    return tuple(sorted(path for path in found if not within(path, found - {path})))


def _only_collects(kustomization: Kustomization, included: bool) -> bool:
    if any(kustomization.data.get(name) for name in _PATCHING):
        return False
    for name in ("configMapGenerator", "secretGenerator"):
        if any(isinstance(entry, dict) and entry.get("behavior") for entry in kustomization.entries(name)):
            return False
    for chart in kustomization.entries("helmCharts"):
        if isinstance(chart, dict) and any(chart.get(name) for name in _VALUES):
            return False
    return included or not any(kustomization.data.get(name) for name in _ADJUSTING)


def _changed_resources(tree: Tree, kustomization: Kustomization, changed: Collection[str]) -> set[str]:
    mine = set()
    for name, _, path in children(tree, kustomization):
        if name in ("resources", "bases") and tree.is_file(path) and path in changed:
            mine.add(path)
    if _has_changed_base(tree, kustomization, changed):
        mine = {path for path in mine if posixpath.dirname(path) != kustomization.folder.removeprefix(".")}
    if kustomization.data.get("helmCharts"):
        settings = kustomization.data.get("helmGlobals")
        home = settings.get("chartHome") if isinstance(settings, dict) else None
        charts = kustomization.resolve(home if isinstance(home, str) else "charts")
        if any(within(path, (charts,)) for path in changed):
            mine.add(charts)
    return mine


def _has_changed_base(tree: Tree, kustomization: Kustomization, changed: Collection[str]) -> bool:
    """Whether a folder that a kustomization stands on differs."""
    folders = [
        path
        for name, _, path in children(tree, kustomization)
        if name in ("resources", "bases") and tree.is_folder(path)
    ]
    return any(within(path, folders) for path in changed)


def changed_files(before: Tree, after: Tree) -> tuple[str, ...]:
    """Every file that one of two trees lacks or that differs, sorted."""
    names = {*before.files("."), *after.files(".")}
    return tuple(
        sorted(
            name
            for name in names
            if not (before.is_file(name) and after.is_file(name)) or not _equal(before, after, name)
        )
    )


def _equal(before: Tree, after: Tree, name: str) -> bool:
    if name in before.added or name in after.added:
        return before.read(name) == after.read(name)
    left, right = before.root / name, after.root / name
    return left.stat().st_size == right.stat().st_size and left.read_bytes() == right.read_bytes()
