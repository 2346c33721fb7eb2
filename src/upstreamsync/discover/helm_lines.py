"""``helm template``, ``pull``, ``install`` and ``upgrade`` in scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from upstreamsync.discover.candidates import Candidate, Piece
from upstreamsync.discover.downloads import Clone, inside, piped_remarks, place_folder, target_of
from upstreamsync.discover.helm import NO_RELEASE, chart_version_remarks, with_scheme
from upstreamsync.discover.kustomizations import normal
from upstreamsync.discover.origins import read_tag
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
        if origin is not None and found is not None:
            yield _candidate(script, line, verb, release, origin, found, tree)


def repositories_of(script: Script) -> dict[str, str]:
    """Name → URL of ``helm repo add NAME URL``."""
    found: dict[str, str] = {}
    for line in script.lines:
        words = [word for word in line.words if not word.startswith("-")]
        for index in range(len(words) - 4):
            if words[index : index + 3] == ["helm", "repo", "add"]:
                found[words[index + 3]] = words[index + 4]
    return found


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


def _candidate(
    script: Script,
    line: Line,
    verb: str,
    release: str,
    helm: dict[str, Any],
    found: Clone | str,
    tree: Tree,
) -> Candidate:
    releases: Piece | None = None
    if isinstance(found, Clone):
        tag = read_tag(found.origin)
        version, remarks, complete, releases = tag.version or "", tag.unsure, tag.complete, tag.releases
        raw = found.line.raw + line.raw
    else:
        version, raw = found, line.raw
        remarks, complete = chart_version_remarks(version)
    if re.search(r"[$\s]", helm.get("repository", "") + helm.get("chart", "")):
        remarks, complete = (*remarks, _UNKNOWN_CHART), False
    name = helm.get("chart") or helm["path"].rpartition("/")[2]
    edits = script.follow(version, raw) if version else ()
    place = Place(file=script.file.path, line=line.number)
    project = found.origin.name if isinstance(found, Clone) else ""
    names = tuple(one for one in (release, project, name) if one and "$" not in one and one != ".")
    if verb in ("install", "upgrade") and edits and "repository" in helm:
        feed = {"helm": {"repository": helm["repository"], "chart": helm["chart"]}}
        remark = "helm installs it: only the version in this file is kept up to date"
        return Candidate(
            names=names, found=place, version=version, releases=feed, edits=edits,
            unsure=(*remarks, remark), complete=complete,
        )  # fmt: skip
    base, file = _placed(script, line, tree)
    if not complete and (shown := shown_chart_version(tree, base, str(helm.get("chart")))):
        remarks, complete = (f"the version is not written here; what lies in `{base}` says {shown}",), True
        version = shown
    source: dict[str, Any] = {"helm": {**helm, **_options(script, line, release)}}
    if file and base:
        source["file"] = file
    remarks = remarks + piped_remarks(line)
    if verb in ("pull", "fetch"):
        remarks = (
            *remarks,
            "the chart is fetched here and rendered elsewhere: add its values, choose `base`",
        )
    elif base is None:
        remarks = (*remarks, "no folder of the repository is named for it: choose `base`")
    return Candidate(
        names=names,
        found=place,
        version=version or None,
        source=source,
        base=base if base and verb not in ("pull", "fetch") else f"{name}/base/upstream",
        base_is_real=base is not None and verb not in ("pull", "fetch"),
        releases=releases,
        edits=edits,
        unsure=remarks,
        complete=complete,
    )


def _placed(script: Script, line: Line, tree: Tree) -> tuple[str | None, str]:
    """The folder that a render goes to, and the file where it is one."""
    if line.output:
        return target_of(script, line, line.output, tree)
    named = line.option("--output-dir", "--untardir", "--destination", "-d").rstrip("/")
    return (place_folder(script.file, line.located(named), tree) if named else None), ""


def _options(script: Script, line: Line, release: str) -> dict[str, Any]:
    """Release, namespace, values and the like, as far as they are plain."""
    found: dict[str, Any] = {}
    if "$" not in release:
        found["release"] = release or NO_RELEASE
    named = {"namespace": line.option("--namespace", "-n"), "kube_version": line.option("--kube-version")}
    found |= {key: value for key, value in named.items() if value and "$" not in value}
    values = [normal(script.file.folder, one) for one in line.options("--values", "-f") if "$" not in one]
    if inner := [one for one in values if one is not None and "://" not in one]:
        found["values"] = inner
    if single := dict(_settings(line)):
        found["set"] = single
    if "--include-crds" not in line.words:
        found["include_crds"] = False
    if versions := [one for one in line.options("--api-versions", "-a") if "$" not in one]:
        found["api_versions"] = versions
    return found


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
