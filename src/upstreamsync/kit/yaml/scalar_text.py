"""How one scalar is written in place of another: in the same style, as a value of the same type."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from upstreamsync.kit.yaml import manifests
from upstreamsync.kit.yaml.nodes import Found

PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")


def is_block(node: yaml.ScalarNode) -> bool:
    """Whether a scalar is written as a block, ``|`` or ``>``."""
    return node.style in {"|", ">"}


def as_before(found: Found, value: str, old: Any) -> tuple[str, Any]:
    """As the old value is written, if that keeps its type; the text and what is meant to be read."""
    if found.node.style not in {None, ""}:
        return quote(value, found.node.style), value
    read = manifests.scalar(value) if value else None
    if is_number(old) and is_number(read):
        return value, read
    # Other readers of YAML see dates and times in plain text; so does kustomize when it writes.
    foreign = stock_tag(value) != "tag:yaml.org,2002:str" and stock_tag(value) != stock_tag(found.node.value)
    if not isinstance(read, str) or foreign:
        return quote(value, '"'), value
    return value, value


def quoted(found: Found, value: str, old: Any) -> tuple[str, Any]:  # noqa: ARG001 (as as_before)
    """The value in double quotes, as a string."""
    return quote(value, '"'), value


def is_number(value: Any) -> bool:
    """Whether YAML has read a number."""
    """The value in double quotes, as a string."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def stock_tag(value: str) -> str:
    """What YAML takes a plain scalar for."""
    resolver: Any = yaml.resolver.Resolver()
    return str(resolver.resolve(yaml.ScalarNode, value, (True, False)))


def quote(value: str, style: str | None) -> str:
    """The value in quotes of the wished style, where that can hold it."""
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    # JSON's strings are YAML's double-quoted ones, but for what is not printable.
    text = json.dumps(value, ensure_ascii=False)
    return "".join(
        c if c.isprintable() else f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}" for c in text
    )


def block_lines(text: str, node: yaml.ScalarNode) -> tuple[list[int], int] | None:
    """Where each line of a literal block begins in the text, and how far they are indented."""
    header = text.find("\n", node.start_mark.index)
    if header < 0:
        return None
    starts = [header + 1]
    indent = 0
    for line in node.value.split("\n"):
        end = text.find("\n", starts[-1])
        source = text[starts[-1] : end if end >= 0 else len(text)].rstrip("\r")
        if line and not indent:
            indent = len(source) - len(line)
        if line and source[indent:] != line:
            return None
        if end < 0:
            break
        starts.append(end + 1)
    return starts, indent


def into_block(text: str, node: yaml.ScalarNode, value: str) -> str | None:
    """The text with a literal block's content changed to ``value``, where that is within one line's reach."""
    layout = block_lines(text, node)
    old = node.value
    if layout is None:
        return None
    starts, indent = layout
    first = common(old, value)
    last = common(old[first:][::-1], value[first:][::-1])
    new = value[first : len(value) - last]
    if "\n" in new:
        return None

    def outside(position: int) -> int:
        line = old.count("\n", 0, position)
        return int(starts[line] + indent + position - (old.rfind("\n", 0, position) + 1))

    return text[: outside(first)] + new + text[outside(len(old) - last) :]


def common(one: str, other: str) -> int:
    """How many characters two strings have in common at their start."""
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length
