"""Folders as people type them, and as a checkout calls them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from upstreamsync.errors import UsageError
from upstreamsync.kit.git.checkout import checkout_of


def without_configuration() -> bool:
    """Whether there is no vendors.yaml in the working folder or above it."""
    from upstreamsync.config import find_configuration  # here, so that --help stays light

    try:
        find_configuration(Path.cwd())
    except UsageError:
        return True
    return False


_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def write_file(path: Path, text: str) -> None:
    """Write a result to a file that the user has named. Raises UsageError where that can't be.

    No link of the checkout is followed: whoever made the commit may have put it in the way, and says where it leads.
    """
    here = os.path.realpath(".")
    place = os.path.normpath(os.path.join(here, path))
    top = str(checkout_of(Path(here))).rstrip(os.sep)
    if place.startswith(f"{top}{os.sep}") and os.path.realpath(place) != place:
        raise UsageError(
            f"{path} is not written: a link lies there, or on the way to it",
            hint="take the link away, or name a file outside of the checkout",
        )
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{path} can't be written: {error.strerror}", hint="name a file in a folder that exists"
        ) from None


def relative_overlays(overlays: Sequence[str], root: Path) -> tuple[str, ...]:
    """Overlays as people type them: relative to the root, or to the folder they stand in."""
    return tuple(_relative(overlay, root.resolve()) for overlay in overlays)


def _relative(overlay: str, root: Path) -> str:
    places = [(start / overlay).resolve() for start in (root, Path.cwd())]
    inside = [place for place in places if place.is_dir() and place.is_relative_to(root)]
    if not inside:
        hint = f"overlays are folders below {root}"
        if any(place.is_file() for place in places):
            hint = f"it is a file: name its folder, `{Path(overlay).parent}`"
        raise UsageError(f"there is no folder `{overlay}`", hint=hint)
    built = [place for place in inside if any((place / name).is_file() for name in _KUSTOMIZATIONS)]
    return (built or inside)[0].relative_to(root).as_posix()


def overlay_prefix(root: Path) -> str:
    """From the working folder to ``root``, so that annotations name files of the checkout."""
    try:
        relative = root.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return ""
    return "" if relative == "." else f"{relative}/"
