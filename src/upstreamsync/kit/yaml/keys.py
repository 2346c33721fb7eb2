"""Keys of YAML that tools refuse, or read each in its own way: given twice, numbers, dates, collections.

And aliases of what has no anchor, which only shows when a text is read, not in its form.

Most documents are seen to have none by their lines alone; only the others cost a pass over their events.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import yaml

from upstreamsync.kit.yaml.manifests import PLAIN_TAG, scalar, split

#: A line with a key: the whole line, the blanks and dashes before the key, and the key.
_KEY = re.compile(rb"\n(([ -]*+)([^ \n:#][^:\n]*+):(?=[ \t\r\n]|\Z)[^\n]*)")
#: The end of a line behind which a text stands in a block, such a line with a key, and one with dashes alone.
_BLOCK = rb"[|>][-+0-9]*+[ \t]*+(?:(?<=[ \t])#[^\n]*)?\r?"
_BLOCK_END = re.compile(_BLOCK + rb"\n")
_BLOCK_BEHIND_KEY = re.compile(rb":[ \t]+(?:[!&][^ \n]*[ \t]+)*" + _BLOCK + rb"\Z")
_BLOCK_IN_LIST = re.compile(rb"( *+(?:- ++)++)(?:[!&][^ \n]*[ \t]+)*" + _BLOCK)
#: An element of a list that stands on the lines behind it.
_BARE_DASH = re.compile(rb"\n( *-[- \t]*+(?:[!&][^ \t\n]*[ \t]*)*(?:#[^\n]*)?\r?)(?=\n)")
#: What a key does not tell: explicit keys and merges, keys with a colon in them, flow mappings of several lines
#: or keys. One expression each, as each is found by its own first byte.
_ODD_BEGIN = re.compile(rb"\n[ -]*+(?:[?!{:]|<<|(?<=-)#)")
_COLONS = re.compile(rb":[^ \n:]*:(?=[ \n])")
_KEY_WITH_COLON = re.compile(rb"[ -]*+[^ \n:#'\"]+:[^ \n]*:(?=[ \n]|\Z)")
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


#: What one line tells: the columns where it begins, where its key stands, and of the dash before the key, as an
#: element of a list begins a mapping anew; the key; and the column beyond which the lines behind it are a text. The
#: key is empty where there is none, None where the line takes a closer look.
_Told = tuple[int, int, int, bytes | None, int]

_NO_TEXT: Final = sys.maxsize


@dataclass(frozen=True, slots=True, kw_only=True)
class BadKey:
    """The first key that won't do: what is wrong with it, and the line, from 1."""

    line: int
    problem: str


def bad_key(data: bytes) -> BadKey | None:
    """The first bad key of a stream of documents that is YAML by its form; None where all are good."""
    parts = split(data)
    lines = [part.removeprefix(b"---").split(b"\n") for part in parts]
    told = _told_by(set().union(*lines))
    line = 1
    for part, inside in zip(parts, lines, strict=True):
        if _is_suspect(inside, told) and (found := _by_events(part)) is not None:
            return BadKey(line=line + found.line, problem=found.problem)
        line += len(inside) - 1
    return None


def _is_suspect(lines: Iterable[bytes], told: Mapping[bytes, _Told]) -> bool:
    """Whether the lines look as if a mapping had a key twice, or one that is no text.

    Quoted texts may look so, too: this only says where to look closer.
    """
    depths, seen_at = [-1], [set[bytes]()]
    top, seen, text = -1, seen_at[0], _NO_TEXT
    for begin, depth, outer, key, block in filter(None, map(told.get, lines)):
        if begin > text:
            continue
        text = block
        if not key:
            if key is None:
                return True
            continue
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


def _told_by(lines: Collection[bytes]) -> dict[bytes, _Told]:
    """What each of the lines tells; those that tell nothing are left out.

    A large file has tens of thousands of lines, and few different ones.
    """
    short = _shortened(lines)
    text = b"\n".join([b"", *(line for line in lines if line not in short), *short.values(), b""])
    told: dict[bytes, _Told] = {
        line: (_column(line), 0, 0, b"", _NO_TEXT) for line in _BARE_DASH.findall(text)
    }
    told.update((line, _of_key(lead, key)) for line, lead, key in _KEY.findall(text))
    for line in _lines_with(_BLOCK_END, text):
        if line in told and _BLOCK_BEHIND_KEY.search(line):
            told[line] = (*told[line][:4], told[line][1])
        elif listed := _BLOCK_IN_LIST.fullmatch(line):
            told[line] = (_column(line), 0, 0, b"", listed[1].rfind(b"-"))
    for line in _odd_lines(text):
        told[line] = (_column(line), 0, 0, None, _NO_TEXT)
    told.update((line, told[shown]) for line, shown in short.items() if shown in told)
    return told


def _of_key(lead: bytes, key: bytes) -> _Told:
    """What a line tells by its key, and the blanks and dashes before it."""
    depth = len(lead)
    name = key.strip(b" '\"")
    odd = not name or name[0] in _NUMBER_FIRST or name in _WORDS_AS_BYTES or lead.endswith(b"-")
    dash = lead.rfind(b"-")
    if dash < 0:
        return depth, depth, depth, None if odd else name, _NO_TEXT
    return _column(lead), depth, dash, None if odd else name, _NO_TEXT


def _column(line: bytes) -> int:
    return len(line) - len(line.lstrip(b" "))


def _shortened(lines: Iterable[bytes]) -> dict[bytes, bytes]:
    """Lines with flow mappings, each with a plain value in the place of those that are good by themselves."""
    with_flow = [line for line in lines if b"{" in line]
    bad = {flow: _is_bad(flow) for flow in {one for line in with_flow for one in _SIMPLE_FLOW.findall(line)}}

    def shown(line: bytes) -> bytes:
        if any(bad[one] for one in _SIMPLE_FLOW.findall(line)):
            return b" " * _column(line) + b"{"  # which takes a closer look
        return _SIMPLE_FLOW.sub(b" x", line)

    return {line: shown(line) for line in with_flow}


def _odd_lines(text: bytes) -> Iterator[bytes]:
    """The lines of which a look at their keys does not tell all."""
    yield from _lines_with(_ODD_BEGIN, text)
    yield from (line for line in _lines_with(_COLONS, text) if _KEY_WITH_COLON.match(line))
    if b"{" in text:
        yield from _lines_with(_FLOW, text)
    for line in _lines_with(_ALIAS, text):
        if any(
            _BEFORE_ALIAS.search(line, max(0, one.start() - 80), one.start()) for one in _ALIAS.finditer(line)
        ):
            yield line


def _lines_with(pattern: re.Pattern[bytes], text: bytes) -> Iterator[bytes]:
    """The lines of a text, which begins and ends with an end of line, that match; each is looked at once."""
    found = pattern.search(text)
    while found is not None:
        begin = text.rfind(b"\n", 0, found.start() + 1) + 1
        end = text.find(b"\n", begin)
        yield text[begin:end]
        found = pattern.search(text, end)


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
