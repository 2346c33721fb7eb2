"""Findings as people take them in: one cause once, with all that it concerns, worst first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from upstreamsync.model import Judgement, OverlayVerification, Severity, Verdict, Verification

#: What is told only to who asks: it needs nobody, and is not the update's doing.
_QUIET = (Severity.NONE, Severity.INFO)
#: What was asked for is answered, also where a server could not tell: silence would read as a yes.
_ASKED_FOR = ("server_refused",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What was found once or many times: ``item`` stands for all of ``items``; ``overlays`` are where."""

    item: Judgement
    items: tuple[Judgement, ...]
    overlays: tuple[str, ...]

    @property
    def severity(self) -> Severity:
        """That of the worst of its findings."""
        return self.item.severity


def causes(verification: Verification, *, quiet: bool = False) -> tuple[Cause, ...]:
    """What a person should see; with ``quiet`` also what is only worth knowing. Never what is ok."""
    found: dict[tuple[object, ...], list[tuple[str, Judgement]]] = {}
    for overlay in verification.overlays:
        for item in overlay.items:
            hidden = item.was_so or (item.severity in _QUIET and item.reason not in _ASKED_FOR)
            if item.verdict is Verdict.OK or (hidden and not quiet):
                continue
            found.setdefault(_key(item), []).append((overlay.path, item))
    grouped = [_cause(pairs) for pairs in found.values()]
    return tuple(sorted(grouped, key=lambda one: (one.severity.rank, one.item.item)))


def known_before(verification: Verification) -> int:
    """How many customizations had no effect before either: each counted once, however many overlays have it."""
    return len({item.item for item in verification.items if item.was_so and item.verdict is not Verdict.OK})


def unbuilt(overlay: OverlayVerification) -> tuple[tuple[str, str], ...]:
    """(``before``, ``after`` or ``before and after``, kustomize's words) where an overlay does not build."""
    sides = (("before", overlay.before), ("after", overlay.after))
    found = [(side, build.error or "kustomize said nothing") for side, build in sides if not build.ok]
    if len({error for _, error in found}) == 1 and len(found) == 2:
        return (("before and after", found[0][1]),)
    return tuple(found)


def _key(item: Judgement) -> tuple[object, ...]:
    """The same cause has the same words: of one item, of a built result, of overlays that each have a copy of it."""
    if item.field == "helmCharts" and len(item.told) == 1:  # values of a chart: by the nearest common key
        (one,) = item.told
        return (one.verdict, one.reason, one.hint, item.failed_before, item.item.rpartition(".")[0])
    if item.verdict is Verdict.UNJUDGED and len(item.told) == 1:  # what it is for has nothing to do with it
        return (item.verdict, item.reason, item.why, item.hint, item.failed_before)
    said = tuple((one.verdict, one.reason, one.why, one.hint) for one in item.told)
    return (said, item.failed_before, item.field == "(result)" or item.item.partition(": ")[2])


def _cause(pairs: Iterable[tuple[str, Judgement]]) -> Cause:
    all_of = list(pairs)
    items = {item.item: item for _, item in all_of}
    overlays = dict.fromkeys(
        path for overlay, item in all_of for path in (item.overlays or (overlay,)) if path
    )
    return Cause(item=all_of[0][1], items=tuple(items.values()), overlays=tuple(sorted(overlays)))
