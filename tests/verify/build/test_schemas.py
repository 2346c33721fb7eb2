"""Schemas that take no part in the builds: what can be told of them without reading them is true."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from upstreamsync.kit.kubernetes.objects import ObjectId, diff
from upstreamsync.kit.yaml import manifests
from upstreamsync.verify.build import schemas
from upstreamsync.verify.build.builds import State
from upstreamsync.verify.build.schemas import CompleteCrd, Schemas, told
from upstreamsync.verify.build.trim import without_schemas
from upstreamsync.verify.result_checks.size import json_size

NAME = ObjectId("apiextensions.k8s.io", "", "CustomResourceDefinition", "", "widgets.acme.io")
HEAD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.acme.io
spec:
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        type: object
        description: %s
        properties:
          size:
            type: integer
%s    served: true
"""


def complete(text: str) -> CompleteCrd:
    small = without_schemas(text.encode())
    assert small is not None
    return CompleteCrd(manifests.load(small), text.encode())


def of(text: str) -> Schemas:
    crd = complete(text)
    return Schemas.of(State({(NAME, 1): crd.built}, {}), {NAME: crd.document})


#: One description in several notations, and another one.
SAME = [
    "one two # three",
    '"one two"',
    "'one two'",
    ">-\n          one\n          two",
    '"one\\x20two"',
    "|-\n          one two",
    "one\n          two",
    "# a comment\n          one two",
]


@pytest.mark.parametrize("text", SAME)
def test_a_description_that_is_written_otherwise_is_no_change(text: str) -> None:
    assert told(of(HEAD % ("one two", "")), of(HEAD % (text, "")), NAME) is None


@pytest.mark.parametrize("text", ["one three", "one  2", '"one\\ntwo"', "onetwo", "one two three", "''"])
def test_another_description_is_a_change_of_the_schema(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    both = told(of(HEAD % ("one two", "")), of(HEAD % (text, "")), NAME)
    assert both is not None
    (change,) = diff(*both)
    assert (change.path, change.op) == ("spec.versions[name=v1].schema.sha256", "changed")
    assert len({change.before, change.after}) == 2


def test_what_plainly_differs_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = of(HEAD % ("one two", "")), of(HEAD % ("one three", "          name: {type: string}\n"))
    monkeypatch.setattr(CompleteCrd, "read", lambda _: pytest.fail("was read"))
    assert told(old, new, NAME) is not None


_PIECES = st.lists(
    st.sampled_from([b"a", b"b: c\n", b"\n", b"  d: e\n", b"- f\n", b"xyz\n", b"#", b"\\n"]), max_size=12
)


@given(_PIECES, _PIECES, _PIECES, _PIECES)
def test_texts_differ_where_what_is_between_their_common_ends_does(begin, old, new, end) -> None:
    left, right = b"".join([*begin, *old, *end]), b"".join([*begin, *new, *end])
    one, other = schemas._between(left, right)
    assert any(
        left == left[:at] + one + left[at + len(one) :] and right == left[:at] + other + left[at + len(one) :]
        for at in range(len(left) + 1)
    )
    assert (one == other) == (left == right)


@given(_PIECES, _PIECES)
def test_a_look_at_the_beginning_says_what_a_look_at_all_says(old, new) -> None:
    left, right = b"".join(old), b"".join(new)
    whole = schemas._content(left) != schemas._content(right)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schemas, "_HEADS", (5, 9))
        assert schemas._surely_differ(left, right) is whole


_SCALARS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=30),
    st.integers(-1000, 1000),
    st.booleans(),
    st.none(),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text("abc<&>", max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


def dumped(value: object, *, flow: bool | None) -> str:
    return yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True, width=40)


@given(_VALUES, st.sampled_from([True, False, None]))
def test_the_bounds_of_a_size_hold(value: object, flow: bool | None) -> None:
    text = dumped({"kind": "A", "spec": value}, flow=flow).encode()
    crd = CompleteCrd({}, text)
    size = json_size(manifests.load(text))
    assert crd._at_least() <= size <= crd._at_most()
    assert size <= schemas._LONGEST * len(text)
    for limit in (size - 1, size, size + 1):
        assert crd.exceeds(limit) in (None, size > limit)


@given(_VALUES)
def test_the_bounds_hold_for_json_too(value: object) -> None:
    text = json.dumps({"kind": "A", "spec": value}, ensure_ascii=False).encode()
    crd = CompleteCrd({}, text)
    assert crd._at_least() <= json_size(manifests.load(text)) <= crd._at_most()


def test_the_size_of_a_large_crd_is_told_without_reading_it(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = "".join(f"          f{n}: {{type: string, description: {'x' * 80}}}\n" for n in range(4000))
    large = complete(HEAD % ("one", fields))
    monkeypatch.setattr(CompleteCrd, "read", lambda _: pytest.fail("was read"))
    assert large.exceeds(262_144) is True
    assert complete(HEAD % ("one", "")).exceeds(262_144) is False
