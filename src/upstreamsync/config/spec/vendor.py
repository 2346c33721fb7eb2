"""A vendor, and what has to follow its version."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Literal

from pydantic import (
    Field,
    model_validator,
)

from upstreamsync.config.spec.releases import Follow, Releases
from upstreamsync.config.spec.source import Source
from upstreamsync.config.spec.types import (
    Duration,
    Regex,
    RepositoryPath,
    Scheme,
    Spec,
    TagPattern,
    VersionText,
)


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
