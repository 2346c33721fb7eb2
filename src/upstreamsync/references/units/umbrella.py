"""Charts of the user's own that depend on upstream's, and helmfile's releases."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from upstreamsync.discover.yamls import Document, dig, mappings, node_at, text_at
from upstreamsync.references.units.charts import ChartUse
from upstreamsync.references.units.unit import Unit
from upstreamsync.references.units.values import PREFIX, Values, typed
from upstreamsync.verify.overlays.tree import Tree

_FETCHED = ("https://", "http://", "oci://")


def dependencies(document: Document, tree: Tree) -> Iterator[Unit]:
    """One unit for each dependency of a Chart.yaml; its values are those under its name in values.yaml."""
    folder = posixpath.dirname(document.file)
    file = posixpath.join(folder, "values.yaml")
    text = tree.read(file).decode("utf-8", "replace") if tree.is_file(file) else ""
    whole = Values()
    whole.add_text(text, file)
    for number, entry in mappings(document.value.get("dependencies")):
        name, repository = str(entry.get("name") or ""), str(entry.get("repository") or "")
        called = str(entry.get("alias") or name)
        if not name or not repository.startswith(_FETCHED) or not _is_on(entry, whole.merged):
            continue
        yield ChartUse(
            kind="dependency",
            name=called,
            place=document.place("dependencies", number),
            chart=name,
            repository=repository,
            version=str(entry.get("version") or ""),
            release=document.name or str(document.value.get("name") or "release"),
            values=_below(whole, called),
        ).unit()


def _is_on(entry: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether a dependency's condition lets it take part; the first path that there is decides."""
    for path in str(entry.get("condition") or "").split(","):
        found = dig(values, *path.strip().split("."))
        if isinstance(found, bool):
            return found
    return True


def _below(whole: Values, name: str) -> Values:
    """The values that a dependency is given: those under its name, and the global ones."""
    values = Values()
    mine = whole.merged.get(name)
    values.merged.update(mine if isinstance(mine, dict) else {})
    if isinstance(shared := whole.merged.get("global"), dict):
        values.merged["global"] = shared
    for path, place in whole.places.items():
        if path[3] == name:
            values.places[(*PREFIX, *path[4:])] = place
        elif path[3] == "global":
            values.places[path] = place
    return values


def releases(document: Document, tree: Tree) -> Iterator[Unit]:
    """One unit for each release of a helmfile."""
    folder = posixpath.dirname(document.file)
    repositories = {
        str(one.get("name")): f"oci://{str(one.get('url')).removeprefix('oci://')}"
        if one.get("oci")
        else str(one.get("url"))
        for _, one in mappings(document.value.get("repositories"))
    }
    for number, release in mappings(document.value.get("releases")):
        named = text_at(release, "chart")
        if named.startswith("oci://"):
            repository, _, chart = named.rpartition("/")
        else:
            alias, _, chart = named.partition("/")
            repository = repositories.get(alias, "")
        if not repository.startswith(_FETCHED) or not chart or release.get("installed") is False:
            continue
        yield ChartUse(
            kind="release",
            name=str(release.get("name") or chart),
            place=document.place("releases", number),
            chart=chart,
            repository=repository,
            version=str(release.get("version") or ""),
            release=str(release.get("name") or chart),
            namespace=str(release.get("namespace") or ""),
            values=_release_values(document, number, release, folder, tree),
        ).unit()


def _release_values(
    document: Document, number: int, release: Mapping[str, Any], folder: str, tree: Tree
) -> Values:
    values = Values()
    listed = release.get("values")
    for index, entry in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(entry, Mapping):
            node = node_at(document.node, "releases", number, "values", index)
            values.add(entry, node, document.file)
        elif isinstance(entry, str):
            file = posixpath.normpath(posixpath.join(folder, entry))
            if tree.is_file(file):
                values.add_text(tree.read(file).decode("utf-8", "replace"), file)
    for index, entry in mappings(release.get("set")):
        place = document.place("releases", number, "set", index)
        values.set(str(entry.get("name", "")), typed(str(entry.get("value", ""))), place)
    return values
