"""``docs``: code blocks of a documentation page, in HTML, Markdown, reStructuredText or AsciiDoc."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from upstreamsync.config.spec import DocsBlock, DocsSource
from upstreamsync.errors import Malformed, SelectionError
from upstreamsync.kit.http.response import Response
from upstreamsync.kit.lfs import refuse_pointer
from upstreamsync.kit.redact import redact
from upstreamsync.model import Artifact, ContentFile, Resolved
from upstreamsync.sources import checksums
from upstreamsync.sources.asciidoc_blocks import asciidoc_blocks
from upstreamsync.sources.blocks import Block, Wanted, choose, include_of, includes_on, repaired
from upstreamsync.sources.html_blocks import html_blocks
from upstreamsync.sources.job import Job, safe_name
from upstreamsync.sources.markdown_blocks import markdown_blocks
from upstreamsync.sources.rst_blocks import rst_blocks

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
    refuse_pointer(answer.body, f"`{where}`")
    text = page_text(answer)
    blocks = blocks_of(text, answer)
    files: dict[str, ContentFile] = {}
    notes: list[str] = []
    for wanted in docs.blocks:
        name = safe_name(job.fill(wanted.file, "docs.blocks.file"), "docs.blocks.file")
        if name in files:
            raise SelectionError(f"two blocks would become the file `{name}`", hint="give each its own name")
        block = _chosen(blocks, _wanted(job, wanted), where, text)
        content, odd = repaired(block.text)
        if odd:
            notes.append(f"{where}: {odd} odd spaces of the page's became plain ones in `{name}`")
        files[name] = ContentFile(path=name, data=content.encode())
    resolved = Resolved(kind="docs", location=where, digest=answer.digest)
    return Artifact(
        resolved=(resolved,), files=tuple(files[name] for name in sorted(files)), notes=tuple(notes)
    )


def _chosen(blocks: Sequence[Block], wanted: Wanted, where: str, page: str) -> Block:
    """The block, unless its text is put there by the page's own machinery, which we don't have."""
    try:
        block = choose(blocks, wanted, where)
    except SelectionError as error:
        if includes := includes_on(page):
            shown = ", ".join(f"`{one}`" for one in includes[:3])
            error.hint = (
                f"the page takes in other files when it is built ({shown}): take such a file itself, with a "
                f"`url` or `git` source; {error.hint}"
            )
        raise
    if include := include_of(block):
        raise SelectionError(
            f"{where}: the block only includes another file: `{include[:80]}`",
            hint="take that file itself, with a `url` or `git` source",
        )
    return block


def probe(job: Job) -> None:
    """Ask for the page; whether its blocks are there shows when it is fetched."""
    _page(job, _docs(job))


def page_blocks(answer: Response) -> list[Block]:
    """All code blocks of a page. Raises Malformed when it is not text in the encoding that it names."""
    return blocks_of(page_text(answer), answer)


def page_text(answer: Response) -> str:
    """The page in its encoding. Raises Malformed."""
    kind = answer.headers.get("content-type", "")
    named = _CHARSET.search(kind)
    try:
        text = answer.body.decode(named[1] if named else "utf-8")
    except (UnicodeDecodeError, LookupError) as error:
        raise Malformed(f"`{redact(answer.url)}` is not a page of text: {error}") from None
    return text


def blocks_of(text: str, answer: Response) -> list[Block]:
    """The code blocks of a page, by the language that it is written in."""
    kind = answer.headers.get("content-type", "")
    path = urlsplit(answer.url).path.lower()
    # Servers call raw Markdown text/plain, and pages about Markdown files have names that end in .md.
    is_html = bool(_HTML_START.match(_BEFORE_HTML.sub("", text[:10_000]).lstrip())) or (
        "html" in kind and not path.endswith((".md", ".markdown", ".mdx"))
    )
    if is_html:
        return html_blocks(text)
    if path.endswith((".rst", ".rest")) or "x-rst" in kind:
        return rst_blocks(text)
    if path.endswith((".adoc", ".asciidoc", ".asc")) or "asciidoc" in kind:
        return asciidoc_blocks(text)
    return markdown_blocks(text)


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
