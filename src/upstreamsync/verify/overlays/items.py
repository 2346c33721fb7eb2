"""The customizations of an overlay: one item per entry, each with the place where it is written.

An item is the unit of judgement. Items stand in the order in which kustomize applies them: depth first,
and inside one kustomization resources, generators, components, then the transformers in the engine's
fixed order, which is not that of the file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.foreign import elements
from upstreamsync.kit.kubernetes.objects import digest
from upstreamsync.kit.yaml import manifests, syntax
from upstreamsync.verify.overlays.configured import configured_items
from upstreamsync.verify.overlays.graph import children
from upstreamsync.verify.overlays.item import INLINE, RENAMING, WHOLE_OVERLAY, Item, Kind
from upstreamsync.verify.overlays.spelling import same_field
from upstreamsync.verify.overlays.tree import Kustomization, Tree, normalize, within

__all__ = ["RENAMING", "WHOLE_OVERLAY", "Item", "Kind", "enumerate_items", "line_of"]


_BARE: Final = (
    ("namespace", Kind.NAMESPACE),
    ("namePrefix", Kind.PREFIX),
    ("nameSuffix", Kind.SUFFIX),
)
_LATE: Final = (
    ("replicas", Kind.REPLICAS),
    ("images", Kind.IMAGES),
    ("imageTags", Kind.IMAGES),
    ("replacements", Kind.REPLACEMENTS),
    ("transformers", Kind.TRANSFORMER),
    ("vars", Kind.VARS),
)


@dataclass(slots=True)
class _Reader:
    tree: Tree
    upstream: Collection[str]
    items: list[Item] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)


def enumerate_items(tree: Tree, overlay: str, upstream: Collection[str]) -> tuple[Item, ...]:
    """The customizations below root ``overlay`` in the engine's order, upstream's own left out.

    Values that a kustomization hands to a vendored chart are customizations wherever it lies.
    """
    reader = _Reader(tree, upstream)
    _visit(reader, normalize(overlay))
    variables = [item for item in reader.items if item.kind is Kind.VARS]  # resolved at the very end
    return (*(item for item in reader.items if item.kind is not Kind.VARS), *variables)


def _visit(reader: _Reader, folder: str) -> None:
    kustomization = reader.tree.kustomization(folder)
    if kustomization is None or folder in reader.seen:
        return
    reader.seen.add(folder)
    theirs = within(folder, reader.upstream)
    marks = _Marks(kustomization.text)
    below = {name: [] for name in ("resources", "bases", "components")}  # type: dict[str, list[tuple[str, str]]]
    for name, entry, path in children(reader.tree, kustomization):
        if name in below:
            below[name].append((entry, path))
    for name in ("resources", "bases"):
        for entry, path in below[name]:
            if reader.tree.is_folder(path):
                _visit(reader, path)
            elif not theirs and not within(path, reader.upstream):
                reader.items.append(_local_resource(kustomization, name, entry, path))
    if not theirs:
        reader.items.extend(_generators(reader.tree, kustomization, marks))
        reader.items.extend(_configured(reader.tree, kustomization, marks, "generators"))
    reader.items.extend(_helm_values(kustomization, marks, reader.tree, reader.upstream))
    for _, path in below["components"]:
        if reader.tree.is_folder(path):
            _visit(reader, path)
    if not theirs:
        reader.items.extend(_transformers(reader.tree, kustomization, marks))


def _transformers(tree: Tree, kustomization: Kustomization, marks: _Marks) -> Iterator[Item]:
    yield from _patches(tree, kustomization, marks, "patchesStrategicMerge")
    yield from _patches(tree, kustomization, marks, "patches")
    for name, kind in _BARE:
        if kustomization.data.get(name):
            yield _bare(kustomization, marks, name, kind)
    yield from _listed(kustomization, marks, "labels", Kind.LABELS)
    if kustomization.data.get("commonLabels"):
        yield _bare(kustomization, marks, "commonLabels", Kind.LABELS)
    if kustomization.data.get("commonAnnotations"):
        yield _bare(kustomization, marks, "commonAnnotations", Kind.ANNOTATIONS)
    yield from _patches(tree, kustomization, marks, "patchesJson6902")
    for name, kind in _LATE:
        if kind is Kind.TRANSFORMER:
            yield from _configured(tree, kustomization, marks, name)
            continue
        for item in _listed(kustomization, marks, name, kind):
            yield _from_file(tree, kustomization, item) if kind is Kind.REPLACEMENTS else item


# -- kinds of items ----------------------------------------------------------------------------------


def _bare(kustomization: Kustomization, marks: _Marks, name: str, kind: Kind) -> Item:
    return Item(
        name=f"{kustomization.folder}: {name}",
        kind=kind,
        folder=kustomization.folder,
        field=name,
        key="",
        file=kustomization.file,
        line=marks.line(name),
        spec=kustomization.data[name],
        identity=digest([name, kustomization.data[name]]),
    )


def _listed(kustomization: Kustomization, marks: _Marks, name: str, kind: Kind) -> Iterator[Item]:
    for index, entry in enumerate(kustomization.entries(name)):
        key = f"[{entry}]" if isinstance(entry, str) and "\n" not in entry else f"[{index}]"
        yield Item(
            name=f"{kustomization.folder}: {name}{key}",
            kind=kind,
            folder=kustomization.folder,
            field=name,
            key=key[1:-1],
            file=kustomization.file,
            line=marks.line(name, index),
            spec=entry,
            index=index,
            identity=digest([name, entry]),
        )


def _configured(tree: Tree, kustomization: Kustomization, marks: _Marks, name: str) -> Iterator[Item]:
    return configured_items(tree, kustomization, name, lambda index: marks.text_line(name, index))


def _from_file(tree: Tree, kustomization: Kustomization, item: Item) -> Item:
    """A replacement that stands in a file of its own: what that file says."""
    path = item.spec.get("path") if isinstance(item.spec, Mapping) else None
    file = kustomization.resolve(path) if isinstance(path, str) else ""
    if not file or not tree.is_file(file):
        return item
    try:
        said = manifests.load(tree.read(file), name=file)
    except UpstreamsyncError:
        return item
    if isinstance(said, list) and len(said) == 1:
        said = said[0]
    spec = said if isinstance(said, Mapping) else item.spec
    return replace(item, spec=spec, file=file, line=1, identity=digest([item.field, said]))


def _local_resource(kustomization: Kustomization, name: str, entry: str, path: str) -> Item:
    index = kustomization.entries(name).index(entry)
    return Item(
        name=f"{kustomization.folder}: {name}[{entry}]",
        kind=Kind.RESOURCE,
        folder=kustomization.folder,
        field=name,
        key=entry,
        file=path,
        line=1,
        spec=path,
        index=index,
        identity=digest([name, entry]),
    )


def _generators(tree: Tree, kustomization: Kustomization, marks: _Marks) -> Iterator[Item]:
    for name in ("configMapGenerator", "secretGenerator"):
        for index, entry in enumerate(kustomization.entries(name)):
            if not isinstance(entry, Mapping):
                continue
            key = str(entry.get("name", index))
            yield Item(
                name=f"{kustomization.folder}: {name}[{key}]",
                kind=Kind.GENERATOR,
                folder=kustomization.folder,
                field=name,
                key=key,
                file=kustomization.file,
                line=marks.line(name, index),
                spec=entry,
                index=index,
                identity=digest([name, entry, _content(tree, kustomization, entry)]),
            )


def _content(tree: Tree, kustomization: Kustomization, entry: Mapping[str, Any]) -> list[str]:
    """What stands in the files that a generator reads: it is edited when they are."""
    named = [entry.get("env"), *elements(entry.get("envs")), *elements(entry.get("files"))]
    paths = [one.rpartition("=")[2] for one in named if isinstance(one, str) and "://" not in one]
    found = (kustomization.resolve(path) for path in paths)
    return [digest(tree.read(path).hex()) for path in found if tree.is_file(path)]


def entry_line(kustomization: Kustomization, item: Item) -> int:
    """The line of the kustomization in which an item's entry begins."""
    marks = _Marks(kustomization.text)
    return marks.line(item.field) if item.index is None else marks.line(item.field, item.index)


