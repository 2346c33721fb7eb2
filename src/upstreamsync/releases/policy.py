"""Which version to move to, and why to no other: one policy for every kind of feed.

Pure. Order is by version alone, never by date: maintenance releases appear after newer ones, and a chart
after the controller that shares its repository.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from upstreamsync.config.spec import Follow
from upstreamsync.kit.constraints import parse_constraint
from upstreamsync.kit.versions import Version, parse
from upstreamsync.model import EMPTY, PassedOver, Release, Status
from upstreamsync.releases.comparable import is_newer, unlike, would_help

_DURATIONS = (("day", 86_400), ("hour", 3_600), ("minute", 60))
_LEVELS = ("patch", "minor", "major")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the policy says of one list of releases.

    ``candidates`` are acceptable, best first: who finds the files of the first one missing takes the next.
    ``newest`` is the newest stable version on offer, whatever the policy, but none that is older than the
    current one. ``passed_over`` has every version that is newer than the current one and not the first
    candidate, newest first; then those that another scheme would read as newer.
    """

    status: Status
    candidates: tuple[Release, ...] = ()
    newest: str | None = None
    passed_over: tuple[PassedOver, ...] = ()

    @property
    def target(self) -> Release | None:
        """What to move to, if anything."""
        return self.candidates[0] if self.candidates else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What holds for one list of releases: the user's wishes, the time, and what is vendored now."""

    current: str
    follow: Follow
    now: datetime
    cooldown: timedelta = timedelta()
    scheme: str = "semver"
    first_seen: Mapping[str, datetime] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    """A release whose version was understood."""

    release: Release
    version: Version


@dataclass(frozen=True, slots=True, kw_only=True)
class _No:
    """Why not; ``until`` when time alone changes it; ``line`` when the user keeps to a line of versions."""

    reason: str
    until: datetime | None = None
    line: bool = False


def choose(
    *,
    releases: Sequence[Release],
    current: str,
    follow: Follow,
    now: datetime,
    cooldown: timedelta = timedelta(),
    scheme: str = "semver",
    first_seen: Mapping[str, datetime] = EMPTY,
) -> Choice:
    """Decide what ``current`` moves to.

    ``releases`` is all that upstream offers, or enough of it to contain ``current`` (see ``is_enough``).
    ``now`` is aware; ``first_seen`` tells when a version without a date was first on offer.

    Commits have no order of their own: of a list of commits the first is the newest. What is no version of
    the scheme can't be newer; ``explain`` lists it. A current version that is none is to be refused before
    (see ``comparable``): nothing can be said of what is newer.
    """
    policy = Policy(
        current=current, follow=follow, now=now, cooldown=cooldown, scheme=scheme, first_seen=first_seen
    )
    if releases and all(_is_commit(one.version) for one in releases):
        return _choose_listed(releases, policy)
    here = parse(current, scheme)
    offers, unreadable = _understood(releases, scheme)
    known = any(one.version == current for one in releases)
    if here is None:
        return Choice(
            status=Status.UP_TO_DATE if known else Status.WITHDRAWN,
            passed_over=tuple(
                PassedOver(version=offer.release.version, reason=_why_behind(offer, None, current))
                for offer in offers
            ),
        )
    known = known or any(offer.version.same_as(here) for offer in offers)
    newer = [offer for offer in offers if is_newer(offer.version, here)]
    fuller = _fuller_forms(offers, here, newer)
    judged = [(offer, _objection(offer, here, fuller, policy)) for offer in newer]
    wanted = [offer for offer, objection in judged if objection is None]
    passed = [
        PassedOver(
            version=offer.release.version,
            reason=objection.reason if objection else f"superseded by {wanted[0].release.version}",
            until=objection.until if objection else None,
        )
        for offer, objection in judged
        if objection is not None or offer is not wanted[0]
    ]
    too_young = any(objection is not None and objection.until is not None for _, objection in judged)
    return Choice(
        status=_status(known=known, wanted=bool(wanted), pending=too_young),
        candidates=tuple(offer.release for offer in wanted),
        newest=_newest(newer, here, policy) or (current if known else None),
        passed_over=(*passed, *_better_read(unreadable, policy)),
    )


