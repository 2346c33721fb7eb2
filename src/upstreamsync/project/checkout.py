"""What git does with the files of a base in the user's checkout: leaves them out, or converts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from upstreamsync.errors import RepositoryError, ToolError
from upstreamsync.kit.git.attributes import converted, ignored
from upstreamsync.kit.git.repository import Repository
from upstreamsync.model import BaseCondition, BaseState, VendorUpdate

_SHOWN = 3


def with_ignored_files(updates: Sequence[VendorUpdate], root: Path) -> tuple[VendorUpdate, ...]:
    """The updates, each with a note where git would leave out files that are to be written."""
    written = [path for one in updates for path in (*one.added, *one.changed)]
    rules = _ignored(root, written) if written else {}
    if not rules:
        return tuple(updates)
    return tuple(_noted(one, rules) for one in updates)


def _noted(update: VendorUpdate, rules: dict[str, str]) -> VendorUpdate:
    swallowed = [path for path in (*update.added, *update.changed) if path in rules]
    if not swallowed:
        return update
    shown = ", ".join(f"`{path}`" for path in swallowed[:_SHOWN])
    more = f" and {len(swallowed) - _SHOWN} more" if len(swallowed) > _SHOWN else ""
    by = ", ".join(dict.fromkeys(rules[path] for path in swallowed))
    note = (
        f"git ignores {shown}{more} (by {by}): they will be missing for everybody else; "
        "except the base in .gitignore, or `git add --force` it"
    )
    return replace(update, notes=(*update.notes, note))


def with_line_endings(state: BaseState, root: Path) -> BaseState:
    """A base that seems edited, where git converts the line endings of files that nobody has touched."""
    if state.condition is not BaseCondition.EDITED:
        return state
    edited = [path for path in state.changed_files if path not in state.missing_files]
    if not _are_converted(root, edited):
        return state
    return replace(
        state,
        why="git converts the line endings of these files, and upstream's are mixed: nobody has edited them here, "
        "but what was vendored can't be told from this checkout",
        command=f"echo '{state.path}/** -text' >> .gitattributes && upstreamsync update {state.vendor}",
    )


def _ignored(root: Path, paths: Sequence[str]) -> dict[str, str]:
    """What git ignores of these, by whose rule; nothing where there is no git."""
    try:
        repository, prefix = _around(root)
        found = ignored(repository, [prefix + path for path in paths])
    except (RepositoryError, ToolError, ValueError):
        return {}
    return {path.removeprefix(prefix): rule for path, rule in found.items()}


def _are_converted(root: Path, paths: Sequence[str]) -> bool:
    try:
        repository, prefix = _around(root)
        found = converted(repository, [prefix + path for path in paths])
    except (RepositoryError, ToolError, ValueError):
        return False
    return bool(paths) and {prefix + path for path in paths} <= found


def _around(root: Path) -> tuple[Repository, str]:
    """The repository around the folder, and what its paths begin with there."""
    repository = Repository.open(root)
    relative = root.resolve().relative_to(repository.root.resolve()).as_posix()
    return repository, "" if relative == "." else f"{relative}/"
