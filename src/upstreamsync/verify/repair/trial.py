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
        good = _good_together(offered, _Bench(items, read, again)) if offered else []
        trials.known.update({_key(offer): offer in good for offer in offered})
        cured = {key for key, works in trials.known.items() if works}
    return tuple(_settled(item, cured) for item in items)


_Offer = tuple[Judgement, ItemFinding, Fix]


def _key(offer: _Offer) -> tuple[str, Fix]:
    return offer[0].item, offer[2]


def _good_together(offered: Sequence[_Offer], bench: _Bench) -> list[_Offer]:
    """The corrections that cure what they are for when all of them are made; the earlier ones go first.

    One may undo what another one corrects: a container under its new name is no longer in front of those whose
    indexes it shifted.
    """
    good = bench.cured(offered)
    if len(good) == len(offered) or len(offered) == 1:
        return good
    if good and len(bench.cured(good)) == len(good):
        left = [offer for offer in offered if offer not in good][:_ONE_BY_ONE]
    else:
        good, left = [], list(offered[:_ONE_BY_ONE])
    for offer in left:
        if len(bench.cured([*good, offer])) == len(good) + 1:
            good.append(offer)
    return good


@dataclass(frozen=True, slots=True)
class _Bench:
    """What corrections are tried on."""

    items: Sequence[Judgement]
    read: Callable[[str], bytes | None]
    again: Again

    def cured(self, offered: Sequence[_Offer]) -> list[_Offer]:
        """Those that do what they are for when all ``offered`` are made; none where another item takes harm."""
        files = merged((fix for _, _, fix in offered), self.read)
        found = self.again(files) if files else None
        if found is None:
            return []
        mine = {item.item for item, _, _ in offered}
        if any(item.item not in mine and _takes_harm(item, found.get(item.item)) for item in self.items):
            return []
        return [
            offer
            for offer in offered
            if offer[2].file in files and _is_cured(offer[0], offer[1], found.get(offer[0].item))
        ]


def _takes_harm(before: Judgement, after: Judgement | None) -> bool:
    """Whether an item that was not corrected has a finding now that it had not."""
    had = {(each.verdict, each.reason) for each in before.told}
    return any(
        (each.verdict, each.reason) not in had
        for each in (after.told if after is not None else ())
        if each.severity.rank <= Severity.REVIEW.rank
    )


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
