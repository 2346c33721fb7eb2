"""Judgements on entries that can't be had: what is listed and gone, and customizations that need what is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from upstreamsync.model import Judgement, Verdict
from upstreamsync.verify import explain
from upstreamsync.verify.build.availability import Availability, Gone
from upstreamsync.verify.build.obstacles import Obstacle, Reason
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.left_out import unjudged
from upstreamsync.verify.overlays.item import Item, Kind
from upstreamsync.verify.overlays.tree import within


def judgements(overlay: str, available: Availability, upstream: Collection[str]) -> Iterator[Judgement]:
    """One for each entry that is gone, and for each customization that could not be had on either side.

    What merely brings objects in and is missing on both sides is no customization: nothing is said of it
    here but that it was left out. What upstream itself lists is a finding on the result.
    """
    for gone in available.gone:
        obstacle = gone.obstacle
        if within(obstacle.place[0], upstream):
            yield explain.on_result(overlay, obstacle.file, _gone(gone), line=obstacle.line)
        else:
            yield _judgement(overlay, obstacle, _gone(gone))
    said = {obstacle.place for obstacle in (gone.obstacle for gone in available.gone)}
    for obstacle in available.customizations:
        if obstacle.place not in said and not within(obstacle.place[0], upstream):
            yield _judgement(overlay, obstacle, unjudged(available.places[obstacle.place].said))


def _judgement(overlay: str, obstacle: Obstacle, note: Note) -> Judgement:
    folder, name, index = obstacle.place
    item = Item(
        name=obstacle.what,
        kind=Kind.RESOURCE,
        folder=folder,
        field=name,
        key=obstacle.entry or str(index),
        file=obstacle.file,
        line=obstacle.line,
    )
    return explain.judgement(item, [note], overlay)


def _gone(gone: Gone) -> Note:
    obstacle = gone.obstacle
    if obstacle.reason is Reason.DOES_NOT_BUILD and obstacle.place[1] == "helmCharts":
        return Note(
            verdict=Verdict.FAILS, reason="tool_error", did="rendered",
            does="helm refuses to render it", because=obstacle.why,
            hint="change the values as the new chart wants them; its notes on upgrading say how",
        )  # fmt: skip
    if obstacle.reason is Reason.DOES_NOT_BUILD:
        return Note(
            verdict=Verdict.FAILS, reason="tool_error", did=f"read {obstacle.path}",
            does="kustomize refuses to build", because=obstacle.why, hint="correct that file",
        )  # fmt: skip
    now = ", ".join(gone.moved_to)
    return Note(
        verdict=Verdict.FAILS, reason="source_gone", did=f"read {obstacle.path}",
        does="kustomize refuses to build",
        because=f"{obstacle.why}; its objects are in {now} now" if now else obstacle.why,
        hint=f"name {now} in place of {obstacle.entry or obstacle.path}"
        if now
        else "take the entry out, or name what took the file's place",
    )  # fmt: skip
