"""A rendered chart that was edited by hand: values of the chart in place of patches, and where they are written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from upstreamsync.adopt.chart_values import Values, find_chart_values
from upstreamsync.adopt.matching import Manifest
from upstreamsync.base.shape import make_bases
from upstreamsync.base.view import View
from upstreamsync.config import Configuration
from upstreamsync.config.load import content_digest
from upstreamsync.config.spec import HelmSource, Source, Vendor
from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.run.engines import Kustomize
from upstreamsync.kit.yaml import manifests, syntax
from upstreamsync.model import Artifact, Release
from upstreamsync.project.adopt.copy import base_objects
from upstreamsync.project.session import Session
from upstreamsync.project.update.regenerate import Prepared
from upstreamsync.sources.chart_client import Chart
from upstreamsync.sources.helm import chart_of
from upstreamsync.sources.job import Job, one_file
from upstreamsync.sources.render import render


@dataclass(frozen=True, slots=True, kw_only=True)
class Valued:
    """The vendor with values that say edits of the copy, and all that it delivers with them."""

    vendor: Vendor
    prepared: Prepared
    values: Values


def with_chart_values(
    session: Session, prepared: Prepared, release: Release, local: Sequence[Manifest], kustomize: Kustomize
) -> Valued:
    """Look for values of the vendor's chart that do what was done by hand; none where it renders no chart.

    vendors.yaml has to be able to take them; where it is written so that it can't, there are none.
    """
    vendor = prepared.vendor
    nothing = Valued(vendor=vendor, prepared=prepared, values={})
    if len(vendor.vendored) != 1 or vendor.vendored[0].helm is None or not vendor.vendored[0].render:
        return nothing
    (source,) = vendor.vendored
    trial = _Trial(
        session=session, prepared=prepared, release=release, source=source, helm=vendor.vendored[0].helm
    )
    try:
        chart = trial.chart()
        defaults = _defaults(chart, trial.helm, session.view)
    except UpstreamsyncError:
        return nothing  # the patches say it all the same

    def rendered(values: Values) -> Sequence[Manifest] | None:
        try:
            return base_objects(trial.with_values(chart, values).bases, kustomize)
        except UpstreamsyncError:
            return None

    theirs = base_objects(prepared.bases, kustomize)
    found = find_chart_values(defaults, theirs, local, rendered)
    if not found.values:
        return nothing
    made = trial.with_values(chart, found.values)
    if with_values(session.configuration.text, vendor.name, found.values, session.parsed) is None:
        return nothing
    return Valued(vendor=made.vendor, prepared=made, values=found.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """The vendor's chart, to be rendered with one set of values or another."""

    session: Session
    prepared: Prepared
    release: Release
    source: Source
    helm: HelmSource

    def job(self, source: Source) -> Job:
        tools = replace(self.session.tools, allow_http=self.prepared.vendor.allow_http)
        return Job(source=source, release=self.release, vendor=self.prepared.vendor, tools=tools)

    def chart(self) -> Chart:
        return chart_of(self.job(self.source), self.helm)

    def with_values(self, chart: Chart, values: Values) -> Prepared:
        """What the vendor delivers with values besides its own. Raises UpstreamsyncError."""
        helm = self.helm.model_copy(update={"set": {**self.helm.set, **values}})
        source = self.source.model_copy(update={"helm": helm})
        vendor = self.prepared.vendor.model_copy(update={"source": (source,)})
        job = self.job(source)
        made = render(job, helm, chart)
        resolved = (replace(chart.resolved[0], tool=made.tool), *chart.resolved[1:])
        artifact = Artifact(resolved=resolved, files=one_file(job, made.data), unstable=made.unstable)
        parts = ((source, artifact),)
        bases = make_bases(vendor, parts, self.release)
        return replace(self.prepared, vendor=vendor, parts=parts, bases=bases)


def _defaults(chart: Chart, helm: HelmSource, view: View) -> dict[str, Any]:
    """The values that the chart is rendered with: its own and its dependencies', and those of the vendor."""
    files = {file.path: file.data for file in chart.files}
    values: dict[str, Any] = {}
    for path in sorted(files, key=lambda one: -one.count("/")):
        match = re.fullmatch(r"(?:charts/(?P<name>[^/]+)/)?values\.yaml", path)
        if match is not None:
            loaded = _mapping(files[path], path)
            _merge(values, {match["name"]: loaded} if match["name"] else loaded)
    for path in helm.values:
        _merge(values, _mapping(view.read(path) or b"", path))
    for name, value in helm.set.items():
        steps = [step.replace("\\.", ".") for step in re.split(r"(?<!\\)\.", name)]
        for step in reversed(steps):
            value = {step: value}
        _merge(values, value)
    return values


def _mapping(data: bytes, name: str) -> dict[str, Any]:
    loaded = manifests.load(data, name=name) if data.strip() else None
    return loaded if isinstance(loaded, dict) else {}


