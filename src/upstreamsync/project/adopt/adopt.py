"""A vendor whose base was edited by hand → a pristine base and patches, proven by the real kustomize."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from upstreamsync.config.spec import Vendor
from upstreamsync.errors import UsageError
from upstreamsync.model import Adoption, Failure
from upstreamsync.project.adopt.copy import (
    Copy,
)
from upstreamsync.project.adopt.declare import declared, refuse_folder
from upstreamsync.project.adopt.fork import find_fork, fork_entry
from upstreamsync.project.adopt.vendor import adopt_vendor
from upstreamsync.project.failures import guarded
from upstreamsync.project.session import Session


def adopt(session: Session, names: Sequence[str], *, version: str | None) -> tuple[Adoption, ...]:
    """What adopting the vendors would write; nothing is written yet. One that fails is a value of its own.

    A name may also be the file of a fork. Without names: the vendors whose base is not what its lock says, or
    has none. ``version`` needs one name. Raises UsageError for an unknown vendor.
    """
    forks = [name for name in names if find_fork(session, name) is not None]
    vendors = [name for name in names if name not in forks]
    for name in vendors:
        refuse_folder(session, name)
    chosen = session.selected(vendors) if vendors or not names else ()
    if version is not None and len(names) != 1:
        raise UsageError(
            "--version needs exactly one vendor", hint="upstreamsync adopt VENDOR --version VERSION"
        )
    if not names:
        chosen = [vendor for vendor in chosen if _is_open(session, vendor)]
    made: list[Adoption] = []
    for vendor in chosen:
        adoption = _apart(_guarded(session, vendor, version), made, session.configuration.path.name)
        made.append(adoption)
        session = _after(session, adoption)
    for path in forks:
        adoption = _apart(_fork(session, path, version), made, session.configuration.path.name)
        made.append(adoption)
        session = _after(session, adoption)
    return tuple(made)


def _fork(session: Session, path: str, version: str | None) -> Adoption:
    found = find_fork(session, path)
    assert found is not None  # noqa: S101 (the caller has looked)
    vendor, fork = found
    entry = guarded(lambda: fork_entry(session, vendor, fork))
    if isinstance(entry, Failure):
        return Adoption(vendor=vendor.name, base=path, version=vendor.version or "", error=entry)
    there, name, copy = entry
    return _with_entry(there, _guarded(there, there.configuration.vendor(name), version, copy))


def _apart(adoption: Adoption, before: Sequence[Adoption], config: str) -> Adoption:
    """The adoption, unless it changes a file that one before it changes: then its turn comes later."""
    files = adoption.change.files.keys() - {config} if adoption.change is not None else frozenset()
    others = {path for one in before if one.change is not None for path in one.change.files}
    if files.isdisjoint(others):
        return adoption
    shared = ", ".join(sorted(files & others)[:3])
    failure = Failure(
        kind="edited",
        message=f"it changes {shared}, as the adoption of another vendor does",
        hint=f"run `upstreamsync adopt {adoption.vendor}` again once that is written",
    )
    return replace(adoption, change=None, error=failure)


def _after(session: Session, adoption: Adoption) -> Session:
    """The session with vendors.yaml as the adoption leaves it: the next one is written upon that."""
    name = session.configuration.path.name
    text = adoption.change.base_files.get(name) if adoption.change is not None else None
    return session.with_text(text.decode()) if text is not None else session


def adopt_folder(session: Session, folder: str, origin: str, *, version: str | None) -> Adoption:
    """As ``adopt``, of a folder that no vendor declares: its entry is written, too.

    Raises UsageError for an origin that can't be understood, or a folder that is a vendor's already.
    """
    folder = folder.strip("/").removeprefix("./")
    for vendor in session.configuration.vendors:
        if folder in vendor.bases:
            raise UsageError(
                f"`{folder}` is the base of `{vendor.name}`", hint=f"upstreamsync adopt {vendor.name}"
            )
    with_entry, name = declared(session, folder, origin)
    return _with_entry(with_entry, _guarded(with_entry, with_entry.configuration.vendor(name), version))


def _with_entry(session: Session, made: Adoption) -> Adoption:
    """An adoption of which the entry in vendors.yaml is new, too."""
    if made.change is None:
        return made
    file = session.configuration.path.name
    text = made.change.base_files.get(file) or session.configuration.text.encode()
    return replace(made, change=replace(made.change, base_files={**made.change.base_files, file: text}))


def _is_open(session: Session, vendor: Vendor) -> bool:
    states = guarded(lambda: session.base_states(vendor))
    if isinstance(states, Failure):
        return False
    return any(state.condition.value in ("edited", "unlocked") for state in states)


def _guarded(session: Session, vendor: Vendor, version: str | None, copy: Copy | None = None) -> Adoption:
    made = guarded(lambda: adopt_vendor(session, vendor, version=version, copy=copy))
    if isinstance(made, Failure):
        base = vendor.bases[0] if vendor.bases else ""
        return Adoption(vendor=vendor.name, base=base, version=vendor.version or "", error=made)
    return made
