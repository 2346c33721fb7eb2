"""A repository with a vendors.yaml, and what can be done with it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from upstreamsync.base.locked import read_lock
from upstreamsync.base.view import View, disk_view
from upstreamsync.config import Configuration, Vendor, find_configuration, load_configuration
from upstreamsync.config.load import content_digest
from upstreamsync.errors import DigestMismatch, UsageError
from upstreamsync.kit.run.processes import can_fork, in_processes
from upstreamsync.kit.run.threads import ordered_map
from upstreamsync.kit.store.dependencies import attend
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.lock import Lock
from upstreamsync.lock import verify as verify_lock
from upstreamsync.model import (
    BaseState,
    Change,
    Failure,
    Finding,
    PassedOver,
    Release,
    Status,
    VendorUpdate,
    Verification,
)
from upstreamsync.project.check.lookup import Lookup, explain, look_up
from upstreamsync.project.check.spread import Witnessed, packed, spread, unpacked
from upstreamsync.project.check.unchanged import Unchanged
from upstreamsync.project.settings import Doors, Settings, toolbox
from upstreamsync.project.update.outcomes import completed_update, failed_update, guarded, unchanged_update

if TYPE_CHECKING:  # what only some verbs need is imported where it is used: `check` is to start quickly
    from upstreamsync.model import PullRequest
    from upstreamsync.project.propose.propose import ProposeOptions
    from upstreamsync.project.update.regenerate import Prepared

T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What ``update`` would do, vendor by vendor, as a value; ``write`` puts it on disk.

    Each vendor's change stands upon the repository as it is, as if it were alone (so it can become a pull
    request of its own); ``together`` are the same changes, each upon those before it, for one working tree.
    """

    root: Path
    updates: tuple[VendorUpdate, ...]
    together: tuple[Change, ...] = ()

    @property
    def files(self) -> Mapping[str, bytes | None]:
        """Everything that would be written: path → new bytes, None for a file that goes away."""
        from upstreamsync.base.write import as_tree

        return as_tree(self.together)

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes that write something, in the order of the file."""
        return tuple(one.change for one in self.updates if one.change is not None and not one.change.empty)

    def write(self) -> None:
        """Write all of it, or nothing. Raises RepositoryError; then the repository is as it was."""
        from upstreamsync.base.write import write

        if self.together:
            write(self.together, self.root)


class Project:
    """A vendors.yaml and the tools to work with it. Close it, or use it as a context manager."""

    def __init__(
        self, configuration: Configuration, settings: Settings, *, doors: Doors | None = None
    ) -> None:
        self.configuration = configuration
        self.settings = settings
        self._doors = doors
        self._toolbox: Toolbox | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close connections; the project may be used again."""
        if self._doors is not None:
            self._doors.close()
        self._doors = self._toolbox = None

    @property
    def root(self) -> Path:
        """The folder of vendors.yaml; all paths are relative to it."""
        return self.configuration.root

    @property
    def tools(self) -> Toolbox:
        """HTTP, git, the engines and the cache, made when they are first needed."""
        if self._toolbox is None:
            self._toolbox = toolbox(self.doors, self.configuration.tools, self.root)
        return self._toolbox

    @property
    def doors(self) -> Doors:
        """The ways out that the tools share."""
        if self._doors is None:
            self._doors = Doors(self.settings)
        return self._doors

    # -- check ----------------------------------------------------------------------------------------

    def check(self, vendors: Sequence[str] = (), *, progress: Progress | None = None) -> tuple[Finding, ...]:
        """What each vendor (or each of those named) would move to, in the order of the file.

        What was found before is found again without looking, where nothing that it depends on has changed.
        """
        chosen = self._selected(vendors)
        configuration = self.configuration
        memory = Unchanged(configuration.path, configuration.digest, self.doors)
        found = memory.standing([vendor.name for vendor in chosen])
        if progress is not None:
            for name in found:
                progress(name)
        changed = [vendor for vendor in chosen if vendor.name not in found]
        if changed:
            looked = self._witnessed(changed, progress)
            memory.keep(
                looked,
                names=[vendor.name for vendor in configuration.vendors],
                bases=[base for vendor in configuration.vendors for base in vendor.bases],
            )
            found |= {name: finding for name, (finding, _, _) in looked.items()}
        return tuple(found[vendor.name] for vendor in chosen)

    def _witnessed(self, vendors: Sequence[Vendor], progress: Progress | None) -> dict[str, Witnessed]:
        """The findings, each with all that was asked for it; in several processes where that pays."""
        parts = spread(vendors, self.settings.processes) if can_fork() and self.doors.idle else [vendors]
        if len(parts) == 1:
            return self._witnessed_here(vendors, progress)
        _log.debug("looking up %d vendors in %d processes", len(vendors), len(parts))
        found: dict[str, Witnessed] = {}

        def look(part: Sequence[Vendor]) -> bytes:
            return packed(self._witnessed_here(part, progress if part is parts[0] else None))

        for part, data in zip(parts, in_processes(look, parts, at_end=self.doors.close), strict=True):
            found |= self._witnessed_here(part, progress) if data is None else unpacked(data)
            if progress is not None and data is not None and part is not parts[0]:
                for vendor in part:
                    progress(vendor.name)
        return found

    def _witnessed_here(self, vendors: Sequence[Vendor], progress: Progress | None) -> dict[str, Witnessed]:
        tools = self.tools

        def one(vendor: Vendor) -> Witnessed:
            with attend() as witness:
                lookup = self._look_up(vendor, tools)
            if progress is not None:
                progress(vendor.name)
            return lookup.finding, witness, lookup.until

        with tools.cache.gathering():
            outcomes = ordered_map(one, vendors, self.settings.lookup_jobs)
        return {vendor.name: outcome.get() for vendor, outcome in zip(vendors, outcomes, strict=True)}

    def explain(self, vendor: str) -> tuple[Finding, tuple[tuple[Release, str], ...]]:
        """The finding of one vendor and what became of every version on offer."""
        chosen = self.configuration.vendor(vendor)
        (lookup,) = self._lookups([chosen])
        return lookup.finding, explain(chosen, lookup, self.tools)

    def _lookups(self, vendors: Sequence[Vendor]) -> list[Lookup]:
        tools = self.tools

        def one(vendor: Vendor) -> Lookup:
            return self._look_up(vendor, tools)

        return [outcome.get() for outcome in ordered_map(one, vendors, self.settings.lookup_jobs)]

    def _look_up(self, vendor: Vendor, tools: Toolbox) -> Lookup:
        found = guarded(lambda: look_up(vendor, tools, read=self.read, lock=self.lock(vendor)))
        return found if isinstance(found, Lookup) else Lookup(finding=_failed(vendor, found))

    # -- update ---------------------------------------------------------------------------------------

    def update(
        self,
        vendors: Sequence[str] = (),
        *,
        to: str | None = None,
        locked: bool = False,
        progress: Progress | None = None,
    ) -> Changes:
        """The complete changes that bring the vendors to their targets; nothing is written yet.

        ``to`` names the version for the one vendor given. ``locked`` regenerates each base at its current
        version, and fails where the result does not equal the lock.
        """
        from upstreamsync.base.write import recover

        chosen = self._selected(vendors)
        recover(self.root)  # what a run that was killed left behind has to be whole before it is read
        if to is not None and len(vendors) != 1:
            raise UsageError("--to needs exactly one vendor", hint="upstreamsync update VENDOR --to VERSION")
        lookups = self._lookups(chosen)
        pairs = list(zip(chosen, lookups, strict=True))

        def one(pair: tuple[Vendor, Lookup]) -> tuple[VendorUpdate, Prepared | None]:
            vendor, lookup = pair
            made = guarded(
                lambda: self._update_one(vendor, lookup, to=to, locked=locked, named=bool(vendors))
            )
            if progress is not None:
                progress(vendor.name)
            return (failed_update(vendor, made), None) if isinstance(made, Failure) else made

        made = [outcome.get() for outcome in ordered_map(one, pairs, self.settings.engine_jobs)]
        updates = tuple(update for update, _ in made)
        return Changes(root=self.root, updates=updates, together=self._together(made))

    def _update_one(
        self, vendor: Vendor, lookup: Lookup, *, to: str | None, locked: bool, named: bool
    ) -> tuple[VendorUpdate, Prepared | None]:
        finding = lookup.finding
        if finding.error is not None:
            return failed_update(vendor, finding.error), None
        if not named and not locked and finding.status is Status.UP_TO_DATE and self._is_settled(vendor):
            return unchanged_update(vendor, finding), None
        images = () if locked else finding.images
        missing: tuple[PassedOver, ...] = ()
        current = lookup.release(vendor.version) if vendor.version else None

        from upstreamsync.project.update.regenerate import first_that_is_complete, prepare

        def make(release: Release | None) -> Prepared:
            place = partial(self.configuration.place, vendor.name)
            return prepare(
                vendor, release, self.tools, images=images, view=self.view, current=current, at=place
            )

        if candidates := _candidates(vendor, lookup, to=to, locked=locked):
            prepared, missing = first_that_is_complete(candidates, make)
        else:
            prepared = make(None)
        change = self._assemble(prepared, self.view)
        if locked and not change.empty:
            raise DigestMismatch(
                f"{vendor.name} {change.before} does not come out as its lock says: {', '.join(sorted(change.files))}",
                hint="upstream, a tool or the configuration changed since; `upstreamsync update` takes it over",
            )
        return completed_update(vendor, finding, change, missing, self.read), prepared

    def _is_settled(self, vendor: Vendor) -> bool:
        """Whether the base was made from this version and this configuration, so that nothing is to do."""
        lock = self.lock(vendor)
        if lock is None:
            return not vendor.bases
        return lock.version == vendor.version and lock.config == content_digest(vendor)

    def _assemble(self, prepared: Prepared, view: View) -> Change:
        from upstreamsync.project.update.regenerate import assemble

        return assemble(prepared, view=view, configuration=self.configuration)

    def _together(self, made: Sequence[tuple[VendorUpdate, Prepared | None]]) -> tuple[Change, ...]:
        """All changes one upon the other: several vendors may edit vendors.yaml, or one README."""
        from upstreamsync.base.write import as_tree

        chain: list[Change] = []
        for update, prepared in made:
            change = update.change
            if change is None or prepared is None or change.empty:
                continue
            if not as_tree(chain).keys().isdisjoint(change.files):
                change = self._assemble(prepared, self.view.with_changes(chain))
            chain.append(change)
        return tuple(chain)

    # -- verify ---------------------------------------------------------------------------------------

    def verify(
        self, changes: Changes | None = None, *, overlays: Sequence[str] = (), since: str = "HEAD"
    ) -> Verification:
        """Judge every local customization.

        With ``changes``: the working tree against the working tree with them. Without: the revision
        ``since`` against the working tree. Also says whether each base equals its lock.
        """
        from upstreamsync.project.verify.verification import verify_change, verify_working_tree

        bases = tuple(state for vendor in self.configuration.vendors for state in self.base_states(vendor))
        if changes is not None:
            return verify_change(self, changes.files, changes.changes, overlays=overlays)
        return verify_working_tree(self, since=since, bases=bases, overlays=overlays)

    def base_states(self, vendor: Vendor) -> tuple[BaseState, ...]:
        """Whether each base of the vendor equals its lock; without a lock there is nothing to say."""
        lock = self.lock(vendor)
        return verify_lock(lock, self.read) if lock is not None else ()

    # -- pull requests --------------------------------------------------------------------------------

    def propose(
        self,
        changes: Changes,
        report: Verification | None = None,
        options: ProposeOptions | None = None,
    ) -> tuple[PullRequest, ...]:
        """Open or refresh a pull request for each change (or group); see ``forge`` for the manners.

        ``report`` is what ``verify(changes)`` said; it is made anew, vendor by vendor, where it is None.
        """
        from upstreamsync.project.propose.propose import propose

        return propose(self, changes, report, options)

    # -- the repository, read only ----------------------------------------------------------------------

    @property
    def view(self) -> View:
        """The working tree as something to read."""
        return disk_view(self.root)

    def read(self, path: str) -> bytes | None:
        """The bytes of a file of the working tree, None where there is none."""
        return self.view.read(path)

    def lock(self, vendor: Vendor) -> Lock | None:
        """The vendor's lock; None before its first update. Raises RepositoryError for a broken one."""
        return read_lock(vendor, self.view)

    def _selected(self, names: Sequence[str]) -> list[Vendor]:
        if not names:
            return list(self.configuration.vendors)
        wanted = [self.configuration.vendor(name).name for name in names]
        return [vendor for vendor in self.configuration.vendors if vendor.name in wanted]


Progress = Callable[[str], None]


def open_project(
    path: str | os.PathLike[str] = ".", *, config: Path | None = None, settings: Settings | None = None
) -> Project:
    """Open the repository at ``path``: its vendors.yaml is found there or above, or given by ``config``.

    Raises ConfigError with every problem of the file, UsageError when there is none.
    """
    file = config if config is not None else find_configuration(Path(path))
    return Project(load_configuration(file), settings or Settings())


def _failed(vendor: Vendor, failure: Failure) -> Finding:
    return Finding(vendor=vendor.name, status=Status.FAILED, current=vendor.version or "", error=failure)


def _candidates(vendor: Vendor, lookup: Lookup, *, to: str | None, locked: bool) -> tuple[Release, ...]:
    """The releases to try: that asked for, the acceptable ones, or the current one again."""
    if to is not None:
        wanted = lookup.release(to)
        if wanted is None:
            raise UsageError(
                f"`{vendor.name}` has no version `{to}`",
                hint=f"`upstreamsync explain {vendor.name}` lists the versions on offer",
            )
        return (wanted,)
    if lookup.candidates and not locked:
        return lookup.candidates
    current = lookup.release(vendor.version) if vendor.version else None
    return (current,) if current is not None else ()
