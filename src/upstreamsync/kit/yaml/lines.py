"""Which lines of a YAML text a path is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import yaml

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.yaml.manifests import refuse_bombs
from upstreamsync.kit.yaml.nodes import children, items_of, key_of

_SEGMENT: Final = re.compile(r"\[([^\]]+)\]|([^.\[\]]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Lines ``first`` to ``last``, from 1. Not ``exact``: what the path names is not there, its parent is."""

    first: int
    last: int
    exact: bool = True


def lines_of(text: str, paths: Iterable[str]) -> tuple[Lines, ...]:
    """The lines of each path (``spec.containers[name=server].image``) of a text of one document.

    None for a path that leads nowhere at all, and for a text that is not YAML.
    """
    root = _composed(text)
    if root is None:
        return ()
    found = (_lines(root, path) for path in paths)
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _composed(text: str) -> yaml.Node | None:
    try:
        refuse_bombs(text, "text")
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.CSafeLoader)
    except (UpstreamsyncError, yaml.YAMLError, ValueError, RecursionError):
        return None
    return node


def _lines(root: yaml.Node, path: str) -> Lines | None:
    here, first, steps = root, 0, 0
    segments = [bracket or plain for bracket, plain in _SEGMENT.findall(path)]
    for segment in segments:
        step = next(_steps(here, segment), None)
        if step is None:
            break
        first, here = step
        steps += 1
    if steps == 0:
        return None
    exact = steps == len(segments)
    return Lines(first=first + 1, last=(_last(here, first) if exact else first) + 1, exact=exact)


def _steps(node: yaml.Node, segment: str) -> Iterator[tuple[int, yaml.Node]]:
    """The line at which what the segment names begins, and its node."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key_of(key) == segment:
                yield key.start_mark.line, value
        return
    items = items_of(node)
    if segment.isdigit():
        if int(segment) < len(items):
            yield items[int(segment)].start_mark.line, items[int(segment)]
        return
    label, _, number = segment.partition("#")
    wanted = [part.partition("=") for part in label.split(",")]
    alike = [item for item in items if all(_value(item, field) == value for field, _, value in wanted)]
    position = int(number) - 1 if number.isdigit() else 0
    if 0 <= position < len(alike):
        yield alike[position].start_mark.line, alike[position]


def _value(node: yaml.Node, field: str) -> str | None:
    for part in field.split("."):
        found = children(node).get(part)
        if found is None:
            return None
        node = found
    return node.value if isinstance(node, yaml.ScalarNode) else None


def _last(node: yaml.Node, first: int) -> int:
    """The last line of a node; one in block style ends where the next thing begins."""
    end: int = node.end_mark.line
    block = node.style in ("|", ">") if isinstance(node, yaml.ScalarNode) else not node.flow_style  # type: ignore[attr-defined]
    return max(first, end - 1) if block else end
