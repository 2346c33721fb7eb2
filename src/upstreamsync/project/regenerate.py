"""Release → Change: fetch, shape, edit, and put together the complete change before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from upstreamsync.base import make_bases, plan
from upstreamsync.base.edits import apply_edits, image_values, release_values
from upstreamsync.config.spec import Edit, Source, Vendor
from upstreamsync.errors import NotFound
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.lock import Lock
from upstreamsync.model import Artifact, Change, Edited, ImageFinding, PassedOver, Release
from upstreamsync.sources import fetch

Read = Callable[[str], bytes | None]
Listing = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """All that had to be fetched and rendered to move a vendor; the rest is computed from it."""

    vendor: Vendor
    release: Release | None
    images: tuple[ImageFinding, ...] = ()
    parts: tuple[tuple[Source, Artifact], ...] = ()
    watched: tuple[tuple[Source, Artifact], ...] = ()


def prepare(
    vendor: Vendor, release: Release | None, tools: Toolbox, *, images: Sequence[ImageFinding], read: Read
) -> Prepared:
    """Fetch and render everything. ``release`` is None for a vendor that has only images.

    Files that a render reads are read as they will be after the follow-up edits. Raises
    UpstreamsyncError.
    """
    tools = replace(tools, allow_http=vendor.allow_http)
    edited, _ = _edits(vendor, release, images, read)
    parts: tuple[tuple[Source, Artifact], ...] = ()
    watched: tuple[tuple[Source, Artifact], ...] = ()
    if release is not None:
        parts = tuple((one, fetch(one, release, vendor, tools, overrides=edited)) for one in vendor.source)
        watched = tuple((one, fetch(one, release, vendor, tools, overrides=edited)) for one in vendor.watch)
    return Prepared(vendor=vendor, release=release, images=tuple(images), parts=parts, watched=watched)


def assemble(
    prepared: Prepared, *, lock: Lock | None, read: Read, listing: Listing, configuration_file: str
) -> Change:
    """The complete change upon the repository that ``read`` shows. Pure; raises UpstreamsyncError."""
    vendor, release = prepared.vendor, prepared.release
    edited, edits = _edits(vendor, release, prepared.images, read)
    return plan(
        vendor,
        release,
        bases=make_bases(vendor, prepared.parts, release) if release is not None else (),
        parts=prepared.parts,
        watched=prepared.watched,
        images=prepared.images,
        edited=edited,
        edits=edits,
        lock=lock,
        read=read,
        listing=listing,
        configuration_file=configuration_file,
    )


def first_that_is_complete(
    candidates: Sequence[Release], make: Callable[[Release], Prepared]
) -> tuple[Prepared, tuple[PassedOver, ...]]:
    """Try candidates, best first, until one has all of its files upstream.

    Raises the NotFound of the first when none has.
    """
    missing: list[PassedOver] = []
    first: NotFound | None = None
    for candidate in candidates:
        try:
            return make(candidate), tuple(missing)
        except NotFound as error:
            first = first or error
            missing.append(
                PassedOver(version=candidate.version, reason=f"incomplete upstream: {error.message}")
            )
    raise first or NotFound("there is no release to move to")


def _edits(
    vendor: Vendor, release: Release | None, images: Sequence[ImageFinding], read: Read
) -> tuple[dict[str, bytes], tuple[Edited, ...]]:
    """All follow-up edits, those of the vendor and those of its images, one upon the other."""
    files: dict[str, bytes] = {}
    made: list[Edited] = []

    def current(path: str) -> bytes | None:
        return files.get(path) if path in files else read(path)

    batches: list[tuple[Sequence[Edit], dict[str, str]]] = []
    if release is not None:
        batches.append((vendor.edits, release_values(release)))
    for image in images:
        if image.target is not None:
            batches.append((vendor.images[image.key].edits, image_values(image.image, image.target)))
    for edits, values in batches:
        changed, done = apply_edits(edits, values, current)
        files.update(changed)
        made.extend(done)
    return files, tuple(made)
