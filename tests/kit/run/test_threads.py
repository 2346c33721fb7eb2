"""Many at once, in order."""

import threading
import time

import pytest

from upstreamsync.errors import NotFound
from upstreamsync.kit.run.threads import ordered_map


@pytest.mark.parametrize("jobs", [1, 4])
def test_outcomes_are_in_order_and_errors_are_values(jobs: int) -> None:
    def work(number: int) -> int:
        time.sleep(0.01 * (5 - number))
        if number == 2:
            raise NotFound("two")
        return number * 10

    outcomes = ordered_map(work, range(5), jobs)
    assert [outcome.value for outcome in outcomes] == [0, 10, None, 30, 40]
    assert isinstance(outcomes[2].error, NotFound)
    with pytest.raises(NotFound):
        outcomes[2].get()
    assert outcomes[3].get() == 30


def test_one_job_means_no_thread() -> None:
    names = ordered_map(lambda _: threading.current_thread().name, range(3), 1)
    assert {name.get() for name in names} == {threading.current_thread().name}


def test_never_more_than_the_jobs() -> None:
    running, most, lock = 0, 0, threading.Lock()
    together = threading.Barrier(3)

    def work(_: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait(60)  # three at a time, however busy the machine is
        with lock:
            running -= 1

    ordered_map(work, range(12), 3)
    assert most == 3


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_bug_is_not_swallowed_and_what_has_not_begun_is_dropped(jobs: int) -> None:
    begun = []

    def work(number: int) -> None:
        begun.append(number)
        if number:  # so that who waits for the first one has all the time to notice
            time.sleep(0.5)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ordered_map(work, range(50), jobs)
    assert len(begun) < 10
