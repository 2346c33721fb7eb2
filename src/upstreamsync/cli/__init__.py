"""The thin runner: parses arguments, calls the library, reports, and turns the outcome into an exit code.

Results go to stdout; progress, logs, hints and errors to stderr.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from upstreamsync._version import __version__

if TYPE_CHECKING:
    from upstreamsync.cli.common import Common

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        print(f"upstreamsync {__version__}")  # noqa: T201
        sys.exit(0)
    if sys.getfilesystemencoding() != "utf-8" and sys.executable and not sys.flags.utf8_mode:
        _begin_again_in_utf8()
    # Everything else is loaded only now: asking for the version costs no more than Python itself.
    from upstreamsync.cli.output import prepare
    from upstreamsync.kit.run import secrecy

    secrecy.own_process()
    prepare()
    gc.set_threshold(300_000)  # a run makes many values and hardly any circles
    if sys.argv[1:2] and sys.argv[1].startswith("-"):
        from upstreamsync.cli.plain import verb_first

        sys.argv[1:] = verb_first(sys.argv[1:])
    if sys.argv[1:2] in (["check"], ["verify"], ["update"]):
        from upstreamsync.cli.plain import plain

        understood = plain(sys.argv[1:])
        if understood is not None:
            _run(sys.argv[1], *understood)
    from upstreamsync.cli.app import app

    app()


def _begin_again_in_utf8() -> NoReturn:
    """The same command line in Python's UTF-8 mode: under other locales it can't name all files of a repository.

    Paths in git and in YAML are UTF-8, whatever the locale says; what is printed stays in the terminal's encoding.
    """
    import os

    os.environ.setdefault("PYTHONIOENCODING", f"{sys.stdout.encoding or 'ascii'}:backslashreplace")
    os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 (ourselves)


def _run(verb: str, common: Common, names: Sequence[str], options: Mapping[str, Any]) -> NoReturn:
    """A verb as a whole process, without typer."""
    from importlib import import_module

    from upstreamsync.cli import exits
    from upstreamsync.cli.output import set_up_logging

    module = import_module(f"upstreamsync.cli.{verb}")
    set_up_logging(verbose=common.verbose)
    exits.run(lambda: getattr(module, verb)(common, names, **options))
