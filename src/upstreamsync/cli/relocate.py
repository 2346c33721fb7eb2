"""``mv`` and ``remove``: what becomes of a vendor's base, and of what names it."""

from __future__ import annotations

from upstreamsync.cli import exits
from upstreamsync.cli.common import Common, text_form
from upstreamsync.model import Change


def move(common: Common, vendor: str, path: str, *, dry_run: bool) -> int:
    """Move, report, and say how to end: 1 where something has to be done by hand."""
    with common.project() as project:
        change = project.move(vendor, path)
        if not dry_run:
            project.write(change)
    return _told(common, change, f"{vendor} is in {path}", dry_run=dry_run)


def remove(common: Common, vendor: str, *, keep_files: bool, discard_edits: bool, dry_run: bool) -> int:
    """Remove, report, and say how to end: 1 where something has to be done by hand."""
    with common.project() as project:
        change = project.remove(vendor, keep_files=keep_files, discard_edits=discard_edits)
        if not dry_run:
            project.write(change)
    return _told(common, change, f"{vendor} is removed", dry_run=dry_run)


def _told(common: Common, change: Change, what: str, *, dry_run: bool) -> int:
    files = change.files
    document = {
        "schema": "upstreamsync/relocate/v1",
        "vendor": change.vendor,
        "written": sorted(path for path, data in files.items() if data is not None),
        "removed": sorted(path for path, data in files.items() if data is None),
        "notes": list(change.notes),
    }
    lines = [f"{'would be: ' if dry_run else ''}{what} ({len(files)} files)", *change.notes]
    common.say(
        document=lambda: document,
        text=lambda out: text_form().print_lines(out, lines),
        markdown=lambda: "".join(f"- {line}\n" for line in lines),
        github=lambda: "",
    )
    return exits.PERSON if change.notes else exits.DONE
