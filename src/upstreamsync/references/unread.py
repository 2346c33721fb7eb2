"""What has to be said of a chart, or of a whole overlay, that could not be had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from upstreamsync.model import Judgement, LeftOut, OverlayVerification, Verdict, Verification
from upstreamsync.verify import explain
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.overlays.graph import reached
from upstreamsync.verify.overlays.items import chart_values
from upstreamsync.verify.overlays.tree import Kustomization, Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Charts that are missing: the kustomization as it was written, their places in its list, and why.

    ``before`` is the same kustomization, with its tree, on the other side of the comparison.
    """

    kustomization: Kustomization
    tree: Tree
    charts: Mapping[int, LeftOut]
    before: tuple[Kustomization, Tree] | None = None

    def judgements(self, overlay: str) -> tuple[Judgement, ...]:
        """One for each value that such a chart is given; the same value of the same chart takes no part."""
        was = {} if self.before is None else {one.name: one.identity for one in chart_values(*self.before)}
        return tuple(
            explain.judgement(item, [_note(self.charts[item.index])], overlay)
            for item in chart_values(self.kustomization, self.tree)
            if item.index is not None
            and item.index in self.charts
            and not (self.charts[item.index].known and was.get(item.name) == item.identity)
        )


def completed(verification: Verification, tree: Tree, unread: Sequence[Unread]) -> Verification:
    """The verification with what could not be looked at said; nothing missing goes without a word."""
    return replace(
        verification, overlays=tuple(_completed(overlay, tree, unread) for overlay in verification.overlays)
    )


def _completed(overlay: OverlayVerification, tree: Tree, unread: Sequence[Unread]) -> OverlayVerification:
    if not overlay.left_out:
        return overlay
    folders = {kustomization.folder for kustomization in reached(tree, overlay.path)}
    values = [
        judgement
        for one in unread
        if one.kustomization.folder in folders
        for judgement in one.judgements(overlay.path)
    ]
    items = (*overlay.items, *values)
    moved = [one for one in overlay.left_out if not one.known]
    if moved and not any(item.verdict is Verdict.UNJUDGED for item in items):
        kustomization = tree.kustomization(overlay.path)
        file = kustomization.file if kustomization is not None else overlay.path
        items = (*items, explain.on_result(overlay.path, file, _note(moved[0])))
    return replace(overlay, items=items)


def _note(missing: LeftOut) -> Note:
    return Note(verdict=Verdict.UNJUDGED, reason=missing.reason, because=missing.why, hint=missing.hint)
