"""A plain `check`, `verify` or `update` is understood without typer, and exactly as typer would understand it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.main import get_command

from upstreamsync.cli import app as application
from upstreamsync.cli import check, update, verify
from upstreamsync.cli.common import Common, Format
from upstreamsync.cli.plain import plain, verb_first

WORDS = [
    *("check", "alpha", "beta", "-", "--", "", "a=b", "-x", "--help", "-h", "--version", "--no-such"),
    *("--no-cache", "--allow-commands", "--verbose", "-v", "--exit-code", "--matrix", "-vj4", "--no-cache=1"),
    *("--config", "-c", "--json-output", "--cache-dir", "--format", "--jobs", "-j", "-cx", "-j4", "--form"),
    *("--config=x.yaml", "--format=json", "--jobs=3", "--cache-dir=/tmp/c", "-c=x", "--format=", "--jobs=-1"),
    *("--fix", "--add-guards", "--since", "--since=HEAD~1", "--before", "--after=x", "--fix=1", "--sin"),
    *("--to", "--to=v1.2.3", "--to=", "--locked", "--dry-run", "--discard-edits", "--html", "--budget=1m"),
    *("json", "text", "github", "JSON", "yaml", "4", "-1", "4.0", "0x4", "٤", "x.yaml", "/tmp/cache"),
]


class Understood(BaseException):
    """What the verb was called with, to get it out past everything that catches errors."""


def by_typer(words: list[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """What typer makes of a command line; None where it is a mistake, or asks for help."""

    def look(common, names, **options):
        raise Understood(common, list(names), options)

    monkeypatch.setattr(check, "check", look)
    monkeypatch.setattr(verify, "verify", look)
    monkeypatch.setattr(update, "update", look)
    monkeypatch.setattr("upstreamsync.cli.options.set_up_logging", lambda **_: None)
    try:
        get_command(application.app).main(words, standalone_mode=False)
    except Understood as understood:
        return understood.args
    except BaseException:
        return None
    return None


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(["check", "verify", "update"]), st.lists(st.sampled_from(WORDS), max_size=6))
def test_what_is_plain_means_the_same_to_typer(verb, words):
    understood = plain([verb, *words])
    if understood is not None:
        with pytest.MonkeyPatch.context() as patch:
            assert by_typer([verb, *words], patch) == understood


def test_the_usual_command_lines_are_plain():
    lines = ["", "alpha beta", "--format json -j 4 alpha", "--exit-code --cache-dir=/c", "-v -c x --matrix"]
    assert all(plain(["check", *line.split()]) is not None for line in lines)
    assert plain(["check", "--jobs", "4", "a", "--format", "github", "--matrix"]) == (
        Common(jobs=4, format=Format.GITHUB),
        ["a"],
        {"exit_code": False, "matrix": True},
    )
    assert plain(["check", "-c", "a/b.yaml"]) == (
        Common(config=Path("a/b.yaml")),
        [],
        {"exit_code": False, "matrix": False},
    )
    assert plain(["verify", "overlays/a", "--since", "main", "--fix"]) == (
        Common(),
        ["overlays/a"],
        {"fix": True, "add_guards": False, "since": "main", "before": None, "after": None},
    )
    assert plain(["verify", "--before=old", "--after", "new", "--since="]) is None
    assert plain(["update", "alpha", "--to", "v1.2.0", "--dry-run"]) == (
        Common(),
        ["alpha"],
        {"dry_run": True, "locked": False, "discard_edits": False, "to": "v1.2.0"},
    )
    assert plain(["update", "--html", "page.html"]) is None


@pytest.mark.parametrize("words", [["pr"], ["--help"], [], ["check", "-h"], ["check", "--jobs"]])
def test_everything_else_is_not(words):
    assert plain(words) is None


def test_a_completion_is_typers(monkeypatch):
    monkeypatch.setenv("_UPSTREAMSYNC_COMPLETE", "complete_bash")
    assert plain(["check"]) is None


@pytest.mark.parametrize("form", ["text", "json", "markdown", "github"])
def test_what_stands_is_said_in_the_same_bytes(bench, form):
    """Once found out, once remembered, once without a cache, and once by typer's way: no difference."""
    bench.publish("v1.0.0", "v1.1.0")
    bench.configure(bench.vendor())
    bench.environment["GITHUB_STEP_SUMMARY"] = str(bench.root.parent / "summary")

    def said(*more: str) -> tuple[int, bytes, bytes]:
        done = subprocess.run(
            [sys.executable, "-m", "upstreamsync", "check", "--exit-code", "--format", form, *more],
            cwd=bench.root,
            env=bench.environment,
            capture_output=True,
        )
        return done.returncode, done.stdout, done.stderr

    first = said()
    assert first[0] == 1
    assert b"v1.1.0" in first[1]
    bench.world.reset()
    assert said() == first
    assert said("--no-cache") == first
    assert said("-vj4")[:2] == first[:2]
    bench.world.fault("*", _unreachable())
    assert said()[0] == 3, "nothing is said that was not asked for"


def _unreachable():
    from upstreamsync.testing import Fault

    return Fault.status(503)


def test_nothing_to_do_is_said_without_rich(bench):
    """Vendors that were named are made anew, and come out the same."""
    bench.publish("v1.0.0")
    bench.configure(*(bench.vendor(name=f"app{number}", base=f"app{number}/base") for number in range(6)))
    program = [sys.executable, "-m", "upstreamsync", "update"]

    def said(*more: str) -> bytes:
        done = subprocess.run([*program, *more], cwd=bench.root, env=bench.environment, capture_output=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    said()
    assert said() == b"6 vendors are unchanged (-v names them)\n"
    assert said("-v").splitlines() == [b"app%d: unchanged at v1.0.0" % number for number in range(6)]
    assert said("app3", "app0") == b"app0: unchanged at v1.0.0\napp3: unchanged at v1.0.0\n"


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("-c x.yaml check a", "check -c x.yaml a"),
        ("--config=x.yaml -v check", "check --config=x.yaml -v"),
        ("-j4 --format json verify --since HEAD", "verify -j4 --format json --since HEAD"),
        ("--allow-host h effects", "effects --allow-host h"),
        ("-c x.yaml --help", "--help"),
        ("--version", "--version"),
        ("--since HEAD verify", "--since HEAD verify"),
        ("-c x.yaml", "-c x.yaml"),
        ("-c", "-c"),
        ("", ""),
    ],
)
def test_what_all_verbs_take_may_stand_before_the_verb(line, meant):
    assert verb_first(line.split()) == meant.split()
