"""``# renovate:`` comments: a version on the next line, and where it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from upstreamsync.discover.candidates import Candidate, Piece
from upstreamsync.discover.helm import chart_feed
from upstreamsync.discover.kustomizations import full_name
from upstreamsync.discover.scan import TextFile
from upstreamsync.model import Place

_COMMENT = re.compile(r"^\s*(?:#|//|<!--)\s*renovate:\s*(.*?)(?:-->)?\s*$")
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
        releases = _releases(fields, repositories)
        pattern = re.escape(below[1]) + r"([^\s\"'#}]+)"
        if releases is None or len(re.findall(rf"^{pattern}", file.text, re.MULTILINE)) != 1:
            continue
        name = fields.get("depName", fields.get("packageName", "")).rpartition("/")[2]
        yield Candidate(
            names=(name,),
            found=Place(file=file.path, line=number + 2),
            version=below[2],
            releases=releases,
            edits=({"file": file.path, "pattern": f"^{pattern}", "value": "{version}"},),
            unsure=("Renovate moves it already: leave it to one of the two",),
            only_version=True,
        )


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
