"""A target's expression is read as kustomize and the API server read it, or not at all: none takes for ever."""

from __future__ import annotations

import re
import sys
import time

import pytest

from upstreamsync.kit.expressions import compiled


@pytest.mark.parametrize(
    "pattern",
    [
        ".*",
        "web|api",
        "(web|api)-.*",
        "^web-[a-z0-9]+$",
        "web-(a|b)?",
        r"web\.(.*)",
        "web-.{1,3}",
        "[]a]*",
    ],
)
def test_what_people_write_is_taken(pattern: str) -> None:
    assert isinstance(compiled(pattern), re.Pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "((a+))+$",
        "(a|aa)+$",
        "(a|a)*b",
        "(.*)*",
        "(?:a*)*b",
        "a*a*a*a*a*b",
        "((a|b)c)*$",
        "(a{1,9}){2,}",
        "[[:alpha:]]",
    ],
)
def test_what_may_take_for_ever_is_left_to_re2(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And to nobody where it is not installed."""
    assert not isinstance(compiled(pattern), re.Pattern)
    monkeypatch.setitem(sys.modules, "re2", None)
    compiled.cache_clear()
    assert compiled(pattern) is None
    compiled.cache_clear()


@pytest.mark.parametrize(
    ("pattern", "text", "whole", "anywhere"),
    [
        ("(a+)+$", "a" * 5000 + "b", False, False),
        ("(a|a)*b", "a" * 5000 + "b", True, True),
        ("((a+))+", "aaa", True, True),
        ("^[[:alpha:]]+$", "web", True, True),
        ("^[[:alpha:]]+$", "w3b", False, False),
        (r"^\p{Lu}", "Éa", False, True),
        (r"^web\z", "web\n", False, False),
        ("^web$", "web\n", False, False),
        (r"^\d+$", "٣", False, False),
        (r"(?i)WEB", "a-web", False, True),
        ("a{,2}", "a{,2}", True, True),
    ],
)
def test_it_is_read_as_kustomize_and_the_api_server_read_it(
    pattern: str, text: str, whole: bool, anywhere: bool
) -> None:
    expression = compiled(pattern)
    assert expression is not None
    assert (expression.fullmatch(text) is not None, expression.search(text) is not None) == (whole, anywhere)


@pytest.mark.parametrize("pattern", ["(?=a)b", r"(a)\1", "a**", "a++", "[z-a]", "(?<x>a"])
def test_what_re2_refuses_is_nothing(pattern: str) -> None:
    assert compiled(pattern) is None


@pytest.mark.parametrize(
    "pattern", [".*.*.*x", "a*a*a*b", "(a*)(a*)(a*)b", "(" * 400, "[" * 5000, "a{1,65535}b"]
)
def test_what_is_taken_ends_soon(pattern: str) -> None:
    began = time.process_time()
    expression = compiled(pattern)
    if expression is not None:
        expression.fullmatch("a" * 253)
    assert time.process_time() - began < 5
