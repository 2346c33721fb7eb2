"""``remove VENDOR``: its entry, its lock and upstream's files go; what a person wrote stays or stops it."""

from __future__ import annotations

from typing import Any

from upstreamsync.base.origins import shortened
from upstreamsync.errors import ConfigError, ContentError, HandEdited, UsageError
from upstreamsync.kit.yaml import syntax
from upstreamsync.lock import Lock
from upstreamsync.model import Change
from upstreamsync.project.relocate.references import naming
from upstreamsync.project.session import Session
from upstreamsync.project.update.step import uncommitted


def remove(session: Session, name: str, *, keep_files: bool, discard_edits: bool) -> Change:
    """The change that takes a vendor away, also one that vendors.yaml no longer has; nothing is written yet.

    ``keep_files`` leaves the base as files of the team's own. Raises UsageError for a name that nothing
    knows, HandEdited where files of the base were edited, unless ``discard_edits``.
    """
    declared = [vendor for vendor in session.configuration.vendors if vendor.name == name]
    locks = _locks(session, name)
    if not declared and not locks:
        session.configuration.vendor(name)
        raise UsageError(f"there is no vendor `{name}`")
    files: dict[str, bytes | None] = {}
    notes: list[str] = []
    bases: dict[str, None] = dict.fromkeys(declared[0].bases if declared else ())
    for path, lock in locks:
        files[path] = None
        bases.update(dict.fromkeys(lock.bases))
        files.update({} if keep_files else dict.fromkeys(_own_files(session, lock, discard=discard_edits)))
    if declared and not locks and any(session.view.listing(base) for base in bases):
        notes.append("without a lock nothing says which files are upstream's: they stay")
    if not keep_files:
        named = ((base, naming(session.view, base)) for base in bases)
        notes += [f"{', '.join(left)}: still names {base}" for base, left in named if left]
    if declared:
        files[session.configuration.path.name] = _without(session, name)
    return Change(
        vendor=name,
        before=declared[0].version or "" if declared else "",
        after="",
        base_files=dict(sorted(files.items())),
        bases=tuple(bases),
        notes=tuple(notes),
    )


def _locks(session: Session, name: str) -> list[tuple[str, Lock]]:
    found = list(session.strays.get(name, ()))
    for vendor in session.configuration.vendors:
        if vendor.name == name and vendor.lock_path is not None:
            lock = session.lock(vendor)
            found += [(vendor.lock_path, lock)] if lock is not None else []
    return found


def _own_files(session: Session, lock: Lock, *, discard: bool) -> list[str]:
    """The files that upstreamsync wrote. Raises HandEdited for those that were edited since."""
    edited = [path for path in session.edited_files(lock) if session.read(path) is not None]
    if edited and not discard:
        raise HandEdited(
            f"{shortened(edited)}: edited by hand, and would be lost",
            hint=f"`upstreamsync remove {lock.vendor} --keep-files` leaves the base as your own; "
            "--discard-edits removes it all the same, where it is committed",
        )
    if waiting := uncommitted(session, edited):
        raise HandEdited(
            f"{shortened(waiting)}: the edits are not committed, and would be gone for good",
            hint="commit them first: then they stay in the history, and --discard-edits removes them",
        )
    return [path for path in lock.files if session.read(path) is not None]


def _without(session: Session, name: str) -> bytes:
    """vendors.yaml without the entry, and the comments right above it."""
    configuration = session.configuration
    text = configuration.text
    node: Any = syntax.compose(text)
    head, vendors = next((key, value) for key, value in node.value if key.value == "vendors")
    index = [vendor.name for vendor in configuration.vendors].index(name)
    item = vendors.value[index]
    if vendors.flow_style:
        raise ContentError(
            f"{configuration.path.name} lists its vendors in one line",
            hint=f"take `{name}` out of it by hand",
        )
    lines = text.splitlines(keepends=True)
    first = item.start_mark.line
    following = vendors.value[index + 1].start_mark.line if index + 1 < len(vendors.value) else None
    last = following if following is not None else _end(lines, item)
    while following is not None and last > first + 1 and _is_comment(lines[last - 1]):
        last -= 1  # what stands above the next one is that one's
    while first > head.start_mark.line + 1 and _is_comment(lines[first - 1]) and lines[first - 1].strip():
        first -= 1
    rest = lines[:first] + lines[last:]
    if len(vendors.value) == 1:
        key = head.start_mark.line
        rest[key] = rest[key].rstrip() + " []\n"
    left = "".join(rest)
    try:
        session.parsed(left)
    except ConfigError as error:
        raise ContentError(
            f"without `{name}`, {configuration.path.name} would not hold together: {error}",
            hint="correct that by hand first",
        ) from None
    return left.encode()


def _end(lines: list[str], item: syntax.Node) -> int:
    """The line behind the last one of an item: its end mark lies at the next token."""
    last = min(item.end_mark.line + (1 if item.end_mark.column else 0), len(lines))
    while last > item.start_mark.line + 1 and (not lines[last - 1].strip() or _is_comment(lines[last - 1])):
        last -= 1
    return last


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#") or not line.strip()
