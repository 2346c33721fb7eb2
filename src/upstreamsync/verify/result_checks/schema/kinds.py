"""The kinds that Kubernetes itself brings, by minor version.

The files beside this module are made by ``scripts/kubernetes_schemas.py``, which says how they are written.
"""

from __future__ import annotations

import gzip
import json
import re
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from .model import ANY, Schema

#: Where the files are; read as such, as importlib.resources takes ten milliseconds to load.
_DATA: Final = Path(__file__).with_name("data")
_FILE: Final = re.compile(r"kubernetes-(\d+)\.(\d+)\.json\.gz")
_LETTERS: Final = {
    "s": Schema(type="string", lenient=True), "i": Schema(type="integer", lenient=True),
    "n": Schema(type="number", lenient=True), "b": Schema(type="boolean", lenient=True),
    "q": Schema(type="quantity", lenient=True), "x": Schema(type="int-or-string", lenient=True),
    "t": Schema(type="string", lenient=True), "y": Schema(type="byte", lenient=True), "*": ANY,
    "o": Schema(type="object", open=True, lenient=True),
}  # fmt: skip
#: What the server takes an element to say where it leaves a key of its list out.
_KEY_DEFAULTS: Final = {"protocol": "TCP", "shareID": ""}


class Kinds:
    """The kinds of one minor version; a type is made ready when the first object of it is looked at.

    Safe for several threads: overlays are judged side by side, and a type whose fields are not all there yet would
    refuse those that are still missing.
    """

    def __init__(self, version: str, document: Mapping[str, Any]) -> None:
        self.version = version
        self._kinds: Mapping[str, int] = document["kinds"]
        self._types: list[Mapping[str, Any]] = document["types"]
        self._ready: dict[int, Schema] = {}
        self._lock = threading.RLock()
        self.groups = frozenset(name.partition(" ")[0].rpartition("/")[0] for name in self._kinds)

    def schema(self, api_version: str, kind: str) -> Schema | None:
        """The schema of a kind; None for one that this version does not bring."""
        number = self._kinds.get(f"{api_version} {kind}")
        if number is None:
            return None
        with self._lock:
            return self._type(number)

    def metadata(self) -> Schema:
        """The schema of every object's metadata."""
        with self._lock:
            return self._type(self._kinds["v1 ConfigMap"]).fields["metadata"]

    def _type(self, number: int) -> Schema:
        ready = self._ready.get(number)
        if ready is None:
            spec = self._types[number]
            fields: dict[str, Schema] = {}
            ready = Schema(type="object", fields=fields, required=tuple(spec.get("r", ())), lenient=True)
            self._ready[number] = ready  # before its fields: a type may hold itself
            fields.update({name: self._node(node) for name, node in spec["f"].items()})
        return ready

    def _node(self, node: Any) -> Schema:
        if isinstance(node, int):
            return self._type(node)
        if isinstance(node, str):
            return _LETTERS[node]
        form, below, *keys = node
        if form == "d":
            return Schema(type="object", values=self._node(below), lenient=True)
        named = tuple((key, _KEY_DEFAULTS.get(key)) for key in keys)
        return Schema(type="array", items=self._node(below), keys=named, unique=form == "set", lenient=True)


@lru_cache(maxsize=1)
def versions() -> tuple[str, ...]:
    """The minor versions that are described, oldest first."""
    found = [_FILE.fullmatch(item.name) for item in _DATA.iterdir()]
    numbers = sorted((int(match[1]), int(match[2])) for match in found if match)
    return tuple(f"{major}.{minor}" for major, minor in numbers)


@lru_cache(maxsize=2)
def kinds(version: str | None = None) -> Kinds:
    """The kinds of ``1.34``, or of the newest version; of one that is not described, those of the nearest."""
    name = nearest(version)
    data = _DATA.joinpath(f"kubernetes-{name}.json.gz").read_bytes()
    return Kinds(name, json.loads(gzip.decompress(data)))


def nearest(version: str | None) -> str:
    """The described version that is nearest to ``1.34`` or ``v1.34.2``; the newest for None."""
    known = versions()
    numbers = re.match(r"v?(\d+)\.(\d+)", version or "")
    if numbers is None:
        return known[-1]
    minor = int(numbers[2])
    return min(known, key=lambda name: abs(int(name.partition(".")[2]) - minor))
