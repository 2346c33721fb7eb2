"""Charts that kustomizations inflate: rendered here, and handed to kustomize as files.

kustomize itself would let helm fetch them and would put what stands in a kustomization on helm's command line.
Here the chart comes from the tree, where our own clients may have laid it; helm is run by ``kit``; and kustomize
finds the outcome in a component that is applied where its own inflation would be, behind the
generators. The tests hold the outcome against kustomize's own.

Sources: kustomize's api/internal/builtins/HelmChartInflationGenerator.go and api/types/helmchartargs.go.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from upstreamsync.errors import ToolCrashed, ToolFailed, ToolMissing, ToolTimeout, UpstreamsyncError
from upstreamsync.kit.kubernetes.kustomizations import is_address
from upstreamsync.kit.run.engines import Engines, Helm, without_addresses
from upstreamsync.kit.yaml import manifests, syntax
from upstreamsync.verify.build.unbuildable import Unbuildable
from upstreamsync.verify.overlays.spelling import BUILTIN, canonical
from upstreamsync.verify.overlays.tree import Kustomization, Tree

if TYPE_CHECKING:
    from upstreamsync.kit.kubernetes.chart_content import ChartContent

#: The folder, beside a kustomization, of the component that has its charts' objects.
COMPONENT: Final = "upstreamsync-inflated-charts"
_GENERATOR: Final = "HelmChartInflationGenerator"
#: What helm says last, to those who can call it themselves.
_ADVICE: Final = "Use --debug flag to render out invalid YAML"

_T = TypeVar("_T")


def _reason(error: UpstreamsyncError) -> str:
    """Why nothing is known of a chart that says nothing against itself: helm was not there, or did not end."""
    if isinstance(error, ToolMissing):
        return "not_reachable"
    if isinstance(error, ToolTimeout):
        return "over_budget"
    return "crashed" if isinstance(error, ToolCrashed) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inflation:
    """A chart as a kustomization asks for it; ``home`` is where local charts lie, seen from its folder."""

    spec: Mapping[str, Any]
    home: str

    def text(self, name: str) -> str:
        """The text under ``name``; empty where there is none. Raises Unbuildable for what can't be one."""
        value = self.spec.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise Unbuildable(f"helmCharts: `{name}` has to be a text")
        if value.startswith("-") or not value.isprintable():
            raise Unbuildable(f"helmCharts: `{name}` is {value!r}, which would be read as an option of helm")
        return value

    def texts(self, name: str) -> list[str]:
        """The list of texts under ``name``."""
        value = self.spec.get(name) or []
        return [Inflation(spec={name: one}, home="").text(name) for one in value]

    @property
    def folder(self) -> str:
        """Where a local chart would lie, seen from the kustomization."""
        version, repository = self.text("version"), self.text("repo")
        inner = f"{self.text('name')}-{version}" if version and repository else ""
        return posixpath.join(self.home, inner, self.text("name"))


@dataclass(slots=True)
class Charts:
    """Renders charts, each once for the same inputs, for all overlays and both sides of a comparison.

    ``helm`` finds it when it is first needed. Charts of repositories have to lie in the tree already, in the place
    where kustomize would put them.
    """

    helm: Callable[[], Helm]
    _contents: dict[str, Future[ChartContent]] = field(default_factory=dict)
    _outputs: dict[str, Future[bytes]] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def content(self, tree: Tree, kustomization: Kustomization, asked: Inflation) -> ChartContent:
        """The chart: from the tree, else from its repository. Raises Unbuildable."""
        folder = kustomization.resolve(asked.folder)
        if tree.is_folder(folder):
            return self._once(self._contents, f"local {tree.root} {folder}", lambda: _local(tree, folder))
        repository, version = asked.text("repo"), asked.text("version")
        if not repository:
            raise Unbuildable(f"no repo specified for pull, no chart found at '{folder}'")
        raise Unbuildable(
            f"the chart {asked.text('name')} {version} of {repository} was not fetched",
            reason="not_reachable",
        )

    def rendered(self, content: ChartContent, values: Sequence[bytes], asked: Inflation) -> bytes:
        """What helm makes of the chart with these values. Raises Unbuildable with helm's words."""
        options = _options(asked)
        facts = [content.digest, [hashlib.sha256(one).hexdigest() for one in values], options]
        return self._once(self._outputs, json.dumps(facts), lambda: self._render(content, values, options))

    def _render(self, content: ChartContent, values: Sequence[bytes], options: Mapping[str, Any]) -> bytes:
        with tempfile.TemporaryDirectory(prefix="upstreamsync-chart-") as scratch:
            folder = Path(scratch)
            try:
                helm = self.helm()
                chart = content.write(folder)
                files = []
                for number, data in enumerate(values):
                    files.append(folder / f"values-{number}.yaml")
                    files[-1].write_bytes(data)
                return helm.template(chart, values=files, **options)
            except ToolFailed as error:
                words = (error.stderr.strip() or error.message).replace(f"{folder}/", "")
                words = words.replace(_ADVICE, "").strip()
                raise Unbuildable(f"{content.title}: {without_addresses(words)}") from error
            except UpstreamsyncError as error:
                raise Unbuildable(
                    f"{content.title}: {error.message}", reason=_reason(error), hint=error.hint
                ) from error

    def _once(self, known: dict[str, Future[_T]], key: str, make: Callable[[], _T]) -> _T:
        """What ``make`` makes, or raises; asked for once."""
        with self._guard:
            before = known.get(key)
            future = known.setdefault(key, Future())
        if before is None:
            try:
                future.set_result(make())
            except BaseException as error:
                future.set_exception(error)
        return future.result()


