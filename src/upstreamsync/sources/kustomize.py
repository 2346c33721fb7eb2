"""``kustomize``: a kustomization in a git repository, built with the real kustomize."""

from __future__ import annotations

import dataclasses
import posixpath
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from upstreamsync.errors import Refused, SelectionError, ToolFailed
from upstreamsync.kit.git.remote import GitTree
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import Artifact, ContentFile
from upstreamsync.sources import checksums
from upstreamsync.sources.git import fetch_tree
from upstreamsync.sources.job import Job, one_file
from upstreamsync.sources.trees import write_tree

_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
#: Fields that list paths, and those whose elements have one under a key.
_PATHS = ("resources", "bases", "components", "crds", "configurations", "patchesStrategicMerge")
_PLUGINS = ("generators", "transformers", "validators")
_KEYED = {"patches": "path", "patchesJson6902": "path", "replacements": "path"}
_GENERATORS = ("configMapGenerator", "secretGenerator")
#: What kustomize would leave the tree, or run other programs, for.
_HELM = ("helmCharts", "helmChartInflationGenerator")


def fetch(job: Job) -> Artifact:
    """Fetch the kustomization with all that it refers to, and build it."""
    checksums.refuse(job, "what it is built from is identified by its commit, which is in the lock")
    source = job.source.kustomize
    assert source is not None  # noqa: S101 (the registry calls a kind for its own sources alone)
    tree, resolved = fetch_tree(job, source.repository, source.ref)
    folder = _normal(job.fill(source.path, "kustomize.path"))
    files = _reach(tree, folder, f"`{resolved.location}`")
    engine = job.tools.engines.kustomize()
    with tempfile.TemporaryDirectory(prefix="upstreamsync-kustomize-") as scratch:
        write_tree(Path(scratch), files)
        try:
            built = engine.build(Path(scratch, folder))
        except ToolFailed as error:
            words = error.stderr.replace(f"{Path(scratch).resolve()}/", "").replace(f"{scratch}/", "")
            raise ToolFailed(
                f"`{folder}` of `{resolved.location}` can't be built: {words.strip()[:2000]}",
                hint="upstream's kustomization has to build by itself, without its network",
                stderr=words,
                returncode=error.returncode,
            ) from None
    resolved = dataclasses.replace(resolved, tool=f"kustomize {engine.version}")
    return Artifact(resolved=(resolved,), files=one_file(job, built))


def probe(job: Job) -> None:
    """Nothing to do: that the ref exists is how the release is known."""


def _reach(tree: GitTree, start: str, where: str) -> tuple[ContentFile, ...]:
    """Every file that building the kustomization in ``start`` may read."""
    paths = frozenset(tree.paths())
    waiting, seen = [start], set[str]()
    files: dict[str, ContentFile] = {}
    while waiting:
        folder = waiting.pop()
        if folder in seen:
            continue
        seen.add(folder)
        found = [name for name in _NAMES if posixpath.join(folder, name) in paths]
        if len(found) != 1:
            raise SelectionError(
                f"{where} has {'no' if not found else 'more than one'} kustomization in `{folder}`",
                hint="`path` names the folder that has a kustomization.yaml",
            )
        anchor = posixpath.join(folder, found[0])
        kustomization = tree.read([anchor])[0]
        files[anchor] = kustomization
        needed = []
        for reference in _references(manifests.load(kustomization.data, name=anchor), anchor):
            target = _normal(posixpath.join(folder, reference))
            if target in paths:
                needed.append(target)
            elif target == "" or any(path.startswith(f"{target}/") for path in paths):
                waiting.append(target)
            else:
                raise Refused(
                    f"`{anchor}` of {where} refers to `{reference}`, which is not in its tree",
                    hint="nothing is fetched while building; vendor the other source separately",
                )
        missing = sorted(set(needed) - files.keys())
        files.update((file.path, file) for file in tree.read(missing))
    return tuple(files[path] for path in sorted(files))


def _references(document: Any, anchor: str) -> Iterator[str]:
    """Every path that a kustomization names; text that stands in it in place of a file is none."""
    if not isinstance(document, dict):
        raise SelectionError(f"`{anchor}` is no kustomization", hint="it has to be a YAML mapping")
    for field in _HELM:
        if document.get(field):
            raise Refused(
                f"`{anchor}` has `{field}`, which would fetch charts while it is built",
                hint="use a `helm` source for the chart",
            )
    for field in (*_PATHS, *_PLUGINS):
        yield from (text for text in _list(document, field) if _is_path(text))
    for field, key in _KEYED.items():
        yield from (
            entry[key]
            for entry in _list(document, field)
            if isinstance(entry, dict) and _is_path(entry.get(key))
        )
    openapi = document.get("openapi")
    if isinstance(openapi, dict) and _is_path(openapi.get("path")):
        yield openapi["path"]
    for field in _GENERATORS:
        for entry in _list(document, field):
            if isinstance(entry, dict):
                named = [*_list(entry, "files"), *_list(entry, "envs"), entry.get("env")]
                yield from (text.rpartition("=")[2] for text in named if _is_path(text))


def _list(document: dict[str, Any], field: str) -> list[Any]:
    value = document.get(field)
    return value if isinstance(value, list) else []


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and "\n" not in value and value[0] not in "{["


def _normal(path: str) -> str:
    """Without ``.`` and inner ``..``; the tree's own root is the empty string."""
    normal = posixpath.normpath(path)
    return "" if normal == "." else normal
