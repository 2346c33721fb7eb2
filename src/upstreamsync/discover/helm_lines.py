"""``helm template``, ``pull``, ``install`` and ``upgrade`` in scripts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from upstreamsync.discover.candidates import Candidate, Piece
from upstreamsync.discover.downloads import Clone, inside, place_folder, place_of
from upstreamsync.discover.helm import NO_RELEASE, chart_version_remarks, with_scheme
from upstreamsync.discover.kustomizations import normal
from upstreamsync.discover.origins import read_tag
from upstreamsync.discover.recipes import carried, changed_remarks, changes_of
from upstreamsync.discover.scan import Tree
from upstreamsync.discover.shell import Line, Script
from upstreamsync.discover.vendored import shown_chart_version
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import Place

_UNKNOWN_CHART = "the chart's name or repository is not known here: write them out"
_VERBS = ("template", "pull", "fetch", "install", "upgrade")
#: Options that take a value; all others are switches.
_VALUED = frozenset((
    "--repo", "--version", "--namespace", "-n", "--values", "-f", "--set", "--set-string", "--set-json",
    "--set-file", "--kube-version", "--api-versions", "-a", "--output-dir", "--name-template", "--destination",
    "-d", "--untardir", "--show-only", "-s", "--timeout", "--kube-context", "--kubeconfig", "--post-renderer",
    "-o", "--output", "--username", "--password", "--ca-file", "--keyring",
))  # fmt: skip


def read_helm_lines(
    script: Script, clones: tuple[Clone, ...], repositories: dict[str, str], tree: Tree
) -> Iterator[Candidate]:
    """Charts that the script renders, fetches or installs; ``repositories`` are those of ``helm repo add``."""
    for line in script.lines:
        verb = _verb(line)
        if verb is None:
            continue
        operands = _operands(line, verb)
        release = operands[0] if len(operands) > 1 else line.option("--name-template")
        chart = operands[-1] if operands else ""
        origin, found = _chart(line, chart, clones, repositories)
        if origin is None or found is None or _is_told_of(script, verb, line):
            continue
        use = _use(script, line, release, origin, found)
        yield from _candidates(script, line, verb, release, use, tree)


def _is_told_of(script: Script, verb: str, line: Line) -> bool:
    """Whether a page only tells its readers how to use a chart."""
    placeholder = re.search(r"[<\[][\w -]+[>\]]", " ".join(line.words))
    return script.file.is_runbook and (verb in ("install", "upgrade") or placeholder is not None)


def repositories_of(script: Script) -> dict[str, str]:
    """Name → URL of ``helm repo add NAME URL``."""
    found: dict[str, str] = {}
    for line in script.lines:
        words = [word for word in line.words if not word.startswith("-")]
        for index in range(len(words) - 4):
            if words[index : index + 3] == ["helm", "repo", "add"]:
                found[words[index + 3]] = words[index + 4]
    return found


def agreed_repositories(scripts: Iterable[Script]) -> dict[str, str]:
    """The aliases that all scripts give to one and the same repository: those tell what another script means."""
    urls: dict[str, set[str]] = {}
    for script in scripts:
        for name, url in repositories_of(script).items():
            urls.setdefault(name, set()).add(with_scheme(url))
    return {name: next(iter(found)) for name, found in urls.items() if len(found) == 1}


def _verb(line: Line) -> str | None:
    names = [word.rpartition("/")[2] for word in line.words]
    for index, name in enumerate(names[:-1]):
        if name.startswith("helm") and names[index + 1] in _VERBS:
            return names[index + 1]
    return None


def _operands(line: Line, verb: str) -> list[str]:
    words = list(line.words[line.words.index(verb) + 1 :])
    found: list[str] = []
    while words:
        word = words.pop(0)
        if word in _VALUED or word in (">", ">>"):
            words = words[1:]
        elif not word.startswith(("-", ">", "2>", "|")):
            found.append(word)
    return found


def _chart(
    line: Line, chart: str, clones: tuple[Clone, ...], repositories: dict[str, str]
) -> tuple[dict[str, Any] | None, Clone | str | None]:
    """The chart's part of the source, and what its version comes from: a clone, or ``--version``."""
    version = line.option("--version")
    if repository := line.option("--repo"):
        return {"repository": with_scheme(repository), "chart": chart}, version
    if chart.startswith("oci://"):
        repository, _, name = chart.rpartition("/")
        return {"repository": repository, "chart": name}, version
    for clone in clones:
        path = inside(clone, line.located(chart))
        if path:
            return {"git": clone.origin.repository, "path": path}, clone
    alias, _, name = chart.partition("/")
    if name and alias in repositories and "/" not in name:
        return {"repository": with_scheme(repositories[alias]), "chart": name}, version
    return None, None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    """A chart as a line names it: its part of the source, the version, and what is to be said of them."""

    chart: Mapping[str, Any]
    version: str
    remarks: tuple[str, ...]
    complete: bool
    names: tuple[str, ...]
    edits: tuple[Piece, ...]
    releases: Piece | None

    @property
    def name(self) -> str:
        return str(self.chart.get("chart") or self.chart["path"].rpartition("/")[2])

    def shown_in(self, tree: Tree, base: str | None) -> _Use:
        """The same with the version that lies in ``base``, where none is written."""
        shown = None if self.complete else shown_chart_version(tree, base, self.name)
        if shown is None or _is_unknown(self.chart):
            return self
        remark = f"the version is not written here; what lies in `{base}` says {shown}"
        if self.version and self.version in shown:
            remark = f"`{self.version}` is a range; what lies in `{base}` says {shown}"
        return replace(self, version=shown, complete=True, remarks=(remark,))


