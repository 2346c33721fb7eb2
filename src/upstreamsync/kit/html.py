"""Pages in HTML as browsers read them, from strangers: the adapter of selectolax, which is loaded when asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from upstreamsync.errors import TooLarge

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser as LexborHTMLParser
    from selectolax.lexbor import LexborNode as LexborNode

#: Beyond these no page is meant for people; the cost of a search grows with their product.
MAX_TAGS = 500_000
MAX_DEPTH = 512
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
#: Elements that end without saying so, or have no end.
_UNCLOSED = frozenset(
    ("p", "li", "td", "th", "tr", "dt", "dd", "option", "thead", "tbody", "tfoot", "colgroup", "body", "html",
     "head", "br", "hr", "img", "input", "link", "meta", "area", "base", "col", "embed", "source", "track", "wbr",
     "path", "rect", "circle", "line", "polygon", "polyline", "use")
)  # fmt: skip


def parse(text: str) -> LexborHTMLParser:
    """A page's tree. Raises TooLarge for one with more elements, or nested deeper, than pages for people are."""
    from selectolax.lexbor import LexborHTMLParser

    _refuse_depth(text)
    return LexborHTMLParser(text)


def _refuse_depth(text: str) -> None:
    depth = deepest = 0
    for number, tag in enumerate(_TAG.finditer(text)):
        if number > MAX_TAGS:
            raise TooLarge(f"the page has more than {MAX_TAGS} tags", hint="is it a page for people?")
        if tag[2].lower() not in _UNCLOSED:
            depth = max(depth - 1, 0) if tag[1] else depth + 1
            deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise TooLarge(f"the page is nested {deepest} levels deep", hint="is it a page for people?")
