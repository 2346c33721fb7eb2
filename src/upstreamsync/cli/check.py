"""``check``: what each vendor would move to."""

from __future__ import annotations

from collections.abc import Sequence

from upstreamsync.cli import exits
from upstreamsync.cli.common import Common, text_form


def check(common: Common, vendors: Sequence[str], *, exit_code: bool, matrix: bool) -> int:
    """Look, report, and say how to end. What stands since an earlier run is said without reading anything."""
    with common.lazy_project() as lazy:
        found = lazy.unchanged(vendors)
        if found is None:
            project = lazy.project()
            total = len(vendors or project.configuration.vendors)
            with common.progress("checking", total) as step:
                found = project.check(vendors, progress=step)
        findings, file = found, lazy.file
    from upstreamsync.report import annotations, document, markdown

    common.say(
        document=lambda: document.check_document(findings),
        text=lambda out: text_form().print_check(out, findings, verbose=common.verbose),
        markdown=lambda: markdown.check_markdown(findings),
        github=lambda: (
            annotations.matrix(findings) if matrix else annotations.check_annotations(findings, file=file)
        ),
    )
    return exits.of_check(findings, updates_count=exit_code)
