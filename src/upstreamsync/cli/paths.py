"""Folders as people type them, and as a checkout calls them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from upstreamsync.config import find_configuration
from upstreamsync.errors import UsageError


def without_configuration() -> bool:
    """Whether there is no vendors.yaml in the working folder or above it."""
    try:
        find_configuration(Path.cwd())
    except UsageError:
        return True
    return False


def relative_overlays(overlays: Sequence[str], root: Path) -> tuple[str, ...]:
    """Overlays as people type them: relative to the root, or to the folder they stand in."""
    found = []
    for overlay in overlays:
        typed = (Path.cwd() / overlay).resolve()
        inside = typed.is_relative_to(root.resolve()) and typed.is_dir()
        if not (root / overlay).is_dir() and not inside:
            raise UsageError(f"there is no folder `{overlay}`", hint=f"overlays are folders below {root}")
        found.append(overlay if (root / overlay).is_dir() else typed.relative_to(root.resolve()).as_posix())
    return tuple(one.rstrip("/") for one in found)


def overlay_prefix(root: Path) -> str:
    """From the working folder to ``root``, so that annotations name files of the checkout."""
    try:
        relative = root.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return ""
    return "" if relative == "." else f"{relative}/"
