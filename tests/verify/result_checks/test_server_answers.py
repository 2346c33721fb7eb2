"""What a real API server (1.34) said, against what the checks of the result say without one.

``server_answers/pairs.jsonl`` changes one field of an object at a time, ``clashes.jsonl`` are patches that meet
a new base; each line has the object before and after, and whether the server refused the update.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

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


#: Values of single fields of which the checks say nothing, and the server does.
MISSED_FIELDS = {
    "CronJob spec.timeZone": "which time zones a server knows depends on its machine",
    "Deployment spec.template.spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution.0"
    ".podAffinityTerm.labelSelector.matchLabels.app": "selectors of affinities are not looked at",
    "HorizontalPodAutoscaler spec.scaleTargetRef.apiVersion": "what is scaled may be of any group",
    "RoleBinding subjects.0.name": "what a name may be depends on the kind of the subject",
    "RoleBinding subjects.1.apiGroup": "likewise",
    "Service spec.externalName": "only where it is used",
    "StorageClass reclaimPolicy": "nothing is the default, here and there",
}


def test_what_single_fields_may_hold() -> None:
    """Each field of ``server_answers/objects.yaml`` in turn with other values, and what a server (1.34) took."""
    objects = {
        f"{one['kind']} {one['metadata']['name']}": one
        for one in yaml.safe_load_all((_ANSWERS / "objects.yaml").read_text("utf-8"))
    }
    alarms, missed, count = [], set[str](), 0
    for row in answers("fields"):
        old, path = objects[row["object"]], row["path"]
        field = f"{old['kind']} {'.'.join(map(str, path))}"
        links = "volumeMounts" in path or path[-3:-2] == ["volumes"]  # which are checked as such (dangling)
        for value in row["taken"]:
            alarms += [(field, value, text) for text in rejected([old], changed(old, path, value))]
        for value in row["refused"]:
            if not links and not rejected([old], changed(old, path, value)):
                missed.add(field)
        count += len(row["taken"]) + len(row["refused"])
    assert alarms == []
    assert missed == MISSED_FIELDS.keys()
    assert count > 1400


def changed(manifest: dict[str, Any], path: list[Any], value: Any) -> dict[str, Any]:
    made = copy.deepcopy(manifest)
    place: Any = made
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return made
