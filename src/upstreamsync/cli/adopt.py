"""``adopt``: what becomes of a copy that was edited by hand."""

from __future__ import annotations

from collections.abc import Sequence

from upstreamsync.cli import exits, output
from upstreamsync.cli.common import Common, text_form
from upstreamsync.errors import UsageError


def adopt(
    common: Common, names: Sequence[str], *, origin: str | None, version: str | None, dry_run: bool
) -> int:
    """Plan, prove, write unless it is a dry run, report, and say how to end."""
    if origin is not None and len(names) != 1:
        raise UsageError("--from needs exactly one folder", hint="upstreamsync adopt FOLDER --from URL")
    with common.project() as project:
        if origin is None:
            adoptions = project.adopt(names, version=version)
        else:
            adoptions = (project.adopt_folder(names[0], origin, version=version),)
        if not dry_run:
            project.write(*(one.change for one in adoptions if one.change is not None))
        file = project.configuration.places.file
        output.tell_of_no_vendors(names, project.configuration.vendors)
    from upstreamsync.report import adoptions as report

    common.say(
        document=lambda: report.adopt_document(adoptions),
        text=lambda out: text_form().print_adoptions(out, adoptions, dry_run=dry_run),
        markdown=lambda: report.adopt_markdown(adoptions),
        github=lambda: report.adopt_annotations(adoptions, file=file),
    )
    return exits.of_failures([one.error for one in adoptions if one.error is not None])
