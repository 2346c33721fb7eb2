"""Which files a run writes, or would write, for a terminal: one a line, and as a diff where that is what is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import unified_diff
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console

#: So many files of one vendor are named; more are where `-v` is given.
_NAMED: Final = 12
_STYLES: Final = {"+": "green", "-": "red", "@": "cyan"}


def print_files(out: Console, changes: Sequence[tuple[str, Sequence[str]]], *, all_of_them: bool) -> None:
    """Each file with what becomes of it; ``changes`` are (``added``, paths) and the like, in this order."""
    from rich.markup import escape

    lines = [f"{what:<8} {path}" for what, paths in changes for path in paths]
    shown = lines if all_of_them or len(lines) <= _NAMED + 1 else lines[:_NAMED]
    for line in shown:
        out.print(f"  [dim]{escape(line)}[/]")
    if len(lines) > len(shown):
        out.print(f"  [dim]and {len(lines) - len(shown)} more files (-v names them)[/]")


def print_corrections(
    out: Console, files: Mapping[str, tuple[bytes | None, bytes | None]], *, dry_run: bool
) -> None:
    """The corrections of one's own files, path → (before, after): named when written, else shown as a diff."""
    from rich.markup import escape

    if not files:
        out.print("no correction can be written by itself")
    for path, (before, after) in files.items():
        out.print(f"{'would correct' if dry_run else 'corrected'} [bold]{escape(path)}[/]")
        if dry_run:
            for line in _diff(before, after):
                style = _STYLES.get(line[:1])
                out.print(f"  [{style}]{escape(line)}[/]" if style else f"  {escape(line)}")
    if files and dry_run:
        out.print("nothing was written: leave --dry-run out for that")


def _diff(before: bytes | None, after: bytes | None) -> list[str]:
    old, new = ((data or b"").decode("utf-8", "replace").splitlines() for data in (before, after))
    return list(unified_diff(old, new, lineterm="", n=3))[2:]
