"""Vendor → Finding: what upstream offers, what to move to, and why not elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from upstreamsync.base.edits import current_value
from upstreamsync.config.spec import ImageFollow, Releases, Vendor
from upstreamsync.errors import NotFound
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.lock import Lock
from upstreamsync.model import Finding, ImageFinding, PassedOver, Release, Status
from upstreamsync.releases import effective_releases, fetch_releases
from upstreamsync.releases.first_seen import FirstSeen
from upstreamsync.releases.policy import Choice, choose, decisions
from upstreamsync.sources import probe

Read = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A finding with what led to it: every release on offer, and the acceptable ones, best first."""

    finding: Finding
    releases: tuple[Release, ...] = ()
    candidates: tuple[Release, ...] = ()

    def release(self, version: str) -> Release | None:
        """The release of that version, a leading v being of no account."""
        for release in self.releases:
            if release.version == version:
                return release
        bare = version.removeprefix("v")
        return next((one for one in self.releases if one.version.removeprefix("v") == bare), None)


def look_up(vendor: Vendor, tools: Toolbox, *, read: Read, lock: Lock | None) -> Lookup:
    """What ``check`` finds out about one vendor. Raises UpstreamsyncError when it can't be found out."""
    tools = replace(tools, allow_http=vendor.allow_http)
    images = tuple(_image(number, image, vendor, tools, read) for number, image in enumerate(vendor.images))
    spec = effective_releases(vendor)
    if vendor.version is None or spec is None:
        return Lookup(finding=_images_only(vendor, images))
    releases, choice = _choose(spec, vendor, tools)
    complete, missing = _first_complete(vendor, choice, tools)
    status = choice.status
    passed_over = _with_missing(choice, complete, missing)
    if status is Status.OUTDATED and complete is None:
        status = Status.UP_TO_DATE
    if status is Status.UP_TO_DATE and any(image.target for image in images):
        status = Status.OUTDATED
    if _republished(vendor, releases, lock):
        status = Status.REPUBLISHED
    finding = Finding(
        vendor=vendor.name,
        status=status,
        current=vendor.version,
        target=complete,
        newest=choice.newest,
        passed_over=passed_over,
        images=images,
    )
    candidates = choice.candidates[choice.candidates.index(complete) :] if complete else ()
    return Lookup(finding=finding, releases=releases, candidates=candidates)


def explain(vendor: Vendor, lookup: Lookup) -> tuple[tuple[Release, str], ...]:
    """Every version on offer, newest first, and what became of it."""
    spec = effective_releases(vendor)
    if spec is None or vendor.version is None:
        return ()
    return decisions(
        lookup.releases,
        current=vendor.version,
        target=lookup.finding.target.version if lookup.finding.target else None,
        passed_over=lookup.finding.passed_over,
        scheme=spec.scheme,
    )


def _choose(spec: Releases, vendor: Vendor, tools: Toolbox) -> tuple[tuple[Release, ...], Choice]:
    """The releases on offer and the choice among them; further pages are read only while it is open."""
    seen = FirstSeen(tools.cache, spec, tools.now)

    def decide(releases: Sequence[Release]) -> Choice:
        return choose(
            releases=releases,
            current=vendor.version or "",
            follow=vendor.follow,
            cooldown=vendor.cooldown_period,
            scheme=spec.scheme,
            now=tools.now,
            first_seen=seen.of(releases),
        )

    def enough(releases: Sequence[Release]) -> bool:
        choice = decide(releases)
        return bool(choice.candidates) or any(one.version == vendor.version for one in releases)

    releases = fetch_releases(spec, tools, enough=enough)
    choice = decide(releases)
    seen.save()
    return releases, choice


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
    """The policy's reasons, with those of incomplete releases in their places."""
    reasons: Mapping[str, PassedOver] = {one.version: one for one in missing}
    kept = [
        reasons.pop(one.version) if one.version in reasons else one  # type: ignore[attr-defined]
        for one in choice.passed_over
        if complete is None or one.version != complete.version
    ]
    return (*[one for one in missing if one.version in reasons], *kept)


def _republished(vendor: Vendor, releases: Sequence[Release], lock: Lock | None) -> bool:
    """Whether upstream now gives another digest for the very version that the lock describes."""
    if lock is None or lock.version != vendor.version:
        return False
    locked = {source.digest for source in lock.sources}
    for release in releases:
        if release.version != vendor.version:
            continue
        if release.commit and any(digest.startswith("git:") for digest in locked):
            return f"git:{release.commit}" not in locked
        if release.digest and len(vendor.source) == 1 and vendor.source[0].helm is not None:
            digest = release.digest if ":" in release.digest else f"sha256:{release.digest}"
            return digest not in locked
    return False


def _image(number: int, image: ImageFollow, vendor: Vendor, tools: Toolbox, read: Read) -> ImageFinding:
    current = image.version or current_value(image.edits[0], read)
    follow = image.follow or vendor.follow
    spec = Releases(oci=image.image, tag=image.tag, scheme=image.scheme)
    seen = FirstSeen(tools.cache, spec, tools.now)
    releases = fetch_releases(spec, tools)
    choice = choose(
        releases=releases,
        current=current,
        follow=follow,
        cooldown=follow.cooldown if image.follow else vendor.cooldown_period,
        scheme=image.scheme,
        now=tools.now,
        first_seen=seen.of(releases),
    )
    seen.save()
    target = choice.candidates[0] if choice.candidates else None
    return ImageFinding(
        key=number, image=image.image, current=current, target=target, passed_over=choice.passed_over
    )


def _images_only(vendor: Vendor, images: Sequence[ImageFinding]) -> Finding:
    """A vendor without content of its own stands where its images stand."""
    outdated = [image for image in images if image.target is not None]
    single = images[0] if len(images) == 1 else None
    return Finding(
        vendor=vendor.name,
        status=Status.OUTDATED if outdated else Status.UP_TO_DATE,
        current=vendor.version or ", ".join(image.current for image in images),
        target=single.target if single else (outdated[0].target if outdated else None),
        images=tuple(images),
        passed_over=single.passed_over if single else (),
    )
