"""Code blocks of an HTML page, as plain as the page's author wrote them.

Highlighters wrap words in spans, number the lines in columns of their own and sometimes put each line in
an element in place of ending it with a line break. All of these have to give the same text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from upstreamsync.kit import html
from upstreamsync.sources.blocks import Block, Headings, language_name, with_final_newline

if TYPE_CHECKING:
    from upstreamsync.kit.html import LexborNode

#: Line numbers, as Pygments, Chroma, Rouge, Prism, highlight.js and others mark them; and buttons.
_CLUTTER = ", ".join(
    (
        "pre .linenos", "pre .lineno", "pre .linenumber", "pre .linenodiv", "pre .lnt", "pre span.ln",
        "pre .line-number", "pre .line-numbers", "pre .line-numbers-rows", "pre .hljs-ln-numbers",
        "pre .hljs-ln-n", "pre .gutter", "pre .react-syntax-highlighter-line-number",
        "pre button", "pre script", "pre style", "pre clipboard-copy",
        "td.linenos pre", "td.gutter pre", "td.rouge-gutter pre", "pre.lineno", "div.linenodiv pre",
    )
)  # fmt: skip
_UNSELECTABLE = re.compile(r"user-select:\s*none")
_PERMALINK = "a.headerlink, a.anchor, a.hash-link, a.header-anchor, a.heading-anchor, .sr-only"
#: Elements that hold one line each, where a highlighter ends lines so.
_LINES = ("[data-line]", ".token-line", ".view-line", ".code-line", ".ec-line", "span.line", "li")
_HEADING_OR_BLOCK = "h1, h2, h3, h4, h5, h6, pre"
_LANGUAGE = re.compile(r"(?:\A|\s)(?:(?:language|lang|highlight-source|highlight)-|brush:\s*)([\w.+#-]+)")
#: ``highlight-…`` classes that name no language.
_NO_LANGUAGE = frozenset(("text", "default", "none", "notranslate", "lines", "wrapper"))
#: A line break that stands for itself, and is not one more beside that of the text.
_BREAK = "\ue000"


def html_blocks(page: str) -> list[Block]:
    """The ``<pre>`` elements of a page, in order; those that only hold line numbers are left out.

    Raises TooLarge for a page with more elements, or nested deeper, than pages for people are.
    """
    tree = html.parse(page)
    for node in tree.css(_CLUTTER):
        node.decompose()
    for node in tree.css("pre [style]"):
        if _UNSELECTABLE.search(node.attributes.get("style") or ""):
            node.decompose()
    for node in tree.css("pre br"):
        node.replace_with(_BREAK)
    headings = Headings()
    found = []
    for node in tree.css(_HEADING_OR_BLOCK):
        tag = node.tag or ""
        if tag != "pre":
            for link in node.css(_PERMALINK):
                link.decompose()
            headings.enter(int(tag[1]), node.text())
            continue
        text = _text(node)
        if text.strip():
            block = Block(text=with_final_newline(text), language=_language(node), headings=headings.path)
            found.append(block)
    return found


def _text(node: LexborNode) -> str:
    text = node.text()
    if _BREAK in text:
        text = text.replace(f"{_BREAK}\n", "\n").replace(f"\n{_BREAK}", "\n").replace(_BREAK, "\n")
    for selector in _LINES:
        lines = node.css(selector)
        if len(lines) > 1:
            # Fewer line breaks than lines: the elements themselves are the lines.
            if text.rstrip("\n").count("\n") < len(lines) - 1:
                return "".join(with_final_newline(line.text().replace(_BREAK, "\n")) for line in lines)
            break
    return text


def _language(node: LexborNode) -> str | None:
    """What the block, the code element in it, or a wrapper of it says; the innermost counts."""
    code = node.css_first("code")
    around: list[LexborNode] = [code] if code is not None else []
    current: LexborNode | None = node
    for _ in range(9):  # table, row and cell of a gutter lie between a block and its wrapper
        if current is None or current.tag in {"body", "main", "article", "section"}:
            break
        around.append(current)
        current = current.parent
    for element in around:
        attributes = element.attributes
        for key in ("data-lang", "data-language", "lang"):
            if key != "lang" or element.tag in {"pre", "code"}:
                value = attributes.get(key)
                if value:
                    return language_name(value)
        for match in _LANGUAGE.finditer(attributes.get("class") or ""):
            if match[1] not in _NO_LANGUAGE:
                return language_name(match[1])
    return _bare_class(node, code)


def _bare_class(node: LexborNode, code: LexborNode | None) -> str | None:
    """Some pages say ``<pre class="yaml">``: a single class without a prefix."""
    for element in (code, node):
        words = (element.attributes.get("class") or "").split() if element is not None else []
        if "sourceCode" in words or "highlight" in words or "hljs" in words:
            words = [word for word in words if word not in {"sourceCode", "highlight", "hljs"}]
        if len(words) == 1 and words[0] in {"yaml", "yml", "json", "sh", "bash", "shell", "toml", "ini"}:
            return language_name(words[0])
    return None
