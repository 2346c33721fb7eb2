"""``check``: what each vendor would move to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from upstreamsync.cli import exits, output
from upstreamsync.cli.common import Common
from upstreamsync.model import Finding, Status


def check(
    common: Common, vendors: Sequence[str], *, exit_code: bool, matrix: bool, html: Path | None = None
) -> int:
    """Look, report, and say how to end. What stands since an earlier run is said without reading anything."""
    with common.lazy_project() as lazy:
        found = lazy.unchanged(vendors)
        if found is None:
            project = lazy.project()
            total = len(vendors or project.configuration.vendors)
            with common.progress("checking", total) as step:
                found = project.check(vendors, progress=step)
        findings, file = found, lazy.file
    _tell_of_a_new_cache(findings)
    output.tell_of_no_vendors(vendors, findings)
    from upstreamsync.report import check_text, document

    common.say(
        document=lambda: document.check_document(findings),
        plain=lambda stream: check_text.write_check(stream, findings, verbose=common.verbose),
        markdown=lambda: _markdown(findings),
        github=lambda: _github(findings, file, matrix=matrix),
    )
    if html is not None:
        from upstreamsync.cli.page import write_page
        from upstreamsync.report.page.make import page_of_check

        write_page(html, page_of_check(findings))
    return exits.of_check(findings, updates_count=exit_code)


def _markdown(findings: Sequence[Finding]) -> str:
    from upstreamsync.report.markdown import check_markdown  # most runs write text or JSON

    return check_markdown(findings)


def _github(findings: Sequence[Finding], file: str, *, matrix: bool) -> str:
    from upstreamsync.report import annotations

    return annotations.matrix(findings) if matrix else annotations.check_annotations(findings, file=file)


def _tell_of_a_new_cache(findings: Sequence[Finding]) -> None:
    """Versions without a date that were never seen before begin to wait now: with each new cache anew."""
    begun = {
        (finding.vendor, one.version)
        for finding in findings
        if finding.status is Status.PENDING
        for one in (*finding.passed_over, *(one for image in finding.images for one in image.passed_over))
        if one.reason.startswith("first seen just now")
    }
    if begun:
        count = "1 version" if len(begun) == 1 else f"{len(begun)} versions"
        output.tell(
            f"{count} without a date {'was' if len(begun) == 1 else 'were'} never seen before: the cooldown begins "
            "now. Keep the cache between runs (UPSTREAMSYNC_CACHE), or let `pr` remember in refs/notes/upstreamsync"
        )
