"""What it costs to start."""

from __future__ import annotations

import sys

from measure import alternating, run

from report import Section, seconds

LIMIT = 0.2


def measure_startup(times: int) -> Section:
    """The version, the help, and an interpreter that does nothing."""
    program = [sys.executable, "-m", "upstreamsync"]
    costs = alternating(
        {
            "python -c pass": lambda: run([sys.executable, "-c", "pass"]),
            "upstreamsync --version": lambda: run([*program, "--version"]),
            "upstreamsync --help": lambda: run([*program, "--help"]),
            "upstreamsync check --help": lambda: run([*program, "check", "--help"]),
        },
        times,
    )
    return Section(
        title="Start-up",
        costs=costs,
        figures=[
            seconds("6", f"`{word}`", costs[f"upstreamsync {word}"], LIMIT)
            for word in ("--version", "--help")
        ],
    )
