"""Walking the nodes of a YAML text: keys, elements, lists of a name, and where a value was found."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import yaml

from upstreamsync.errors import EditError
from upstreamsync.kit.yaml import manifests
from upstreamsync.kit.yaml.path import Index, Key, Match, Step

#: The number of a document, and the keys and indices that lead to a value in it.
Where = tuple[int, tuple[str | int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A scalar: its node, its way from the document's root, and its characters without tag and anchor."""

    node: yaml.ScalarNode
    where: Where
    start: int
    end: int


def key_of(node: yaml.Node) -> str | None:
    """A key as it is read: JSON's keys are strings."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    if node.style not in {None, ""}:
        return str(node.value)
    read = manifests.scalar(node.value)
    return read if isinstance(read, str) else json.dumps(read) if not isinstance(read, float) else str(read)


def children(node: yaml.Node | None) -> Mapping[str, yaml.Node]:
    """The values of a mapping by their plain keys; none for anything else."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {name: value for key, value in node.value if (name := key_of(key)) is not None}


def items_of(node: yaml.Node | None) -> Sequence[yaml.Node]:
    """The elements of a list; none for anything else."""
    return node.value if isinstance(node, yaml.SequenceNode) else ()


def take(node: yaml.Node, step: Step) -> tuple[yaml.Node, str | int]:
    """One step; raises EditError without a place."""
    match step:
        case Key(name=name, bare=bare):
            if bare and isinstance(node, yaml.SequenceNode) and name.isdigit():
                return take(node, Index(int(name)))
            found = children(node)
            if name in found:
                return found[name], name
            near = ", ".join(islice(found, 12))
            raise EditError(f"there is no `{name}`", hint=f"there is {near}" if near else None)
        case Index(number=number):
            items = items_of(node)
            if -len(items) <= number < len(items):
                return items[number], number % len(items)
            raise EditError(f"there is no [{number}]: the list has {len(items)}")
        case Match(key=key, value=value):
            items = items_of(node)
            hits = [
                n for n, item in enumerate(items) if getattr(children(item).get(key), "value", None) == value
            ]
            if len(hits) == 1:
                return items[hits[0]], hits[0]
            raise EditError(f"[{key}={value}] is there {len(hits)} times", hint="it has to be there once")


def lists(node: yaml.Node, key: str, where: Where) -> Iterator[tuple[Where, yaml.Node]]:
    """Every list that is the value of ``key``, at any depth. Aliases are met as often as they stand there."""
    index, way = where
    for name, child in children(node).items():
        if name == key and isinstance(child, yaml.SequenceNode):
            yield (index, (*way, name)), child
        else:
            yield from lists(child, key, (index, (*way, name)))
    for number, child in enumerate(items_of(node)):
        yield from lists(child, key, (index, (*way, number)))


def selected(document: Any, selector: Sequence[tuple[str, str]]) -> bool:
    """Whether a document has the values that a selector asks for."""
    for key, value in selector:
        way = {"name": "metadata.name", "namespace": "metadata.namespace"}.get(key, key).split(".")
        found = document
        for name in way:
            found = found.get(name) if isinstance(found, dict) else None
        if found is None or str(found) != value:
            return False
    return True


def unshared(value: Any) -> Any:
    """A copy in which what aliases share has become apart."""
    if isinstance(value, dict):
        return {key: unshared(below) for key, below in value.items()}
    if isinstance(value, list):
        return [unshared(below) for below in value]
    return value


def value_at(values: Sequence[Any], where: Where) -> Any:
    """The value that a way leads to."""
    value = values[where[0]]
    for name in where[1]:
        value = value[name]
    return value
