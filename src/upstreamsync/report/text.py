"""Results for a terminal: what happened, what needs a person, what to do next.

rich draws tables and colours; without a terminal, or with NO_COLOR, the same text comes out plain and
the width is fixed, so that logs of two runs can be compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import IO, Any, cast

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from upstreamsync.kit.sanitize import Guarded, visible
from upstreamsync.model import (
    Adoption,
    BaseCondition,
    BaseState,
    Failure,
    Finding,
    ItemFinding,
    Judgement,
    OverlayVerification,
    PassedOver,
    PullRequest,
    Release,
    Severity,
    Status,
    VendorUpdate,
    Verdict,
    Verification,
)

_STATUS_STYLE = {
    Status.UP_TO_DATE: "green",
    Status.OUTDATED: "cyan",
    Status.PENDING: "yellow",
    Status.WITHDRAWN: "bold red",
    Status.REPUBLISHED: "bold red",
    Status.EDITED: "bold red",
    Status.NOT_VENDORED: "cyan",
    Status.FAILED: "bold red",
}
_SEVERITY_STYLE = {
    Severity.BROKEN: "bold red",
    Severity.SILENT_BREAK: "red",
    Severity.REVIEW: "yellow",
    Severity.CLEANUP: "cyan",
    Severity.INFO: "blue",
    Severity.NONE: "green",
}
_PLAIN_WIDTH = 120
_HELPS = "`scheme: loose`"


def console(stream: IO[str]) -> Console:
    """A console on ``stream``; fixed width where it is no terminal. NO_COLOR is honoured by rich."""
    width = None if stream.isatty() else _PLAIN_WIDTH
    return _Console(
        file=cast("IO[str]", Guarded(stream)),
        width=width,
        highlight=False,
        emoji=False,
        soft_wrap=not stream.isatty(),
    )


class _Console(Console):
    """A console whose only control characters are its own: what foreign text brings along is written out."""

    def render_str(self, text: str, **options: Any) -> Text:
        """As rich's, for every text that is printed or put into a table."""
        return super().render_str(visible(text), **options)


def print_check(out: Console, findings: Sequence[Finding], *, verbose: bool = False) -> None:
    """One line a vendor, then the failures with their hints."""
    table = Table(box=None, pad_edge=False, show_edge=False)
    for heading in ("vendor", "status", "current", "target", "published", "note"):
        table.add_column(heading, overflow="fold", style="dim" if heading in ("published", "note") else "")
    for finding in findings:
        target = finding.target
        table.add_row(
            escape(finding.vendor),
            f"[{_STATUS_STYLE[finding.status]}]{finding.status.value}[/]",
            escape(finding.current),
            escape(_with_other(target)) if target else "",
            f"{target.published:%Y-%m-%d}" if target and target.published else "",
            escape(_note(finding)),
        )
    out.print(table)
    for finding in findings:
        for image in finding.images:
            if image.target is not None:
                out.print(f"  {escape(finding.vendor)}: image {escape(image.image)} "
                          f"{escape(image.current)} → {escape(image.target.version)}")  # fmt: skip
        for remark in finding.remarks:
            out.print(f"  {escape(finding.vendor)}: {escape(remark)}")
        if verbose:
            _print_passed_over(out, finding.vendor, finding.passed_over)
        if finding.error is not None:
            _print_failure(out, finding.vendor, finding.error)


def print_explanation(out: Console, finding: Finding, versions: Sequence[tuple[Release, str]]) -> None:
    """Every version on offer and what became of it."""
    out.print(f"[bold]{escape(finding.vendor)}[/] is at {escape(finding.current)}: {finding.status.value}")
    table = Table(box=None, pad_edge=False, show_edge=False)
    for heading in ("version", "published", "decision"):
        table.add_column(heading, overflow="fold")
    for release, decision in versions:
        published = f"{release.published:%Y-%m-%d}" if release.published else ""
        table.add_row(escape(release.version), published, escape(decision))
    out.print(table)
    if finding.error is not None:
        _print_failure(out, finding.vendor, finding.error)


