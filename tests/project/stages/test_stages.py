"""Stages of the team's own: what they get, what they may do, and what becomes of what they say."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from upstreamsync.kit.run.sandbox import protection
from upstreamsync.model import StageResult
from upstreamsync.project.stages import Stage, run_stages
from upstreamsync.project.stages.reports import findings_in

RESULTS = {"apps/web": (b"kind: Old\n", b"kind: New\n")}


def run(tmp_path: Path, *words: str, allowed: bool = True, **more: Any) -> StageResult:
    stage = Stage(name="look", run=words, **more)
    (one,) = run_stages(
        [stage], results=RESULTS, change={"vendors": []}, repository=tmp_path, allowed=allowed, jobs=2
    )
    return one


def python(tmp_path: Path, code: str, **more: Any) -> StageResult:
    (tmp_path / "look.py").write_text(code)
    return run(tmp_path, sys.executable, "{repository}/look.py", "{after}", **more)


def test_a_stage_gets_both_results_and_the_change(tmp_path: Path) -> None:
    code = (
        "import json, pathlib, sys\n"
        "assert pathlib.Path(sys.argv[1], 'apps/web.yaml').read_text() == 'kind: New\\n'\n"
        "assert pathlib.Path('before/apps/web.yaml').read_text() == 'kind: Old\\n'\n"
        "assert json.loads(pathlib.Path('change.json').read_text()) == {'vendors': []}\n"
    )
    assert python(tmp_path, code) == StageResult(name="look", state="passed", summary="passed")


def test_the_exit_code_decides_where_there_is_no_report(tmp_path: Path) -> None:
    one = python(tmp_path, "print('a is wrong'); raise SystemExit(3)", required=True)
    assert (one.state, one.summary, one.output) == ("failed", "ended with exit code 3", "a is wrong")
    assert one.holds_up


def test_without_the_permission_nothing_runs_and_that_is_said(tmp_path: Path) -> None:
    one = python(tmp_path, "open('ran', 'w')", allowed=False, required=True)
    assert (one.state, one.holds_up) == ("skipped", True)
    assert "--allow-commands" in one.summary


def test_a_stage_that_takes_too_long_or_is_not_there_could_not_run(tmp_path: Path) -> None:
    assert python(tmp_path, "import time; time.sleep(60)", timeout=0.5).state == "error"
    assert run(tmp_path, "there-is-no-such-program").state == "error"


@pytest.mark.skipif(
    not protection().sockets or not protection().files, reason="the kernel can't hold a program"
)
def test_a_stage_reaches_nobody_and_writes_nowhere_else(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    code = (
        "import pathlib, socket\n"
        "pathlib.Path('here').write_text('x')\n"
        f"for act in (lambda: pathlib.Path({str(outside)!r}).write_text('x'), lambda: socket.socket(socket.AF_INET)):\n"
        "    try: act()\n"
        "    except OSError: continue\n"
        "    raise SystemExit(1)\n"
    )
    assert python(tmp_path, code).state == "passed"
    assert not outside.exists()
    assert python(tmp_path, code, network=True).state == "failed"


def test_a_stage_does_not_see_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_secret")
    assert python(tmp_path, "import os; raise SystemExit('GITHUB_TOKEN' in os.environ)").state == "passed"


SARIF = {
    "version": "2.1.0",
    "runs": [
        {
            "results": [
                {"level": "error", "ruleId": "no-root", "message": {"text": "runs as root"},
                 "locations": [{"physicalLocation": {"artifactLocation": {"uri": "after/apps/web.yaml"}, "region": {"startLine": 7}}}]},
                {"level": "note", "message": {"text": "fine"}, "kind": "pass"},
            ]
        }
    ],
}  # fmt: skip
JUNIT = (
    '<?xml version="1.0"?><testsuites><testsuite><testcase name="pod" classname="apps/web.yaml" line="3">'
    '<failure message="has no limit"/></testcase><testcase name="good"/></testsuite></testsuites>'
)


def test_reports_become_findings_at_their_place(tmp_path: Path) -> None:
    one = python(tmp_path, f"print({json.dumps(json.dumps(SARIF))})")
    assert (one.state, one.summary) == ("failed", "1 found")
    (finding,) = one.findings
    assert (finding.where, finding.message, finding.rule) == (
        "after/apps/web.yaml:7",
        "runs as root",
        "no-root",
    )
    written = python(tmp_path, f"open('report.xml', 'w').write({JUNIT!r})")
    assert [(each.where, each.message) for each in written.findings] == [("apps/web.yaml:3", "has no limit")]
    assert written.state == "failed"


def test_places_are_relative_to_the_repository(tmp_path: Path) -> None:
    text = json.dumps(SARIF).replace("after/apps/web.yaml", "@@/apps/x.yaml")
    one = python(
        tmp_path, f"import os; print({text!r}.replace('@@', os.path.dirname({str(tmp_path / 'a')!r})))"
    )
    assert [each.where for each in one.findings] == ["apps/x.yaml:7"]


@pytest.mark.parametrize(
    "text",
    ["", "all is well", "{", "{}", '{"runs": 5}', "<html/>", "<testsuite",
     '<!DOCTYPE a [<!ENTITY b "c">]><testsuite><testcase><failure>&b;</failure></testcase></testsuite>'],
)  # fmt: skip
def test_what_is_no_report_says_nothing(text: str) -> None:
    assert not findings_in(text)


def test_a_report_without_end_is_cut() -> None:
    result = {"message": {"text": "x" * 5000}, "level": "error"}
    found = findings_in(json.dumps({"runs": [{"results": [result] * 1000}]}))
    assert found is not None
    assert len(found) == 200
    assert len(found[0].message) == 600
