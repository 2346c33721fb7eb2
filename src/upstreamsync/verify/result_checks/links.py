"""What the objects of a result name: other objects, ports, keys, pods by label, variables, volumes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .finding import Manifest
from .index import Key, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One thing that an object names, and whether it is there.

    ``kind`` and ``name`` are what is named (``Secret``, ``db``); ``part`` what inside of it (``port http``,
    ``key password``). ``target`` is the object found. ``options`` are names that would be valid instead.
    ``inside`` says that target and owner are one object, and
    ``source`` where in it the end should stand. ``environment``: an
    environment variable takes its value from this Secret. ``weak``: known by its shape alone, so that it
    counts only where the very same one was resolved before. ``spelled`` is what stands before the name in a
    text (``web:`` before a port).
    """

    owner: Key
    resource: str
    path: str
    kind: str
    name: str
    part: str = ""
    resolved: bool
    target: str | None = None
    options: tuple[str, ...] = ()
    optional: bool = False
    environment: bool = False
    inside: bool = False
    source: str = ""
    weak: bool = False
    spelled: str = ""

    @property
    def what(self) -> tuple[Key, str, str, str]:
        """The link apart from where it stands."""
        return (self.owner, self.kind, self.name, self.part)

    @property
    def where(self) -> tuple[Key, str, str]:
        """The link apart from what it names."""
        return (self.owner, self.path, self.part.partition(" ")[0])


#: Yields the links of one object.
Extractor = Callable[[World, Manifest], Iterator[Link]]
