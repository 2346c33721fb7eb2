"""What people tick in the dashboard: read from its text, and kept in it. Pure.

A box is known by the mark behind it. ``rebuild`` is done once, and its tick is gone after the run; ``take`` and
``ignore`` hold for as long as they are ticked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, unquote

from upstreamsync.model import EMPTY

_BOARD: Final = re.compile(r"<!-- upstreamsync-dashboard: (\{[^\n]*?\}) -->")
_BOX: Final = re.compile(
    r"^[ \t]*[-*] \[(?P<tick>[ xX])\] <!-- upstreamsync:"
    r"(?P<verb>rebuild|take|ignore)=(?P<name>[A-Za-z0-9._-]+)(?:@(?P<version>[^\s>]+))? -->",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is ticked: keys of proposals to rebuild; by vendor, the version to take now, and versions to ignore."""

    rebuild: frozenset[str] = frozenset()
    take: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    ignore: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: EMPTY)


NONE: Final = Wishes()


def box(verb: str, name: str, version: str | None = None) -> str:
    """The mark of a box; nothing in a version can end the comment."""
    return f"{verb}={name}" + (f"@{quote(version, safe='')}" if version is not None else "")


def line(mark: str, text: str, ticked: Collection[str]) -> str:
    """A box with its text."""
    return f"- [{'x' if mark in ticked else ' '}] <!-- upstreamsync:{mark} --> {text}"


def ticked(body: str) -> frozenset[str]:
    """The marks of the boxes that are ticked."""
    found = _BOX.finditer(body.replace("\r\n", "\n"))
    return frozenset(_mark(match) for match in found if match["tick"] != " ")


def _mark(match: re.Match[str]) -> str:
    version = unquote(match["version"]) if match["version"] is not None else None
    return box(match["verb"], match["name"], version)


def wishes_of(marks: Collection[str]) -> Wishes:
    """What marks ask for. Of several versions to take, the last by its text."""
    rebuild: set[str] = set()
    take: dict[str, str] = {}
    ignore: dict[str, tuple[str, ...]] = {}
    for mark in sorted(marks):
        verb, _, rest = mark.partition("=")
        name, _, version = rest.partition("@")
        match verb:
            case "rebuild":
                rebuild.add(name)
            case "take" if version:
                take[name] = unquote(version)
            case "ignore" if version:
                ignore[name] = (*ignore.get(name, ()), unquote(version))
    return Wishes(rebuild=frozenset(rebuild), take=take, ignore=ignore)


def marker(config: str) -> str:
    """What a dashboard is found by: the vendors.yaml that it is about."""
    text = (
        json.dumps({"config": config})
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("--", "-\\u002d")
    )
    return f"<!-- upstreamsync-dashboard: {text} -->"


def config_of(body: str) -> str | None:
    """The vendors.yaml that a dashboard is about; None for any other text."""
    for text in reversed(_BOARD.findall(body)):
        try:
            return str(json.loads(text)["config"])
        except (ValueError, KeyError, TypeError):
            continue
    return None


def carried(before: str, now: str) -> tuple[frozenset[str], frozenset[str]]:
    """What people ticked, and unticked, while a run was at work: between its first and its last look."""
    old, new = ticked(before), ticked(now)
    return new - old, old - new
