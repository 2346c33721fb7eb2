"""The whole file: tools, forge, checks, and the vendors."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
    field_validator,
)

from upstreamsync.config.spec.types import Duration, Spec, ToolVersion
from upstreamsync.config.spec.vendor import Vendor, VendorOptions
from upstreamsync.kit.http.inside import named


class Tools(Spec):
    """Versions of the engines, for `doctor --install` and for renders that everyone can repeat."""

    helm: ToolVersion | None = None
    """Version of helm, as `4.1.4`."""
    kustomize: ToolVersion | None = None
    """Version of kustomize, as `5.7.1`."""


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
    dashboard: bool = False
    """Keep one issue with the state of all vendors, and boxes to tick: rebuild, take now, ignore this version."""
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


class Promotion(Spec):
    """A branch that follows another one: what `upstreamsync promote` keeps a pull request open for."""

    from_: str = Field(alias="from", min_length=1, max_length=200)
    """The branch that changes come from."""
    to: str = Field(min_length=1, max_length=200)
    """The branch that they go to."""
    soak: Duration = timedelta(0)
    """How long a commit has to have been on the first branch."""
    checks: tuple[str, ...] | None = None
    """Names of the checks and statuses that have to be green on the commit (`*` stands for any text). Default: all
    that it has, and at least one; `[]`: none has to."""
    labels: tuple[str, ...] = ()
    """Labels to set."""
    reviewers: tuple[str, ...] = ()
    """Users, or ``org/team``."""
    assignees: tuple[str, ...] = ()
    """Users."""


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
    promote: tuple[Promotion, ...] = ()
    """Environment branches that follow one another; see `upstreamsync promote`."""
    kustomize: KustomizeBuild = KustomizeBuild()
    """How overlays are built and judged."""
    allow_hosts: tuple[HostText, ...] = ()
    """Hosts that may lie on this machine or in its network although upstream alone names them (in an index, a
    redirect, a token's realm): `host`, `host:port` or `*.example.com`. Hosts written in this file always may."""
    defaults: VendorOptions = VendorOptions()
    """Any vendor field but name and source, for all vendors."""
    vendors: tuple[Vendor, ...]
    """The vendors."""
