"""A target's expression is read as kustomize reads it, or not at all: none takes for ever."""

from __future__ import annotations

import time

import pytest

from upstreamsync.verify.overlays.patterns import compiled


@pytest.mark.parametrize(
    "pattern",
    [
        ".*",
        "web|api",
        "(web|api)-.*",
        "^web-[a-z0-9]+$",
        "web-(a|b)?",
        r"web\.(.*)",
        "[*+(|)]+",
        "web-.{1,3}",
        "[]a]*",
    ],
)
def test_what_people_write_is_taken(pattern: str) -> None:
    assert compiled(pattern) is not None


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
        "(",
        "[[:alpha:]]",
    ],
)
def test_what_may_take_for_ever_is_not(pattern: str) -> None:
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
