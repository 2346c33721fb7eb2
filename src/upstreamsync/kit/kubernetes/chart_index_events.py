"""A Helm index by its parse events: for shapes that can't be cut, with one chart alone kept in memory.

A parser that builds everything needs half a gigabyte for an index of 25 MB; its events need nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from upstreamsync.errors import Malformed, TooLarge
from upstreamsync.kit.yaml import syntax
from upstreamsync.kit.yaml.manifests import MAX_DEPTH, no_garbage_collection, refuse_bombs


class _Unresolved(Exception):
    """An alias to something outside of the chart."""


def read_by_events(data: bytes, chart: str) -> Any:
    """The value of ``entries.<chart>``, None where there is none, keeping nothing else in memory.

    Raises syntax.YAMLError, Malformed where ``entries`` is no mapping, TooLarge for a bomb.
    """
    try:
        return _walk(data, chart)
    except _Unresolved:
        refuse_bombs(data, "the index")
        with no_garbage_collection():
            document = syntax.load_text(data)
        return merged(entries_of(merged(document) if isinstance(document, dict) else {})).get(chart)


def _walk(data: bytes, chart: str) -> Any:
    events = syntax.parse_text(data)
    next(events)
    for event in events:
        if isinstance(event, syntax.DocumentStartEvent):
            break
    root = next(events, None)
    if not isinstance(root, syntax.MappingStartEvent):
        raise Malformed("the index is no mapping with `entries`", hint="is it a Helm repository?")
    found: Any = None
    other: Any = None  # what stands under `entries` where it is no mapping; of several the last one counts
    for key, value in _pairs(events):
        if key != "entries":
            _skip(value, events)
            continue
        found, other = None, None
        if not isinstance(value, syntax.MappingStartEvent):
            other = value.value if isinstance(value, syntax.ScalarEvent) else []
            _skip(value, events)
            continue
        for name, content in _pairs(events):
            if name == chart:
                found = _build(content, events, {})
            else:
                _skip(content, events)
    for _ in events:
        pass  # an error behind the mapping is an error of the document
    entries_of({"entries": other})
    return found


def _pairs(events: Iterator[Any]) -> Iterator[tuple[str | None, Any]]:
    """The keys of the mapping whose start was just read, each with the first event of its value."""
    for event in events:
        if isinstance(event, syntax.MappingEndEvent):
            return
        name = event.value if isinstance(event, syntax.ScalarEvent) else None
        if name == "<<" or isinstance(event, syntax.AliasEvent):
            raise _Unresolved
        _skip(event, events)
        value = next(events)
        if isinstance(value, syntax.AliasEvent):
            raise _Unresolved
        yield name, value


def _skip(event: Any, events: Iterator[Any]) -> None:
    depth = 0
    while True:
        if isinstance(event, (syntax.MappingStartEvent, syntax.SequenceStartEvent)):
            depth += 1
            _check_depth(depth)
        elif isinstance(event, (syntax.MappingEndEvent, syntax.SequenceEndEvent)):
            depth -= 1
        if depth <= 0:
            return
        event = next(events)


def _check_depth(depth: int) -> None:
    """Stop early: libyaml takes time in the square of the depth."""
    if depth > MAX_DEPTH:
        raise TooLarge(f"the index is nested more than {MAX_DEPTH} levels deep", hint="is it a Helm index?")


def _build(event: Any, events: Iterator[Any], anchors: dict[str, Any], depth: int = 0) -> Any:
    """The value that begins with ``event``, all scalars as text."""
    _check_depth(depth)
    if isinstance(event, syntax.ScalarEvent):
        built: Any = event.value
        if event.anchor:
            anchors[event.anchor] = built
        return built
    if isinstance(event, syntax.AliasEvent):
        if event.anchor not in anchors:
            raise _Unresolved
        return anchors[event.anchor]
    if isinstance(event, syntax.SequenceStartEvent):
        items: list[Any] = []
        if event.anchor:
            anchors[event.anchor] = items
        while not isinstance(event := next(events), syntax.SequenceEndEvent):
            items.append(_build(event, events, anchors, depth + 1))
        return items
    mapping: dict[str, Any] = {}
    if event.anchor:
        anchors[event.anchor] = mapping
    while not isinstance(event := next(events), syntax.MappingEndEvent):
        key = _build(event, events, anchors, depth + 1)
        value = _build(next(events), events, anchors, depth + 1)
        if isinstance(key, str):
            mapping[key] = value
    return mapping


def entries_of(document: Any) -> Mapping[str, Any]:
    """The charts of an index; none where ``entries`` is empty. Raises Malformed for another shape."""
    entries = document.get("entries") if isinstance(document, dict) else None
    if entries in (None, "", "~", "null", "Null", "NULL"):
        return {}
    if not isinstance(entries, dict):
        raise Malformed("the index has no list of charts under `entries`", hint="is it a Helm repository?")
    return entries


def merged(entry: Mapping[str, Any], known: dict[int, Mapping[str, Any]] | None = None) -> Mapping[str, Any]:
    """The entry with its merge keys (``<<``) resolved, which a loader that reads all as text leaves in place.

    ``known`` has what was merged already: each mapping is looked at once, however many aliases lead to it.
    """
    merge = entry.get("<<")
    if merge is None:
        return entry
    known = {} if known is None else known
    if id(entry) not in known:
        known[id(entry)] = entry  # an anchor inside of itself ends here
        parents = merge if isinstance(merge, list) else [merge]
        together: dict[str, Any] = {}
        for parent in reversed([one for one in parents if isinstance(one, dict)]):
            together.update(merged(parent, known))
        together.update((key, value) for key, value in entry.items() if key != "<<")
        known[id(entry)] = together
    return known[id(entry)]
