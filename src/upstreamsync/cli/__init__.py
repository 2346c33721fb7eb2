"""The thin runner: parses arguments, calls the library, reports, and turns the outcome into an exit code.

Results go to stdout; progress, logs, hints and errors to stderr.
"""

from upstreamsync.cli.app import main

__all__ = ["main"]
