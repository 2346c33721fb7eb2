"""Globs over POSIX paths: ``*`` and ``?`` stay within a folder, ``**`` crosses folders.

A glob whose last part is plain also takes everything below the folder of that name.
"""

from __future__ import annotations

import re
from functools import lru_cache

_WILD = re.compile(r"[*?\[]")
#: What has a meaning of its own inside of `[…]` for Python, and none for a glob.
_SPECIAL = re.compile(r"[\\\[&|~]")
_FOLDERS = "(?:[^/]+/)*"


def is_plain(glob: str) -> bool:
    """Whether the glob has no wildcard."""
    return _WILD.search(glob) is None


def fixed_part(glob: str) -> str:
    """The leading folders without a wildcard; for a plain path all of it."""
    parts = glob.strip("/").split("/")
    plain = next((number for number, part in enumerate(parts) if not is_plain(part)), len(parts))
    return "/".join(parts[:plain])


@lru_cache(maxsize=512)
def pattern(glob: str, *, below: bool = True) -> re.Pattern[str]:
    """The glob as a regular expression for the whole path; ``below``: a plain last part takes what lies below.

    Whatever stands between two wildcards is taken where it is found first, and that is never taken back: the
    answer is the same, and the time that it takes grows with the path's length and no faster.
    """
    parts = [part for part in glob.split("/") if part not in {"", "."}]
    groups: list[list[str]] = [[]]
    for part in parts:
        if part != "**":
            groups[-1].append(_segment(part))
        elif groups[-1] or len(groups) == 1:
            groups.append([])
    first, rest = groups[0], groups[1:]
    expression = "/".join(first)
    if first and rest:
        expression += "/"
    for group in rest[:-1]:
        expression += f"(?>{_FOLDERS}?{'/'.join(group)}/)"
    if rest:
        expression += f"{_FOLDERS}{'/'.join(rest[-1])}" if rest[-1] else ".+"
    if below and parts and is_plain(parts[-1]):
        expression += "(?:/.+)?"
    return re.compile(expression, re.DOTALL)


def matches(glob: str, path: str) -> bool:
    """Whether ``path`` is one of those that ``glob`` means."""
    return pattern(glob).fullmatch(path) is not None


def _segment(part: str) -> str:
    """One part between slashes."""
    chunks = [""]
    position = 0
    while position < len(part):
        character = part[position]
        end = part.find("]", position + 2) if character == "[" else -1
        if character == "*":
            chunks.append("")
        elif character == "?":
            chunks[-1] += "[^/]"
        elif end > 0:
            body = _SPECIAL.sub(r"\\\g<0>", part[position + 1 : end])
            chunks[-1] += _of_class(f"[{'^' + body[1:] if body[0] in '!^' else body}]")
            position = end
        else:
            chunks[-1] += re.escape(character)
        position += 1
    if len(chunks) == 1:
        return chunks[0]
    between = "".join(f"(?>[^/]*?{chunk})" for chunk in chunks[1:-1] if chunk)
    return f"{chunks[0]}{between}[^/]*{chunks[-1]}"


def _of_class(text: str) -> str:
    try:
        re.compile(text)
    except re.error:  # a range that runs backwards, as `[z-a]`, has no characters
        return "(?!)"
    return f"(?!/){text}"
