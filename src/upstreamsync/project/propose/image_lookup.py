"""Whether the images that a change brings exist: each is asked for at its registry, by its manifest.

Only images that the new results name and the old ones do not are asked for: a manifest counts as a pull with
some registries. What a registry does not tell (no access, no answer) is said as not looked up, never as there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import Any, Final

from upstreamsync.errors import NotFound, UpstreamsyncError
from upstreamsync.kit.http.client import Http
from upstreamsync.kit.http.inside import named
from upstreamsync.kit.http.oci import Oci
from upstreamsync.kit.kubernetes.objects import object_id
from upstreamsync.kit.run.threads import ordered_map
from upstreamsync.kit.store.cache import Cache
from upstreamsync.model import OverlayVerification, Severity, Verdict, Verification
from upstreamsync.project.session import Session
from upstreamsync.review.images import Image, all_images, images_of
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.explain import on_result

#: How long a registry may take, in seconds: a proposal does not wait for one that does not answer.
_PATIENCE: Final = 15.0
_MOST: Final = 200
_JOBS: Final = 8

Objects = Sequence[Mapping[str, Any]]


class Found(Enum):
    """What a registry says of an image."""

    THERE = "there"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is known of one image; the platforms that it is there for, where the registry lists them."""

    found: Found
    why: str = ""
    platforms: frozenset[str] = frozenset()


def look_up(
    session: Session, verification: Verification, results: Mapping[str, tuple[Objects, Objects]]
) -> tuple[Verification, tuple[str, ...]]:
    """The verification with a finding for each image that is missing, and the images that nobody could ask for.

    ``results`` are the objects of each overlay, before and after.
    """
    old = {path: all_images(before) for path, (before, _) in results.items()}
    new = {path: all_images(after) - old[path] for path, (_, after) in results.items()}
    wanted = sorted({image for images in new.values() for image in images}, key=str)[:_MOST]
    if not wanted:
        return verification, ()
    partners = _partners(wanted, frozenset().union(*old.values()))
    answers = _ask(session, sorted({*wanted, *partners.values()}, key=str), frozenset().union(*old.values()))
    overlays = [
        _with_findings(
            overlay, new.get(overlay.path, frozenset()), results.get(overlay.path), answers, partners
        )
        for overlay in verification.overlays
    ]
    unknown = tuple(
        f"{image}: {answers[image].why}" for image in wanted if answers[image].found is Found.UNKNOWN
    )
    return replace(verification, overlays=tuple(overlays)), unknown


def _partners(wanted: Sequence[Image], old: frozenset[Image]) -> dict[Image, Image]:
    """The image of the same name that each new one takes the place of, where there is just one."""
    found = {}
    for image in wanted:
        before = [one for one in old if one.name == image.name]
        if len(before) == 1:
            found[image] = before[0]
    return found


def _ask(session: Session, images: Sequence[Image], known: frozenset[Image]) -> dict[Image, Answer]:
    settings = session.settings
    with Http(
        cache=Cache(None),
        credentials=session.connections.credentials,
        jobs=_JOBS,
        timeout=_PATIENCE,
        total_timeout=_PATIENCE,
        attempts=1,
        max_wait=0.0,
        offline=settings.offline,
        # Registries that results name already may lie inside; one that only the change names may not.
        named=session.tools.http.named | named([image.registry for image in known]),
    ) as http:
        registry = Oci(http)
        asked = ordered_map(partial(_answer, registry), images, _JOBS)
        return dict(zip(images, (outcome.get() for outcome in asked), strict=True))


def _answer(registry: Oci, image: Image) -> Answer:
    try:
        _, manifest = registry.manifest(image.name, image.digest or image.tag)
    except NotFound:
        return Answer(found=Found.MISSING)
    except UpstreamsyncError as error:
        return Answer(found=Found.UNKNOWN, why=error.message)
    return Answer(found=Found.THERE, platforms=_platforms(manifest))


def _platforms(manifest: Mapping[str, Any]) -> frozenset[str]:
    """``linux/arm64`` and the like; none for an image of one platform, which does not say which."""
    listed = manifest.get("manifests")
    found = set()
    for item in listed if isinstance(listed, list) else []:
        platform = item.get("platform") if isinstance(item, dict) else None
        if isinstance(platform, dict) and platform.get("os") not in (None, "unknown"):
            variant = f"/{platform['variant']}" if platform.get("variant") else ""
            found.add(f"{platform.get('os')}/{platform.get('architecture')}{variant}")
    return frozenset(found)


def _with_findings(
    overlay: OverlayVerification,
    images: frozenset[Image],
    sides: tuple[Objects, Objects] | None,
    answers: Mapping[Image, Answer],
    partners: Mapping[Image, Image],
) -> OverlayVerification:
    after = sides[1] if sides is not None else ()
    notes = [
        note
        for image in sorted(images & answers.keys(), key=str)
        if (note := _note(image, answers, partners, after)) is not None
    ]
    if not notes:
        return overlay
    file = next((item.kustomization for item in overlay.items), overlay.path)
    return replace(overlay, items=(*overlay.items, *(on_result(overlay.path, file, note) for note in notes)))


def _note(
    image: Image, answers: Mapping[Image, Answer], partners: Mapping[Image, Image], objects: Objects
) -> Note | None:
    answer, partner = answers[image], partners.get(image)
    user = next((obj for obj in objects if image in images_of(obj)), None)
    resource = str(object_id(user)) if user is not None else ""
    if answer.found is Found.MISSING:
        return Note(
            verdict=Verdict.DANGLING, reason="image_missing", resource=resource, path=(str(image),),
            because=f"the image {image} does not exist: its registry knows no such manifest",
            hint="push or mirror the image first, or pin a tag that exists",
        )  # fmt: skip
    before = answers[partner].platforms if partner is not None and partner in answers else frozenset()
    lost = before - answer.platforms
    if answer.found is Found.THERE and answer.platforms and lost:
        return Note(
            verdict=Verdict.DANGLING, reason="image_missing", resource=resource, path=(str(image),),
            because=f"the image {image} is no longer there for {', '.join(sorted(lost))}",
            hint="see that no node of that platform runs it", grave=Severity.REVIEW,
        )  # fmt: skip
    return None
