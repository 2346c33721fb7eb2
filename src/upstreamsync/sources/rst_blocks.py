"""Code blocks of a page in reStructuredText: directives for code, and literal blocks behind ``::``."""

from __future__ import annotations

import re
import textwrap

from upstreamsync.sources.blocks import Block, Headings, language_name, with_final_newline

_DIRECTIVE = re.compile(
    r"(?P<indent>[ ]*)\.\. (?:code-block|code|sourcecode|parsed-literal)::[ ]*(?P<language>\S*)[ ]*"
)
#: The language of the blocks that say none, from here on.
_HIGHLIGHT = re.compile(r"[ ]*\.\. highlight::[ ]*(?P<language>\S+).*")
#: Two dots before what is no directive, target, footnote or substitution: a comment, with all that is indented below.
_COMMENT = re.compile(r"(?P<indent>[ ]*)\.\.(?:[ ]+(?!_|__|\[|\||[\w:+.-]+::).*)?[ ]*")
_OPTION = re.compile(r"[ ]*:[\w-]+:.*")
_LITERAL = re.compile(r"(?P<indent>[ ]*)(?!\.\.)(?:.*[^:\s].*)?::[ ]*")
_UNDERLINE = re.compile(r"([!-/:-@\[-`{-~])\1{2,}[ ]*")


def rst_blocks(page: str) -> list[Block]:
    """The code blocks of a page, in order."""
    lines = page.replace("\r\n", "\n").removeprefix("\ufeff").expandtabs(8).split("\n")
    headings, styles = Headings(), list[str]()
    found: list[Block] = []
    number, default = 0, ""
    while number < len(lines):
        line = lines[number]
        if (title := _title(lines, number)) is not None:
            text, style, number = title
            if style not in styles:
                styles.append(style)
            headings.enter(styles.index(style) + 1, text)
            continue
        directive = _DIRECTIVE.fullmatch(line)
        literal = None if directive else _LITERAL.fullmatch(line)
        number += 1
        if comment := _COMMENT.fullmatch(line):
            _, number = _indented(lines, number, len(comment["indent"]), options=False)
        elif highlight := _HIGHLIGHT.fullmatch(line):
            default = highlight["language"]
        if directive is None and literal is None:
            continue
        match = directive or literal
        assert match is not None  # noqa: S101 (one of the two is there)
        text, number = _indented(lines, number, len(match["indent"]), options=directive is not None)
        if text.strip():
            language = language_name((directive["language"] if directive else "") or default)
            found.append(Block(text=with_final_newline(text), language=language, headings=headings.path))
    return found


def _title(lines: list[str], number: int) -> tuple[str, str, int] | None:
    """A heading that begins in this line: its text, its style, and the line behind it."""
    over = _UNDERLINE.fullmatch(lines[number]) is not None
    at = number + 1 if over else number
    if at + 1 >= len(lines) or not lines[at].strip() or _UNDERLINE.fullmatch(lines[at]):
        return None
    under = lines[at + 1]
    if not _UNDERLINE.fullmatch(under) or len(under.rstrip()) < len(lines[at].rstrip()):
        return None
    if over and lines[number].strip()[:1] != under[0]:
        return None
    if not over and lines[at][:1] == " ":
        return None
    return lines[at].strip(), f"{under[0] if over else ''}{under[0]}", at + 2


def _indented(lines: list[str], number: int, indent: int, *, options: bool) -> tuple[str, int]:
    """The lines that are indented further than ``indent``, moved to the left; and the line behind them."""
    while options and number < len(lines) and _OPTION.fullmatch(lines[number]):
        number += 1
    taken: list[str] = []
    while number < len(lines):
        line = lines[number]
        if line.strip() and len(line) - len(line.lstrip(" ")) <= indent:
            break
        taken.append(line)
        number += 1
    return textwrap.dedent("\n".join(taken)).strip("\n"), number
