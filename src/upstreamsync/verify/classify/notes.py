"""What the comparison of an effect before and after an update finds out: notes, each with a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from upstreamsync.kit.kubernetes.objects import MISSING, join_path
from upstreamsync.model import Severity, Verdict

_SEVERITIES: Final = {
    Verdict.FAILS: Severity.BROKEN,
    Verdict.DUPLICATE: Severity.BROKEN,
    Verdict.REJECTED: Severity.SILENT_BREAK,
    Verdict.MISAPPLIED: Severity.SILENT_BREAK,
    Verdict.LOST: Severity.SILENT_BREAK,
    Verdict.NARROWED: Severity.SILENT_BREAK,
    Verdict.DANGLING: Severity.SILENT_BREAK,
    Verdict.SHADOWS: Severity.REVIEW,
    Verdict.UNJUDGED: Severity.REVIEW,
    Verdict.WIDENED: Severity.INFO,
    Verdict.UNCOVERED: Severity.REVIEW,
    Verdict.REDUNDANT: Severity.CLEANUP,
    Verdict.UNUSED: Severity.CLEANUP,
    Verdict.OK: Severity.NONE,
}
_EXCEPTIONS: Final = {
    (Verdict.DUPLICATE, "same_object_at_apply"): Severity.SILENT_BREAK,
    (Verdict.SHADOWS, "swallows_upstream_addition"): Severity.SILENT_BREAK,
    (Verdict.WIDENED, "overrides_explicit_namespace"): Severity.SILENT_BREAK,
    (Verdict.REDUNDANT, "listed_twice"): Severity.REVIEW,
}
#: Of two reasons for one verdict the graver one stands for the item.
_REASONS: Final = (
    "swallows_upstream_addition", "index_shift", "adds_instead_of_modifies", "modifies_instead_of_adds",
    "collateral", "merge_key_ambiguous", "kind_changed", "apiversion_changed", "namespace_changed",
    "selector_mismatch", "element_renamed", "target_gone", "overrides_explicit_namespace",
    "upstream_changed_value", "upstream_added_value", "upstream_removed_value", "listed_twice",
)  # fmt: skip
_ORDER: Final = tuple(Verdict)


def severity(verdict: Verdict, reason: str | None) -> Severity:
    """How bad a verdict is, as the table of verdicts has it."""
    return _EXCEPTIONS.get((verdict, reason or ""), _SEVERITIES[verdict])


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One thing found about one path of one object.

    ``did`` and ``does`` are what the item did there and does now, ``because`` the evidence from upstream:
    fragments of a sentence. ``hint`` names the fix. ``before``, ``after`` … are the four values of the
    path: upstream's old, the result's old, upstream's new, the result's new. ``rename`` is a name that the
    customization should write differently: the old one and the new one. ``consequence``: it comes of another
    note of the item, and does not stand for the item. ``was_so``: it was so before the update as well.
    """

    verdict: Verdict
    reason: str | None = None
    path: tuple[str, ...] = ()
    resource: str = ""
    did: str = ""
    does: str = ""
    because: str = ""
    hint: str | None = None
    grave: Severity | None = None
    consequence: bool = False
    rename: tuple[str, str] | None = None
    was_so: bool = False
    values: tuple[Any, Any, Any, Any] = (MISSING, MISSING, MISSING, MISSING)

    @property
    def severity(self) -> Severity:
        """The note's own severity, or the verdict's."""
        return self.grave or severity(self.verdict, self.reason)

    @property
    def text_path(self) -> str:
        """The path for people."""
        return join_path(self.path)

    def on(self, resource: str) -> Note:
        """The same note about ``resource``."""
        return replace(self, resource=resource)


def rank(note: Note) -> tuple[bool, int, int, int]:
    """Sorts notes, worst first; what is less grave than its verdict usually is stands with its like."""
    reason = _REASONS.index(note.reason) if note.reason in _REASONS else len(_REASONS)
    verdict = _ORDER.index(note.verdict)
    if note.verdict is Verdict.REJECTED and note.severity in (Severity.REVIEW, Severity.INFO):
        verdict = _ORDER.index(Verdict.SHADOWS if note.severity is Severity.REVIEW else Verdict.WIDENED)
    return note.consequence, verdict, note.severity.rank, reason


def worst(notes: Sequence[Note]) -> Note | None:
    """The note that stands for the item; the first of equals."""
    return min(notes, key=rank, default=None)
