"""Whether upstream now gives other content for the very version that the lock describes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from upstreamsync.config.spec import Releases, Source, Vendor
from upstreamsync.errors import NotFound
from upstreamsync.kit.redact import redact
from upstreamsync.kit.templates import placeholders
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.lock import Lock
from upstreamsync.model import Release
from upstreamsync.sources.job import Job

#: Placeholders that leave the content of an address open to change while the version stays.
_VAGUE = frozenset({"major", "minor", "app_version"})


def is_republished(vendor: Vendor, spec: Releases, releases: Sequence[Release], lock: Lock | None) -> bool:
    """Whether the feed says of the locked version that it is another commit, or another chart."""
    release = _locked_release(vendor, releases, lock)
    if release is None or lock is None:
        return False
    return _other_commit(vendor, spec, release, lock) or _other_chart(vendor, release, lock)


def has_drifted(vendor: Vendor, releases: Sequence[Release], lock: Lock | None, tools: Toolbox) -> bool:
    """Whether something else stands at an address that does not name the whole version.

    ``…/v{major}.{minor}/…`` is asked each time; other addresses are trusted to stay, and held against the
    lock when they are fetched. Raises as ``Http.get``, but for what is gone.
    """
    release = _locked_release(vendor, releases, lock)
    return release is not None and lock is not None and _drifted(vendor, release, lock, tools)


def _locked_release(vendor: Vendor, releases: Sequence[Release], lock: Lock | None) -> Release | None:
    """The very version that the lock describes."""
    if lock is None or lock.version != vendor.version:
        return None
    return next((one for one in releases if one.version == vendor.version), None)


def _other_commit(vendor: Vendor, spec: Releases, release: Release, lock: Lock) -> bool:
    """The tag moved. Of a vendor's repositories only that one is meant which the versions come from."""
    if not release.commit:
        return False
    for source in vendor.source:
        repository = _repository(source)
        if repository is None or not _is_feed(repository, spec):
            continue
        location = f"{redact(repository)}@{release.ref}"
        digests = {one.digest for one in lock.sources if one.location == location}
        if digests and f"git:{release.commit}" not in digests:
            return True
    return False


def _repository(source: Source) -> str | None:
    kind = source.git or source.kustomize
    if kind is not None:
        return kind.repository if kind.ref is None else None
    return source.helm.git if source.helm is not None else None


def _is_feed(repository: str, spec: Releases) -> bool:
    name = repository.removesuffix("/").removesuffix(".git")
    followed = spec.git or (spec.branch.repository if spec.branch is not None else None)
    if followed is not None:
        return followed.removesuffix("/").removesuffix(".git") == name
    owned = spec.github_tags or spec.github
    return owned is not None and name.lower().endswith("/" + "/".join(owned.lower().split("/")[-2:]))


def _other_chart(vendor: Vendor, release: Release, lock: Lock) -> bool:
    """The repository's index gives another digest for the chart's version."""
    if not release.digest or not lock.sources or len(vendor.source) != 1 or vendor.source[0].helm is None:
        return False
    digest = release.digest if ":" in release.digest else f"sha256:{release.digest}"
    return digest not in {source.digest for source in lock.sources}


def _drifted(vendor: Vendor, release: Release, lock: Lock, tools: Toolbox) -> bool:
    """What stands at an address that does not name the whole version is not what was vendored."""
    locked = {one.location: one.digest for one in lock.sources if one.kind in ("url", "archive", "docs")}
    for source in vendor.source:
        job = Job(source=source, release=release, vendor=vendor, tools=tools)
        for template in _drifting(source):
            url = job.fill(template, source.kind)
            before = locked.get(redact(url))
            if before is None:
                continue
            try:
                if tools.http.get(url, allow_http=tools.allow_http).digest != before:
                    return True
            except NotFound:  # upstream took it away; the feed says whether the version is withdrawn
                continue
    return False


def _drifting(source: Source) -> Iterator[str]:
    """The addresses of a source that stay while versions go by."""
    urls: list[str] = []
    if isinstance(source.url, str):
        urls = [source.url]
    elif source.url is not None:
        urls = list(source.url.values())
    elif source.archive is not None:
        urls = [source.archive.url]
    elif source.docs is not None:
        urls = [source.docs.url]
    yield from (url for url in urls if _VAGUE.issuperset(placeholders(url)))
