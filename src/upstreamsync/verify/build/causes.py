"""kustomize's messages for people: the last cause, which is what is wrong, and not the chain that led there."""

from __future__ import annotations

import re
from typing import Final

_LIMIT: Final = 300
#: kustomize goes from folder to folder; what follows the last of these is said of the innermost.
_RECURSED: Final = re.compile(r"recursed (?:accumulation|merging) (?:of|from) path '[^']*': ")
_FROM: Final = re.compile(
    r"^(?:accumulating (?:resources|components): )?(?:accumulation err=')?"
    r"(?:accumulating resources from '(?P<entry>[^']*)': |accumulateDirectory: |accumulateFile )"
)
_MUST: Final = re.compile(r"': must build at directory: .*$", re.DOTALL)
_ABSENT: Final = re.compile(
    r"evalsymlink failure on '(?P<path>[^']*)'\s*: lstat \S+: no such file or directory"
)
_LEAD: Final = re.compile(r"^(?:accumulating (?:resources|components): |accumulation err=')+")


def cause(error: str) -> str:
    """The last cause of kustomize's ``error``, in one line."""
    line = _last_line(error)
    inner = _RECURSED.split(line)[-1]
    entry = ""
    while (found := _FROM.match(inner)) is not None:
        entry = found.group("entry") or entry
        inner = _MUST.sub("", inner[found.end() :])
    inner = _LEAD.sub("", inner).strip()
    if absent := _ABSENT.search(inner):
        return f"{absent.group('path')} is not there"
    if entry and entry not in inner:
        inner = f"{entry}: {inner}"
    return shortened(inner.lstrip("`: ") or line)


def _last_line(error: str) -> str:
    return next((line.strip() for line in reversed(error.splitlines()) if line.strip()), error.strip())


def shortened(text: str) -> str:
    """``text`` on one line, cut at the end of a word where it is too long."""
    flat = " ".join(text.split())
    return flat if len(flat) <= _LIMIT else flat[: _LIMIT - 1].rsplit(" ", 1)[0] + " …"
