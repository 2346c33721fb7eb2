"""A kill at any moment leaves the repository as it was, or complete: see ``kills``.

KILL_MOMENTS says how many moments of both verbs together (16); `python tests/trust/kills.py` takes 200 of each.
"""

from __future__ import annotations

import os

import pytest

from trust import kills

MOMENTS = int(os.environ.get("KILL_MOMENTS", "16"))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60 + 10 * MOMENTS)]


@pytest.mark.parametrize("verb", kills.VERBS)
def test_a_signal_ends_a_run_with_its_code_and_leaves_nothing(verb: str):
    found = kills.moments(verb, max(3, MOMENTS // 4), tuple(kills.SIGNALS))
    assert [attempt for attempt in found if attempt.problem] == []


@pytest.mark.parametrize("verb", kills.VERBS)
def test_a_plain_run_after_a_kill_ends_as_an_undisturbed_one(verb: str):
    found = kills.moments(verb, MOMENTS // 2)
    assert [attempt for attempt in found if attempt.problem] == []
    assert sum(attempt.killed for attempt in found) > len(found) // 2
