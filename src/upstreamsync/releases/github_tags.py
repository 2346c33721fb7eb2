"""GitHub's tags, page by page. They come without dates, and in no order that means anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from upstreamsync.config.spec import Releases
from upstreamsync.errors import Malformed
from upstreamsync.kit.http.response import Response
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.model import Release
from upstreamsync.releases.answers import json_document
from upstreamsync.releases.github import pages
from upstreamsync.releases.pack import remembered


def feed(spec: Releases, tools: Toolbox) -> Iterator[Sequence[Release]]:
    """The tags of OWNER/REPO, in one piece: GitHub sorts them by name, so that the newest may come last."""
    found: list[Release] = []
    for page in pages(f"{spec.github_tags}", "tags", tools):
        found += remembered(tools.cache, ["github_tags", page.digest], lambda page=page: _read(page))  # type: ignore[misc]
    yield found


def _read(page: Response) -> tuple[Release, ...]:
    listed = json_document(page, numbers_as_text=False)
    if not isinstance(listed, list):
        raise Malformed(f"`{page.url}` is no list of tags", hint="is this GitHub's API?")
    found: list[Release] = []
    for entry in listed:
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(name, str) and name:
            commit = entry.get("commit")
            sha = commit.get("sha") if isinstance(commit, dict) else None
            found.append(Release(version=name, ref=name, commit=sha if isinstance(sha, str) else None))
    return tuple(found)
