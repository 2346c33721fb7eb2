"""The line that sums a verification up, and whether it is all that there is to say."""

from __future__ import annotations

from collections import Counter

from upstreamsync.model import Judgement, Verdict, Verification
from upstreamsync.report.causes import causes, known_before, unbuilt


def summary(verification: Verification) -> tuple[str, str]:
    """``2 overlays, 7 customizations: `` and what became of them: ``ok``, or ``6 ok, 1 lost``."""
    worst: dict[str, Judgement] = {}
    for item in verification.items:
        known = worst.get(item.item)
        if known is None or item.severity.rank < known.severity.rank:
            worst[item.item] = item
    counts = Counter(item.verdict for item in worst.values())
    if not counts:
        return "", "no customization is concerned"
    named = ", ".join(
        f"{counts[verdict]} {verdict.value}"
        for verdict in (Verdict.OK, *(one for one in Verdict if one is not Verdict.OK))
        if counts[verdict]
    )
    overlays = counted(len(verification.overlays), "overlay")
    if counts.keys() == {Verdict.OK}:
        named = Verdict.OK.value
    return f"{overlays}, {counted(len(worst), 'customization')}: ", named


def says_all(verification: Verification) -> bool:
    """Whether nothing but the summary is to be told: all is built, all bases are sound, all is well."""
    return (
        all(base.sound for base in verification.bases)
        and not any(overlay.left_out or unbuilt(overlay) for overlay in verification.overlays)
        and not causes(verification)
        and not known_before(verification)
    )


def counted(number: int, word: str) -> str:
    """``1 overlay``, ``2 overlays``."""
    return f"{number} {word}{'' if number == 1 else 's'}"
