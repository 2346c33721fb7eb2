"""A correction is offered only when it has been tried: built with it, the finding has to be gone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from upstreamsync.model import Fix, ItemFinding, Judgement, Severity
from upstreamsync.verify import explain
from upstreamsync.verify.repair.merge import merged

#: Judges anew with some files replaced: the judgements by item; None where that can't be done.
Again = Callable[[Mapping[str, bytes]], Mapping[str, Judgement] | None]
#: So many corrections are tried one by one when they don't work together.
_ONE_BY_ONE: Final = 4


@dataclass(slots=True)
class Trials:
    """Which corrections, by item, cure what they are for: tried once for all overlays that have the item."""

    known: dict[tuple[str, Fix], bool] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)


def proven(
    items: Sequence[Judgement],
    read: Callable[[str], bytes | None],
    again: Again,
    trials: Trials | None = None,
) -> tuple[Judgement, ...]:
    """The judgements with those corrections alone that cure what they are for."""
    trials = trials or Trials()
    with trials.guard:
        offered = [
            (item, finding, finding.fix)
            for item in items
            for finding in item.told
            if finding.fix and (item.item, finding.fix) not in trials.known
        ]
        cured = _tried(offered, read, again) if offered else set()
        open_ones = [each for each in offered if (each[0].item, each[2]) not in cured]
        if open_ones and len(offered) > 1:
            for each in open_ones[:_ONE_BY_ONE]:
                cured |= _tried([each], read, again)
        trials.known.update({(item.item, fix): (item.item, fix) in cured for item, _, fix in offered})
        good = {key for key, works in trials.known.items() if works}
    return tuple(_settled(item, good) for item in items)


_Offer = tuple[Judgement, ItemFinding, Fix]


def _tried(
    offered: Sequence[_Offer], read: Callable[[str], bytes | None], again: Again
) -> set[tuple[str, Fix]]:
    files = merged((fix for _, _, fix in offered), read)
    found = again(files) if files else None
    if found is None:
        return set()
    return {
        (item.item, fix)
        for item, finding, fix in offered
        if fix.file in files and _is_cured(item, finding, found.get(item.item))
    }


def _is_cured(before: Judgement, finding: ItemFinding, after: Judgement | None) -> bool:
    """Whether a finding is gone, and no other has come for it."""
    if after is None:
        return False
    kind = (finding.verdict, finding.reason)
    had = {(each.verdict, each.reason) for each in before.told} - {kind}
    return all(
        (each.verdict, each.reason) in had
        for each in after.told
        if each.severity.rank <= Severity.REVIEW.rank
    )


def _settled(item: Judgement, cured: set[tuple[str, Fix]]) -> Judgement:
    """An item whose corrections are proven, or gone with the hint that speaks of them."""
    if not any(finding.fix for finding in item.told):
        return item
    findings = tuple(
        finding if finding.fix is None
        else replace(finding, proven=True) if (item.item, finding.fix) in cured
        else replace(finding, fix=None, hint=explain.usual_hint(finding.verdict))
        for finding in item.told
    )  # fmt: skip
    fix = next((finding.fix for finding in findings if finding.fix is not None), None)
    return replace(item, findings=findings, fix=fix, hint=findings[0].hint)
