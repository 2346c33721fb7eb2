"""Built-in transformers and generators as items: each works as the field that does the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.kubernetes.objects import digest
from upstreamsync.kit.yaml import manifests
from upstreamsync.verify.overlays.item import Item, Kind
from upstreamsync.verify.overlays.plugins import Config, configs
from upstreamsync.verify.overlays.tree import Kustomization, Tree


class _Unit(NamedTuple):
    """What of a configuration can be switched on by itself: see Item; ``data`` is to be configured for it."""

    kind: Kind
    spec: Any
    body: Any
    data: Mapping[str, Any]


def configured_items(
    tree: Tree, kustomization: Kustomization, field: str, line: Callable[[int], int]
) -> Iterator[Item]:
    """The items below ``transformers`` or ``generators``, in the order in which kustomize applies them.

    A generator that needs a plugin is none: it is no customization, and can't be had.
    """
    everything = configs(tree, kustomization, field, line)
    charts = {config.index for config in everything if config.inflates}
    found = [
        (config, unit)
        for config in everything
        for unit in _units(tree, kustomization, config)
        if (field == "transformers" or config.plugin is None) and config.index not in charts
    ]
    read = {config.index for config in everything}
    several = {config.entry for number, (config, _) in enumerate(found)
               if any(other.index == config.index for other, _ in found[number + 1 :])}  # fmt: skip
    numbers: dict[int, int] = {}
    for config, unit in found:
        number = numbers[config.index] = numbers.get(config.index, 0) + 1
        key = str(config.index) if config.inline else config.entry
        suffix = f" doc {number}" if config.entry in several else ""
        if suffix and not config.inline:
            suffix += f" ({config.file.removeprefix(f'{kustomization.folder}/')})"
        yield Item(
            name=f"{kustomization.folder}: {field}[{key}]{suffix}",
            kind=unit.kind,
            folder=kustomization.folder,
            field=field,
            key=f"{key}{suffix}",
            file=config.file,
            line=config.line,
            spec=unit.spec,
            body=unit.body,
            text=config.text if unit.data is config.data else json.dumps(unit.data, ensure_ascii=False),
            index=config.index,
            doc=number,
            identity=digest([field, unit.kind, unit.data]),
        )
    for index, entry in enumerate(kustomization.entries(field)):
        if isinstance(entry, str) and index not in read:
            yield _as_a_whole(kustomization, field, index, entry, line(index))


def _as_a_whole(kustomization: Kustomization, field: str, index: int, entry: str, line: int) -> Item:
    """An entry of which only kustomize knows what it configures."""
    return Item(
        name=f"{kustomization.folder}: {field}[{index if chr(10) in entry else entry}]",
        kind=Kind.TRANSFORMER,
        folder=kustomization.folder,
        field=field,
        key=str(index) if "\n" in entry else entry,
        file=kustomization.file,
        line=line,
        spec=entry,
        text=entry,
        index=index,
        identity=digest([field, entry]),
    )


def _units(tree: Tree, kustomization: Kustomization, config: Config) -> list[_Unit]:
    if config.plugin is not None:
        return [_Unit(Kind.TRANSFORMER, config.entry, None, config.data)]
    read = _READERS.get(config.kind)
    found = read(config.data, _text_of(tree, kustomization)) if read is not None else []
    return found or [_Unit(Kind.TRANSFORMER, config.entry, None, config.data)]


def _text_of(tree: Tree, kustomization: Kustomization) -> Callable[[Any], str]:
    """Reads a file that a configuration names: from the kustomization's folder, wherever it stands itself."""

    def read(path: Any) -> str:
        file = kustomization.resolve(path) if isinstance(path, str) else ""
        return tree.read(file).decode("utf-8", "replace") if file and tree.is_file(file) else ""

    return read


_Text = Callable[[Any], str]


# -- kinds of configurations -------------------------------------------------------------------------


def _bodies(text: str) -> list[Any]:
    try:
        return [body for body in manifests.load_all(text) if body is not None]
    except UpstreamsyncError:
        return [{}]


def _patch(data: Mapping[str, Any], read: _Text) -> list[_Unit]:
    text = data.get("patch") or read(data.get("path"))
    spec = {"target": data.get("target"), "options": data.get("options")}
    bodies = _bodies(str(text))
    if len(bodies) < 2 or any(isinstance(body, list) for body in bodies):
        body = bodies[0] if bodies else None
        return [_Unit(Kind.JSON if isinstance(body, list) else Kind.MERGE, spec, body, data)]
    return [
        _Unit(Kind.MERGE, spec, body, _one_of(data, number, patch=body)) for number, body in enumerate(bodies)
    ]


def _one_of(data: Mapping[str, Any], number: int, **body: Any) -> Mapping[str, Any]:
    """A configuration of one of several patches; their names have to differ."""
    kept = {key: value for key, value in data.items() if key not in ("patch", "path", "patches", "paths")}
    metadata = data.get("metadata")
    name = metadata.get("name", "patch") if isinstance(metadata, Mapping) else "patch"
    texts = {key: json.dumps(value, ensure_ascii=False) for key, value in body.items()}
    return {**kept, "metadata": {"name": f"{name}-{number + 1}"}, **texts}


