"""Built objects, indexed, and walked by readable paths."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from upstreamsync.kit.foreign import mapping as mapping
from upstreamsync.kit.foreign import strings as strings
from upstreamsync.kit.kubernetes.objects import join_path, keyed, merge_key, object_id, segment

from .finding import Manifest

_GENERATED = re.compile(r"-[bcdfghkmt2456789]{10}\Z")


class Key(NamedTuple):
    """What an object is, whatever its version; the namespace ``default`` is written as none."""

    group: str
    kind: str
    namespace: str
    name: str


def key_of(manifest: Manifest) -> Key:
    """The identity of an object."""
    found = object_id(manifest)
    return Key(found.group, found.kind, "" if found.namespace == "default" else found.namespace, found.name)


def key_of_id(resource: str) -> Key:
    """The identity behind ``apps/v1 Deployment namespace/name``."""
    version, _, rest = resource.partition(" ")
    kind, _, full = rest.partition(" ")
    namespace, _, name = full.rpartition("/")
    return Key(version.rpartition("/")[0], kind, "" if namespace == "default" else namespace, name)


def resource_id(manifest: Manifest) -> str:
    """``apps/v1 Deployment namespace/name``."""
    return str(object_id(manifest))


def text(value: Any) -> str:
    """A scalar as a string; empty for None."""
    return "" if value is None else str(value)


def at(value: Any, *keys: str) -> Any:
    """What lies below nested maps; None as soon as a step is missing."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


@lru_cache(maxsize=8192)
def step(path: str, key: str) -> str:
    """``path.key``, or ``path[key]`` where the key holds dots or slashes."""
    return join_path((path, segment(key)))


def elements(path: str, value: Any) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """The maps in a list, each with its path: by merge key, else by index."""
    if not isinstance(value, list):
        return ()
    fields = merge_key(path.rpartition(".")[2], value)
    if fields is not None:
        return [(f"{path}[{label}]", item) for label, item in keyed(value, fields).items()]
    return [(f"{path}[{index}]", item) for index, item in enumerate(value) if isinstance(item, dict)]


def walk(manifest: Any, pattern: str) -> Iterator[tuple[str, Any]]:
    """All values at a pattern such as ``spec.rules[].http.paths[].backend``, each with its path."""
    found: list[tuple[str, Any]] = [("", manifest)]
    for part in pattern.split("."):
        key, is_list = part.removesuffix("[]"), part.endswith("[]")
        below = [
            (step(path, key), value[key])
            for path, value in found
            if isinstance(value, dict) and value.get(key) is not None
        ]
        found = [item for path, value in below for item in elements(path, value)] if is_list else below
    yield from found


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """All strings below a value as (path, last key, string)."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, str):
                yield step(path, key), key, item
            else:
                yield from leaves(item, step(path, key))
    elif isinstance(value, list):
        last = re.split(r"[.\[]", path)[-1] if path else ""
        keyed = {id(item): name for name, item in elements(path, value)}
        for index, item in enumerate(value):
            if isinstance(item, str):
                yield f"{path}[{index}]", last, item
            else:
                yield from leaves(item, keyed.get(id(item), f"{path}[{index}]"))


@dataclass(frozen=True, slots=True)
class World:
    """One result: its objects in order, and the same by identity and by kind."""

    objects: tuple[Manifest, ...]
    by_key: Mapping[Key, Manifest]
    by_kind: Mapping[str, tuple[Manifest, ...]]
    #: What is derived from the objects once, by name.
    derived: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, manifests: Iterable[Manifest]) -> World:
        """Index the objects."""
        objects = tuple(manifests)
        kinds: defaultdict[str, list[Manifest]] = defaultdict(list)
        for item in objects:
            kinds[text(item.get("kind"))].append(item)
        by_kind = {kind: tuple(items) for kind, items in kinds.items()}
        return cls(objects, {key_of(item): item for item in objects}, by_kind)

    def of_kind(self, *kinds: str) -> list[Manifest]:
        """All objects of these kinds, in order of the kinds."""
        return [item for kind in kinds for item in self.by_kind.get(kind, ())]

    def keyed(self, kinds: Sequence[str]) -> tuple[tuple[Key, Manifest], ...]:
        """As ``of_kind``, each object with its identity."""
        name = f"keyed {' '.join(kinds)}"
        if name not in self.derived:
            self.derived[name] = tuple((key_of(item), item) for item in self.of_kind(*kinds))
        found: tuple[tuple[Key, Manifest], ...] = self.derived[name]
        return found

    def names(self, kinds: Sequence[str]) -> tuple[str, ...]:
        """What the objects of these kinds are called, in order of the kinds."""
        name = f"names {' '.join(kinds)}"
        if name not in self.derived:
            self.derived[name] = tuple(key.name for key, _ in self.keyed(kinds))
        found: tuple[str, ...] = self.derived[name]
        return found

    def named(self, kinds: Sequence[str], name: str, namespace: str = "") -> Manifest | None:
        """An object by name; a namespace left open on either side matches any.

        A generator's hash at the end of the object's name is looked through.
        """
        for key, item in self._by_name(kinds).get(name, ()):
            if same_namespace(key.namespace, namespace):
                return item
        return None

    def _by_name(self, kinds: Sequence[str]) -> Mapping[str, Sequence[tuple[Key, Manifest]]]:
        """The objects of these kinds by name, with and without a generator's hash; each list in their order."""
        name = f"by name {' '.join(kinds)}"
        if name not in self.derived:
            index: defaultdict[str, list[tuple[Key, Manifest]]] = defaultdict(list)
            for key, item in self.keyed(kinds):
                for each in {key.name, unhashed(key.name)}:
                    index[each].append((key, item))
            self.derived[name] = dict(index)
        found: Mapping[str, Sequence[tuple[Key, Manifest]]] = self.derived[name]
        return found


def unhashed(name: str) -> str:
    """A name without the hash that a generator puts at its end."""
    return _GENERATED.sub("", name)


def same_namespace(one: str, other: str) -> bool:
    """Whether two namespaces may be the same one, where none stands for any."""
    return not one or not other or one == other


def meets(path: str, other: str) -> bool:
    """Whether one path is the other, or lies above or below it."""
    return path == other or _below(path, other) or _below(other, path)


def _below(path: str, other: str) -> bool:
    return path.startswith(other) and path[len(other) : len(other) + 1] in (".", "[")
