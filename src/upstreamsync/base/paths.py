"""Which paths content may have: nothing that leaves its folder, hides in .git, or means two files at once."""

from __future__ import annotations

from collections.abc import Iterable

from upstreamsync.errors import Refused
from upstreamsync.kit.paths import check_relative, fold

#: Files that change how git treats everything around them, whoever wrote them.
_GIT_CONTROL = frozenset((".gitattributes", ".gitmodules"))


def check_path(path: str) -> str:
    """``path`` itself, when a file of that name may be written below a folder of ours; else Refused."""
    if not _GIT_CONTROL.isdisjoint(path.lower().split("/")):
        raise Refused(f"`{path}` would change how git treats other files", hint="leave it out with `exclude`")
    if path.startswith("~"):
        raise Refused(f"`{path}` begins like a home folder", hint="name the file otherwise")
    if any(name.startswith("-") for name in path.split("/")):
        raise Refused(f"`{path}` would be read as an option by programs", hint="name the file otherwise")
    return check_relative(path, origin="a file to be written")


def check_paths(paths: Iterable[str]) -> None:
    """Check each path, and that no two of them are one file to some file system. Raises Refused."""
    seen: dict[str, str] = {}
    known = []
    for path in paths:
        check_path(path)
        known.append(path)
        other = seen.setdefault(fold(path), path)
        if other != path:
            raise Refused(
                f"`{other}` and `{path}` differ in case alone: on some file systems they are one file",
                hint="leave one of them out",
            )
    for path in known:
        folder = fold(path).rpartition("/")[0]
        while folder:
            if folder in seen:
                raise Refused(f"`{seen[folder]}` would be a file, and the folder of `{path}`")
            folder = folder.rpartition("/")[0]
