"""What one side of an overlay names and can't have: found by reading, before anything is built.

kustomize would stop at the first of these, and say of none of the rest what becomes of it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.foreign import elements
from upstreamsync.kit.kubernetes.kustomizations import is_address
from upstreamsync.kit.kubernetes.objects import digest
from upstreamsync.kit.lfs import OWN_POINTER, PULL
from upstreamsync.kit.redact import redact
from upstreamsync.kit.yaml import manifests
from upstreamsync.verify.build.causes import cause
from upstreamsync.verify.build.inflate import Charts, Inflation, inflated
from upstreamsync.verify.build.unbuildable import Unbuildable
from upstreamsync.verify.overlays.graph import children, reached
from upstreamsync.verify.overlays.plugins import PLUGIN_FIELDS, Config, configs
from upstreamsync.verify.overlays.tree import Kustomization, Tree

#: One entry of a list in a kustomization: folder, field, number.
Place = tuple[str, str, int]
_OBJECTS: Final = ("resources", "bases", "components")
_ACCUMULATING: Final = re.compile(r"accumulating (?:resources|components) from '([^']*)'")
#: What else inflates charts.
_ALONE: Final = {"helmChartInflationGenerator": None, "generators": None}
_CONTEXT: Final = ("crds", "configurations")
_PATCHES: Final = ("patches", "patchesStrategicMerge", "patchesJson6902", "replacements")
_GENERATORS: Final = ("configMapGenerator", "secretGenerator")


class Reason(StrEnum):
    """Why something could not be compared; see the verdict ``unjudged``."""

    NOT_REACHABLE = "not_reachable"
    NOT_IN_TREE = "not_in_tree"
    NEEDS_PLUGIN = "needs_plugin"
    DOES_NOT_BUILD = "does_not_build"
    OVER_BUDGET = "over_budget"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One entry that can't be had: where it stands (``line`` from 1), what it names, why that is missing.

    ``content`` tells two of the same name apart. ``creates`` says that the entry brings objects in, and
    changes none.
    """

    place: Place
    file: str
    line: int
    entry: str
    reason: Reason
    why: str
    path: str = ""
    content: str = ""
    creates: bool = True
    hint: str | None = None

    @property
    def what(self) -> str:
        """The entry, as an item is written."""
        folder, name, index = self.place
        return f"{folder}: {name}[{self.entry or index}]"

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """Equal for the same obstacle on another side."""
        return (self.place[0], self.place[1], self.entry, self.reason, self.content)


