"""Results for a terminal: what happened, what needs a person, what to do next.

rich draws tables and colours; without a terminal, or with NO_COLOR, the same text comes out plain and
the width is fixed, so that logs of two runs can be compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import IO, Any, cast

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from upstreamsync.kit.sanitize import Guarded, visible
from upstreamsync.model import (
    Action,
    Adoption,
    BaseCondition,
    BaseState,
    Failure,
    Finding,
    ItemFinding,
    Judgement,
    OverlayVerification,
    PullRequest,
    Release,
    Severity,
    Status,
    VendorUpdate,
    Verdict,
    Verification,
)
from upstreamsync.report.causes import Cause, causes, known_before, unbuilt
from upstreamsync.report.check_text import hint_of, write_check
from upstreamsync.report.files import print_files
from upstreamsync.report.idle import STILL
from upstreamsync.report.summary import counted, summary

_SEVERITY_STYLE = {
    Severity.BROKEN: "bold red",
    Severity.SILENT_BREAK: "red",
    Severity.REVIEW: "yellow",
    Severity.CLEANUP: "cyan",
    Severity.INFO: "blue",
    Severity.NONE: "green",
}
_PLAIN_WIDTH = 120


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
    width = out.width if out.is_terminal else None
    colors = out.is_terminal and not out.no_color
    write_check(out.file, findings, verbose=verbose, width=width, colors=colors)


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
    """What needs a person, worst first, each with its place and its fix; then one line for what is well.

    ``verbose`` adds every customization of every overlay.
    """
    for base in verification.bases:
        _print_base(out, base)
    _print_obstacles(out, verification)
    for cause in causes(verification):
        _print_cause(out, cause, verification)
    if verbose:
        for overlay in verification.overlays:
            _print_overlay(out, overlay)
    elif known := known_before(verification):
        out.print(f"[dim]{counted(known, 'customization')} had no effect before either (-v names them)[/]")
    overlays, found = summary(verification)
    out.print(f"{overlays}[green]{found}[/]" if found == Verdict.OK.value else f"{overlays}{found}")


def _print_obstacles(out: Console, verification: Verification) -> None:
    """What kept overlays from being built or compared, each once with the overlays that it concerns.

    What is left out is told with the customizations that are unjudged for it, where there are any.
    """
    found: dict[str, list[str]] = {}
    told = {
        (overlay, finding.why)
        for item in verification.items
        for finding in item.told
        if finding.verdict is Verdict.UNJUDGED
        for overlay in item.overlays
    }
    for overlay in verification.overlays:
        for one in overlay.left_out:
            if (overlay.path, one.why) in told:
                continue
            found.setdefault(f"[yellow]left out[/] {escape(str(one))}", []).append(overlay.path)
        known = {one.why for one in overlay.left_out}  # then it is said already
        for side, error in unbuilt(overlay):
            if error not in known:
                said = f"[bold red]does not build {side}[/]: {escape(error)}"
                found.setdefault(said, []).append(overlay.path)
    for text, overlays in found.items():
        out.print(text)
        out.print(f"  in {escape(_some(overlays))}")


def _print_cause(out: Console, cause: Cause, verification: Verification) -> None:
    _print_item(out, cause.item)
    if cause.item.verdict is Verdict.UNJUDGED:
        left_out = (
            one
            for overlay in verification.overlays
            if overlay.path in cause.overlays
            for one in overlay.left_out
        )
        if entries := dict.fromkeys(one.what for one in left_out if one.why == cause.item.why):
            out.print(f"    left out: {escape(_some(list(entries)))}")
    others = [item.item for item in cause.items[1:]]
    if others:
        out.print(f"    the same: {escape(_some(others))}")
    own = {item.kustomization for item in cause.items}
    if len(cause.overlays) > 1 and own != set(cause.overlays):
        out.print(f"    in {escape(_some(cause.overlays))}")


def _some(names: Sequence[str], most: int = 4) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def print_updates(
    out: Console, updates: Sequence[VendorUpdate], *, dry_run: bool, verbose: bool = False
) -> None:
    """What failed; what moved, file by file, with follow-up edits and remarks; what stays as it is.

    ``verbose`` names all files of a large base, and each vendor of many that stay.
    """
    _print_failures(out, [(one.vendor, one.error) for one in updates if one.error is not None])
    still = [one for one in updates if one.error is None and one.status == "unchanged" and not one.notes]
    few = verbose or len(still) <= STILL
    for update in updates:
        if update.error is None and (few or update not in still):
            _print_update(out, update, dry_run=dry_run, verbose=verbose)
    if not few:
        out.print(f"[dim]{len(still)} vendors are unchanged (-v names them)[/]")


def _print_update(out: Console, update: VendorUpdate, *, dry_run: bool, verbose: bool) -> None:
    name = escape(update.vendor)
    if update.status == "unchanged":
        out.print(f"{name}: unchanged at {escape(update.before)}")
        if update.finding is not None and update.finding.status is Status.WITHDRAWN:
            out.print(
                f"  upstream does not offer this version; `upstreamsync explain {name}` lists those on offer"
            )
    elif update.status == "added":
        verb = "would be added" if dry_run else "added"
        out.print(f"[bold]{name}[/]: {verb} at {escape(update.after)} ({len(update.added)} files)")
    else:
        verb = "would move" if dry_run else "moved"
        counts = f"{len(update.added)} added, {len(update.changed)} changed, {len(update.removed)} removed"
        out.print(f"[bold]{name}[/]: {verb} {escape(update.before)} → {escape(update.after)} ({counts})")
    files = (("added", update.added), ("changed", update.changed), ("removed", update.removed))
    print_files(out, files, all_of_them=verbose)
    for edit in update.edits:
        out.print(f"  {escape(str(edit.place))}: {escape(edit.before)} → {escape(edit.after)}")
    for note in update.notes:
        out.print(f"  note: {escape(note)}")


def print_pull_requests(
    out: Console, pull_requests: Sequence[PullRequest], *, dry_run: bool = False, verbose: bool = False
) -> None:
    """One line a proposal; a dry run says what would be done, file by file."""
    failed = [one for one in pull_requests if one.error is not None and one.action is Action.FAILED]
    _print_failures(out, [(one.vendor, one.error) for one in failed if one.error is not None])
    for one in pull_requests:
        if one in failed:
            continue
        where = f" {one.url}" if one.url else f" (branch {one.branch})" if one.branch else ""
        draft = " as a draft" if one.draft else ""
        reason = f": {one.reason}" if one.reason else ""
        done = one.action.value
        if would := dry_run and one.action in (Action.OPENED, Action.UPDATED, Action.CLOSED):
            done = f"would be {done}"
        step = one.before if one.before == one.after else f"{one.before} → {one.after}"
        out.print(escape(f"{one.vendor} {step}: {done}{draft}{where}{reason}"))
        if would:
            print_files(out, (("write", one.written), ("remove", one.removed)), all_of_them=verbose)
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
        out.print("nothing to adopt: no base was edited or is without a lock")
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


def _print_overlay(out: Console, overlay: OverlayVerification) -> None:
    """Everything of one overlay, a line each; what needs a person is told in full above."""
    out.print(f"[bold]{escape(overlay.path)}[/]{' (new)' if overlay.is_new else ''}")
    for item in sorted(overlay.items, key=lambda item: (item.severity.rank, item.item)):
        why = f": {item.why}" if item.why and item.verdict is not Verdict.OK else ""
        before = (
            " (so before the update, too)"
            if item.was_so and item.verdict not in (Verdict.OK, Verdict.UNUSED)
            else ""
        )
        out.print(f"  {_verdict(item.told[0])} {escape(item.item)}{escape(why)}{before}")
    changes = (("added", overlay.added), ("removed", overlay.removed), ("changed", overlay.changed))
    counted = ", ".join(f"{len(found)} {name}" for name, found in changes if found)
    out.print(f"  [dim]objects: {counted or 'none changed'}[/]")


def _print_item(out: Console, item: Judgement) -> None:
    first, *others = item.told
    before = " — failed before the update too" if item.failed_before else ""
    out.print(f"{_verdict(first)} [bold]{escape(item.item)}[/]{before}")
    place = f"{item.file}:{item.line}" if item.file else ""
    out.print(f"    [dim]{escape(place)}[/]{' ' if place else ''}{escape(first.why)}")
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
        out.print(f"    fix: {escape(finding.hint)}{tried}")


def _print_failures(out: Console, failures: Iterable[tuple[str, Failure]]) -> None:
    """What failed, one cause once with all vendors that it stops."""
    found: dict[Failure, list[str]] = {}
    for vendor, failure in failures:
        found.setdefault(failure, []).append(vendor)
    each = list(found)
    for number, (failure, vendors) in enumerate(found.items()):
        hint = hint_of(failure, each[number + 1 :])
        _print_failure(out, ", ".join(vendors), replace(failure, hint=hint))


def _print_failure(out: Console, vendor: str, failure: Failure) -> None:
    out.print(f"[bold red]failed[/] {escape(vendor)}: {escape(failure.message)}")
    for line in failure.details.splitlines():
        out.print(f"  {escape(line)}")
    if failure.hint:
        out.print(f"  hint: {escape(failure.hint)}")
