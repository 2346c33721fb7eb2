"""What a kustomization makes kustomize load, fetch or run, read as kustomize reads it.

kustomize turns the YAML into JSON and hands that to Go, which takes a field's name in any case
(``Resources:``); a merge key (``<<``) or a second mention may replace what was said before. So every mention
of a field counts here, however it is spelled. What generators, transformers and validators load is looked
at as well, whether they stand in the kustomization, in files or in a folder.

Sources: kustomize's api/types/kustomization.go, api/internal/target, api/internal/git/repospec.go and
api/internal/plugins/loader of 5.0 to 5.7; encoding/json of Go.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol

from upstreamsync.errors import Malformed, TooLarge, UpstreamsyncError
from upstreamsync.kit.yaml import manifests, syntax

#: The names under which kustomize looks for its file, in this order.
FILE_NAMES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")

_OBJECTS: Final = ("resources", "bases", "components")
_PLUGINS: Final = ("generators", "transformers", "validators")
_FILES: Final = ("crds", "configurations", "patches", "patchesstrategicmerge")
_WITH_PATH: Final = ("patches", "patchesjson6902", "replacements", "openapi")
_DATA: Final = ("configmapgenerator", "secretgenerator")
#: The fields of a kustomization that merely collects.
_COLLECTING: Final = frozenset(("apiversion", "kind", "metadata", "resources", "bases"))
_CHARTS: Final = ("helmcharts", "helmchartinflationgenerator")
_CHART_FILES: Final = ("valuesfile", "values", "additionalvaluesfiles")

#: The plugins that are a part of kustomize; any other is a program.
_BUILTIN: Final = frozenset(
    (
        "annotationstransformer", "configmapgenerator", "hashtransformer", "helmchartinflationgenerator",
        "iampolicygenerator", "imagetagtransformer", "labeltransformer", "legacyordertransformer",
        "namespacetransformer", "patchjson6902transformer", "patchstrategicmergetransformer",
        "patchtransformer", "prefixsuffixtransformer", "prefixtransformer", "replacementtransformer",
        "replicacounttransformer", "secretgenerator", "sortordertransformer", "suffixtransformer",
        "valueaddtransformer",
    )
)  # fmt: skip
#: What a plugin's configuration names its files by, and where nothing but texts stands.
_PLUGIN_FILES: Final = frozenset(("path", "paths", "files", "envs", "env", *_CHART_FILES))
_PLUGIN_TEXTS: Final = frozenset(("metadata", "labels", "annotations", "fieldspecs", "target", "targets"))
_FUNCTIONS: Final = frozenset(("config.kubernetes.io/function", "config.k8s.io/function"))

#: What kustomize takes for an address: a scheme, a user before a host, the short forms of one forge.
_REMOTE: Final = re.compile(
    r"(?:[a-z][a-z0-9+.-]*::)*(?:[a-z][a-z0-9+.-]*://|https?:|file:|[a-z][a-z0-9-]*@[^/:\s]+[:/]|(?:gh|github\.com)[:/])",
    re.IGNORECASE,
)
_FORCED: Final = re.compile(r"[a-z][a-z0-9+.-]*::", re.IGNORECASE)
#: The tags that YAML gives by itself. Others, such as !!binary, make a text of something else.
_OWN_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "map", "seq", "int", "float", "bool", "null", "timestamp", "merge", "value")
)
_MERGE: Final = "tag:yaml.org,2002:merge"


class Files(Protocol):
    """A tree of files; paths are relative to it, with ``/``, and normal."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file; None where there is none."""

    def is_folder(self, path: str) -> bool:
        """Whether a folder is there; the tree itself is ``.``."""


class Role(StrEnum):
    """What kustomize does with what a reference names."""

    OBJECTS = "objects"
    """A file with objects, or a folder with a kustomization."""
    FILE = "file"
    """A file that is read."""
    PLUGIN = "plugin"
    """A file with configurations of plugins, or a folder whose kustomization makes them."""
    CHART = "chart"
    """A chart that helm inflates; the text is its name."""
    PROGRAM = "program"
    """A program that would be run; the text says which."""
    UNREADABLE = "unreadable"
    """Nothing that can be judged; the text says why."""
    BOUNDLESS = "boundless"
    """A text that grows beyond all bounds when it is read; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One thing that a kustomization names, and where: ``line`` counts from 1 in ``file``."""

    text: str
    role: Role
    field: str
    file: str
    line: int

    @property
    def remote(self) -> bool:
        """Whether kustomize would take it for an address."""
        return self.role in (Role.OBJECTS, Role.FILE, Role.PLUGIN) and is_address(self.text)

    def path(self, folder: str) -> str | None:
        """The path that it names, from ``folder``, the kustomization's; None for what is no path of the tree."""
        if self.role not in (Role.OBJECTS, Role.FILE, Role.PLUGIN) or self.remote or "\0" in self.text:
            return None
        if self.text.startswith("/"):
            return None
        path = posixpath.normpath(posixpath.join(folder, self.text))
        return None if path == ".." or path.startswith("../") else path


