"""Changing single scalars of YAML text where they stand, so that comments and layout stay as they are.

A patch may stand in a file of its own or inside a kustomization as a block of text; both are edited in
the same way, at the places that YAML's own marks give.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from upstreamsync.kit.yaml import manifests

_PLAIN = re.compile(r"[A-Za-z0-9_/.][A-Za-z0-9_/.:@~=-]*[A-Za-z0-9_/~=-]|[A-Za-z0-9_/]")


@dataclass(frozen=True, slots=True)
class Source:
    """A YAML text that may be part of a larger one.

    ``line`` and ``indent`` say where it begins in ``text`` (lines from 0), ``body`` is the text itself.
    """

    text: str
    body: str
    line: int = 0
    indent: int = 0

    def offset(self, mark: yaml.Mark) -> int:
        """Where a mark inside ``body`` stands in ``text``."""
        lines = self.text.split("\n")
        return sum(len(each) + 1 for each in lines[: self.line + mark.line]) + self.indent + mark.column

    def documents(self) -> list[yaml.Node]:
        """The nodes of the documents that say something."""
        nodes = yaml.compose_all(self.body, Loader=yaml.CSafeLoader)
        return [node for node in nodes if not (isinstance(node, yaml.ScalarNode) and not node.value)]


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace ``text[begin:end]`` by ``new``."""

    begin: int
    end: int
    new: str


def inline(text: str, node: yaml.Node) -> Source | None:
    """The text inside a literal block scalar of ``text``; None for any other way of writing it."""
    if not isinstance(node, yaml.ScalarNode) or node.style != "|":
        return None
    line = node.start_mark.line + 1
    lines = text.split("\n")
    first = next((each for each in lines[line:] if each.strip()), "")
    indent = len(first) - len(first.lstrip(" "))
    return Source(text, str(node.value), line, indent)


def find(node: yaml.Node | None, path: Sequence[str | int]) -> yaml.Node | None:
    """The node at a path of keys and positions; None when there is none."""
    for step in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == str(step)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        else:
            return None
    return node


def labelled(node: yaml.Node | None, path: Sequence[str]) -> yaml.Node | None:
    """The node at a path of keys (``.spec``), labels (``[name=server]``) and positions (``[0]``)."""
    for part in path:
        plain = part[1:] if part.startswith(".") else part[1:-1]
        if isinstance(node, yaml.SequenceNode) and plain.isdigit():
            node = find(node, [int(plain)])
        elif isinstance(node, yaml.SequenceNode):
            node = next((item for item in node.value if _is(item, plain)), None)
        else:
            node = find(node, [plain])
    return node


def _is(node: yaml.Node, label: str) -> bool:
    key, _, value = label.partition("#")[0].partition(",")[0].partition("=")
    found = find(node, [key])
    return isinstance(found, yaml.ScalarNode) and found.value == value


def replace_scalar(source: Source, node: yaml.Node | None, new: str) -> Edit | None:
    """The edit that makes a scalar say ``new``, quoted as it was."""
    if not isinstance(node, yaml.ScalarNode) or node.style in ("|", ">"):
        return None
    if node.start_mark.line != node.end_mark.line:
        return None
    begin = source.offset(node.start_mark)
    end = begin + node.end_mark.column - node.start_mark.column
    return Edit(begin, end, _written(new, node.style, source.text[begin:end]))


def _written(new: str, style: str | None, old: str) -> str:
    if style == '"':
        return '"' + new.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if style == "'":
        return "'" + new.replace("'", "''") + "'"
    if old and not isinstance(manifests.scalar(old), str):
        return new  # a number stays a number
    return new if is_plain(new) or new == old else '"' + new.replace("\\", "\\\\").replace('"', '\\"') + '"'


def is_plain(text: str) -> bool:
    """Whether a string may stand without quotes and stay a string."""
    return bool(_PLAIN.fullmatch(text) or re.fullmatch(r"--?[\w.=/:-]+", text)) and isinstance(
        manifests.scalar(text), str
    )


def append_item(source: Source, node: yaml.Node | None, new: str) -> Edit | None:
    """The edit that adds an item behind the last one of a list."""
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        return None
    last = node.value[-1]
    if not isinstance(last, yaml.ScalarNode) or last.style in ("|", ">"):
        return None
    end = source.offset(last.end_mark)
    written = _written(new, last.style, "")
    if node.flow_style:
        return Edit(end, end, f", {written}")
    begin = source.offset(last.start_mark)
    line_start = source.text.rfind("\n", 0, begin) + 1
    lead = source.text[line_start:begin]
    line_end = source.text.find("\n", end)
    line_end = len(source.text) if line_end < 0 else line_end
    return Edit(line_end, line_end, f"\n{lead}{written}")


def insert_key(source: Source, node: yaml.Node | None, key: str, value: str) -> Edit | None:
    """The edit that adds ``key: value`` behind the last entry of a block map."""
    if not isinstance(node, yaml.MappingNode) or not node.value or node.flow_style:
        return None
    first = node.value[0][0]
    begin = source.offset(first.start_mark)
    line_end = source.text.find("\n", begin)
    line_end = len(source.text) if line_end < 0 else line_end
    indent = " " * (source.indent + first.start_mark.column)
    if not isinstance(node.value[0][1], yaml.ScalarNode) or node.value[0][1].style in ("|", ">"):
        return None
    written = value if is_plain(value) else f'"{value}"'
    return Edit(line_end, line_end, f"\n{indent}{key}: {written}")


def apply(text: str, edits: Sequence[Edit]) -> str:
    """``text`` with all ``edits`` made, from the end backwards."""
    for edit in sorted(edits, key=lambda each: each.begin, reverse=True):
        text = text[: edit.begin] + edit.new + text[edit.end :]
    return text


def scalars(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """Every scalar value below a node, keys left out."""
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.SequenceNode):
        for child in node.value:
            yield from scalars(child)
    elif isinstance(node, yaml.MappingNode):
        for _, child in node.value:
            yield from scalars(child)