def explain(
    *,
    releases: Sequence[Release],
    current: str,
    follow: Follow,
    now: datetime,
    cooldown: timedelta = timedelta(),
    scheme: str = "semver",
    first_seen: Mapping[str, datetime] = EMPTY,
) -> tuple[PassedOver, ...]:
    """What ``choose`` thinks of every version on offer, older ones included, newest first."""
    choice = choose(
        releases=releases, current=current, follow=follow, now=now,
        cooldown=cooldown, scheme=scheme, first_seen=first_seen,
    )  # fmt: skip
    said = {one.version: one for one in choice.passed_over}
    if choice.target is not None:
        said[choice.target.version] = PassedOver(
            version=choice.target.version, reason="the version to move to"
        )
    said.setdefault(current, PassedOver(version=current, reason="the current version"))
    offers, unreadable = _understood(releases, scheme)
    here = parse(current, scheme)
    ordered: dict[str, PassedOver] = {}
    if here is not None and all(offer.release.version != current for offer in offers):
        offers = [*offers, _Offer(release=Release(version=current, ref=current), version=here)]
        offers.sort(key=lambda offer: offer.version, reverse=True)
        said[current] = PassedOver(version=current, reason="the current version, which is not on offer")
    for offer in offers:
        version = offer.release.version
        ordered[version] = said.get(version) or PassedOver(
            version=version, reason=_why_behind(offer, here, current)
        )
    for one in unreadable:
        ordered.setdefault(one.version, said.get(one.version, one))
    return tuple(ordered.values())


def is_enough(releases: Sequence[Release], policy: Policy) -> bool:
    """Whether a feed that comes in pages, newest first, need not be read any further.

    The current version has to be there. When newer versions are there, but the user keeps to a line of
    older ones, the next of that line may stand behind what other lines have released meanwhile.
    """
    here = parse(policy.current, policy.scheme)
    offers, _ = _understood(releases, policy.scheme)
    if here is None or not any(offer.version.same_as(here) for offer in offers):
        return False
    newer = [offer for offer in offers if is_newer(offer.version, here)]
    fuller = _fuller_forms(offers, here, newer)
    objections = [_objection(offer, here, fuller, policy) for offer in newer]
    return any(no is None for no in objections) or not any(no is not None and no.line for no in objections)


def enough_for(policy: Policy) -> Callable[[Sequence[Release]], bool]:
    """``is_enough`` for a feed."""
    return lambda releases: is_enough(releases, policy)


def holds_until(
    releases: Sequence[Release], *, cooldown: timedelta, now: datetime, first_seen: Mapping[str, datetime]
) -> datetime | None:
    """Up to when the time that passes changes nothing of what is said of these releases; None for ever.

    A release that is too young grows old enough, and before that the words for its age change.
    """
    if cooldown <= timedelta():
        return None
    moments = []
    for release in releases:
        since = release.published or seen_by(release, first_seen)
        if since is None:
            return now  # counted from each look anew
        if since + cooldown > now:
            moments.append(min(since + cooldown, _other_words(since, now)))
    return min(moments, default=None)


# -- parts -------------------------------------------------------------------------------------------


def _understood(releases: Sequence[Release], scheme: str) -> tuple[list[_Offer], tuple[PassedOver, ...]]:
    """The releases in order, newest first, and those that are no versions."""
    offers: list[_Offer] = []
    unreadable: list[PassedOver] = []
    for release in releases:
        version = parse(release.version, scheme)
        if version is None:
            unreadable.append(
                PassedOver(version=release.version, reason=f"not a version in the scheme {scheme}")
            )
        else:
            offers.append(_Offer(release=release, version=version))
    offers.sort(key=lambda offer: offer.version.sort_key(), reverse=True)
    return offers, tuple(unreadable)


