"""Dates of releases that a list does not tell: asked for those alone whose age matters.

A tag of git has its own date or that of its commit, an image or chart in a registry says when it was made. What
was found out of something that can't change is kept. A date that nobody meant, or that lies in the future, is none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from upstreamsync.config.spec import Releases
from upstreamsync.errors import NotFound
from upstreamsync.kit.http.oci import Oci
from upstreamsync.kit.store.cache import Cache
from upstreamsync.kit.store.dependencies import record_dependencies
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.model import Release
from upstreamsync.releases.answers import counted, json_document, timestamp
from upstreamsync.releases.github import repository_api

_NAMESPACE = "dates"


def dated(release: Release, spec: Releases, tools: Toolbox) -> Release:
    """The release with its date, where upstream tells one that counts; else as it was.

    Raises UpstreamsyncError where upstream does not answer.
    """
    if release.published is not None:
        return release
    try:
        at = _date(release, spec, tools)
    except NotFound:  # a tag that stands on no commit, an image that is gone
        return release
    return believed(replace(release, published=at), tools.now) if at is not None else release


def believed(release: Release, now: datetime) -> Release:
    """Without its date where that lies in the future: it says nothing, and would hold the release until then."""
    if release.published is None or release.published <= now:
        return release
    return replace(release, published=None)


def can_be_asked(spec: Releases) -> bool:
    """Whether this kind of upstream tells dates of single releases."""
    if spec.kind == "helm":
        return spec.helm is not None and spec.helm.repository.startswith("oci://")
    return spec.kind in ("git", "branch", "github_tags", "oci")


def _date(release: Release, spec: Releases, tools: Toolbox) -> datetime | None:
    match spec.kind:
        case "git":
            name = f"refs/tags/{release.ref}" if spec.ref is None else f"{release.commit}"
            return _of_git(f"{spec.git}", name, release, tools)
        case "branch" if spec.branch is not None:
            return _of_git(spec.branch.repository, f"{release.commit}", release, tools)
        case "github_tags" if release.commit:
            url = f"{repository_api(f'{spec.github_tags}', tools)}/commits/{release.commit}"
            return _kept(tools.cache, url, lambda: _of_github(url, tools))
        case "oci":
            # With a `ref` of its own the release's ref is upstream's; the version is the tag then.
            return _of_registry(f"{spec.oci}", release.ref if spec.ref is None else release.version, tools)
        case "helm" if spec.helm is not None and can_be_asked(spec):
            where = f"{spec.helm.repository.removeprefix('oci://').rstrip('/')}/{spec.helm.chart}"
            return _of_registry(where, release.ref, tools)
    return None


def _of_git(url: str, name: str, release: Release, tools: Toolbox) -> datetime | None:
    if release.commit is None:
        return None
    key = f"{url} {name} {release.commit}"
    at = _kept(tools.cache, key, lambda: tools.git.date_of(url, name))
    return counted(at) if at is not None else None


def _of_github(url: str, tools: Toolbox) -> datetime | None:
    document = json_document(tools.http.get(url, allow_http=tools.allow_http), numbers_as_text=False)
    commit = document.get("commit") if isinstance(document, dict) else None
    committer = commit.get("committer") if isinstance(commit, dict) else None
    return timestamp(committer.get("date")) if isinstance(committer, dict) else None


def _of_registry(where: str, tag: str, tools: Toolbox) -> datetime | None:
    """The first date that counts of all that are told. Not kept: a tag may be moved to something new."""
    told = Oci(tools.http, allow_http=tools.allow_http).created(where, tag)
    return next((at for said in told if (at := timestamp(said)) is not None), None)


def _kept(cache: Cache, key: str, ask: Callable[[], datetime | None]) -> datetime | None:
    """A date that can't change: what was asked for it, nobody need ask again."""
    known = cache.get(_NAMESPACE, key)
    if known is None:
        with record_dependencies():
            at = ask()
        known = at.isoformat().encode() if at is not None else b""
        cache.put(_NAMESPACE, key, known)
    cache.relied_on(_NAMESPACE, key, known)
    return timestamp(known.decode("ascii", "replace"))
