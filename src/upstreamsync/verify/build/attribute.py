"""Telling apart what customizations do that were switched on together.

Settings write values of their own into places of their own. What else changes in an object is the doing of
the patch before them that reaches it, provided that it says nothing of what they write. So it can be read
from an object before and after which of them changed what, without a build for each. Everything that
differs has to be plainly the doing of one of them; otherwise nothing is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from upstreamsync.kit.kubernetes.jsonpatch import steps
from upstreamsync.kit.kubernetes.objects import MISSING, Missing
from upstreamsync.verify.build.builds import Key, Manifest
from upstreamsync.verify.build.transformers import Leaf, Path, creates, subjects, writer, written_keys
from upstreamsync.verify.overlays.items import RENAMING, Item, Kind

#: What an item may touch: objects by key, or None for anything.
Reach = frozenset[Key] | None
#: Operations of JSON 6902 after which everything stands where the operation says.
_PLAIN_OPERATIONS: Final = frozenset(("add", "remove", "replace", "test"))
_FROM_THE_END: Final = re.compile(r"-[0-9]+")
#: What an object is called by: with another one it is another object.
_IDENTITY: Final = (("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"))


class _Untold(Exception):
    """A difference that can't be laid to one of the items."""


def is_patch(item: Item) -> bool:
    """Whether an item may change anything about the objects that it reaches."""
    return item.kind in (Kind.MERGE, Kind.JSON)


def may_join(item: Item, wave: Sequence[Item], reaches: Mapping[str, Reach]) -> bool:
    """Whether what a setting does can be told from what those of ``wave`` do, if all are switched on at once.

    The patches of a wave reach different objects. No patch joins settings: it could take away what they did.
    """
    if sum(each.kind in RENAMING for each in (*wave, item)) > 1 or not subjects(item):
        return False
    return all(
        reaches[other.name] is not None and _leaves_alone(other, written_keys(item))
        if is_patch(other)
        else bool(subjects(other)) and subjects(other).isdisjoint(subjects(item))
        for other in wave
    )


def is_told_apart(wave: Sequence[Item], reaches: Mapping[str, Reach]) -> bool:
    """Whether a wave has items that may write into the same objects."""
    return any(may_join(item, wave[:number], reaches) for number, item in enumerate(wave) if number)


def taken_apart(wave: Sequence[Item]) -> list[list[Item]]:
    """Smaller waves: the settings apart from the patches before them, or else each item by itself."""
    patches = [each for each in wave if is_patch(each)]
    settings = [each for each in wave if not is_patch(each)]
    if patches and settings and wave == [*patches, *settings]:
        return [patches, settings]
    return [[item] for item in wave]


@dataclass(frozen=True, slots=True)
class Together:
    """Items that reach one object, in kustomize's order, and that were switched on at once.

    ``writers`` say by the number of a setting whether a value is its doing, ``fields`` are what settings write.
    """

    items: Sequence[Item]
    patch: _Patch | None
    writers: Sequence[tuple[int, Callable[[Leaf], bool]]]
    fields: frozenset[str]

    @classmethod
    def of(cls, items: Sequence[Item]) -> Together | None:
        """Those items; None where nothing can be told of them."""
        if not items or any(map(is_patch, items[1:])):
            return None
        settings = [(number, item) for number, item in enumerate(items) if not is_patch(item)]
        return cls(
            items=items,
            patch=_Patch.of(items[0]) if is_patch(items[0]) else None,
            writers=[(number, writer(item)) for number, item in settings],
            fields=frozenset().union(*(written_keys(item) for _, item in settings)),
        )

    def tell_apart(self, before: Manifest, after: Manifest) -> list[Manifest] | None:
        """The object after each item, the last one ``after``; None where that can't be told."""
        try:
            # Each of these looks at every value that differs; the state after the last item is known.
            states = [
                _Blend(before, self, number, self.patch is not None).of(before, after, ())
                for number in range(max(1, len(self.items) - 1))
            ]
        except _Untold:
            return None
        return [*states[: len(self.items) - 1], after]


