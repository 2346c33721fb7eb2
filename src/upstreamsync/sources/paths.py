"""Which files of a tree or an archive are taken, and what they are called in the base."""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from upstreamsync.errors import SelectionError
from upstreamsync.kit import globs
from upstreamsync.sources.job import safe_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Globs of files to take and to leave, filled, and what to cut off in front of their paths.

    ``strip`` is a number of folders, a path, or None for what the globs have in common.
    """

    take: tuple[str, ...]
    leave: tuple[str, ...] = ()
    strip: str | int | None = None


def choose(paths: Sequence[str], choice: Choice, where: str) -> dict[str, str]:
    """Path in the base → path upstream, sorted by the former; ``where`` names the tree in messages.

    Raises SelectionError for a glob that matches nothing, for two files that would get one name, and
    for a file that ``strip`` does not fit; Refused for a name that would leave the base.
    """
    taken: set[str] = set()
    for glob in choice.take:
        found = {path for path in paths if globs.matches(glob, path)}
        if not found:
            raise SelectionError(f"`{glob}` matches no file of {where}", hint=_closest(glob, paths))
        taken |= found
    for glob in choice.leave:
        left = {path for path in taken if globs.matches(glob, path)}
        if not left:
            raise SelectionError(
                f"`exclude: {glob}` matches none of the files taken from {where}",
                hint="remove it, or correct it",
            )
        taken -= left
    if not taken:
        raise SelectionError(f"`exclude` leaves no file of {where}", hint="take more, or exclude less")
    return _named(sorted(taken), choice, where)


def _named(taken: Sequence[str], choice: Choice, where: str) -> dict[str, str]:
    named: dict[str, str] = {}
    prefix = _common_part(choice.take, taken) if choice.strip is None else choice.strip
    for path in taken:
        name = safe_name(_stripped(path, prefix, where), where)
        if name in named:
            raise SelectionError(
                f"`{named[name]}` and `{path}` of {where} would both become `{name}`",
                hint="set `strip` lower, or use one source for each",
            )
        named[name] = path
    return dict(sorted(named.items()))


def _stripped(path: str, prefix: str | int, where: str) -> str:
    if isinstance(prefix, int):
        rest = path.split("/")[prefix:]
        if not rest:
            raise SelectionError(
                f"`strip: {prefix}` leaves nothing of `{path}` of {where}", hint="set it lower"
            )
        return "/".join(rest)
    folder = prefix.strip("/")
    if not folder:
        return path
    if not path.startswith(f"{folder}/"):
        raise SelectionError(
            f"`strip: {folder}` is not in front of `{path}` of {where}", hint="set it to a common folder"
        )
    return path[len(folder) + 1 :]


def _common_part(take: Sequence[str], taken: Sequence[str]) -> str:
    """The folder that the fixed parts of all globs have in common; a file counts by its folder."""
    files = set(taken)
    folders = []
    for glob in take:
        fixed = globs.fixed_part(glob)
        folders.append(posixpath.dirname(fixed) if globs.is_plain(glob) and fixed in files else fixed)
    return posixpath.commonpath(folders) if all(folders) else ""


def _closest(glob: str, paths: Sequence[str]) -> str:
    if any(path.startswith(f"{found}/") for path in paths if (found := _folder_match(glob, path))):
        return f"it matches folders alone; `{glob}/**` takes what is in them"
    near = difflib.get_close_matches(glob, paths, n=3, cutoff=0.5)
    if near:
        return "there are " + ", ".join(f"`{path}`" for path in near)
    tops = sorted({path.partition("/")[0] for path in paths})
    return "at its top there are " + ", ".join(f"`{name}`" for name in tops[:15])


def _folder_match(glob: str, path: str) -> str | None:
    """The folder above ``path`` that ``glob`` means, if one is."""
    parts = path.split("/")
    for depth in range(1, len(parts)):
        folder = "/".join(parts[:depth])
        if globs.matches(glob, folder):
            return folder
    return None
