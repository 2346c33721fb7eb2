"""``docs``: code blocks of a documentation page, in HTML or Markdown."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from upstreamsync.config.spec import DocsBlock, DocsSource
from upstreamsync.errors import Malformed, SelectionError
from upstreamsync.kit.http.client import Response
from upstreamsync.kit.redact import redact
from upstreamsync.model import Artifact, ContentFile, Resolved
from upstreamsync.sources import checksums
from upstreamsync.sources.blocks import Block, Wanted, choose
from upstreamsync.sources.html_blocks import html_blocks
from upstreamsync.sources.job import Job, safe_name
from upstreamsync.sources.markdown_blocks import markdown_blocks

#: Pages are text for people; ten times the largest seen.
_PAGE_LIMIT = 8 * 1024 * 1024
_HTML_START = re.compile(r"<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_BEFORE_HTML = re.compile(r"\ufeff|<\?xml[^>]*>|<!--.*?-->", re.DOTALL)
_CHARSET = re.compile(r"charset=[\"']?([\w-]+)", re.IGNORECASE)


def fetch(job: Job) -> Artifact:
    """Fetch the page and take each declared block from it; each becomes a file."""
    docs = _docs(job)
    answer = _page(job, docs)
    checksums.verify(job, answer.url, answer.body)
    where = redact(answer.url)
    blocks = page_blocks(answer)
    files: dict[str, ContentFile] = {}
    for wanted in docs.blocks:
        name = safe_name(job.fill(wanted.file, "docs.blocks.file"), "docs.blocks.file")
        if name in files:
            raise SelectionError(f"two blocks would become the file `{name}`", hint="give each its own name")
        block = choose(blocks, _wanted(job, wanted), where)
        files[name] = ContentFile(path=name, data=block.text.encode())
    resolved = Resolved(kind="docs", location=where, digest=answer.digest)
    return Artifact(resolved=(resolved,), files=tuple(files[name] for name in sorted(files)))


def probe(job: Job) -> None:
    """Ask for the page; whether its blocks are there shows when it is fetched."""
    _page(job, _docs(job))


def page_blocks(answer: Response) -> list[Block]:
    """All code blocks of a page. Raises Malformed when it is not text in the encoding that it names."""
    kind = answer.headers.get("content-type", "")
    named = _CHARSET.search(kind)
    try:
        text = answer.body.decode(named[1] if named else "utf-8")
    except (UnicodeDecodeError, LookupError) as error:
        raise Malformed(f"`{redact(answer.url)}` is not a page of text: {error}") from None
    path = urlsplit(answer.url).path.lower()
    # Servers call raw Markdown text/plain, and pages about Markdown files have names that end in .md.
    is_html = bool(_HTML_START.match(_BEFORE_HTML.sub("", text[:10_000]).lstrip())) or (
        "html" in kind and not path.endswith((".md", ".markdown", ".mdx"))
    )
    return html_blocks(text) if is_html else markdown_blocks(text)


def _page(job: Job, docs: DocsSource) -> Response:
    url = job.fill(docs.url, "docs.url")
    return job.tools.http.get(url, limit=_PAGE_LIMIT, allow_http=job.tools.allow_http)


def _wanted(job: Job, block: DocsBlock) -> Wanted:
    return Wanted(
        heading=job.fill_known(block.heading) if block.heading is not None else None,
        language=block.language,
        contains=job.fill_known(block.contains) if block.contains is not None else None,
        index=block.index,
    )


def _docs(job: Job) -> DocsSource:
    docs = job.source.docs
    assert docs is not None  # noqa: S101 (the registry calls a kind for its own sources alone)
    return docs
