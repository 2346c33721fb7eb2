"""The one way out: nothing reaches a terminal, a log or a job summary but through here, and nothing foreign raw.

What is foreign in a text is made harmless at this point (``kit.sanitize``) and not where the text was made, so
that no message can be forgotten.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

from upstreamsync.kit.redact import RedactingFilter
from upstreamsync.kit.sanitize import commands_only, json_text, sanitized

_LITERALS = {None: "null", True: "true", False: "false"}


def prepare() -> None:
    """Let no character stop a run that the terminal's encoding lacks (LC_ALL=C, PYTHONIOENCODING=latin-1)."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """A line of the result, on stdout."""
    sys.stdout.write(sanitized(text) + "\n")


def tell(text: str) -> None:
    """A line for the person at the terminal, on stderr."""
    sys.stderr.write(sanitized(text) + "\n")


def tell_of_no_vendors(named: Sequence[str], declared: Sequence[Any]) -> None:
    """Where vendors.yaml has no entry, a run over all of them would end without a word."""
    if not named and not declared:
        tell("vendors.yaml declares no vendor yet: write one, or complete what `init` left there as comments")


def status(text: str) -> None:
    """A line on stderr in place of the one before; an empty text takes it away. For terminals alone."""
    sys.stderr.write(f"\r\x1b[K{sanitized(text)}")
    sys.stderr.flush()


def result(text: str) -> None:
    """A result in text or Markdown, on stdout."""
    sys.stdout.write(sanitized(text))


def commands(text: str) -> None:
    """Lines that are commands to the CI system, and ours; on stdout."""
    sys.stdout.write(commands_only(text))


def json_form(document: Mapping[str, Any] | list[Any], *, ascii_only: bool = False) -> str:
    """A document as text that means the same to each parser, and nothing to a terminal or CI system."""
    encode = json.encoder.encode_basestring_ascii if ascii_only else json.encoder.encode_basestring
    parts: list[str] = []
    _indent(document, "\n", parts.append, encode)
    return json_text("".join(parts)) + "\n"


def _indent(value: Any, line: str, write: Callable[[str], None], encode: Callable[[str], str]) -> None:
    """As ``json.dumps(value, indent=2)``, which takes five times as long: a thousand vendors make half a megabyte.

    ``line`` begins a line of the indent that the value stands in.
    """
    if isinstance(value, str):
        write(encode(value))
    elif isinstance(value, dict) and value:
        inner, before = f"{line}  ", "{"
        for key, child in value.items():
            write(f"{before}{inner}{encode(key) if isinstance(key, str) else json.dumps(str(key))}: ")
            _indent(child, inner, write, encode)
            before = ","
        write(f"{line}}}")
    elif isinstance(value, (list, tuple)) and value:
        inner, before = f"{line}  ", "["
        for child in value:
            write(f"{before}{inner}")
            _indent(child, inner, write, encode)
            before = ","
        write(f"{line}]")
    elif value is None or value is True or value is False:
        write(_LITERALS[value])
    else:
        write(json.dumps(value))


def json_result(document: Mapping[str, Any] | list[Any], form: str | None = None) -> None:
    """A document on stdout; where that takes not all of Unicode, in ASCII. ``form`` is its ``json_form``, if known."""
    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
    if form is None or not encoding.startswith("utf"):
        form = json_form(document, ascii_only=not encoding.startswith("utf"))
    sys.stdout.write(form)


def summary(markdown: str) -> None:
    """Append to the job summary, where a workflow gives one (GITHUB_STEP_SUMMARY)."""
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(sanitized(markdown) + "\n")


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return sanitized(super().format(record))


def set_up_logging(*, verbose: bool) -> None:
    """Log to stderr, secrets taken out and foreign words made harmless: warnings always, more when asked for."""
    handler: logging.StreamHandler[IO[str]] = logging.StreamHandler(sys.stderr)
    handler.addFilter(RedactingFilter())
    handler.setFormatter(_Formatter("%(levelname)s: %(message)s"))
    logger = logging.getLogger("upstreamsync")
    logger.handlers = [handler]
    logger.setLevel(logging.DEBUG if verbose else logging.WARNING)
    logger.propagate = False
