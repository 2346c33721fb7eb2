"""Which paths content may have: nothing that leaves its folder, hides in .git, or means two files at once."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from upstreamsync.errors import Refused

MAX_PATH = 1024
MAX_PART = 255
_BACKSLASH = "\\"
#: Files that change how git treats everything around them, whoever wrote them.
_GIT_CONTROL = frozenset((".gitattributes", ".gitmodules"))


def check_path(path: str) -> str:
    """``path`` itself, when a file of that name may be written below a folder of ours; else Refused."""
    if why := _objection(path):
        raise Refused(
            f"{path!r} is not a path that may be written: {why}",
            hint="leave the file out with `exclude`, or name it yourself with `file`",
        )
    return path


def check_paths(paths: Iterable[str]) -> None:
    """Check each path, and that no two of them are one file to some file system. Raises Refused."""
    seen: dict[str, str] = {}
    known = []
    for path in paths:
        check_path(path)
        known.append(path)
        other = seen.setdefault(_folded(path), path)
        if other != path:
            raise Refused(
                f"`{other}` and `{path}` differ in case alone: on some file systems they are one file",
                hint="leave one of them out",
            )
    for path in known:
        folder = _folded(path).rpartition("/")[0]
        while folder:
            if folder in seen:
                raise Refused(f"`{seen[folder]}` would be a file, and the folder of `{path}`")
            folder = folder.rpartition("/")[0]


def _objection(path: str) -> str | None:
    parts = path.split("/")
    lowered = [part.lower().rstrip(". ") for part in parts]
    objections = {
        "it is empty": not path,
        "it is absolute": path.startswith(("/", "~")) or path[1:2] == ":",
        "it has a backslash": _BACKSLASH in path,
        "it has control characters": any(unicodedata.category(character) == "Cc" for character in path),
        "it is not Unicode text": any("\ud800" <= character <= "\udfff" for character in path),
        "it steps out of its folder": ".." in parts,
        "it has empty or `.` parts": "" in parts or "." in parts,
        "it lies inside .git": ".git" in lowered or any(part.startswith("git~") for part in lowered),
        "git would obey that file": not _GIT_CONTROL.isdisjoint(lowered),
        "it is too long": len(path) > MAX_PATH
        or any(len(part.encode("utf-8", "replace")) > MAX_PART for part in parts),
    }
    return next((why for why, holds in objections.items() if holds), None)


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
