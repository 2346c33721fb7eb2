"""YAML documents with the lines of their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from upstreamsync.discover.scan import TextFile
from upstreamsync.errors import Malformed, TooLarge
from upstreamsync.kit.yaml import manifests, syntax
from upstreamsync.model import Place


@dataclass(frozen=True, slots=True)
class Document:
    """One document that is a mapping; ``alone`` when its file has no other one."""

    file: str
    value: Mapping[str, Any]
    node: syntax.Node
    alone: bool

    @property
    def kind(self) -> str:
        """Its ``kind``, or the empty string."""
        return str(self.value.get("kind", ""))

    @property
    def name(self) -> str:
        """metadata.name, or the empty string."""
        metadata = self.value.get("metadata")
        return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""

    def place(self, *path: str | int) -> Place:
        """Where the value at ``path`` stands, or the innermost one around it."""
        node = self.node
        for step in path:
            child = _child(node, step)
            if child is None:
                break
            node = child
        return Place(file=self.file, line=node.start_mark.line + 1)

    def edit_path(self, path: str) -> str:
        """``path`` as an edit names it: with the document's kind and name where a file has several."""
        return path if self.alone else f"({self._selector()}).{path}"

    def _selector(self) -> str:
        return f"kind={self.kind},name={self.name}"


def read_documents(file: TextFile) -> tuple[Document, ...]:
    """The documents of a file that are mappings; none when the file is no YAML (a template, say)."""
    try:
        values = manifests.load_all(file.text, name=file.path)
        nodes = list(syntax.compose_all(file.text))
    except (Malformed, TooLarge, syntax.YAMLError):
        return ()
    pairs = [
        (value, node)
        for value, node in zip(values, nodes, strict=False)
        if isinstance(value, dict) and node is not None
    ]
    return tuple(Document(file.path, value, node, len(pairs) == 1) for value, node in pairs)


def node_at(node: syntax.Node | None, *path: str | int) -> syntax.Node | None:
    """The node at ``path``; None where the way ends."""
    for step in path:
        if node is None:
            return None
        node = _child(node, step)
    return node


def dig(value: Any, *path: str | int) -> Any:
    """The value at ``path``, or None where the way ends."""
    for step in path:
        if isinstance(step, int) and isinstance(value, list) and step < len(value):
            value = value[step]
        elif isinstance(step, str) and isinstance(value, Mapping):
            value = value.get(step)
        else:
            return None
    return value


def text_at(value: Any, *path: str | int) -> str:
    """As ``dig``, for a text; the empty string where there is none."""
    found = dig(value, *path)
    return found if isinstance(found, str) else ""


def raw_text(node: syntax.Node, *path: str | int) -> str:
    """The scalar at ``path`` as it is written, before YAML makes a number of it; empty where there is none."""
    current: syntax.Node | None = node
    for step in path:
        current = _child(current, step) if current is not None else None
    return current.value if isinstance(current, syntax.ScalarNode) else ""


def mappings(value: Any) -> list[tuple[int, dict[str, Any]]]:
    """The elements of a list that are mappings, with their positions."""
    elements = value if isinstance(value, list) else []
    return [(number, one) for number, one in enumerate(elements) if isinstance(one, dict)]


def _child(node: syntax.Node, step: str | int) -> syntax.Node | None:
    if isinstance(node, syntax.SequenceNode) and isinstance(step, int):
        return node.value[step] if step < len(node.value) else None
    if isinstance(node, syntax.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    return None
