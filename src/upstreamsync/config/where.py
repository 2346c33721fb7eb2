"""Where a vendors.yaml is, and which folders it may speak of: what can be said without reading it."""

from __future__ import annotations

import os
from pathlib import Path

from upstreamsync.errors import UsageError

FILE_NAME = "vendors.yaml"


def find_configuration(start: Path) -> Path:
    """The vendors.yaml in ``start`` or the nearest folder above. Raises UsageError when there is none."""
    for folder in (start.absolute(), *start.absolute().parents):
        candidate = folder / FILE_NAME
        if candidate.is_file():
            return candidate
    raise UsageError(
        f"there is no {FILE_NAME} in {start} or above",
        hint="name one with --config, or write one: `upstreamsync init` makes a start",
    )


def shown_path(path: Path, start: Path | None = None) -> str:
    """How a file is named to people: relative to the working folder where it lies below it."""
    try:
        return path.resolve().relative_to((start or Path.cwd()).resolve()).as_posix()
    except ValueError:
        return path.as_posix()


def leaves(root: Path, real_root: Path, folder: str) -> str | None:
    """The first part of the path ``folder`` that is a symlink out of the repository at ``root``."""
    for path in (*folders_above(folder), folder):
        current = f"{root}/{path}"
        if os.path.islink(current) and not Path(current).resolve().is_relative_to(real_root):
            return path
    return None


def folders_above(path: str) -> list[str]:
    """The folders that a path leads through, the outermost first."""
    parts = path.split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts))]
