"""Pointers of Git LFS: the small texts that stand in git, and in what is made of it, for large files.

Read as leniently as git-lfs itself reads them: with any line endings, with space around, with the addresses
that its first versions wrote. See the specification of Git LFS, and what it says of extensions.
"""

from __future__ import annotations

import re
from typing import Final

from upstreamsync.errors import ContentError

#: What is said of a file of the user's own checkout, and what to do about it.
OWN_POINTER: Final = "a pointer of Git LFS: this checkout does not have the file itself"
PULL: Final = "`git lfs install && git lfs pull`; in a workflow, `lfs: true` for actions/checkout"
_LARGEST = 1024
_SPECS = rb"(?:https?://(?:git-lfs|hawser)\.github\.com/spec/|https?://git-media\.io/v/)"
_FIRST_LINE = re.compile(rb"(?:\xef\xbb\xbf)?\s*version[ \t]+%s\S+\s" % _SPECS)
_DIGEST = rb"(sha256:[0-9a-f]{64})"
_WHOLE = re.compile(
    rb"\s*version %s\S+[ \t]*\r?\n"
    rb"(?:ext-\d-\S+ %s[ \t]*\r?\n(?:ext-\d-\S+ [^\r\n]*\r?\n)*)?"
    rb"oid %s[ \t]*\r?\nsize \d+\s*" % (_SPECS, _DIGEST, _DIGEST)
)


def is_pointer(data: bytes) -> bool:
    """Whether a file stands for another one; also where its form is damaged behind the first line."""
    return b"version" in data[:64] and _FIRST_LINE.match(data[:_LARGEST] + b"\n") is not None


def pointed_at(data: bytes) -> str | None:
    """The digest (``sha256:<hex>``) of the file for which a pointer stands; None for anything else.

    Where extensions changed the content on its way, the first of them says what it was before.
    """
    match = _WHOLE.fullmatch(data) if len(data) < _LARGEST else None
    return (match[1] or match[2]).decode() if match is not None else None


def refuse_pointer(data: bytes, name: str) -> None:
    """Raise ContentError where what was fetched as ``name`` is a pointer in place of the file."""
    if is_pointer(data):
        raise ContentError(
            f"{name} is a pointer of Git LFS, not the file that it points to",
            hint="take the file from a release, or from the address that the git host gives it (at GitHub "
            "https://media.githubusercontent.com/media/OWNER/REPOSITORY/REF/PATH)",
        )
