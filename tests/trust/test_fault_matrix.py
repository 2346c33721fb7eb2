"""Every fault at every moment of every kind of source: see ``matrix``, and scripts/fault_matrix.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from trust import endings, matrix
from upstreamsync.testing import World

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """An https server whose certificate nobody trusts."""
    with World(tls=True) as world:
        yield world.url


@pytest.mark.parametrize("kind", matrix.KINDS, ids=lambda kind: kind.name)
def test_a_fault_ends_in_the_right_exit_code_and_harms_nobody_else(kind: matrix.Kind, elsewhere: str):
    cells = list(matrix.run(kind, elsewhere))
    assert len(cells) >= 15
    wrong = [
        f"{one.moment}, {one.fault}: {'; '.join(one.problems)} ({one.message})"
        for one in cells
        if one.problems
    ]
    assert not wrong, "\n".join(wrong)


def test_a_process_that_is_struck_ends_in_the_right_exit_code_and_leaves_nothing():
    cells = list(endings.run(3))
    assert {cell.fault for cell in cells} >= {"full, 0 bytes free"}
    assert [f"{one.kind}, {one.fault}: {'; '.join(one.problems)}" for one in cells if one.problems] == []
