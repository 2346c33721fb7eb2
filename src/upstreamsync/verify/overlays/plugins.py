"""What stands under ``transformers`` and ``generators``: configurations of kustomize's built-ins, or of plugins.

A built-in that is configured here does what a field of the kustomization does, and is judged as that
field. Everything else would be a program that somebody has to run; that is never done.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.yaml import manifests
from upstreamsync.verify.overlays.graph import children
from upstreamsync.verify.overlays.spelling import BUILTIN, canonical
from upstreamsync.verify.overlays.tree import Kustomization, Tree

#: Fields whose entries configure transformers, generators and validators.
PLUGIN_FIELDS: Final = ("generators", "transformers", "validators")
#: Annotations that make a configuration one of a program or a container.
_FUNCTION: Final = ("config.kubernetes.io/function", "config.k8s.io/function")
_BUILTINS: Final = frozenset(
    (
        "AnnotationsTransformer", "ConfigMapGenerator", "HashTransformer", "IAMPolicyGenerator",
        "ImageTagTransformer", "LabelTransformer", "LegacyOrderTransformer", "NamespaceTransformer",
        "PatchJson6902Transformer", "PatchStrategicMergeTransformer", "PatchTransformer", "PrefixSuffixTransformer",
        "PrefixTransformer", "ReplacementTransformer", "ReplicaCountTransformer", "SecretGenerator",
        "SortOrderTransformer", "SuffixTransformer", "ValueAddTransformer",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One configuration: the entry it belongs to, where it is written, and what it says.

    ``line`` is that of its first line; ``data`` has kustomize's own names. ``doc`` counts from 1 and is
    None for the only one of its entry.
    """

    index: int
    entry: str
    file: str
    line: int
    text: str
    data: Mapping[str, Any]
    doc: int | None = None

    @property
    def kind(self) -> str:
        """Which transformer or generator it configures."""
        return str(self.data.get("kind") or "")

    @property
    def plugin(self) -> str | None:
        """The plugin that it needs; None for what kustomize does by itself."""
        metadata = self.data.get("metadata")
        annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
        if isinstance(annotations, Mapping) and any(name in annotations for name in _FUNCTION):
            return _image(annotations) or self.kind or "a function"
        if self.data.get("apiVersion") == "builtin" and self.kind in _BUILTINS:
            return None
        return None if self.inflates else self.kind or "without a kind"

    @property
    def inflates(self) -> bool:
        """Whether it inflates a chart, which is no work of kustomize's here."""
        return self.data.get("apiVersion") == "builtin" and self.kind == "HelmChartInflationGenerator"

    @property
    def inline(self) -> bool:
        """Whether it is written in the kustomization itself."""
        return "\n" in self.entry


def _image(annotations: Mapping[str, Any]) -> str:
    """The image of the container that a function runs in."""
    for name in _FUNCTION:
        try:
            said = manifests.load(str(annotations.get(name) or ""), name=name)
        except UpstreamsyncError:
            continue
        container = said.get("container") if isinstance(said, Mapping) else None
        if isinstance(container, Mapping) and container.get("image"):
            return str(container["image"])
    return ""


def configs(tree: Tree, kustomization: Kustomization, field: str, line: Any) -> list[Config]:
    """The configurations below ``field``, in the order in which kustomize applies them.

    kustomize takes those that are written in place first, then those of files and folders. ``line(index)``
    is the line at which the text of an inline entry begins. What can't be read, or is not there, is left out.
    """
    inline: list[Config] = []
    others: list[Config] = []
    for index, entry in enumerate(kustomization.entries(field)):
        if not isinstance(entry, str):
            continue
        if "\n" in entry:
            inline += _documents(index, entry, kustomization.file, entry, first=line(index))
            continue
        found = [
            config
            for file in _files(tree, kustomization.resolve(entry))
            for config in _documents(index, entry, file, tree.read(file).decode("utf-8", "replace"))
        ]
        others += _numbered(found)
    return [*inline, *others]


def _files(tree: Tree, path: str) -> Iterator[str]:
    """The files with configurations that a path names: itself, or what a kustomization merely collects."""
    if tree.is_file(path):
        yield path
        return
    kustomization = tree.kustomization(path)
    if kustomization is None or not only_collects(kustomization):
        return
    for _, _, child in children(tree, kustomization):
        yield from _files(tree, child)


def only_collects(kustomization: Kustomization) -> bool:
    """Whether a folder of configurations is no more than a list of files and folders."""
    plain = ("apiVersion", "kind", "metadata", "resources", "bases", "generatorOptions")
    return all(name in plain or not value for name, value in kustomization.data.items())


def _documents(index: int, entry: str, file: str, text: str, *, first: int = 1) -> list[Config]:
    found = []
    line = 0
    for part in manifests.split(text.encode()):
        document = part.decode()
        lead = len(document) - len(document.lstrip("-\n \r\t"))
        try:
            bodies = [canonical(body, BUILTIN) for body in manifests.load_all(document)]
        except UpstreamsyncError:
            bodies = []
        at = first + line + document.count("\n", 0, lead)
        found += [
            Config(
                index=index, entry=entry, file=file, line=at, text=_alone(document, body, bodies), data=body
            )
            for body in bodies
            if isinstance(body, Mapping)
        ]
        line += document.count("\n")
    return _numbered(found) if "\n" in entry else found


def _alone(document: str, body: Any, bodies: list[Any]) -> str:
    return document if len(bodies) == 1 else json.dumps(body, ensure_ascii=False)


def _numbered(found: list[Config]) -> list[Config]:
    if len(found) < 2:
        return found
    return [replace(config, doc=number) for number, config in enumerate(found, 1)]
