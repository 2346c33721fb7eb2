"""Where to read about a release: its page, and the forge's comparison with the version before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from upstreamsync.config.spec import Releases, Vendor
from upstreamsync.kit.templates import fill, version_values
from upstreamsync.model import Change

_GITHUB_PAGE: Final = re.compile(r"^(https://[^/]+/[^/]+/[^/]+)/releases/tag/(.+)$")
_GITLAB_PAGE: Final = re.compile(r"^(https://[^/]+/.+?)/-/(?:releases|tags)/(.+)$")
_REPOSITORY: Final = re.compile(
    r"^(?:https?://(?:[^@/]+@)?|ssh://git@|git@)(github\.com|gitlab\.com|gitlab\.[^/:]+)[/:](.+?)(?:\.git)?/?$"
)


#: Files of a repository's releases, archives and trees, as github.com serves them.
_FILE_AT_GITHUB: Final = re.compile(
    r"^https://(?:github\.com|raw\.githubusercontent\.com|codeload\.github\.com)/([\w.-]+/[\w.-]+)/"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Addresses, or None where they can't be derived."""

    release: str | None = None
    compare: str | None = None


def links_of(change: Change, vendor: Vendor | None) -> Links:
    """The links of one vendor's step, from the feed's page or the repository that its versions come from."""
    release = change.release
    page = release.page if release is not None else None
    ref = release.ref if release is not None else change.after
    repository = _repository(page, vendor)
    if repository is None:
        return Links(release=page)
    old = _old_ref(ref, change) or _by_template(ref, change, vendor)
    if page is None and "github" in _host(repository) and _is_release(vendor, repository):
        page = f"{repository}/releases/tag/{quote(ref)}"
    if old is None or old == ref:
        return Links(release=page)
    middle = "/-/compare" if "gitlab" in _host(repository) else "/compare"
    return Links(release=page, compare=f"{repository}{middle}/{quote(old)}...{quote(ref)}")


def _host(repository: str) -> str:
    return repository.split("/")[2]


def _is_release(vendor: Vendor | None, repository: str) -> bool:
    """Whether the ref is that of a release: the feed lists releases, or its files are attached to one."""
    if vendor is None:
        return False
    if vendor.releases is not None and vendor.releases.github is not None:
        return True
    return any(url.startswith(f"{repository}/releases/download/") for url in _addresses(vendor))


def _repository(page: str | None, vendor: Vendor | None) -> str | None:
    for pattern in (_GITHUB_PAGE, _GITLAB_PAGE):
        if page and (match := pattern.match(page)):
            return match[1]
    if vendor is None:
        return None
    releases = vendor.releases
    if releases is not None and (name := releases.github or releases.github_tags):
        return f"https://{name}" if name.count("/") > 1 else f"https://github.com/{name}"
    urls = [releases.git] if releases is not None and releases.git else []
    for source in vendor.source:
        for part in (source.git, source.kustomize):
            urls += [part.repository] if part is not None else []
        urls += [source.helm.git] if source.helm is not None and source.helm.git else []
    for url in urls:
        if match := _REPOSITORY.match(url):
            return f"https://{match[1]}/{match[2]}"
    for url in _addresses(vendor):
        if match := _FILE_AT_GITHUB.match(url):
            return f"https://github.com/{match[1]}"
    return None


def _addresses(vendor: Vendor) -> Iterator[str]:
    """The addresses of files that a vendor's content comes from."""
    for source in vendor.source:
        if isinstance(source.url, str):
            yield source.url
        elif source.url is not None:
            yield from source.url.values()
        if source.archive is not None:
            yield source.archive.url
        if source.docs is not None:
            yield source.docs.url


def _old_ref(ref: str, change: Change) -> str | None:
    """The old version's ref, written as the new one is: ``app-v1.13.2`` beside ``app-v1.15.0``."""
    for new, old in (
        (change.after, change.before),
        (change.after.removeprefix("v"), change.before.removeprefix("v")),
    ):
        if new and ref.count(new) == 1:
            return ref.replace(new, old)
    return None


def _by_template(ref: str, change: Change, vendor: Vendor | None) -> str | None:
    """The old ref where it is made from the version: an own image's 1.8.3.3 stands for upstream's v1.8.3."""
    feed = vendor.releases if vendor is not None else None
    if feed is None or feed.ref is None:
        return None
    try:
        made = fill(feed.ref, _values(change.after, feed))
        return fill(feed.ref, _values(change.before, feed)) if made == ref else None
    except KeyError:
        return None


def _values(version: str, feed: Releases) -> dict[str, str]:
    """What a version alone can fill of a template: the groups of ``tag``, too, where it matches the version."""
    match = re.fullmatch(feed.tag, version) if feed.tag is not None else None
    return {**version_values(version), **(match.groupdict(default="") if match is not None else {})}
