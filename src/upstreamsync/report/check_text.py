"""What ``check`` says as text, drawn without rich: loading that takes as long as all the rest of a quiet run."""

from __future__ import annotations

import os
import shutil
import textwrap
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Final

from upstreamsync.kit.sanitize import Guarded, visible
from upstreamsync.model import Failure, Finding, Release, Status
from upstreamsync.report.waiting import waiting

_HEADINGS: Final = ("vendor", "status", "current", "target", "published", "note")
_HELPS: Final = "`scheme: loose`"
#: A note is folded to no less than this; where the terminal has less, it goes below its row.
_LEAST: Final = 24
_STYLES: Final[Mapping[str, str]] = {
    Status.UP_TO_DATE: "32",
    Status.OUTDATED: "36",
    Status.PENDING: "33",
    Status.WITHDRAWN: "1;31",
    Status.REPUBLISHED: "1;31",
    Status.EDITED: "1;31",
    Status.NOT_VENDORED: "36",
    Status.FAILED: "1;31",
}


def write_check(
    stream: IO[str],
    findings: Sequence[Finding],
    *,
    verbose: bool = False,
    width: int | None = None,
    colors: bool | None = None,
) -> None:
    """One line a vendor, then the failures with their hints.

    ``width`` and ``colors`` as the stream has them, where nothing is said: no folding and no colours where it is no
    terminal, none with NO_COLOR.
    """
    terminal = stream.isatty()
    if width is None and terminal:
        width = shutil.get_terminal_size().columns
    colors = colored(terminal=terminal) if colors is None else colors
    out = Guarded(stream)
    for line in (
        *_table(findings, width, colors=colors),
        *_details(findings, verbose=verbose, colors=colors),
    ):
        out.write(f"{line.rstrip()}\n")


def colored(*, terminal: bool) -> bool:
    """Whether colours are wanted: FORCE_COLOR, NO_COLOR and TERM are honoured."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (terminal and os.environ.get("TERM") != "dumb")


def _table(findings: Sequence[Finding], width: int | None, *, colors: bool) -> Iterator[str]:
    rows = [[visible(cell) for cell in _cells(finding)] for finding in findings]
    widths = [max(_width(cell) for cell in column) for column in zip(_HEADINGS, *rows, strict=True)]
    before = sum(widths[:-1]) + 2 * (len(widths) - 1)
    yield "  ".join(_padded(cell, size, "1", colors) for cell, size in zip(_HEADINGS, widths, strict=True))
    for finding, row in zip(findings, rows, strict=True):
        styles = ("", _STYLES[finding.status], "", "", "2", "2")
        first, *more = _folded(row[-1], width, before)
        drawn = zip((*row[:-1], first), widths, styles, strict=True)
        yield "  ".join(_padded(cell, size, style, colors) for cell, size, style in drawn)
        yield from (
            " " * (before if _room(width, before) else 2) + _styled(part, "2", colors) for part in more
        )


def _room(width: int | None, before: int) -> bool:
    return width is None or width - before >= _LEAST


def _folded(note: str, width: int | None, before: int) -> list[str]:
    """A note in the lines that its column has room for; the first stands in the row."""
    if width is None or _width(note) <= width - before:
        return [note]
    if _room(width, before):
        return textwrap.wrap(note, width - before) or [""]
    return ["", *textwrap.wrap(note, max(width - 2, _LEAST))]


def _cells(finding: Finding) -> tuple[str, ...]:
    target = finding.target
    return (
        finding.vendor,
        finding.status.value,
        finding.current,
        with_other(target) if target else "",
        f"{target.published:%Y-%m-%d}" if target and target.published else "",
        note(finding),
    )


def _padded(text: str, size: int, style: str, colors: bool) -> str:
    return _styled(text, style, colors) + " " * (size - _width(text))


def _styled(text: str, style: str, colors: bool) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if colors and style and text else text


def _width(text: str) -> int:
    """Columns of a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def _details(findings: Sequence[Finding], *, verbose: bool, colors: bool) -> Iterator[str]:
    failures = [one.error for one in findings if one.error is not None]
    for finding in findings:
        name = visible(finding.vendor)
        for image in finding.images:
            if image.target is not None:
                step = f"{image.current} → {image.target.version}"
                yield f"  {name}: image {visible(image.image)} {visible(step)}"
        yield from (f"  {name}: {visible(remark)}" for remark in finding.remarks)
        for one in finding.passed_over if verbose else ():
            until = f" (until {one.until:%Y-%m-%d %H:%M} UTC)" if one.until else ""
            yield f"  {name}: passed over {visible(one.version)}: {visible(one.reason)}{until}"
        if finding.error is not None:
            failures.pop(0)
            yield f"{_styled('failed', '1;31', colors)} {name}: {visible(finding.error.message)}"
            yield from (f"  {visible(line)}" for line in finding.error.details.splitlines())
            if (hint := hint_of(finding.error, failures)) is not None:
                yield f"  hint: {visible(hint)}"


def hint_of(failure: Failure, following: Sequence[Failure]) -> str | None:
    """What is to be done about a failure, unless the last one of ``following`` with that hint will say it."""
    return None if any(one.hint == failure.hint for one in following) else failure.hint


def with_other(target: Release) -> str:
    """A version, and the chart's beside the app's."""
    return f"{target.version} ({target.beside})" if target.beside else target.version


def note(finding: Finding) -> str:
    """What is to be known beside the versions."""
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
        return "upstream does not offer this version"
    if finding.status is Status.REPUBLISHED:
        return "the current version has other content than the lock says"
    return ""
