"""One YAML text with the marks of its nodes: finding a value by a path, and setting it in the text alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from upstreamsync.errors import EditError, Malformed, TooLarge
from upstreamsync.kit.yaml import manifests
from upstreamsync.kit.yaml.nodes import (
    Found,
    Where,
    selected,
    take,
    unshared,
    value_at,
)
from upstreamsync.kit.yaml.path import Level
from upstreamsync.kit.yaml.scalar_text import (
    PROPERTIES,
    as_before,
    into_block,
    is_block,
    quote,
    quoted,
)
from upstreamsync.model import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A YAML text, once as nodes with marks and once as values. ``within`` is where it stands in a file.

    ``text`` is without a byte order mark, which libyaml does not count; ``bom`` has it.
    """

    text: str
    bom: str
    file: str
    within: Place | None
    nodes: tuple[yaml.Node | None, ...]
    values: tuple[Any, ...]

    @classmethod
    def read(cls, text: str, file: str, within: Place | None) -> Document:
        """The documents of ``text``. Raises EditError for what is no YAML."""
        bom, text = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
        try:
            values = manifests.load_all(text, name=file)
            with manifests.no_garbage_collection():
                nodes = tuple(yaml.compose_all(text, Loader=manifests.KubernetesLoader))
        except (Malformed, TooLarge) as error:
            raise EditError(
                f"it can't be edited: {error.message}", place=within or Place(file=file)
            ) from None
        except (yaml.YAMLError, RecursionError) as error:
            raise EditError(f"it can't be edited: {error}", place=within or Place(file=file)) from None
        return cls(text=text, bom=bom, file=file, within=within, nodes=nodes, values=tuple(values))

    def roots(self) -> Iterator[tuple[int, yaml.Node]]:
        """The nodes of the documents that are not empty, by number."""
        for index, node in enumerate(self.nodes):
            if node is not None:
                yield index, node

    def mark(self, mark: Any) -> Place:
        """The place of a mark of PyYAML's, for people."""
        if self.within is not None:
            return Place(
                file=self.file, line=self.within.line + mark.line, column=self.within.column + mark.column
            )
        return Place(file=self.file, line=mark.line + 1, column=mark.column + 1)

    def place(self, found: Found) -> Place:
        """The place of a value, for people."""
        return self.mark(found.node.start_mark)

    def find(self, level: Level) -> Found:
        """The one scalar at the end of the way; raises EditError and says how far the way leads."""
        roots = [(i, root) for i, root in self.roots() if selected(self.values[i], level.selector)]
        hits: list[Found] = []
        failures: list[tuple[int, EditError]] = []
        for index, root in roots:
            outcome = self._follow(index, root, level)
            if isinstance(outcome, Found):
                hits.append(outcome)
            else:
                failures.append(outcome)
        if len(hits) == 1:
            return hits[0]
        if hits:
            raise EditError(
                f"`{level.text}` is there in {len(hits)} documents",
                hint="say which: (kind=…,name=…)." + level.text,
                place=self.place(hits[1]),
            )
        if failures:
            # The document in which the way led furthest is most likely the one that was meant.
            raise max(failures, key=lambda failure: failure[0])[1]
        raise EditError(
            f"`{level.text}` selects no document",
            hint="check the path",
            place=self.within or Place(file=self.file),
        )

    def _follow(self, index: int, root: yaml.Node, level: Level) -> Found | tuple[int, EditError]:
        """The scalar at the end of the way, or how many steps it leads, and why no further."""
        node: yaml.Node = root
        way: list[str | int] = []
        what, hint = "", "check the path"
        for step in level.steps:
            try:
                node, name = take(node, step)
            except EditError as error:
                what, hint = error.message, error.hint or hint
                break
            way.append(name)
        else:
            if isinstance(node, yaml.ScalarNode):
                return self.found(node, (index, tuple(way)))
            kind = "mapping" if isinstance(node, yaml.MappingNode) else "list"
            what, hint = f"it is a {kind}, not a value", "go on to one value in it"
        return len(way), EditError(f"`{level.text}`: {what}", hint=hint, place=self.mark(node.start_mark))

    def found(self, node: yaml.Node, where: Where) -> Found:
        """A scalar node with the text that stands for it."""
        assert isinstance(node, yaml.ScalarNode)  # noqa: S101 (for the type checker; callers have looked)
        start = PROPERTIES.match(self.text, node.start_mark.index, node.end_mark.index)
        return Found(
            node=node,
            where=where,
            start=start.end() if start else node.start_mark.index,
            end=node.end_mark.index,
        )

    def set(self, found: Sequence[Found], value: str) -> str:
        """The text with all of ``found`` set to ``value``, in the first way of writing that reads right."""
        if all(one.node.value == value for one in found):
            return self.bom + self.text
        if any(is_block(one.node) for one in found):
            (only,) = found if len(found) == 1 else (found[0],)
            old = only.node.value
            return self.set_text(only, value.rstrip("\n") + old[len(old.rstrip("\n")) :])
        for writing in (as_before, quoted):
            text = self.text
            expected = []
            for one in sorted(found, key=lambda one: one.start, reverse=True):
                new, meant = writing(one, value, value_at(self.values, one.where))
                # A value that was left out has its place right behind the colon.
                gap = " " if one.start == one.end and text[: one.start].endswith((":", "-")) else ""
                text = text[: one.start] + gap + new + text[one.end :]
                expected.append((one.where, meant))
            if self.equals_but(text, expected):
                return self.bom + text
        raise self._impossible(found[0])

    def set_text(self, found: Found, value: str) -> str:
        """The text with the block or string ``found`` holding ``value``; unchanged lines stay as they are."""
        node = found.node
        if node.style == "|":
            text = into_block(self.text, node, value)
        elif is_block(node):
            raise EditError(
                "the text is folded (`>`), and can't be edited without folding it anew",
                hint="write it as a literal block: `|`",
                place=self.place(found),
            )
        else:
            text = self.text[: found.start] + quote(value, node.style) + self.text[found.end :]
        if text is None or not self.equals_but(text, [(found.where, value)]):
            raise self._impossible(found)
        return self.bom + text

    def equals_but(self, text: str, changes: Sequence[tuple[Where, Any]]) -> bool:
        """Whether ``text`` reads as this one does, with the changes made, types and order included."""
        expected = unshared(list(self.values))
        for (index, way), value in changes:
            target = expected[index]
            for name in way[:-1]:
                target = target[name]
            target[way[-1]] = value
        try:
            return repr(manifests.load_all(text)) == repr(expected)
        except (Malformed, TooLarge):
            return False

    def _impossible(self, found: Found) -> EditError:
        return EditError(
            "the value can't be changed without changing others",
            hint="is it shared by an anchor and alias? write it out",
            place=self.place(found),
        )


def canonical(values: list[Any]) -> str:
    """Values as a text that is equal for equal ones."""
    return json.dumps(values, sort_keys=True)


def position(text: str, index: int, file: str) -> Place:
    """Line and column of a character, counted from 1."""
    line = text.count("\n", 0, index)
    return Place(file=file, line=line + 1, column=index - text.rfind("\n", 0, index))
