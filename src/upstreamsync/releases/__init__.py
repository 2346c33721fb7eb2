"""Which versions exist. A feed says what upstream offers, ``policy`` chooses, and neither knows the other.

A feed is a function: it is given ``releases:`` of a vendor and the run's tools, and yields pages of
releases, as upstream lists them (``version`` and ``ref`` both upstream's own spelling). What the user
declares for all feeds (``tag``, ``ref``, ``app_version``) is applied here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol

from upstreamsync.config.spec import HelmReleases, Releases, Vendor
from upstreamsync.errors import NotFound, UsageError
from upstreamsync.kit.store import dependencies
from upstreamsync.kit.templates import PLACEHOLDERS, fill, version_values
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.kit.versions import parse
from upstreamsync.model import Release
from upstreamsync.releases import (
    branch,
    git_tags,
    github,
    github_tags,
    helm_index,
    json_feed,
    oci,
    page,
)


class Feed(Protocol):
    """What upstream offers, page by page; most feeds have one page. Raises UpstreamError's family."""

    def __call__(self, spec: Releases, tools: Toolbox) -> Iterable[Sequence[Release]]:
        """Yield the pages, the newest releases first where upstream has an order."""
        ...


#: Kind in ``releases:`` → feed. Pass a mapping of your own to ``fetch_releases`` for others.
FEEDS: Mapping[str, Feed] = MappingProxyType(
    {
        "github": github.feed,
        "github_tags": github_tags.feed,
        "git": git_tags.feed,
        "helm": helm_index.feed,
        "oci": oci.feed,
        "page": page.feed,
        "json": json_feed.feed,
        "branch": branch.feed,
    }
)


def effective_releases(vendor: Vendor) -> Releases:
    """``releases:`` of a vendor, or what its first source implies: a chart's versions, a repository's tags.

    Raises UsageError when nothing says where versions come from.
    """
    if vendor.releases is not None:
        return vendor.releases
    for source in vendor.source:
        if source.helm is not None:
            if source.helm.git is not None:
                return Releases(git=source.helm.git)
            if source.helm.repository is not None and source.helm.chart is not None:
                return Releases(helm=HelmReleases(repository=source.helm.repository, chart=source.helm.chart))
        if source.git is not None:
            return Releases(git=source.git.repository)
        if source.kustomize is not None:
            return Releases(git=source.kustomize.repository)
    raise UsageError(
        f"`{vendor.name}` does not say where versions come from",
        hint="add `releases`: github, github_tags, git, helm, oci, page, json or branch",
    )


def feed_key(spec: Releases) -> str:
    """A name for a feed that is the same in every run: for ``first_seen``."""
    return json.dumps(spec.model_dump(mode="json", by_alias=True, exclude_defaults=True), sort_keys=True)


def version_of(spec: Releases, tag: str) -> str:
    """The version that a tag in use stands for: what the ``tag`` pattern takes out of it, else the tag."""
    match = re.fullmatch(spec.tag, tag) if spec.tag is not None else None
    return match["version"] if match is not None and match["version"] else tag


def announce(vendors: Iterable[Vendor], tools: Toolbox) -> None:
    """Say of which vendors the releases will be asked for: what several of them share is read once."""
    for vendor in vendors:
        if vendor.releases is None and not vendor.source:
            continue
        with suppress(UsageError):
            helm_index.announce(effective_releases(vendor), tools)


def fetch_releases(
    spec: Releases,
    tools: Toolbox,
    *,
    registry: Mapping[str, Feed] = FEEDS,
    enough: Callable[[Sequence[Release]], bool] | None = None,
) -> tuple[Release, ...]:
    """Everything that upstream offers, in upstream's order, each version once.

    With ``enough`` a feed that comes in pages is read no further than needed (see ``policy.enough_for``).
    Raises UpstreamError's family; NotFound also when no tag matches the ``tag`` pattern.
    """
    found: list[Release] = []
    seen: list[str] = []
    pages = _feed(spec, tools, registry)(spec, tools)
    single = isinstance(pages, Sequence) and len(pages) == 1
    for listed in pages:
        seen += (release.version for release in listed)
        found += _shaped(listed, spec)
        if not single and enough is not None and enough(found):
            break
    if not found:
        raise _nothing(spec, seen)
    once = _each_once(found)
    if not single and len(once) < len(found):
        dependencies.doubt()  # what was dropped may have decided how far the pages were read
    return once


def _feed(spec: Releases, tools: Toolbox, registry: Mapping[str, Feed]) -> Feed:
    if spec.own is None:
        return registry[spec.kind]
    feed: Feed | None = tools.own_feeds.get(spec.kind)
    if feed is None:
        raise UsageError(
            f"nothing is registered for releases of kind `{spec.kind}`",
            hint=f"registered: {', '.join(sorted({*registry, *tools.own_feeds}))}",
        )
    dependencies.doubt()  # what it asks, and of whom, is its own matter: it can't be asked again from here
    return feed


def _shaped(listed: Sequence[Release], spec: Releases) -> Iterator[Release]:
    """The releases that the ``tag`` pattern admits, with their version, groups and upstream ref."""
    pattern = re.compile(spec.tag) if spec.tag is not None else None
    for release in listed:
        shaped = release
        if spec.app_version:
            if not release.app_version:
                continue
            shaped = replace(shaped, version=release.app_version)
        if pattern is not None:
            match = pattern.fullmatch(shaped.version)
            if match is None or not match["version"]:
                continue
            groups = match.groupdict(default="")
            shaped = replace(shaped, version=match["version"], groups=groups)
        if spec.ref is not None:
            shaped = replace(shaped, ref=fill(spec.ref, _values(release, shaped)))
        yield shaped


def _values(raw: Release, shaped: Release) -> Mapping[str, str]:
    """What fills the ``ref`` template; what upstream does not say is empty."""
    return {
        **dict.fromkeys(PLACEHOLDERS, ""),
        **version_values(shaped.version),
        "app_version": raw.app_version or "",
        "commit": raw.commit or "",
        "digest": raw.digest or "",
        "ref": raw.ref,
        "tag": raw.version,
        **shaped.groups,
    }


def _each_once(found: Sequence[Release]) -> tuple[Release, ...]:
    """Of several releases of one version the one with the newest ref, so of several charts the newest.

    One that upstream advises against gives way to one that it does not.
    """
    best: dict[str, Release] = {}
    for release in found:
        known = best.get(release.version)
        if known is None or _standing(release) > _standing(known):
            best[release.version] = release
    return tuple(best.values())


def _standing(release: Release) -> tuple[bool, bool, tuple[bool, object], str]:
    version = parse(release.ref, "semver")
    order = (version is not None, version.precedence if version is not None else 0)
    return release.note is None, not release.prerelease, order, release.ref


def _nothing(spec: Releases, seen: Sequence[str]) -> NotFound:
    where = {"github_tags": "GitHub's tags", "github": "GitHub's releases"}.get(spec.kind, f"`{spec.kind}`")
    if not seen:
        return NotFound(f"{where}: nothing is on offer there", hint="check the address under `releases`")
    examples = ", ".join(f"`{text}`" for text in seen[:3])
    if spec.app_version:
        return NotFound(
            f"{where}: no chart has an appVersion that fits",
            hint="drop `app_version`, or check the `tag` pattern",
        )
    return NotFound(
        f"{where}: none of {len(seen)} tags matches `{spec.tag}`",
        hint=f"there are for instance {examples}; the pattern has to match a whole tag",
    )
