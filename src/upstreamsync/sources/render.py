"""Rendering a chart that lies on disk: once per content, and twice where the content may vary."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from upstreamsync.config.spec import HelmSource
from upstreamsync.errors import Denied, SelectionError, ToolFailed, ToolMissing, UsageError
from upstreamsync.kit import globs
from upstreamsync.kit.kubernetes.chart_content import write_chart
from upstreamsync.kit.run.engines import Helm
from upstreamsync.kit.yaml import manifests
from upstreamsync.sources import helm_embedded, userfiles
from upstreamsync.sources.chart_client import Chart
from upstreamsync.sources.job import Job
from upstreamsync.sources.stability import Suspicion, differing_paths, suspect, time_zones

#: Helm's own rule for release names, and Kubernetes' for namespaces.
_RELEASE = re.compile(r"(?=.{1,53}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NAMESPACE = re.compile(r"(?=.{1,63}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SOURCE = re.compile(rb"\A(?:---[^\n]*\n)?# Source: ([^\n]+)\n")
#: Changes when the meaning of a kept render does.
_FORMAT = 1


class ChartRenderer(Protocol):
    """What renders a chart: helm's binary, or its library; ``str`` of it names the tool and its version."""

    def template(
        self,
        chart: Path,
        *,
        release: str,
        namespace: str | None = None,
        values: Sequence[Path] = (),
        sets: Mapping[str, object] | None = None,
        include_crds: bool = True,
        kube_version: str | None = None,
        api_versions: Sequence[str] = (),
        hooks: bool = True,
        time_zone: Path | None = None,
    ) -> bytes:
        """The manifests as ``helm template`` prints them. Raises ToolFailed, and ToolMissing for what it can't do."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What helm printed, which helm that was, and the values that come out differently each time."""

    data: bytes
    tool: str
    unstable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All that a render depends on, but for the chart and the engine."""

    release: str
    namespace: str | None
    values: tuple[bytes, ...]
    sets: Mapping[str, Any]
    include_crds: bool
    kube_version: str | None
    api_versions: tuple[str, ...]
    hooks: bool
    templates: tuple[str, ...]

    def key(self, chart: Chart, tool: str) -> str:
        """A name for the render in the cache."""
        facts = [
            _FORMAT, tool, chart.digest, self.release, self.namespace,
            [hashlib.sha256(text).hexdigest() for text in self.values], self.sets, self.include_crds,
            self.kube_version, self.api_versions, self.hooks, self.templates,
        ]  # fmt: skip
        # The order of `set` is kept: helm applies them one after the other.
        return json.dumps(facts, ensure_ascii=False)


def render(job: Job, spec: HelmSource, chart: Chart) -> Rendered:
    """What the chart becomes with the declared values.

    Raises ToolMissing, ToolFailed with helm's own words, SelectionError for a glob of ``templates`` that
    matches nothing, RepositoryError for a values file that can't be read, Denied when the provenance
    does not verify.
    """
    inputs = _inputs(job, spec)
    engine = _engine(job, spec)
    tool = str(engine)
    key = inputs.key(chart, tool)
    if spec.keyring is None and (kept := _kept(job, key, tool)):
        return kept
    with tempfile.TemporaryDirectory(prefix="upstreamsync-helm-") as scratch:
        folder = Path(scratch)
        path = write_chart(folder, chart.files, chart.archive, chart.title)
        if spec.keyring is not None:
            _verify(job, engine, path, chart, spec.keyring)
        run = _Run(engine=engine, folder=folder, chart=path, inputs=inputs, title=chart.title)
        data = run.once()
        unstable = run.differences(data, suspect(chart.files, (*inputs.values, repr(inputs.sets).encode())))
    rendered = Rendered(data, tool, unstable)
    job.tools.cache.put("helm-render", key, json.dumps(list(unstable)).encode() + b"\n" + data)
    return rendered


def _kept(job: Job, key: str, tool: str) -> Rendered | None:
    raw = job.tools.cache.get("helm-render", key)
    if raw is None:
        return None
    head, _, data = raw.partition(b"\n")
    try:
        return Rendered(data, tool, tuple(map(str, json.loads(head))))
    except (ValueError, TypeError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A chart on disk, ready to be rendered."""

    engine: ChartRenderer
    folder: Path
    chart: Path
    inputs: Inputs
    title: str

    def once(self, zone: Path | None = None) -> bytes:
        """Render, and keep what the chosen templates give."""
        inputs = self.inputs
        values = []
        for number, text in enumerate(inputs.values):
            file = self.folder / f"values-{number}.yaml"
            file.write_bytes(text)
            values.append(file)
        try:
            printed = self.engine.template(
                self.chart,
                release=inputs.release,
                namespace=inputs.namespace,
                values=values,
                sets=inputs.sets,
                include_crds=inputs.include_crds,
                kube_version=inputs.kube_version,
                api_versions=inputs.api_versions,
                hooks=inputs.hooks,
                time_zone=zone,
            )
        except ToolFailed as error:
            words = error.stderr.replace(f"{self.folder}/", "").strip()
            raise ToolFailed(
                f"`{self.title}` can't be rendered: {words[-2000:] or error.message}",
                hint=error.hint or "check `values`, `set` and `kube_version` against the chart's new version",
                stderr=words,
                returncode=error.returncode,
            ) from None
        return pick(printed, inputs.templates, self.title) if inputs.templates else printed

    def differences(self, first: bytes, suspicion: Suspicion) -> tuple[str, ...]:
        """The paths that come out differently in further renders, for a chart that is suspicious."""
        if not suspicion:
            return ()
        found: dict[str, None] = {}
        if suspicion.clock:
            if suspicion.seconds:
                time.sleep(1.01)
            for zone in time_zones(self.folder):
                found.update(dict.fromkeys(differing_paths(first, self.once(zone))))
        else:
            found.update(dict.fromkeys(differing_paths(first, self.once())))
        return tuple(found)


