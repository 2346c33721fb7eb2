"""The kustomizations of a tree: what each of them reads, and which ones stand on a vendored base."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from upstreamsync.verify.overlays.tree import Kustomization, Tree, normalize, within

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


def children(tree: Tree, kustomization: Kustomization) -> Iterator[tuple[str, str, str]]:
    """The objects' sources of a kustomization: (field, entry as written, path); remote ones left out."""
    if tree.kustomization(kustomization.folder) is not kustomization:  # one that somebody has changed
        yield from _children(tree, kustomization)
        return
    known = tree.known_children.get(kustomization.folder)
    if known is None:
        known = tree.known_children[kustomization.folder] = tuple(_children(tree, kustomization))
    yield from known


def _children(tree: Tree, kustomization: Kustomization) -> Iterator[tuple[str, str, str]]:
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
        for path in sources(tree, kustomization):
            if tree.is_file(path):
                files.add(path)
            elif tree.is_folder(path):
                files.update(tree.files(path))
    return tuple(sorted(files))


def sources(tree: Tree, kustomization: Kustomization) -> Iterator[str]:
    """Every file and folder that a kustomization reads by itself."""
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
        yield kustomization.resolve(_chart_home(kustomization))
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
        for path in named_below(tree, folder):
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


def named_below(tree: Tree, folder: str) -> Iterator[str]:
    """What a kustomization names in the tree, whether it is there or not, with folders that hold all that it may read.

    In one that can't be read whatever looks like the name of something counts: it is judged, and said to be
    unreadable, rather than left out.
    """
    kustomization = tree.kustomization(folder)
    if kustomization is not None:
        for name in OBJECT_FIELDS:
            for entry in kustomization.entries(name):
                if isinstance(entry, str) and "\n" not in entry and "://" not in entry:
                    yield kustomization.resolve(entry)
        yield from sources(tree, kustomization)
        return
    file = tree.kustomization_file(folder)
    if file is None or tree.unreadable(folder) is None:
        return
    for word in _WORD.findall(tree.read(file)[:_LONGEST].decode("utf-8", "replace")):
        path = normalize(posixpath.join(folder, word))
        if tree.exists(path):
            yield path


def named_files(tree: Tree, folder: str) -> Iterator[str]:
    """What the kustomization in ``folder`` names by itself, whether it is there or not."""
    kustomization = tree.kustomization(folder)
    if kustomization is None:
        yield from named_below(tree, folder)
        return
    entries = [*_mentioned_files(kustomization.data)]
    for name in OBJECT_FIELDS:
        entries += [one for one in kustomization.entries(name) if isinstance(one, str) and "\n" not in one]
    for chart in kustomization.entries("helmCharts"):
        if isinstance(chart, dict):
            entries.append(str(chart.get("valuesFile") or "values.yaml"))
            entries += _places(kustomization, str(chart.get("name")), str(chart.get("version")))
    yield from (kustomization.resolve(entry) for entry in entries)


def _places(kustomization: Kustomization, chart: str, version: str) -> Iterator[str]:
    """Where kustomize looks for a chart."""
    home = _chart_home(kustomization)
    yield from (posixpath.join(home, chart), posixpath.join(home, f"{chart}-{version}"))


def _chart_home(kustomization: Kustomization) -> str:
    settings = kustomization.data.get("helmGlobals")
    home = settings.get("chartHome") if isinstance(settings, dict) else None
    return home if isinstance(home, str) else "charts"


def roots(tree: Tree) -> tuple[str, ...]:
    """Every kustomization that no other one includes, and that is no component, readable or not; sorted."""
    included = {
        path
        for folder in tree.folders()
        if (kustomization := tree.kustomization(folder))
        for _, _, path in children(tree, kustomization)
        if path != folder
    }
    return tuple(
        folder
        for folder in tree.folders()
        if folder not in included and (_builds(tree, folder) or tree.unreadable(folder) is not None)
    )


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
                unreadable = folder in included and tree.unreadable(folder) is not None
                if unreadable and changed & set(tree.files(folder)):
                    found.add(folder)  # nobody knows what it does: what stands on it is not to be passed over
                continue
            mine = _changed_resources(tree, kustomization, changed)
            named = {kustomization.file, *sources(tree, kustomization)}
            if _only_collects(kustomization, folder in included):
                if mine or (folder in included and named & changed):
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
    if mine and _has_changed_base(tree, kustomization, changed):
        mine = {path for path in mine if posixpath.dirname(path) != kustomization.folder.removeprefix(".")}
    if kustomization.data.get("helmCharts"):
        charts = kustomization.resolve(_chart_home(kustomization))
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
    left, right = f"{before.root}/{name}", f"{after.root}/{name}"
    return os.path.getsize(left) == os.path.getsize(right) and before.read(name) == after.read(name)
