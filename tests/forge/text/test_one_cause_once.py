"""What many overlays have in common is said once, with all of them."""

from __future__ import annotations

from upstreamsync.forge.text.body import _builds
from upstreamsync.forge.text.evidence import Upstream
from upstreamsync.forge.text.verdicts import broken_details, counted, urgent_table
from upstreamsync.model import Build, Judgement, OverlayVerification, Severity, Verdict, Verification

PATHS = [f"app/overlays/site-{number}" for number in range(20)]


def lost(path: str, why: str = "changed Deployment web → matches nothing any more") -> Judgement:
    return Judgement(
        item=f"{path}: patches[0]", kustomization=path, field="patches", key="0", file=f"{path}/kustomization.yaml",
        line=3, verdict=Verdict.LOST, severity=Severity.SILENT_BREAK, reason="target_gone", why=why, hint="rename it",
    )  # fmt: skip


def test_copies_of_a_patch_that_broke_alike_are_one_row():
    items = [*(lost(path) for path in PATHS), lost("other", why="changed something else")]
    table = urgent_table(items)
    assert table.count("| **lost** |") == 2
    assert table.count("matches nothing any more") == 1
    assert "`app/overlays/site-11: patches[0]`<br>… 8 more |" in table
    assert counted(items) == "21 lost"
    text = broken_details(items, Upstream((), lambda _: None), limit=8)
    assert text.count("What to do: rename it") == 2
    assert "app/overlays/site-0: patches[0] and 19 more like it" in text


def test_an_error_stands_once_with_all_overlays_that_have_it():
    bad, good = Build(ok=False, error="no matches for Id Deployment web"), Build(ok=True)
    overlays = [OverlayVerification(path=path, before=good, after=bad) for path in PATHS]
    overlays.append(OverlayVerification(path="other", before=bad, after=bad))
    text = _builds(Verification(overlays=tuple(overlays)))
    assert text.count("no matches for Id") == 2
    assert "<code>app/overlays/site-5</code> and 14 more</summary>" in text
    assert "<code>other</code> (nor did it before)</summary>" in text