@dataclass(slots=True)
class _Finder:
    tree: Tree
    kustomization: Kustomization
    found: list[Obstacle] = field(default_factory=list)

    def find(self) -> list[Obstacle]:
        """Everything of this kustomization that can't be had."""
        for name in (*_OBJECTS, *_CONTEXT):
            for index, entry in self._entries(name):
                self._named(name, index, entry)
        for name in PLUGIN_FIELDS:
            self._plugins(name)
        for name in _PATCHES:
            for index, entry in enumerate(self.kustomization.entries(name)):
                self._patch(name, index, entry)
        for name in _GENERATORS:
            for index, entry in enumerate(self.kustomization.entries(name)):
                if isinstance(entry, Mapping):
                    self._generator(name, index, entry)
        for index, entry in enumerate(self.kustomization.entries("helmCharts")):
            if isinstance(entry, Mapping):
                self._chart(index, entry)
        return self.found

    def _entries(self, name: str) -> Iterator[tuple[int, str]]:
        for index, entry in enumerate(self.kustomization.entries(name)):
            if isinstance(entry, str) and _is_path(entry):
                yield index, entry

    def add(self, name: str, index: int, entry: str, reason: Reason, why: str, **more: Any) -> None:
        """Take down an entry that can't be had."""
        from upstreamsync.verify.overlays.items import line_of  # a line is asked for where something is wrong

        kustomization = self.kustomization
        self.found.append(
            Obstacle(
                place=(kustomization.folder, name, index),
                file=kustomization.file,
                line=line_of(kustomization, name, index),
                entry=redact(entry),
                reason=reason,
                why=redact(why),
                **more,
            )
        )

    # -- entries that are named --------------------------------------------------------------------------

    def _named(self, name: str, index: int, entry: str) -> None:
        """An entry that names a file, a folder or an address."""
        path = self.kustomization.resolve(entry)
        creates = name in _OBJECTS
        if self.tree.is_folder(path):
            if name in _CONTEXT or self.tree.kustomization(path) is not None:
                return
            reason, why = self._empty_folder(path)
            content = digest(why)
        elif self.tree.is_file(path) and name == "components":
            reason, content = Reason.DOES_NOT_BUILD, ""
            why = f"{path} is a file, and a component is a folder"
        elif self._is_there(path):
            return
        else:
            reason, why = self._missing(entry, path)
            content = self._pointer(path)
        hint = PULL if reason is Reason.NOT_REACHABLE and content else None
        self.add(name, index, entry, reason, why, path=path, content=content, creates=creates, hint=hint)

    def _empty_folder(self, path: str) -> tuple[Reason, str]:
        """A folder without a kustomization that can be read."""
        if (problem := self.tree.unreadable(path)) is not None:
            return Reason.DOES_NOT_BUILD, problem
        if (cause := _absent(self.tree, path)) is not None:
            return Reason.NOT_IN_TREE, cause
        if self.tree.kustomization_file(path) is not None:
            return Reason.DOES_NOT_BUILD, f"{self.tree.kustomization_file(path)}:1:1: says nothing"
        return Reason.NOT_IN_TREE, f"{path} has no kustomization.yaml"

    def _missing(self, entry: str, path: str) -> tuple[Reason, str]:
        if is_address(entry) or _like_an_address(entry):
            return Reason.NOT_REACHABLE, self.tree.absent.get(entry) or f"{entry} could not be reached"
        if path.startswith("..") or posixpath.isabs(entry):
            return Reason.NOT_IN_TREE, f"{entry} leads out of the repository"
        if self.tree.is_file(path):
            return Reason.NOT_REACHABLE, f"{path} is {OWN_POINTER}"
        return Reason.NOT_IN_TREE, _absent(self.tree, path) or f"{path} is not in the repository"

    def _is_there(self, path: str) -> bool:
        """Whether a file is in the tree, itself and no pointer to it."""
        return self.tree.is_file(path) and not self.tree.is_pointer(path)

    def _pointer(self, path: str) -> str:
        """The pointer that stands in the place of a file; empty for none."""
        found = self.tree.is_file(path) and self.tree.is_pointer(path)
        return self.tree.read(path).decode("utf-8", "replace") if found else ""

    # -- entries with files ------------------------------------------------------------------------------

    def _patch(self, name: str, index: int, entry: Any) -> None:
        """A patch or replacement that stands in a file."""
        if isinstance(entry, Mapping):
            path = entry.get("path")
            if entry.get("patch") or not isinstance(path, str):
                return
        else:
            path = entry
            if not isinstance(path, str) or not _is_path(path):
                return
        self._file(name, index, path, creates=False)

    def _file(self, name: str, index: int, entry: str, *, creates: bool, named: str = "") -> bool:
        path = self.kustomization.resolve(entry)
        if self._is_there(path):
            return False
        reason, why = self._missing(entry, path)
        pointer = self._pointer(path)
        hint, content = PULL if pointer else None, entry + pointer
        self.add(name, index, named, reason, why, path=path, content=content, creates=creates, hint=hint)
        return True

    def _generator(self, name: str, index: int, entry: Mapping[str, Any]) -> None:
        creates = entry.get("behavior") in (None, "", "create")
        for path in _generator_files(entry):
            if self._file(name, index, path, creates=creates, named=str(entry.get("name", index))):
                return

    def _chart(self, index: int, entry: Mapping[str, Any]) -> None:
        """A chart: it has to lie in the tree, since nothing is fetched while a tree is built."""
        name, version = str(entry.get("name", index)), str(entry.get("version") or "")
        settings = self.kustomization.data.get("helmGlobals")
        home = settings.get("chartHome") if isinstance(settings, Mapping) else None
        content = digest(dict(entry))
        try:
            asked = Inflation(spec=entry, home=home if isinstance(home, str) and home else "charts")
            folder = self.kustomization.resolve(asked.folder)
        except Unbuildable as refused:
            self.add("helmCharts", index, name, Reason.DOES_NOT_BUILD, refused.error, content=content)
            return
        if self.tree.is_folder(folder):
            return
        where = f"the chart {name} {version}".strip()
        if repository := entry.get("repo"):
            why, reason = f"{where} of {repository} could not be reached", Reason.NOT_REACHABLE
        else:
            why, reason = f"{where} is not in the repository: there is no {folder}", Reason.NOT_IN_TREE
        self.add("helmCharts", index, name, reason, why, content=content)

    # -- plugins -----------------------------------------------------------------------------------------

    def _plugins(self, name: str) -> None:
        for index, entry in self._entries(name):
            path = self.kustomization.resolve(entry)
            if not self.tree.exists(path) or (
                self.tree.is_folder(path) and self.tree.kustomization(path) is None
            ):
                self._named(name, index, entry)
        for config in configs(self.tree, self.kustomization, name, lambda _: 1):
            if config.plugin is not None:
                self._plugin(name, config)
            elif missing := _missing_file(self.tree, self.kustomization, config):
                self._file(name, config.index, missing, creates=False, named=_called(config))

    def _plugin(self, name: str, config: Config) -> None:
        self.add(
            name, config.index, _called(config), Reason.NEEDS_PLUGIN, f"needs the plugin {config.plugin}",
            path=config.file, content=digest(dict(config.data)), creates=name == "generators",
        )  # fmt: skip


