"""What Renovate is told: by ``# renovate:`` comments above a version, and by patterns in its configuration."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from upstreamsync.discover.candidates import Candidate, Piece
from upstreamsync.discover.helm import chart_feed
from upstreamsync.discover.kustomizations import full_name
from upstreamsync.discover.scan import RENOVATE, TextFile, Tree
from upstreamsync.kit.foreign import strings
from upstreamsync.model import Place

_COMMENT = re.compile(r"^\s*(?:#|//|<!--)\s*renovate:\s*(.*?)(?:-->)?\s*$")
_LONGEST_PATTERN = 1_000
_FIELD = re.compile(r"(\w+)=([^\s\"']+|\"[^\"]*\"|'[^']*')")
_VERSION = re.compile(r"(.*?[=:]\s*[\"']?|.*?:)([vV]?\d+[\w.+-]*)")


def read_renovate(file: TextFile, repositories: Mapping[str, str]) -> Iterator[Candidate]:
    """What each comment says of the line below it; ``repositories`` are charts' by their helm alias."""
    if "renovate:" not in file.text:
        return
    lines = file.text.splitlines()
    for number, line in enumerate(lines[:-1]):
        comment, below = _COMMENT.match(line), _VERSION.match(lines[number + 1])
        if comment is None or below is None:
            continue
        fields = {key: value.strip("\"'") for key, value in _FIELD.findall(comment[1])}
        yield from _found(file, number + 2, (below[1], below[2]), fields, repositories)


def _found(
    file: TextFile,
    number: int,
    at: tuple[str, str],
    fields: Mapping[str, str],
    repositories: Mapping[str, str],
) -> Iterator[Candidate]:
    """The candidate of a version in a line, ``at`` what stands before it and itself; none where no feed is told."""
    releases = _releases(fields, repositories)
    pattern = re.escape(at[0]) + r"([^\s\"'#}@]+)"
    if releases is None or len(re.findall(rf"^{pattern}", file.text, re.MULTILINE)) != 1:
        return
    name = fields.get("depName") or fields.get("packageName", "")
    yield Candidate(
        names=(name.rpartition("/")[2],),
        found=Place(file=file.path, line=number),
        version=at[1],
        releases=releases,
        edits=({"file": file.path, "pattern": f"^{pattern}", "value": "{version}"},),
        unsure=("Renovate moves it already: leave it to one of the two",),
        only_version=True,
    )


def read_custom_managers(file: TextFile, repositories: Mapping[str, str], tree: Tree) -> Iterator[Candidate]:
    """What Renovate's own configuration finds by patterns in other files (``customManagers``)."""
    if file.name not in RENOVATE or "atchStrings" not in file.text:
        return
    configuration = _configuration(file)
    for manager in [
        *_dicts(configuration.get("customManagers")),
        *_dicts(configuration.get("regexManagers")),
    ]:
        if manager.get("matchStringsStrategy", "any") != "any":
            continue
        wanted = [*strings(manager.get("fileMatch")), *strings(manager.get("managerFilePatterns"))]
        patterns = [
            one for text in strings(manager.get("matchStrings")) if (one := _pattern(text)) is not None
        ]
        templates = {
            key.removesuffix("Template"): value for key, value in manager.items() if key.endswith("Template")
        }
        plain = {
            key: value for key, value in templates.items() if isinstance(value, str) and "{{" not in value
        }
        for other in tree.files.values():
            if any(_wants(one, other.path) for one in wanted):
                for pattern in patterns:
                    yield from _matched(other, pattern, plain, repositories)


def _matched(
    file: TextFile, pattern: re.Pattern[str], plain: Mapping[str, str], repositories: Mapping[str, str]
) -> Iterator[Candidate]:
    for match in pattern.finditer(file.text):
        groups = {key: value for key, value in match.groupdict().items() if value is not None}
        value = groups.get("currentValue", "")
        if not re.fullmatch(r"[vV]?\d+[\w.+-]*", value):
            continue
        start = match.start("currentValue")
        before = file.text[file.text.rfind("\n", 0, start) + 1 : start]
        number = file.text.count("\n", 0, start) + 1
        yield from _found(file, number, (before, value), {**plain, **groups}, repositories)


def _configuration(file: TextFile) -> Mapping[str, Any]:
    """Renovate's configuration as far as it is JSON, with comments on lines of their own; empty otherwise."""
    try:
        found = json.loads(re.sub(r"^\s*//.*$", "", file.text, flags=re.MULTILINE))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _pattern(text: str) -> re.Pattern[str] | None:
    """A pattern of Renovate's as Python writes it; None for one that can't be, or that is too long to try."""
    try:
        return re.compile(re.sub(r"\(\?<(?![=!])", "(?P<", text)) if len(text) < _LONGEST_PATTERN else None
    except re.error:
        return None


def _wants(wanted: str, path: str) -> bool:
    """Whether a pattern of files is of a path: a regular expression, between slashes or alone; else a glob."""
    pattern = _pattern(wanted[1:-1] if wanted.startswith("/") and wanted.endswith("/") else wanted)
    return bool(pattern and pattern.search(path)) or fnmatch.fnmatchcase(path, wanted)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _releases(fields: Mapping[str, str], repositories: Mapping[str, str]) -> Piece | None:
    """The feed that a datasource stands for; None for those that are no feeds here."""
    name = fields.get("packageName") or fields.get("depName", "")
    extract = fields.get("extractVersion", "").replace("(?<version>", "(?P<version>")
    tag = {"tag": extract} if "(?P<version>" in extract else {}
    match fields.get("datasource"):
        case "github-releases" if name.count("/") == 1:
            return {"github": name, **tag}
        case "github-tags" if name.count("/") == 1:
            return {"github_tags": name, **tag}
        case "git-tags" | "git-refs" if "://" in name:
            return {"git": name, **tag}
        case "docker" if name:
            return {"oci": full_name(name), **tag}
        case "helm":
            alias, _, chart = name.rpartition("/")
            repository = fields.get("registryUrl") or repositories.get(alias)
            return dict(chart_feed(repository, chart)) if repository and chart else None
    return None