def _use(script: Script, line: Line, release: str, chart: dict[str, Any], found: Clone | str) -> _Use:
    releases: Piece | None = None
    if isinstance(found, Clone):
        tag = read_tag(found.origin)
        version, remarks, complete, releases = tag.version or "", tag.unsure, tag.complete, tag.releases
        raw, project = found.line.raw + line.raw, found.origin.name
    else:
        version, raw, project = found, line.raw, ""
        remarks, complete = chart_version_remarks(version)
    if _is_unknown(chart):
        remarks, complete = (*remarks, _UNKNOWN_CHART), False
    name = chart.get("chart") or chart["path"].rpartition("/")[2]
    wishes = (release, project, str(name))
    return _Use(
        chart=chart,
        version=version,
        remarks=remarks,
        complete=complete,
        names=tuple(one for one in wishes if one and not re.search(r"[$<>\[\]]", one) and one != "."),
        edits=script.follow(version, raw) if version else (),
        releases=releases,
    )


def _is_unknown(chart: Mapping[str, Any]) -> bool:
    return bool(re.search(r"[$\s<>\[\]]", str(chart.get("repository", "")) + str(chart.get("chart", ""))))


def _candidates(
    script: Script, line: Line, verb: str, release: str, use: _Use, tree: Tree
) -> Iterator[Candidate]:
    if verb in ("pull", "fetch"):
        yield _pulled(script, line, use, tree)
    elif verb in ("install", "upgrade") and use.edits and "repository" in use.chart:
        feed = {"helm": {"repository": use.chart["repository"], "chart": use.chart["chart"]}}
        remark = "helm installs it: only the version in this file is kept up to date"
        yield _made(script, line, replace(use, releases=feed, remarks=(*use.remarks, remark)))
    else:
        for base, file, remarks in _placed(script, line, tree):
            own = use.shown_in(tree, base)
            source: dict[str, Any] = {"helm": {**use.chart, **_options(script, line, release, tree)}}
            if file and base:
                source["file"] = file
            yield _made(script, line, replace(own, remarks=(*own.remarks, *remarks)), source, base)


