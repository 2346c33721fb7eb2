"""Code blocks of a page in AsciiDoc: listings, literals and fences, callouts taken out."""

from __future__ import annotations

import re

from upstreamsync.sources.blocks import Block, Headings, language_name, with_final_newline

_HEADING = re.compile(r"(?P<marks>={1,6}|#{1,6})[ ]+(?P<text>.+?)(?:[ ]+(?P=marks))?[ ]*")
_ATTRIBUTES = re.compile(r"\[(?P<list>[^\[\]]*)\][ ]*")
_DELIMITER = re.compile(r"(?:-{4,}|\.{4,}|`{3}(?P<language>[\w.+#-]*))[ ]*")
#: The language of the listings that say none, from here on.
_DEFAULT = re.compile(r":source-language:[ ]*(?P<language>[\w.+#-]*)[ ]*")
_COMMENT = re.compile(r"/{4,}[ ]*")
_STYLE = re.compile(r"(?:source|listing|literal)?(?:[%#.][\w-]+)*")
_CALLOUTS = re.compile(
    r"(?:[ ]*(?:(?:#|//|--|;;)[ ]?)?(?:<(?:\d+|\.)>|<!--(?:\d+|\.)-->))+[ ]*$", re.MULTILINE
)


def asciidoc_blocks(page: str) -> list[Block]:
    """The code blocks of a page, in order."""
    lines = page.replace("\r\n", "\n").removeprefix("\ufeff").split("\n")
    headings = Headings()
    found: list[Block] = []
    language: str | None = None
    listed = False
    number, default = 0, ""
    while number < len(lines):
        line = lines[number]
        number += 1
        if _COMMENT.fullmatch(line):
            _, number = _until(lines, number, line.rstrip())
        elif preset := _DEFAULT.fullmatch(line):
            default = preset["language"]
        elif delimiter := _DELIMITER.fullmatch(line):
            end = line.rstrip() if not line.startswith("`") else "```"
            text, number = _until(lines, number, end)
            _add(found, text, language_name(delimiter["language"] or "") or language, headings)
            language, listed = None, False
        elif attributes := _ATTRIBUTES.fullmatch(line):
            language, listed = _language(attributes["list"])
            language = language or (language_name(default) if listed else None)
        elif heading := _HEADING.fullmatch(line):
            headings.enter(len(heading["marks"]), heading["text"])
            language, listed = None, False
        elif listed and line.strip() and not line.startswith((".", "+", "//")):
            text, number = _paragraph(lines, number - 1)
            _add(found, text, language, headings)
            language, listed = None, False
        elif line.strip() and not line.startswith((".", "+", "//")):
            language, listed = None, False  # attributes are those of what comes next, blank lines aside
    return found


def _add(found: list[Block], text: str, language: str | None, headings: Headings) -> None:
    if text.strip():
        bare = _CALLOUTS.sub("", text)
        found.append(Block(text=with_final_newline(bare), language=language, headings=headings.path))


def _language(attributes: str) -> tuple[str | None, bool]:
    """The language that a block's attributes name, and whether they make it a listing."""
    style, *others = [word.strip().strip("\"'") for word in attributes.split(",")]
    if not _STYLE.fullmatch(style):
        return None, False
    named = next(
        (word.partition("=")[2].strip("\"'") for word in others if word.startswith("language=")), None
    )
    positional = next((word for word in others[:1] if "=" not in word), None)
    language = named or positional
    is_listing = style.startswith(("source", "listing", "literal")) or (not style and bool(language))
    return language_name(language or ""), is_listing


def _until(lines: list[str], number: int, end: str) -> tuple[str, int]:
    taken: list[str] = []
    while number < len(lines) and lines[number].rstrip() != end:
        taken.append(lines[number])
        number += 1
    return "\n".join(taken), number + 1


def _paragraph(lines: list[str], number: int) -> tuple[str, int]:
    taken: list[str] = []
    while number < len(lines) and lines[number].strip():
        taken.append(lines[number])
        number += 1
    return "\n".join(taken), number