def is_address(text: str) -> bool:
    """Whether kustomize would take ``text`` for the address of a file or of a repository."""
    stripped = text.strip()
    return _REMOTE.match(stripped) is not None or _FORCED.match(stripped) is not None


def references(data: bytes, file: str) -> Iterator[Reference]:
    """Everything that the kustomization ``file`` names itself, in its order. Raises nothing.

    What its plugins' files name in turn is not among it: see ``all_references``.
    """
    try:
        root = _document(data, file)
    except UpstreamsyncError as error:
        yield Reference(text=error.message, role=_role(error), field="", file=file, line=1)
        return
    yield from _Reader(file).kustomization(root)


def all_references(files: Files, file: str) -> Iterator[Reference]:
    """``references``, and what the configurations of its plugins name. Raises nothing."""
    folder = posixpath.dirname(file) or "."
    for reference in references(files.read(file) or b"", file):
        yield reference
        if reference.role is Role.PLUGIN and (path := reference.path(folder)) is not None:
            yield from _of_plugins(files, path, reference, set())


def _of_plugins(files: Files, path: str, named: Reference, seen: set[str]) -> Iterator[Reference]:
    """What the plugins' configurations in a file, or in a folder with a kustomization, name."""
    if path in seen:
        return
    seen.add(path)
    data = files.read(path)
    if data is not None:
        yield from _Reader(path).plugins(data)
        return
    if not files.is_folder(path):
        return
    for name in FILE_NAMES:
        file = posixpath.normpath(f"{path}/{name}")
        if (text := files.read(file)) is None:
            continue
        if made := _settings(text, file) - _COLLECTING:
            # A configuration that is made while building can say anything.
            said = f"{named.text}, whose configuration is made by `{min(made)}`"
            yield replace(named, text=said, role=Role.PROGRAM)
        for reference in references(text, file):
            below = reference.path(path)
            if reference.role is Role.OBJECTS and below is not None:
                yield from _of_plugins(files, below, reference, seen)
            else:
                yield reference


def _settings(data: bytes, file: str) -> set[str]:
    """The fields of a kustomization; none of one that can't be read."""
    try:
        return {name.casefold() for name, _ in _pairs(_document(data, file))}
    except UpstreamsyncError:
        return set()


def _document(data: bytes, file: str) -> syntax.Node | None:
    """The only document of a text, as nodes. Raises Malformed or TooLarge."""
    documents = _documents(data, file)
    if len(documents) > 1:
        raise Malformed(f"{file}: one YAML document was expected, there are {len(documents)}")
    return documents[0] if documents else None


def _role(error: UpstreamsyncError) -> Role:
    return Role.BOUNDLESS if isinstance(error, TooLarge) else Role.UNREADABLE


def _documents(data: bytes | str, file: str) -> list[syntax.Node]:
    """The documents of a text, as nodes. Raises Malformed or TooLarge, also for a text inside of it."""
    manifests.refuse_bombs(data, file)
    try:
        found = list(syntax.compose_all(data))
    except (syntax.YAMLError, UnicodeDecodeError, RecursionError) as error:
        reason = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise Malformed(f"{file}: not valid YAML: {reason}") from None
    for node in found:
        for one in _walk(node):
            if one.tag not in _OWN_TAGS:
                raise Malformed(f"{file}:{one.start_mark.line + 1}: a value with the tag {one.tag}")
            if isinstance(one, syntax.ScalarNode):  # a patch, perhaps, that kustomize parses in turn
                manifests.refuse_bombs(one.value, f"{file}:{one.start_mark.line + 1}")
    return found


