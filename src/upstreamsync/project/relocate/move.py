"""``mv VENDOR PATH``: a base goes to another folder, with its lock, its entry and what names it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace

from upstreamsync.base.paths import check_path
from upstreamsync.config.load import content_digest
from upstreamsync.config.spec import Vendor
from upstreamsync.errors import ContentError, HandEdited, Refused, UsageError
from upstreamsync.kit.yaml import edit, manifests
from upstreamsync.lock import Lock, render
from upstreamsync.model import Change
from upstreamsync.project.relocate.references import moved_references
from upstreamsync.project.session import Session


def move(session: Session, name: str, path: str) -> Change:
    """The change that brings the vendor's base to ``path``; nothing is written yet.

    A folder that was moved by hand already is found there, and only what names it follows. Raises UsageError
    for a path that can't be, HandEdited where another file is in the way.
    """
    vendor = session.configuration.vendor(name)
    if len(vendor.bases) != 1:
        raise UsageError(
            f"`{name}` has {len(vendor.bases)} bases", hint="write the new one into vendors.yaml by hand"
        )
    new = _wanted(session, path)
    lock_path, lock = _lock_of(session, vendor)
    old = _now(session, vendor, lock, new)
    files: dict[str, bytes | None] = {}
    notes: tuple[str, ...] = ()
    if old != new:
        files.update(_moved_files(session, old, new))
        changed, notes = moved_references(session.view, old, new)
        files.update(changed)
    moved = _with_base(session, vendor, old, new)
    files.update(moved[1])
    if lock is not None and lock_path is not None and moved[0].lock_path is not None:
        if lock_path != moved[0].lock_path:
            files[lock_path] = None
        files[moved[0].lock_path] = render(_moved_lock(lock, moved[0], new))
    version = vendor.version or ""
    return Change(
        vendor=name,
        before=version,
        after=version,
        base_files={one: data for one, data in sorted(files.items()) if session.read(one) != data},
        bases=(new,),
        notes=notes,
        executable=frozenset(_executable(session, old, new)),
    )


def _wanted(session: Session, path: str) -> str:
    """The folder that was asked for, from that of vendors.yaml."""
    new = path.rstrip("/").removeprefix("./")
    try:
        check_path(f"{new}/x")
    except Refused as error:
        raise UsageError(
            f"`{path}` can't be the folder of a base: {error.message}",
            hint="name a folder of this repository, from that of vendors.yaml",
        ) from None
    if (session.root / new).is_file():
        raise UsageError(f"`{path}` is a file", hint="name a folder")
    return new


def _lock_of(session: Session, vendor: Vendor) -> tuple[str | None, Lock | None]:
    """The vendor's lock where it belongs, or where it was left."""
    if (lock := session.lock(vendor)) is not None:
        return vendor.lock_path, lock
    left = session.strays.get(vendor.name, ())
    return left[0] if len(left) == 1 else (None, None)


def _now(session: Session, vendor: Vendor, lock: Lock | None, new: str) -> str:
    """The folder where the base is now."""
    known = [*(lock.bases if lock is not None else ()), *vendor.bases]
    for folder in known:
        if folder != new and session.view.listing(folder):
            return folder
    if session.view.listing(new):
        return new
    raise HandEdited(
        f"the base of `{vendor.name}` is neither in {', '.join(dict.fromkeys(known))} nor in {new}",
        hint=f"upstreamsync update {vendor.name}",
    )


def _moved_files(session: Session, old: str, new: str) -> dict[str, bytes | None]:
    files: dict[str, bytes | None] = {}
    for path in session.view.listing(old):
        target = new + path.removeprefix(old)
        data, there = session.read(path), session.read(target)
        if there is not None and there != data:
            raise HandEdited(f"`{target}` is in the way", hint="move it elsewhere, or choose another folder")
        files[path] = None
        files[target] = data
    return files


def _executable(session: Session, old: str, new: str) -> Iterator[str]:
    for path in session.view.listing(old) if old != new else ():
        if os.access(session.root / path, os.X_OK):
            yield new + path.removeprefix(old)


def _moved_lock(lock: Lock, vendor: Vendor, new: str) -> Lock:
    """The lock with its one base elsewhere."""
    old = lock.bases[0] if lock.bases else new
    files = {new + path.removeprefix(old): digest for path, digest in lock.files.items()}
    return replace(lock, bases=(new,), files=dict(sorted(files.items())), config=_config(lock, vendor))


def _config(lock: Lock, vendor: Vendor) -> str:
    """That of the vendor as it is now: whatever else was changed is for `verify` to say."""
    del lock
    return content_digest(vendor)


def _with_base(session: Session, vendor: Vendor, old: str, new: str) -> tuple[Vendor, Mapping[str, bytes]]:
    """The vendor with its base, and all other paths of its entry, in the new folder; and vendors.yaml."""
    configuration = session.configuration
    name = configuration.path.name
    text = configuration.text
    raw = manifests.load(text, name=name)
    row = next(one for one in raw["vendors"] if one.get("name") == vendor.name)
    for path, value in _paths(row, f"vendors[name={vendor.name}]"):
        inside = value in (*vendor.bases, old) or value.startswith(f"{old}/")
        if not inside or (value != old and value not in vendor.bases and old == new):
            continue
        rest = value.removeprefix(old) if value.startswith(f"{old}/") else ""
        if value != new + rest:
            text = edit.replace(text, path, new + rest, file=name)[0]
    again = session.parsed(text).vendor(vendor.name)
    if again.bases != (new,):
        raise ContentError(
            f"{name} could not be changed as needed for `{vendor.name}`",
            hint=f"write `base: {new}` into it by hand, and run this again",
        )
    return again, {name: text.encode()} if text != configuration.text else {}


def _paths(row: object, here: str) -> Iterator[tuple[str, str]]:
    """Every text of an entry, with the path that names it."""
    if isinstance(row, dict):
        for key, value in row.items():
            yield from _paths(value, f'{here}["{key}"]')
    elif isinstance(row, list):
        for number, value in enumerate(row):
            yield from _paths(value, f"{here}[{number}]")
    elif isinstance(row, str):
        yield here, row
