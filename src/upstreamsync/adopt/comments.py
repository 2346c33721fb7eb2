"""What people wrote beside what they changed: comments of a copy that upstream does not have, and their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from upstreamsync.adopt.operations import Element, Path
from upstreamsync.kit.kubernetes.objects import element_label
from upstreamsync.kit.yaml import syntax

_WHOLE = re.compile(r"^\s*#(?P<text>.*)$")
_TRAILING = re.compile(r"^(?P<before>[^#'\"]*?(?:'[^']*'|\"[^\"]*\")?[^#'\"]*?)\s#(?P<text>.*)$")
_MARKER = re.compile(r"^(?:---|\.\.\.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment, and the line that it speaks of; both without their indentation."""

    text: str
    about: str = ""

    def __str__(self) -> str:
        return f"{self.about} # {self.text}" if self.about else self.text


def new_comments(local: str, upstream: str) -> tuple[Comment, ...]:
    """The comments of a document that upstream's document has not got, in their order."""
    known = {one.text for one in _comments(upstream)}
    return tuple(one for one in _comments(local) if one.text and one.text not in known)


def _comments(text: str) -> Iterator[Comment]:
    lines = text.splitlines()
    inside = _lines_of_texts(text)
    for number, line in enumerate(lines):
        if number in inside or _MARKER.match(line):
            continue
        if match := _WHOLE.match(line):
            following = next(
                (one for one in lines[number + 1 :] if one.strip() and not _WHOLE.match(one)), ""
            )
            yield Comment(text=match["text"].strip(), about=following.strip())
        elif "#" in line and (match := _TRAILING.match(line)):
            yield Comment(text=match["text"].strip(), about=match["before"].strip())


def _lines_of_texts(text: str) -> set[int]:
    """The lines inside scalars of several lines, where `#` begins no comment."""
    found: set[int] = set()
    try:
        for token in syntax.scan(text):
            if isinstance(token, syntax.ScalarToken) and token.end_mark.line > token.start_mark.line:
                found.update(range(token.start_mark.line + 1, token.end_mark.line))
    except syntax.YAMLError:
        return set(range(text.count("\n") + 1))
    return found


def line_of(text: str, path: Path) -> int | None:
    """The line (from 0) on which the value at a path stands; None where the document does not have it."""
    try:
        node = syntax.compose(text)
    except syntax.YAMLError:
        return None
    line = None
    for step in path:
        found = _child(node, step)
        if found is None:
            return None
        line, node = found
    return line


def _child(node: syntax.Node | None, step: str | Element) -> tuple[int, syntax.Node] | None:
    if isinstance(node, syntax.MappingNode) and isinstance(step, str):
        for key, value in node.value:
            if isinstance(key, syntax.ScalarNode) and key.value == step:
                return key.start_mark.line, value
    if isinstance(node, syntax.SequenceNode) and isinstance(step, Element):
        for item in node.value:
            if element_label(_plain(item), step.fields) == step.label:
                return item.start_mark.line, item
    return None


def _plain(node: syntax.Node) -> dict[str, object]:
    """The scalars of a mapping, and those of the mappings in it: enough to name it."""
    if not isinstance(node, syntax.MappingNode):
        return {}
    found: dict[str, object] = {}
    for key, value in node.value:
        if isinstance(value, syntax.ScalarNode):
            found[str(key.value)] = value.value
        elif isinstance(value, syntax.MappingNode):
            found[str(key.value)] = _plain(value)
    return found


def as_comment(lines: Sequence[str]) -> bytes:
    """Lines as a YAML comment of bounded width."""
    return "".join(f"# {line[:300]}".rstrip() + "\n" for line in lines).encode()
