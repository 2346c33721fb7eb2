"""What git makes of a file between what was written and what a checkout has: line endings, LFS, keywords.

Settings and attributes (``core.autocrlf``, ``eol``, ``text``, filters) may differ from machine to machine, so
an untouched checkout can have other bytes than those that were written. Those that mean the same are told here
by the bytes alone, without asking git.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from upstreamsync.kit.digests import sha256
from upstreamsync.kit.lfs import pointed_at

_EXPANDED = re.compile(rb"\$Id: [0-9a-f]{40} \$")


def stands_for(data: bytes, digest: str) -> bool:
    """Whether a file of a checkout is what git makes of content with that digest (``sha256:<hex>``)."""
    return any(sha256(one) == digest for one in _written(data)) or pointed_at(data) == digest


def same_text(one: bytes, other: bytes) -> bool:
    """Whether two files differ in nothing but their line endings and git's own keyword."""
    return plain(one) == plain(other)


def plain(data: bytes) -> bytes:
    """With plain line endings, and git's keyword as it was written."""
    return _EXPANDED.sub(b"$Id$", data.replace(b"\r\n", b"\n"))


def _written(data: bytes) -> Iterator[bytes]:
    """The file itself, then what else it may have been before git converted it."""
    yield data
    if b"\n" in data or b"$Id" in data:
        unix = plain(data)
        yield unix
        yield unix.replace(b"\n", b"\r\n")
