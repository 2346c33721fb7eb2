"""How a run ends, and which status a pull request gets, for each verdict one by one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from upstreamsync.cli import exits
from upstreamsync.forge.proposal import statuses_of
from upstreamsync.model import Build, OverlayVerification, Verdict, Verification
from upstreamsync.verify import explain
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.overlays.item import Item, Kind

_ITEM = Item(
    name="overlay: patches[0]",
    kind=Kind.MERGE,
    folder="overlay",
    field="patches",
    key="0",
    file="p.yaml",
    line=1,
)


def _verified(
    verdicts: Sequence[Verdict], *, allowed: bool = False, builds: bool = True, crash: str | None = None
) -> Verification:
    items = tuple(
        explain.judgement(_ITEM, [Note(verdict=verdict, because="so it is")], "overlay")
        for verdict in verdicts
    )
    after = Build(ok=True) if builds else Build(ok=False, error="it does not")
    overlay = OverlayVerification(
        path="overlay", before=Build(ok=True), after=after, items=items, allow_unjudged=allowed, crash=crash
    )
    return Verification(overlays=(overlay,))


_V = Verdict


@pytest.mark.parametrize(
    ("verdicts", "allowed", "builds", "code", "patches", "render"),
    [
        ([_V.OK], False, True, 0, "success", "success"),
        ([_V.UNUSED], False, True, 0, "success", "success"),
        ([_V.REDUNDANT], False, True, 0, "success", "success"),
        ([_V.WIDENED], False, True, 0, "success", "success"),
        ([_V.UNCOVERED], False, True, 0, "success", "success"),
        ([_V.SHADOWS], False, True, 1, "failure", "success"),
        ([_V.DANGLING], False, True, 1, "failure", "success"),
        ([_V.LOST], False, True, 1, "failure", "success"),
        ([_V.NARROWED], False, True, 1, "failure", "success"),
        ([_V.MISAPPLIED], False, True, 1, "failure", "success"),
        ([_V.REJECTED], False, True, 1, "failure", "success"),
        ([_V.DUPLICATE], False, True, 1, "failure", "success"),
        ([_V.FAILS], False, False, 1, "failure", "failure"),
        ([_V.UNJUDGED], False, True, 3, "error", "error"),
        ([_V.UNJUDGED, _V.OK], False, True, 3, "error", "error"),
        ([_V.UNJUDGED, _V.UNCOVERED], False, True, 3, "error", "error"),
        ([_V.UNJUDGED, _V.LOST], False, True, 3, "failure", "error"),
        ([_V.UNJUDGED, _V.FAILS], False, False, 3, "failure", "failure"),
        ([_V.UNJUDGED], True, True, 0, "success", "success"),
        ([_V.UNJUDGED, _V.LOST], True, True, 1, "failure", "success"),
    ],
)
def test_each_verdict_ends_as_the_contract_says(
    verdicts: Sequence[Verdict], allowed: bool, builds: bool, code: int, patches: str, render: str
) -> None:
    found = _verified(verdicts, allowed=allowed, builds=builds)
    assert exits.of_verification(found) == code
    assert {context: state for context, state, _ in statuses_of(found)} == {
        "upstreamsync/patches": patches,
        "upstreamsync/render": render,
    }


def test_a_bug_ends_with_70_whatever_else_was_found() -> None:
    found = _verified([_V.UNJUDGED, _V.LOST], crash="Traceback …\nValueError: x")
    assert exits.of_verification(found) == 70
    assert "success" not in {state for _, state, _ in statuses_of(found)}
