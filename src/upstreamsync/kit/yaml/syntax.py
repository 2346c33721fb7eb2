"""PyYAML below what :mod:`manifests` reads: nodes, tokens and events with their places, and dumpers.

The one package that knows PyYAML is this one. Texts are parsed by libyaml, in C, which gives the same marks
as the parser in Python in a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from yaml import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    CSafeDumper,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingNode,
    MappingStartEvent,
    Mark,
    MarkedYAMLError,
    Node,
    SafeDumper,
    ScalarEvent,
    ScalarNode,
    ScalarToken,
    SequenceEndEvent,
    SequenceNode,
    SequenceStartEvent,
    StreamEndEvent,
    Token,
    YAMLError,
    dump,
    load_all,
    safe_dump,
    safe_load,
)

__all__ = [
    "AliasEvent",
    "CSafeDumper",
    "CollectionEndEvent",
    "CollectionStartEvent",
    "DocumentStartEvent",
    "Event",
    "MappingEndEvent",
    "MappingNode",
    "MappingStartEvent",
    "Mark",
    "MarkedYAMLError",
    "Node",
    "SafeDumper",
    "ScalarEvent",
    "ScalarNode",
    "ScalarToken",
    "SequenceEndEvent",
    "SequenceNode",
    "SequenceStartEvent",
    "StreamEndEvent",
    "Token",
    "YAMLError",
    "compose",
    "compose_all",
    "dump",
    "load_all",
    "load_text",
    "parse",
    "parse_text",
    "safe_dump",
    "safe_load",
    "scan",
]


def compose(text: str | bytes) -> Node | None:
    """The root node of a text with one document; None for an empty one. Raises YAMLError."""
    return yaml.compose(text, Loader=yaml.CSafeLoader)


def compose_all(text: str | bytes) -> Iterator[Node]:
    """The root nodes of all documents, as they are asked for. Raises YAMLError."""
    return yaml.compose_all(text, Loader=yaml.CSafeLoader)


def scan(text: str | bytes) -> Iterator[Token]:
    """The tokens, as they are asked for. Raises YAMLError."""
    return yaml.scan(text, Loader=yaml.CSafeLoader)


def parse(text: str | bytes) -> Iterator[Event]:
    """The events, as they are asked for. Raises YAMLError."""
    return yaml.parse(text, Loader=yaml.CSafeLoader)


def load_text(data: str | bytes) -> Any:
    """The value of a document in which every scalar stays text: `1.10` is no number. Raises YAMLError."""
    return yaml.load(data, Loader=yaml.CBaseLoader)  # noqa: S506 (a loader that makes text alone)


def parse_text(data: str | bytes) -> Iterator[Event]:
    """The events of such a document, as they are asked for. Raises YAMLError."""
    return yaml.parse(data, Loader=yaml.CBaseLoader)
