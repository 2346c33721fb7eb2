"""What a pull request remembers survives people, GitHub and hostile versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upstreamsync.forge.rules.marker import (
    BODY_LIMIT,
    Marker,
    compose,
    dump,
    find,
    rebuild_ticked,
    text_hash,
    untick,
    visible_part,
)

ONE = Marker(key="app", steps=(("app", "v1", "v2"),), digest="sha256:d", head="h" * 40, body="sha256:b")


@given(st.text(), st.text(), st.text(max_size=40))
def test_what_is_written_is_read_again(before, after, title):
    marker = Marker(
        key="app", steps=(("app", before, after),), digest="d", head="h", body="b", next="n", title=title
    )
    text = dump(marker)
    assert find(f"words\n{text}\nmore") == marker
    # Nothing in it ends the comment, or begins another.
    assert text.count("-->") == 1
    assert "--" not in text[4:-3]


def test_a_group_keeps_all_its_steps():
    marker = Marker(key="pair", steps=(("app", "1", "2"), ("web", "3", "4")), digest="d", head="h", body="b")
    assert find(dump(marker)) == marker
    assert find(dump(marker)).vendors == ("app", "web")


def test_the_json_has_the_fields_that_it_must_have():
    assert dump(ONE).startswith(
        '<!-- upstreamsync: {"vendor": "app", "from": "v1", "to": "v2", "digest": "sha256:d", '
    )


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "words",
        "<!-- upstreamsync: {} -->",
        "<!-- upstreamsync: {not json} -->",
        '<!-- upstreamsync: {"vendor": 1, "from": "", "to": "", "digest": "", "head": "", "body": ""} -->',
    ],
)
def test_what_is_no_marker_is_none(body):
    assert find(body) is None
    assert visible_part("" if body is None else body) == ""


def test_the_last_marker_counts():
    other = Marker(key="app", steps=(("app", "v0", "v1"),), digest="x", head="y", body="z")
    assert find(f"{dump(other)}\n{dump(ONE)}") == ONE


def test_peoples_words_stay_around_ours():
    first = compose("ours", ONE)
    second = compose("newer", ONE, f"Ann says\n\n{first}\n\nBob says")
    assert second.startswith("Ann says\n\n<!-- upstreamsync -->\nnewer\n")
    assert second.endswith("\n\nBob says")
    assert visible_part(second) == "newer"
    assert compose("newer", ONE, second) == second


def test_peoples_words_are_cut_before_ours():
    body = compose("ours", ONE, f"{compose('ours', ONE)}\n\n{'x' * 70_000}")
    assert len(body) <= BODY_LIMIT
    assert find(body) == ONE


def test_a_hash_is_blind_to_what_a_forge_does_to_line_ends():
    assert text_hash("a\nb\n") == text_hash("\r\na  \r\nb") != text_hash("ab")


@pytest.mark.parametrize(
    ("line", "ticked"),
    [
        ("- [ ] <!-- upstreamsync:rebuild --> Rebuild", False),
        ("- [x] <!-- upstreamsync:rebuild --> Rebuild", True),
        ("* [X] <!-- upstreamsync:rebuild --> Rebuild", True),
        ("text [x] <!-- upstreamsync:rebuild -->", False),
        ("- [x] something else", False),
    ],
)
def test_the_box(line, ticked):
    assert rebuild_ticked(f"above\r\n{line}\r\nbelow") is ticked
    assert not rebuild_ticked(untick(f"above\n{line}\nbelow"))
