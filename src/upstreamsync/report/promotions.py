"""What ``promote`` did, in each form."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from upstreamsync.model import Hold, Promoted
from upstreamsync.report.annotations import command
from upstreamsync.report.document import failure_document
from upstreamsync.report.markdown import table_row

if TYPE_CHECKING:
    from rich.console import Console


def promote_document(promoted: Sequence[Promoted]) -> dict[str, Any]:
    """``upstreamsync/promote/v1``."""
    return {"schema": "upstreamsync/promote/v1", "promotions": [_document(one) for one in promoted]}


def _document(one: Promoted) -> dict[str, Any]:
    return {
        "from": one.source,
        "to": one.target,
        "commit": one.commit,
        "action": one.action.value,
        "reason": one.reason,
        "held": _hold(one.hold),
        "branch": one.branch,
        "title": one.title,
        "number": one.number,
        "url": one.url,
        "draft": one.draft,
        "vendors": [
            {"name": move.vendor, "from": move.before, "to": move.after, "note": move.note}
            for move in one.moves
        ],
        "waiting": [
            {"commit": step.commit, "subject": step.subject, "since": _time(step.arrived)}
            for step in one.waiting
        ],
        "body": one.body,
        "error": failure_document(one.error),
    }


def _hold(hold: Hold | None) -> dict[str, Any] | None:
    if hold is None:
        return None
    until = _time(hold.until) if hold.until is not None else None
    return {"by": hold.by.value, "reason": hold.reason, "until": until}


def _time(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _line(one: Promoted) -> str:
    """``main → stage: opened, held by age: …``."""
    where = f" {one.url}" if one.url else f" (branch {one.branch})" if one.commit else ""
    held = f"; held by {one.hold.by.value}: {one.hold.reason}" if one.hold is not None else ""
    reason = f": {one.reason}" if one.reason else ""
    return f"{one.source} → {one.target}: {one.action.value}{where}{reason}{held}"


def print_promotions(out: Console, promoted: Sequence[Promoted]) -> None:
    """A line each, and below it what moves and what waits."""
    from rich.markup import escape

    for one in promoted:
        out.print(escape(_line(one)))
        if one.error is not None and one.error.hint:
            out.print(f"  hint: {escape(one.error.hint)}")
        for move in one.moves:
            note = f" ({move.note})" if move.note else ""
            out.print(
                f"  {escape(move.vendor)} {escape(move.before or '–')} → {escape(move.after or '–')}{note}"
            )
        if one.waiting:
            first = one.waiting[-1]
            count = f"{len(one.waiting)} newer commit{'s' if len(one.waiting) > 1 else ''}"
            out.print(f"  {count} not in it yet, the first: {first.commit[:12]} {escape(first.subject)}")


def promote_markdown(promoted: Sequence[Promoted]) -> str:
    """A table of the promotions."""
    lines = ["| from | to | action | held | pull request |", "|---|---|---|---|---|"]
    for one in promoted:
        action = f"{one.action.value}: {one.reason}" if one.reason else one.action.value
        held = f"by {one.hold.by.value}: {one.hold.reason}" if one.hold is not None else ""
        lines.append(table_row(one.source, one.target, action, held, one.url or one.branch))
    return "\n".join(lines) + "\n"


def promote_annotations(promoted: Sequence[Promoted], *, file: str) -> str:
    """A notice for each promotion, an error for each that could not be made."""
    lines = [command("error" if one.error is not None else "notice", _line(one), file) for one in promoted]
    return "\n".join(lines) + "\n" if lines else ""
