"""Vendor → Finding: what upstream offers, what to move to, and why not elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from upstreamsync.base.located import At, nowhere
from upstreamsync.config.spec import ImageFollow, Releases, Vendor
from upstreamsync.errors import NotFound
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.kit.versions import Version, parse
from upstreamsync.lock import Lock
from upstreamsync.model import Finding, ImageFinding, PassedOver, Place, Release, Status
from upstreamsync.project.check.age import arguments_of, choose_by_age
from upstreamsync.project.check.republished import has_drifted, is_republished
from upstreamsync.releases import effective_releases, fetch_releases, policy, version_of
from upstreamsync.releases.comparable import refuse_unreadable, scheme_for
from upstreamsync.releases.policy import Choice, Policy
from upstreamsync.sources import probe

Read = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A finding with what led to it: every release on offer, and the acceptable ones, best first.

    Up to ``until`` the time that passes changes nothing of it; None for ever.
    """

    finding: Finding
    releases: tuple[Release, ...] = ()
    candidates: tuple[Release, ...] = ()
    until: datetime | None = None

    def release(self, version: str) -> Release | None:
        """The release of that version, a leading v being of no account."""
        for release in self.releases:
            if release.version == version:
                return release
        bare = version.removeprefix("v")
        return next((one for one in self.releases if one.version.removeprefix("v") == bare), None)


def look_up(vendor: Vendor, tools: Toolbox, *, read: Read, lock: Lock | None, at: At = nowhere) -> Lookup:
    """What ``check`` finds out about one vendor. Raises UpstreamsyncError when it can't be found out.

    ``at`` gives the place of a declaration below the vendor, for errors.
    """
    tools = replace(tools, allow_http=vendor.allow_http)
    looked = [_image(number, image, vendor, tools, read, at) for number, image in enumerate(vendor.images)]
    images = tuple(image for image, _ in looked)
    moments = [until for _, until in looked if until is not None]
    if vendor.version is None:
        return Lookup(finding=_images_only(vendor, images), until=min(moments, default=None))
    spec = effective_releases(vendor)
    releases, choice, until = _choose(spec, vendor, tools, at("version"))
    moments += [until] if until is not None else []
    choice, major = _apart(vendor, choice, spec)
    complete, missing = _first_complete(vendor, choice, tools)
    status = choice.status
    passed_over = _with_missing(choice, complete, missing)
    if status is Status.OUTDATED and complete is None:
        status = Status.UP_TO_DATE
    if status is Status.UP_TO_DATE and any(image.target for image in images):
        status = Status.OUTDATED
    if is_republished(vendor, spec, releases, lock) or (
        complete is None and has_drifted(vendor, releases, lock, tools)
    ):
        status = Status.REPUBLISHED
    finding = Finding(
        vendor=vendor.name,
        status=status,
        current=vendor.version,
        target=complete,
        newest=choice.newest,
        passed_over=passed_over,
        images=images,
        major=major,
    )
    candidates = choice.candidates[choice.candidates.index(complete) :] if complete else ()
    return Lookup(finding=finding, releases=releases, candidates=candidates, until=min(moments, default=None))


def explain(vendor: Vendor, lookup: Lookup, tools: Toolbox) -> tuple[tuple[Release, str], ...]:
    """Every version on offer, newest first, and what became of it."""
    if vendor.version is None:
        return ()
    spec = effective_releases(vendor)
    own = {one.version: one.reason for one in lookup.finding.passed_over}
    if lookup.finding.target is not None:
        own[lookup.finding.target.version] = "the version to move to"
    by_version = {release.version: release for release in lookup.releases}
    current = vendor.version
    wishes = Policy(
        current=current,
        follow=vendor.follow,
        cooldown=vendor.cooldown_period,
        scheme=scheme_for(spec.scheme, current, images=spec.oci is not None),
        now=tools.now,
    )
    decided = policy.explain(**arguments_of(wishes, spec, lookup.releases, tools))
    return tuple(
        (
            by_version.get(one.version, Release(version=one.version, ref=one.version)),
            own.get(one.version, one.reason),
        )
        for one in decided
    )


