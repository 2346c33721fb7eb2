"""New vendored files that nothing lists, where a kustomization named every file of their folder one by one."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from upstreamsync.model import Verdict
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.overlays.graph import inputs, reached
from upstreamsync.verify.overlays.tree import FILE_NAMES, Kustomization, Tree, within

_YAML: Final = (".yaml", ".yml")
#: How many files have to be listed one by one for a list to be meant as a whole.
_SEVERAL: Final = 2
#: What a file of objects says at the beginning of a line.
_OBJECTS: Final = (re.compile(rb"^apiVersion:", re.MULTILINE), re.compile(rb"^kind:", re.MULTILINE))


def find(before: Tree, after: Tree, overlay: str, upstream: Collection[str]) -> Iterator[Note]:
    """One note for each folder of which a kustomization listed every file, and of which it misses new ones."""
    for kustomization in reached(after, overlay):
        then = before.kustomization(kustomization.folder)
        if then is None or (then.text != kustomization.text and within(kustomization.file, upstream)):
            continue  # upstream's own list was looked through by upstream
        listed = _listed(before, then)
        for folder in sorted({posixpath.dirname(path) for path in listed}):
            missed = _missed(before, after, folder, listed, upstream) if folder else []
            missed = [path for path in missed if path not in inputs(after, overlay)]
            if missed and not _is_listed_elsewhere(after, missed):
                yield _note(kustomization, folder, missed)


def _listed(tree: Tree, kustomization: Kustomization) -> set[str]:
    entries = [*kustomization.entries("resources"), *kustomization.entries("bases")]
    paths = (
        kustomization.resolve(entry) for entry in entries if isinstance(entry, str) and "\n" not in entry
    )
    return {path for path in paths if path.endswith(_YAML) and tree.is_file(path)}


def _missed(
    before: Tree, after: Tree, folder: str, listed: Collection[str], upstream: Collection[str]
) -> list[str]:
    """The new files of a vendored folder of which every file was listed, two or more; empty for any other."""
    old, new = (_yaml_in(tree, folder) for tree in (before, after))
    if not set(new).difference(old):
        return []  # as a rule; nothing is read
    kept = _with_objects(before, old)
    if len(kept) < _SEVERAL or not all(path in listed and path in new for path in kept):
        return []  # one that is gone is told by itself, with what took its place
    moved = [path for path in kept if before.read(path) != after.read(path)]
    if not any(within(path, upstream) for path in moved):
        return []
    return _with_objects(after, [path for path in new if path not in old])


def _yaml_in(tree: Tree, folder: str) -> list[str]:
    """The YAML files that lie in a folder itself, kustomizations left out."""
    return [
        path
        for path in tree.files(folder)
        if posixpath.dirname(path) == folder
        and path.endswith(_YAML)
        and posixpath.basename(path) not in FILE_NAMES
    ]


def _with_objects(tree: Tree, paths: Sequence[str]) -> list[str]:
    return [path for path in paths if all(pattern.search(tree.read(path)) for pattern in _OBJECTS)]


def _is_listed_elsewhere(tree: Tree, paths: Sequence[str]) -> bool:
    """Whether another kustomization of the tree names one of them: somebody has thought of them."""
    for folder in tree.folders():
        kustomization = tree.kustomization(folder)
        if kustomization is not None and any(
            posixpath.basename(path) in kustomization.text and path in inputs(tree, folder) for path in paths
        ):
            return True
    return False


def _note(kustomization: Kustomization, folder: str, missed: Sequence[str]) -> Note:
    names = ", ".join(missed)
    entries = ", ".join(posixpath.relpath(path, kustomization.folder or ".") for path in missed)
    return Note(
        verdict=Verdict.UNCOVERED, reason="new_resource",
        did=f"{kustomization.file} listed every file of {folder}", does=f"misses {names}",
        because=f"upstream added {'it' if len(missed) == 1 else 'them'}",
        hint=f"add {entries} to resources, if wanted",
    )  # fmt: skip
