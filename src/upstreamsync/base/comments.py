"""Taking the comments out of YAML, and nothing else."""

from __future__ import annotations

import re

from upstreamsync.base.documents import BOM, check_yaml, has_content, parts
from upstreamsync.kit.yaml import syntax

_LINE_END = re.compile(r"[^\r\n]*")
_BLOCK_HEADER = re.compile(r"[|>][0-9+-]*([ \t]+#[^\r\n]*)")


def strip_comments(data: bytes, file: str) -> bytes:
    """``data`` without comment lines, comments at line ends, and documents that were nothing else.

    A ``#`` inside quoted text, a block of text or a word is no comment. Raises Malformed when it is not
    YAML, as then nobody knows what a comment is.
    """
    kept = []
    for part in parts(data.removeprefix(BOM)):
        bare = _strip(part, file) if b"#" in part else part
        if has_content(bare):
            kept.append(bare)
    return b"".join(kept)


def _strip(part: bytes, file: str) -> bytes:
    check_yaml(file, part)
    text = part.decode()
    pieces, position = [], 0
    for begin, end in _comments(text):
        pieces.append(text[position:begin])
        position = end
    pieces.append(text[position:])
    return "".join(pieces).encode()


def _comments(text: str) -> list[tuple[int, int]]:
    """What to cut, as (begin, end) in characters: whole lines, or from the space before a ``#``."""
    spans = []
    position = 0
    for token in syntax.scan(text):
        begin, end = token.start_mark.index, token.end_mark.index
        spans += _comments_between(text, position, begin)
        if isinstance(token, syntax.ScalarToken) and token.style in ("|", ">"):
            header = _BLOCK_HEADER.match(text, begin)
            if header:
                spans.append(header.span(1))
        position = max(position, end)
    return [*spans, *_comments_between(text, position, len(text))]


def _comments_between(text: str, begin: int, end: int) -> list[tuple[int, int]]:
    """The comments between two tokens, where everything but space is a comment."""
    spans = []
    position = text.find("#", begin, end)
    while position >= 0:
        stop = _LINE_END.match(text, position).end()  # type: ignore[union-attr]
        start = position
        while start > 0 and text[start - 1] in " \t":
            start -= 1
        if start == 0 or text[start - 1] in "\r\n":
            # The line's own break goes with it; the last line of a file may have none.
            stop += 2 if text.startswith("\r\n", stop) else 1 if stop < len(text) else 0
        spans.append((start, stop))
        position = text.find("#", stop, end)
    return spans
