"""``update``: the bases of the working tree, regenerated, and what becomes of what stands on them."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upstreamsync.cli import exits, output
from upstreamsync.cli.common import Common, Format, counting, text_form
from upstreamsync.kit.run.threads import ahead

if TYPE_CHECKING:
    from upstreamsync.model import Inspection, VendorUpdate, Verification
    from upstreamsync.project import Changes, Project


def update(
    common: Common,
    vendors: Sequence[str],
    *,
    to: str | None,
    dry_run: bool,
    locked: bool,
    discard_edits: bool,
    html: Path | None = None,
) -> int:
    """Compute everything, judge it, write it, report, and say how to end."""
    from upstreamsync.report import document, idle

    sys.setswitchinterval(0.001)  # of several threads most are about to wait for a program, or for a file
    seen: list[Inspection] = []
    with counting(common, "judging") as counted, counted.project() as project:
        total = len(vendors or project.configuration.vendors)
        with counted.progress("updating", total) as step:
            changes = project.update(
                vendors,
                to=to,
                locked=locked,
                discard_edits=discard_edits,
                progress=_loading(common, total, step),
            )
        verification = _judged(project, changes, seen if html is not None else None)
        if not dry_run:
            changes.write()
        file = project.configuration.places.file
    updates = changes.updates
    output.tell_of_no_vendors(vendors, updates)

    def text(out: Any) -> None:
        text_form().print_updates(out, updates, dry_run=dry_run, verbose=common.verbose)
        if verification is not None:
            text_form().print_verification(out, verification, verbose=common.verbose)

    common.say(
        document=lambda: document.update_document(updates, verification),
        text=text,
        plain=partial(idle.write, updates=updates, verbose=common.verbose) if idle.applies(updates) else None,
        markdown=lambda: _markdown(updates, verification),
        github=lambda: _github(updates, verification, file),
    )
    if html is not None:
        from upstreamsync.cli.page import write_page
        from upstreamsync.report.page.make import page_of_updates

        write_page(html, page_of_updates(updates, seen[0] if seen else None, dry_run=dry_run))
    return exits.of_updates(updates, verification)


def _loading(common: Common, total: int, step: Callable[[str], None] | None) -> Callable[[str], None]:
    """As ``step``; behind the last vendor, while kustomize builds, what comes at the end of a change is loaded."""
    waiting = itertools.count(1 - total)
    modules = ["upstreamsync.project.verify.verification"]
    if common.format is Format.TEXT:
        modules.append("upstreamsync.report.text")

    def told(vendor: str) -> None:
        if step is not None:
            step(vendor)
        if next(waiting) == 0 and "upstreamsync.project.update.step" in sys.modules:  # which makes changes
            ahead(lambda: [import_module(name) for name in modules])

    return told


def _markdown(updates: Sequence[VendorUpdate], verification: Verification | None) -> str:
    from upstreamsync.report import markdown  # most runs write text or JSON

    judged = "\n" + markdown.verify_markdown(verification) if verification else ""
    return markdown.update_markdown(updates) + judged


def _github(updates: Sequence[VendorUpdate], verification: Verification | None, file: str) -> str:
    from upstreamsync.report import annotations

    judged = annotations.verify_annotations(verification) if verification else ""
    return annotations.update_annotations(updates, file=file) + judged


def _judged(project: Project, changes: Changes, seen: list[Inspection] | None) -> Verification | None:
    """The verification, and in ``seen`` what a page shows of it; None where nothing changes."""
    if not changes.files:
        return None
    if seen is None:
        return project.verify(changes)
    from upstreamsync.cli.page import inspector_of
    from upstreamsync.project.verify.verification import verify_change

    look = inspector_of(project.session)
    verification = verify_change(project.session, changes.files, changes.changes, overlays=(), look=look)
    seen += look.found
    return verification
