"""Keys of YAML that tools refuse, or read each in its own way: given twice, numbers, collections.

Most documents are seen to have none by their lines alone; only the others cost a pass over their events.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from upstreamsync.kit.yaml.manifests import PLAIN_TAG, scalar, split

#: A key at the beginning of a line, behind its blanks and dashes.
_KEY = re.compile(rb"\n([ -]*)([^ \n:#][^:\n]*):(?=[ \t\r\n]|\Z)")
#: What these lines don't tell: explicit keys, merges, keys with a colon in them, flow mappings of several lines
#: or keys.
_LESS_PLAIN = re.compile(rb"\n[ -]*(?:[?!<{]|[^ \n:#'\"]+:[^ \n]*:(?=[ \n]))|[:,\[-] +\{(?:\{|[^}\n]*[:\n])")
#: A flow mapping without another one in it, on one line.
_SIMPLE_FLOW = re.compile(rb" \{[^{}\n]*\}(?=[ \t]*(?:#[^\n]*)?\r?(?:\n|\Z))")
_NUMBER_FIRST = frozenset(b"0123456789+-.~")
_NULLS = frozenset((b"null", b"Null", b"NULL"))


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
    if b"{" in text:  # flow mappings that end on their line are looked at by themselves
        if any(_is_bad(one) for one in set(_SIMPLE_FLOW.findall(text))):
            return True
        text = _SIMPLE_FLOW.sub(b" x", text)
    if _LESS_PLAIN.search(text):
        return True
    depths, keys_at = [-1], [set[bytes]()]
    for lead, written in _KEY.findall(text):
        key = written.strip(b" '\"")
        if not key or key[0] in _NUMBER_FIRST or key in _NULLS:
            return True
        depth, dash = len(lead), lead.rfind(b"-")
        outer = depth if dash < 0 else dash  # an element of a list begins anew
        while depths[-1] > outer:
            depths.pop()
            keys_at.pop()
        if depths[-1] < depth:
            depths.append(depth)
            keys_at.append({key})
        elif key in keys_at[-1]:
            return True
        else:
            keys_at[-1].add(key)
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
    for event in yaml.parse(part, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionEndEvent):
            levels.pop()
            continue
        if not isinstance(event, (yaml.CollectionStartEvent, yaml.ScalarEvent, yaml.AliasEvent)):
            continue
        level = levels[-1] if levels else None
        if level is not None:
            keys, is_key = level
            if is_key[0] and (problem := _problem(event, keys)):
                return BadKey(line=event.start_mark.line if event.start_mark else 0, problem=problem)
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
    if plain and not isinstance(scalar(text) if text else None, (str, bool)):
        return f"the key `{text}` is no text: tools read it as a number or as nothing; it belongs in quotes"
    return None
