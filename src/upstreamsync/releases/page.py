"""Versions that stand on a page, by a regular expression."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from upstreamsync.config.spec import Releases
from upstreamsync.errors import NotFound
from upstreamsync.kit import html
from upstreamsync.kit.http.response import Response
from upstreamsync.kit.lfs import refuse_pointer
from upstreamsync.kit.redact import redact
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.model import Release
from upstreamsync.releases.answers import on_offer_by
from upstreamsync.releases.pack import remembered

_CHARSET = re.compile(r"charset=\"?([\w-]+)", re.IGNORECASE)


def feed(spec: Releases, tools: Toolbox) -> Iterator[Sequence[Release]]:
    """Each version found, in the order of the page; searched in its source, else in what a reader sees."""
    if spec.page is None:
        return
    response = tools.http.get(spec.page.url, allow_http=tools.allow_http)
    pattern = spec.page.pattern
    found = remembered(tools.cache, ["page", response.digest, pattern], lambda: _read(response, pattern))
    yield on_offer_by(found, response)


def _read(response: Response, pattern: str) -> tuple[Release, ...]:
    refuse_pointer(response.body, f"`{redact(response.url)}`")
    text = _text(response)
    found = _search(pattern, text)
    if not found and "<" in text:
        found = _search(pattern, _visible(text))
    if not found:
        raise NotFound(
            f"`{redact(response.url)}`: nothing on the page matches `{pattern}`",
            hint="open the page's source and compare; pages that are drawn by a script have no text in it",
        )
    return found


def _search(pattern: str, text: str) -> tuple[Release, ...]:
    found: dict[str, Release] = {}
    for match in re.finditer(pattern, text):
        version = match["version"]
        if version and version not in found:
            groups = {name: group or "" for name, group in match.groupdict().items()}
            found[version] = Release(version=version, ref=version, groups=groups)
    return tuple(found.values())


def _text(response: Response) -> str:
    charset = _CHARSET.search(response.headers.get("content-type", ""))
    try:
        return response.body.decode(charset[1] if charset else "utf-8", "replace")
    except LookupError:
        return response.body.decode("utf-8", "replace")


def _visible(text: str) -> str:
    """A page's text as a reader sees it, elements apart by a space; nothing of scripts and styles."""
    tree = html.parse(text)
    tree.strip_tags(["script", "style", "noscript", "template"])
    body = tree.body or tree.root
    joined = body.text(separator="", strip=False) if body is not None else ""
    apart = body.text(separator=" ", strip=True) if body is not None else ""
    # A version that is split by an element (<b>1</b>.2) is whole in the first, one in a cell in the second.
    return f"{apart}\n{joined}"
