"""The values that travel through a run: frozen, slotted, keyword-only.

vendors.yaml → Vendor (config) → Release → Finding → Artifact → Base → Change
→ Verification and Review → Proposal → PullRequest.

Values hold no handles: no open file, no client, no path that must still exist.
Paths inside the user's repository are POSIX strings relative to its root.
A digest is written ``sha256:<hex>``, a git commit as 40 hex digits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

EMPTY: Mapping[str, Any] = MappingProxyType({})


# -- where something stands in a file of the user's --------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """A position in a text file; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a file of the user's, and what to do about it."""

    place: Place
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}"
        return f"{text}\n  hint: {self.hint}" if self.hint else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error as a value: what stands under ``error`` in every JSON document.

    ``details`` is text to be shown beneath it, such as a diff; empty where there is none.
    """

    kind: str
    message: str
    hint: str | None = None
    details: str = ""


# -- what upstream offers ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One version that upstream offers.

    ``version`` is the version as the user writes it in vendors.yaml: upstream's own spelling, or the
    group ``version`` of the vendor's ``tag`` pattern. ``ref`` is what to ask upstream for (a git tag, a
    chart version, an OCI tag). ``published`` is aware and in UTC, None where upstream gives no date.
    ``assets`` maps a release asset's file name to its digest, where upstream publishes digests.
    ``known_by`` is when it was on offer at the latest, where its own date is not told (a page's last change).
    ``groups`` are the named groups of the ``tag`` pattern, for templates.
    ``note`` says why the feed itself advises against it (deprecated, yanked, draft).
    """

    version: str
    ref: str
    published: datetime | None = None
    known_by: datetime | None = None
    prerelease: bool = False
    digest: str | None = None
    app_version: str | None = None
    commit: str | None = None
    download: tuple[str, ...] = ()
    page: str | None = None
    notes: str | None = None
    note: str | None = None
    assets: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    groups: Mapping[str, str] = field(default_factory=lambda: EMPTY)

    @property
    def is_commit(self) -> bool:
        """Whether the version is a commit of a branch."""
        return self.commit is not None and self.version == self.commit

    @property
    def beside(self) -> str:
        """The other of the two versions of a chart: ``chart 4.1.0`` beside the app's, ``app 2.3`` beside its own."""
        if self.app_version is None or self.app_version.removeprefix("v") == self.ref.removeprefix("v"):
            return ""
        return f"chart {self.ref}" if self.app_version == self.version else f"app {self.app_version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """A version that was not taken, and why; ``until`` when time alone will change that."""

    version: str
    reason: str
    until: datetime | None = None


class Status(StrEnum):
    """What ``check`` says of a vendor."""

    UP_TO_DATE = "up-to-date"
    OUTDATED = "outdated"
    PENDING = "pending"
    WITHDRAWN = "withdrawn"
    REPUBLISHED = "republished"
    EDITED = "edited"
    NOT_VENDORED = "not-vendored"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFinding:
    """What ``check`` says of one entry of ``images:``; ``key`` is its place in the list."""

    key: int
    image: str
    current: str
    target: Release | None = None
    passed_over: tuple[PassedOver, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What ``check`` says of one vendor. ``target`` is None when there is nothing to move to.

    ``major`` is a major step that is proposed apart from the target (``separate_major``). ``remarks`` say
    what is not as it should be with the bases on disk, each with the command that mends it.
    """

    vendor: str
    status: Status
    current: str
    target: Release | None = None
    newest: str | None = None
    passed_over: tuple[PassedOver, ...] = ()
    images: tuple[ImageFinding, ...] = ()
    major: Release | None = None
    remarks: tuple[str, ...] = ()
    error: Failure | None = None


# -- what was fetched, and what it becomes ----------------------------------------------------------


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


