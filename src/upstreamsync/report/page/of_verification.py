"""Inspections → the parts of the page about customizations and the cluster. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from upstreamsync.kit.yaml.lines import lines_of
from upstreamsync.model import (
    Inspection,
    Judgement,
    OverlayReview,
    OverlayTexts,
    OverlayVerification,
    Verdict,
)
from upstreamsync.report.causes import Cause, causes, unbuilt
from upstreamsync.report.page.excerpts import excerpt, of_secret
from upstreamsync.report.page.values import (
    Excerpt,
    FindingRow,
    ImageRow,
    Line,
    Mark,
    ObjectRow,
    OverlayRow,
    Told,
)

#: So many objects are shown beside one finding.
_OBJECTS: Final = 4
#: A longer text is not searched for the lines that a finding is about.
_LONGEST: Final = 400_000
_MORE: Final = re.compile(r" \(and \d+ more\)$")


class Texts:
    """The texts of a page, each once, by their numbers."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def add(self, text: str) -> int:
        """The number of ``text``."""
        return self._numbers.setdefault(text, len(self._numbers))

    def maybe(self, text: str | None) -> int | None:
        """The number of ``text``, where there is one."""
        return None if text is None else self.add(text)

    @property
    def all(self) -> tuple[str, ...]:
        """The texts by their numbers."""
        return tuple(self._numbers)


def findings_of(inspections: Iterable[Inspection], texts: Texts) -> tuple[FindingRow, ...]:
    """One row a cause, worst first; what needs nobody comes last, and what is ok not at all."""
    found = [
        (cause, inspection)
        for inspection in inspections
        for cause in causes(inspection.verification, quiet=True)
    ]
    found.sort(key=lambda pair: (bool(_before(pair[0].item)), pair[0].severity.rank))
    return tuple(
        _finding(f"finding-{number}", cause, inspection, texts)
        for number, (cause, inspection) in enumerate(found, 1)
    )


def _finding(anchor: str, cause: Cause, inspection: Inspection, texts: Texts) -> FindingRow:
    item = cause.item
    fix = item.fix
    return FindingRow(
        anchor=anchor,
        item=item.item,
        place=f"{item.file}:{item.line}" if item.file else "",
        verdict=item.verdict.value,
        severity=item.severity.value,
        told=_told(item),
        overlays=cause.overlays,
        vendors=_vendors(cause, inspection),
        same=tuple(f"{one.item} ({one.file}:{one.line})" if one.file else one.item for one in cause.items[1:]),
        before=_before(item),
        excerpt=_excerpt(item, inspection, texts),
        fix=(fix.title, texts.add(fix.before), texts.add(fix.after))
        if fix is not None and not of_secret(item, fix.before) and "secretGenerator" not in fix.before
        else None,
        objects=tuple(_objects(cause, inspection, texts)),
    )  # fmt: skip


def _told(item: Judgement) -> tuple[Told, ...]:
    """What is said, each once: that it holds for more places does not make it another thing."""
    found: dict[tuple[object, ...], Told] = {}
    for one in item.told:
        key = (one.verdict, one.reason, _MORE.sub("", one.why), one.hint)
        found.setdefault(
            key,
            Told(
                verdict=one.verdict.value,
                severity=one.severity.value,
                reason=one.reason or "",
                why=one.why,
                hint=one.hint or "",
                proven=one.proven,
            ),
        )
    return tuple(found.values())


def _before(item: Judgement) -> str:
    if item.failed_before:
        return "It failed before, too."
    return "It was so before, too." if item.was_so else ""


def _vendors(cause: Cause, inspection: Inspection) -> tuple[str, ...]:
    """The vendors below the customization itself; where that is not known, below its overlays."""
    if inspection.subject:
        return (inspection.subject,)
    own = [inspection.vendors.get(item.kustomization, ()) for item in cause.items]
    there = [inspection.vendors.get(overlay, ()) for overlay in cause.overlays]
    return tuple(dict.fromkeys(name for names in (own if any(own) else there) for name in names))


def _excerpt(item: Judgement, inspection: Inspection, texts: Texts) -> Excerpt | None:
    before, after = inspection.files.get(item.file, (None, None))
    text = after if after is not None else before
    if not item.file or text is None or item.field == "(result)":
        return None
    if of_secret(item, text):
        return Excerpt(file=item.file, line=item.line, note="Not shown: it may hold the values of a Secret.")
    line, shown = excerpt(item, text)
    return Excerpt(file=item.file, line=line, text=texts.add(shown))


def _objects(cause: Cause, inspection: Inspection, texts: Texts) -> Iterator[ObjectRow]:
    """The objects that a finding names, with the lines that it is about.

    A kustomization may know an object by another namespace than the overlay's: the same one is shown once.
    """
    there = [one for one in inspection.overlays if one.path in cause.overlays] or list(inspection.overlays)
    wanted: dict[tuple[str | None, str | None], tuple[str, dict[str, None]]] = {}
    for finding in cause.item.told:
        for resource in finding.resources:
            text = next((one.named[resource] for one in there if resource in one.named), None)
            if text is not None:
                _, paths = wanted.setdefault((text.before, text.after), (resource, {}))
                paths.update(dict.fromkeys(finding.paths))
    for (before, after), (resource, paths) in list(wanted.items())[:_OBJECTS]:
        yield ObjectRow(
            name=resource,
            op=_op(before, after),
            before=texts.maybe(before),
            after=texts.maybe(after),
            marks_before=_marks(before, paths),
            marks_after=_marks(after, paths),
        )


