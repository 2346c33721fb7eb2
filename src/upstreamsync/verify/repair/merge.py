"""Several corrections of one file, made together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from upstreamsync.model import Fix

#: (start, end, replacement) in the file's present text.
_Span = tuple[int, int, str]


def merged(fixes: Iterable[Fix], read: Callable[[str], bytes | None]) -> dict[str, bytes]:
    """Path → new bytes of every file that a correction changes.

    One that was made for another text than ``read`` gives, or that overlaps one before it, is left out.
    """
    by_file: dict[str, list[Fix]] = defaultdict(list)
    for fix in fixes:
        if fix not in by_file[fix.file]:
            by_file[fix.file].append(fix)
    files = {}
    for path, mine in sorted(by_file.items()):
        data = read(path)
        if data is None:
            continue
        text = data.decode("utf-8")
        fixed = _applied(text, [_span(fix) for fix in mine if fix.before == text])
        if fixed != text:
            files[path] = fixed.encode()
    return files


def _span(fix: Fix) -> _Span:
    """The one stretch in which both texts differ."""
    start = _common(fix.before, fix.after)
    longest = min(len(fix.before), len(fix.after)) - start
    same = _common(fix.before[::-1][:longest], fix.after[::-1][:longest])
    return start, len(fix.before) - same, fix.after[start : len(fix.after) - same]


def _common(one: str, other: str) -> int:
    """How many characters both texts begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))


def _applied(text: str, spans: list[_Span]) -> str:
    end_of_last = len(text) + 1
    for start, end, replacement in sorted(set(spans), reverse=True):
        if end <= end_of_last:
            text = text[:start] + replacement + text[end:]
            end_of_last = start
    return text
