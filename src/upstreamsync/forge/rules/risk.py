"""How much care a proposal deserves: the order in which they are opened."""

from __future__ import annotations

import re
from collections.abc import Iterable

from upstreamsync.model import Change, Review, Severity, Verification

_COMMIT = re.compile(r"[0-9a-f]{40}")
_NUMBER = re.compile(r"\d+")


def step_size(before: str, after: str) -> int:
    """3 for a major step, 2 for a minor one, 1 for any other, 0 for none; by the numbers in the versions."""
    if before == after:
        return 0
    if is_commit(before) or is_commit(after):  # of which nobody knows how far they lie apart
        return 1
    old, new = _numbers(before), _numbers(after)
    for index, size in ((0, 3), (1, 2)):
        if old[index : index + 1] != new[index : index + 1]:
            return size
    return 1


def is_commit(version: str) -> bool:
    """Whether a version is a commit of a branch."""
    return _COMMIT.fullmatch(version) is not None


def major_of(version: str) -> int | None:
    """The first number of a version; commits have none."""
    if is_commit(version):
        return None
    numbers = _numbers(version)
    return numbers[0] if numbers else None


def _numbers(version: str) -> list[int]:
    core = re.split(r"[-+]", version.lstrip("vV"), maxsplit=1)[0]
    return [int(number) for number in _NUMBER.findall(core)]


def risk(changes: Iterable[Change], verification: Verification, review: Review) -> tuple[int, ...]:
    """Smallest first: what needs nobody comes before what needs a person, then by step and dangers."""
    worst = min((item.severity.rank for item in verification.items if not item.failed_before), default=9)
    needs = max(0, Severity.CLEANUP.rank - worst)
    size = max((step_size(change.before, change.after) for change in changes), default=0)
    dangers = {(danger.rule, danger.resource) for overlay in review.overlays for danger in overlay.dangers}
    return (int(verification.needs_person), needs, size, len(dangers))
