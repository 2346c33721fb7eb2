"""Which relative paths may become files: the same rule for archives, git trees and whatever else arrives."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

from upstreamsync.errors import Refused

MAX_LENGTH = 1024
MAX_SEGMENT = 255
_DEVICES = re.compile(r"(?i)(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
#: What the name of a lock ends with, unless vendors.yaml names it.
LOCK_SUFFIX = ".lock.yaml"
#: Folders that hold no files of the repository's own, and many of others.
_NOT_LOOKED_INTO = frozenset((".git", ".venv", "node_modules", ".tox", ".tools", "__pycache__"))
_HINT = "nothing was written; report this to those who published it"


def check_relative(path: str, *, origin: str, own: bool = False) -> str:
    """Return ``path`` when it is plain and relative: it stays in its folder, on every system.

    Refused are absolute and parent paths, ``.git`` folders, control characters, backslashes, drive
    letters, names that Windows reserves, and paths longer than MAX_LENGTH. ``origin`` says in the message
    where the path comes from. In a tree of the user's ``own``, what Windows alone minds is minded on
    Windows alone: the user has it on this system.
    """
    reason = _fault(path, foreign=not own or os.name == "nt")
    if reason is not None:
        raise Refused(f"{origin} has the path `{_shown(path)}`, which {reason}", hint=_HINT)
    return path


def fold(path: str) -> str:
    """What a file system that ignores case, and the way accents are written, makes of a path."""
    return unicodedata.normalize("NFC", path).casefold()


def _fault(path: str, *, foreign: bool) -> str | None:
    if not path:
        return "is empty"
    if len(path) > MAX_LENGTH:
        return f"is longer than {MAX_LENGTH} characters"
    if _CONTROL.search(path):
        return "has control characters"
    if foreign and "\\" in path:
        return "has a backslash, which separates folders on Windows"
    if path.startswith("/"):
        return "is absolute"
    for segment in path.split("/"):
        if segment in {"", ".", ".."}:
            return "does not stay in its folder" if segment == ".." else "is not in its plain form"
        if len(segment.encode("utf-8", "surrogateescape")) > MAX_SEGMENT:
            return f"has a name of more than {MAX_SEGMENT} bytes"
        if segment.casefold().rstrip(". ") == ".git":
            return "reaches into a .git folder"
        if foreign and (reason := _minded_by_windows(segment)):
            return reason
    return None


def _minded_by_windows(segment: str) -> str | None:
    if ":" in segment:
        return "has a colon, which names a drive or a stream on Windows"
    if _DEVICES.fullmatch(segment):
        return "is a device on Windows"
    if segment[-1] in ". ":
        return "ends in a dot or space, which Windows drops"
    return None


def _shown(path: str) -> str:
    text = path.encode("unicode_escape").decode("ascii")
    return text if len(text) <= 120 else f"{text[:120]}…"


def files_named(root: Path, suffix: str) -> list[str]:
    """Every file of a tree whose name ends with ``suffix``, by its path below ``root``, sorted.

    Links are not followed, and what can't be read is left out.
    """
    found: list[str] = []
    waiting = [(os.fspath(root), "")]
    while waiting:
        folder, prefix = waiting.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        for entry in entries:
            if entry.name.endswith(suffix):
                if entry.is_file(follow_symlinks=False):
                    found.append(prefix + entry.name)
            elif entry.name not in _NOT_LOOKED_INTO and entry.is_dir(follow_symlinks=False):
                waiting.append((entry.path, f"{prefix}{entry.name}/"))
    return sorted(found)
