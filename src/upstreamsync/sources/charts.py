"""Where the charts of vendors come from: an HTTP repository, or an OCI registry."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from upstreamsync.kit.http.oci import Oci
from upstreamsync.sources import checksums
from upstreamsync.sources.chart_client import Chart, ChartClient, manifest_of
from upstreamsync.sources.job import Job

if TYPE_CHECKING:
    from upstreamsync.config.spec import HelmSource


def obtain(job: Job, spec: HelmSource) -> Chart:
    """The chart that the release means. Raises the families UpstreamError and ContentError."""
    assert spec.repository is not None and spec.chart is not None  # noqa: S101, PT018 (checked by spec)
    name = job.fill(spec.chart, "helm.chart")
    repository = job.fill(spec.repository, "helm.repository")
    if repository.startswith("oci://"):
        return _client(job).from_registry(
            repository, name, _versions(job), provenance=spec.keyring is not None
        )
    if spec.app_version is not None:
        urls, digest = _client(job).by_app_version(
            repository, name, job.fill(spec.app_version, "helm.app_version")
        )
    else:
        urls, digest = _from_feed(job, spec) or _client(job).lookup(repository, name, _versions(job))
    return _client(job).from_urls(name, urls, digest, provenance=spec.keyring is not None)


def probe_index(job: Job, spec: HelmSource) -> None:
    """Raise NotFound when the repository's index does not list the release, unless it came from there."""
    repository = job.fill(spec.repository or "", "helm.repository")
    name = job.fill(spec.chart or "", "helm.chart")
    if spec.app_version is not None:
        _client(job).by_app_version(repository, name, job.fill(spec.app_version, "helm.app_version"))
        return
    if job.vendor.releases is None or _same_feed(job, spec):
        return
    if repository.startswith("oci://"):
        registry = Oci(job.tools.http, allow_http=job.tools.allow_http)
        manifest_of(registry, f"{repository.rstrip('/')}/{name}", _versions(job))
    else:
        _client(job).lookup(repository, name, _versions(job))


def _versions(job: Job) -> tuple[str, ...]:
    """How the chart's version may be written, best first."""
    release = job.release
    return tuple(dict.fromkeys((release.ref, release.version, release.version.removeprefix("v"))))


def _from_feed(job: Job, spec: HelmSource) -> tuple[tuple[str, ...], str | None] | None:
    """URLs and digest that came with the release, if its feed is the very repository of this source."""
    own = job.vendor.releases is None and len(job.vendor.source) == 1
    if not (own or _same_feed(job, spec)) or not job.release.download:
        return None
    return job.release.download, job.release.digest


def _same_feed(job: Job, spec: HelmSource) -> bool:
    """Whether the vendor's declared feed is the repository and chart of this source."""
    feed = job.vendor.releases.helm if job.vendor.releases is not None else None
    return feed is not None and (feed.repository.rstrip("/"), feed.chart) == (
        (spec.repository or "").rstrip("/"),
        spec.chart,
    )


def _client(job: Job) -> ChartClient:
    return ChartClient(tools=job.tools, promised=partial(checksums.verify, job))
