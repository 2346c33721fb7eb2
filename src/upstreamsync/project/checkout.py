"""What git does with the files of a base in the user's checkout: leaves them out, or converts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from upstreamsync.base.view import disk_view
from upstreamsync.errors import RepositoryError, ToolError
from upstreamsync.kit.git.attributes import Conversion, changed_since, contents, conversions, ignored
from upstreamsync.kit.git.conversions import same_text
from upstreamsync.kit.git.repository import Repository
from upstreamsync.kit.lfs import pointed_at
from upstreamsync.model import BaseCondition, BaseState, VendorUpdate
from upstreamsync.project.committed import Committed

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


def as_stored(root: Path, paths: Sequence[str]) -> dict[str, bytes]:
    """What git stores of those of the files that nobody touched, and that it converts on the way to a checkout."""
    try:
        repository, prefix = _around(root)
        found = _untouched(repository, prefix, root, paths)
    except (RepositoryError, ToolError, ValueError):
        return {}
    return {path.removeprefix(prefix): data for path, (_, data) in found.items()}


def with_conversions(state: BaseState, lock_path: str | None, root: Path) -> BaseState:
    """A base that seems edited, where git changes the bytes of its files, and nothing says that a person did."""
    if state.condition is not BaseCondition.EDITED or lock_path is None:
        return state
    edited = [path for path in state.changed_files if path not in state.missing_files]
    how = _unknown_by(edited, lock_path, root)
    if how is None:
        return state
    why, undone, discard = _TOLD[how.kind]
    why = why.format(name=how.name)
    if not how.settled:
        return replace(
            state,
            why=f"{why}; whether somebody edited them can't be told without the history, which was cut off here",
            command="git fetch --unshallow && upstreamsync verify",
        )
    return replace(
        state,
        why=f"{why}: nobody has edited them here, but what was vendored can't be told from this checkout",
        command=f"echo '{state.path}/** {undone}' >> .gitattributes && "
        f"upstreamsync update {state.vendor}{discard}",
    )


def filtered(
    root: Path, committed: Committed | None, lock_path: str | None, files: Mapping[str, bytes]
) -> str | None:
    """What to say of files that a filter or an encoding keeps from being compared; None where that is not all.

    They are those of the checkout in ``root``, or of a commit.
    """
    if lock_path is None:
        return None
    if committed is not None:
        name = committed.unknown_by(lock_path, files)
        how = _Unknown(kind="filter", name=name, settled=True) if name is not None else None
    else:
        how = _unknown_by(list(files), lock_path, root)
    if how is None or how.kind == "endings":
        return None
    return _TOLD[how.kind][0].format(name=how.name) + ", and whether somebody edited them can't be told"


#: Kind of conversion → what is said of it, what undoes it in .gitattributes, and how update is called then.
_TOLD = {
    "filter": (
        "the filter `{name}` of their gitattributes makes other bytes of these files",
        "-filter",
        " --discard-edits",
    ),
    "encoding": (
        "git writes these files in the encoding {name}",
        "-working-tree-encoding",
        " --discard-edits",
    ),
    "endings": ("git converts the line endings of these files, and upstream's are mixed", "-text", ""),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unknown:
    """What keeps files from being compared; ``settled`` where history says that nobody changed them."""

    kind: str
    name: str
    settled: bool


def _unknown_by(paths: Sequence[str], lock_path: str, root: Path) -> _Unknown | None:
    """What git does to the files, if that may be all that was done; None where a person's edit is sure."""
    try:
        repository, prefix = _around(root)
        found = _untouched(repository, prefix, root, paths)
        if not paths or len(found) < len(paths):
            return None
        if any(pointed_at(data) is not None for _, data in found.values()):
            return None  # a pointer of LFS says what it stands for
        stored = {path: one.stored for path, (one, _) in found.items()}
        edited = changed_since(repository, prefix + lock_path, stored)
    except (RepositoryError, ToolError, ValueError):
        return None
    if edited:
        return None
    by_filter = next((one.filter for one, _ in found.values() if one.filter), None)
    encoding = next((one.encoding for one, _ in found.values() if one.encoding), None)
    kind = "filter" if by_filter else "encoding" if encoding else "endings"
    return _Unknown(kind=kind, name=by_filter or encoding or "", settled=edited is False)


def _untouched(
    repository: Repository, prefix: str, root: Path, paths: Sequence[str]
) -> dict[str, tuple[Conversion, bytes]]:
    """The files that git converts and nobody touched, each with what git stores of it; paths as git has them."""
    found = conversions(repository, [prefix + path for path in paths])
    data = contents(repository, [one.stored for one in found.values()])
    read = disk_view(root).read
    return {
        path: (one, data[one.stored])
        for path, one in found.items()
        if one.stored in data
        and (not one.touched or same_text(read(path.removeprefix(prefix)) or b"", data[one.stored]))
    }


def _ignored(root: Path, paths: Sequence[str]) -> dict[str, str]:
    """What git ignores of these, by whose rule; nothing where there is no git."""
    try:
        repository, prefix = _around(root)
        found = ignored(repository, [prefix + path for path in paths])
    except (RepositoryError, ToolError, ValueError):
        return {}
    return {path.removeprefix(prefix): rule for path, rule in found.items()}


def _around(root: Path) -> tuple[Repository, str]:
    """The repository around the folder, and what its paths begin with there."""
    repository = Repository.open(root)
    relative = root.resolve().relative_to(repository.root.resolve()).as_posix()
    return repository, "" if relative == "." else f"{relative}/"