def _early(offer: _Offer) -> bool:
    return offer.release.prerelease or offer.version.is_prerelease


def _newest(newer: Sequence[_Offer], here: Version, policy: Policy) -> str | None:
    """The newest stable one of the current version's line."""
    for offer in newer:
        if _early(offer) or offer.release.note is not None:
            continue
        if unlike(offer.version, here, policy.current) is None:
            return offer.release.version
    return None


def _better_read(unreadable: Sequence[PassedOver], policy: Policy) -> list[PassedOver]:
    """Those that are no versions of the scheme, and would be newer ones in another."""
    return [
        PassedOver(version=one.version, reason=f"{one.reason}; `scheme: loose` reads it, as a newer one")
        for one in unreadable
        if would_help(one.version, policy.scheme, policy.current)
    ]


def _status(*, known: bool, wanted: bool, pending: bool) -> Status:
    if not known:
        return Status.WITHDRAWN
    if wanted:
        return Status.OUTDATED
    return Status.PENDING if pending else Status.UP_TO_DATE


def _objection(
    offer: _Offer, here: Version, fuller: Mapping[tuple[int, ...], _Offer], policy: Policy
) -> _No | None:
    """The first reason not to take a version that is newer than the current one."""
    follow = policy.follow
    version, release = offer.version, offer.release
    if other := unlike(version, here, policy.current):
        return _No(reason=other)
    if exact := fuller.get(version.numbers):
        return _No(reason=f"says less than {exact.release.version}, and may move with it")
    early = follow.prereleases or _continues(version, here)
    if _early(offer) and not early:
        helps = not release.prerelease and would_help(release.version, policy.scheme, policy.current)
        return _No(reason="a prerelease" + (" in SemVer; to `scheme: loose` it is none" if helps else ""))
    if release.note is not None:
        return _No(reason=release.note)
    ignored = _ignored_by(version, release.version, follow.ignore, policy.scheme)
    if ignored is not None:
        shown = "" if ignored == release.version else f" ({ignored})"
        return _No(reason=f"ignored by `follow.ignore`{shown}")
    if follow.range is not None and not parse_constraint(follow.range).matches(version, prereleases=early):
        return _No(reason=f"outside the range {follow.range}", line=True)
    level = here.level_of_step(version)
    if follow.max is not None and level is not None and _LEVELS.index(level) > _LEVELS.index(follow.max):
        return _No(reason=f"a {level} step, `follow.max: {follow.max}` holds it back", line=True)
    return _too_young(release, policy)


def _continues(version: Version, here: Version) -> bool:
    """Whether a prerelease leads to the same release as the current one: 2.0.0-rc.2 behind 2.0.0-rc.1."""
    return here.is_prerelease and version.triple == here.triple and version.epoch == here.epoch


def _fuller_forms(
    offers: Sequence[_Offer], here: Version, newer: Sequence[_Offer]
) -> Mapping[tuple[int, ...], _Offer]:
    """For each short form (``2``, ``2.1``) the newest fuller version that it is likely to point at.

    None where nothing ``newer`` is written shorter than the current version, as hardly anything ever is.

    Short is what says less than the current version. Registries and repositories move such tags along; what
    they mean today is on offer under its own name. One pass over ``offers``, which are newest first.
    """
    found: dict[tuple[int, ...], _Offer] = {}
    if all(len(offer.version.numbers) >= len(here.numbers) for offer in newer):
        return found
    for offer in offers:
        if not _early(offer):
            numbers = offer.version.numbers
            for length in range(1, min(len(numbers), len(here.numbers))):
                found.setdefault(numbers[:length], offer)
    return found


