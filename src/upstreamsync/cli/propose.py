"""``pr``: check, update, judge and propose, from the tip of the base branch."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from upstreamsync.cli import output
from upstreamsync.cli.common import Common, Format
from upstreamsync.cli.page import write_page
from upstreamsync.errors import UsageError
from upstreamsync.kit.sanitize import sanitized
from upstreamsync.model import Action, Inspection, PullRequest
from upstreamsync.project.propose.propose import ProposeOptions, propose_from_branch


def propose(
    common: Common,
    vendors: Sequence[str],
    *,
    dry_run: bool,
    forge: str | None,
    suggest_fixes: bool,
    notices: bool,
    reports: Path | None,
    discard_edits: bool = False,
    html: Path | None = None,
) -> tuple[tuple[PullRequest, ...], str]:
    """The pull requests, with those that failed, and the name of vendors.yaml for annotations."""
    if forge not in (None, "github", "local"):
        raise UsageError(f"there is no forge `{forge}`", hint="--forge takes github or local")
    inspections: list[Inspection] = []
    options = ProposeOptions(
        forge=forge,
        dry_run=dry_run,
        suggest_fixes=suggest_fixes,
        notices=notices,
        discard_edits=discard_edits,
        inspected=inspections.append if html is not None else None,
        page=run_address(os.environ) if html is not None else "",
    )
    with common.project() as project:
        total = len(vendors or project.configuration.vendors)
        with common.progress("proposing", total) as step:
            proposed = propose_from_branch(project.session, vendors, options, progress=step)
        file = project.configuration.places.file
        output.tell_of_no_vendors(vendors, project.configuration.vendors)
        failures = proposed.failures or {}
        failed = tuple(
            PullRequest(
                vendor=name,
                before=project.configuration.vendor(name).version or "",
                after="",
                branch="",
                title="",
                action=Action.FAILED,
                reason=failure.message,
                error=failure,
            )
            for name, failure in failures.items()
        )
    if common.format is Format.GITHUB:
        _summarize(proposed.reports)
    if reports is not None:
        _write_reports(proposed.reports, reports)
    for remark in proposed.remarks:
        output.tell(remark)
    all_of = (*proposed.pull_requests, *failed)
    if html is not None:
        from upstreamsync.report.page.make import page_of_pull_requests

        write_page(html, page_of_pull_requests(all_of, proposed.findings, inspections, dry_run=dry_run))
    return all_of, file


def run_address(environment: Mapping[str, str]) -> str:
    """The page of this run of a workflow at GitHub, which has its artifacts; empty elsewhere."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (environment.get(name, "") for name in names)
    known = _SERVER.fullmatch(server) and _REPOSITORY.fullmatch(repository) and run.isdecimal()
    return f"{server}/{repository}/actions/runs/{run}#artifacts" if known else ""


_SERVER = re.compile(r"https://[\w.-]+(:[0-9]+)?", re.ASCII)
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
#: GitHub takes 1 MiB of summary from one step.
_SUMMARY_LIMIT = 900_000


def _summarize(reports: Mapping[str, str]) -> None:
    """The full reports in the job's summary, as many as fit."""
    left = _SUMMARY_LIMIT
    for branch, report in reports.items():
        left -= len(report.encode())
        if left < 0:
            output.summary("More reports than a summary can hold: see the files of `--reports`.")
            return
        output.summary(f"## {branch}\n\n{report}")


def _write_reports(reports: Mapping[str, str], folder: Path) -> None:
    """One Markdown file per branch."""
    folder.mkdir(parents=True, exist_ok=True)
    for branch, report in reports.items():
        (folder / f"{branch.replace('/', '-')}.md").write_text(sanitized(report), encoding="utf-8")