def _choose(
    spec: Releases, vendor: Vendor, tools: Toolbox, place: Place | None
) -> tuple[tuple[Release, ...], Choice, datetime | None]:
    """The releases on offer, the choice among them, and until when the clock leaves it as it is.

    Further pages are read only while the choice is open.
    """
    current = vendor.version or ""
    scheme = scheme_for(spec.scheme, current, images=spec.oci is not None)
    wishes = Policy(
        current=current,
        follow=vendor.follow,
        cooldown=vendor.cooldown_period,
        scheme=scheme,
        now=tools.now,
    )
    releases = fetch_releases(spec, tools, enough=policy.enough_for(wishes))
    refuse_unreadable(releases, current, scheme, tag=spec.tag, place=place)
    return choose_by_age(spec, releases, wishes, tools)


def _apart(vendor: Vendor, choice: Choice, spec: Releases) -> tuple[Choice, Release | None]:
    """Where major steps are proposed apart: the choice without them, and the best of them.

    When there is nothing but a major step, it is the choice itself.
    """
    here = parse(vendor.version or "", spec.scheme)
    if here is None or not (vendor.follow.separate_major or vendor.pull_request.separate_major):
        return choice, None
    smaller = [one for one in choice.candidates if not _is_major(one, here, spec)]
    if not smaller or len(smaller) == len(choice.candidates):
        return choice, None
    major = next(one for one in choice.candidates if _is_major(one, here, spec))
    apart = PassedOver(version=major.version, reason="a major step, proposed in a pull request of its own")
    kept = [one for one in choice.passed_over if one.version not in (major.version, smaller[0].version)]
    return replace(choice, candidates=tuple(smaller), passed_over=(apart, *kept)), major


def _is_major(release: Release, here: Version, spec: Releases) -> bool:
    version = parse(release.version, spec.scheme)
    return version is not None and here.level_of_step(version) == "major"


def _first_complete(
    vendor: Vendor, choice: Choice, tools: Toolbox
) -> tuple[Release | None, tuple[PassedOver, ...]]:
    """The best candidate whose files are all there; one whose files are missing is passed over."""
    missing: list[PassedOver] = []
    for candidate in choice.candidates:
        try:
            for source in vendor.source:
                probe(source, candidate, vendor, tools)
            return candidate, tuple(missing)
        except NotFound as error:
            missing.append(
                PassedOver(version=candidate.version, reason=f"incomplete upstream: {error.message}")
            )
    return None, tuple(missing)


def _with_missing(
    choice: Choice, complete: Release | None, missing: Sequence[PassedOver]
) -> tuple[PassedOver, ...]:
    """The policy's reasons, newest first, behind those of releases whose files are missing."""
    said = {one.version for one in missing}
    if complete is not None:
        said.add(complete.version)
    return (*missing, *[one for one in choice.passed_over if one.version not in said])


def _image(
    number: int, image: ImageFollow, vendor: Vendor, tools: Toolbox, read: Read, at: At
) -> tuple[ImageFinding, datetime | None]:
    from upstreamsync.base.edits import current_value

    spec = Releases(oci=image.image, tag=image.tag, scheme=image.scheme)
    current = version_of(spec, image.version or current_value(image.edits[0], read))
    follow = image.follow or vendor.follow
    scheme = scheme_for(image.scheme, current, images=True)
    releases = fetch_releases(spec, tools)
    place = at("images", number, "version") if image.version is not None else at("images", number)
    refuse_unreadable(releases, current, scheme, tag=spec.tag, place=place, key=f"images[{number}]")
    wishes = Policy(
        current=current,
        follow=follow,
        cooldown=follow.cooldown if image.follow else vendor.cooldown_period,
        scheme=scheme,
        now=tools.now,
    )
    _, choice, until = choose_by_age(spec, releases, wishes, tools)
    target = choice.candidates[0] if choice.candidates else None
    finding = ImageFinding(
        key=number, image=image.image, current=current, target=target, passed_over=choice.passed_over
    )
    return finding, until


def _images_only(vendor: Vendor, images: Sequence[ImageFinding]) -> Finding:
    """A vendor without content of its own stands where its images stand."""
    outdated = [image for image in images if image.target is not None]
    pending = any(one.until is not None for image in images for one in image.passed_over)
    single = images[0] if len(images) == 1 else None
    return Finding(
        vendor=vendor.name,
        status=Status.OUTDATED if outdated else Status.PENDING if pending else Status.UP_TO_DATE,
        current=vendor.version or ", ".join(image.current for image in images),
        target=single.target if single else (outdated[0].target if outdated else None),
        images=tuple(images),
        passed_over=single.passed_over if single else (),
    )
