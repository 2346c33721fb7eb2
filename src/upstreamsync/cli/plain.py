"""Command lines that need no parser: plain words, each of which can mean one thing alone.

Loading typer and telling it about all verbs takes 0.1 s: a third of a `check` that finds nothing changed,
or as long as `verify` needs for a small build. Whatever is not plain (other verbs, help, mistakes, shortened
forms, an option given twice) is left to typer.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from upstreamsync.cli.common import Common, Format

_FLAGS = {
    "--no-cache": "no_cache",
    "--allow-commands": "allow_commands",
    "--offline": "offline",
    "--verbose": "verbose",
    "-v": "verbose",
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
#: The options of each verb besides: flags, and those with a value.
_OWN: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    "check": ({"--exit-code": "exit_code", "--matrix": "matrix"}, {}),
    "verify": (
        {"--fix": "fix", "--add-guards": "add_guards"},
        {"--since": "since", "--before": "before", "--after": "after"},
    ),
    "update": (
        {"--dry-run": "dry_run", "--locked": "locked", "--discard-edits": "discard_edits"},
        {"--to": "to"},
    ),
}
_COUNT = re.compile(r"[0-9]{1,6}", re.ASCII)


def verb_first(words: Sequence[str]) -> list[str]:
    """A command line with its verb in front: the options that all verbs share may stand before it, too."""
    front: list[str] = []
    rest = list(words)
    values = (*_VALUES, "--allow-host")
    while rest and rest[0].startswith("-"):
        word = rest[0]
        joined = word.startswith(tuple(f"{name}=" for name in values)) or (
            word[:2] in values and len(word) > 2
        )
        taken = 1 if joined or word in _FLAGS else 2 if word in values else 0
        if not taken or len(rest) <= taken:
            return rest if word in ("-h", "--help") else list(words)
        front += rest[:taken]
        del rest[:taken]
    return [rest[0], *front, *rest[1:]] if rest else list(words)


def plain(words: Sequence[str]) -> tuple[Common, list[str], dict[str, Any]] | None:
    """The common options, names, and own options of a plain verb (``_OWN``); None for any other line."""
    if not words or words[0] not in _OWN or "_UPSTREAMSYNC_COMPLETE" in os.environ:
        return None
    own_flags, own_values = _OWN[words[0]]
    flags, values = {**_FLAGS, **own_flags}, {**_VALUES, **own_values}
    given: dict[str, Any] = {}
    names: list[str] = []
    rest = iter(words[1:])
    for word in rest:
        meant: Any
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            if not word:
                return None
            names.append(word)
            continue
        if word in flags:
            field, meant = flags[word], True
        elif word in values:
            field, meant = values[word], _meant(values[word], next(rest, ""))
        elif equals and name.startswith("--") and name in values:
            field, meant = values[name], _meant(values[name], value)
        else:
            return None
        if meant is None or field in given:
            return None
        given[field] = meant
    own = {field: given.pop(field, False) for field in own_flags.values()}
    own |= {field: given.pop(field, None) for field in own_values.values()}
    return Common(**given), names, own


def _meant(field: str, text: str) -> Any:
    """The value of an option; None where that is for somebody else to say."""
    if not text or text.startswith("-"):
        return None
    if field == "jobs":
        return int(text) if _COUNT.fullmatch(text) else None
    if field == "format":
        return Format(text) if text in list(Format) else None
    return text if field in ("since", "to") else Path(text)