def local_charts() -> Charts:
    """Charts of the tree alone, rendered with the helm that is found."""
    return Charts(helm=Engines().helm)


def _options(asked: Inflation) -> dict[str, Any]:
    return {
        "release": asked.text("releaseName") or None,
        "namespace": asked.text("namespace") or None,
        "name_template": asked.text("nameTemplate") or None,
        "include_crds": bool(asked.spec.get("includeCRDs")),
        "kube_version": asked.text("kubeVersion") or None,
        "api_versions": asked.texts("apiVersions"),
        "hooks": not asked.spec.get("skipHooks"),
        "tests": not asked.spec.get("skipTests"),
    }


def inflates(kustomization: Kustomization, tree: Tree) -> bool:
    """Whether a kustomization has charts to be inflated."""
    return any(True for _ in inflations(kustomization.data, kustomization, tree))


def inflations(data: Mapping[str, Any], kustomization: Kustomization, tree: Tree) -> Iterator[Inflation]:
    """The charts of a kustomization, ``data``, in kustomize's order."""
    settings = data.get("helmGlobals")
    named = settings.get("chartHome") if isinstance(settings, Mapping) else None
    home = named if isinstance(named, str) and named else "charts"
    for chart in _mappings(data.get("helmCharts")):
        yield Inflation(spec=chart, home=home)
    for chart in _mappings(data.get("helmChartInflationGenerator")):
        older = chart.get("chartHome")
        yield Inflation(spec=_renamed(chart), home=older if isinstance(older, str) and older else home)
    for entry in data.get("generators") or ():
        for config in _configurations(entry, kustomization, tree):
            if _is_inflation(config):
                own = config.get("chartHome")
                yield Inflation(spec=config, home=own if isinstance(own, str) and own else "charts")


def _renamed(chart: Mapping[str, Any]) -> Mapping[str, Any]:
    """An entry of ``helmChartInflationGenerator``, the older field, as one of ``helmCharts``."""
    names = {
        "name": "chartName", "version": "chartVersion", "repo": "chartRepoUrl", "releaseName": "releaseName",
        "namespace": "releaseNamespace", "valuesFile": "values", "valuesInline": "valuesLocal",
        "valuesMerge": "valuesMerge",
    }  # fmt: skip
    return {new: chart[old] for new, old in names.items() if old in chart}


def _configurations(entry: Any, kustomization: Kustomization, tree: Tree) -> list[Mapping[str, Any]]:
    """The configurations of plugins that an entry of ``generators`` is, or names."""
    if not isinstance(entry, str):
        return []
    path = "" if "\n" in entry or is_address(entry) else kustomization.resolve(entry)
    try:
        text: bytes | str = tree.read(path) if path and tree.is_file(path) else entry
        documents = _read(text, path or "generators")
    except Unbuildable:
        return []
    return [canonical(one, BUILTIN) for one in documents if isinstance(one, Mapping)]


