"""What a real API server (1.34) said, against what the checks of the result say without one.

``server_answers/pairs.jsonl`` changes one field of an object at a time, ``clashes.jsonl`` are patches that meet
a new base; each line has the object before and after, and whether the server refused the update.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from upstreamsync.model import Verdict
from upstreamsync.verify.result_checks import ResultContext, check_result

_ANSWERS = Path(__file__).parents[1] / "server_answers"
#: Where the server says otherwise, and why the checks don't.
MISSED = {
    "pairs": {
        "CSINode spec.drivers[].allocatable add": "a map that is there and empty is not told from none",
    },
    "clashes": {
        "mount of a volume that is not there": "is said as dangling, which names the volume",
        "PVC larger (unbound)": "nobody sees here whether a claim is bound; bound ones grow",
        "Job with ttl, image changed (Job still there)": "a Job with a time to live is gone by then, as a rule",
    },
}


def answers(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (_ANSWERS / f"{name}.jsonl").read_text("utf-8").splitlines()]


def rejected(old: list[dict[str, Any]], new: dict[str, Any]) -> list[str]:
    context = ResultContext(kubernetes="1.34")
    found = check_result(before=old, after=[new], context=context)
    return [f"{item.path}: {item.why}" for item in found if item.verdict is Verdict.REJECTED]


@pytest.mark.parametrize("name", ["pairs", "clashes"])
def test_the_checks_say_what_the_server_says(name: str) -> None:
    cases = answers(name)
    said = {case["what"]: rejected([case["old"]], case["new"]) for case in cases}
    alarms = {
        case["what"]: said[case["what"]] for case in cases if said[case["what"]] and not case["refused"]
    }
    missed = {case["what"] for case in cases if case["refused"] and not said[case["what"]]}
    assert alarms == {}
    assert missed == MISSED[name].keys()
    assert len(missed) <= 0.03 * len(cases)


@pytest.mark.parametrize("name", ["pairs", "clashes"])
def test_what_is_as_it_was_is_not_mentioned(name: str) -> None:
    for case in answers(name):
        assert rejected([case["new"]], case["new"]) == [], case["what"]
        assert rejected([case["old"]], case["old"]) == [], case["what"]


def test_objects_that_the_server_took_are_taken_as_new_ones() -> None:
    for case in answers("clashes"):
        assert rejected([], case["old"]) == [], case["what"]
        if not case["refused_new"]:
            assert [text for text in rejected([], case["new"]) if "server-side apply" not in text] == [], (
                case["what"]
            )
