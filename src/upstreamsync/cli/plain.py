"""Command lines of ``check`` that need no parser: plain words, each of which can mean one thing alone.

Loading typer and telling it about all verbs takes 0.1 s, a third of a `check` that finds nothing changed.
Whatever is not plain (help, mistakes, shortened forms, an option given twice) is left to typer.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from upstreamsync.cli.common import Common, Format

_FLAGS = {
    "--no-cache": "no_cache",
    "--allow-commands": "allow_commands",
    "--verbose": "verbose",
    "-v": "verbose",
    "--exit-code": "exit_code",
    "--matrix": "matrix",
}
_VALUES = {
    "--config": "config",
    "-c": "config",
    "--json-output": "json_output",
    "--cache-dir": "cache_dir",
    "--format": "format",
    "--jobs": "jobs",
    "-j": "jobs",
}
_COUNT = re.compile(r"[0-9]{1,6}", re.ASCII)


def plain_check(words: Sequence[str]) -> tuple[Common, list[str], dict[str, bool]] | None:
    """The options, vendors and flags of a plain ``check``; None for any other command line."""
    if list(words[:1]) != ["check"] or "_UPSTREAMSYNC_COMPLETE" in os.environ:
        return None
    given: dict[str, Any] = {}
    vendors: list[str] = []
    rest = iter(words[1:])
    for word in rest:
        meant: Any
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            if not word:
                return None
            vendors.append(word)
            continue
        if word in _FLAGS:
            field, meant = _FLAGS[word], True
        elif word in _VALUES:
            field, meant = _VALUES[word], _meant(_VALUES[word], next(rest, ""))
        elif equals and name.startswith("--") and name in _VALUES:
            field, meant = _VALUES[name], _meant(_VALUES[name], value)
        else:
            return None
        if meant is None or field in given:
            return None
        given[field] = meant
    flags = {name: given.pop(name, False) for name in ("exit_code", "matrix")}
    return Common(**given), vendors, flags


def _meant(field: str, text: str) -> Any:
    """The value of an option; None where that is for somebody else to say."""
    if not text or text.startswith("-"):
        return None
    if field == "jobs":
        return int(text) if _COUNT.fullmatch(text) else None
    if field == "format":
        return Format(text) if text in list(Format) else None
    return Path(text)
