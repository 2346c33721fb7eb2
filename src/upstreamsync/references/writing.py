"""Kustomizations whose references are paths, and the files that these lead to."""

from __future__ import annotations

import copy
import json
import posixpath
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import LeftOut
from upstreamsync.references.found import Path, Reference, references, value_at
from upstreamsync.references.remote import ChartVersion, GitChart
from upstreamsync.verify.overlays.tree import FILE_NAMES, Kustomization, Tree

if TYPE_CHECKING:
    from upstreamsync.references.fetch import Content
    from upstreamsync.references.supply import Supply

#: The folder, beside a kustomization, in which what it names outside is laid.
FOLDER: Final = ".upstream"
#: Fields whose entries can be left out without another one taking their place in a name.
_DROPPED: Final = (
    "resources",
    "bases",
    "components",
    "generators",
    "transformers",
    "validators",
    "helmCharts",
)
_GONE: Final = object()


@dataclass(slots=True)
class Writer:
    """Collects the files that one side is to have besides its own."""

    supply: Supply
    added: dict[str, bytes] = field(default_factory=dict)
    originals: dict[str, str] = field(default_factory=dict)
    upstream: set[str] = field(default_factory=set)

    def tree(self, tree: Tree, left_out: Mapping[str, tuple[LeftOut, ...]]) -> Tree:
        """The tree with all of it, and what was left out of it."""
        return Tree(
            tree.root,
            disk=tree.disk,
            read_before=tree.read_before,
            added={**tree.added, **self.added},
            originals={**self.originals, **tree.originals},
            absent=tree.absent,
            left_out={
                folder: (*tree.left_out.get(folder, ()), *left_out.get(folder, ()))
                for folder in {**tree.left_out, **left_out}
            },
        )

    def kustomization(
        self,
        kustomization: Kustomization,
        data: Mapping[str, Any],
        named: Sequence[Reference],
        out: Collection[Path],
        tree: Tree | None = None,
    ) -> None:
        """Write one with what it names laid beside it; what stands at ``out`` is left out."""
        changed = copy.deepcopy(dict(data))
        taken: Counter[str] = Counter()
        if any(reference.is_chart for reference in named):
            self._local_charts(kustomization, changed, tree)
        for reference in named:
            slug = reference.remote.slug
            taken[slug] += 1
            slot = slug if taken[slug] == 1 else f"{slug}~{taken[slug]}"
            if reference.path in out:
                if reference.field in _DROPPED and len(reference.path) == 2:
                    put(changed, reference.path, _GONE)
                else:
                    put(changed, reference.path, f"{FOLDER}/{slot}/missing")
            elif reference.is_chart:
                self._chart(kustomization, changed, reference)
            else:
                content = self.supply.content(reference.remote)
                self._content(f"{_in(kustomization.folder)}{FOLDER}/{slot}", content)
                put(changed, reference.path, _keyed(reference, f"{FOLDER}/{slot}/{content.entry}"))
        self._write(kustomization, _pruned(changed))

    def _write(self, kustomization: Kustomization, data: dict[str, Any]) -> None:
        if not any(value for key, value in data.items() if key not in ("apiVersion", "kind", "metadata")):
            data["generatorOptions"] = {"disableNameSuffixHash": False}  # an empty one would be refused
        self.added[kustomization.file] = json.dumps(data, ensure_ascii=False).encode()
        self.originals[kustomization.file] = kustomization.text

    def _content(self, base: str, content: Content) -> None:
        """Fetched files below ``base``; what their kustomizations name outside is laid beside these."""
        self.upstream.add(base)
        for file in content.files:
            self.added[f"{base}/{file.path}"] = file.data
        for file in content.files:
            if posixpath.basename(file.path) in FILE_NAMES:
                self._nested(base, file.path, file.data)

    def _nested(self, base: str, path: str, data: bytes) -> None:
        try:
            text = data.decode()
            value = manifests.load(text, name=path)
        except (UpstreamsyncError, UnicodeDecodeError):
            return
        if not isinstance(value, dict):
            return
        file = f"{base}/{path}"
        inner = Kustomization(posixpath.dirname(file), file, text, value)
        found = [one for one in references(inner) if one.field in ("resources", "bases", "components")]
        if found:
            self.kustomization(inner, value, found, ())

    def _chart(self, kustomization: Kustomization, data: dict[str, Any], reference: Reference) -> None:
        """The chart, unpacked, in the folder of charts; another one of the same name gets another name."""
        remote = reference.remote
        assert isinstance(remote, ChartVersion | GitChart)  # noqa: S101 (is_chart says so)
        home = f"{_in(kustomization.folder)}{FOLDER}/charts"
        name, number = remote.name, 1
        while f"{home}/{name}/Chart.yaml" in self.added:
            number += 1
            name = f"{remote.name}~{number}"
        for file in self.supply.content(remote).files:
            self.added[f"{home}/{name}/{file.path}"] = file.data
        self.upstream.add(f"{home}/{name}")
        entry = value_at(data, reference.path)
        entry.pop("repo", None)
        entry.pop("version", None)
        entry["name"] = name

    def _local_charts(self, kustomization: Kustomization, data: dict[str, Any], tree: Tree | None) -> None:
        """Charts that lie in the user's own folder of charts go where the fetched ones will be."""
        given = data.get("helmGlobals")
        settings = dict(given) if isinstance(given, Mapping) else {}
        home = kustomization.resolve(str(settings.get("chartHome") or "charts"))
        data["helmGlobals"] = {**settings, "chartHome": f"{FOLDER}/charts"}
        for chart in kustomization.entries("helmCharts"):
            if tree is None or not isinstance(chart, Mapping) or chart.get("repo"):
                continue
            name = str(chart.get("name"))
            for path in tree.files(f"{home}/{name}"):
                inside = path.removeprefix(f"{home}/")
                self.added[f"{_in(kustomization.folder)}{FOLDER}/charts/{inside}"] = tree.read(path)


def _in(folder: str) -> str:
    return "" if folder == "." else f"{folder}/"


def _keyed(reference: Reference, path: str) -> str:
    return f"{reference.key}={path}" if reference.key else path


def put(data: Any, path: Path, value: Any) -> None:
    """Set the value at ``path``, which is there."""
    for step in path[:-1]:
        data = data[step]
    data[path[-1]] = value


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _pruned(one) for key, one in value.items() if one is not _GONE}
    if isinstance(value, list):
        return [_pruned(one) for one in value if one is not _GONE]
    return value
