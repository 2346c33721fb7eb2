"""Writing GitHub's Markdown such that no content can break out of its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from upstreamsync.kit.defuse import ZERO_WIDTH, inert, shown

_SPECIAL: Final = re.compile(r"([\\`*_~|\[\]])")
_CODE: Final = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_SPACE: Final = re.compile(r"\s+")


def code(text: str, *, cell: bool = False) -> str:
    """An inline code span on one line; ``cell`` for inside a table, where pipes have to be escaped."""
    flat = _SPACE.sub(" ", shown(text)).strip() or " "
    longest = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    if cell:
        # Two backslashes before a pipe escape it for some readers, and one another for others.
        flat = flat.replace("\\|", f"\\{ZERO_WIDTH}|").replace("|", "\\|")
    return f"{ticks}{pad}{flat}{pad}{ticks}"


def prose(text: str, *, cell: bool = False) -> str:
    """A sentence on one line; its code spans stay code, everything else loses its power."""
    flat = _SPACE.sub(" ", text).strip()
    parts, position = [], 0
    for match in _CODE.finditer(flat):
        parts += [_escape(flat[position : match.start()]), code(match[2], cell=cell)]
        position = match.end()
    return "".join([*parts, _escape(flat[position:])])


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", inert(text))


def fence(text: str, language: str = "") -> str:
    """A code block whose fence is longer than any run of backticks in it."""
    text = shown(text)
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}"


def details(summary: str, content: str) -> str:
    """A folded part. ``summary`` is HTML-escaped text; use ``summary_text`` for content of others."""
    return f"<details><summary>{summary}</summary>\n\n{content}\n\n</details>"


def summary_text(text: str) -> str:
    """Text for a summary line, which is HTML and not Markdown."""
    flat = _SPACE.sub(" ", shown(text)).strip()
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return flat.replace("@", "@\u200b").replace("#", "#\u200b")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells come from ``code(cell=True)``, ``prose(cell=True)`` or ``link``."""
    lines = [_row(header), _row(["---"] * len(header))]
    return "\n".join([*lines, *(_row(row) for row in rows)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def link(text: str, url: str) -> str:
    """A link; a URL that could leave its parentheses is shown as code in place of a link."""
    if not re.fullmatch(r"https?://[^\s()<>\[\]\\`|]+", url):
        return code(url, cell=True)
    return f"[{prose(text, cell=True)}]({url})"


#: A link of ours to a section: its text, and the section's anchor.
LINKED: Final = re.compile(r"\[([^\[\]]*)\]\(#(upstreamsync-[a-z-]+)\)")


def anchor(title: str) -> str:
    """What a section is called in links to it; content of others has no such anchors."""
    return f"upstreamsync-{re.sub(r'[^a-z]+', '-', title.lower()).strip('-')}"


def to_section(text: str, title: str) -> str:
    """A link to the section of that title; ``text`` is Markdown without links."""
    return f"[{text}](#{anchor(title)})"


def plural(count: int, noun: str) -> str:
    """``1 object``, ``2 objects``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def shorten(text: str, limit: int) -> str:
    """``text`` of at most ``limit`` characters; a cut is shown by an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
