"""What can be told of a base without the network: its lock, vendors.yaml and its files, held side by side.

Each state that is not as it should be comes with the command that mends it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from upstreamsync.base.kustomization import NAMES
from upstreamsync.base.view import View
from upstreamsync.config.load import content_digest
from upstreamsync.config.spec import Vendor
from upstreamsync.errors import RepositoryError
from upstreamsync.kit.paths import LOCK_SUFFIX, files_named
from upstreamsync.lock import Lock, parse, verify
from upstreamsync.model import BaseCondition, BaseState

#: Vendor → (path, lock) for each lock that lies where no vendor has its lock.
Strays = Mapping[str, tuple[tuple[str, Lock], ...]]


def base_states(vendor: Vendor, lock: Lock | None, view: View, strays: Strays) -> tuple[BaseState, ...]:
    """One state for each base of the vendor, in order; none for a vendor without bases.

    ``strays`` are locks that lie where no vendor has its lock (``stray_locks``).
    """
    if lock is None:
        left = strays.get(vendor.name, ())
        return tuple(_unlocked(vendor, base, view, left) for base in vendor.bases)
    if set(lock.bases) != set(vendor.bases):
        return tuple(_moved(vendor, base, lock, view) for base in vendor.bases)
    return tuple(_locked(vendor, lock, view, state) for state in verify(lock, view.read))


def orphans(names: Sequence[str], strays: Strays, view: View) -> tuple[BaseState, ...]:
    """What is left of vendors that vendors.yaml no longer has: their locks, and the bases that they name."""
    gone = [lock for name, locks in strays.items() if name not in names for _, lock in locks]
    return tuple(
        replace(
            state,
            condition=BaseCondition.ORPHANED,
            why=f"vendors.yaml has no vendor `{lock.vendor}`, and its lock is still there",
            command=f"upstreamsync remove {lock.vendor}",
        )
        for lock in gone
        for state in verify(lock, view.read) or (BaseState(vendor=lock.vendor, path="", pristine=True),)
    )


def stray_locks(root: Path, vendors: Sequence[Vendor], view: View) -> Strays:
    """The locks that lie where no vendor has its lock, by the vendor that they speak of.

    A file that merely has such a name, or is damaged, is nobody's lock and left out.
    """
    expected = {vendor.lock_path for vendor in vendors}
    found: dict[str, list[tuple[str, Lock]]] = {}
    for path in files_named(root, LOCK_SUFFIX):
        if path in expected:
            continue
        try:
            data = view.read(path)
            lock = parse(data, path) if data is not None else None
        except RepositoryError:
            continue
        if lock is not None:
            found.setdefault(lock.vendor, []).append((path, lock))
    return {name: tuple(locks) for name, locks in found.items()}


def _unlocked(vendor: Vendor, base: str, view: View, left: Sequence[tuple[str, Lock]]) -> BaseState:
    """A base without a lock: not there yet, moved from elsewhere, or made by hand."""
    own = [path for path in view.listing(base) if path.rpartition("/")[2] not in NAMES]
    if left:
        old = ", ".join(f"`{one}`" for _, lock in left for one in lock.bases)
        return _elsewhere(vendor, base, f"vendors.yaml says `{base}`; the lock that is there is of {old}")
    if not own:
        return _not_vendored(vendor, base, "there is no base yet")
    why = f"there is no lock `{vendor.lock_path}`, so nothing says whether these files are upstream's"
    return _state(vendor, base, BaseCondition.UNLOCKED, why, f"adopt {vendor.name}")


def _moved(vendor: Vendor, base: str, lock: Lock, view: View) -> BaseState:
    """vendors.yaml names other folders than the lock."""
    if base in lock.bases:
        states = {state.path: state for state in verify(lock, view.read)}
        return _locked(vendor, lock, view, states[base])
    old = [one for one in lock.bases if one not in vendor.bases]
    if not old:
        return _not_vendored(vendor, base, "the lock does not know this base yet")
    named = ", ".join(f"`{one}`" for one in old)
    return _elsewhere(vendor, base, f"vendors.yaml says `{base}`, the lock says {named}")


def _not_vendored(vendor: Vendor, base: str, why: str) -> BaseState:
    state = _state(vendor, base, BaseCondition.NOT_VENDORED, why, f"update {vendor.name}")
    return replace(state, pristine=True)


def _elsewhere(vendor: Vendor, base: str, why: str) -> BaseState:
    return _state(vendor, base, BaseCondition.MOVED, why, f"mv {vendor.name} {base}")


def _state(vendor: Vendor, base: str, condition: BaseCondition, why: str, command: str) -> BaseState:
    """What is told of a base of which no lock speaks; ``command`` of ours mends it."""
    return BaseState(
        vendor=vendor.name,
        path=base,
        pristine=False,
        condition=condition,
        why=why,
        command=f"upstreamsync {command}",
    )


def _locked(vendor: Vendor, lock: Lock, view: View, state: BaseState) -> BaseState:
    """A base beside its lock; what was done to the files weighs more than what vendors.yaml says."""
    missing = tuple(path for path in state.changed_files if view.read(path) is None)
    edited = [path for path in state.changed_files if path not in missing]
    ours = [path for path in lock.files if path.startswith(f"{state.path}/")]
    if edited:
        return replace(
            state,
            condition=BaseCondition.EDITED,
            missing_files=missing,
            why="files differ from what was vendored: they were edited here",
            command=f"upstreamsync adopt {vendor.name}",
        )
    if missing:
        return replace(
            state,
            condition=BaseCondition.INCOMPLETE,
            missing_files=missing,
            why=f"{len(missing)} of {len(ours)} files are missing",
            command=f"upstreamsync update {vendor.name}",
        )
    if lock.version != (vendor.version or ""):
        return replace(
            state,
            condition=BaseCondition.OTHER_VERSION,
            why=f"vendors.yaml says {vendor.version}, the base is {lock.version}",
            command=f"upstreamsync update {vendor.name} --to {vendor.version}",
        )
    if lock.config != content_digest(vendor):
        return replace(
            state,
            condition=BaseCondition.OTHER_CONFIGURATION,
            why="the base was made with another configuration of the vendor",
            command=f"upstreamsync update {vendor.name} --to {vendor.version}",
        )
    return state
