"""What was fetched, what it becomes, and the complete change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from upstreamsync.model.places import EMPTY, Failure, Place
from upstreamsync.model.release import Finding, PassedOver, Release


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentFile:
    """One file: ``path`` relative to the folder that it belongs to, ``data`` its bytes."""

    path: str
    data: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """Where an artifact really came from: a fact for the lock.

    ``location`` is the resolved URL, or ``repository@ref``; ``digest`` a sha256, a chart's digest, an OCI
    digest or ``git:<commit>``; ``tool`` the version of the helm or kustomize that rendered it.
    """

    kind: str
    location: str
    digest: str
    tool: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """Verified bytes as upstream gave them, before selection and layout; files sorted by path.

    ``unstable`` lists the values that come out differently each time the content is made
    (``v1 Secret ns/name: data.password``); ``notes`` are remarks for people.
    """

    resolved: tuple[Resolved, ...]
    files: tuple[ContentFile, ...]
    unstable: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A pristine base layer as a value: every file that upstreamsync owns below ``path``."""

    vendor: str
    path: str
    files: tuple[ContentFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """A follow-up edit that was made: one value of one file."""

    place: Place
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk:
    """A base that loses most of its objects: how many it had, and how many it will have."""

    base: str
    before: int
    after: int

    def __str__(self) -> str:
        left = f"{self.after} of {self.before} objects {'is' if self.after == 1 else 'are'} left"
        return left if self.after else f"none of {self.before} objects is left"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkChange:
    """A local file that was derived from upstream's by hand, and what became of its origin.

    ``before`` and ``after`` are the origin's bytes; None where it is not known, or gone.
    """

    file: str
    before: bytes | None = None
    after: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The complete change to the repository for one vendor, not yet on disk.

    ``base_files`` and ``edit_files`` map a repository path to its new bytes, or to None for a file that
    goes away. The two are apart because they become two commits; the lock and the version line of
    vendors.yaml belong to the base. ``notes`` are remarks for people (a fork whose origin changed).
    ``executable`` are those of the paths that upstream marks as programs; ``shrunk`` are the bases that lose
    most of their objects; ``first`` when there was no base; ``forks`` are local files whose origin changed.
    """

    vendor: str
    before: str
    after: str
    release: Release | None = None
    base_files: Mapping[str, bytes | None] = field(default_factory=lambda: EMPTY)
    edit_files: Mapping[str, bytes | None] = field(default_factory=lambda: EMPTY)
    edits: tuple[Edited, ...] = ()
    bases: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    executable: frozenset[str] = frozenset()
    shrunk: tuple[Shrunk, ...] = ()
    first: bool = False
    forks: tuple[ForkChange, ...] = ()

    @property
    def files(self) -> Mapping[str, bytes | None]:
        """Both commits together, edits last."""
        return {**self.base_files, **self.edit_files}

    @property
    def empty(self) -> bool:
        """Whether nothing would be written."""
        return not self.base_files and not self.edit_files


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorUpdate:
    """What ``update`` says of one vendor; ``status`` is ``added``, ``updated``, ``unchanged`` or ``failed``.

    ``added``, ``changed`` and ``removed`` are repository paths; ``change`` is None when it failed.
    """

    vendor: str
    status: str
    before: str
    after: str
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    edits: tuple[Edited, ...] = ()
    notes: tuple[str, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()
    change: Change | None = None
    finding: Finding | None = None
    error: Failure | None = None