# -- the judge --------------------------------------------------------------------------------------


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerUp:
    """A version that a copy may come from: ``differing`` values are not the same, ``shared`` is 0 to 1."""

    version: str
    differing: int
    shared: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What ``adopt`` makes of a copy: a base at ``version``, and the customizations that give the copy back.

    ``candidates`` are the versions, nearest first, and ``why`` says how sure the first is. ``customizations``
    says each in a line. ``change`` is what has to be written; ``proven`` are the folders whose build was
    compared, object by object, before and after.
    """

    vendor: str
    base: str
    version: str
    why: str = ""
    candidates: tuple[RunnerUp, ...] = ()
    customizations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    proven: tuple[str, ...] = ()
    change: Change | None = None
    error: Failure | None = None


# -- what a reviewer reads --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Danger:
    """Something in a change that a reviewer should not miss; ``rule`` is stable, for filters and tests."""

    rule: str
    resource: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageChange:
    """A container image before and after; None where it is new or gone."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayReview:
    """What changes for the cluster through one overlay (or through the base, when ``path`` is a base)."""

    path: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[ResourceChange, ...] = ()
    label_only: int = 0
    images: tuple[ImageChange, ...] = ()
    dangers: tuple[Danger, ...] = ()
    applications: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFinding:
    """One thing that a stage of the team's own reports; ``level`` is ``error``, ``warning`` or ``note``.

    ``file`` is relative to the repository, or ``after/<overlay>.yaml`` for a built overlay; empty and 0 where
    it is not said.
    """

    message: str
    file: str = ""
    line: int = 0
    level: str = "error"
    rule: str = ""

    @property
    def where(self) -> str:
        """``file:line`` as far as it is known."""
        return f"{self.file}:{self.line}" if self.file and self.line else self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """What became of one stage: ``state`` is ``passed``, ``failed``, ``error`` (could not run) or ``skipped``."""

    name: str
    state: str
    required: bool = False
    summary: str = ""
    findings: tuple[StageFinding, ...] = ()
    output: str = ""

    @property
    def holds_up(self) -> bool:
        """Whether a person has to look before the change is merged."""
        return self.required and self.state != "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What a change does to the cluster, overlay by overlay.

    ``images_unasked`` are images of which no registry could tell whether they exist, each with the reason;
    ``stages`` are the team's own checks.
    """

    overlays: tuple[OverlayReview, ...] = ()
    images_unasked: tuple[str, ...] = ()
    stages: tuple[StageResult, ...] = ()


# -- the pull request -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit to be made: repository path → new bytes, or None to delete; some of them programs."""

    message: str
    files: Mapping[str, bytes | None]
    executable: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A pull request as a value: everything that a forge needs, computed without one.

    ``key`` names it (the vendor, or the group) and makes its branch; ``steps`` are (vendor, from, to).
    ``statuses`` are (context, state, description). ``digest`` names the result: equal digests, equal change.
    ``body`` fits the forge, ``report`` says everything. ``base_branch`` None means the default branch.
    ``risk`` orders proposals, smallest first. ``apart_from`` are vendors that must not be open meanwhile.
    ``unjudged`` counts the customizations that could not be compared; ``crashes``: see Verification.
    """

    key: str
    steps: tuple[tuple[str, str, str], ...]
    branch: str
    title: str
    body: str
    commits: tuple[Commit, ...]
    base_commit: str
    draft: bool = False
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    automerge: bool = False
    statuses: tuple[tuple[str, str, str], ...] = ()
    digest: str = ""
    report: str = ""
    base_branch: str | None = None
    assignees: tuple[str, ...] = ()
    milestone: str | None = None
    major: bool = False
    risk: tuple[int, ...] = ()
    apart_from: tuple[str, ...] = ()
    unjudged: int = 0
    crashes: tuple[str, ...] = ()

    @property
    def vendors(self) -> tuple[str, ...]:
        """The vendors that move in it."""
        return tuple(vendor for vendor, _, _ in self.steps)


class Action(StrEnum):
    """What became of a proposal."""

    OPENED = "opened"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    CLOSED = "closed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """What ``pr`` says of one vendor or group. ``report`` is the body without any cut, for summaries."""

    vendor: str
    before: str
    after: str
    branch: str
    title: str
    action: Action
    reason: str | None = None
    number: int | None = None
    url: str | None = None
    draft: bool = False
    body: str = ""
    error: Failure | None = None
    report: str = ""
    unjudged: int = 0
    crashes: tuple[str, ...] = ()
