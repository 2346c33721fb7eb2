"""Keys of YAML that tools refuse, or read each in its own way: given twice, numbers, dates, collections.

And aliases of what has no anchor, which only shows when a text is read, not in its form.

Most documents are seen to have none by their lines alone; only the others cost a pass over their events.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from upstreamsync.kit.yaml.manifests import PLAIN_TAG, scalar, split

#: A key at the beginning of a line, with the blanks and dashes before it: one text for each, which is half the work
#: of two.
_KEY = re.compile(rb"\n([ -]*+[^ \n:#][^:\n]*+):(?=[ \t\r\n]|\Z)")
#: What these lines don't tell: explicit keys and merges, keys with a colon in them, flow mappings of several lines
#: or keys. One expression each, as each is found by its own first byte.
_ODD_BEGIN = re.compile(rb"\n[ -]*+(?:[?!<{:]|(?<=-)#)")
_COLONS = re.compile(rb":[^ \n:]*:(?=[ \n])")
_KEY_WITH_COLON = re.compile(rb"\n[ -]*+[^ \n:#'\"]+:[^ \n]*:(?=[ \n])")
_FLOW = re.compile(rb"[:,\[-] +\{(?:\{|[^}\n]*[:\n])")
#: A flow mapping without another one in it, on one line.
_SIMPLE_FLOW = re.compile(rb" \{[^{}\n]*\}(?=[ \t]*(?:#[^\n]*)?\r?(?:\n|\Z))")
_NUMBER_FIRST = frozenset(b"0123456789+-.~")
#: What kustomize reads as something else than a text, where it is a key. (``on`` and ``yes`` are texts there.)
_WORDS = frozenset(("null", "Null", "NULL", "true", "True", "TRUE", "false", "False", "FALSE"))
_WORDS_AS_BYTES = frozenset(word.encode() for word in _WORDS)
_DATE = re.compile(r"(\d{4}-\d\d?-\d\d?)(?:[Tt]\d.*)?")
#: An alias in the place of a value, as the lines show it; texts hardly ever have one. What begins with the one
#: literal is found 20 times as fast.
_ALIAS = re.compile(rb"\*(?<=[ \[{,]\*)[^\s,\[\]{}*]+[ \t]*(?:[#,\]}]|\r?\n|\Z)")
_BEFORE_ALIAS = re.compile(rb"(?:[:-] +|[\[{,] *)\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class BadKey:
    """The first key that won't do: what is wrong with it, and the line, from 1."""

    line: int
    problem: str


def bad_key(data: bytes) -> BadKey | None:
    """The first bad key of a stream of documents that is YAML by its form; None where all are good."""
    line = 1
    for part in split(data):
        if _is_suspect(part) and (found := _by_events(part)) is not None:
            return BadKey(line=line + found.line, problem=found.problem)
        line += part.count(b"\n")
    return None


def _is_suspect(part: bytes) -> bool:
    """Whether the lines look as if a mapping had a key twice, or one that is no text.

    Texts in blocks look so, too: this only says where to look closer.
    """
    text = b"\n" + part.removeprefix(b"---")
    if any(
        _BEFORE_ALIAS.search(text, max(0, one.start() - 80), one.start()) for one in _ALIAS.finditer(text)
    ):
        return True
    if b"{" in text:  # flow mappings that end on their line are looked at by themselves
        if any(_is_bad(one) for one in set(_SIMPLE_FLOW.findall(text))):
            return True
        text = _SIMPLE_FLOW.sub(b" x", text)
    if _ODD_BEGIN.search(text) or (b"{" in text and _FLOW.search(text)):
        return True
    if _has_key_with_colon(text):
        return True
    return _looks_repeated(_KEY.findall(text))


def _has_key_with_colon(text: bytes) -> bool:
    """Whether a line begins with such a key; each line is looked at once, however many colons it has."""
    seen = -1
    for one in _COLONS.finditer(text):
        if one.start() > seen:
            if _KEY_WITH_COLON.match(text, text.rfind(b"\n", 0, one.start())):
                return True
            seen = text.find(b"\n", one.end() - 1)
            if seen < 0:
                return False
    return False


def _looks_repeated(found: Sequence[bytes]) -> bool:
    """Whether one of these keys, each behind what it is indented with, is there twice, or is no text.

    Large files have tens of thousands of them, and few different ones.
    """
    facts: dict[bytes, tuple[int, int, bytes]] = {}
    for line in set(found):
        written = line.lstrip(b" -")
        key = written.strip(b" '\"")
        if not key or key[0] in _NUMBER_FIRST or key in _WORDS_AS_BYTES:
            return True
        depth = len(line) - len(written)
        dash = line.rfind(b"-", 0, depth)
        facts[line] = (depth, depth if dash < 0 else dash, key)  # an element of a list begins anew
    depths, seen_at = [-1], [set[bytes]()]
    top, seen = -1, seen_at[0]
    for depth, outer, key in map(facts.__getitem__, found):
        while top > outer:
            depths.pop()
            seen_at.pop()
            top, seen = depths[-1], seen_at[-1]
        if top < depth:
            top, seen = depth, {key}
            depths.append(depth)
            seen_at.append(seen)
        elif key in seen:
            return True
        else:
            seen.add(key)
    return False


def _is_bad(flow: bytes) -> bool:
    try:
        return _by_events(flow.strip()) is not None
    except yaml.YAMLError:
        return True


def _by_events(part: bytes) -> BadKey | None:
    """The first bad key, found in the parse events; its line counts from 0 in the document."""
    #: One for each open collection: the keys seen, and whether a key comes next; None in a list.
    levels: list[tuple[set[str], list[bool]] | None] = []
    anchors: set[str | None] = set()
    for event in yaml.parse(part, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionEndEvent):
            levels.pop()
            continue
        if not isinstance(event, (yaml.CollectionStartEvent, yaml.ScalarEvent, yaml.AliasEvent)):
            continue
        line = event.start_mark.line if event.start_mark else 0
        if not isinstance(event, yaml.AliasEvent):
            anchors.add(event.anchor)
        elif event.anchor not in anchors:
            return BadKey(
                line=line, problem=f"`*{event.anchor}` stands for what has no anchor `&{event.anchor}`"
            )
        level = levels[-1] if levels else None
        if level is not None:
            keys, is_key = level
            if is_key[0] and (problem := _problem(event, keys)):
                return BadKey(line=line, problem=problem)
            is_key[0] = not is_key[0]
        if isinstance(event, yaml.MappingStartEvent):
            levels.append((set(), [True]))
        elif isinstance(event, yaml.SequenceStartEvent):
            levels.append(None)
    return None


def _problem(event: yaml.Event, keys: set[str]) -> str | None:
    if not isinstance(event, yaml.ScalarEvent):
        return "a list or mapping can't be a key"
    text = event.value
    plain = event.implicit[0] and event.tag in (None, PLAIN_TAG)
    if plain and text == "<<":
        return None
    if text in keys:
        return f"the key `{text}` is given twice"
    keys.add(text)
    if plain and not _is_text(text):
        return f"the key `{text}` is no text: tools read it as something else; it belongs in quotes"
    return None


def _is_text(key: str) -> bool:
    """Whether an unquoted key is a text to kustomize, and not a number, a date, a truth or nothing."""
    if not key or key in _WORDS or not isinstance(scalar(key), (str, bool)):
        return False
    date = _DATE.fullmatch(key)
    if date is None:
        return True
    try:
        dt.date(*map(int, date[1].split("-")))
    except ValueError:
        return True
    return False
