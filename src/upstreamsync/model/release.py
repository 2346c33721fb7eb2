"""What upstream offers, and what was found in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from upstreamsync.model.places import EMPTY, Failure


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
