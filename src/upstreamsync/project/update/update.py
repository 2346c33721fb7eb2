"""The complete changes that bring vendors to their targets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from upstreamsync.base.view import View
from upstreamsync.base.write import as_tree, recover
from upstreamsync.config import Vendor
from upstreamsync.config.load import content_digest
from upstreamsync.errors import DigestMismatch, UsageError
from upstreamsync.kit.run.threads import ordered_map
from upstreamsync.model import Change, Failure, PassedOver, Release, Status, VendorUpdate
from upstreamsync.project.changes import Changes
from upstreamsync.project.check.check import lookups
from upstreamsync.project.check.lookup import Lookup
from upstreamsync.project.failures import guarded
from upstreamsync.project.session import Progress, Session
from upstreamsync.project.update.outcomes import completed_update, failed_update, unchanged_update
from upstreamsync.project.update.regenerate import Prepared, assemble, first_that_is_complete, prepare


def update(
    session: Session, names: Sequence[str], *, to: str | None, locked: bool, progress: Progress | None
) -> Changes:
    """The complete changes that bring the vendors to their targets; nothing is written yet.

    ``to`` names the version for the one vendor given. ``locked`` regenerates each base at its current
    version, and fails where the result does not equal the lock.
    """
    chosen = session.selected(names)
    recover(session.root)  # what a run that was killed left behind has to be whole before it is read
    if to is not None and len(names) != 1:
        raise UsageError("--to needs exactly one vendor", hint="upstreamsync update VENDOR --to VERSION")
    pairs = list(zip(chosen, lookups(session, chosen), strict=True))

    def one(pair: tuple[Vendor, Lookup]) -> tuple[VendorUpdate, Prepared | None]:
        vendor, lookup = pair
        made = guarded(lambda: _update_one(session, vendor, lookup, to=to, locked=locked, named=bool(names)))
        if progress is not None:
            progress(vendor.name)
        return (failed_update(vendor, made), None) if isinstance(made, Failure) else made

    made = [outcome.get() for outcome in ordered_map(one, pairs, session.settings.engine_jobs)]
    updates = tuple(update for update, _ in made)
    return Changes(root=session.root, updates=updates, together=_together(session, made))


def _update_one(
    session: Session, vendor: Vendor, lookup: Lookup, *, to: str | None, locked: bool, named: bool
) -> tuple[VendorUpdate, Prepared | None]:
    finding = lookup.finding
    if finding.error is not None:
        return failed_update(vendor, finding.error), None
    settled = not named and not locked and finding.status is Status.UP_TO_DATE
    if settled and _is_settled(session, vendor):
        return unchanged_update(vendor, finding), None
    images = () if locked else finding.images
    missing: tuple[PassedOver, ...] = ()
    current = lookup.release(vendor.version) if vendor.version else None

    def make(release: Release | None) -> Prepared:
        place = partial(session.configuration.place, vendor.name)
        view = session.view
        return prepare(vendor, release, session.tools, images=images, view=view, current=current, at=place)

    if candidates := _candidates(vendor, lookup, to=to, locked=locked):
        prepared, missing = first_that_is_complete(candidates, make)
    else:
        prepared = make(None)
    change = _assemble(session, prepared, session.view)
    if locked and not change.empty:
        raise DigestMismatch(
            f"{vendor.name} {change.before} does not come out as its lock says: {', '.join(sorted(change.files))}",
            hint="upstream, a tool or the configuration changed since; `upstreamsync update` takes it over",
        )
    return completed_update(vendor, finding, change, missing, session.read), prepared


def _is_settled(session: Session, vendor: Vendor) -> bool:
    """Whether the base was made from this version and this configuration, so that nothing is to do."""
    lock = session.lock(vendor)
    if lock is None:
        return not vendor.bases
    return lock.version == vendor.version and lock.config == content_digest(vendor)


def _assemble(session: Session, prepared: Prepared, view: View) -> Change:
    return assemble(prepared, view=view, configuration=session.configuration)


def _together(session: Session, made: Sequence[tuple[VendorUpdate, Prepared | None]]) -> tuple[Change, ...]:
    """All changes one upon the other: several vendors may edit vendors.yaml, or one README."""
    chain: list[Change] = []
    for update, prepared in made:
        change = update.change
        if change is None or prepared is None or change.empty:
            continue
        if not as_tree(chain).keys().isdisjoint(change.files):
            change = _assemble(session, prepared, session.view.with_changes(chain))
        chain.append(change)
    return tuple(chain)


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
