"""The piece of a file in which a customization stands. Pure."""

from __future__ import annotations

import posixpath
import re
from typing import Final

from upstreamsync.model import Judgement

_KUSTOMIZATIONS: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_SECRET: Final = re.compile(r"""\bkind:\s*["']?Secret\b""")
_MARKER: Final = re.compile(r"^---(\s|$)")
#: So many lines are shown of one customization.
_LINES: Final = 160


def of_secret(item: Judgement, text: str) -> bool:
    """Whether a customization may hold the values of a Secret, which are shown to nobody."""
    names = [resource for finding in item.told for resource in finding.resources]
    return (
        item.field == "secretGenerator"
        or any(" Secret " in f" {name} " for name in names)
        or _SECRET.search(text) is not None
    )


def excerpt(item: Judgement, text: str) -> tuple[int, str]:
    """The first line, from 1, and the text of the customization: an entry of a kustomization, or a document."""
    lines = text.splitlines()
    start = min(max(item.line - 1, 0), max(len(lines) - 1, 0))
    if posixpath.basename(item.file) in _KUSTOMIZATIONS:
        start = _begin_of_entry(lines, start)
        end = _end_of_entry(lines, start)
    else:
        while start > 0 and not _MARKER.match(lines[start]):
            start -= 1
        start += 1 if lines and _MARKER.match(lines[start]) else 0
        end = next((n for n in range(start, len(lines)) if _MARKER.match(lines[n])), len(lines))
    shown = lines[start : min(end, start + _LINES)]
    if end - start > _LINES:
        shown.append(f"# … and {end - start - _LINES} more lines")
    return start + 1, "\n".join(shown)


def _begin_of_entry(lines: list[str], start: int) -> int:
    """The line with the dash of the entry that ``start`` stands in, however deep; a field's own line otherwise."""
    if not lines or _is_field(lines[start]):
        return start
    field = next((n for n in range(start, -1, -1) if _is_field(lines[n])), -1)
    dashes = [n for n in range(field + 1, start + 1) if lines[n].lstrip().startswith("-")]
    if not dashes:
        return start
    outermost = _indent(lines[dashes[0]])
    return next(n for n in reversed(dashes) if _indent(lines[n]) <= outermost)


def _is_field(line: str) -> bool:
    """Whether a field of the kustomization begins with this line."""
    return bool(line.strip()) and line[0] not in " -#\t"


def _end_of_entry(lines: list[str], start: int) -> int:
    """Behind the entry that begins at ``start``: all that is moved in further, and the list that a key has."""
    if not lines:
        return 0
    indent = _indent(lines[start])
    is_element = lines[start].lstrip().startswith("- ")
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if not line.strip() or _indent(line) > indent:
            continue
        if not is_element and _indent(line) == indent and line.lstrip().startswith("-"):
            continue
        return number
    return len(lines)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