@dataclass(frozen=True, slots=True)
class _Patch:
    """What a patch says: the fields that it ``names``, and those of which it ``replaces`` all, or takes it away."""

    names: frozenset[str]
    replaces: frozenset[str]

    @classmethod
    def of(cls, item: Item) -> _Patch | None:
        """That of an item; None where it may do more than it says."""
        found = cls._of_merge if item.kind is Kind.MERGE else cls._of_json
        return found(item.body)

    @classmethod
    def _of_merge(cls, body: Any) -> _Patch | None:
        if not isinstance(body, Mapping) or "$patch" in body:
            return None
        metadata = body.get("metadata")
        if isinstance(metadata, Mapping):  # the namespace there says which object is meant
            body = {**body, "metadata": {key: metadata[key] for key in metadata if key != "namespace"}}
        return cls(frozenset(key for key, _ in _fields(body)), frozenset(_replaced(body)))

    @classmethod
    def _of_json(cls, body: Any) -> _Patch | None:
        if not isinstance(body, list):
            return None
        names: set[str] = set()
        replaces: set[str] = set()
        for operation in body:
            if not isinstance(operation, Mapping) or operation.get("op") not in _PLAIN_OPERATIONS:
                return None
            path = steps(str(operation.get("path", "")))
            if not path or any(map(_FROM_THE_END.fullmatch, path)):  # the object as a whole; who knows which
                return None
            names.update(path, (key for key, _ in _fields(operation.get("value"))))
            replaces.add(path[-1])
        return cls(frozenset(names), frozenset(replaces))


def _leaves_alone(patch: Item, fields: Collection[str]) -> bool:
    said = _Patch.of(patch)
    return said is not None and said.names.isdisjoint(fields)


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    """Every field below a value, at any depth."""
    if isinstance(value, Mapping):
        for key, child in value.items():
            yield str(key), child
            yield from _fields(child)
    elif isinstance(value, list):
        for child in value:
            yield from _fields(child)


def _replaced(body: Any) -> Iterator[str]:
    """The fields of a merge that are not merely merged further down: lists may be replaced as a whole."""
    for key, value in _fields(body):
        if not isinstance(value, Mapping) or not value or "$patch" in value:
            yield key


@dataclass(frozen=True, slots=True)
class _Blend:
    """An object with those of its changes that are the doing of the items up to number ``last``.

    ``patched`` says whether any of them can be the patch's.
    """

    obj: Manifest
    together: Together
    last: int
    patched: bool

    def of(self, a: Any, c: Any, path: Path) -> Any:
        """``a``, which became ``c`` at ``path``, with those of its changes."""
        if a is c or (type(a) is type(c) and a == c):
            return a
        if isinstance(a, (dict, Missing)) and isinstance(c, dict) and c:
            return self._map(a, c, path)
        if isinstance(a, list) and isinstance(c, list):
            return self._list(a, c, path)
        return self._leaf(a, c, path)

    def _map(self, a: Mapping[str, Any] | Missing, c: Mapping[str, Any], path: Path) -> Any:
        was = {} if isinstance(a, Missing) else a
        found = {}
        for key in (*c, *(key for key in was if key not in c)):
            left, right = was.get(key, MISSING), c.get(key, MISSING)
            if type(left) is not type(right) or left != right:
                left = self.of(left, right, (*path, key))
            if left is not MISSING:
                found[key] = left
        if found:
            return found
        patch = self.together.patch
        if was or (patch is not None and path[-1] in patch.names):
            raise _Untold  # it may have been left empty, or been taken away, before others wrote into it
        return a

    def _list(self, a: list[Any], c: list[Any], path: Path) -> Any:
        inside = self if _are_alike(a, c) else replace(self, patched=False)
        if len(a) == len(c):
            try:
                return [
                    inside.of(left, right, (*path, number))
                    for number, (left, right) in enumerate(zip(a, c, strict=True))
                ]
            except _Untold:
                if inside is self:
                    raise
        return self._leaf(a, c, path)

    def _leaf(self, a: Any, c: Any, path: Path) -> Any:
        leaf = Leaf(self.obj, path, a, c)
        owners = [number for number, writes in self.together.writers if writes(leaf)]
        if not owners and self._is_patched(c, path):
            owners = [0]
        if len(owners) != 1 or self._may_be_hidden(self.together.items[owners[0]], path):
            raise _Untold
        return c if owners[0] <= self.last else a

    def _is_patched(self, c: Any, path: Path) -> bool:
        """Whether only the patch can have made ``c`` of what was at ``path``."""
        if not self.patched or path in _IDENTITY:
            return False
        theirs = self.together.fields
        return path[-1] not in theirs and theirs.isdisjoint(key for key, _ in _fields(c))

    def _may_be_hidden(self, owner: Item, path: Path) -> bool:
        """Whether the patch may have taken away what a setting put back."""
        patch = self.together.patch
        if patch is None or is_patch(owner) or not creates(owner):
            return False
        return not patch.replaces.isdisjoint(map(str, path[:-1]))


def _are_alike(a: Sequence[Any], c: Sequence[Any]) -> bool:
    """Whether two lists have the same elements, by their names."""
    return len(a) == len(c) and all(
        isinstance(left, Mapping)
        and isinstance(right, Mapping)
        and isinstance(left.get("name"), str)
        and left["name"] == right.get("name")
        for left, right in zip(a, c, strict=True)
    )
