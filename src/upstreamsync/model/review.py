"""What a reviewer reads."""

from __future__ import annotations

from dataclasses import dataclass

from upstreamsync.model.verification import ResourceChange


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
class ObjectText:
    """One object of a built overlay as YAML before and after; None where it is not there.

    The values of a Secret are not in it.
    """

    resource: str
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayReview:
    """What changes for the cluster through one overlay (or through the base, when ``path`` is a base).

    ``whole`` has the objects that are new or gone as YAML, without the values of Secrets; long ones are cut.
    """

    path: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[ResourceChange, ...] = ()
    whole: tuple[ObjectText, ...] = ()
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