def _pulled(script: Script, line: Line, use: _Use, tree: Tree) -> Candidate:
    """A chart that is fetched: its own files are the base where it is unpacked, and that folder is there."""
    folder = line.option("--untardir") or line.option("--destination", "-d") or "."
    is_unpacked = any(word.startswith("--untar") for word in line.words)
    base = (
        place_folder(script.file, line.located(f"{folder.rstrip('/')}/{use.name}"), tree)
        if is_unpacked
        else None
    )
    if base is not None and f"{base}/Chart.yaml" in tree.files:
        own = use.shown_in(tree, base)
        # Where no version is written, the base's own Chart.yaml says it: that is no guess.
        remarks = () if own is not use and not use.version else own.remarks
        own = replace(own, remarks=(*remarks, *changes_of(script, line, base)))
        return _made(script, line, own, {"helm": dict(use.chart), "render": False}, base)
    own = use.shown_in(tree, place_folder(script.file, line.located(folder.rstrip("/")), tree))
    remark = "the chart is fetched here and rendered elsewhere: add its values, choose `base`"
    source = {"helm": {**use.chart, **_options(script, line, "", tree)}}
    return _made(script, line, replace(own, remarks=(*own.remarks, remark)), source)


def _made(
    script: Script, line: Line, use: _Use, source: Piece | None = None, base: str | None = None
) -> Candidate:
    return Candidate(
        names=use.names,
        found=Place(file=script.file.path, line=line.number),
        version=use.version or None,
        source=source,
        base=(base or f"{use.name}/base/upstream") if source is not None else None,
        base_is_real=base is not None,
        releases=use.releases,
        edits=use.edits,
        unsure=use.remarks,
        complete=use.complete,
    )


def _placed(script: Script, line: Line, tree: Tree) -> Iterator[tuple[str | None, str, tuple[str, ...]]]:
    """The folders that a render goes to, the file where it is one, and what else is to be said."""
    unknown = "no folder of the repository is named for it: choose `base`"
    if line.output:
        for place, commands in carried(script, line, line.output, tree):
            base, file = place_of(script, place, tree)
            remarks = changed_remarks((*line.piped, *commands))
            later = changes_of(script, line, base, (file,) if file else ()) if base else (unknown,)
            yield base, file, (*remarks, *later)
        return
    named = line.option("--output-dir", "--untardir", "--destination", "-d").rstrip("/")
    base = place_folder(script.file, line.located(named), tree) if named else None
    remarks = changed_remarks(line.piped)
    yield base, "", (*remarks, *(changes_of(script, line, base) if base else (unknown,)))


def _options(script: Script, line: Line, release: str, tree: Tree) -> dict[str, Any]:
    """Release, namespace, values and the like, as far as they are plain."""
    found: dict[str, Any] = {}
    if "$" not in release:
        found["release"] = release or NO_RELEASE
    named = {"namespace": line.option("--namespace", "-n"), "kube_version": line.option("--kube-version")}
    found |= {key: value for key, value in named.items() if value and "$" not in value}
    values = [_values(script, line, one, tree) for one in line.options("--values", "-f") if "$" not in one]
    if inner := [one for one in values if one is not None and "://" not in one]:
        found["values"] = inner
    if single := dict(_settings(line)):
        found["set"] = single
    if "--include-crds" not in line.words:
        found["include_crds"] = False
    if versions := [one for one in line.options("--api-versions", "-a") if "$" not in one]:
        found["api_versions"] = versions
    return found


def _values(script: Script, line: Line, path: str, tree: Tree) -> str | None:
    """A values file from the repository's root: scripts start in their own folder, or there."""
    place = line.located(path)
    found = [one for start in (script.file.folder, "") if (one := normal(start, place)) is not None]
    return next((one for one in found if one in tree.files), found[0] if found else None)


def _settings(line: Line) -> Iterator[tuple[str, Any]]:
    for option, typed in (("--set", True), ("--set-string", False)):
        for given in line.options(option):
            for one in re.split(r"(?<!\\),(?![^{]*\})", given):
                key, equals, value = one.partition("=")
                if equals and "$" not in one:
                    value = value.replace("\\,", ",")
                    yield key, _typed(value) if typed else value


def _typed(value: str) -> Any:
    """A value as ``--set`` reads it: whole numbers, true, false and null; ``{a,b}`` is a list."""
    if value.startswith("{") and value.endswith("}"):
        return [_typed(one.strip()) for one in value[1:-1].split(",") if one.strip()]
    if value in ("true", "false", "null") or re.fullmatch(r"0|-?[1-9]\d*", value):
        return manifests.scalar(value)
    return value