def pick(printed: bytes, wanted: tuple[str, ...], title: str) -> bytes:
    """The documents of helm's output whose ``# Source:`` fits one of the globs.

    Globs are relative to the chart (``templates/cluster/*.yaml``). A document without the comment belongs
    to the one before it. Raises SelectionError for a glob that fits none.
    """
    kept: list[bytes] = []
    sources: dict[str, None] = {}
    used: set[str] = set()
    fits = False
    for document in manifests.split(printed):
        if match := _SOURCE.match(document):
            source = match[1].decode("utf-8", "replace").partition("/")[2]
            sources[source] = None
            matching = {glob for glob in wanted if globs.matches(glob, source)}
            used |= matching
            fits = bool(matching)
        if fits:
            kept.append(document)
    if unused := [glob for glob in wanted if glob not in used]:
        raise SelectionError(
            f"`templates: {unused[0]}` fits nothing that `{title}` renders",
            hint="it renders " + ", ".join(f"`{name}`" for name in list(sources)[:30]),
        )
    return b"".join(kept)


def _inputs(job: Job, spec: HelmSource) -> Inputs:
    release = job.fill(spec.release, "helm.release") if spec.release else job.vendor.name
    namespace = job.fill(spec.namespace, "helm.namespace") if spec.namespace else None
    if not _RELEASE.fullmatch(release):
        raise UsageError(f"{release!r} is no name for a helm release", hint="set `helm.release`")
    if namespace is not None and not _NAMESPACE.fullmatch(namespace):
        raise UsageError(f"{namespace!r} is no namespace", hint="correct `helm.namespace`")
    return Inputs(
        release=release,
        namespace=namespace,
        values=tuple(userfiles.read(job, path) for path in spec.values),
        sets={key: _filled(job, value) for key, value in spec.set.items()},
        include_crds=spec.include_crds,
        kube_version=job.fill(spec.kube_version, "helm.kube_version") if spec.kube_version else None,
        api_versions=spec.api_versions,
        hooks=spec.hooks,
        templates=tuple(job.fill(glob, "helm.templates") for glob in spec.templates),
    )


def _filled(job: Job, value: Any) -> Any:
    """Placeholders in the texts of a JSON-like value; braces that are none of ours stay."""
    if isinstance(value, str):
        return job.fill_known(value)
    if isinstance(value, list):
        return [_filled(job, item) for item in value]
    if isinstance(value, dict):
        return {key: _filled(job, item) for key, item in value.items()}
    return value


def _engine(job: Job, spec: HelmSource) -> ChartRenderer:
    try:
        return job.tools.engines.helm()
    except ToolMissing as missing:
        if spec.keyring is not None or job.tools.engines.environment.get("HELM"):
            raise  # whoever names a binary does not want another one
        return helm_embedded.instead_of(missing, pinned=job.tools.engines.pins.get("helm"))


def _verify(job: Job, engine: ChartRenderer, path: Path, chart: Chart, keyring: str) -> None:
    """Hold the archive against its provenance file, under the archive's own name, which is signed too."""
    assert isinstance(engine, Helm)  # noqa: S101 (the embedded one is refused when a keyring is given)
    assert chart.provenance is not None  # noqa: S101 (fetched because there is a keyring)
    name, _, version = chart.title.partition(" ")
    folder = path.parent / "signed"
    folder.mkdir()
    archive = folder / f"{name}-{version}.tgz"
    archive.write_bytes(path.read_bytes())
    Path(f"{archive}.prov").write_bytes(chart.provenance)
    keys = folder / "keys"
    keys.write_bytes(userfiles.read(job, keyring))
    try:
        engine.verify(archive, keys)
    except ToolFailed as error:
        words = error.stderr.replace(f"{folder}/", "").strip()
        raise Denied(
            f"`{chart.title}` is not signed by a key of `{keyring}`: {words[-500:]}",
            hint="do not use it; or add upstream's public key to the keyring",
        ) from None
