"""What a check of the built result takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from upstreamsync.model import EMPTY, Severity, Verdict

Manifest = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFinding:
    """One defect that the new result has and the old one had not.

    ``object`` and ``path`` say where the defect stands, ``target`` which object of the old result it is
    about where that is another one (the Secret that nothing names any more); a caller may use all three
    to find the customization that is to blame. ``rename``: a name
    at that path, and what it should be. ``missing``: kind and
    name of the object that is not there. ``rule`` is the family of the check, stable. ``severity`` is
    None where it is the verdict's own.
    """

    rule: str
    verdict: Verdict
    reason: str
    object: str
    path: str = ""
    paths: tuple[str, ...] = ()
    target: str | None = None
    why: str
    hint: str | None = None
    rename: tuple[str, str] | None = None
    missing: tuple[str, str] | None = None
    severity: Severity | None = None

    @property
    def resources(self) -> tuple[str, ...]:
        """The objects concerned, the one that holds the defect first."""
        return (self.object,)


class Whole(Protocol):
    """An object of which a result has a part alone; ``document`` is the text of the whole one."""

    @property
    def document(self) -> bytes:
        """The text."""

    def may_exceed(self, limit: int) -> bool:
        """Whether it has more bytes as JSON, perhaps."""

    def exceeds(self, limit: int) -> bool | None:
        """Whether it has more; None where only reading it tells."""

    def read(self) -> Manifest:
        """The object as a whole; takes a while."""


class Applied(Protocol):
    """How objects come to their cluster; see ``applying``."""

    def on_the_server(self, manifest: Manifest) -> bool:
        """Whether the object is merged by the server."""

    def replaces(self, manifest: Manifest) -> bool:
        """Whether the object is replaced rather than merged."""

    def recreates(self, old: Manifest, new: Manifest) -> bool:
        """Whether the object is deleted before it is applied again."""

    def hook_advice(self, manifest: Manifest) -> str | None:
        """What to know of an object that is a hook of helm."""


def _at_once(function: Callable[[bytes], Any], text: bytes) -> Any:
    return function(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultContext:
    """What the caller knows beyond the two results; everything is optional.

    ``local``: ids of objects that the overlay itself defines, or None when that is not known.
    ``base_before`` and ``base_after``: upstream's objects alone, without the overlay. ``renamed_before``
    and ``renamed_after``: names as they were before namePrefix and nameSuffix → as they are in the result.
    ``moved_before`` and ``moved_after``: (namespace, name) of objects that ``namespace`` moved → where to.
    ``hashed``: ids of generated objects that carry a content hash in their name when built for real.
    ``whole_before`` and ``whole_after``: objects that are larger than the results have them.
    ``crds_before`` and ``crds_after``: definitions in the tree that are no part of the results, by group and kind.
    ``kubernetes``: the minor version of the cluster, ``1.34``; None for the newest that is known.
    ``once`` remembers what functions make of texts.
    ``applied`` tells how the new result is applied; it may have to look for that.
    An id is written ``apps/v1 Deployment namespace/name``; its version does not matter.
    """

    local: frozenset[str] | None = None
    base_before: Sequence[Manifest] | None = None
    base_after: Sequence[Manifest] | None = None
    renamed_before: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    renamed_after: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    moved_before: Mapping[tuple[str, str], str] = field(default_factory=dict)
    moved_after: Mapping[tuple[str, str], str] = field(default_factory=dict)
    hashed: frozenset[str] = frozenset()
    whole_before: Mapping[str, Whole] = field(default_factory=lambda: EMPTY)
    whole_after: Mapping[str, Whole] = field(default_factory=lambda: EMPTY)
    crds_before: Mapping[tuple[str, str], Manifest] = field(default_factory=dict)
    crds_after: Mapping[tuple[str, str], Manifest] = field(default_factory=dict)
    kubernetes: str | None = None
    applied: Callable[[], Applied] | None = None
    once: Callable[[Callable[[bytes], Any], bytes], Any] = _at_once
