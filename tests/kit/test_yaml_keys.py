"""Keys that are given twice, or are no text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from upstreamsync.kit.yaml.keys import _by_events, _is_suspect, _told_by, bad_key


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "`a` is given twice"),
        ("a:\n  b: 1\n  c: 2\n  b: 3\n", 4, "`b` is given twice"),
        ("- a: 1\n  a: 2\n", 2, "`a` is given twice"),
        ("x:\n- a: 1\n  b: 2\n  a: 2\n", 4, "`a` is given twice"),
        ("x:\n  - - a: 1\n      a: 2\n", 3, "`a` is given twice"),
        ("{a: 1, b: 2, a: 3}\n", 1, "`a` is given twice"),
        ("x: {a: 1, a: 3}\n", 1, "`a` is given twice"),
        ("x: {\n  a: 1,\n  a: 3\n}\n", 3, "`a` is given twice"),
        ('a: 1\n"a": 2\n', 2, "`a` is given twice"),
        ("'a b': 1\na b: 2\n", 2, "`a b` is given twice"),
        ("a: 1\n---\nb: 1\n---\nx: 1\nc:\n  d: 1\n  d: 2\n", 8, "`d` is given twice"),
        ("? a\n: 1\n? a\n: 2\n", 3, "`a` is given twice"),
        ("a:\n  1: x\n", 2, "`1` is no text"),
        ("404: Not Found\n", 1, "`404` is no text"),
        ("a:\n  1.5: x\n", 2, "`1.5` is no text"),
        ("a:\n  ~: x\n", 2, "`~` is no text"),
        ("a:\n  null: x\n", 2, "`null` is no text"),
        ("a:\n  ? [x]\n  : 1\n", 2, "can't be a key"),
        *(
            (f"a:\n  {key}: x\n", 2, f"`{key}` is no text")
            for key in (
                "true",
                "True",
                "FALSE",
                "2020-01-01",
                "2020-1-1",
                "2020-01-01T00:00:00Z",
                "1e3",
                "0x1F",
                ".inf",
            )
        ),
        ("a: {true: x}\n", 1, "`true` is no text"),
        ("a: *x\n", 1, "`*x` stands for what has no anchor"),
        ("a:\n- b\n- *x\n", 3, "`*x` stands for"),
        ("a: [*x]\n", 1, "`*x` stands for"),
        ("a: {b: *x}\n", 1, "`*x` stands for"),
        ("a: *x # y\nb: &x 1\n", 1, "`*x` stands for"),
        ("a: &x 1\n---\nb: *x\n", 3, "`*x` stands for"),
        ("a:\n  <<: *x\n", 2, "`*x` stands for"),
        ("a: {{ .Values.x }}\n", 1, "can't be a key"),
        ("a: {1: x}\n", 1, "`1` is no text"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}\n', 1, "`c` is given twice"),
    ],
)
def test_bad_keys_are_found(text, line, problem):
    found = bad_key(text.encode())
    assert found is not None
    assert found.line == line
    assert problem in found.problem


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb:\n  a: 1\n",
        "- a: 1\n- a: 1\n",
        "x:\n- a: 1\n- a: 1\ny:\n- a: 1\n",
        "a:\n- b: 1\n  c: 2\n- b: 1\nd: 1\n",
        "a: |\n  b: 1\n  b: 1\nc: 1\n",
        "a: >-\n  404: x\n  404: x\n",
        "a: 'x\n\n  b: 1\n  b: 1'\n",
        "on: 1\nyes: 1\ny: 1\noff: 1\n",
        "'true': x\n\"2020-01-01\": x\n",
        "2020-13-01: x\n2020-01: x\ntrue-ish: x\n2020-01-01-x: y\n",
        "a: &x 1\nb: *x\nc: [*x]\n",
        "a: '*x'\nb: '* *x'\nc: |\n  - *x\n  d: *x\n",
        "a: b *x\n",
        "\"1\": x\n'2': x\n",
        "a: &x {b: 1}\nc:\n  <<: *x\n  d: 1\n",
        "a: {b: 1, c: {b: 1}}\n",
        "a: 1\n---\na: 1\n",
        "1x: a\n-x: b\n.x: c\n1.2.3: d\n",
        "",
        "# only words\n",
        "x:\n  - - a: 1\n    - a: 1\n",
        "x:\n  - a:\n      b: 1\n    c:\n      b: 1\n",
    ],
)
def test_good_ones_are_left_alone(text):
    assert bad_key(text.encode()) is None


_values = st.recursive(
    st.sampled_from(["x", "1", "a: 1\na: 1\n", "", "y # z", "{a: 1}"]),
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b", "c d", "e-f", "on", "x/y"]), below, max_size=3),
    ),
    max_leaves=12,
)


@given(_values, st.booleans())
def test_the_lines_never_hide_what_the_events_show(value, flow):
    """Written by PyYAML and damaged by repeating a line: where the events find something, so do the lines."""
    text = yaml.safe_dump(value, default_flow_style=flow, sort_keys=False)
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        damaged = "".join([*lines[: number + 1], line, *lines[number + 1 :]]).encode()
        try:
            found = _by_events(damaged)
        except yaml.YAMLError:
            continue
        shown = damaged.split(b"\n")
        assert found is None or _is_suspect(shown, _told_by(shown)), damaged


_WORLD = Path(os.environ.get("UPSTREAM_WORLD") or Path(__file__).parents[3] / "shared" / "upstream-world")


@pytest.mark.skipif(not _WORLD.is_dir(), reason=f"no real upstream content at {_WORLD} (set UPSTREAM_WORLD)")
def test_real_manifests_have_none():
    files = sorted(Path(_WORLD, "data/base/assets").rglob("*.yaml"))
    assert files
    assert {file.name: bad_key(file.read_bytes()) for file in files if bad_key(file.read_bytes())} == {}


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: |\n  b: 1\nb: 1\nb: 2\n", 4, "`b` is given twice"),
        ("x:\n- a: |\n    a: 1\n  a: 2\n", 4, "`a` is given twice"),
        ("x:\n- |\n  a: 1\n- a: 1\n  a: 2\n", 5, "`a` is given twice"),
        ("x:\n  - - |\n      a: 1\n    - a: 1\n      a: 2\n", 5, "`a` is given twice"),
        ("a: >-\nb: 1\nb: 2\n", 3, "`b` is given twice"),
        ("a: |\n\n\nb: 1\nb: 2\n", 5, "`b` is given twice"),
        ("a: |\n# b\nb: 1\nb: 2\n", 4, "`b` is given twice"),
        ("a: 'x |'\nb:\n  c: 1\n  c: 2\n", 4, "`c` is given twice"),
        ("a: x |\nb:\n  c: 1\n  c: 2\n", 4, "`c` is given twice"),
        ("a: b # |\nb:\n  c: 1\n  c: 2\n", 4, "`c` is given twice"),
        ("# a: |\n#\nb:\n  c: 1\n  c: 2\n", 5, "`c` is given twice"),
        ("x:\n- # |\n  c: 1\n  c: 2\n", 4, "`c` is given twice"),
        ("a: |\r\n  b: 1\r\nb: 1\r\nb: 2\r\n", 4, "`b` is given twice"),
        ("a: &x |\n  b: 1\nb: *y\n", 3, "`*y` stands for"),
        ("a: |\n  404: x\n404: x\n", 3, "`404` is no text"),
        ("-a: 1\n-a: 2\n", 2, "`-a` is given twice"),
        ("a: !!map {b: 1, b: 2}\n", 1, "`b` is given twice"),
        ("a: |\n  {b: 1, b: 2}\nc: {b: 1, b: 2}\n", 3, "`b` is given twice"),
        ("<<: {a: 1}\n<x>: 1\n<x>: 2\n", 3, "`<x>` is given twice"),
        ("- |\n- # x\n    a: 1\n    a: 2\n", 4, "`a` is given twice"),
        ("- |\n-\n    a: 1\n    a: 2\n", 4, "`a` is given twice"),
        ("- |\n- &x\n    a: 1\n    a: 2\n", 4, "`a` is given twice"),
        ("- |\n- !!map\n    a: 1\n    a: 2\n", 4, "`a` is given twice"),
        ("x: |\ny:\n- |\n- -\n    a: 1\n    a: 2\n", 6, "`a` is given twice"),
        ("--- # y\na: |\n  b: 1\n---\nb: 1\nb: 2\n", 6, "`b` is given twice"),
    ],
)
def test_a_text_in_a_block_hides_nothing_behind_it(text, line, problem):
    test_bad_keys_are_found(text, line, problem)


@pytest.mark.parametrize(
    "text",
    [
        "a: |\n  <x>:\n  ? y\n  {z: 1, z: 2}\n  - *q\n  a:b: 1\nc: 1\n",
        "a: |2\n    404: x\n    404: x\nb: 1\n",
        "x:\n- >-\n  a: 1\n  a: 1\n- a: 1\n",
        "x:\n- a: |\n    a: 1\n    a: 1\n  b: 1\n",
        "a: &x |\n  b: 1\n  b: 1\nc: *x\n",
        "a: !!str |\n  b: 1\n  b: 1\n",
        "a: | # words\n  b: 1\n  b: 1\nc: 1\n",
        "a: |\n  b: 1\n\n  b: 1\n# words\nc: 1\n",
        "a: {b: 1}\nc: {b: 1}\n",
    ],
)
def test_a_text_in_a_block_is_none_of_the_keys(text):
    lines = text.encode().split(b"\n")
    assert bad_key(text.encode()) is None
    assert "*x" in text or not _is_suspect(lines, _told_by(set(lines)))  # not even a closer look is needed
