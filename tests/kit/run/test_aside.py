"""Large texts are looked at by another process, which gives the answers that this one would give."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from upstreamsync.errors import OverBudget
from upstreamsync.kit.run import aside as module
from upstreamsync.kit.run import budget, children
from upstreamsync.kit.run.aside import Aside
from upstreamsync.kit.yaml.form import is_sound

GOOD = b"a: 1\n" + b"# words\n" * 30_000
BAD = b"a: 1\na: 2\n" + b"# words\n" * 30_000


@pytest.fixture
def asked(monkeypatch):
    """An Aside that says who answered; it begins at once."""
    monkeypatch.setattr(module, "processors", lambda: 2)
    here = []

    def function(data):
        here.append(threading.current_thread())
        return is_sound(data)

    function.__module__, function.__qualname__ = is_sound.__module__, is_sound.__qualname__
    aside = Aside(function)
    aside.here = here
    aside.expect(10_000_000)
    deadline = time.monotonic() + 60
    while aside._begun(0) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    yield aside
    aside.close()


def test_another_process_answers_as_this_one_would(asked):
    assert [asked(GOOD), asked(BAD), asked(b"{" * 300_000), asked(GOOD)] == [True, False, False, True]
    assert asked.here == []


def test_answers_belong_to_their_questions(asked):
    texts = [GOOD, BAD] * 20
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(asked, texts)) == [True, False] * 20


def test_small_texts_are_looked_at_here(asked):
    assert asked(b"a: 1\n")
    assert len(asked.here) == 1


def test_what_the_other_process_does_not_answer_is_answered_here(asked):
    os.kill(asked._other._child.pid, signal.SIGKILL)
    asked._other._child.wait()
    assert [asked(GOOD), asked(BAD)] == [True, False]
    assert len(asked.here) == 2


def test_one_that_can_not_begin_is_done_without(monkeypatch):
    monkeypatch.setattr(module, "processors", lambda: 2)
    monkeypatch.setattr(module.sys, "executable", "/nowhere/python")
    aside = Aside(is_sound)
    aside.expect(10_000_000)
    assert [aside(GOOD), aside(BAD)] == [True, False]
    assert not aside._is_possible


def test_none_begins_for_little(monkeypatch):
    monkeypatch.setattr(module, "processors", lambda: 2)
    aside = Aside(is_sound)
    assert aside(GOOD)
    assert aside._other is None


def test_none_begins_where_there_is_to_be_none():
    aside = Aside(is_sound, possible=False)
    aside.expect(10_000_000)
    assert aside(GOOD)
    assert aside._other is None


def test_a_question_has_the_budget_of_who_asks(asked):
    os.kill(asked._other._child.pid, signal.SIGSTOP)
    with budget.within(0.2, "the vendor `x`"), pytest.raises(OverBudget):
        asked(b"a: 1\n" * 2_000_000)
    assert asked(GOOD)  # and nobody waits for it any more


def test_it_ends_with_the_run(asked):
    child = asked._other._child
    asked.close()
    assert child.poll() is not None
    assert child.pid not in children._running
