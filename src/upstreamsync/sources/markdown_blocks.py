"""Code blocks of a Markdown page: the adapter of markdown-it.

Fences at any depth of lists and quotes, and indented code. Fences inside the indented bodies of tabs and
admonitions, as MkDocs has them, look like indented code to CommonMark; they are read as what they are.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from upstreamsync.sources.blocks import Block, Headings, language_name, with_final_newline

if TYPE_CHECKING:
    from markdown_it.token import Token

_FRONT_MATTER = re.compile(r"\A(---|\+\+\+)[ \t]*\n.*?^\1[ \t]*$\n?", re.DOTALL | re.MULTILINE)
_FENCE = re.compile(r"\s*(?:```|~~~)")
_MKDOCS_CLASS = re.compile(r"\{[^}]*?\.([\w+#-]+)")
#: Lines that open a tab or an admonition: what is indented below them is no continuation of a paragraph.
_APART = re.compile(
    r"^([ ]*(?:(?:===[+!]?|!!!|\?\?\?\+?)[ ].*|</?(?:Tabs?|TabItem|TabPane|CodeGroup|Steps?|details|summary)\b.*>))\n"
    r"(?=[ \t]*\S)",
    re.MULTILINE,
)
_WORD = re.compile(r"[\w.+#-]+")
_DEPTH = 4


def markdown_blocks(page: str) -> list[Block]:
    """The code blocks of a page, in order."""
    page = page.replace("\r\n", "\n").removeprefix("\ufeff")
    page = _APART.sub(r"\1\n\n", page)
    return _blocks(_FRONT_MATTER.sub("", page, count=1), Headings(), _DEPTH)


def _blocks(page: str, headings: Headings, depth: int) -> list[Block]:
    from markdown_it import MarkdownIt

    # Text between the blocks is not looked at: it is most of a page, and the costliest to parse.
    parser = MarkdownIt("commonmark").disable("inline")
    tokens = parser.parse(page)
    found: list[Block] = []
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            (inline,) = MarkdownIt("commonmark").parseInline(tokens[number + 1].content)
            headings.enter(int(token.tag[1]), _plain(inline))
        elif token.type == "fence":
            found.append(_block(token.content, _language(token.info), headings))
        elif token.type == "code_block":
            if depth and _FENCE.match(token.content):
                found += _blocks(textwrap.dedent(token.content), headings, depth - 1)
            else:
                found.append(_block(token.content, None, headings))
        elif token.type == "html_block" and "<pre" in token.content:
            found += _embedded(token.content, headings)
    return found


def _block(text: str, language: str | None, headings: Headings) -> Block:
    return Block(text=with_final_newline(text), language=language, headings=headings.path)


def _embedded(html: str, headings: Headings) -> list[Block]:
    from upstreamsync.sources.html_blocks import html_blocks

    return [_block(block.text, block.language, headings) for block in html_blocks(html)]


def _plain(inline: Token) -> str:
    """The words of a heading without its markup."""
    return "".join(
        child.content if child.type in {"text", "code_inline"} else " " if child.type == "softbreak" else ""
        for child in inline.children or ()
    )


def _language(info: str) -> str | None:
    """The language of a fence: ``yaml``, ``yaml title="x"``, ``yaml{3,4}``, ``{.yaml .numberLines}``."""
    info = info.strip()
    match = _MKDOCS_CLASS.match(info)
    if match:
        return language_name(match[1])
    word = _WORD.match(info)
    return language_name(word[0]) if word else None