def print_verification(out: Console, verification: Verification, *, verbose: bool = False) -> None:
    """Bases that were edited by hand, then per overlay what needs a person, then a count of the rest."""
    for base in verification.bases:
        _print_base(out, base)
    for overlay in verification.overlays:
        _print_overlay(out, overlay, verbose=verbose)
    counts = Counter(item.verdict for item in verification.items)
    if counts:
        out.print(", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict]))
    else:
        out.print("no customization is concerned")


def print_updates(out: Console, updates: Sequence[VendorUpdate], *, dry_run: bool) -> None:
    """What moved, file counts, follow-up edits, remarks."""
    for update in updates:
        name = escape(update.vendor)
        if update.error is not None:
            _print_failure(out, update.vendor, update.error)
            continue
        if update.status == "unchanged":
            out.print(f"{name}: unchanged at {escape(update.before)}")
        elif update.status == "added":
            verb = "would be added" if dry_run else "added"
            out.print(f"[bold]{name}[/]: {verb} at {escape(update.after)} ({len(update.added)} files)")
        else:
            verb = "would move" if dry_run else "moved"
            counts = (
                f"{len(update.added)} added, {len(update.changed)} changed, {len(update.removed)} removed"
            )
            out.print(f"[bold]{name}[/]: {verb} {escape(update.before)} → {escape(update.after)} ({counts})")
        for edit in update.edits:
            out.print(f"  {escape(str(edit.place))}: {escape(edit.before)} → {escape(edit.after)}")
        for note in update.notes:
            out.print(f"  note: {escape(note)}")


def print_pull_requests(out: Console, pull_requests: Sequence[PullRequest]) -> None:
    """One line a proposal."""
    for one in pull_requests:
        where = f" {one.url}" if one.url else f" (branch {one.branch})" if one.branch else ""
        draft = " as a draft" if one.draft else ""
        reason = f": {one.reason}" if one.reason else ""
        out.print(
            escape(f"{one.vendor} {one.before} → {one.after}: {one.action.value}{draft}{where}{reason}")
        )
        if one.error is not None:
            _print_failure(out, one.vendor, one.error)


def print_lines(out: Console, lines: Sequence[str]) -> None:
    """What was done in the first line, and what has to be done by hand in the others."""
    for number, line in enumerate(lines):
        out.print(escape(line) if number == 0 else f"  note: {escape(line)}")


def print_adoptions(out: Console, adoptions: Sequence[Adoption], *, dry_run: bool) -> None:
    """The version with its runners-up, each customization in a line, the files, and what was proven.

    A dry run shows the text of everything that would be written but for upstream's own files.
    """
    if not adoptions:
        out.print("nothing to adopt: every base is as its lock says")
    for one in adoptions:
        if one.error is not None:
            _print_failure(out, one.vendor, one.error)
            continue
        out.print(
            f"[bold]{escape(one.vendor)}[/] {escape(one.base)}: {escape(one.version)} ({escape(one.why)})"
        )
        for each in one.candidates:
            shared = f"{each.shared:.1%} of the content"
            out.print(f"  [dim]{escape(each.version)}: {each.differing} values differ, {shared}[/]")
        for line in one.customizations:
            out.print(f"  {escape(line)}")
        if one.change is not None and not one.customizations:
            out.print("  no customization: it is upstream's own")
        for note in one.notes:
            out.print(f"  note: {escape(note)}")
        if one.proven:
            out.print(f"  proven by building before and after: {escape(', '.join(one.proven))}")
        _print_files(out, one, dry_run=dry_run)


def _print_files(out: Console, adoption: Adoption, *, dry_run: bool) -> None:
    files = adoption.change.files if adoption.change is not None else {}
    for path, data in files.items():
        verb = "remove" if data is None else "write"
        out.print(f"  {'would ' if dry_run else ''}{verb} {escape(path)}")
        if dry_run and data is not None and not path.startswith(f"{adoption.base}/") and _is_short(data):
            for line in data.decode("utf-8", "replace").splitlines():
                out.print(f"    [dim]{escape(line)}[/]")


def _is_short(data: bytes) -> bool:
    return data.count(b"\n") < 400


def _print_base(out: Console, base: BaseState) -> None:
    """A base that is not as it should be, and what to do."""
    if base.sound:
        return
    word = base.condition.value if base.condition is not BaseCondition.PRISTINE else "not pristine"
    files = f": {', '.join(base.changed_files)}" if base.changed_files else ""
    why = f" ({base.why})" if base.why else ""
    out.print(f"[bold red]{escape(word)}[/] {escape(base.path or base.vendor)}{escape(files)}{escape(why)}")
    if base.command:
        out.print(f"  hint: {escape(base.command)}")


def _print_overlay(out: Console, overlay: OverlayVerification, *, verbose: bool) -> None:
    out.print(f"[bold]{escape(overlay.path)}[/]{' (new)' if overlay.is_new else ''}")
    for one in overlay.left_out:
        out.print(f"  [yellow]left out[/] {escape(str(one))}")
    for side, build in (("before", overlay.before), ("after", overlay.after)):
        if not build.ok:
            out.print(f"  [bold red]does not build {side}[/]: {escape(build.error or '')}")
    known = [item for item in overlay.items if item.was_so and not verbose]
    repeated = [item for item in overlay.items if overlay.path not in item.overlays[:1] and item.overlays]
    shown = [item for item in overlay.items if verbose or item.verdict is not Verdict.OK]
    for item in sorted(shown, key=lambda item: (item.severity.rank, item.item)):
        if item in repeated and item.field == "(result)":
            style = _SEVERITY_STYLE[item.severity]
            out.print(
                f"  [{style}]{item.verdict.value}[/] as in {escape(item.overlays[0])}: {escape(item.why)}"
            )
        elif item not in known:
            _print_item(out, item)
    if known:
        names = escape(", ".join(item.item for item in known))
        out.print(f"  [dim]{len(known)} had no effect before either (-v tells more): {names}[/]")
    quiet = len(overlay.items) - len(shown)
    if quiet:
        out.print(f"  [green]{quiet} ok[/]")
    changes = (("added", overlay.added), ("removed", overlay.removed), ("changed", overlay.changed))
    counted = ", ".join(f"{len(found)} {name}" for name, found in changes if found)
    out.print(f"  [dim]objects: {counted or 'none changed'}[/]")


def _print_item(out: Console, item: Judgement) -> None:
    first, *others = item.told
    before = " — failed before the update too" if item.failed_before else ""
    out.print(f"  {_verdict(first)} {escape(item.item)}{before}")
    out.print(f"    [dim]{escape(item.file)}:{item.line}[/] {escape(first.why)}")
    _print_hint(out, first)
    for finding in others:
        at = f" at {escape(finding.paths[0])}" if finding.paths else ""
        out.print(f"    also {_verdict(finding)}{at}: {escape(finding.why)}")
        _print_hint(out, finding)


def _verdict(finding: ItemFinding) -> str:
    reason = f" ({finding.reason})" if finding.reason else ""
    return f"[{_SEVERITY_STYLE[finding.severity]}]{finding.verdict.value}[/]{reason}"


def _print_hint(out: Console, finding: ItemFinding) -> None:
    if finding.hint:
        tried = " (tried: it cures this)" if finding.proven else ""
        out.print(f"    hint: {escape(finding.hint)}{tried}")


def _print_passed_over(out: Console, vendor: str, passed_over: Iterable[PassedOver]) -> None:
    for one in passed_over:
        until = f" (until {one.until:%Y-%m-%d %H:%M} UTC)" if one.until else ""
        out.print(f"  {escape(vendor)}: passed over {escape(one.version)}: {escape(one.reason)}{until}")


def _print_failure(out: Console, vendor: str, failure: Failure) -> None:
    out.print(f"[bold red]failed[/] {escape(vendor)}: {escape(failure.message)}")
    for line in failure.details.splitlines():
        out.print(f"  {escape(line)}")
    if failure.hint:
        out.print(f"  hint: {escape(failure.hint)}")


def _with_other(target: Release) -> str:
    """A version, and the chart's beside the app's."""
    return f"{target.version} ({target.beside})" if target.beside else target.version


def waiting(finding: Finding) -> list[str]:
    """Which versions wait for nothing but their age, and until when; those of images, too."""
    passed = [*finding.passed_over, *(one for image in finding.images for one in image.passed_over)]
    return list(
        dict.fromkeys(
            f"{one.version} waits until {one.until:%Y-%m-%d %H:%M} UTC: {one.reason}"
            for one in passed
            if one.until is not None
        )
    )


def _note(finding: Finding) -> str:
    if finding.status is Status.PENDING:
        return "; ".join(waiting(finding)[:1])
    if finding.status in (Status.NOT_VENDORED, Status.EDITED):
        return "see below"
    if finding.newest and finding.target and finding.newest != finding.target.version:
        return f"newest is {finding.newest}"
    if finding.status is Status.UP_TO_DATE and finding.newest and finding.newest != finding.current:
        return f"newest is {finding.newest}, held back"
    if finding.status is Status.UP_TO_DATE:
        return next(
            (f"{one.version}: {one.reason}" for one in finding.passed_over if _HELPS in one.reason), ""
        )
    if finding.status is Status.WITHDRAWN:
        return "the current version is gone upstream"
    if finding.status is Status.REPUBLISHED:
        return "the current version has other content than the lock says"
    return ""
