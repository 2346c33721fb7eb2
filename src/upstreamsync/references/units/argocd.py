"""Argo CD: Applications, and ApplicationSets whose generators are lists.

Fields and their precedence are those of Argo CD's documentation on Helm and Kustomize (values files, then
``values`` or ``valuesObject``, then parameters).
"""

from __future__ import annotations

import copy
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from upstreamsync.discover.yamls import Document, dig, mappings, node_at, text_at
from upstreamsync.model import Place
from upstreamsync.references.remote import ANY_FOLDER
from upstreamsync.references.units.charts import ChartUse, in_git, with_scheme
from upstreamsync.references.units.unit import At, Unit
from upstreamsync.references.units.values import Values, typed
from upstreamsync.verify.overlays.tree import Tree

_PLACEHOLDER: Final = re.compile(r"\{\{-?\s*\.?([\w.-]+)\s*-?\}\}")
#: Argo CD's names for fields of a kustomization; those that are the same go over as they are.
_SAME: Final = ("namePrefix", "nameSuffix", "namespace", "commonLabels", "commonAnnotations", "patches")
#: Refs that say that a repository is followed, not pinned; such a one may be this very repository.
_FOLLOWED: Final = ("", "HEAD", "main", "master")


def applications(document: Document, tree: Tree) -> Iterator[Unit]:
    """The units of an Application or ApplicationSet."""
    if not text_at(document.value, "apiVersion").startswith("argoproj.io/"):
        return
    if document.kind == "Application":
        yield from _application(document, ("spec",), document.value.get("spec"), document.name, tree)
    elif document.kind == "ApplicationSet":
        template = dig(document.value, "spec", "template")
        for number, element in enumerate(_elements(document)):
            filled = _filled(template, element)
            name = text_at(filled, "metadata", "name") or f"{document.name}-{number}"
            yield from _application(
                document, ("spec", "template", "spec"), dig(filled, "spec"), name, tree, kind="ApplicationSet"
            )


def _elements(document: Document) -> list[Mapping[str, Any]]:
    """What the list generators give; a generator of another kind gives one element that nothing is known of."""
    found: list[Mapping[str, Any]] = []
    for _, generator in mappings(dig(document.value, "spec", "generators")):
        listed = dig(generator, "list", "elements")
        found += [one for _, one in mappings(listed)] if listed is not None else [{}]
    return found or [{}]


def _filled(value: Any, element: Mapping[str, Any]) -> Any:
    """A template with what an element says; what it does not say stays."""
    if isinstance(value, str):

        def fill(match: re.Match[str]) -> str:
            known = dig(element, *match[1].split("."))
            return match[0] if known is None or isinstance(known, dict | list) else str(known)

        return _PLACEHOLDER.sub(fill, value)
    if isinstance(value, Mapping):
        return {str(_filled(key, element)): _filled(one, element) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, element) for one in value]
    return value


def _application(
    document: Document,
    at: tuple[str | int, ...],
    spec: Any,
    name: str,
    tree: Tree,
    kind: str = "Application",
) -> Iterator[Unit]:
    sources: list[tuple[At, dict[str, Any]]] = []
    if isinstance(single := dig(spec, "source"), dict):
        sources.append((("source",), single))
    sources += [(("sources", number), one) for number, one in mappings(dig(spec, "sources"))]
    refs = {str(one["ref"]): one for _, one in sources if one.get("ref")}
    namespace = text_at(spec, "destination", "namespace")
    for number, (keys, source) in enumerate(sources):
        here = _Source(
            document, (*at, *keys), source, kind, name if number == 0 else f"{name}-{number}", tree
        )
        here.release, here.namespace, here.refs = name, namespace, refs
        unit = here.unit()
        if unit is not None:
            yield unit


