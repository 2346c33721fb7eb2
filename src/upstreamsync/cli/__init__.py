"""The thin runner: parses arguments, calls the library, reports, and turns the outcome into an exit code.

Results go to stdout; progress, logs, hints and errors to stderr.
"""

from __future__ import annotations

import sys

from upstreamsync._version import __version__

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        print(f"upstreamsync {__version__}")  # noqa: T201
        sys.exit(0)
    # Everything else is loaded only now: asking for the version costs no more than Python itself.
    if sys.argv[1:2] == ["check"]:
        from upstreamsync.cli.plain import plain_check

        plain = plain_check(sys.argv[1:])
        if plain is not None:
            from upstreamsync.cli.checking import run_check

            run_check(*plain)
    from upstreamsync.cli.app import app

    app()
