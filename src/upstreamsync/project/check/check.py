"""What each vendor would move to; several processes where that pays, and no look where nothing changed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial

from upstreamsync.config import Vendor
from upstreamsync.kit.run.processes import can_fork, in_processes
from upstreamsync.kit.run.threads import ordered_map
from upstreamsync.kit.store.dependencies import record_dependencies
from upstreamsync.kit.templates import version_values
from upstreamsync.lock import Lock
from upstreamsync.model import BaseCondition, BaseState, Failure, Finding, Release, Status
from upstreamsync.project.check.lookup import Lookup, explain, look_up
from upstreamsync.project.check.offline import (
    Held,
    orphan_findings,
    refuse_what_cannot_work,
    unlocked,
    with_bases,
)
from upstreamsync.project.check.spread import Recorded, packed, spread, unpacked
from upstreamsync.project.check.unchanged import Unchanged
from upstreamsync.project.failures import guarded
from upstreamsync.project.session import Progress, Session
from upstreamsync.releases import announce

#: See ``check``.
Hold = Callable[[Session, Vendor, Lookup], Held]
_log = logging.getLogger(__name__)


def check(
    session: Session, names: Sequence[str], progress: Progress | None, hold: Hold
) -> tuple[Finding, ...]:
    """What each vendor (or each of those named) would move to, in the order of the file.

    ``hold`` makes the declared version of a vendor without a lock, and holds the base against it.
    What was found before is found again without looking, where nothing that it depends on has changed.
    """
    chosen = session.selected(names)
    configuration = session.configuration
    memory = Unchanged(configuration.path, configuration.digest, session.connections)
    found = memory.still_valid([vendor.name for vendor in chosen])
    if progress is not None:
        for name in found:
            progress(name)
    changed = [vendor for vendor in chosen if vendor.name not in found]
    gone = _orphaned(session) if not names else {}
    if changed or gone:
        looked = _recorded(session, changed, hold, progress) | gone
        memory.keep(
            looked,
            names=[*(vendor.name for vendor in configuration.vendors), *gone],
            bases=[base for vendor in configuration.vendors for base in vendor.bases],
        )
        found |= {name: finding for name, (finding, _, _) in looked.items()}
    return tuple(found[name] for name in (*(vendor.name for vendor in chosen), *gone))


def _orphaned(session: Session) -> dict[str, Recorded]:
    """What is left of vendors that vendors.yaml no longer has, as findings."""
    with record_dependencies() as record:
        findings = orphan_findings(session.orphans())
    return {finding.vendor: (finding, record, None) for finding in findings}


def explain_vendor(session: Session, name: str) -> tuple[Finding, tuple[tuple[Release, str], ...]]:
    """The finding of one vendor and what became of every version on offer."""
    vendor = session.configuration.vendor(name)
    (lookup,) = lookups(session, [vendor])
    return lookup.finding, explain(vendor, lookup, session.tools)


def lookups(session: Session, vendors: Sequence[Vendor]) -> list[Lookup]:
    """What upstream offers each of the vendors; one that fails is a finding of its own."""
    announce(vendors, session.tools)  # the tools are made once, before the threads need them
    outcomes = ordered_map(lambda vendor: _with_lock(session, vendor), vendors, session.settings.lookup_jobs)
    return [outcome.get() for outcome in outcomes]


def _recorded(
    session: Session, vendors: Sequence[Vendor], hold: Hold, progress: Progress | None
) -> dict[str, Recorded]:
    """The findings, each with all that was asked for it; in several processes where that pays."""
    several = can_fork() and session.connections.idle
    parts = spread(vendors, session.settings.processes) if several else [vendors]
    if len(parts) == 1:
        return _recorded_here(session, vendors, hold, progress)
    _log.debug("looking up %d vendors in %d processes", len(vendors), len(parts))
    found: dict[str, Recorded] = {}

    def look(part: Sequence[Vendor]) -> bytes:
        if part is not parts[0]:
            return packed(_recorded_here(session, part, hold, None))
        found.update(_recorded_here(session, part, hold, progress))  # which is not to be sent anywhere
        return b""

    answers = in_processes(look, parts, at_end=session.connections.close)
    for part, data in zip(parts[1:], answers[1:], strict=True):
        found |= _recorded_here(session, part, hold, progress) if data is None else unpacked(data)
        if progress is not None and data is not None:
            for vendor in part:
                progress(vendor.name)
    return found


def _recorded_here(
    session: Session, vendors: Sequence[Vendor], hold: Hold, progress: Progress | None
) -> dict[str, Recorded]:
    tools = session.tools

    def one(vendor: Vendor) -> Recorded:
        with record_dependencies() as record:
            lookup = _check_one(session, vendor, hold)
        if progress is not None:
            progress(vendor.name)
        return lookup.finding, record, lookup.until

    announce(vendors, tools)
    with tools.cache.gathering():
        outcomes = ordered_map(one, vendors, session.settings.lookup_jobs)
    return {vendor.name: outcome.get() for vendor, outcome in zip(vendors, outcomes, strict=True)}


def _with_lock(session: Session, vendor: Vendor) -> Lookup:
    lock = guarded(lambda: session.lock(vendor))
    if isinstance(lock, Failure):
        return Lookup(finding=_failed(vendor, lock))
    return _look_up(session, vendor, lock)


def _look_up(session: Session, vendor: Vendor, lock: Lock | None) -> Lookup:
    place = partial(session.configuration.place, vendor.name)
    tools = session.tools
    found = guarded(
        lambda: look_up(vendor, tools, read=session.read, lock=lock, at=place),
        seconds=session.settings.vendor_budget,
        what=f"the vendor `{vendor.name}`",
    )
    return found if isinstance(found, Lookup) else Lookup(finding=_failed(vendor, found))


def _check_one(session: Session, vendor: Vendor, hold: Hold) -> Lookup:
    """As ``_look_up``, with all that can be told of the vendor offline."""
    place = partial(session.configuration.place, vendor.name)
    values = version_values(vendor.version) if vendor.version else {}
    wrong = guarded(lambda: refuse_what_cannot_work(vendor, session.read, place, values))
    if wrong is not None:
        return Lookup(finding=_failed(vendor, wrong))
    lock = guarded(lambda: session.lock(vendor))
    if isinstance(lock, Failure):
        return Lookup(finding=_failed(vendor, lock))
    lookup = _look_up(session, vendor, lock)
    states = guarded(
        lambda: _states(session, vendor, lock, lookup, hold),
        seconds=session.settings.vendor_budget,
        what=f"the vendor `{vendor.name}`",
    )
    return lookup if isinstance(states, Failure) else with_bases(lookup, vendor, states)


def _states(
    session: Session, vendor: Vendor, lock: Lock | None, lookup: Lookup, hold: Hold
) -> tuple[BaseState, ...]:
    """What can be told of the bases; one without a lock is held against the version that is declared."""
    states = session.states_under(vendor, lock)
    if all(state.condition is not BaseCondition.UNLOCKED for state in states) or lookup.finding.error:
        return states
    return unlocked(states, hold(session, vendor, lookup))


def _failed(vendor: Vendor, failure: Failure) -> Finding:
    return Finding(vendor=vendor.name, status=Status.FAILED, current=vendor.version or "", error=failure)
