"""The complete changes that bring vendors to their targets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from upstreamsync.base.write import as_tree, recover
from upstreamsync.config import Vendor
from upstreamsync.errors import UsageError
from upstreamsync.kit.run.threads import ahead, ordered_map
from upstreamsync.model import Change, Failure, VendorUpdate
from upstreamsync.project.changes import Changes
from upstreamsync.project.check.check import lookups
from upstreamsync.project.check.lookup import Lookup
from upstreamsync.project.failures import guarded
from upstreamsync.project.session import Progress, Session
from upstreamsync.project.update.outcomes import failed_update
from upstreamsync.project.update.settled import Wishes, settled

if TYPE_CHECKING:  # a run that finds nothing to do loads nothing that makes a change
    from upstreamsync.project.update.regenerate import Prepared


def update(
    session: Session,
    names: Sequence[str],
    *,
    to: str | None,
    locked: bool,
    discard_edits: bool,
    progress: Progress | None,
) -> Changes:
    """The complete changes that bring the vendors to their targets; nothing is written yet.

    ``to`` names the version for the one vendor given. ``locked`` regenerates each base at its current
    version, and fails where the result does not equal the lock. A vendor whose base was edited by hand
    fails, unless ``discard_edits``.
    """
    chosen = session.selected(names)
    wishes = Wishes(to=to, locked=locked, named=bool(names), discard_edits=discard_edits)
    recover(session.root)  # what a run that was killed left behind has to be whole before it is read
    if to is not None and len(names) != 1:
        raise UsageError("--to needs exactly one vendor", hint="upstreamsync update VENDOR --to VERSION")
    pairs = list(zip(chosen, lookups(session, chosen), strict=True))
    session.connections.aside.expect(sum(_size(session, one) for one, found in pairs if found.candidates))

    def one(pair: tuple[Vendor, Lookup]) -> tuple[VendorUpdate, Prepared | None]:
        vendor, lookup = pair
        made = guarded(
            lambda: _one(session, vendor, lookup, wishes),
            seconds=session.settings.vendor_budget,
            what=f"the vendor `{vendor.name}`",
        )
        if progress is not None:
            progress(vendor.name)
        return (failed_update(vendor, made), None) if isinstance(made, Failure) else made

    # One more than there are processors: one of them waits for what is looked at aside.
    jobs = session.settings.engine_jobs + (session.settings.processes > 1)
    made = [outcome.get() for outcome in ordered_map(one, pairs, jobs)]
    building = ahead(partial(_built, session, made))
    changes = guarded(lambda: _changes(session, made))  # meanwhile: they all build, as a rule
    built = building()
    return changes if isinstance(changes, Changes) and built == made else _changes(session, built)


def _changes(session: Session, made: Sequence[tuple[VendorUpdate, Prepared | None]]) -> Changes:
    """What was made as one change for all. Raises UpstreamsyncError."""
    updates = _with_notes([update for update, _ in made], session)
    return Changes(root=session.root, updates=updates, together=_together(session, made))


def _size(session: Session, vendor: Vendor) -> int:
    """In bytes, what is vendored now; the next version is about as large."""
    files = (file for base in vendor.bases for file in (session.root / base).rglob("*") if file.is_file())
    return sum(file.stat().st_size for file in files)


def _one(
    session: Session, vendor: Vendor, lookup: Lookup, wishes: Wishes
) -> tuple[VendorUpdate, Prepared | None]:
    done = settled(session, vendor, lookup, wishes)
    if done is not None:
        return done, None
    from upstreamsync.project.update.step import update_one

    return update_one(session, vendor, lookup, wishes)


def _built(
    session: Session, made: Sequence[tuple[VendorUpdate, Prepared | None]]
) -> list[tuple[VendorUpdate, Prepared | None]]:
    """What was made, with each vendor failed of which a base does not build by itself."""
    waiting = [prepared.builds for _, prepared in made if prepared is not None and prepared.builds]
    if not waiting:
        return list(made)
    from upstreamsync.project.update.base_build import build_together, check_each

    together = guarded(
        lambda: build_together([build for builds in waiting for build in builds], session.tools)
    )
    known = frozenset[str]() if isinstance(together, Failure) else together  # then each says what is wrong

    def one(pair: tuple[VendorUpdate, Prepared | None]) -> tuple[VendorUpdate, Prepared | None]:
        prepared = pair[1]
        if prepared is None or not prepared.builds:
            return pair
        vendor = prepared.vendor
        place = partial(session.configuration.place, vendor.name)
        failed = guarded(
            lambda: check_each(prepared.builds, session.tools, place, known=known),
            seconds=session.settings.vendor_budget,
            what=f"the vendor `{vendor.name}`",
        )
        return (failed_update(vendor, failed), None) if failed is not None else pair

    return [outcome.get() for outcome in ordered_map(one, made, session.settings.engine_jobs)]


def _with_notes(updates: Sequence[VendorUpdate], session: Session) -> tuple[VendorUpdate, ...]:
    """With what git would leave out of what is to be written."""
    if all(one.change is None or one.change.empty for one in updates):
        return tuple(updates)
    from upstreamsync.project.checkout import with_ignored_files

    return with_ignored_files(updates, session.root)


def _together(session: Session, made: Sequence[tuple[VendorUpdate, Prepared | None]]) -> tuple[Change, ...]:
    """All changes one upon the other: several vendors may edit vendors.yaml, or one README."""
    chain: list[Change] = []
    for update, prepared in made:
        change = update.change
        if change is None or prepared is None or change.empty:
            continue
        if not as_tree(chain).keys().isdisjoint(change.files):
            from upstreamsync.project.update.regenerate import upon

            change = upon(change, prepared, chain, view=session.view, configuration=session.configuration)
        chain.append(change)
    return tuple(chain)
