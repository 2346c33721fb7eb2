"""Where to read about a release: its page, and the forge's comparison with the version before."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from upstreamsync.config.spec import Vendor
from upstreamsync.model import Change

_GITHUB_PAGE: Final = re.compile(r"^(https://[^/]+/[^/]+/[^/]+)/releases/tag/(.+)$")
_GITLAB_PAGE: Final = re.compile(r"^(https://[^/]+/.+?)/-/(?:releases|tags)/(.+)$")
_REPOSITORY: Final = re.compile(
    r"^(?:https?://(?:[^@/]+@)?|ssh://git@|git@)(github\.com|gitlab\.com|gitlab\.[^/:]+)[/:](.+?)(?:\.git)?/?$"
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
    old = _old_ref(ref, change)
    if page is None and "github" in _host(repository) and _is_release(vendor):
        page = f"{repository}/releases/tag/{quote(ref)}"
    if old is None or old == ref:
        return Links(release=page)
    middle = "/-/compare" if "gitlab" in _host(repository) else "/compare"
    return Links(release=page, compare=f"{repository}{middle}/{quote(old)}...{quote(ref)}")


def _host(repository: str) -> str:
    return repository.split("/")[2]


def _is_release(vendor: Vendor | None) -> bool:
    return vendor is not None and vendor.releases is not None and vendor.releases.github is not None


def _repository(page: str | None, vendor: Vendor | None) -> str | None:
    for pattern in (_GITHUB_PAGE, _GITLAB_PAGE):
        if page and (match := pattern.match(page)):
            return match[1]
    if vendor is None:
        return None
    releases = vendor.releases
    if releases is not None and (name := releases.github or releases.github_tags):
        return f"https://github.com/{name}"
    urls = [releases.git] if releases is not None and releases.git else []
    for source in vendor.source:
        for part in (source.git, source.kustomize):
            urls += [part.repository] if part is not None else []
        urls += [source.helm.git] if source.helm is not None and source.helm.git else []
    for url in urls:
        if match := _REPOSITORY.match(url):
            return f"https://{match[1]}/{match[2]}"
    return None


def _old_ref(ref: str, change: Change) -> str | None:
    """The old version's ref, written as the new one is: ``app-v1.13.2`` beside ``app-v1.15.0``."""
    for new, old in (
        (change.after, change.before),
        (change.after.removeprefix("v"), change.before.removeprefix("v")),
    ):
        if new and ref.count(new) == 1:
            return ref.replace(new, old)
    return None
