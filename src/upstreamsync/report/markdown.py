"""Results as Markdown: the job summary of a workflow, or a comment."""

from __future__ import annotations

from collections.abc import Sequence

from upstreamsync.kit.defuse import ZERO_WIDTH, inert
from upstreamsync.model import Finding, PullRequest, Release, Severity, VendorUpdate, Verdict, Verification
from upstreamsync.report.grouping import grouped


def check_markdown(findings: Sequence[Finding]) -> str:
    """A table of the vendors, failures below it."""
    lines = ["| vendor | status | current | target | note |", "|---|---|---|---|---|"]
    for finding in findings:
        target = finding.target.version if finding.target else ""
        note = finding.error.message if finding.error else "; ".join(finding.remarks)
        lines.append(table_row(finding.vendor, finding.status.value, finding.current, target, note))
    return "\n".join(lines) + "\n"


def explain_markdown(finding: Finding, versions: Sequence[tuple[Release, str]]) -> str:
    """A table of every version on offer."""
    lines = [f"{cell(finding.vendor)} is at {cell(finding.current)}: {finding.status.value}", ""]
    lines += ["| version | published | decision |", "|---|---|---|"]
    for release, decision in versions:
        published = f"{release.published:%Y-%m-%d}" if release.published else ""
        lines.append(table_row(release.version, published, decision))
    return "\n".join(lines) + "\n"


def verify_markdown(verification: Verification) -> str:
    """Per overlay a table of what is not ok, worst first."""
    lines: list[str] = []
    for base in verification.bases:
        if not base.sound:
            files = f": {', '.join(base.changed_files)}" if base.changed_files else ""
            what = "is not pristine" if not base.pristine else "is not as vendors.yaml says"
            lines.append(
                f"**{cell(base.path or base.vendor)} {what}**{cell(files)} {cell(base.why)}".rstrip()
            )
            lines += [f"{_code(base.command)}" if base.command else "", ""]
    for overlay in verification.overlays:
        lines += [f"### {cell(overlay.path)}{' (new)' if overlay.is_new else ''}", ""]
        lines += [f"- left out: {cell(str(one))}" for one in overlay.left_out]
        if overlay.left_out:
            lines.append("")
        for side, build in (("before", overlay.before), ("after", overlay.after)):
            if not build.ok:
                lines += [f"Does not build {side}: {_code(build.error or '')}", ""]
        items = [item for item in overlay.items if item.verdict is not Verdict.OK]
        quiet = len(overlay.items) - len(items)
        if items:
            lines += ["| verdict | customization | what happened | what to do |", "|---|---|---|---|"]
        for item in sorted(grouped(items), key=lambda item: (item.severity.rank, item.item)):
            where = f"{item.item} ({item.file}:{item.line})"
            for finding in item.told:
                mark = "**" if finding.severity.rank <= Severity.SILENT_BREAK.rank else ""
                verdict = f"{mark}{finding.verdict.value}{mark}"
                lines.append(table_row(verdict, where, finding.why, finding.hint or ""))
        lines += ["", f"{quiet} customizations ok." if quiet else "", ""]
    return "\n".join(lines).strip() + "\n"


def update_markdown(updates: Sequence[VendorUpdate]) -> str:
    """A table of what moved."""
    lines = ["| vendor | status | from | to | files | note |", "|---|---|---|---|---|---|"]
    for update in updates:
        files = f"+{len(update.added)} ~{len(update.changed)} −{len(update.removed)}"
        note = update.error.message if update.error else "; ".join(update.notes)
        lines.append(table_row(update.vendor, update.status, update.before, update.after, files, note))
    return "\n".join(lines) + "\n"


def pr_markdown(pull_requests: Sequence[PullRequest]) -> str:
    """A table of the proposals."""
    lines = ["| vendor | from | to | action | pull request |", "|---|---|---|---|---|"]
    for one in pull_requests:
        action = f"{one.action.value}: {one.reason}" if one.reason else one.action.value
        lines.append(table_row(one.vendor, one.before, one.after, action, one.url or one.branch))
    return "\n".join(lines) + "\n"


def table_row(*cells: str) -> str:
    """A row of a table; no cell can be left."""
    return "| " + " | ".join(cell(one) for one in cells) + " |"


def cell(text: str) -> str:
    """Text that can't leave its table cell, mention or refer to anybody, carry HTML or lead elsewhere."""
    flat = inert(" ".join(text.split())).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Two backslashes before a pipe escape it for some readers, and one another for others.
    return flat.replace("\\|", f"\\{ZERO_WIDTH}|").replace("|", "\\|")


def _code(text: str) -> str:
    flat = " ".join(text.split())
    fence = "`"
    while fence in flat:
        fence += "`"
    return f"{fence} {flat} {fence}"
