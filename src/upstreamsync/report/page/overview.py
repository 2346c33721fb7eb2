"""Vendors as rows of the overview. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from upstreamsync.model import BaseState, Finding, PullRequest, Status, VendorUpdate
from upstreamsync.report.page.values import VendorRow
from upstreamsync.report.waiting import waiting

_TONES: Final = {
    Status.UP_TO_DATE: "good",
    Status.OUTDATED: "new",
    Status.NOT_VENDORED: "new",
    Status.PENDING: "wait",
    Status.WITHDRAWN: "bad",
    Status.REPUBLISHED: "bad",
    Status.EDITED: "bad",
    Status.FAILED: "bad",
}
_SAYS: Final = {
    Status.WITHDRAWN: "The version that is vendored is gone upstream.",
    Status.REPUBLISHED: "The version that is vendored has other content upstream than the lock says.",
    Status.NOT_VENDORED: "There is no base yet.",
}
_ORDER: Final = ("bad", "wait", "new", "good")
_NOTES_LIMIT: Final = 20_000


def of_finding(finding: Finding) -> VendorRow:
    """What ``check`` says of a vendor."""
    target = finding.target
    notes = [_SAYS[finding.status]] if finding.status in _SAYS else []
    notes += waiting(finding)
    notes += _held_back(finding)
    notes += [
        f"image {image.image}: {image.current} → {image.target.version}"
        for image in finding.images
        if image.target is not None
    ]
    notes += finding.remarks
    if finding.error is not None:
        notes += [
            finding.error.message,
            *([f"What to do: {finding.error.hint}"] if finding.error.hint else []),
        ]
    text = (target.notes or "").strip() if target is not None else ""
    return VendorRow(
        name=finding.vendor,
        state=finding.status.value,
        tone=_TONES[finding.status],
        current=finding.current,
        target=target.version if target is not None else "",
        published=f"{target.published:%Y-%m-%d}" if target is not None and target.published else "",
        notes=tuple(notes),
        links=_links("release", target.page if target is not None else None),
        release_notes=text if len(text) <= _NOTES_LIMIT else f"{text[:_NOTES_LIMIT]}\n…",
    )


def _held_back(finding: Finding) -> list[str]:
    """The newest version, where it is not the one to take, and why."""
    taken = finding.target.version if finding.target is not None else finding.current
    reasons = {one.version: one for one in finding.passed_over}
    known = reasons.get(finding.newest or "")
    if not finding.newest or finding.newest == taken or (known is not None and known.until is not None):
        return []
    return [f"newest is {finding.newest}, held back" + (f": {known.reason}" if known is not None else "")]


def _links(name: str, address: str | None) -> tuple[tuple[str, str], ...]:
    """A link, where it leads to the web and nowhere else."""
    return ((name, address),) if address is not None and address.startswith(("https://", "http://")) else ()


def of_bases(versions: Iterable[tuple[str, str]], states: Iterable[BaseState]) -> tuple[VendorRow, ...]:
    """What can be told of vendors offline: (name, version), and the state of their bases."""
    by_vendor: dict[str, list[BaseState]] = {}
    for state in states:
        by_vendor.setdefault(state.vendor, []).append(state)
    rows = [_of_states(name, version, by_vendor.pop(name, [])) for name, version in versions]
    return (*rows, *(_of_states(name, "", left) for name, left in by_vendor.items()))


def _of_states(name: str, version: str, states: list[BaseState]) -> VendorRow:
    odd = next((state for state in states if not state.sound), None)
    shown = odd or (states[0] if states else None)
    notes = [
        f"{state.path or state.vendor}: {state.why or 'it does not equal its lock'}"
        + (f". What to do: {state.command}" if state.command else "")
        for state in states
        if not state.sound
    ]
    return VendorRow(
        name=name,
        state=shown.condition.value if shown is not None else "no base",
        tone="bad" if odd is not None else "good",
        current=version,
        notes=tuple(notes),
    )


def of_update(update: VendorUpdate, *, dry_run: bool) -> VendorRow:
    """What ``update`` did with a vendor, or would do, upon what was found out about it."""
    known = of_finding(update.finding) if update.finding is not None else None
    notes = list(known.notes) if known is not None else []
    if update.error is not None and update.error.message not in notes:
        notes += [update.error.message, *([f"What to do: {update.error.hint}"] if update.error.hint else [])]
    if update.status in ("updated", "added"):
        counted = f"{len(update.added)} added, {len(update.changed)} changed, {len(update.removed)} removed"
        notes.insert(0, f"Files: {counted}.")
    notes += [f"{edit.place}: {edit.before} → {edit.after}" for edit in update.edits]
    notes += [note.partition("\n")[0] for note in update.notes]
    tone = {"failed": "bad", "unchanged": "good"}.get(update.status, "new")
    if update.status == "unchanged" and known is not None:
        return VendorRow(
            name=known.name, state=known.state, tone=known.tone, current=known.current, target=known.target,
            published=known.published, notes=tuple(notes), links=known.links, release_notes=known.release_notes,
        )  # fmt: skip
    return VendorRow(
        name=update.vendor,
        state=_would(update.status, dry_run=dry_run),
        tone=tone,
        current=update.before,
        target=update.after if update.after != update.before or update.status == "added" else "",
        published=known.published if known is not None else "",
        notes=tuple(notes),
        links=known.links if known is not None else (),
        release_notes=known.release_notes if known is not None else "",
    )


def of_pull_request(one: PullRequest, known: Mapping[str, VendorRow], *, dry_run: bool) -> VendorRow:
    """What became of a pull request, or would, upon what is known of its vendor."""
    row = known.get(one.vendor)
    notes = [one.reason] if one.reason not in (None, "", "new") and one.error is None else []
    if one.error is not None:
        notes += [one.error.message, *([f"What to do: {one.error.hint}"] if one.error.hint else [])]
    notes += [note for note in (row.notes if row is not None else ()) if note not in notes]
    name = f"pull request #{one.number}" if one.number is not None else "pull request"
    return VendorRow(
        name=one.vendor,
        state=f"{_would(one.action.value, dry_run=dry_run)}{' as a draft' if one.draft else ''}",
        tone="bad" if one.error is not None else "wait" if one.draft else "new",
        current=one.before,
        target=one.after,
        published=row.published if row is not None else "",
        notes=tuple(notes),
        links=(*_links(name, one.url), *(row.links if row is not None else ())),
        release_notes=row.release_notes if row is not None else "",
    )


def _would(done: str, *, dry_run: bool) -> str:
    changes = done in ("added", "updated", "opened", "closed")
    return f"would be {done}" if dry_run and changes else done


def worst_first(rows: Iterable[VendorRow]) -> tuple[VendorRow, ...]:
    """Those that need somebody before those that are well; else as vendors.yaml has them."""
    return tuple(sorted(rows, key=lambda row: _ORDER.index(row.tone)))
