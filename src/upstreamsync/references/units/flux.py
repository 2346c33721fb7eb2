"""Flux: HelmReleases and Kustomizations, with the sources that they name.

Values go in the order of Flux's documentation: ``valuesFrom`` as listed, then ``values``; ``postRenderers``
are laid upon the result. Substitutions of ``postBuild`` stay as they are written.
"""

from __future__ import annotations

import copy
import json
import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from upstreamsync.discover.yamls import Document, dig, mappings, node_at, text_at
from upstreamsync.model import Place
from upstreamsync.references.remote import ANY_FOLDER
from upstreamsync.references.units.charts import ChartUse, in_git, of_registry
from upstreamsync.references.units.unit import At, Unit
from upstreamsync.references.units.values import Values, typed
from upstreamsync.verify.overlays.tree import Tree

_SOURCES: Final = ("HelmRepository", "GitRepository", "OCIRepository", "HelmChart")
_LAID_UPON: Final = ("patches", "images", "components", "namePrefix", "nameSuffix")


@dataclass(frozen=True, slots=True)
class Cluster:
    """Everything of Flux's in a tree, and the ConfigMaps that it may read values from."""

    documents: Sequence[Document]
    tree: Tree
    config_maps: Callable[[], Sequence[Document]]

    def source(self, reference: Any, namespace: str) -> Document | None:
        """The source that a ``sourceRef`` or ``chartRef`` names; the nearest namespace is the best."""
        kind, name = text_at(reference, "kind"), text_at(reference, "name")
        wanted = text_at(reference, "namespace") or namespace
        found = [one for one in self.documents if one.kind == kind and one.name == name and kind in _SOURCES]
        same = [one for one in found if text_at(one.value, "metadata", "namespace") in (wanted, "")]
        return next(iter(same or found), None)

    def values_of(self, kind: str, name: str, key: str) -> tuple[str, str, int] | None:
        """The text under a ConfigMap's key, its file, and the lines above it; None where it is not here."""
        for one in self.config_maps() if kind == "ConfigMap" else ():
            if one.name == name:
                text = dig(one.value, "data", key)
                node = node_at(one.node, "data", key)
                if isinstance(text, str) and node is not None:
                    return text, one.file, node.start_mark.line + 1
        for folder in self.tree.folders() if kind == "ConfigMap" else ():
            kustomization = self.tree.kustomization(folder)
            for _, entry in mappings(kustomization.data.get("configMapGenerator") if kustomization else None):
                if entry.get("name") != name or kustomization is None:
                    continue
                for spec in entry.get("files") or ():
                    given, equals, path = str(spec).partition("=")
                    path = path if equals else given
                    file = kustomization.resolve(path)
                    if (given if equals else posixpath.basename(path)) == key and self.tree.is_file(file):
                        return self.tree.read(file).decode("utf-8", "replace"), file, 0
        return None


def units(document: Document, cluster: Cluster) -> Iterator[Unit]:
    """The unit of a HelmRelease or a Kustomization of Flux; none where its source is not pinned, or not here."""
    group = text_at(document.value, "apiVersion")
    found: Unit | None = None
    if document.kind == "HelmRelease" and group.startswith("helm.toolkit.fluxcd.io/"):
        found = _helm_release(document, cluster)
    elif document.kind == "Kustomization" and group.startswith("kustomize.toolkit.fluxcd.io/"):
        found = _kustomization(document, cluster)
    if found is not None:
        yield found


# -- HelmRelease -------------------------------------------------------------------------------------


def _helm_release(document: Document, cluster: Cluster) -> Unit | None:
    where = _chart_of(document, cluster)
    if where is None:
        return None
    repository, chart, version = where
    spec = document.value.get("spec")
    own = text_at(document.value, "metadata", "namespace")
    target = text_at(spec, "targetNamespace")
    release = text_at(spec, "releaseName") or (f"{target}-{document.name}" if target else document.name)
    more, places = _post_rendered(document)
    return ChartUse(
        kind="HelmRelease",
        name=document.name,
        place=document.place("spec"),
        chart=chart,
        repository=repository,
        version=version,
        release=release,
        namespace=target or own,
        values=_values(document, cluster),
        more=more,
        places=places,
    ).unit()


def _chart_of(document: Document, cluster: Cluster) -> tuple[str, str, str] | None:
    """Repository, name and version of a release's chart."""
    own = text_at(document.value, "metadata", "namespace")
    spec = dig(document.value, "spec", "chart", "spec")
    reference = dig(document.value, "spec", "chartRef")
    if isinstance(reference, Mapping):
        source = cluster.source(reference, own)
        if source is not None and source.kind == "HelmChart":
            spec = source.value.get("spec")
        elif source is not None:
            return _from_registry(source)
    source = cluster.source(dig(spec, "sourceRef"), own)
    chart, version = text_at(spec, "chart"), str(dig(spec, "version") or "")
    if source is None or not chart:
        return None
    url = text_at(source.value, "spec", "url")
    if source.kind == "HelmRepository":
        return url, chart, version
    if source.kind == "GitRepository":
        return in_git(url, chart, _ref(source)), posixpath.basename(posixpath.normpath(chart)), ""
    return _from_registry(source)


