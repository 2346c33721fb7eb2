"""The part of the body about customizations: worst first, what is well only counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from difflib import unified_diff
from typing import Final

from upstreamsync.forge.text.evidence import Upstream
from upstreamsync.forge.text.markdown import (
    code,
    details,
    fence,
    plural,
    prose,
    shorten,
    summary_text,
    table,
    to_section,
)
from upstreamsync.model import Fix, ItemFinding, Judgement, Severity, Verdict, Verification

_VERDICTS = list(Verdict)
_RESULT: Final = ": (result)"
_FIX_LINES: Final = 30
#: So many customizations that share a reason are named.
_NAMES: Final = 12


def distinct(verification: Verification) -> tuple[Judgement, ...]:
    """One judgement per item, the worst of all overlays, worst first.

    What is said of the built result of several overlays in the same words is said once.
    """
    found: dict[str, Judgement] = {}
    for item in verification.items:
        if item.item not in found or _order(item) < _order(found[item.item]):
            found[item.item] = item
    results: dict[tuple[str, ...], list[Judgement]] = {}
    rest = []
    for item in found.values():
        if item.item.endswith(_RESULT):
            results.setdefault((item.verdict, item.why, *item.resources, *item.paths), []).append(item)
        else:
            rest.append(item)
    merged = [_merged(items) for items in results.values()]
    return tuple(sorted([*rest, *merged], key=lambda item: (*_order(item), item.item)))


def _merged(items: Sequence[Judgement]) -> Judgement:
    if len(items) == 1:
        return items[0]
    names = ", ".join(sorted(item.item.removesuffix(_RESULT) for item in items))
    return replace(items[0], item=f"{names}{_RESULT}", file="")


def _order(item: Judgement) -> tuple[bool, int, int]:
    return item.failed_before, item.severity.rank, _VERDICTS.index(item.verdict)


def is_pin(item: Judgement) -> bool:
    """An image tag pinned locally while upstream moved on: so common that it has a section of its own."""
    return item.field in ("images", "imageTags") and item.verdict is Verdict.SHADOWS


def is_finding(item: Judgement) -> bool:
    """Whether the judge found something that a person has to look at before the merge."""
    serious = item.severity.rank <= Severity.REVIEW.rank
    return serious and item.verdict not in (Verdict.UNCOVERED, Verdict.UNJUDGED) and not item.failed_before


is_urgent = is_finding


def unjudged_table(verification: Verification) -> str:
    """What could not be compared, and what took no part in comparing: one row for each reason."""
    rows: dict[str, dict[str, None]] = {}
    for item in distinct(verification):
        if item.verdict is Verdict.UNJUDGED:
            rows.setdefault(item.why, {})[item.item] = None
    listed = [
        (
            "<br>".join([code(name, cell=True) for name in names][:_NAMES])
            + (f"<br>… {len(names) - _NAMES} more" if len(names) > _NAMES else ""),
            prose(shorten(why, 400), cell=True),
        )
        for why, names in rows.items()
    ]
    without = dict.fromkeys(
        (one.what, one.why)
        for overlay in verification.overlays
        for one in overlay.left_out
        if one.why not in rows  # what is unjudged for it names it
    )
    listed += [
        (f"{code(what, cell=True)} (left out)", prose(shorten(why, 400), cell=True)) for what, why in without
    ]
    return table(("not judged", "why"), listed) if listed else ""


def verified(verification: Verification) -> str:
    """``2 overlays built with kustomize 5.7.1, 1 could not be judged``."""
    whole = [overlay for overlay in verification.overlays if overlay.before.ok and overlay.after.ok]
    parts = []
    if whole or not verification.overlays:
        parts.append(f"{plural(len(whole), 'overlay')} built with {verification.engine or 'kustomize'}")
    if missing := len(verification.overlays) - len(whole):
        parts.append(f"{plural(missing, 'overlay')} could not be built")
    if items := [item for item in distinct(verification) if item.verdict is Verdict.UNJUDGED]:
        parts.append(f"{plural(len(items), 'customization')} not judged")
    if left := dict.fromkeys(one.what for overlay in verification.overlays for one in overlay.left_out):
        parts.append(f"{plural(len(left), 'thing')} left out")
    return ", ".join(parts)


def counted(items: Iterable[Judgement]) -> str:
    """``1 fails, 2 lost, 14 ok``; what failed before too is not counted against the update."""
    counts = Counter("failed before too" if item.failed_before else str(item.verdict) for item in items)
    order = [*map(str, Verdict), "failed before too"]
    parts = [f"{counts[name]} {name}" for name in order if counts[name]]
    return ", ".join(parts) or "no customizations"


def linked(items: Sequence[Judgement]) -> str:
    """As ``counted``, each count with a link to the section that has them."""
    found: dict[str, str] = {}
    for item in items:
        name = "failed before too" if item.failed_before else str(item.verdict)
        found.setdefault(name, _section_of(item))
    return ", ".join(
        to_section(part, found[part.partition(" ")[2]]) if part.partition(" ")[2] in found else part
        for part in counted(items).split(", ")
    )


def _section_of(item: Judgement) -> str:
    if is_pin(item):
        return "Image pins"
    if item.verdict is Verdict.UNJUDGED:
        return "Not judged"
    return "Needs you" if is_urgent(item) else "Other customizations"


def urgent_table(items: Sequence[Judgement]) -> str:
    """The items that need a person."""
    return _table([item for item in items if is_urgent(item) and not is_pin(item)])


def pin_table(items: Sequence[Judgement]) -> str:
    """Pins of image tags."""
    return _table([item for item in items if is_pin(item)])


def calm_list(items: Sequence[Judgement]) -> str:
    """Everything else that is not ok, folded; then how many are ok."""
    calm = [
        item
        for item in items
        if not is_urgent(item) and not is_pin(item) and item.verdict is not Verdict.UNJUDGED
    ]
    noted = [item for item in calm if item.verdict is not Verdict.OK and not item.was_so]
    known = [item for item in calm if item.was_so]
    fine = [item for item in calm if item.verdict is Verdict.OK]
    parts = []
    if noted:
        parts.append(details(f"{len(noted)} more to know about: {counted(noted)}", _table(noted)))
    if known:
        listed = "\n".join(f"- {code(item.item)}: {item.verdict}" for item in known)
        parts.append(details(f"{len(known)} had no effect before either", listed))
    if fine:
        listed = "\n".join(f"- {code(item.item)}" for item in fine)
        parts.append(details(f"{plural(len(fine), 'customization')} ok", listed))
    return "\n".join(parts)


def _table(items: Sequence[Judgement]) -> str:
    if not items:
        return ""
    return table(
        ("verdict", "customization", "why"), (row for group in _alike(items) for row in _rows(group))
    )


def _alike(items: Iterable[Judgement]) -> list[list[Judgement]]:
    """One cause, one group: overlays that each have a copy of a patch of which the same is said."""
    found: dict[object, list[Judgement]] = {}
    for item in items:
        said = tuple((one.verdict, one.reason, one.why, one.hint) for one in item.told)
        name = item.item if item.item.endswith(_RESULT) else item.item.partition(": ")[2]
        found.setdefault((said, item.failed_before, item.field, name), []).append(item)
    return list(found.values())


def _rows(group: Sequence[Judgement]) -> Iterator[tuple[str, str, str]]:
    """One row for each finding; the customizations are named in the first."""
    item, *others = group
    where = "<br>".join([_where(item), *(code(one.item, cell=True) for one in others[: _NAMES - 1])])
    if len(others) >= _NAMES:
        where += f"<br>… {len(others) - _NAMES + 1} more"
    for finding in item.told:
        verdict = str(finding.verdict)
        if finding.severity.rank <= Severity.SILENT_BREAK.rank:
            verdict = f"**{verdict}**"
        before = " (failed before too)" if item.failed_before else ""
        yield f"{verdict}{before}", where, prose(shorten(finding.why, 400), cell=True)
        where = "the same"


def _where(item: Judgement) -> str:
    """The item, and below it its file; for what is said of a built result, the object."""
    if item.item.endswith(_RESULT):
        second = ", ".join(item.resources[:2])
    else:
        second = f"{item.file}:{item.line}" if item.file else ""
    name = code(item.item, cell=True)
    return f"{name}<br>{code(second, cell=True)}" if second else name


def broken_details(items: Sequence[Judgement], upstream: Upstream, *, limit: int) -> str:
    """For each item that needs a person: the place before and after, and what to do."""
    urgent = _alike(item for item in items if is_urgent(item) and not is_pin(item))
    parts = [_one(group[0], upstream, others=len(group) - 1) for group in urgent[:limit]]
    if len(urgent) > limit:
        parts.append(f"… and {len(urgent) - limit} more in the full report.")
    return "\n".join(part for part in parts if part)


def _one(item: Judgement, upstream: Upstream, *, others: int) -> str:
    parts = [_advice(finding, several=len(item.told) > 1) for finding in item.told if finding.hint]
    if item.fix is not None:
        title = item.fix.title[:1].upper() + item.fix.title[1:]
        parts += [f"{prose(title)}, in {code(item.fix.file)}:", fence(_fix(item.fix), "diff")]
    if evidence := upstream.evidence(item):
        parts.append(f"At {code(evidence.place)}")
        if evidence.diff is not None:
            parts.append(fence(evidence.diff, "diff"))
        else:
            parts += [_side("before", evidence.before), _side("after", evidence.after)]
    if not parts:
        return ""
    more = f" and {others} more like it" if others else ""
    return details(f"{item.verdict}: {summary_text(item.item)}{more}", "\n\n".join(parts))


def _advice(finding: ItemFinding, *, several: bool) -> str:
    of = f" ({finding.verdict})" if several else ""
    tried = " Tried: it cures this." if finding.proven else ""
    return f"What to do{of}: {prose(shorten(finding.hint or '', 600))}{tried}"


def _side(name: str, text: str | None) -> str:
    return f"{name}: the object is not there" if text is None else f"{name}:\n{fence(text, 'yaml')}"


def _fix(fix: Fix) -> str:
    """The correction as a patch to read, without its head."""
    lines = list(unified_diff(fix.before.splitlines(), fix.after.splitlines(), lineterm="", n=2))[2:]
    more = len(lines) - _FIX_LINES
    return "\n".join(lines if more <= 0 else [*lines[:_FIX_LINES], f"# … {more} more lines"])
