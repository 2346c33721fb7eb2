"""The dashboard around a run of ``pr``: what people ticked is read before it, and its text is written after it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from upstreamsync.config import Configuration, Vendor
from upstreamsync.errors import UpstreamsyncError
from upstreamsync.forge import Forge
from upstreamsync.forge.rules.dashboard import NONE, Wishes, box, carried, ticked, wishes_of
from upstreamsync.forge.state import Board, Boards
from upstreamsync.forge.text.dashboard import TITLE, Row, dashboard
from upstreamsync.kit.versions import Version, parse
from upstreamsync.model import EMPTY, Action, Failure, Finding, Proposal, PullRequest, VendorUpdate
from upstreamsync.project.check.check import explain_vendor
from upstreamsync.project.session import Session

_HELD = ("withdrawn", "republished", "edited")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a run found: the issue, what is wished for, and what the user should be told."""

    board: Board | None = None
    wishes: Wishes = NONE
    remarks: tuple[str, ...] = ()
    on: bool = False


def look(forge: Forge, configuration: Configuration, config: str) -> Look:
    """Read the dashboard, where vendors.yaml asks for one. A forge that has none, or fails here, stops nothing."""
    if not configuration.forge.dashboard:
        return Look()
    if not isinstance(forge, Boards):
        return Look(remarks=("this forge keeps no issues, and so no dashboard",))
    try:
        board = forge.board(config)
    except UpstreamsyncError as error:
        return Look(remarks=(f"the dashboard could not be read: {error.message}",))
    if board is None:
        return Look(on=True)
    marks = ticked(board.body)
    if marks and not board.editor_may:
        told = f"what {board.editor} ticked in #{board.number} is not acted on: they may not write here"
        return Look(board=board, remarks=(told,), on=True)
    return Look(board=board, wishes=wishes_of(marks), on=True)


def with_ignored(configuration: Configuration, wishes: Wishes) -> Configuration:
    """The configuration without the versions that people ticked away."""
    if not wishes.ignore:
        return configuration
    vendors = tuple(_ignoring(vendor, wishes.ignore.get(vendor.name, ())) for vendor in configuration.vendors)
    told = repr(sorted(wishes.ignore.items()))
    digest = hashlib.sha256(f"{configuration.digest} {told}".encode()).hexdigest()
    return replace(configuration, vendors=vendors, digest=digest)


def _ignoring(vendor: Vendor, versions: Sequence[str]) -> Vendor:
    if not versions:
        return vendor
    follow = vendor.follow.model_copy(update={"ignore": (*vendor.follow.ignore, *versions)})
    return vendor.model_copy(update={"follow": follow})


def takable(there: Session, take: Mapping[str, str]) -> dict[str, str]:
    """Those of the versions that only time holds back: a tick that was left behind moves nothing back."""
    found = {}
    for vendor, version in take.items():
        finding, _ = explain_vendor(there, vendor)
        if any(one.version == version and one.until is not None for one in finding.passed_over):
            found[vendor] = version
    return found


def keep(
    forge: Forge,
    seen: Look,
    config: str,
    *,
    updates: Sequence[VendorUpdate],
    proposals: Sequence[Proposal],
    pull_requests: Sequence[PullRequest],
    failures: Mapping[str, Failure],
    schemes: Mapping[str, str] = EMPTY,
) -> tuple[str, ...]:
    """Write the dashboard; returns what the user should be told. ``schemes`` say how a vendor's versions compare."""
    if not seen.on or not isinstance(forge, Boards):
        return ()
    carriers = {
        vendor: (proposal, result)
        for proposal in proposals
        for result in pull_requests
        if result.branch == proposal.branch
        for vendor in proposal.vendors
    }
    rows = [
        without_outlived(
            _row(update, carriers.get(update.vendor), failures, seen.wishes),
            schemes.get(update.vendor, "semver"),
        )
        for update in updates
    ]
    try:
        present = forge.board(config)
        new, gone = (
            carried(seen.board.body, present.body)
            if seen.board is not None and present is not None and present.editor_may
            else (frozenset(), frozenset())
        )
        marks = (_lasting(rows) | new) - gone
        text = dashboard(rows, config=config, ticked=marks)
        if present is None or present.body.replace("\r\n", "\n").strip() != text.strip():
            forge.write_board(TITLE, text, present)
    except UpstreamsyncError as error:
        return (f"the dashboard could not be written: {error.message}",)
    return ()


def without_outlived(row: Row, scheme: str) -> Row:
    """Without the ignored versions that the vendor has left behind: nobody has to tidy them up."""
    current = parse(row.before, scheme)
    kept = [one for one in row.ignored if not _is_older(parse(one, scheme), current)]
    return replace(row, ignored=tuple(kept))


def _is_older(version: Version | None, current: Version | None) -> bool:
    return version is not None and current is not None and version <= current


def _lasting(rows: Collection[Row]) -> frozenset[str]:
    """The boxes that stay ticked after a run."""
    taken = {box("take", row.vendor, row.after) for row in rows if row.taken}
    return frozenset(taken | {box("ignore", row.vendor, one) for row in rows for one in row.ignored})


def _row(
    update: VendorUpdate,
    carrier: tuple[Proposal, PullRequest] | None,
    failures: Mapping[str, Failure],
    wishes: Wishes,
) -> Row:
    row = Row(
        vendor=update.vendor, state="fine", before=update.before, ignored=wishes.ignore.get(update.vendor, ())
    )
    finding = update.finding
    if update.vendor in failures:
        return replace(row, state="trouble", why=failures[update.vendor].message)
    if carrier is not None:
        return _carried(row, *carrier, wishes)
    if finding is not None and str(finding.status) in _HELD:
        return replace(
            row, state="trouble", why=f"{finding.status}; see `upstreamsync explain {update.vendor}`"
        )
    if finding is not None and (waiting := _waiting(finding)) is not None:
        version, until = waiting
        return replace(row, state="waiting", after=version, why=f"young; it is taken on {until:%Y-%m-%d}")
    return row


def _carried(row: Row, proposal: Proposal, result: PullRequest, wishes: Wishes) -> Row:
    after = next(after for vendor, _, after in proposal.steps if vendor == row.vendor)
    row = replace(row, after=after, key=proposal.key, taken=wishes.take.get(row.vendor) == after)
    match result.action:
        case Action.FAILED:
            return replace(row, state="trouble", why=result.reason or "")
        case Action.SKIPPED if result.number is None:
            return replace(row, state="waiting", why=result.reason or "")
        case _:
            why = result.reason or "" if result.action is Action.SKIPPED else ""
            return replace(
                row, state="open", number=result.number, url=result.url or "", draft=result.draft, why=why
            )


def _waiting(finding: Finding) -> tuple[str, datetime] | None:
    """The newest version that only time holds back, and until when."""
    for one in finding.passed_over:
        if one.until is not None:
            return one.version, one.until
    return None
