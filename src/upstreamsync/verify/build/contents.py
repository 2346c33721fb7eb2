"""Long texts that go into ConfigMaps as they are: in their place a short one is built.

Dashboards are most of the bytes of many bases, and kustomize does nothing with them but hand them on, each time
at the cost of their size. So it gets a name for each, and in what it prints the text is put back. Where anything
might look into the text, or take it elsewhere, it stays.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from upstreamsync.verify.build.builds import Manifest, Outcome, State
from upstreamsync.verify.build.trim import Cut
from upstreamsync.verify.overlays.graph import inputs, reached, sources
from upstreamsync.verify.overlays.tree import Kustomization, Tree

#: Below so many bytes of such texts there is nothing to gain, and a single one is left as it is below the other.
_WORTH_IT: Final = 100_000
_LONG: Final = 2_000
#: Fields with which a kustomization may read what a ConfigMap says, or do what is not known here.
_READING: Final = (
    "replacements", "vars", "transformers", "generators", "validators", "configurations", "openapi",
    "helmCharts", "helmChartInflationGenerator",
)  # fmt: skip
#: A JSON 6902 operation that is not plainly one of those that never look at a value nor take it elsewhere.
_LOOKS: Final = re.compile(rb"\bop\b(?![\"']?\s*:\s*[\"']?(?:add|remove|replace)\b)|\\[uUx]")


def with_contents(trees: tuple[Tree, Tree], overlay: str, cuts: tuple[Cut, Cut]) -> tuple[Cut, Cut]:
    """What is left out of both sides of an overlay, and the long texts besides."""
    found = [dict(_long_texts(tree, overlay)) for tree in trees]
    if max(sum(map(len, each.values())) for each in found) < _WORTH_IT:
        return cuts
    if any(map(_may_look, trees, (overlay, overlay), found)):
        return cuts
    old, new = (_with(cut, each) for cut, each in zip(cuts, found, strict=True))
    return old, new


def _with(cut: Cut, texts: Mapping[str, str]) -> Cut:
    names = {
        path: f"upstreamsync-{hashlib.sha256(text.encode()).hexdigest()}" for path, text in texts.items()
    }
    files = {path: name.encode() for path, name in names.items()}
    return replace(
        cut, files={**cut.files, **files}, contents={names[path]: text for path, text in texts.items()}
    )


def _long_texts(tree: Tree, overlay: str) -> Iterator[tuple[str, str]]:
    """The files that ConfigMaps are generated from and that nothing else reads, with what they say."""
    taken: set[str] = set()
    others: set[str] = set()
    for kustomization in reached(tree, overlay):
        taken |= set(_given(kustomization))
        rest = replace(kustomization, data=_without_files(kustomization.data))
        others |= {kustomization.file, *sources(tree, rest)}
    for path in sorted(taken - others):
        text = _plain_text(tree.read(path)) if tree.is_file(path) else None
        if text is not None:
            yield path, text


def _given(kustomization: Kustomization) -> Iterator[str]:
    for entry in kustomization.entries("configMapGenerator"):
        files = entry.get("files") if isinstance(entry, dict) else None
        for spec in files if isinstance(files, list) else ():
            if isinstance(spec, str) and "\n" not in spec:
                yield kustomization.resolve(spec.partition("=")[2] or spec)


def _without_files(data: Mapping[str, Any]) -> dict[str, Any]:
    """A kustomization without the files of its ConfigMaps."""
    generators = data.get("configMapGenerator")
    if not isinstance(generators, list):
        return dict(data)
    kept = [{**each, "files": []} for each in generators if isinstance(each, dict)]
    return {**data, "configMapGenerator": kept}


def _plain_text(data: bytes) -> str | None:
    """What a file says, if it is long and if a ConfigMap says just that."""
    if len(data) < _LONG or data[:1].isspace():
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None  # that goes among the binary data
    return text if text.replace("\n", "").replace("\t", "").isprintable() else None


def _may_look(tree: Tree, overlay: str, texts: Collection[str]) -> bool:
    """Whether anything of an overlay may depend on what the texts say."""
    here = reached(tree, overlay)
    if any(each.data.get(name) for each in here for name in _READING):
        return True
    objects = {path for each in here for path in _objects(tree, each)}
    return any(
        _LOOKS.search(tree.read(path))
        for path in inputs(tree, overlay)
        if path not in objects and path not in texts
    )


def _objects(tree: Tree, kustomization: Kustomization) -> Iterator[str]:
    """Files with objects, and nothing else."""
    for name in ("resources", "bases"):
        for entry in kustomization.entries(name):
            if isinstance(entry, str) and tree.is_file(path := kustomization.resolve(entry)):
                yield path


def put_back(outcome: Outcome, contents: Mapping[str, str]) -> Outcome:
    """What kustomize made, with the texts in their places."""
    if not contents or not isinstance(outcome, State):
        return outcome
    objects = {
        key: _whole(obj, contents) if key[0].kind == "ConfigMap" else obj
        for key, obj in outcome.objects.items()
    }
    return State(objects, outcome.texts)


def _whole(obj: Manifest, contents: Mapping[str, str]) -> Manifest:
    data = obj.get("data")
    if not isinstance(data, Mapping) or not any(_is_one(value, contents) for value in data.values()):
        return obj
    return {
        **obj,
        "data": {key: contents[value] if _is_one(value, contents) else value for key, value in data.items()},
    }


def _is_one(value: Any, contents: Mapping[str, str]) -> bool:
    return isinstance(value, str) and value in contents
