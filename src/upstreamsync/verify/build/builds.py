"""Running kustomize over states of an overlay: counted, in parallel, parsed once per document."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from upstreamsync.errors import ToolFailed
from upstreamsync.kit.kubernetes.objects import ObjectId, numbered
from upstreamsync.kit.run.engines import Kustomize, without_addresses
from upstreamsync.kit.run.threads import ordered_map
from upstreamsync.kit.yaml import manifests
from upstreamsync.verify.overlays.parse_cache import ParseCache

Manifest = Mapping[str, Any]
#: An object of a build: its id without version, and 1 (or 2, … where a build holds it twice).
Key = tuple[ObjectId, int]
_T = TypeVar("_T")
_R = TypeVar("_R")
_LOGGED: Final = re.compile(r'\] "command failed" err="(.*)"$', re.DOTALL)
_NOISE: Final = re.compile(r"^(# Warning|I\d{4}|W\d{4}|well-defined vars|Warning:)")


class Store(Protocol):
    """Keeps outputs of builds between runs; may forget anything at any time."""

    def get(self, key: str) -> bytes | None:
        """What was put under ``key``; None when it is not there."""

    def put(self, key: str, data: bytes) -> None:
        """Keep ``data`` under ``key``."""


@dataclass(frozen=True, slots=True)
class State:
    """The output of one build: its objects by key, in kustomize's order, and their text."""

    objects: Mapping[Key, Manifest]
    texts: Mapping[Key, bytes]
    #: What is derived from the objects once, by name.
    derived: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """The objects in kustomize's order."""
        return tuple(self.objects.values())

    def with_others(self, others: Mapping[Key, Manifest]) -> State:
        """The same with objects that no build has seen; they have no texts."""
        return State({**self.objects, **others}, self.texts) if others else self


@dataclass(frozen=True, slots=True)
class Failed:
    """kustomize's own words, paths made relative.

    ``reason`` is one of the verdict ``unjudged`` where kustomize was not asked at all, ``hint`` what to do then.
    """

    error: str
    reason: str = ""
    hint: str | None = None


Outcome = State | Failed


def nothing() -> None:
    """What is to be called where nobody waits."""


@dataclass(slots=True)
class Builder:
    """Builds states with one kustomize; ``count`` says how many builds really ran.

    ``jobs`` at once: of all builders together that share ``slots``.
    """

    kustomize: Kustomize
    jobs: int
    store: Store | None = None
    parsed: ParseCache = field(default_factory=ParseCache)
    slots: threading.BoundedSemaphore | None = None
    count: int = 0
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _slots: threading.BoundedSemaphore = field(init=False)

    def __post_init__(self) -> None:
        self._slots = self.slots or threading.BoundedSemaphore(self.jobs)

    def build(
        self,
        folder: Path,
        *,
        root: Path,
        unrestricted: bool = False,
        started: Callable[[], object] = nothing,
    ) -> Outcome:
        """Build ``folder``, which lies in the copy ``root``; see ``output``."""
        output = self.output(folder, root=root, unrestricted=unrestricted, started=started)
        return output if isinstance(output, Failed) else self.parse(output)

    def output(
        self,
        folder: Path,
        *,
        root: Path,
        unrestricted: bool = False,
        started: Callable[[], object] = nothing,
    ) -> bytes | Failed:
        """What kustomize prints for ``folder``, which lies in the copy ``root``; ``unrestricted``: see Kustomize.

        ``started`` is called, perhaps twice, when all is done but waiting for kustomize, or for its turn.
        """
        try:
            return self._output(folder, root, unrestricted=unrestricted, started=started)
        finally:
            started()

    def _output(
        self, folder: Path, root: Path, *, unrestricted: bool, started: Callable[[], object]
    ) -> bytes | Failed:
        key = self._key(folder, root, unrestricted=unrestricted) if self.store is not None else ""
        if self.store is not None and (kept := self.store.get(key)) is not None:
            return kept[1:] if kept[:1] == b"+" else Failed(kept[1:].decode("utf-8", "replace"))
        with self._guard:
            self.count += 1
        found: bytes | Failed
        if not self._slots.acquire(blocking=False):
            started()
            self._slots.acquire()
        try:
            found = self.kustomize.build(
                folder,
                root=root,
                unrestricted=unrestricted,
                started=started,
            )
        except ToolFailed as failure:
            found = Failed(_relative(failure.stderr, root))
        finally:
            self._slots.release()
        if self.store is not None:
            self.store.put(key, b"-" + found.error.encode() if isinstance(found, Failed) else b"+" + found)
        return found

    def parse(self, output: bytes) -> State:
        """The objects of a build's output; equal documents are parsed once."""
        texts = [part.removeprefix(b"---\n") for part in manifests.split(output)]
        found = [(obj, text) for text in texts for obj in self._objects(text)]
        objects = numbered(obj for obj, _ in found)
        return State(objects, dict(zip(objects, (text for _, text in found), strict=True)))

    def _objects(self, text: bytes) -> Iterable[Manifest]:
        if not text.strip():
            return ()
        value = self.parsed.once(_load, text)
        return (value,) if isinstance(value, dict) else ()

    def _key(self, folder: Path, root: Path, *, unrestricted: bool) -> str:
        total = hashlib.sha256()
        version = "upstreamsync/build/v3" + (" unrestricted" if unrestricted else "")
        for part in (version, str(self.kustomize), str(folder.relative_to(root))):
            total.update(part.encode("utf-8", "surrogateescape") + b"\0")
        for path in sorted(root.rglob("*")):
            if path.is_file():
                total.update(str(path.relative_to(root)).encode("utf-8", "surrogateescape") + b"\0")
                total.update(hashlib.sha256(path.read_bytes()).digest())
        return "build-" + total.hexdigest()

    def map(self, function: Callable[[_T], _R], values: Sequence[_T]) -> list[_R]:
        """``function`` of each value, in parallel where that helps; results in order."""
        return [outcome.get() for outcome in ordered_map(function, values, self.jobs)]


def _load(text: bytes) -> Any:
    return manifests.load(text, name="kustomize's output")


def _relative(stderr: str, root: Path) -> str:
    """Kustomize's message without its warnings and without our temporary folder."""
    lines = [line for line in stderr.splitlines() if line.strip() and not _NOISE.match(line)]
    text = "\n".join(lines) or stderr.strip()
    for prefix in (str(root.resolve()), str(root)):
        text = text.replace(prefix + os.sep, "").replace(prefix, ".")
    if logged := _LOGGED.search(text):
        text = logged.group(1).replace('\\"', '"')
    return without_addresses(re.sub(r"^[Ee]rror: ", "", text))
