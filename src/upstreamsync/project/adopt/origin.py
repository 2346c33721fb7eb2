"""Which version a copy was made from: by its content, over all versions on offer, and by its own history."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from upstreamsync.adopt.matching import Candidate, Manifest, Ranking, distance, rank
from upstreamsync.errors import HandEdited, NotFound, Unreachable, UpstreamError, UpstreamsyncError
from upstreamsync.kit.kubernetes.objects import leaves
from upstreamsync.kit.run.threads import ordered_map
from upstreamsync.model import Release

#: So many versions are looked at one by one; of more, some first, then those around the nearest.
_ALL = 40
_AROUND = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What the search works with.

    ``objects`` are those of the copy now, ``earlier`` those of each of its commits, newest first; a version
    that was published after ``changed`` can't be its origin. ``content`` gives what a version ships.
    """

    objects: Sequence[Manifest]
    earlier: Sequence[Sequence[Manifest]]
    declared: str | None
    changed: datetime | None
    content: Callable[[Release], Sequence[Manifest]]
    jobs: int = 4


def find_version(releases: Sequence[Release], search: Search) -> tuple[Ranking, Mapping[str, Release]]:
    """Rank the releases by how far the copy is from them.

    Raises HandEdited when none can be compared, Unreachable when one that did not answer may be nearer.
    """
    possible = [one for one in releases if not _is_younger(one, search.changed)] or list(releases)
    found: dict[str, Candidate] = {}
    failed: dict[str, UpstreamsyncError] = {}
    texts = _texts(search.objects)
    for chosen in (partial(_first, possible, search.declared, texts), partial(_near, possible, found)):
        waiting = [one for one in chosen() if one.version not in found and one.version not in failed]
        outcomes = ordered_map(lambda one: _candidate(one, search, texts), waiting, search.jobs)
        for release, outcome in zip(waiting, outcomes, strict=True):
            candidate = outcome.get()
            if isinstance(candidate, Candidate):
                found[release.version] = candidate
            elif not isinstance(candidate, NotFound):  # a version without these files can't be the origin
                failed[release.version] = candidate
    if not found:
        _refuse_silent(failed)
        raise HandEdited(
            "none of the versions on offer could be fetched to compare with",
            hint="name the version: --version VERSION",
        )
    order = [one.version for one in possible]
    ranking = rank(sorted(found.values(), key=lambda one: order.index(one.version)), declared=search.declared)
    if not ranking.best.exact and ranking.best.distance.differing:
        _refuse_silent(failed)
    skipped = tuple(f"{version}: {error.message}" for version, error in failed.items())
    return replace(ranking, skipped=skipped), {one.version: one for one in possible}


def _refuse_silent(failed: Mapping[str, UpstreamsyncError]) -> None:
    """Raise where upstream did not answer for a version: nothing says how near that one is."""
    silent = {version: error for version, error in failed.items() if isinstance(error, UpstreamError)}
    if silent:
        first = next(iter(silent.values()))
        raise Unreachable(
            f"{', '.join(list(silent)[:5])} could not be fetched to compare with: {first.message}",
            hint="run it again, or say which version it is: --version VERSION",
        )


def _is_younger(release: Release, changed: datetime | None) -> bool:
    return changed is not None and release.published is not None and release.published > changed


def _candidate(release: Release, search: Search, texts: frozenset[str]) -> Candidate | UpstreamsyncError:
    try:
        content = search.content(release)
    except UpstreamsyncError as error:
        return error
    exact = any(distance(content, objects).differing == 0 for objects in search.earlier)
    return Candidate(
        version=release.version,
        distance=distance(content, search.objects),
        claimed=tuple(sorted(text for text in texts if _names(text, release.version)))[:3],
        exact=exact,
    )


_CLAIMING = ("image", "app.kubernetes.io/version", "helm.sh/chart", "chart", "version")


def _texts(objects: Sequence[Manifest]) -> frozenset[str]:
    """What in a copy may speak for a version: images, and labels that name one."""
    return frozenset(
        str(value)
        for one in objects
        if one.get("kind") != "CustomResourceDefinition"
        for path, value in leaves(one)
        if path and path[-1] in _CLAIMING and isinstance(value, str)
    )


def _names(text: str, version: str) -> bool:
    bare = re.escape(re.sub(r"^[a-zA-Z-]*", "", version))
    return bool(bare) and re.search(rf"(?<![\d.]){bare}(?![\d.]*\d)", text) is not None


def _first(releases: Sequence[Release], declared: str | None, texts: frozenset[str]) -> list[Release]:
    if len(releases) <= _ALL:
        return list(releases)
    step = len(releases) // (_ALL // 2)
    named = [
        one for one in releases if one.version == declared or any(_names(text, one.version) for text in texts)
    ]
    return list({one.version: one for one in (*named[: _ALL // 2], *releases[::step])}.values())


def _near(releases: Sequence[Release], found: Mapping[str, Candidate]) -> list[Release]:
    """Those around the nearest so far."""
    if len(releases) <= _ALL or not found:
        return []
    best = min(found.values(), key=lambda one: one.distance.differing).version
    at = next(number for number, one in enumerate(releases) if one.version == best)
    around = max(_AROUND, len(releases) // (_ALL // 2))
    return list(releases[max(0, at - around) : at + around + 1])
