"""The unit of one chart with values, whoever inflates it."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from upstreamsync.model import Place
from upstreamsync.references.remote import CHART_IN_GIT
from upstreamsync.references.units.unit import At, Unit
from upstreamsync.references.units.values import Values
from upstreamsync.verify.result_checks.applying import APPLIED_BY


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartUse:
    """A chart, where it comes from, and what it is inflated with.

    ``repository`` is https://…, oci://…, or git+ and the address of a folder in git. ``more`` are fields of
    the kustomization that is laid upon the chart (patches, images), ``options`` further ones of the entry.
    """

    kind: str
    name: str
    place: Place
    chart: str
    repository: str
    version: str
    release: str
    namespace: str = ""
    values: Values = field(default_factory=Values)
    options: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[At, Place] = field(default_factory=dict)

    @property
    def _applier(self) -> str:
        """What brings the chart to its cluster: Argo CD what it has rendered, all others by helm itself."""
        return "argocd" if self.kind.startswith("Application") else "helm"

    def unit(self) -> Unit:
        """The kustomization that inflates it."""
        entry: dict[str, Any] = {
            "name": self.chart,
            "repo": self.repository,
            "version": self.version,
            "releaseName": self.release,
            "includeCRDs": True,
            **self.options,
        }
        if self.namespace:
            entry["namespace"] = self.namespace
        if self.values.merged:
            # Controllers hand values to helm, which lays them over the chart's own; kustomize would do that before.
            entry |= {"valuesInline": self.values.merged, "valuesMerge": "replace"}
        return Unit(
            kind=self.kind,
            name=self.name,
            place=self.place,
            data={
                "metadata": {"annotations": {APPLIED_BY: self._applier}},
                "helmCharts": [entry],
                **self.more,
            },
            places={**self.values.places, **self.places},
        )


def with_scheme(repository: str) -> str:
    """A chart repository as Argo CD writes it: without a scheme it is a registry."""
    text = repository.strip().rstrip("/")
    return text if "://" in text else f"oci://{text}"


def in_git(repository: str, path: str, ref: str) -> str:
    """The address of a chart's folder in git, as ``ChartUse.repository`` has it."""
    return f"{CHART_IN_GIT}{repository.rstrip('/')}//{posixpath.normpath(path or '.').strip('/')}?ref={ref}"


def of_registry(url: str) -> tuple[str, str]:
    """The repository and the chart's name in ``oci://host/path/name``."""
    repository, _, name = url.rstrip("/").rpartition("/")
    return repository, name
