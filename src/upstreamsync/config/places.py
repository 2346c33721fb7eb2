"""Where each key and value of a YAML file stands, so that every complaint can name file:line:column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from upstreamsync.kit.yaml import syntax
from upstreamsync.model import Place, Problem

Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """The positions of one file: of every value, and of every key."""

    file: str
    values: dict[Keys, Place]
    keys: dict[Keys, Place]

    def of_value(self, path: Sequence[str | int]) -> Place:
        """The value at ``path``, or the innermost one around it that exists.

        Elements that name no key (as pydantic adds for the members of a union) are passed over.
        """
        known: Keys = ()
        for element in path:
            if (*known, element) in self.values:
                known = (*known, element)
        return self.values.get(known, Place(file=self.file))

    def of_key(self, path: Sequence[str | int]) -> Place:
        """The key at the end of ``path``; the value around it where there is no such key."""
        known: Keys = ()
        for element in path:
            if (*known, element) in self.values:
                known = (*known, element)
        if known in self.keys and path and known[-1] == path[-1]:
            return self.keys[known]
        return self.of_value(path)


def read_places(text: str, file: str) -> tuple[Places, list[Problem]]:
    """The positions of everything in ``text``, and a problem for each key that is given twice.

    Raises syntax.MarkedYAMLError when the text is not YAML.
    """
    places = Places(file, {}, {})
    problems: list[Problem] = []
    root = syntax.compose(text)
    if root is not None:
        _walk(root, (), places, problems)
    return places, problems


def _walk(root: syntax.Node, path: Keys, places: Places, problems: list[Problem]) -> None:
    places.values[path] = _place(places.file, root)
    if isinstance(root, syntax.SequenceNode):
        for index, child in enumerate(root.value):
            _walk(child, (*path, index), places, problems)
    elif isinstance(root, syntax.MappingNode):
        for key, child in root.value:
            inner = (*path, str(key.value))
            if inner in places.keys:
                problems.append(
                    Problem(
                        place=_place(places.file, key),
                        message=f"`{key.value}` is given twice",
                        hint=f"it stands at line {places.keys[inner].line} already; remove one of the two",
                    )
                )
            places.keys[inner] = _place(places.file, key)
            _walk(child, inner, places, problems)


def _place(file: str, node: syntax.Node) -> Place:
    return Place(file=file, line=node.start_mark.line + 1, column=node.start_mark.column + 1)
