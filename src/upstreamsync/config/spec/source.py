"""Where content comes from."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from pydantic import (
    Field,
    ValidationInfo,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from upstreamsync.config.spec.content import Rewrite, Select
from upstreamsync.config.spec.types import (
    ChartRepository,
    Duration,
    GitUrl,
    OneOrManyUrls,
    OwnKind,
    RepositoryPath,
    Spec,
    Url,
    VersionText,
    _take_own,
)


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
