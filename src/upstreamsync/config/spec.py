"""The declarations of vendors.yaml: one class per mapping, one docstring per key.

From these come the validation, the JSON Schema (``upstreamsync schema``) and docs/vendors-yaml.md.
The classes are frozen; nothing in here reads a file or looks at the world.
"""

from __future__ import annotations

import re
import warnings
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from upstreamsync.kit.http.inside import named

_DURATION = re.compile(r"(\d+)\s*(m|h|d|w)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _parse_duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    if value == 0 and not isinstance(value, bool):
        return timedelta()
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a duration is a number and a unit: 30m, 12h, 3d or 2w")
    return timedelta(**{_UNITS[match.group(2)]: int(match.group(1))})


def _check_regex(value: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)
            re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    except FutureWarning as warning:
        # Such as [[:alpha:]], which Python reads as something else than what is meant.
        raise ValueError(
            f"not a plain regular expression: {warning}; escape the sign with a backslash"
        ) from None
    return value


def _check_tag_pattern(value: str) -> str:
    _check_regex(value)
    if "version" not in re.compile(value).groupindex:
        raise ValueError("needs a group named `version`, as in ^v(?P<version>.+)$")
    return value


def _check_inside(value: str) -> str:
    parts = value.replace("\\", "/").split("/")
    if value.startswith(("/", "~")) or ".." in parts or re.match(r"^[A-Za-z]:", value):
        raise ValueError("has to be a path inside the repository, relative to its root")
    if not value.strip("./"):
        raise ValueError("has to name a folder or file below the repository's root")
    if ".git" in parts:
        raise ValueError("can't be inside .git")
    return "/".join(part for part in parts if part not in ("", "."))


def _check_location(value: str) -> str:
    if value.startswith("-") or any(character.isspace() or ord(character) < 32 for character in value):
        raise ValueError("is not a URL")
    return value


def _check_url(value: str) -> str:
    _check_location(value)
    if not re.match(r"^https?://[^/]+", value):
        raise ValueError("has to be an https:// URL")
    return value


def _check_git_url(value: str) -> str:
    _check_location(value)
    if not re.match(r"^(https?|ssh|file)://.+|^[\w.-]+@[\w.-]+:.+", value):
        raise ValueError("has to be a git URL: https://…, ssh://… or git@host:path")
    return value


def _check_chart_repository(value: str) -> str:
    _check_location(value)
    if not re.match(r"^(https?|oci)://[^/]+", value):
        raise ValueError("has to be an https:// or oci:// URL")
    return value


def _as_text(value: Any) -> Any:
    """A version such as 1.10 is read as a number by YAML: it has to be quoted."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise ValueError("YAML reads this as a number; put it in quotes")  # noqa: TRY004 (pydantic)
    return value


Duration = Annotated[timedelta, BeforeValidator(_parse_duration)]
Regex = Annotated[str, AfterValidator(_check_regex)]
TagPattern = Annotated[str, AfterValidator(_check_tag_pattern)]
RepositoryPath = Annotated[str, AfterValidator(_check_inside)]
Url = Annotated[str, AfterValidator(_check_url)]
OneOrManyUrls = Annotated[
    Annotated[Url, Tag("one")] | Annotated[dict[str, Url], Tag("several")],
    Discriminator(lambda value: "several" if isinstance(value, dict) else "one"),
]
GitUrl = Annotated[str, AfterValidator(_check_git_url)]
ChartRepository = Annotated[str, AfterValidator(_check_chart_repository)]
GitHubName = Annotated[
    str, Field(pattern=r"^(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+/)?[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$")
]
VersionText = Annotated[str, BeforeValidator(_as_text), Field(min_length=1)]
Level = Literal["major", "minor", "patch"]
Scheme = Literal["semver", "pep440", "calver", "loose"]


class Spec(BaseModel):
    """Base of all mappings: unknown keys are errors, values are frozen, keys may stand in any order."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class OwnKind(Spec):
    """A kind of source or feed that is not the project's: its name, and what stands below it in vendors.yaml."""

    kind: str
    """The name that it was passed in by."""
    options: Any = None
    """Whatever the kind takes; it is the kind's own to check."""


def _take_own(data: Any, info: ValidationInfo, context: str) -> Any:
    """Move the key that names a kind of the caller's, as ``sources`` or ``feeds`` of the context say, to ``own``."""
    if not isinstance(data, dict):
        return data
    if "own" in data and not isinstance(data["own"], OwnKind):
        raise ValueError("`own` is not a known key")
    known = (info.context or {}).get(context, ())
    named = [key for key in data if key in known]
    if not named:
        return data
    rest = {key: value for key, value in data.items() if key != named[0]}
    return {**rest, "own": OwnKind(kind=named[0], options=data[named[0]])}


# -- selecting and shaping content -------------------------------------------------------------------


class ObjectMatch(Spec):
    """Matches Kubernetes objects; each value is a regular expression for the whole field."""

    kind: Regex | None = None
    """Kind, such as ``Deployment`` or ``.*Role``."""
    name: Regex | None = None
    """metadata.name."""
    namespace: Regex | None = None
    """metadata.namespace; the empty string for objects without one."""


class Select(Spec):
    """Which documents of the content to keep. Without ``include``, all; then ``exclude`` takes away."""

    include: tuple[ObjectMatch, ...] = ()
    """Keep only documents that match one of these. Each has to match something."""
    exclude: tuple[ObjectMatch, ...] = ()
    """Drop documents that match one of these. Each has to match something."""


class Rewrite(Spec):
    """One textual change, for content that is not YAML (or needs a name where upstream generates one)."""

    replace: Regex | None = None
    """Regular expression to replace; it has to match."""
    with_: str | None = Field(default=None, alias="with")
    r"""The replacement, with ``\1`` and ``\g<name>`` for groups and the placeholders of the version."""
    drop_lines: Regex | None = None
    """Drop the lines in which this regular expression is found; it has to match."""
    file: str | None = None
    """Only in files that match this glob."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _one_kind(self) -> Rewrite:
        if (self.replace is None) == (self.drop_lines is None):
            raise ValueError("needs either `replace` and `with`, or `drop_lines`")
        if (self.replace is None) != (self.with_ is None):
            raise ValueError("`replace` and `with` belong together")
        return self


# -- sources -----------------------------------------------------------------------------------------


class HelmSource(Spec):
    """A chart, rendered with the helm binary from the archive that upstreamsync fetched and checked."""

    repository: ChartRepository | None = None
    """Chart repository: ``https://…`` (with an index.yaml) or ``oci://…``."""
    chart: str | None = None
    """Name of the chart in the repository."""
    git: GitUrl | None = None
    """Git repository that holds the chart, in place of ``repository`` and ``chart``."""
    path: str | None = None
    """Folder of the chart in the git repository."""
    release: str | None = None
    """Release name given to ``helm template``; default: the vendor's name."""
    namespace: str | None = None
    """Namespace given to ``helm template``."""
    values: tuple[RepositoryPath, ...] = ()
    """Values files in the user's repository, in order."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Single values, as helm's ``--set-json``; keys as helm writes them (``a.b[0].c``)."""
    include_crds: bool = True
    """Render the chart's crds folder too."""
    kube_version: VersionText | None = None
    """Kubernetes version that the chart sees; default: that of the helm binary."""
    api_versions: tuple[str, ...] = ()
    """API versions that the chart sees besides the default ones."""
    templates: tuple[str, ...] = ()
    """Keep only what these templates of the chart render (globs, as ``templates/cluster/*.yaml``)."""
    hooks: bool = True
    """Keep documents that are helm hooks (test hooks never are)."""
    app_version: str | None = None
    """Take the newest chart with this appVersion (placeholders allowed, a leading v is of no account)
    in place of the chart with the release's version; for charts of HTTP repositories."""
    keyring: RepositoryPath | None = None
    """Public keys; when given, the chart's provenance file has to verify."""

    @model_validator(mode="after")
    def _one_place(self) -> HelmSource:
        if self.git is not None:
            if self.repository is not None or self.chart is not None:
                raise ValueError("has either `repository` and `chart`, or `git` and `path`")
            if self.path is None:
                raise ValueError("`git` needs `path`, the chart's folder")
        elif self.repository is None or self.chart is None:
            raise ValueError("needs `repository` and `chart`, or `git` and `path`")
        elif self.path is not None:
            raise ValueError("`path` belongs to `git`")
        if self.app_version is not None and not (self.repository or "").startswith("http"):
            raise ValueError("`app_version` is for charts of https:// repositories, whose index has it")
        return self


class DocsBlock(Spec):
    """One code block of a page. All conditions given have to hold, and exactly one block has to remain."""

    file: str
    """Name of the file that the block becomes."""
    heading: str | None = None
    """Text of the nearest heading above the block, or of one above that heading."""
    language: str | None = None
    """Language of the block: ``yaml``."""
    contains: str | None = None
    """Text that stands in the block."""
    index: int | None = None
    """Which of the remaining blocks, from 0; -1 is the last."""


class DocsSource(Spec):
    """Code blocks of a documentation page in HTML, Markdown, reStructuredText or AsciiDoc."""

    url: Url
    """The page; placeholders for the version are allowed."""
    blocks: tuple[DocsBlock, ...] = Field(min_length=1)
    """The blocks to take."""


class GitSource(Spec):
    """Files of a git repository at the release's ref."""

    repository: GitUrl
    """The git repository."""
    paths: tuple[str, ...] = Field(min_length=1)
    """Globs (``**`` crosses folders); a folder's name takes all below it. Each has to match something."""
    strip: str | int | None = None
    """Leading folders to cut off: a number of them, or the path itself. Default: the globs' fixed part."""
    exclude: tuple[str, ...] = ()
    """Globs of files to leave out."""
    ref: str | None = None
    """Ref to fetch, with placeholders; default: the release's own."""


class ArchiveSource(Spec):
    """Files of a tar.gz, tgz, tar or zip archive."""

    url: Url
    """The archive; placeholders for the version are allowed."""
    paths: tuple[str, ...] = Field(min_length=1)
    """Globs of the members to take. Each has to match something."""
    strip: str | int | None = None
    """Leading folders to cut off: a number of them, or the path itself. Default: the globs' fixed part."""
    exclude: tuple[str, ...] = ()
    """Globs of members to leave out."""


class KustomizeSource(Spec):
    """A kustomization in a git repository, built."""

    repository: GitUrl
    """The git repository."""
    path: str
    """Folder of the kustomization."""
    ref: str | None = None
    """Ref to fetch, with placeholders; default: the release's own."""


class CommandSource(Spec):
    """A generator: a program whose standard output, or files, are the content. Needs --allow-commands.

    It has no network and writes nowhere but in its folder, where the kernel can do that (``doctor``).
    """

    run: tuple[str, ...] = Field(min_length=1)
    """The program and its arguments, with placeholders; no shell."""
    fetch: dict[str, Url] = Field(default_factory=dict)
    """Files to fetch first into the program's folder: name → URL; archives are unpacked beside themselves."""
    inputs: tuple[RepositoryPath, ...] = ()
    """Files of the user's repository to copy into the program's folder, at the same paths."""
    outputs: tuple[str, ...] = ()
    """Globs of the files that the program writes; default: what it prints, as one file."""
    timeout: Duration = timedelta(minutes=2)
    """How long it may run."""


SOURCE_KINDS = ("helm", "url", "docs", "git", "archive", "kustomize", "command")


class Source(Spec):
    """Where content comes from: exactly one kind, and how its content is shaped."""

    helm: HelmSource | None = None
    """A chart from an HTTP repository, an OCI registry or a git repository."""
    url: OneOrManyUrls | None = None
    """One URL, or file name → URL for several."""
    docs: DocsSource | None = None
    """Code blocks of a documentation page."""
    git: GitSource | None = None
    """Files of a git repository."""
    archive: ArchiveSource | None = None
    """Files of an archive."""
    kustomize: KustomizeSource | None = None
    """A kustomization in a git repository, built."""
    command: CommandSource | None = None
    """A generator."""
    own: SkipJsonSchema[OwnKind | None] = None

    base: RepositoryPath | None = None
    """Folder for this source's content, when the vendor feeds several bases."""
    file: str | None = None
    """Name of the one file to write, for content that is one file."""
    select: Select | None = None
    """Which documents to keep."""
    strip_comments: bool = False
    """Drop comment lines and comments at line ends."""
    rewrite: tuple[Rewrite, ...] = ()
    """Textual changes, in order."""
    layout: Literal["as-is", "one-file", "per-resource"] | None = None
    """How documents are spread over files; default: the vendor's, else as-is."""
    manifests: bool = True
    """Whether its YAML files have to be Kubernetes objects; ``false`` takes values, rules and templates, too."""
    checksum: str | None = None
    """``sha256:…`` of what is fetched, or the URL of a checksums file (placeholders allowed)."""
    render: bool = True
    """``false``: the base is the chart itself, its files untarred, not what it renders to."""
    allow: tuple[Literal["remote", "helm"], ...] = ()
    """What upstream's kustomizations may name besides their own files: ``remote`` (addresses, and paths that
    lead out of what was fetched), ``helm`` (charts to be inflated). Who builds them fetches that."""

    @model_validator(mode="before")
    @classmethod
    def _own_kind(cls, data: Any, info: ValidationInfo) -> Any:
        return _take_own(data, info, "sources")

    @model_validator(mode="after")
    def _one_kind(self) -> Source:
        kinds = [kind for kind in SOURCE_KINDS if getattr(self, kind) is not None]
        kinds += [self.own.kind] if self.own is not None else []
        if len(kinds) != 1:
            found = f"`{'`, `'.join(kinds)}`" if kinds else "none"
            raise ValueError(f"needs exactly one of {', '.join(SOURCE_KINDS)}; it has {found}")
        if self.kustomize is not None and self.allow:
            raise ValueError(
                "`allow` has no meaning for `kustomize`: it is built here, and without a network"
            )
        if not self.render and self.helm is None:
            raise ValueError("`render: false` is for a `helm` source")
        return self

    @property
    def brings_manifests(self) -> bool:
        """Whether its YAML files have to be Kubernetes objects; a chart's own are not."""
        return self.manifests and self.render

    @property
    def kind(self) -> str:
        """Which of SOURCE_KINDS this is, or the name of a kind that was passed in."""
        if self.own is not None:
            return self.own.kind
        return next(kind for kind in SOURCE_KINDS if getattr(self, kind) is not None)


# -- releases ----------------------------------------------------------------------------------------


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
    page's last change; without any, how long ago it was first seen."""
    ignore: tuple[str, ...] = ()
    """Versions, or constraints, never to take."""
    max: Level | None = None
    """Largest step from the current version: ``minor`` stays within the major version."""
    separate_major: bool = False
    """Propose a major step in a pull request of its own, beside the minor one."""


# -- edits -------------------------------------------------------------------------------------------


class Edit(Spec):
    """One value elsewhere that has to follow the version. It has to find what it edits."""

    file: RepositoryPath
    """The file."""
    image: str | None = None
    """An entry of ``images:`` in a kustomization, by its name."""
    tag: str | None = None
    """(image) Its new tag, with placeholders."""
    digest: str | None = None
    """(image) Its new digest, with placeholders."""
    name: str | None = None
    """(image) Its new name, with placeholders."""
    path: str | None = None
    """A YAML value, ``spec.source.targetRevision``; behind ``|`` inside a text, ``…values|image.tag``."""
    env: str | None = None
    """An environment variable of a container, by its name."""
    pattern: Regex | None = None
    """Regular expression with one group, which is replaced."""
    value: str | None = None
    """(path, env, pattern) The new value, with placeholders."""

    @model_validator(mode="after")
    def _one_kind(self) -> Edit:
        kinds = [kind for kind in ("image", "path", "env", "pattern") if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError("needs exactly one of image, path, env, pattern")
        image_keys = [key for key in ("tag", "digest", "name") if getattr(self, key) is not None]
        if self.image is not None:
            if not image_keys or self.value is not None:
                raise ValueError("`image` goes with `tag`, `digest` or `name`")
        elif self.value is None or image_keys:
            raise ValueError(f"`{kinds[0]}` goes with `value`")
        if self.pattern is not None and re.compile(self.pattern).groups != 1:
            raise ValueError("`pattern` needs exactly one group: the part that is replaced")
        return self

    @property
    def kind(self) -> str:
        """``image``, ``path``, ``env`` or ``pattern``."""
        return next(kind for kind in ("image", "path", "env", "pattern") if getattr(self, kind) is not None)


class ImageFollow(Spec):
    """An image that is driven by its own tags."""

    image: str = Field(pattern=r"^[a-z0-9.-]+(:\d+)?/[a-z0-9._/-]+$")
    """The image, with its host: ``quay.io/cybozu/redis``."""
    tag: TagPattern | None = None
    """Regular expression for the whole tag, with a group ``version``."""
    version: VersionText | None = None
    """The tag in use; default: read from the first edit's place."""
    follow: Follow | None = None
    """Which tags to take; default: the vendor's."""
    scheme: Scheme = "semver"
    """How versions are ordered."""
    edits: tuple[Edit, ...] = Field(min_length=1)
    """Where the tag stands."""


class Fork(Spec):
    """A local file that was derived by hand from an upstream file; reported when that one changes."""

    file: RepositoryPath
    """The local file."""
    of: str | tuple[str, ...]
    """The upstream file: a path in the base, optionally ``path#Kind/name`` for one document; a list for several."""

    @property
    def origins(self) -> tuple[str, ...]:
        """The one or several."""
        return (self.of,) if isinstance(self.of, str) else self.of

    @property
    def shown(self) -> str:
        """The origins, for sentences."""
        return ", ".join(f"`{one}`" for one in self.origins)


class PullRequestOptions(Spec):
    """How the pull request of this vendor is made."""

    base: str | None = None
    """Branch to open it against; default: the repository's default branch."""
    labels: tuple[str, ...] = ()
    """Labels to set."""
    reviewers: tuple[str, ...] = ()
    """Users, or ``org/team``."""
    assignees: tuple[str, ...] = ()
    """Users."""
    milestone: str | None = None
    """Title of a milestone."""
    automerge: bool = False
    """Merge by itself when every verdict is ok."""
    separate_major: bool = False
    """Propose a major step in a pull request of its own."""


class VendorOptions(Spec):
    """Everything of a vendor but its name, version and source; also what ``defaults`` takes."""

    releases: Releases | None = None
    """Where versions come from; implied by helm and git sources."""
    follow: Follow = Follow()
    """Which versions to move to."""
    cooldown: Duration | None = None
    """Shorthand for ``follow.cooldown``."""
    base: RepositoryPath | None = None
    """The folder that upstreamsync owns (or shares; the lock lists its files)."""
    layout: Literal["as-is", "one-file", "per-resource"] = "as-is"
    """How documents are spread over files."""
    kustomization: bool | None = None
    """Whether the base gets a kustomization.yaml that lists its manifests. Default: where a kustomization of
    yours reads the base as a folder; never where upstream brings one."""
    overlays: tuple[str, ...] | None = None
    """Globs of the kustomizations to verify; default: every one that reaches the base."""
    edits: tuple[Edit, ...] = ()
    """What else has to follow the version."""
    images: tuple[ImageFollow, ...] = ()
    """Images driven by their own tags."""
    forks: tuple[Fork, ...] = ()
    """Local files derived from upstream ones."""
    watch: tuple[Source, ...] = ()
    """Sources whose changes are reported, while nothing is written."""
    group: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9-]*$")
    """Vendors of one group share a pull request."""
    apart_from: tuple[str, ...] = ()
    """Vendors whose pull requests must not be open at the same time."""
    pull_request: PullRequestOptions = PullRequestOptions()
    """How the pull request is made."""
    lock: RepositoryPath | None = None
    """Path of the lock; default: ``<base>/../<vendor>.lock.yaml``."""
    allow_http: bool = False
    """Allow http:// for this vendor (loopback is always allowed)."""
    reference: bool = False
    """``true``: nothing is vendored; ``edits`` move a ref, a chart's version or image tags where they stand."""


class Vendor(VendorOptions):
    """One piece of off-the-shelf configuration."""

    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
    """Unique name."""
    version: VersionText | None = None
    """What is vendored now: the one line that a pull request changes in this file."""
    source: tuple[Source, ...] = ()
    """Where the content comes from: one source, or a list."""

    @model_validator(mode="before")
    @classmethod
    def _one_or_many(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("source"), dict):
            return {**data, "source": [data["source"]]}
        return data

    @property
    def cooldown_period(self) -> timedelta:
        """The cooldown that holds: ``follow.cooldown`` where it is set, else the shorthand."""
        if "cooldown" in self.follow.model_fields_set or self.cooldown is None:
            return self.follow.cooldown
        return self.cooldown

    @property
    def vendored(self) -> tuple[Source, ...]:
        """The sources whose content becomes a base."""
        return () if self.reference else self.source

    @property
    def bases(self) -> tuple[str, ...]:
        """Every base folder of this vendor, in order, without repetition."""
        if self.reference:
            return ()
        found = [source.base or self.base for source in self.source]
        return tuple(dict.fromkeys(base for base in found if base))

    @property
    def lock_path(self) -> str | None:
        """Where the lock lies; None for a vendor without any content."""
        if self.lock is not None:
            return self.lock
        anchor = self.base or (self.bases[0] if self.bases else None)
        if anchor is None:
            return None
        folder = anchor.rpartition("/")[0]
        return f"{folder}/{self.name}.lock.yaml" if folder else f"{self.name}.lock.yaml"


class Tools(Spec):
    """Versions of the engines, for `doctor --install` and for renders that everyone can repeat."""

    helm: VersionText | None = None
    """Version of helm."""
    kustomize: VersionText | None = None
    """Version of kustomize."""


class Forge(Spec):
    """How pull requests are made, for the whole repository."""

    kind: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_-]*$")
    """``github``, ``local``, or the name of a forge that the program was given; ``--forge`` overrides it."""
    max_open: int | None = Field(default=None, ge=1)
    """Pull requests of ours that may be open at once."""
    max_new: int | None = Field(default=None, ge=1)
    """Pull requests that one run may open."""
    bot_name: str = "upstreamsync"
    """Name of the committer."""
    bot_email: str = "upstreamsync@users.noreply.github.com"
    """E-mail of the committer."""
    sign: bool = False
    """Sign commits as the user's git configuration says."""
    branch_prefix: str = Field(default="upstreamsync/", pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*/$")
    """What branches begin with."""
    webhook_env: str | None = Field(default=None, pattern=r"^[A-Z_][A-Z0-9_]*$")
    """Name of the environment variable that holds the webhook's URL (Slack-compatible)."""


def _host(text: str) -> str:
    named([text])
    return text


class Check(Spec):
    """A command that looks at the built overlays before a pull request is made. Needs --allow-commands.

    It runs in a folder with `before/<overlay>.yaml` and `after/<overlay>.yaml`, the built overlays, and
    `change.json`. SARIF or JUnit, printed or written to a file there, becomes findings; without either the exit
    code decides.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)
    """What it is called, in the pull request and as a commit status."""
    run: tuple[str, ...] = Field(min_length=1)
    """The program and its arguments; no shell. `{after}`, `{before}`, `{change}` and `{folder}` are what it gets,
    `{repository}` is the repository with the change. A program of the repository is named by its path."""
    required: bool = False
    """Whether the pull request is a draft, and not merged by itself, until it passes."""
    network: bool = False
    """Whether it may use the network (and, with that, is not kept in a sandbox)."""
    timeout: Duration = timedelta(minutes=2)
    """How long it may run."""


ApplyTool = Literal["kubectl", "server-side", "argocd", "flux"]
HostText = Annotated[str, Field(min_length=1, max_length=260), AfterValidator(_host)]


class OverlayBuild(Spec):
    """How some overlays are built and judged."""

    path: str = Field(min_length=1)
    """The overlay's folder, or a pattern of folders: `apps/*/overlays/prod`."""
    load_restrictor: Literal["none", "root"] | None = None
    """As below `kustomize`."""
    allow_unjudged: bool | None = None
    """It is known that not all of these can be judged: that ends no run with 3, and holds up no pull request."""
    budget: Duration | None = None
    """How long judging one of them may take."""


class KustomizeBuild(Spec):
    """How kustomize is used where the manifests are applied, for the whole repository."""

    load_restrictor: Literal["none", "root"] | None = None
    """`none`: files anywhere in the repository may be read, as Flux does; `root`: kustomize's own rule, nothing
    above a kustomization. Taken from Argo CD's `kustomize.buildOptions` where the repository has them, else none.
    Nothing outside of the repository is ever read."""
    budget: Duration | None = None
    """How long judging one overlay may take; ten minutes where nothing is said."""
    overlays: tuple[OverlayBuild, ...] = ()
    """What holds for some overlays; later ones count more."""


class Document(Spec):
    """vendors.yaml."""

    @field_validator("checks")
    @classmethod
    def _checks_have_names_of_their_own(cls, checks: tuple[Check, ...]) -> tuple[Check, ...]:
        names = [check.name for check in checks]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two checks are called `{twice[0]}`: a name is a commit status, too")
        return checks

    version: Literal[1]
    """Version of this file's format."""
    tools: Tools = Tools()
    """Pins of helm and kustomize."""
    forge: Forge = Forge()
    """How pull requests are made."""
    kubernetes: str | None = Field(default=None, pattern=r"^v?1\.[0-9]{1,2}(\.[0-9]+)?$")
    """Version of the clusters, `"1.34"`: built objects are held against the kinds as that version has them. The
    newest that is known where nothing is said."""
    apply: ApplyTool | dict[str, ApplyTool] | None = None
    """What applies the overlays: `kubectl`, `server-side` (kubectl apply --server-side), `argocd` or `flux`; or
    patterns of overlays, each with one of them. Guessed from Argo CD's and Flux's objects in the repository where
    nothing is said, else kubectl."""
    server: str | None = Field(default=None, min_length=1, max_length=253)
    """Context of kubectl whose API server `pr` asks about new results, as a strict dry run (`--server` overrides it;
    `verify` asks with that option alone, as what it judges may be anybody's)."""
    checks: tuple[Check, ...] = ()
    """Stages of your own, run at once after the judge; see below."""
    kustomize: KustomizeBuild = KustomizeBuild()
    """How overlays are built and judged."""
    allow_hosts: tuple[HostText, ...] = ()
    """Hosts that may lie on this machine or in its network although upstream alone names them (in an index, a
    redirect, a token's realm): `host`, `host:port` or `*.example.com`. Hosts written in this file always may."""
    defaults: VendorOptions = VendorOptions()
    """Any vendor field but name and source, for all vendors."""
    vendors: tuple[Vendor, ...]
    """The vendors."""
