"""Texts as lines: what a change does to them, and two changes of one text together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from difflib import SequenceMatcher
from typing import Final

Read = Callable[[str], bytes | None]
#: Beyond this a file counts as a whole: it is a base layer's, and nobody edits it besides.
SMALL: Final = 64 * 1024

_Edit = tuple[int, int, list[bytes]]


def _edits(old: list[bytes], new: list[bytes]) -> list[_Edit]:
    """(first line, line behind the last, replacement) in terms of ``old``."""
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [(a, b, new[c:d]) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"]


def merge(base: bytes, ours: bytes, theirs: bytes, *, apart: bool = False) -> bytes | None:
    """Both changes of ``base`` together; None when they change the same lines in different ways.

    With ``apart`` neighbouring lines count as the same, as they do to ``git merge``.
    """
    if ours in (base, theirs):
        return theirs
    if theirs == base:
        return ours
    lines = base.splitlines(keepends=True)
    mine = _edits(lines, ours.splitlines(keepends=True))
    others = _edits(lines, theirs.splitlines(keepends=True))
    edits = sorted([*mine, *(edit for edit in others if edit not in mine)], key=lambda edit: edit[:2])
    result: list[bytes] = []
    position = 0
    for start, end, replacement in edits:
        touching = start == position and (position > 0 or bool(result))
        if start < position or (touching and (apart or start == end)):
            return None
        result += [*lines[position:start], *replacement]
        position = end
    return b"".join([*result, *lines[position:]])


def result_digest(files: Mapping[str, bytes | None], read: Read, executable: Collection[str] = ()) -> str:
    """A digest of what ``files`` do to the repository that ``read`` reads: ``sha256:<hex>``.

    A small file that exists counts by the lines that it loses and gains, so an unrelated change of it on
    the base branch (another vendor's version line) leaves the digest as it is.
    """
    total = hashlib.sha256()
    for path in sorted(files):
        new = files[path]
        total.update(f"{path}\0{'x' if path in executable else ''}".encode())
        old = read(path)
        if new is not None and old is not None and max(len(old), len(new)) <= SMALL:
            lines = old.splitlines(keepends=True)
            for start, end, replacement in _edits(lines, new.splitlines(keepends=True)):
                for sign, part in ((b"-", lines[start:end]), (b"+", replacement)):
                    total.update(sign + hashlib.sha256(b"".join(part)).digest())
        else:
            total.update(b"=" + (hashlib.sha256(new).digest() if new is not None else b"gone"))
        total.update(b"\0")
    return "sha256:" + total.hexdigest()
