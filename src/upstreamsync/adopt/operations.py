"""What differs between two states of an object, as operations on named places.

deepdiff finds what differs. Lists whose elements have a merge key are handed to it as maps by that key, so
that an element is known by its name and not by its position; every other list is one value to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from upstreamsync.kit.kubernetes.objects import MISSING, element_label, keyed, shared_key

#: Lists in which the order of elements means something, although they have names.
ORDERED = frozenset(("initContainers", "rules", "args", "command", "webhooks"))


#: Written as null by what generates manifests; the API server sets it, whatever stands there.
_UNSAID = "creationTimestamp"


@dataclass(frozen=True, slots=True)
class Element:
    """A step into a list: the element of this label (``name=server``), named by these fields."""

    label: str
    fields: tuple[str, ...]


Step = str | Element
Path = tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One value that is other, new (``before`` is MISSING) or gone (``after`` is MISSING)."""

    path: Path
    before: Any
    after: Any

    @property
    def is_removal(self) -> bool:
        """Whether the value is gone."""
        return self.after is MISSING

    @property
    def is_addition(self) -> bool:
        """Whether the value is new."""
        return self.before is MISSING

    def __str__(self) -> str:
        return shown(self.path)


def shown(path: Path) -> str:
    """A path for people: ``spec.containers[name=server].image``."""
    text = ""
    for step in path:
        if isinstance(step, Element):
            text += f"[{step.label}]"
        else:
            text += f".{step}" if step.replace("-", "").replace("_", "").isalnum() else f"[{step}]"
    return text.removeprefix(".")


def operations(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Operation, ...]:
    """Everything that differs, in the order of the paths as the two objects have them."""
    from deepdiff import DeepDiff  # its import costs more than most runs need

    one, other = _named(before, after, "")
    found = DeepDiff(one, other, view="tree", ignore_order=False, verbose_level=0)
    places = {tuple(each.path(output_format="list")) for group in found.values() for each in group}
    return tuple(one for one in _in_order(before, after, places) if not _says_nothing(one))


def _says_nothing(operation: Operation) -> bool:
    """Whether a field came or went that the API server takes no notice of: generators write it as null."""
    values = (operation.before, operation.after)
    return operation.path[-1] == _UNSAID and all(one is None or one is MISSING for one in values)


def _named(before: Any, after: Any, field: str) -> tuple[Any, Any]:
    """Both states for deepdiff: keyed lists as maps, other lists as one text."""
    if isinstance(before, dict) and isinstance(after, dict):
        pairs = {
            key: _named(before.get(key, MISSING), after.get(key, MISSING), str(key))
            for key in dict.fromkeys((*before, *after))
        }
        return (
            {key: pair[0] for key, pair in pairs.items() if key in before},
            {key: pair[1] for key, pair in pairs.items() if key in after},
        )
    if isinstance(before, list) and isinstance(after, list):
        elements = _elements(field, before, after)
        if elements is not None:
            return _named(*elements, field)
    return _flat(before), _flat(after)


def _flat(value: Any) -> Any:
    """A value as deepdiff is to see it: equal texts for equal values, and nothing to look into."""
    return f"\0{json.dumps(value, sort_keys=True)}" if isinstance(value, (dict, list)) else value


def _elements(
    field: str, before: Sequence[Any], after: Sequence[Any]
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Both states of a list as maps by label; None where its elements have no names, or order matters."""
    fields = shared_key(field, before, after)
    if fields is None:
        return None
    one, other = keyed(before, fields), keyed(after, fields)
    if len(one) != len(_plain(before, fields)) or len(other) != len(_plain(after, fields)):
        return None  # two elements of one name: only their positions tell them apart
    ordered = field in ORDERED or _refers_backwards(field, before, after)
    if ordered and not _same_order(list(one), list(other)):
        return None
    return one, other


def _plain(items: Sequence[Any], fields: tuple[str, ...]) -> set[str]:
    return {element_label(item, fields) for item in items}


def _same_order(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether what both have comes in the same order, and what is new comes last."""
    common = [label for label in one if label in other]
    return [label for label in other if label in one] == common == list(other)[: len(common)]


def _in_order(before: Any, after: Any, places: set[tuple[Any, ...]]) -> Iterator[Operation]:
    """The places that deepdiff named, walked in the order of the objects, with the values as they are."""

    def walk(one: Any, other: Any, raw: tuple[Any, ...], path: Path, field: str) -> Iterator[Operation]:
        if raw in places:
            yield Operation(path=path, before=one, after=other)
            return
        if isinstance(one, dict) and isinstance(other, dict):
            for key in dict.fromkeys((*one, *other)):
                yield from walk(
                    one.get(key, MISSING), other.get(key, MISSING), (*raw, key), (*path, key), str(key)
                )
        elif isinstance(one, list) and isinstance(other, list):
            elements, fields = _elements(field, one, other), shared_key(field, one, other)
            if elements is None or fields is None:
                return
            for label in dict.fromkeys((*elements[0], *elements[1])):
                yield from walk(
                    elements[0].get(label, MISSING),
                    elements[1].get(label, MISSING),
                    (*raw, label),
                    (*path, Element(label, fields)),
                    "",
                )

    yield from walk(before, after, (), (), "")


# -- equality ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """Whether two objects say the same; ``reordered`` are lists of which only the order differs, and empty fields."""

    equal: bool
    reordered: tuple[str, ...] = ()


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Likeness:
    """Whether two objects are equal, the order of lists of set type aside."""
    reordered: list[str] = []
    return Likeness(equal=_same(before, after, (), "", reordered), reordered=tuple(reordered))


def _same(one: Any, other: Any, path: Path, field: str, reordered: list[str]) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        keys = one.keys() ^ other.keys()
        if keys:
            if keys != {_UNSAID} or one.get(_UNSAID) is not None or other.get(_UNSAID) is not None:
                return False
            reordered.append(shown((*path, _UNSAID)))
        return all(
            _same(one[key], other[key], (*path, key), str(key), reordered) for key in one if key in other
        )
    if isinstance(one, list) and isinstance(other, list):
        return _same_lists(one, other, path, field, reordered)
    return type(one) is type(other) and bool(one == other)


def _same_lists(one: list[Any], other: list[Any], path: Path, field: str, reordered: list[str]) -> bool:
    if len(one) != len(other):
        return False
    pairs = enumerate(zip(one, other, strict=True))
    if all(_same(a, b, (*path, str(number)), "", reordered) for number, (a, b) in pairs):
        return True
    elements = _elements(field, one, other)
    if elements is None or elements[0].keys() != elements[1].keys() or _refers_backwards(field, one, other):
        return False
    before, after = elements
    if not all(_same(before[label], after[label], (*path, label), "", reordered) for label in before):
        return False
    reordered.append(shown(path))
    return True


def _refers_backwards(field: str, *lists: Sequence[Any]) -> bool:
    """Whether the order of variables matters: one may name those before it (``$(NAME)``)."""
    return field == "env" and any("$(" in str(item) for items in lists for item in items)
