"""Globs over POSIX paths: ``*`` and ``?`` stay within a folder, ``**`` crosses folders.

A glob whose last part is plain also takes everything below the folder of that name.
"""

from __future__ import annotations

import re
from functools import lru_cache

_WILD = re.compile(r"[*?\[]")


def is_plain(glob: str) -> bool:
    """Whether the glob has no wildcard."""
    return _WILD.search(glob) is None


def fixed_part(glob: str) -> str:
    """The leading folders without a wildcard; for a plain path all of it."""
    parts = glob.strip("/").split("/")
    plain = next((number for number, part in enumerate(parts) if not is_plain(part)), len(parts))
    return "/".join(parts[:plain])


@lru_cache(maxsize=512)
def pattern(glob: str) -> re.Pattern[str]:
    """The glob as a regular expression for the whole path."""
    parts = [part for part in glob.split("/") if part not in {"", "."}]
    expression = ""
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            expression += ".+" if last else "(?:[^/]+/)*"
        else:
            expression += _segment(part) + ("" if last else "/")
    if parts and is_plain(parts[-1]):
        expression += "(?:/.+)?"
    return re.compile(expression, re.DOTALL)


def matches(glob: str, path: str) -> bool:
    """Whether ``path`` is one of those that ``glob`` means."""
    return pattern(glob).fullmatch(path) is not None


def _segment(part: str) -> str:
    """One part between slashes."""
    expression = ""
    position = 0
    while position < len(part):
        character = part[position]
        end = part.find("]", position + 2) if character == "[" else -1
        if character == "*":
            expression += "[^/]*"
        elif character == "?":
            expression += "[^/]"
        elif end > 0:
            body = part[position + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            expression += f"(?!/)[{'^' + body[1:] if body[0] in '!^' else body}]"
            position = end
        else:
            expression += re.escape(character)
        position += 1
    return expression