def chart_values(kustomization: Kustomization, tree: Tree | None = None) -> tuple[Item, ...]:
    """The values that a kustomization hands to charts, whether these are there or not; files are in ``tree``."""
    return tuple(_helm_values(kustomization, _Marks(kustomization.text), tree, ()))


def _helm_values(
    kustomization: Kustomization, marks: _Marks, tree: Tree | None, upstream: Collection[str]
) -> Iterator[Item]:
    """Values in the kustomization and in files of the user's."""
    for index, chart in enumerate(kustomization.entries("helmCharts")):
        if not isinstance(chart, Mapping):
            continue
        called = str(chart.get("name", index))
        for layer, file in _values_files(chart) if tree is not None else ():
            path = kustomization.resolve(file)
            if tree is None or not tree.is_file(path) or within(path, upstream):
                continue
            try:
                text = tree.read(path).decode("utf-8", "replace")
                values = manifests.load(text, name=path)
            except UpstreamsyncError:
                continue
            for item in _values(kustomization, index, called, layer, values):
                yield replace(item, file=path, line=_Marks(text).line(*item.spec))
        for item in _values(kustomization, index, called, INLINE, chart.get(INLINE)):
            yield replace(item, line=marks.line("helmCharts", index, INLINE, *item.spec))


def _values_files(chart: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The files that an entry names, with the field, and the place in it, that names them."""
    if isinstance(named := chart.get("valuesFile"), str) and named:
        yield "valuesFile", named
    listed = chart.get("additionalValuesFiles")
    for number, entry in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(entry, str):
            yield f"additionalValuesFiles[{number}]", entry


def _values(kustomization: Kustomization, index: int, called: str, layer: str, values: Any) -> Iterator[Item]:
    for path, value in _value_leaves(values, ()):
        key = f"{called}].{layer}.{'.'.join(path)}"
        yield Item(
            name=f"{kustomization.folder}: helmCharts[{key}",
            kind=Kind.HELM_VALUE,
            folder=kustomization.folder,
            field="helmCharts",
            key=key.replace("].", ".", 1),
            file=kustomization.file,
            line=1,
            spec=path,
            body=value,
            index=index,
            identity=digest(["helmCharts", called, layer, path, value]),
            layer=layer,
        )


def _value_leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping) and value:
        for key, child in value.items():
            yield from _value_leaves(child, (*path, str(key)))
    elif path:
        yield path, value


# -- patches -----------------------------------------------------------------------------------------


def _patches(tree: Tree, kustomization: Kustomization, marks: _Marks, name: str) -> Iterator[Item]:
    for index, entry in enumerate(kustomization.entries(name)):
        text, file, line = _patch_text(tree, kustomization, marks, name, index, entry)
        parts = list(_patch_documents(text))
        for number, (document, first_line, body) in enumerate(parts, 1):
            several = len(parts) > 1
            suffix = f" doc {number}" if several else ""
            if several and file != kustomization.file:
                suffix += f" ({_short(kustomization, file)})"
            yield Item(
                name=f"{kustomization.folder}: {name}[{index}]{suffix}",
                kind=Kind.JSON if isinstance(body, list) else Kind.MERGE,
                folder=kustomization.folder,
                field=name,
                key=f"{index}{suffix}",
                file=file,
                line=line + first_line,
                spec=entry if isinstance(entry, Mapping) else {},
                body=body,
                text=document,
                index=index,
                doc=number if several else None,
                identity=digest([name, _target_of(entry), body]),
            )


def _short(kustomization: Kustomization, file: str) -> str:
    return file.removeprefix(f"{kustomization.folder}/") if kustomization.folder != "." else file


def _target_of(entry: Any) -> Any:
    return entry.get("target") if isinstance(entry, Mapping) else None


def _patch_text(
    tree: Tree, kustomization: Kustomization, marks: _Marks, name: str, index: int, entry: Any
) -> tuple[str, str, int]:
    """A patch's text, its file, and the line at which the text begins."""
    if isinstance(entry, Mapping):
        inline, path = entry.get("patch"), entry.get("path")
        if isinstance(inline, str) and inline.strip():
            return inline, kustomization.file, marks.text_line(name, index, "patch")
    else:
        inline = path = entry
        if isinstance(entry, str) and ("\n" in entry or not tree.is_file(kustomization.resolve(entry))):
            return entry, kustomization.file, marks.text_line(name, index)
    if isinstance(path, str):
        file = kustomization.resolve(path)
        if tree.is_file(file):
            return tree.read(file).decode("utf-8", "replace"), file, 1
    return "", kustomization.file, marks.line(name, index)


def _patch_documents(text: str) -> Iterator[tuple[str, int, Any]]:
    """Each document of a patch that says something: its text, its first line (from 0), its value."""
    line, found = 0, False
    parts = manifests.split(text.encode())
    for part in parts:
        document = part.decode()
        try:
            bodies = [body for body in manifests.load_all(document) if body is not None]
        except UpstreamsyncError:
            bodies = [{}]
        lead = len(document) - len(document.lstrip("-\n \r\t#"))
        for body in bodies:
            found = True
            yield document, line + document.count("\n", 0, lead), body
        line += document.count("\n")
    if not found:
        yield text, 0, None


# -- places ------------------------------------------------------------------------------------------


class _Marks:
    """Line numbers of the entries of a YAML text, from YAML's own marks."""

    def __init__(self, text: str) -> None:
        try:
            self._root: syntax.Node | None = syntax.compose(text)
        except syntax.YAMLError:
            self._root = None

    def node(self, *path: str | int) -> tuple[syntax.Node | None, int]:
        """The node at ``path`` and its line from 1; the nearest one above it when it is missing."""
        node, line = self._root, 1
        for step in path:
            if isinstance(node, syntax.MappingNode):
                for key, value in node.value:
                    if isinstance(step, str) and isinstance(key.value, str) and same_field(key.value, step):
                        node, line = value, key.start_mark.line + 1
                        break
                else:
                    return None, line
            elif isinstance(node, syntax.SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                line = node.start_mark.line + 1
            else:
                return None, line
        return node, line

    def line(self, *path: str | int) -> int:
        """The line of the entry at ``path``."""
        return self.node(*path)[1]

    def text_line(self, *path: str | int) -> int:
        """The line at which an inline text begins: for a block scalar the one below its header."""
        node, line = self.node(*path)
        block = isinstance(node, syntax.ScalarNode) and node.style in ("|", ">")
        return line + 1 if block else line


def line_of(kustomization: Kustomization, *path: str | int) -> int:
    """The line, from 1, of what stands at ``path`` in a kustomization; that of the nearest above it."""
    return _Marks(kustomization.text).line(*path)
