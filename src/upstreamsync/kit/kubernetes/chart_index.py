"""One chart's entries out of a Helm index, without reading the rest of it as YAML.

An index of 25 MB takes YAML parsers seconds and half a gigabyte; finding one chart's block in the text
takes hundredths of a second. The text is cut only where its shape proves that a parser would see the
same; anything else is read by the parser, event by event, with only the one chart kept in memory.

What makes a cut safe: block style, plain lines before ``entries:``, each line of indent 0 to 2 a plain
key or an entry of a list, the chart's key once, and no quoted scalar that reaches across such a line.
The last one needs all quotes looked at, as a line inside of quotes can look like anything.

All scalars are read as text: a version ``1.10`` stays what it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from mmap import mmap
from typing import Any

from upstreamsync.errors import Malformed
from upstreamsync.kit.kubernetes.chart_index_events import entries_of, merged, read_by_events
from upstreamsync.kit.lfs import refuse_pointer
from upstreamsync.kit.yaml import syntax
from upstreamsync.kit.yaml.manifests import no_garbage_collection, refuse_bombs

#: What is read of an entry; everything else in it is skipped.
FIELDS = ("name", "version", "appVersion", "created", "digest", "deprecated", "urls")
Entry = Mapping[str, str | tuple[str, ...]]

_SIMPLE_VALUE = rb"""(?:"[^"\\\n]*"|'[^'\n]*'|[A-Za-z0-9][^\n]*|\{\}|\[\])"""
_SIMPLE_LINE = re.compile(rb"(?:#[^\n]*|[A-Za-z][\w.-]*:(?: +" + _SIMPLE_VALUE + rb")? *)?")
_BRACKET = re.compile(rb"[\[\]{}]")
_EMPTY_VALUE = re.compile(rb"(?<=: )(?:\{\}|\[\])(?=\s)")
_ENTRIES_LINE = re.compile(rb"entries: *")
#: Lines of indent 0 to 2 that are neither empty nor an entry of a list.
_LOW_LINE = re.compile(rb"\n(?!   |  - |\n)([^\n]*)")
_KEY_LINE = re.compile(rb"""  (?:([A-Za-z0-9][\w.-]*)|"([\w.-]+)"|'([\w.-]+)'): *(?:\[\] *)?""")
_OPEN_DOUBLE = re.compile(rb"""\"(?<=[\s\[{,:]\")(?!(?:[^"\\\n]++|\\[^\n])*+\")""")
_OPEN_SINGLE = re.compile(rb"""'(?<=[\s\[{,:]')(?!(?:[^'\n]++|'')*+')""")
_REST_DOUBLE = re.compile(rb"""(?:[^"\\]++|\\.)*+\"""", re.DOTALL)
_REST_SINGLE = re.compile(rb"""(?:[^']++|'')*+'""")
#: Where in a line a value may begin: behind its indent, an indicator, a bracket, a tag or an anchor.
_NODE_START = re.compile(rb"(?:.*(?:[:?-][ \t]+|[\[{,:][ \t]*|[!&][^ \t]*[ \t]+))?[ \t]*", re.DOTALL)
#: What the parser takes for ends of lines besides \n, and what begins a text in another encoding.
_FOREIGN_ASCII = (b"\r", b"\x00")
_SCANNED = 1 << 20
_FOREIGN = (b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\xc2\x85", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


class HelmIndex:
    """An index.yaml, from which the entries of single charts are taken.

    ``blocks`` tells where each chart's list begins and ends, None where the shape does not allow to cut;
    they are found once for all charts.
    """

    def __init__(self, data: bytes | mmap) -> None:
        refuse_pointer(data[:1024], "the index")
        self.data = data
        self.blocks = None if data[:64].lstrip()[:1] in {b"{", b"["} else _find_blocks(data)

    @property
    def plain(self) -> bool:
        """Whether charts can be cut out of this index."""
        return self.blocks is not None

    @property
    def charts(self) -> tuple[str, ...]:
        """The names of the charts, as far as they are known without parsing."""
        return tuple(self.blocks or ())

    def entries(self, chart: str) -> tuple[Entry, ...] | None:
        """The entries of a chart, in the index's order; None where the index does not have the chart.

        An entry without a readable version, or with another chart's name, is left out.
        Raises Malformed when the text is no Helm index, TooLarge when it is built to exhaust a parser.
        """
        found: Any = None
        if self.blocks is not None:
            block = self.blocks.get(chart)
            if block is None:
                return None
            found = read_block(self.data[block[0] : block[1]])
        if found is None:
            found = self._read_all(chart)
        if found is None:
            return None
        return tuple(_readable(found, chart)) if isinstance(found, (list, tuple)) else ()

    def _read_all(self, chart: str) -> Any:
        if self.data[:64].lstrip()[:1] == b"{":
            try:
                document = json.loads(bytes(self.data), parse_int=str, parse_float=str)
            except (ValueError, RecursionError):
                document = None
            if isinstance(document, dict):
                return entries_of(document).get(chart)
        try:
            return read_by_events(bytes(self.data), chart)
        except (syntax.YAMLError, UnicodeDecodeError, RecursionError) as error:
            first = str(error).splitlines()[0] if str(error) else "not YAML"
            raise Malformed(
                f"the index is no YAML that can be read: {first}", hint="open it; is it a Helm repository?"
            ) from None


def _readable(found: Sequence[Any], chart: str) -> Iterator[Entry]:
    """The usable entries, reduced to FIELDS: one bad entry must not take the others with it."""
    for raw in found:
        if not isinstance(raw, dict):
            continue
        entry = merged(raw)
        kept: dict[str, str | tuple[str, ...]] = {}
        for field in FIELDS:
            value = entry.get(field)
            if isinstance(value, bool):
                value = "true" if value else "false"
            if field == "urls":
                listed = [value] if isinstance(value, str) else value
                kept[field] = tuple(url for url in listed or () if isinstance(url, str) and url)
            elif isinstance(value, str):
                kept[field] = value
        if kept.get("version") and kept.get("name", chart) == chart:
            yield kept


# -- finding the blocks ------------------------------------------------------------------------------


def _find_blocks(data: bytes | mmap) -> dict[str, tuple[int, int]] | None:
    """Where each chart's list begins and ends; None where the shape does not prove it."""
    if _has_foreign_marks(data):
        return None
    start = _start_of_entries(data)
    if start is None:
        return None
    blocks: dict[str, tuple[int, int]] = {}
    chart: str | None = None
    begin = start
    end = len(data)
    for match in _LOW_LINE.finditer(data, start - 1):
        line = match[1]
        if line.startswith(b"#") or not line.strip():
            continue
        if not line.startswith(b" "):
            end = match.start() + 1
            break
        if line.lstrip().startswith(b"#"):
            continue
        key = _KEY_LINE.fullmatch(line)
        if key is None or (chart is None and data[start : match.start()].strip()):
            return None
        if chart is not None:
            blocks[chart] = (begin, match.start() + 1)
        chart = (key[1] or key[2] or key[3]).decode("ascii", "replace")
        if chart in blocks:
            return None
        begin = match.end() + 1
    if chart is None or not _plain_behind(data, end) or _quotes_reach(data, start, end, 2):
        return None
    blocks[chart] = (begin, end)
    return blocks


def _has_foreign_marks(data: bytes | mmap) -> bool:
    """Whether there are other ends of lines in here. One byte is found 15 times as fast as several."""
    for start in range(0, len(data), _SCANNED):
        piece = data[start : start + _SCANNED + 2]  # a mark may begin at the very end
        if any(piece.find(mark) >= 0 for mark in _FOREIGN_ASCII):
            return True
        if not piece.isascii() and any(piece.find(mark) >= 0 for mark in _FOREIGN):
            return True
    return False


def _start_of_entries(data: bytes | mmap) -> int | None:
    """The beginning of the line behind ``entries:``, where only plain lines stand before it."""
    position = 4 if data[:4] == b"---\n" else 0
    while position < len(data):
        stop = data.find(b"\n", position)
        if stop < 0:
            return None
        line = data[position:stop]
        position = stop + 1
        if _ENTRIES_LINE.fullmatch(line):
            return position
        if not _SIMPLE_LINE.fullmatch(line):
            return None
    return None


def _plain_behind(data: bytes | mmap, end: int) -> bool:
    """Whether what follows the entries is no second ``entries``, no other document, and no end of a bracket.

    A bracket that is opened among the entries may go on over lines that look like other top-level keys.
    """
    behind = data[end:]
    for line in behind.split(b"\n"):
        if line[:1] not in {b"", b" "} and (not _SIMPLE_LINE.fullmatch(line) or line.startswith(b"entries")):
            return False
    return not _BRACKET.search(_EMPTY_VALUE.sub(b"", behind))


def _quotes_reach(data: bytes | mmap, start: int, end: int, indent: int) -> bool:
    """Whether a quoted scalar between ``start`` and ``end`` contains a line of ``indent`` or less.

    Each quote that may open a scalar counts, whatever stands around it, so none that does is overlooked.
    """
    outer = re.compile(rb"\n {0,%d}(?![ \n])" % indent)
    for quote, opening, rest in ((b'"', _OPEN_DOUBLE, _REST_DOUBLE), (b"'", _OPEN_SINGLE, _REST_SINGLE)):
        if not _occurs(quote, data, start, end):
            continue
        for match in opening.finditer(data, start, end):
            line = data.rfind(b"\n", 0, match.start()) + 1
            if not _NODE_START.fullmatch(data, line, match.start()):
                continue
            closing = rest.match(data, match.end(), end)
            if closing is None or outer.search(data, match.end(), closing.end()):
                return True
    return False


def _occurs(byte: bytes, data: bytes | mmap, start: int, end: int) -> bool:
    """Whether a byte is in there at all: bytes are looked through ten times as fast as expressions do it."""
    if isinstance(data, bytes):
        return data.find(byte, start, end) >= 0
    return any(byte in data[at : min(at + _SCANNED, end)] for at in range(start, end, _SCANNED))


# -- reading a block ---------------------------------------------------------------------------------

_VALUE = rb""" +(?:"([^"\\\n]*)"|'([^'\n]*)'|([A-Za-z0-9]\S*)(?<!:)) *(?=\n)"""
_ANY_VALUE = rb""" +(?:"[^"\\\n]*"|'[^'\n]*'|[A-Za-z0-9]\S*(?<!:)) *(?=\n)"""
_LISTED_VALUE = re.compile(rb"\n *-" + _VALUE)
#: Groups of the expression for a field: the name, a value in one of three notations, then these.
_URLS, _ODD = 5, 6
#: A bracket that may open a list or mapping, and is not closed on its line. One literal each: 20 times as fast.
_OPEN_BRACKETS = tuple(
    (one, re.compile(rb"""\%b(?<=[\s:]\%b)(?![^\n\[\]{}"']*[\]}])""" % (one, one))) for one in (b"[", b"{")
)


def read_block(block: bytes) -> list[Any] | None:
    """The entries of one chart's block; None where it can't stand alone (aliases, tabs, odd shapes)."""
    if not block.strip():
        return None
    text = b"\n" + block if block.endswith(b"\n") else b"\n" + block + b"\n"
    dash = re.match(rb"(?:\n(?: *#[^\n]*)?)*\n( {2,4})- ", text)
    if dash is None or b"\t" in block:
        return _load_list(block)
    indent = len(dash[1])
    if _has_flow(text) or _quotes_reach(text, 0, len(text), indent + 2) or _odd_lines(text, indent):
        return _load_list(block)
    return _read_plain(text, indent)


def _has_flow(text: bytes) -> bool:
    """Whether a list or mapping in brackets goes on over the end of a line."""
    return any(
        _NODE_START.fullmatch(text, text.rfind(b"\n", 0, match.start()) + 1, match.start())
        for bracket, opening in _OPEN_BRACKETS
        if bracket in text
        for match in opening.finditer(text)
    )


def _odd_lines(text: bytes, indent: int) -> bool:
    """Whether a line on the level of the entries' keys, or further left, is no plain ``key:`` or ``- ``."""
    key = rb"[A-Za-z][\w./-]*:[ \n]"
    plain = rb" {%d}| {%d}- %b| {%d}(?:- |%b)| *#| *\n" % (indent + 3, indent, key, indent + 2, key)
    return re.search(rb"\n(?!%b|\Z)" % plain, text) is not None


def _read_plain(text: bytes, indent: int) -> list[Any] | None:
    """The fields of each entry by their lines; entries with a field in another shape are parsed."""
    names = "|".join(name for name in FIELDS if name != "urls").encode()
    begins = rb"\n(?: {%d}- | {%d})" % (indent, indent + 2)
    goes_on = rb"(?!\n(?:(?! *#)(?: {%d,}\S| {%d}- )|[ ]*\n| *#))" % (indent + 3, indent + 2)
    urls = rb"urls:((?:\n {%d,}-%b)++)%b" % (indent + 2, _ANY_VALUE, goes_on)
    odd = rb"((?:%b|urls):)(?=[ \n])" % names
    field = re.compile(rb"%b(?:(%b):%b%b|%b|%b)" % (begins, names, _VALUE, goes_on, urls, odd))
    starts = [match.start() for match in re.finditer(rb"\n {%d}- " % indent, text)]
    entries: list[Any] = []
    for begin, end in zip(starts, [*starts[1:], len(text) - 1], strict=True):
        entry = _read_lines(text, begin, end, field)
        if entry is None:
            loaded = _load_list(text[begin + 1 : end + 1])
            if loaded is None or len(loaded) != 1:
                return None
            entry = loaded[0]
        entries.append(entry)
    return entries


def _read_lines(text: bytes, begin: int, end: int, field: re.Pattern[bytes]) -> dict[str, Any] | None:
    """One entry's FIELDS, or None where one of them needs a parser."""
    entry: dict[str, Any] = {}
    for match in field.finditer(text, begin, end + 1):
        group = match.lastindex
        if group is None or group == _ODD:
            return None
        value = match[group]
        try:
            if group == _URLS:
                listed = _LISTED_VALUE.finditer(value + b"\n")
                entry["urls"] = [(one[1] or one[2] or one[3] or b"").decode() for one in listed]
            else:
                entry[match[1].decode()] = value.decode()
        except UnicodeDecodeError:
            return None
    return entry


def _load_list(block: bytes) -> list[Any] | None:
    """A block by the parser; None when it does not stand alone as a list. Raises TooLarge for a bomb."""
    refuse_bombs(block, "the index")
    try:
        with no_garbage_collection():
            loaded = syntax.load_text(block)
    except (syntax.YAMLError, RecursionError, UnicodeDecodeError):
        return None
    return loaded if isinstance(loaded, list) else None
