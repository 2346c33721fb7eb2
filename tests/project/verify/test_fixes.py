"""Corrections of one file are put together without stepping on each other."""

from __future__ import annotations

from upstreamsync.model import Build, Fix, Judgement, OverlayVerification, Severity, Verdict, Verification
from upstreamsync.project.verify.fixes import fixed_files

TEXT = "one: 1  # first\ntwo: 2\nthree: 3\n"


def report(*fixes: Fix) -> Verification:
    items = tuple(
        Judgement(
            item=f"o: patches[{number}]", kustomization="o", field="patches", key=str(number), file=fix.file, line=1,
            verdict=Verdict.LOST, severity=Severity.SILENT_BREAK, reason="target_gone", fix=fix,
        )
        for number, fix in enumerate(fixes)
    )  # fmt: skip
    ok = Build(ok=True)
    return Verification(overlays=(OverlayVerification(path="o", before=ok, after=ok, items=items),))


def fix(before: str, after: str) -> Fix:
    return Fix(file="o/p.yaml", title="t", before=before, after=after)


def test_two_corrections_of_one_file_are_both_made():
    found = fixed_files(
        report(fix(TEXT, TEXT.replace("1 ", "10 ")), fix(TEXT, TEXT.replace("three: 3", "drei: 3"))),
        lambda _: TEXT.encode(),
    )
    assert found == {"o/p.yaml": b"one: 10  # first\ntwo: 2\ndrei: 3\n"}


def test_a_correction_for_another_text_is_left_out():
    assert fixed_files(report(fix("old\n", "new\n")), lambda _: TEXT.encode()) == {}
    assert fixed_files(report(fix("old\n", "new\n")), lambda _: None) == {}


def test_of_overlapping_corrections_one_is_made():
    found = fixed_files(
        report(fix(TEXT, TEXT.replace("two: 2", "TWO: 2")), fix(TEXT, TEXT.replace("two: 2", "two: 22"))),
        lambda _: TEXT.encode(),
    )
    assert found["o/p.yaml"] in (
        TEXT.replace("two: 2", "two: 22").encode(),
        TEXT.replace("two: 2", "TWO: 22").encode(),
    )
