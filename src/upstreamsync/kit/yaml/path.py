"""How a value in a YAML text is named: ``spec.containers[name=app].image``, and what can stand in it.

===============================  ==================================================================
``a.b``                          the value of a key
``a["x.y/z"]``, ``a.[x.y/z]``    a key with dots or other signs in its name
``a[0]``, ``a[-1]``              an element by its position, from the start or from the end
``a[name=x]``                    the element in which ``name`` is ``x``
``(kind=Service,name=x).spec``   first the document of a file that has several: ``name`` and ``namespace``
                                 are those in its metadata, other keys may be paths with dots
``a.values|image.tag``           further into the YAML or JSON that stands in a text
===============================  ==================================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from upstreamsync.errors import EditError

_PART = re.compile(
    r"""
      (?P<dot> \.? ) \[ \s* (?: "(?P<double> (?: [^"\\] | \\. )* )" | '(?P<single> [^']* )' ) \s* \]
    | \[ \s* (?P<index> -?[0-9]+ ) \s* \]
    | \[ \s* (?P<key> [^\]="'\s]+ ) \s* = \s* (?: "(?P<double_value> [^"]* )" | '(?P<single_value> [^']* )'
                                             | (?P<value> [^\]"']* ) ) \]
    | \. \[ (?P<bare> [^\]"'=]+ ) \]
    | \.? (?P<name> [^.\[\]()|"'\s]+ )
    """,
    re.VERBOSE,
)
_HINT = 'write it as spec.containers[name=app].image, with quotes for odd keys: labels["a/b"]'


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a mapping; ``bare`` ones may also be a position, as in ``a.0``."""

    name: str
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """A position in a list."""

    number: int


@dataclass(frozen=True, slots=True)
class Match:
    """The element of a list in which a key has a value."""

    key: str
    value: str


Step = Key | Index | Match


@dataclass(frozen=True, slots=True)
class Level:
    """The way within one text: which document, and the steps in it."""

    selector: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]
    text: str


@cache
def parse(path: str) -> tuple[Level, ...]:
    """The levels of a path, outermost first; raises EditError for what is no path."""
    return tuple(_level(part.strip(), path) for part in _split(path))


def _split(path: str) -> list[str]:
    """Apart at each ``|`` that is not inside quotes."""
    parts, quote, start = [], "", 0
    for position, character in enumerate(path):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "|":
            parts.append(path[start:position])
            start = position + 1
    return [*parts, path[start:]]


def _level(text: str, path: str) -> Level:
    selector: list[tuple[str, str]] = []
    rest = text
    if text.startswith("("):
        inside, closed, rest = text[1:].partition(")")
        for condition in inside.split(","):
            key, equals, value = condition.partition("=")
            if not (closed and equals and key.strip() and value.strip()):
                raise EditError(
                    f"`{path}` begins with a selection that can't be read", hint="(kind=…,name=…)"
                )
            selector.append((key.strip(), value.strip().strip("\"'")))
    steps: list[Step] = []
    position = 0
    while position < len(rest):
        match = _PART.match(rest, position)
        if match is None:
            raise EditError(f"`{path}` can't be read from `{rest[position:]}` on", hint=_HINT)
        if not steps and not selector and rest[position] == ".":
            raise EditError(f"`{path}` begins with a dot", hint=_HINT)
        if steps and match["name"] is not None and rest[position] != ".":
            raise EditError(f"`{path}` lacks a dot before `{match['name']}`", hint=_HINT)
        steps.append(_step(match))
        position = match.end()
    if not steps:
        raise EditError(f"`{path}` names no value", hint=_HINT)
    return Level(selector=tuple(selector), steps=tuple(steps), text=text)


def _step(match: re.Match[str]) -> Step:
    if match["index"] is not None:
        return Index(int(match["index"]))
    if match["key"] is not None:
        values = (match["double_value"], match["single_value"], match["value"])
        return Match(match["key"], next(value for value in values if value is not None).strip())
    if match["double"] is not None:
        return Key(re.sub(r"\\(.)", r"\1", match["double"]))
    for group in ("single", "bare"):
        if match[group] is not None:
            return Key(match[group])
    return Key(match["name"], bare=True)
