"""Choosing where age counts: dates are asked for where they decide, and first sights noted where there are none."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from upstreamsync.config.spec import Releases
from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.kit.versions import parse
from upstreamsync.model import Release
from upstreamsync.releases import feed_key, first_seen, policy
from upstreamsync.releases.comparable import is_newer
from upstreamsync.releases.dates import believed, can_be_asked, dated
from upstreamsync.releases.policy import Choice, Policy

#: How many releases of one feed are asked for their dates in one run; the others wait by their first sight.
MOST_ASKED = 12
#: After so many without any, the others will have none either.
MOST_WITHOUT = 3


def choose_by_age(
    spec: Releases, releases: Sequence[Release], wishes: Policy, tools: Toolbox
) -> tuple[tuple[Release, ...], Choice, datetime | None]:
    """The releases with the dates that decided, the choice, and until when the clock leaves it as it is."""
    waits = wishes.cooldown > timedelta()
    known = tuple(believed(one, tools.now) for one in releases) if waits else tuple(releases)
    arguments = arguments_of(wishes, spec, known, tools)
    choice = policy.choose(**arguments)
    without: set[str] = set()
    for _ in range(MOST_ASKED if waits and can_be_asked(spec) else 0):
        held = _held_for_want_of_a_date(choice, known, without)
        if held is None or len(without) == MOST_WITHOUT:
            break
        try:
            with_date = dated(held, spec, tools)
        except UpstreamsyncError:
            break  # not today: their first sight counts, as for any other
        if with_date.published is None:
            without.add(held.version)
            continue
        known = tuple(with_date if one is held else one for one in known)
        arguments = {**arguments, "releases": known}
        choice = policy.choose(**arguments)
    _remember(spec, known, wishes, arguments["first_seen"], tools)
    return known, choice, _until(arguments)


def arguments_of(
    wishes: Policy, spec: Releases, releases: Sequence[Release], tools: Toolbox
) -> dict[str, Any]:
    """What ``policy`` is asked with."""
    return {
        "releases": releases,
        "current": wishes.current,
        "follow": wishes.follow,
        "cooldown": wishes.cooldown,
        "scheme": wishes.scheme,
        "now": wishes.now,
        "first_seen": first_seen.record(
            tools.cache, feed_key(spec), releases, tools.now, tools.first_sights if wishes.cooldown else None
        ),
    }


def _held_for_want_of_a_date(
    choice: Choice, releases: Sequence[Release], without: Collection[str]
) -> Release | None:
    """The newest release that is too young by nothing but its first sight, and not known to have no date."""
    by_version = {release.version: release for release in releases}
    for one in choice.passed_over:
        release = by_version.get(one.version)
        if one.until is None or release is None or one.version in without:
            continue
        if release.published is None:
            return release
    return None


def _remember(
    spec: Releases, releases: Sequence[Release], wishes: Policy, seen: Mapping[str, datetime], tools: Toolbox
) -> None:
    """Tell the repository's memory of versions that may still be moved to, and have no date of their own."""
    sights, here = tools.first_sights, parse(wishes.current, wishes.scheme)
    if sights is None or wishes.cooldown <= timedelta():
        return
    undated = {release.version for release in releases if release.published is None}
    feed = first_seen.named(feed_key(spec))
    candidates = {**sights.of(feed), **{version: at for version, at in seen.items() if version in undated}}
    times = {
        version: at
        for version, at in candidates.items()
        if here is None or ((found := parse(version, wishes.scheme)) is not None and is_newer(found, here))
    }
    if times or sights.of(feed):
        fresh = {version: at for version, at in times.items() if version in undated}
        sights.saw(feed, times, began=first_seen.began_now(fresh, tools.now))


def _until(arguments: Mapping[str, Any]) -> datetime | None:
    return policy.holds_until(
        arguments["releases"],
        cooldown=arguments["cooldown"],
        now=arguments["now"],
        first_seen=arguments["first_seen"],
    )