def _walk(root: syntax.Node) -> Iterator[syntax.Node]:
    waiting, seen = [root], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:  # by an alias
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, syntax.SequenceNode):
            waiting += node.value
        elif isinstance(node, syntax.MappingNode):
            waiting += [part for pair in node.value for part in pair]


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the nodes of one file; ``offset``: lines before them, where they stand in a text of it."""

    file: str
    offset: int = 0

    def kustomization(self, root: syntax.Node | None) -> Iterator[Reference]:
        """What a kustomization names."""
        for name, node in _pairs(root):
            key = name.casefold()
            if key in _OBJECTS:
                yield from self._texts(node, Role.OBJECTS, name)
            elif key in _PLUGINS:
                yield from self._plugin_entries(node, name)
            elif key in _CHARTS:
                yield from self._charts(node, name)
            if key in _FILES:
                yield from self._texts(node, Role.FILE, name)
            if key in _WITH_PATH:
                for entry in _entries(node):
                    yield from self._below(entry, ("path",), name)
            if key in _DATA:
                for entry in _entries(node):
                    yield from self._below(entry, ("files", "envs", "env"), name)

    def plugins(self, data: bytes | str, field: str = "") -> Iterator[Reference]:
        """What the configurations of plugins in ``data`` name."""
        try:
            documents = _documents(data, self.file)
        except UpstreamsyncError as error:
            yield self._reference(error.message, _role(error), field, None)
            return
        for node in documents:
            for one in _listed(node):
                yield from self._plugin(one, field)

    def _plugin(self, node: syntax.Node, field: str) -> Iterator[Reference]:
        said = {name.casefold(): _text(value) or "" for name, value in _pairs(node)}
        kind, version = said.get("kind", ""), said.get("apiversion", "")
        where = field or kind
        if version != "builtin" or kind.casefold() not in _BUILTIN or _has_function(node):
            yield self._reference(f"{version} {kind}".strip() or "a plugin", Role.PROGRAM, where, node)
        elif kind.casefold() == "helmchartinflationgenerator":
            yield self._reference(said.get("name", ""), Role.CHART, where, node)
        yield from self._plugin_files(node, where, set())

    def _plugin_files(self, node: syntax.Node, field: str, seen: set[int]) -> Iterator[Reference]:
        if id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(node, syntax.SequenceNode):
            for entry in node.value:
                yield from self._plugin_files(entry, field, seen)
        for name, value in _pairs(node):
            key = name.casefold()
            if key in _PLUGIN_FILES:
                yield from self._texts(value, Role.FILE, f"{field}.{name}", keyed=key == "files")
            if key not in _PLUGIN_TEXTS:
                yield from self._plugin_files(value, field, seen)

    def _plugin_entries(self, node: syntax.Node, field: str) -> Iterator[Reference]:
        """Each entry is a configuration itself if it can be, else what names one."""
        for entry in _entries(node):
            text = _text(entry)
            if text is None:
                continue
            if _is_inline(text) and not is_address(text):
                block = isinstance(entry, syntax.ScalarNode) and entry.style in ("|", ">")
                inside = _Reader(self.file, self.offset + entry.start_mark.line + (1 if block else 0))
                yield from inside.plugins(text, field)
            else:
                yield self._reference(text, Role.PLUGIN, field, entry)

    def _charts(self, node: syntax.Node, field: str) -> Iterator[Reference]:
        for entry in _entries(node):
            names = [
                _text(value) for name, value in _pairs(entry) if name.casefold() in ("name", "chartname")
            ]
            yield self._reference(next(filter(None, names), ""), Role.CHART, field, entry)
            yield from self._below(entry, _CHART_FILES, field)

    def _below(self, node: syntax.Node, names: Sequence[str], field: str) -> Iterator[Reference]:
        for name, value in _pairs(node):
            if name.casefold() in names:
                keyed = name.casefold() == "files"
                yield from self._texts(value, Role.FILE, f"{field}.{name}", keyed=keyed)

    def _texts(
        self, node: syntax.Node, role: Role, field: str, *, keyed: bool = False
    ) -> Iterator[Reference]:
        for entry in _entries(node):
            text = _text(entry)
            if not text:
                continue
            named = text.partition("=")[2] or text if keyed and not is_address(text) else text
            if role is Role.FILE and _is_inline(named) and not is_address(named):
                continue
            yield self._reference(named, role, field, entry)

    def _reference(self, text: str, role: Role, field: str, node: syntax.Node | None) -> Reference:
        line = self.offset + (node.start_mark.line if node is not None else 0) + 1
        return Reference(text=text, role=role, field=field, file=self.file, line=line)


def _pairs(node: syntax.Node | None) -> Iterator[tuple[str, syntax.Node]]:
    """Every key of a mapping with its value, repeated and merged ones too."""
    waiting, seen = [node], set[int]()
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, syntax.MappingNode) or id(one) in seen:
            continue
        seen.add(id(one))
        for key, value in one.value:
            if key.tag == _MERGE:
                waiting += value.value if isinstance(value, syntax.SequenceNode) else [value]
            elif isinstance(key, syntax.ScalarNode):
                yield key.value, value


def _entries(node: syntax.Node) -> Sequence[syntax.Node]:
    return node.value if isinstance(node, syntax.SequenceNode) else (node,)


def _text(node: syntax.Node) -> str | None:
    return node.value if isinstance(node, syntax.ScalarNode) else None


def _listed(node: syntax.Node) -> Iterator[syntax.Node]:
    """A configuration, or those of a list."""
    for name, value in _pairs(node):
        if name.casefold() == "items" and isinstance(value, syntax.SequenceNode):
            yield from value.value
            return
    yield node


def _is_inline(text: str) -> bool:
    """Whether kustomize may take a text for content in place of a path: it holds a YAML mapping or list."""
    if "\n" not in text and ":" not in text:
        return False
    try:
        documents = list(syntax.compose_all(text))
    except (syntax.YAMLError, RecursionError):
        return True  # no path either
    return any(isinstance(node, (syntax.MappingNode, syntax.SequenceNode)) for node in documents)


def _has_function(node: syntax.Node) -> bool:
    """Whether a configuration asks for a function, that is a container or a program."""
    return any(
        annotation.casefold() in _FUNCTIONS
        for name, metadata in _pairs(node)
        if name.casefold() == "metadata"
        for inner, annotations in _pairs(metadata)
        if inner.casefold() == "annotations"
        for annotation, _ in _pairs(annotations)
    )