def _is_inflation(config: Mapping[str, Any]) -> bool:
    return config.get("apiVersion") == "builtin" and config.get("kind") == _GENERATOR


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def inflated(
    data: Mapping[str, Any], kustomization: Kustomization, tree: Tree, charts: Charts
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The kustomization, ``data``, with a component in place of its charts; and the component's files by name.

    Raises Unbuildable for a chart that can't be had or rendered.
    """
    outputs = []
    for asked in inflations(data, kustomization, tree):
        content = charts.content(tree, kustomization, asked)
        outputs.append(charts.rendered(content, values_of(content, kustomization, tree, asked), asked))
    files = {f"chart-{number}.yaml": output for number, output in enumerate(outputs) if output.strip()}
    changed = {
        name: value
        for name, value in data.items()
        if name not in ("helmCharts", "helmChartInflationGenerator", "helmGlobals")
    }
    if "generators" in changed:
        changed["generators"] = list(_other_generators(changed["generators"], kustomization, tree))
    if files:
        changed["components"] = [COMPONENT, *(changed.get("components") or [])]
        component = {
            "apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component", "resources": list(files),
        }  # fmt: skip
        files["kustomization.yaml"] = json.dumps(component).encode()
    elif not any(changed.get(name) for name in changed if name not in ("apiVersion", "kind", "metadata")):
        changed["generatorOptions"] = {"disableNameSuffixHash": True}  # an empty one would be refused
    return changed, files


def _other_generators(entries: Any, kustomization: Kustomization, tree: Tree) -> Iterator[str]:
    """The generators that inflate nothing."""
    for entry in entries if isinstance(entries, list) else ():
        configurations = _configurations(entry, kustomization, tree)
        if any(map(_is_inflation, configurations)):
            yield from (json.dumps(one) for one in configurations if not _is_inflation(one))
        else:
            yield entry


# -- charts and values -------------------------------------------------------------------------------


def _local(tree: Tree, folder: str) -> ChartContent:
    """A chart that lies in the tree."""
    from upstreamsync.kit.kubernetes.chart_content import ChartContent
    from upstreamsync.model import ContentFile

    total = hashlib.sha256()
    files = []
    for path in tree.files(folder):
        data, name = tree.read(path), posixpath.relpath(path, folder)
        total.update(f"{name}\0{len(data)}\0".encode("utf-8", "surrogateescape") + data)
        files.append(ContentFile(path=name, data=data))
    return ChartContent(title=posixpath.basename(folder), digest=total.hexdigest(), files=tuple(files))


def values_of(
    content: ChartContent, kustomization: Kustomization, tree: Tree, asked: Inflation
) -> list[bytes]:
    """The values files that helm is given, in their order, as kustomize would write them."""
    named, inline = asked.text("valuesFile"), asked.spec.get("valuesInline")
    how = asked.text("valuesMerge") or "override"
    if how not in ("override", "merge", "replace"):
        raise Unbuildable(f"helmCharts: valuesMerge must be one of merge, override, replace; it is {how}")
    file = _values_file(tree, kustomization, named) if named else content.read("values.yaml") or b""
    found = [file]
    if isinstance(inline, Mapping) and inline:
        found = [_json(_merged(file, named or "values.yaml", inline, how))]
    return [*found, *(_values_file(tree, kustomization, one) for one in asked.texts("additionalValuesFiles"))]


def _merged(file: bytes, name: str, inline: Mapping[str, Any], how: str) -> Mapping[str, Any]:
    if how == "replace":
        return inline
    values = _loaded(file, name)
    return merge(values, inline) if how == "override" else merge(inline, values)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _values_file(tree: Tree, kustomization: Kustomization, name: str) -> bytes:
    """A values file below the kustomization, as kustomize's load restrictor wants it."""
    if is_address(name):
        raise Unbuildable(f"the values file {name} was not fetched", reason="not_reachable")
    path = kustomization.resolve(name)
    inside = kustomization.folder == "." or path.startswith(f"{kustomization.folder}/")
    if name.startswith("/") or not inside or not tree.is_file(path):
        raise Unbuildable(f"the values file {name} is not in or below '{kustomization.folder}'")
    return tree.read(path)


class _Loader(manifests.KubernetesLoader):
    """Reads as kustomize does what is no kustomization: ``yes``, ``on`` and the like are texts."""

    @staticmethod
    def plain(text: str) -> Any:
        """What a plain scalar means."""
        value = manifests.scalar(text)
        return text if isinstance(value, bool) and text.lower() not in ("true", "false") else value


def _loaded(data: bytes, name: str) -> Mapping[str, Any]:
    """The values of a file, to be merged with others. Raises Unbuildable, also for an empty file."""
    value = next(iter(_read(data, name)), None)
    if not isinstance(value, Mapping):
        raise Unbuildable(f"could not parse values file into rnode: {name} has no values")
    return value


def _read(data: bytes | str, name: str) -> list[Any]:
    """The documents of a file of kustomize's own, but for kustomizations. Raises Unbuildable."""
    try:
        manifests.refuse_bombs(data, name)
        return list(syntax.load_all(data, Loader=_Loader))
    except (UpstreamsyncError, syntax.YAMLError, UnicodeDecodeError) as error:
        raise Unbuildable(f"could not parse {name}: {error}") from error


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two sets of values as kustomize merges them: a null takes away, kinds may not change."""
    merged = dict(below)
    for key, value in above.items():
        there = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif there is not None and _kind(there) != _kind(value):
            raise Unbuildable(
                f"could not merge values: `{key}` is a {_kind(there)} in one and a {_kind(value)} in the other"
            )
        elif isinstance(value, Mapping):
            merged[key] = merge(there or {}, value)
        else:
            merged[key] = value
    return merged


def _kind(value: Any) -> str:
    return "map" if isinstance(value, Mapping) else "list" if isinstance(value, list) else "scalar"
