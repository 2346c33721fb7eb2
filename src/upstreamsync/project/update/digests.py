"""Digests of images that move, asked for only where an edit writes one: a list of tags has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from upstreamsync.config.spec import Edit, Vendor
from upstreamsync.kit.http.oci import Oci
from upstreamsync.kit.templates import placeholders
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.model import ImageFinding, Release


def with_digests(
    vendor: Vendor, release: Release | None, images: Sequence[ImageFinding], tools: Toolbox
) -> tuple[Release | None, tuple[ImageFinding, ...]]:
    """The release and the images with the digests that their edits need. Raises UpstreamError's family."""
    oci = Oci(tools.http, allow_http=tools.allow_http)
    feed = vendor.releases
    if release is not None and feed is not None and feed.oci is not None and _needs(vendor.edits, release):
        # With a `ref` of its own the release's ref is upstream's; the version is the image's tag then.
        tag = release.ref if feed.ref is None else release.version
        release = replace(release, digest=oci.manifest(feed.oci, tag)[0])
    found = []
    for image in images:
        target = image.target
        if target is not None and _needs(vendor.images[image.key].edits, target):
            target = replace(target, digest=oci.manifest(image.image, target.ref)[0])
        found.append(replace(image, target=target))
    return release, tuple(found)


def _needs(edits: Sequence[Edit], release: Release) -> bool:
    """Whether an edit writes a digest that the feed did not give."""
    return release.digest is None and any(
        "digest" in placeholders(text or "")
        for edit in edits
        for text in (edit.tag, edit.digest, edit.name, edit.value)
    )