def _merge(values: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            _merge(values[key], value)
        else:
            values[key] = value


# -- vendors.yaml ------------------------------------------------------------------------------------


Parse = Callable[[str], Configuration]


def with_values(
    text: str, name: str, values: Values, parse: Parse, comments: Sequence[str] = ()
) -> str | None:
    """``text`` of a vendors.yaml with values in ``set:`` of the vendor's chart, everything else as it stands.

    ``comments`` stand above them; ``parse`` reads a vendors.yaml. None where the text is written so that they
    can't be put into it.
    """
    try:
        row = row_of(text, name)
        node = _helm_node(row)
        if node is None:
            return None
        new = _with_entries(text, row, node, values, comments)
        before, after = parse(text), parse(new)
    except (UpstreamsyncError, syntax.YAMLError, StopIteration):  # it says something else then, or nothing
        return None
    for vendor in before.vendors:
        wanted = _valued(vendor, values) if vendor.name == name else vendor
        if content_digest(after.vendor(vendor.name)) != content_digest(wanted):
            return None
    return new


def _valued(vendor: Vendor, values: Values) -> Vendor:
    (source,) = vendor.vendored
    assert source.helm is not None  # noqa: S101 (it is a chart's)
    helm = source.helm.model_copy(update={"set": {**source.helm.set, **values}})
    return vendor.model_copy(update={"source": (source.model_copy(update={"helm": helm}),)})


def row_of(text: str, name: str) -> Any:
    """A vendor's entry."""
    root: Any = syntax.compose(text)
    rows = child_of(root, "vendors").value
    return next(one for one in rows if getattr(child_of(one, "name"), "value", None) == name)


def _helm_node(row: Any) -> syntax.MappingNode | None:
    """The mapping below ``helm:`` of a vendor."""
    source = child_of(row, "source")
    if isinstance(source, syntax.SequenceNode):
        (source,) = source.value
    found = child_of(source, "helm")
    return found if isinstance(found, syntax.MappingNode) else None


def child_of(node: Any, key: str) -> Any:
    """The node at a key of a mapping; None where there is none."""
    pairs = node.value if isinstance(node, syntax.MappingNode) else ()
    return next((value for name, value in pairs if name.value == key), None)


def _with_entries(
    text: str, row: Any, helm: syntax.MappingNode, values: Values, comments: Sequence[str]
) -> str:
    """``text`` with the values behind those that ``set:`` has, or in a ``set:`` of their own."""
    place = child_of(helm, "set")
    there: dict[str, Any] = {}
    if isinstance(place, syntax.MappingNode) and place.value:
        there = {key.value: node for key, node in place.value}
    lines = [f"{_plain(key)}: {_plain(value)}" for key, value in values.items() if key not in there]
    said = [f"# {one}" for one in comments]
    changes = [
        (there[key].start_mark.index, there[key].end_mark.index, _plain(value))
        for key, value in values.items()
        if key in there
    ]
    if (place if there else helm).flow_style or not lines:  # there is no room for comments: above the entry
        at = text.rfind("\n", 0, row.start_mark.index) + 1
        indent = len(text[at:]) - len(text[at:].lstrip(" "))
        changes.append((at, at, "".join(f"{' ' * indent}{one}\n" for one in said)))
        said = []
    if there and lines:
        changes.append(_addition(text, place, [*said, *lines]))
    elif not there:
        flow = [f"set: {{{', '.join(lines)}}}"]
        block = ["set:", *(f"  {line}" for line in (*said, *lines))]
        changes.append(_addition(text, helm, flow if helm.flow_style else block))
    for start, end, new in sorted(changes, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _addition(text: str, place: syntax.MappingNode, lines: Sequence[str]) -> tuple[int, int, str]:
    """Where more entries of a mapping go, and how they are written there."""
    if place.flow_style:
        end = place.end_mark.index - 1
        begin = len(text[:end].rstrip(" "))
        comma = "" if text[:begin].rstrip().endswith((",", "{")) else ", "
        return begin, begin, comma + ", ".join(lines)
    column = place.value[0][0].start_mark.column
    last = place.value[-1][1]
    in_line = last.start_mark.line == last.end_mark.line and last.start_mark.index < last.end_mark.index
    if in_line and getattr(last, "style", None) not in ("|", ">"):
        at = text.find("\n", last.end_mark.index) + 1 or len(text)
    else:
        at = text.rfind("\n", 0, place.value[0][0].start_mark.index) + 1
    before = "" if text[:at].endswith("\n") or not at else "\n"
    return at, at, before + "".join(f"{' ' * column}{line}\n" for line in lines)


_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")


def _plain(value: Any) -> str:
    """A key or value as YAML that stands in any place."""
    if isinstance(value, str) and _WORD.fullmatch(value) and manifests.scalar(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)
