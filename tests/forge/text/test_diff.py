"""Two changes of one text, and the digest of a result."""

from __future__ import annotations

import pytest

from upstreamsync.forge.text.diff import SMALL, merge, result_digest

BASE = b"a\nb\nc\nd\ne\nf\n"


@pytest.mark.parametrize(
    ("ours", "theirs", "together"),
    [
        (b"A\nb\nc\nd\ne\nf\n", b"a\nb\nc\nd\ne\nF\n", b"A\nb\nc\nd\ne\nF\n"),
        (BASE, b"x\n", b"x\n"),
        (b"x\n", BASE, b"x\n"),
        (b"x\n", b"x\n", b"x\n"),
        (b"a\nb\nd\ne\nf\n", b"a\nb\nc\nd\ne\nf\ng\n", b"a\nb\nd\ne\nf\ng\n"),
        (b"A\nb\nc\nd\ne\nf\n", b"B\nb\nc\nd\ne\nf\n", None),
        (b"a\nb\nc\nX\nd\ne\nf\n", b"a\nb\nc\nY\nd\ne\nf\n", None),
        (b"a\nb\nC\nD\ne\nf\n", b"a\nb\nc\nQ\nE\nf\n", None),
    ],
)
def test_two_changes_together(ours, theirs, together):
    assert merge(BASE, ours, theirs) == together
    if together is None:
        assert merge(BASE, theirs, ours) is None


def test_neighbours_are_apart_to_us_and_not_to_git():
    ours, theirs = b"A\nb\nc\nd\ne\nf\n", b"a\nB\nc\nd\ne\nf\n"
    assert merge(BASE, ours, theirs) == b"A\nB\nc\nd\ne\nf\n"
    assert merge(BASE, ours, theirs, apart=True) is None
    assert merge(BASE, ours, b"a\nb\nC\nd\ne\nf\n", apart=True) == b"A\nb\nC\nd\ne\nf\n"


def digest(files, repository):
    return result_digest(files, repository.get)


def test_an_unrelated_line_of_a_small_file_does_not_count():
    mine = b"app: 1\nweb: 1\n", b"app: 2\nweb: 1\n"
    moved = b"app: 1\nweb: 7\n", b"app: 2\nweb: 7\n"
    one = digest({"v": mine[1]}, {"v": mine[0]})
    assert one == digest({"v": moved[1]}, {"v": moved[0]})
    assert one != digest({"v": b"app: 3\nweb: 1\n"}, {"v": mine[0]})


def test_large_files_count_as_a_whole():
    old = b"x\n" * SMALL
    assert digest({"v": old + b"y\n"}, {"v": old}) != digest(
        {"v": b"z\n" + old + b"y\n"}, {"v": b"z\n" + old}
    )


@pytest.mark.parametrize(
    "other",
    [{"v": None}, {"w": b"1"}, {"v": b"2"}, {"v": b"1", "w": b"1"}, {}],
)
def test_any_other_result_has_another_digest(other):
    assert digest({"v": b"1"}, {}) != digest(other, {})


def test_paths_and_content_do_not_run_into_each_other():
    assert digest({"a": b"b", "c": b"d"}, {}) != digest({"a": b"bc", "d": b""}, {})
