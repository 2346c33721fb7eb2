"""What it costs to start."""

from __future__ import annotations

import sys

from measure import Cost, alternating, run


def measure_startup(times: int) -> dict[str, Cost]:
    """The version, the help, and an interpreter that does nothing."""
    program = [sys.executable, "-m", "upstreamsync"]
    return alternating(
        {
            "python -c pass": lambda: run([sys.executable, "-c", "pass"]),
            "upstreamsync --version": lambda: run([*program, "--version"]),
            "upstreamsync --help": lambda: run([*program, "--help"]),
            "upstreamsync check --help": lambda: run([*program, "check", "--help"]),
        },
        times,
    )
