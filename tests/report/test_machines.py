"""A verification in the forms that other programs read, held against their schemas."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Sarif

from upstreamsync.model import (
    BaseState,
    Build,
    ItemFinding,
    Judgement,
    OverlayVerification,
    Severity,
    Verdict,
    Verification,
)
from upstreamsync.report.grouping import grouped
from upstreamsync.report.machines import verify_gitlab, verify_junit, verify_sarif


def item(name: str, verdict: Verdict, severity: Severity, **more: object) -> Judgement:
    return Judgement(
        item=f"app: {name}",
        kustomization="app",
        field=name.partition("[")[0],
        key="0",
        file="app/a b%20ü.yaml",
        line=3,
        verdict=verdict,
        severity=severity,
        reason="target_gone",
        why="changed a → changes nothing <now> & \x1b[31m::error::",
        hint="look",
        **more,  # type: ignore[arg-type]
    )


@pytest.fixture
def verification() -> Verification:
    two = (
        ItemFinding(verdict=Verdict.LOST, severity=Severity.SILENT_BREAK, reason=None, why="one", hint=None),
        ItemFinding(verdict=Verdict.SHADOWS, severity=Severity.REVIEW, reason=None, why="two", hint="h"),
    )
    items = (
        item("patches[0]", Verdict.LOST, Severity.SILENT_BREAK, findings=two),
        item("patches[1]", Verdict.OK, Severity.NONE),
        item("patches[2]", Verdict.WIDENED, Severity.INFO),
        item("patches[3]", Verdict.UNJUDGED, Severity.REVIEW),
        item("patches[4]", Verdict.FAILS, Severity.BROKEN, failed_before=True),
        item("patches[5]", Verdict.UNCOVERED, Severity.REVIEW),
    )
    build = Build(ok=True)
    return Verification(
        bases=(
            BaseState(vendor="v", path="base", pristine=False, changed_files=("base/x.yaml",)),
            BaseState(vendor="w", path="other", pristine=True),
        ),
        overlays=(OverlayVerification(path="app", before=build, after=build, items=items),),
        engine="kustomize 5.7.1",
    )


def test_sarif_is_as_the_standard_says(verification: Verification) -> None:
    log = verify_sarif(verification, prefix="sub/")
    Sarif.model_validate(log)
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [(rules[one["ruleIndex"]], one["level"]) for one in run["results"]] == [
        ("not-pristine", "error"),
        ("lost", "error"),
        ("shadows", "warning"),
        ("widened", "note"),
        ("unjudged", "warning"),
        ("fails", "note"),
        ("uncovered", "warning"),
    ]
    place = run["results"][1]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "sub/app/a%20b%2520%C3%BC.yaml"
    assert place["region"] == {"startLine": 3}
    assert "\x1b" not in json.dumps(log, ensure_ascii=False)
    prints = [one["partialFingerprints"]["upstreamsync/v1"] for one in run["results"]]
    assert len(set(prints)) == len(prints)


def test_sarif_without_findings_is_one(verification: Verification) -> None:
    log = verify_sarif(Verification())
    Sarif.model_validate(log)
    assert log["runs"][0]["results"] == []


def test_a_moved_line_is_the_same_finding(verification: Verification) -> None:
    before = verify_gitlab(verification)
    moved = Verification(
        overlays=(
            OverlayVerification(
                path="app",
                before=Build(ok=True),
                after=Build(ok=True),
                items=(item("patches[2]", Verdict.WIDENED, Severity.INFO),),
            ),
        )
    )
    assert verify_gitlab(moved)[0]["fingerprint"] in {one["fingerprint"] for one in before}


def test_junit_counts_what_needs_a_person(verification: Verification) -> None:
    text = verify_junit(verification)
    root = ET.fromstring(text)
    assert {name: root.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "8",
        "failures": "2",
        "errors": "1",
    }
    cases = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    assert cases == {
        "equals its lock": [],
        "app: patches[0]": ["failure"],
        "app: patches[1]": [],
        "app: patches[2]": ["system-out"],
        "app: patches[3]": ["error"],
        "app: patches[4]": ["system-out"],
        "app: patches[5]": ["system-out"],
    }
    failure = root.find("testsuite[@name='app']/testcase/failure")
    assert failure is not None
    assert failure.get("type") == "lost/target_gone"


def test_code_quality_has_the_fields_that_gitlab_reads(verification: Verification) -> None:
    report = verify_gitlab(verification, prefix="sub/")
    assert [one["severity"] for one in report] == [
        "critical", "critical", "major", "info", "major", "info", "major",
    ]  # fmt: skip
    for one in report:
        assert set(one) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert one["location"]["lines"]["begin"] >= 1
        assert one["location"]["path"].startswith("sub/")


def test_values_below_one_key_are_told_together() -> None:
    def value(path: str, verdict: Verdict = Verdict.LOST, file: str = "app/kustomization.yaml") -> Judgement:
        one = item("x", verdict, Severity.SILENT_BREAK)
        return replace(one, item=f"app: helmCharts[w].valuesInline.{path}", field="helmCharts", file=file)

    items = [
        value("a.b.one"),
        value("top"),
        value("a.b.two"),
        value("a.c", Verdict.MISAPPLIED),
        item("patches[0]", Verdict.LOST, Severity.SILENT_BREAK),
    ]
    assert [one.item.removeprefix("app: ") for one in grouped(items)] == [
        "helmCharts[w].valuesInline.a.b.{one, two}",
        "helmCharts[w].valuesInline.top",
        "helmCharts[w].valuesInline.a.c",
        "patches[0]",
    ]
    assert grouped(items)[0].why.endswith("(and 1 more)")