def _op(before: str | None, after: str | None) -> str:
    if before is None:
        return "added"
    if after is None:
        return "removed"
    return "same" if before == after else "changed"


def _marks(text: str | None, paths: Iterable[str]) -> tuple[Mark, ...]:
    if text is None or len(text) > _LONGEST:
        return ()
    return tuple((one.first, one.last, one.exact) for one in lines_of(text, paths))


def overlays_of(inspections: Iterable[Inspection], texts: Texts) -> tuple[OverlayRow, ...]:
    """What each overlay builds before and after, object by object."""
    rows = []
    for inspection in inspections:
        judged = {one.path: one for one in inspection.verification.overlays}
        reviews = {one.path: one for one in inspection.review.overlays}
        rows += [
            _overlay(one, judged[one.path], reviews.get(one.path), inspection.subject, texts)
            for one in inspection.overlays
        ]
    return tuple(rows)


def _overlay(
    one: OverlayTexts,
    judged: OverlayVerification,
    review: OverlayReview | None,
    subject: str,
    texts: Texts,
) -> OverlayRow:
    objects = tuple(
        ObjectRow(
            name=each.resource,
            op=_op(each.before, each.after),
            before=texts.maybe(each.before),
            after=texts.maybe(each.after),
        )
        for each in one.changed
    )
    counted = [(sum(each.op == op for each in objects), op) for op in ("changed", "added", "removed")]
    said = ", ".join(f"{number} {op}" for number, op in counted if number)
    built = judged.before.ok and judged.after.ok
    return OverlayRow(
        path=one.path,
        subject=subject,
        counts=said or ("nothing changes" if built else "not known: it does not build on both sides"),
        objects=objects,
        well=tuple(item.item for item in judged.items if item.verdict is Verdict.OK),
        readers=review.applications if review is not None else (),
    )


def problems_of(inspections: Sequence[Inspection]) -> tuple[Line, ...]:
    """What does not build, and bases that are not as they should be: each once."""
    found: dict[tuple[str, str, str], dict[str, None]] = {}
    for inspection in inspections:
        for overlay in inspection.verification.overlays:
            for side, error in unbuilt(overlay):
                found.setdefault((f"does not build {side}", "", error), {})[overlay.path] = None
        for base in inspection.verification.bases:
            if not base.sound:
                why = base.why or f"it does not equal its lock: {', '.join(base.changed_files)}"
                said = f"{why}. What to do: {base.command}" if base.command else why
                found.setdefault((base.condition.value, base.path or base.vendor, said), {})
    return _lines(found)


def unjudged_of(inspections: Sequence[Inspection]) -> tuple[Line, ...]:
    """What could not be compared, and what took no part in comparing: each reason once."""
    found: dict[tuple[str, str, str], dict[str, None]] = {}
    for inspection in inspections:
        for overlay in inspection.verification.overlays:
            for item in overlay.items:
                if item.verdict is Verdict.UNJUDGED:
                    found.setdefault(("unjudged", item.item, item.why), {})[overlay.path] = None
            for left in overlay.left_out:
                found.setdefault(("left out", left.what, left.why), {})[overlay.path] = None
            if overlay.crash is not None:
                found.setdefault(("bug", overlay.path, "a bug of ours ended the judgement"), {})
        for image in inspection.review.images_unasked:
            found.setdefault(("image not looked up", "", image), {})
    return _lines(found)


def dangers_of(inspections: Sequence[Inspection]) -> tuple[Line, ...]:
    """Every danger once, with its overlays."""
    found: dict[tuple[str, str, str], dict[str, None]] = {}
    for inspection in inspections:
        for overlay in inspection.review.overlays:
            for danger in overlay.dangers:
                key = (danger.rule, danger.resource, danger.text)
                found.setdefault(key, {})[overlay.path] = None
    return _lines(found)


def images_of(inspections: Sequence[Inspection]) -> tuple[ImageRow, ...]:
    """Every image that moves once, with its overlays."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for inspection in inspections:
        for overlay in inspection.review.overlays:
            for image in overlay.images:
                found.setdefault((image.before or "", image.after or ""), {})[overlay.path] = None
    return tuple(
        ImageRow(before=before, after=after, overlays=tuple(paths))
        for (before, after), paths in sorted(found.items())
    )


def _lines(found: dict[tuple[str, str, str], dict[str, None]]) -> tuple[Line, ...]:
    return tuple(
        Line(mark=mark, subject=subject, text=text, overlays=tuple(overlays))
        for (mark, subject, text), overlays in found.items()
    )
