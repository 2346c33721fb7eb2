"""Charts that a kustomization inflates by a generator of its own: the same as an entry of ``helmCharts``.

kustomize reads three spellings of one thing: the field ``helmCharts``, a file of ``generators`` of the kind
HelmChartInflationGenerator, and the older field ``helmChartInflationGenerator``. Here all become the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.yaml import manifests
from upstreamsync.verify.overlays.tree import Kustomization, Tree

_KIND: Final = "HelmChartInflationGenerator"
_OLD: Final = {
    "chartName": "name",
    "chartVersion": "version",
    "chartRepoUrl": "repo",
    "values": "valuesFile",
    "releaseName": "releaseName",
    "releaseNamespace": "namespace",
}
_NO_CHART: Final = frozenset(("apiVersion", "kind", "metadata", "chartHome", "configHome", "helmBinary"))


def with_generators(tree: Tree, kustomization: Kustomization) -> Kustomization:
    """The kustomization with every chart that it inflates under ``helmCharts``."""
    charts: list[Any] = list(kustomization.entries("helmCharts"))
    kept: list[Any] = []
    home: str | None = None
    for entry in kustomization.entries("generators"):
        found = _charts(tree, kustomization, entry)
        if found is None:
            kept.append(entry)
            continue
        for chart in found:
            charts.append({key: value for key, value in chart.items() if key not in _NO_CHART})
            home = str(chart["chartHome"]) if isinstance(chart.get("chartHome"), str) else home
    for chart in kustomization.entries("helmChartInflationGenerator"):
        if isinstance(chart, Mapping):
            charts.append({new: chart[old] for old, new in _OLD.items() if old in chart})
            home = str(chart["chartHome"]) if isinstance(chart.get("chartHome"), str) else home
    if len(charts) == len(kustomization.entries("helmCharts")):
        return kustomization
    data = {key: value for key, value in kustomization.data.items() if key != "helmChartInflationGenerator"}
    data["helmCharts"] = charts
    data["generators"] = kept
    if not kept:
        del data["generators"]
    if home is not None and not isinstance(data.get("helmGlobals"), Mapping):
        data["helmGlobals"] = {"chartHome": home}
    return replace(kustomization, data=data)


def _charts(tree: Tree, kustomization: Kustomization, entry: Any) -> list[Mapping[str, Any]] | None:
    """The charts of an entry of ``generators``; None where it is, or has, something else."""
    if not isinstance(entry, str):
        return None
    file = kustomization.resolve(entry) if "\n" not in entry else ""
    if file and not tree.is_file(file):
        return None
    try:
        documents = manifests.load_all(tree.read(file) if file else entry, name=file or kustomization.file)
    except UpstreamsyncError:
        return None
    found = [one for one in documents if one is not None]
    good = [one for one in found if isinstance(one, dict) and one.get("kind") == _KIND]
    return list(good) if good and len(good) == len(found) else None
