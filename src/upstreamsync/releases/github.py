"""GitHub's releases, page by page, newest first by the date of their commit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from upstreamsync.config.spec import Releases
from upstreamsync.errors import Denied, Malformed, NotFound, RateLimited, TooLarge
from upstreamsync.kit.http.response import Response
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.model import Release
from upstreamsync.releases.answers import json_document, timestamp
from upstreamsync.releases.pack import remembered

#: GitHub lists no more than 10,000 of anything.
MAX_PAGES = 100
_HEADERS = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}
_NEXT = re.compile(r'<([^<>]+)>\s*;[^,]*\brel="?next"?')
_NOT_ALLOWED = (401, 403, 429)
_WAIT = re.compile(r"in (\d+) s\b")


def feed(spec: Releases, tools: Toolbox) -> Iterator[Sequence[Release]]:
    """The releases of OWNER/REPO; drafts are left out."""
    for page in pages(f"{spec.github}", "releases", tools):
        yield remembered(tools.cache, ["github", page.digest], lambda page=page: _read(page))  # type: ignore[misc]


def repository_api(name: str, tools: Toolbox) -> str:
    """The API's address of OWNER/REPO at github.com, or of HOST/OWNER/REPO at an Enterprise server."""
    *host, owner, repository = name.split("/")
    slug = f"{owner}/{repository}"
    if not host:
        return f"{tools.github_api.rstrip('/')}/repos/{slug}"
    api = "api.github.com" if host == ["github.com"] else f"{host[0]}/api/v3"
    return f"https://{api}/repos/{slug}"


def pages(repository: str, kind: str, tools: Toolbox) -> Iterator[Response]:
    """The pages of ``repos/OWNER/REPO/<kind>``, each asked for when it is needed.

    Raises RateLimited with the time at which GitHub's budget is renewed, NotFound, and others of
    UpstreamError's family.
    """
    url: str | None = f"{repository_api(repository, tools)}/{kind}?per_page=100"
    for _ in range(MAX_PAGES):
        response = _get(str(url), repository, tools)
        yield response
        following = _NEXT.search(response.headers.get("link", ""))
        if following is None:
            return
        url = _next_page(str(url), following[1])
    raise TooLarge(
        f"GitHub lists more than {MAX_PAGES} pages of {kind} for `{repository}`",
        hint=f"ask git instead: `releases: {{git: https://github.com/{repository}}}`",
    )


def _next_page(url: str, link: str) -> str:
    """The address of the next page on our own path, where a proxy before the server made another of it."""
    ours, theirs = urlsplit(url), urlsplit(urljoin(url, link))
    if theirs.hostname != ours.hostname:
        return link
    return urlunsplit((ours.scheme, ours.netloc, ours.path, theirs.query, ""))


def _get(url: str, repository: str, tools: Toolbox) -> Response:
    try:
        response = tools.http.get(
            url, headers=_HEADERS, allow_http=tools.allow_http, accept_status=_NOT_ALLOWED
        )
    except RateLimited as error:
        wait = _WAIT.search(error.message)
        raise _exhausted(repository, tools.now + timedelta(seconds=int(wait[1])) if wait else None) from None
    except NotFound:
        raise NotFound(
            f"GitHub has no repository `{repository}`, or does not show it to us",
            hint="check OWNER/REPO; for a private repository set GITHUB_TOKEN",
        ) from None
    if response.status not in _NOT_ALLOWED:
        return response
    if response.status == 429 or response.headers.get("x-ratelimit-remaining") == "0":
        reset = response.headers.get("x-ratelimit-reset", "")
        raise _exhausted(repository, datetime.fromtimestamp(int(reset), UTC) if reset.isdecimal() else None)
    raise Denied(
        f"GitHub does not let us read `{repository}` ({response.status})",
        hint="check GITHUB_TOKEN: it may have expired, or may not have access to that organization",
    )


def _exhausted(repository: str, until: datetime | None) -> RateLimited:
    when = f" until {until:%H:%M} UTC" if until else ""
    return RateLimited(
        f"GitHub answers no more requests{when} (asked for `{repository}`)",
        hint="set GITHUB_TOKEN: with it GitHub allows 5,000 requests an hour instead of 60",
    )


def _read(page: Response) -> tuple[Release, ...]:
    listed = json_document(page, numbers_as_text=False)
    if not isinstance(listed, list):
        raise Malformed(f"`{page.url}` is no list of releases", hint="is this GitHub's API?")
    found = (_release(entry) for entry in listed if isinstance(entry, dict))
    return tuple(release for release in found if release is not None)


def _release(entry: Mapping[str, Any]) -> Release | None:
    tag = entry.get("tag_name")
    if not isinstance(tag, str) or not tag or entry.get("draft") is True:
        return None
    page, notes = entry.get("html_url"), entry.get("body")
    return Release(
        version=tag,
        ref=tag,
        published=timestamp(entry.get("published_at")),
        prerelease=entry.get("prerelease") is True,
        page=page if isinstance(page, str) else None,
        notes=notes if isinstance(notes, str) and notes else None,
        assets=_digests(entry.get("assets")),
    )


def _digests(assets: Any) -> Mapping[str, str]:
    """File name → digest, of the assets for which GitHub knows one (those since June 2025)."""
    return {
        asset["name"]: asset["digest"]
        for asset in (assets if isinstance(assets, list) else ())
        if isinstance(asset, dict)
        and isinstance(asset.get("name"), str)
        and isinstance(asset.get("digest"), str)
        and asset["digest"].startswith("sha256:")
    }
