"""Where versions come from, and which of them to take."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import (
    ConfigDict,
    Field,
    ValidationInfo,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from upstreamsync.config.spec.types import (
    ChartRepository,
    Duration,
    GitHubName,
    GitUrl,
    Level,
    OwnKind,
    Scheme,
    Spec,
    TagPattern,
    Url,
    _take_own,
)


class HelmReleases(Spec):
    """Versions of a chart in a chart repository."""

    repository: ChartRepository
    """``https://…`` or ``oci://…``."""
    chart: str
    """Name of the chart."""


class PageReleases(Spec):
    """Versions that stand on a page."""

    url: Url
    """The page."""
    pattern: TagPattern
    """Regular expression with a group ``version``, found anywhere in the page's text."""


class JsonReleases(Spec):
    """Versions in a JSON document."""

    url: Url
    """The document."""
    path: str
    """Where the versions are: ``a.b[*].name``; keys by dots, ``[*]`` for all elements, ``[0]`` for one."""


class BranchReleases(Spec):
    """The newest commit of a branch; the version is the commit's 40 hex digits."""

    repository: GitUrl
    """The git repository."""
    name: str = Field(pattern=r"^[^-\s~^:?*\[\\][^\s~^:?*\[\\]*$")
    """The branch."""
    paths: tuple[str, ...] = ()
    """Only commits that change something below these paths count."""


RELEASE_KINDS = ("github", "github_tags", "git", "helm", "oci", "page", "json", "branch")


class Releases(Spec):
    """Where versions come from: exactly one kind."""

    github: GitHubName | None = None
    """OWNER/REPO at github.com: its releases; HOST/OWNER/REPO at an Enterprise server."""
    github_tags: GitHubName | None = None
    """OWNER/REPO at github.com: its tags; HOST/OWNER/REPO at an Enterprise server."""
    git: GitUrl | None = None
    """Tags of a git repository, by ls-remote."""
    helm: HelmReleases | None = None
    """Versions of a chart."""
    oci: str | None = Field(default=None, pattern=r"^[a-z0-9.-]+(:\d+)?/[a-z0-9._/-]+$")
    """Tags of an image or chart: ``host/path``."""
    page: PageReleases | None = None
    """A pattern on a page."""
    json_: JsonReleases | None = Field(default=None, alias="json")
    """A JSON document."""
    branch: BranchReleases | None = None
    """A branch, followed by commit."""
    own: SkipJsonSchema[OwnKind | None] = None

    tag: TagPattern | None = None
    """Regular expression for the whole tag, with a group ``version``; other tags are no versions."""
    ref: str | None = None
    """Template of the upstream ref that belongs to a version: ``v{semver}``, ``v{major}.{minor}.{patch}``."""
    scheme: Scheme = "semver"
    """How versions are ordered."""
    app_version: bool = False
    """(helm) The version is the chart's appVersion; of several charts with it the newest is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _own_kind(cls, data: Any, info: ValidationInfo) -> Any:
        return _take_own(data, info, "feeds")

    @model_validator(mode="after")
    def _one_kind(self) -> Releases:
        kinds = [kind for kind in RELEASE_KINDS if self._of(kind) is not None]
        kinds += [self.own.kind] if self.own is not None else []
        if len(kinds) != 1:
            found = f"`{'`, `'.join(kinds)}`" if kinds else "none"
            raise ValueError(f"needs exactly one of {', '.join(RELEASE_KINDS)}; it has {found}")
        return self

    def _of(self, kind: str) -> Any:
        return getattr(self, "json_" if kind == "json" else kind)

    @property
    def kind(self) -> str:
        """Which of RELEASE_KINDS this is, or the name of a feed that was passed in."""
        if self.own is not None:
            return self.own.kind
        return next(kind for kind in RELEASE_KINDS if self._of(kind) is not None)


class Follow(Spec):
    """Which of the versions on offer to move to."""

    range: str | None = None
    """Constraint in Helm's language: ``>=2.8 <3``, ``~1.2``, ``^2 || ^3``."""
    prereleases: bool = False
    """Take prereleases too."""
    cooldown: Duration = timedelta()
    """How old a release has to be: by upstream's date, else by that of its tag's commit, of its image, or of its
    page's last change; without any, how long ago it was first seen. A date before git (as reproducible builds write it)
    or in the future is none."""
    ignore: tuple[str, ...] = ()
    """Versions, or constraints, never to take."""
    max: Level | None = None
    """Largest step from the current version: ``minor`` stays within the major version."""
    separate_major: bool = False
    """Propose a major step in a pull request of its own, beside the minor one."""