def _ignored_by(version: Version, text: str, ignore: Sequence[str], scheme: str) -> str | None:
    """The entry of ``follow.ignore`` that names or covers a version."""
    for entry in ignore:
        named = parse(entry, scheme)
        if entry == text or (named is not None and len(named.numbers) > 2 and named.same_as(version)):
            return entry
        try:
            constraint = parse_constraint(entry)
        except ValueError:
            continue
        if constraint.matches(version, prereleases=True):
            return entry
    return None


def _too_young(release: Release, policy: Policy) -> _No | None:
    if policy.cooldown <= timedelta():
        return None
    published = release.published
    since = published or seen_by(release, policy.first_seen) or policy.now
    until = since + policy.cooldown
    if until <= policy.now:
        return None
    age = policy.now - since
    verb = "published" if published else "first seen"
    when = "just now" if age < timedelta(minutes=1) else f"{_duration(age)} ago"
    return _No(reason=f"{verb} {when}, cooldown {_short(policy.cooldown)}", until=until)


def seen_by(release: Release, first_seen: Mapping[str, datetime]) -> datetime | None:
    """When a release without a date was there at the latest: at its first sight, or by its page's last change."""
    known = [at for at in (release.known_by, first_seen.get(release.version)) if at is not None]
    return min(known, default=None)


def _other_words(since: datetime, now: datetime) -> datetime:
    """When ``_duration`` has other words for the time since then."""
    seconds = max(0, int((now - since).total_seconds()))
    unit = next((length for _, length in _DURATIONS if seconds >= length), 60)
    return since + timedelta(seconds=(seconds // unit + 1) * unit)


def _duration(span: timedelta) -> str:
    """The span in its largest whole unit: ``3 days``, ``1 hour``."""
    seconds = max(0, int(span.total_seconds()))
    for unit, length in _DURATIONS:
        if seconds >= length:
            count = seconds // length
            return f"{count} {unit}{'s' if count != 1 else ''}"
    return "less than a minute"


def _short(span: timedelta) -> str:
    """The span as it is written in vendors.yaml: ``3d``, ``12h``."""
    minutes = int(span.total_seconds()) // 60
    for unit, length in (("d", 1_440), ("h", 60)):
        if minutes >= length and minutes % length == 0:
            return f"{minutes // length}{unit}"
    return f"{minutes}m"


def _why_behind(offer: _Offer, here: Version | None, current: str) -> str:
    """What ``explain`` says of a version that is not newer."""
    if here is None:
        return f"can't be compared with the current version {current}"
    if offer.version.same_as(here) and not (offer.version.build and here.build):
        return f"the same version as the current one, {current}"
    return f"older than the current version {current}"


# -- commits -----------------------------------------------------------------------------------------


def _is_commit(text: str) -> bool:
    return len(text) == 40 and all(character in "0123456789abcdef" for character in text)


def _choose_listed(releases: Sequence[Release], policy: Policy) -> Choice:
    """For versions without an order: the first one listed is the newest, as with a branch's commits.

    A commit that a branch has left behind is not withdrawn, so the list need not contain the current one.
    """
    ahead: list[Release] = []
    for release in releases:
        if release.version == policy.current:
            break
        ahead.append(release)
    judged = [(release, _objection_listed(release, policy)) for release in ahead]
    wanted = [release for release, objection in judged if objection is None]
    passed = [
        PassedOver(
            version=release.version,
            reason=objection.reason if objection else f"superseded by {wanted[0].version}",
            until=objection.until if objection else None,
        )
        for release, objection in judged
        if objection is not None or release is not wanted[0]
    ]
    pending = any(objection is not None and objection.until is not None for _, objection in judged)
    return Choice(
        status=_status(known=True, wanted=bool(wanted), pending=pending),
        candidates=tuple(wanted),
        newest=releases[0].version if releases else None,
        passed_over=tuple(passed),
    )


def _objection_listed(release: Release, policy: Policy) -> _No | None:
    if any(len(entry) >= 7 and release.version.startswith(entry) for entry in policy.follow.ignore):
        return _No(reason="ignored by `follow.ignore`")
    return _too_young(release, policy)
