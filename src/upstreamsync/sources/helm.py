"""``helm``: a chart, fetched and verified here, rendered by the helm binary."""

from __future__ import annotations

import dataclasses

from upstreamsync.config.spec import HelmSource
from upstreamsync.model import Artifact
from upstreamsync.sources.chart_client import Chart
from upstreamsync.sources.charts import obtain, probe_index
from upstreamsync.sources.job import Job, one_file


def fetch(job: Job) -> Artifact:
    """Fetch the chart with what it depends on, and render it; or take it as it is."""
    from upstreamsync.kit.kubernetes.chart_schemas import without_foreign
    from upstreamsync.sources.render import render  # which `probe` has no use for
    from upstreamsync.sources.stability import listed

    spec = _helm(job)
    chart = chart_of(job, spec)
    if not job.source.render:
        return Artifact(resolved=chart.resolved, files=chart.files)
    rendered = render(job, spec, chart)
    first = dataclasses.replace(chart.resolved[0], tool=rendered.tool)
    notes: tuple[str, ...] = ()
    if rendered.unstable:
        notes = (f"`{chart.title}` renders differently each time: {listed(rendered.unstable)}",)
    if left_out := without_foreign(chart.files)[1]:
        said = ", ".join(f"`{name}`" for name in left_out)
        notes += (f"`{chart.title}`: {said} refers outside of the chart; values are not held against it",)
    return Artifact(
        resolved=(first, *chart.resolved[1:]),
        files=one_file(job, rendered.data),
        unstable=rendered.unstable,
        notes=notes,
    )


def probe(job: Job) -> None:
    """Look into the index when the version is not from there; otherwise there is nothing to doubt."""
    spec = _helm(job)
    if spec.git is None:
        probe_index(job, spec)


def chart_of(job: Job, spec: HelmSource) -> Chart:
    """The chart of a release, fetched and verified. Raises as ``fetch``."""
    from upstreamsync.sources.chart_folders import from_git

    return obtain(job, spec) if spec.git is None else from_git(job, spec)


def _helm(job: Job) -> HelmSource:
    helm = job.source.helm
    assert helm is not None  # noqa: S101 (the registry calls a kind for its own sources alone)
    return helm