def _merges(data: Mapping[str, Any], read: _Text) -> list[_Unit]:
    paths = data.get("paths")
    texts = [read(path) for path in (paths if isinstance(paths, list) else ())]
    bodies = [body for text in (*texts, str(data.get("patches") or "")) for body in _bodies(text)]
    if len(bodies) == 1:
        return [_Unit(Kind.MERGE, {}, bodies[0], data)]
    return [
        _Unit(Kind.MERGE, {}, body, _one_of(data, number, patches=body)) for number, body in enumerate(bodies)
    ]


def _operations(data: Mapping[str, Any], read: _Text) -> list[_Unit]:
    bodies = _bodies(str(data.get("jsonOp") or read(data.get("path"))))
    body = bodies[0] if bodies else None
    return [_Unit(Kind.JSON, {"target": _exact(data.get("target"))}, body, data)]


def _exact(target: Any) -> Any:
    """The one object that is meant, as the selector of ``patches`` writes it."""
    return dict(target) if isinstance(target, Mapping) else {}


def _image(data: Mapping[str, Any], _read: _Text) -> list[_Unit]:
    return _setting(Kind.IMAGES, data.get("imageTag"), Mapping, data)


def _replicas(data: Mapping[str, Any], _read: _Text) -> list[_Unit]:
    return _setting(Kind.REPLICAS, data.get("replica"), Mapping, data)


def _labels(data: Mapping[str, Any], _read: _Text) -> list[_Unit]:
    return _setting(Kind.LABELS, data.get("labels"), Mapping, data)


def _annotations(data: Mapping[str, Any], _read: _Text) -> list[_Unit]:
    return _setting(Kind.ANNOTATIONS, data.get("annotations"), Mapping, data)


def _setting(kind: Kind, spec: Any, form: type, data: Mapping[str, Any]) -> list[_Unit]:
    return [_Unit(kind, spec, None, data)] if isinstance(spec, form) and spec else []


def _namespace(data: Mapping[str, Any], _read: _Text) -> list[_Unit]:
    metadata = data.get("metadata")
    inside = metadata.get("namespace") if isinstance(metadata, Mapping) else None
    if data.get("unsetOnly"):
        return []
    return _setting(Kind.NAMESPACE, data.get("namespace") or inside, str, data)


def _affix(data: Mapping[str, Any], _read: _Text) -> list[_Unit]:
    prefix, suffix = data.get("prefix"), data.get("suffix")
    if (prefix and suffix) or not _renames(data):
        return []
    return _setting(Kind.PREFIX if prefix else Kind.SUFFIX, prefix or suffix, str, data)


def _renames(data: Mapping[str, Any]) -> bool:
    specs = data.get("fieldSpecs")
    return isinstance(specs, list) and any(
        isinstance(spec, Mapping) and spec.get("path") == "metadata/name" for spec in specs
    )


def _replacements(data: Mapping[str, Any], _read: _Text) -> list[_Unit]:
    entries = data.get("replacements")
    if not isinstance(entries, list) or not all(isinstance(each, Mapping) for each in entries):
        return []
    if len(entries) == 1:
        return [_Unit(Kind.REPLACEMENTS, entries[0], None, data)]
    metadata = data.get("metadata")
    name = metadata.get("name", "replace") if isinstance(metadata, Mapping) else "replace"
    return [
        _Unit(
            Kind.REPLACEMENTS,
            entry,
            None,
            {**data, "metadata": {"name": f"{name}-{number}"}, "replacements": [entry]},
        )
        for number, entry in enumerate(entries, 1)
    ]


def _generator(data: Mapping[str, Any], _read: _Text) -> list[_Unit]:
    metadata = data.get("metadata")
    name = data.get("name") or (metadata.get("name") if isinstance(metadata, Mapping) else None)
    options = data.get("options")
    plain = {**(options if isinstance(options, Mapping) else {}), "disableNameSuffixHash": True}
    return [_Unit(Kind.GENERATOR, {**data, "name": name}, None, {**data, "options": plain})]


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any], _Text], list[_Unit]]]] = {
    "PatchTransformer": _patch,
    "PatchStrategicMergeTransformer": _merges,
    "PatchJson6902Transformer": _operations,
    "ImageTagTransformer": _image,
    "ReplicaCountTransformer": _replicas,
    "LabelTransformer": _labels,
    "AnnotationsTransformer": _annotations,
    "NamespaceTransformer": _namespace,
    "PrefixTransformer": _affix,
    "SuffixTransformer": _affix,
    "PrefixSuffixTransformer": _affix,
    "ReplacementTransformer": _replacements,
    "ConfigMapGenerator": _generator,
    "SecretGenerator": _generator,
}
