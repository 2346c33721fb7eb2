"""What `check` says on a terminal and elsewhere: aligned, folded where there is no room, never coloured unasked."""

from __future__ import annotations

import io

from upstreamsync.model import Failure, Finding, Release, Status
from upstreamsync.report.check_text import write_check

FINDINGS = [
    Finding(
        vendor="argocd",
        status=Status.OUTDATED,
        current="v3.2.7",
        target=Release(version="v3.4.7", ref="v3.4.7"),
    ),
    Finding(vendor="日本", status=Status.WITHDRAWN, current="1.0"),
    Finding(
        vendor="metallb",
        status=Status.FAILED,
        current="0.14",
        error=Failure(kind="unreachable", message="no\x1b[31m answer", hint="run again"),
    ),
]


def drawn(**options) -> list[str]:
    out = io.StringIO()
    write_check(out, FINDINGS, **options)
    return out.getvalue().splitlines()


def test_elsewhere_it_is_a_plain_table():
    head, first, second, third, *details = drawn()
    assert head.split() == ["vendor", "status", "current", "target", "published", "note"]
    assert first == "argocd   outdated   v3.2.7   v3.4.7"
    assert second == "日本     withdrawn  1.0                         upstream does not offer this version"
    assert third == "metallb  failed     0.14"
    assert details == ["failed metallb: no\\x1b[31m answer", "  hint: run again"]


def test_one_hint_for_several_failures_is_said_once():
    lost = [
        Finding(
            vendor=name,
            status=Status.FAILED,
            current="1",
            error=Failure(kind="unreachable", message=f"{name} is silent", hint=hint),
        )
        for name, hint in (("a", "look at the network"), ("b", "ask"), ("c", "look at the network"))
    ]
    out = io.StringIO()
    write_check(out, lost)
    assert out.getvalue().splitlines()[4:] == [
        "failed a: a is silent",
        "failed b: b is silent",
        "  hint: ask",
        "failed c: c is silent",
        "  hint: look at the network",
    ]


def test_a_note_is_folded_into_its_column_or_goes_below():
    lines = drawn(width=75)
    assert lines[2].endswith("  upstream does not offer")
    assert lines[3].split() == ["this", "version"]
    assert drawn(width=40)[3] == "  upstream does not offer this version"


def test_colours_are_for_terminals_that_want_them():
    assert "\x1b[" not in "".join(drawn())
    assert "\x1b[36moutdated\x1b[0m" in drawn(colors=True)[1]