def _from_registry(source: Document) -> tuple[str, str, str] | None:
    if source.kind != "OCIRepository":
        return None
    repository, name = of_registry(text_at(source.value, "spec", "url"))
    ref = dig(source.value, "spec", "ref")
    version = str(dig(ref, "digest") or dig(ref, "tag") or dig(ref, "semver") or "")
    return repository, name, version


def _ref(source: Document) -> str:
    """What a GitRepository is at; a range is no ref, and means that nothing is pinned."""
    ref = dig(source.value, "spec", "ref")
    for key in ("commit", "name", "tag", "branch"):
        if isinstance(found := dig(ref, key), str) and found:
            return found
    return ""


def _values(document: Document, cluster: Cluster) -> Values:
    values = Values()
    for number, entry in mappings(dig(document.value, "spec", "valuesFrom")):
        key = str(entry.get("valuesKey") or "values.yaml")
        found = cluster.values_of(str(entry.get("kind")), str(entry.get("name")), key)
        if found is None:
            continue
        text, file, shift = found
        if target := entry.get("targetPath"):
            values.set(str(target), typed(text.strip()), document.place("spec", "valuesFrom", number))
        else:
            values.add_text(text, file, shift)
    node = node_at(document.node, "spec", "values")
    values.add(dig(document.value, "spec", "values"), node, document.file)
    return values


def _post_rendered(document: Document) -> tuple[dict[str, Any], dict[At, Place]]:
    """What ``postRenderers`` change, as fields of a kustomization."""
    more: dict[str, Any] = {}
    places: dict[At, Place] = {}
    for number, renderer in mappings(dig(document.value, "spec", "postRenderers")):
        kustomize = renderer.get("kustomize")
        for key in ("patches", "patchesStrategicMerge", "patchesJson6902", "images"):
            listed = dig(kustomize, key)
            for index, entry in enumerate(listed if isinstance(listed, list) else ()):
                entries = more.setdefault(key, [])
                places[key, len(entries)] = document.place(
                    "spec", "postRenderers", number, "kustomize", key, index
                )
                entries.append(_as_text(key, copy.deepcopy(entry)))
    return more, places


def _as_text(key: str, entry: Any) -> Any:
    """Flux takes an older kind of patch as YAML where kustomize wants a text."""
    if key == "patchesStrategicMerge" and isinstance(entry, Mapping):
        return json.dumps(entry)
    if key == "patchesJson6902" and isinstance(entry, Mapping) and isinstance(entry.get("patch"), list):
        return {**entry, "patch": json.dumps(entry["patch"])}
    return entry


# -- Kustomization -----------------------------------------------------------------------------------


def _kustomization(document: Document, cluster: Cluster) -> Unit | None:
    spec = document.value.get("spec")
    own = text_at(document.value, "metadata", "namespace")
    path = posixpath.normpath(text_at(spec, "path") or ".").lstrip("/")
    source = cluster.source(dig(spec, "sourceRef"), own)
    data, places = _laid_upon(document)
    if source is not None and source.kind == "GitRepository" and not _is_own(source, path, cluster):
        inside = "" if path == "." else path
        entry = f"{ANY_FOLDER}{text_at(source.value, 'spec', 'url')}//{inside}?ref={_ref(source)}"
    elif data and cluster.tree.kustomization(path) is not None:
        entry = "../" * (document.file.count("/") + 1) + path
    else:
        return None
    return Unit(
        kind="Kustomization",
        name=document.name,
        place=document.place("spec"),
        data={"resources": [entry], **data},
        places=places,
    )


def _is_own(source: Document, path: str, cluster: Cluster) -> bool:
    """Whether a source follows a branch and has the folder that this very repository has."""
    ref = dig(source.value, "spec", "ref")
    pinned = any(isinstance(ref, Mapping) and ref.get(key) for key in ("tag", "commit", "semver"))
    return not pinned and cluster.tree.is_folder(path)


def _laid_upon(document: Document) -> tuple[dict[str, Any], dict[At, Place]]:
    """What a Kustomization sets besides, as fields of a kustomization."""
    spec = document.value.get("spec")
    data: dict[str, Any] = {}
    places: dict[At, Place] = {}
    for key in _LAID_UPON:
        if key == "components":
            continue  # paths from the source's folder, which is upstream's
        if value := dig(spec, key):
            data[key] = copy.deepcopy(value)
            places[key,] = document.place("spec", key)
            for index in range(len(value) if isinstance(value, list) else 0):
                places[key, index] = document.place("spec", key, index)
    if namespace := text_at(spec, "targetNamespace"):
        data["namespace"] = namespace
        places["namespace",] = document.place("spec", "targetNamespace")
    for key, field in (("labels", "commonLabels"), ("annotations", "commonAnnotations")):
        if isinstance(given := dig(spec, "commonMetadata", key), Mapping) and given:
            if field == "commonLabels":
                data["labels"] = [{"pairs": dict(given)}]
                places["labels", 0] = document.place("spec", "commonMetadata", key)
            else:
                data[field] = dict(given)
                places[field,] = document.place("spec", "commonMetadata", key)
    return data, places