def _called(config: Config) -> str:
    return str(config.index) if config.inline else config.entry


def _missing_file(tree: Tree, kustomization: Kustomization, config: Config) -> str | None:
    """The first file that a configuration of a built-in names and that is not there."""
    data = config.data
    paths = [data.get("path"), *elements(data.get("paths"))]
    if config.kind in ("ConfigMapGenerator", "SecretGenerator"):
        paths += _generator_files(data)
    return next(
        (
            path
            for path in paths
            if isinstance(path, str) and path and not tree.is_file(kustomization.resolve(path))
        ),
        None,
    )


def _generator_files(entry: Mapping[str, Any]) -> Iterator[str]:
    env = entry.get("env")
    for path in (env, *elements(entry.get("envs"))):
        if isinstance(path, str) and path:
            yield path
    for spec in elements(entry.get("files")):
        if isinstance(spec, str) and spec:
            yield spec.partition("=")[2] or spec


def _is_path(text: str) -> bool:
    """Whether an entry names a file, and is no patch or configuration itself."""
    return "\n" not in text and not text.lstrip().startswith(("{", "[")) and ": " not in text


def _like_an_address(entry: str) -> bool:
    """A host and a path without a scheme, or a revision: no file of the tree would be called that."""
    host, slash, _ = entry.partition("/")
    return "?ref=" in entry or "?version=" in entry or bool(slash and "." in host.strip("."))


def _absent(tree: Tree, path: str) -> str | None:
    """Why a file or folder that should be there is not, where that is known of it or of a folder above."""
    here, below = path, ""
    while here and here != below:  # above the root of an absolute path there is nothing but itself
        if here in tree.absent:
            return f"{path}: {tree.absent[here]}" if here != path else f"{path} {tree.absent[here]}"
        here, below = posixpath.dirname(here), here
    return None


def _problem(tree: Tree, path: str) -> str | None:
    """What is wrong with a file of objects, with its place; None for nothing, and for no YAML file at all."""
    try:
        manifests.load_all(tree.read(path), name=path)
    except UpstreamsyncError as error:
        return str(error)
    except OSError as error:
        return f"{path}: {error.strerror}"
    return None


def obstacles(tree: Tree, overlay: str) -> tuple[Obstacle, ...]:
    """Everything that ``overlay`` and what it stands on name and can't have, in the order of reading."""
    return tuple(
        obstacle
        for kustomization in reached(tree, overlay)
        for obstacle in _Finder(tree, kustomization).find()
    )


def unreadable_files(tree: Tree, overlay: str) -> Iterator[Obstacle]:
    """The files with objects that can't be read. Reading them all takes time: asked only when a build failed."""
    for kustomization in reached(tree, overlay):
        finder = _Finder(tree, kustomization)
        for name, entry, path in children(tree, kustomization):
            if name in ("resources", "bases") and tree.is_file(path) and (why := _problem(tree, path)):
                index = kustomization.entries(name).index(entry)
                content = digest(tree.read(path).hex())
                finder.add(name, index, entry, Reason.DOES_NOT_BUILD, why, path=path, content=content)
        yield from finder.found


def unrenderable_charts(tree: Tree, overlay: str, charts: Charts) -> Iterator[Obstacle]:
    """The charts that lie in the tree and that helm can't render; asked only when a build failed."""
    for kustomization in reached(tree, overlay):
        finder = _Finder(tree, kustomization)
        for index, entry in enumerate(kustomization.entries("helmCharts")):
            if not isinstance(entry, Mapping):
                continue
            try:
                inflated({**kustomization.data, **_ALONE, "helmCharts": [entry]}, kustomization, tree, charts)
            except Unbuildable as refused:
                name, content = str(entry.get("name", index)), digest(dict(entry))
                reason = Reason(refused.reason) if refused.reason else Reason.DOES_NOT_BUILD
                why = cause(refused.error)
                finder.add("helmCharts", index, name, reason, why, content=content, hint=refused.hint)
        yield from finder.found


def blamed_entry(tree: Tree, overlay: str, error: str, seen: Collection[Place]) -> Iterator[Obstacle]:
    """The entry of which kustomize says that it can't be accumulated: the innermost that it names."""
    folder, found = overlay, None
    for entry in _ACCUMULATING.findall(error):
        kustomization = tree.kustomization(folder)
        for name in _OBJECTS if kustomization is not None else ():
            if kustomization is not None and entry in kustomization.entries(name):
                found = (kustomization, name, kustomization.entries(name).index(entry), entry)
                folder = kustomization.resolve(entry)
                break
    if found is None or (found[0].folder, found[1], found[2]) in seen:
        return
    kustomization, name, index, entry = found
    path = kustomization.resolve(entry)
    content = digest(tree.read(path).hex()) if tree.is_file(path) else ""
    finder = _Finder(tree, kustomization)
    finder.add(name, index, entry, Reason.DOES_NOT_BUILD, cause(error), path=path, content=content)
    yield from finder.found
