"""What the judge says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How bad a finding is, worst first."""

    BROKEN = "broken"
    SILENT_BREAK = "silent-break"
    REVIEW = "review"
    CLEANUP = "cleanup"
    INFO = "info"
    NONE = "none"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return _RANKS[self]


_RANKS: Mapping[Severity, int] = {severity: rank for rank, severity in enumerate(Severity)}


class Verdict(StrEnum):
    """What became of one customization, worst first."""

    FAILS = "fails"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    MISAPPLIED = "misapplied"
    LOST = "lost"
    NARROWED = "narrowed"
    DANGLING = "dangling"
    SHADOWS = "shadows"
    UNJUDGED = "unjudged"
    WIDENED = "widened"
    UNCOVERED = "uncovered"
    REDUNDANT = "redundant"
    UNUSED = "unused"
    OK = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A mechanical correction of one local file: its text before and after; ``title`` says what it does."""

    file: str
    title: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFinding:
    """One thing that is found about a customization item, or about the built result.

    ``proven`` says that doing what ``hint`` says has been tried, and that the finding was gone then; ``fix``
    is that correction. ``resources`` and ``paths`` are all places of which the same is said.
    """

    verdict: Verdict
    severity: Severity
    reason: str | None = None
    why: str = ""
    hint: str | None = None
    proven: bool = False
    resources: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    fix: Fix | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict on one customization item; the fields are those of an ITEM of the contract.

    ``findings`` are all that was found about it, worst first; the item's own fields repeat the first.
    ``was_so``: the update has not caused it, all of it was so before.
    """

    item: str
    kustomization: str
    field: str
    key: str
    file: str
    line: int
    verdict: Verdict
    severity: Severity
    reason: str | None
    resources: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    why: str = ""
    hint: str | None = None
    overlays: tuple[str, ...] = ()
    failed_before: bool = False
    was_so: bool = False
    fix: Fix | None = None
    findings: tuple[ItemFinding, ...] = ()

    @property
    def told(self) -> tuple[ItemFinding, ...]:
        """The findings, at least one: where nobody listed them, what the item itself says."""
        if self.findings:
            return self.findings
        return (
            ItemFinding(
                verdict=self.verdict, severity=self.severity, reason=self.reason, why=self.why, hint=self.hint,
                resources=self.resources, paths=self.paths, fix=self.fix,
            ),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What results are applied to, and how, as vendors.yaml has it.

    ``kubernetes`` is a minor version (``1.34``), None for the newest that is known. ``apply`` are patterns of
    overlays, each with ``kubectl``, ``server-side``, ``argocd`` or ``flux``; the first that matches holds.
    """

    kubernetes: str | None = None
    apply: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Whether kustomize builds one side of an overlay; ``error`` is its message, paths made relative."""

    ok: bool
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One leaf that differs between two builds; ``path`` addresses list elements by merge key.

    ``before`` and ``after`` are JSON-like values; the missing side is None together with ``op``
    ``added`` or ``removed``.
    """

    path: str
    op: str
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceChange:
    """One object of the built output that differs between before and after.

    Where no customization reaches the schemas of CRDs, they are compared by the digests of their texts.
    """

    resource: str
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """What took no part in judging an overlay: ``what`` is written as an item, ``why`` is one sentence.

    ``reason`` is one of those of the verdict ``unjudged``. Where ``known`` is set, both sides name the
    same thing, which was left out of both: all else could be compared.
    """

    what: str
    reason: str
    why: str
    known: bool = True
    hint: str | None = None

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayVerification:
    """One overlay, judged: its builds, its customizations, and what changes in its output.

    ``left_out`` took no part in it. ``is_new``: there was no such overlay before. ``allow_unjudged``: the
    user knows that not all of it can be judged. ``crash`` is the traceback of a bug of ours that ended it.
    """

    path: str
    before: Build
    after: Build
    items: tuple[Judgement, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[ResourceChange, ...] = ()
    builds: int = 0
    left_out: tuple[LeftOut, ...] = ()
    is_new: bool = False
    allow_unjudged: bool = False
    crash: str | None = None

    @property
    def unjudged(self) -> tuple[Judgement, ...]:
        """The items that could not be compared, unless that is known."""
        if self.allow_unjudged:
            return ()
        return tuple(item for item in self.items if item.verdict is Verdict.UNJUDGED)


class BaseCondition(StrEnum):
    """What can be told of a base offline: from its files, its lock and vendors.yaml."""

    PRISTINE = "pristine"
    NOT_VENDORED = "not-vendored"
    UNLOCKED = "unlocked"
    EDITED = "edited"
    INCOMPLETE = "incomplete"
    OTHER_VERSION = "other-version"
    OTHER_CONFIGURATION = "other-configuration"
    MOVED = "moved"
    ORPHANED = "orphaned"


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseState:
    """Whether a base still equals its lock, and what lock and vendors.yaml tell of it.

    ``changed_files`` have other content than the lock says, or are missing; ``missing_files`` are those of
    them that are not there. ``why`` says what is wrong, ``command`` mends it.
    """

    vendor: str
    path: str
    pristine: bool
    changed_files: tuple[str, ...] = ()
    condition: BaseCondition = BaseCondition.PRISTINE
    missing_files: tuple[str, ...] = ()
    why: str = ""
    command: str = ""

    @property
    def sound(self) -> bool:
        """Whether nobody is needed: it is as lock and vendors.yaml say, or was never there."""
        return self.pristine and self.condition in (BaseCondition.PRISTINE, BaseCondition.NOT_VENDORED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What ``verify`` says. ``engine`` names the kustomize that built both sides."""

    bases: tuple[BaseState, ...] = ()
    overlays: tuple[OverlayVerification, ...] = ()
    engine: str = ""

    @property
    def items(self) -> tuple[Judgement, ...]:
        """The items of all overlays, in order."""
        return tuple(item for overlay in self.overlays for item in overlay.items)

    @property
    def unjudged(self) -> tuple[Judgement, ...]:
        """Exit code 3: the items that could not be compared, but for those of which that is known."""
        return tuple(item for overlay in self.overlays for item in overlay.unjudged)

    @property
    def crashes(self) -> tuple[str, ...]:
        """Exit code 70: tracebacks of bugs of ours that each ended the judgement of one overlay."""
        return tuple(overlay.crash for overlay in self.overlays if overlay.crash is not None)

    @property
    def needs_person(self) -> bool:
        """Exit code 1: severity review or worse (but for ``uncovered``), or a base that is not pristine."""
        return (
            bool(self.unjudged)
            or any(not base.sound for base in self.bases)
            or any(
                item.severity.rank <= Severity.REVIEW.rank
                and item.verdict not in (Verdict.UNCOVERED, Verdict.UNJUDGED)
                and not item.failed_before
                for item in self.items
            )
        )