class _Source:
    """One source of an Application."""

    def __init__(
        self, document: Document, at: At, source: dict[str, Any], kind: str, name: str, tree: Tree
    ) -> None:
        self.document, self.at, self.source = document, at, source
        self.kind, self.name, self.tree = kind, name, tree
        self.release, self.namespace = name, ""
        self.refs: Mapping[str, dict[str, Any]] = {}

    def unit(self) -> Unit | None:
        """The unit; None for a source that only lends values, or whose place is not known."""
        repository, chart = text_at(self.source, "repoURL"), text_at(self.source, "chart")
        path, revision = text_at(self.source, "path"), str(self.source.get("targetRevision") or "")
        if not repository or "{{" in f"{repository}{chart}{path}{revision}":
            return None
        if chart:
            return self._chart(chart, with_scheme(repository), revision)
        if not path or self._is_own(path, revision):
            return self._own(path) if path else None
        if isinstance(self.source.get("helm"), dict):
            return self._chart(posixpath.basename(path), in_git(repository, path, revision), "")
        return self._folder(f"{ANY_FOLDER}{repository}//{path}?ref={revision}")

    def _is_own(self, path: str, revision: str) -> bool:
        return revision in _FOLLOWED and self.tree.is_folder(posixpath.normpath(path))

    def _own(self, path: str) -> Unit | None:
        """A folder of this very repository: of interest for what the Application sets besides."""
        folder = posixpath.normpath(path)
        if self.tree.kustomization(folder) is None or not self._settings():
            return None
        up = "../" * (self.document.file.count("/") + 1)
        return self._folder(f"{up}{folder}")

    def _folder(self, entry: str) -> Unit:
        return Unit(
            kind=self.kind,
            name=self.name,
            place=self._place(),
            data={"resources": [entry], **self._settings()},
            places=self._setting_places(),
        )

    def _settings(self) -> dict[str, Any]:
        """The Application's own `kustomize:`, as fields of a kustomization."""
        given = self.source.get("kustomize")
        settings = given if isinstance(given, dict) else {}
        data = {key: copy.deepcopy(settings[key]) for key in _SAME if settings.get(key)}
        if images := [_image(one) for one in settings.get("images") or () if isinstance(one, str)]:
            data["images"] = images
        if replicas := [one for _, one in mappings(settings.get("replicas"))]:
            data["replicas"] = copy.deepcopy(replicas)
        return data

    def _setting_places(self) -> dict[At, Place]:
        places: dict[At, Place] = {}
        for key in (*_SAME, "images", "replicas"):
            listed = dig(self.source, "kustomize", key)
            if listed:
                places[key,] = self._place("kustomize", key)
            for number in range(len(listed) if isinstance(listed, list) else 0):
                places[key, number] = self._place("kustomize", key, number)
        return places

    def _chart(self, chart: str, repository: str, version: str) -> Unit:
        helm = self.source.get("helm")
        helm = helm if isinstance(helm, dict) else {}
        options: dict[str, Any] = {"includeCRDs": not helm.get("skipCrds", False)}
        if helm.get("kubeVersion"):
            options["kubeVersion"] = str(helm["kubeVersion"])
        if isinstance(helm.get("apiVersions"), list):
            options["apiVersions"] = helm["apiVersions"]
        return ChartUse(
            kind=self.kind,
            name=self.name,
            place=self._place(),
            chart=chart,
            repository=repository,
            version=version,
            release=str(helm.get("releaseName") or self.release),
            namespace=str(helm.get("namespace") or self.namespace),
            values=self._values(helm),
            options=options,
        ).unit()

    def _values(self, helm: Mapping[str, Any]) -> Values:
        values = Values()
        for name in helm.get("valueFiles") or ():
            file = self._value_file(str(name))
            if file is not None:
                values.add_text(self.tree.read(file).decode("utf-8", "replace"), file)
        if isinstance(text := helm.get("values"), str):
            node = node_at(self.document.node, *self.at, "helm", "values")
            values.add_text(text, self.document.file, node.start_mark.line + 1 if node is not None else 0)
        node = node_at(self.document.node, *self.at, "helm", "valuesObject")
        values.add(helm.get("valuesObject"), node, self.document.file)
        for number, parameter in mappings(helm.get("parameters")):
            value = str(parameter.get("value", ""))
            set_to = value if parameter.get("forceString") else typed(value)
            values.set(str(parameter.get("name", "")), set_to, self._place("helm", "parameters", number))
        return values

    def _value_file(self, name: str) -> str | None:
        """A values file in this repository; None for one that lies elsewhere, or in the chart."""
        if name.startswith("$"):
            ref, _, path = name[1:].partition("/")
            if ref not in self.refs:
                return None
            file = posixpath.normpath(path)
        elif self.source.get("chart"):
            return None
        else:
            file = posixpath.normpath(posixpath.join(text_at(self.source, "path"), name))
        return file if self.tree.is_file(file) else None

    def _place(self, *path: str | int) -> Place:
        return self.document.place(*self.at, *path)


def _image(text: str) -> dict[str, str]:
    """``name=new/name:tag`` (or with a digest), as an entry of ``images``."""
    name, equals, rest = text.partition("=")
    target = rest if equals else name
    target, _, digest = target.partition("@")
    head, colon, tag = target.rpartition(":")
    if not colon or "/" in tag:
        head, tag = target, ""
    entry = {"name": name if equals else head}
    if equals and head != name:
        entry["newName"] = head
    if tag:
        entry["newTag"] = tag
    if digest:
        entry["digest"] = digest
    return entry
