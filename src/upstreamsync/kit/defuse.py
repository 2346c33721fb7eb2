"""Upstream's words made harmless before they enter a pull request.

The text is read by two programs, first Markdown, then GitHub's filters for mentions and references, and
our idea of the first would never equal theirs. So nothing depends on parsing: a zero-width space goes
wherever a mention, a reference, a tag or an entity could begin, which works in code blocks as well as
outside of them. A link leads where its own parentheses say, and to http(s) alone: definitions of references
(``[t]: /x``), which would make a link of every ``[t]``, are none any more. Links to github.com go through
redirect.github.com, GitHub's own redirect for bots, which leads to the same page but leaves no "mentioned in"
over there. The whole is put into a block quote, which ends every fence and every HTML block that upstream left
open.
"""

from __future__ import annotations

import re
from typing import Final

from upstreamsync.kit.sanitize import without_hidden

ZERO_WIDTH: Final = "\u200b"
REDIRECT: Final = "redirect.github.com"

_URL: Final = re.compile(r"""(?<![^\s(\[<"'*_~>])https?://[^\s<>"'`\\)\]\[!]+""")
_GITHUB: Final = re.compile(r"^https?://(?:www\.)?github\.com(?=[/?#:]|$)", re.IGNORECASE)
_ENTITY: Final = re.compile(r"&(?=#?\w+;)")
_TRIGGERS: Final = (
    (re.compile(r"@(?=\S)"), "@" + ZERO_WIDTH),
    (re.compile(r"#(?=[^\s#])"), "#" + ZERO_WIDTH),
    (re.compile(r"\b(GH|gh|Gh|gH)-(?=\d)"), r"\1-" + ZERO_WIDTH),
    (re.compile(r"<(?=[A-Za-z/!?])"), "<" + ZERO_WIDTH),
    (re.compile(r"&(?=[#A-Za-z])"), "&" + ZERO_WIDTH),
    (re.compile(r"!(?=\[)"), "!" + ZERO_WIDTH),
    (re.compile(r"\](?=:)"), "]" + ZERO_WIDTH),
    (re.compile(r"\]\((?!https?://)"), "]" + ZERO_WIDTH + "("),
    (re.compile(r"\bgithub\.com(?=/)", re.IGNORECASE), "github" + ZERO_WIDTH + ".com"),
    (re.compile(r"\b([0-9a-f]{7})(?=[0-9a-f]{33}\b)"), r"\1" + ZERO_WIDTH),
)


def shown(text: str) -> str:
    """``text`` with nothing in it that hides or turns around what is written; for code, and before all else.

    Comments are broken as well: our marker and checkbox are found by theirs, wherever they stand.
    """
    return without_hidden(text).replace("<!--", f"<!{ZERO_WIDTH}--")


def inert(text: str) -> str:
    """``text`` without mentions, references, tags, entities and images; links are kept."""
    text = shown(text)
    parts, position = [], 0
    for match in _URL.finditer(text):
        parts += [_break(text[position : match.start()], text[match.start() :]), _link(match.group())]
        position = match.end()
    return "".join([*parts, _break(text[position:], "")])


def _break(text: str, following: str) -> str:
    # A link's destination stands behind the cut: the pattern for other destinations must see it.
    opens_link = text.endswith("](") and following.startswith("http")
    head, tail = (text[:-2], "](") if opens_link else (text, "")
    for pattern, replacement in _TRIGGERS:
        head = pattern.sub(replacement, head)
    return head + tail


def _link(url: str) -> str:
    url = _GITHUB.sub(f"https://{REDIRECT}", url).replace("@", "%40")
    return _ENTITY.sub("%26", url)


def quoted_notes(text: str, *, limit: int) -> tuple[str, bool]:
    """Release notes as a harmless block quote of at most about ``limit`` characters; and whether cut."""
    lines: list[str] = []
    size = 0
    cut = False
    for line in inert(text).strip().split("\n"):
        size += len(line) + 3
        if size > limit:
            cut = True
            break
        lines.append(f"> {line}".rstrip())
    return "\n".join(lines), cut
