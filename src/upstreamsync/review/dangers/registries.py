"""Images from elsewhere, or of no fixed version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from upstreamsync.model import Danger
from upstreamsync.review.images import images_of
from upstreamsync.review.pairs import Object, Pairs

#: Tags that upstreams move as they like.
_FLOATING: Final = frozenset({None, "latest", "main", "master", "edge", "nightly", "dev", "stable"})


def image_dangers(pairs: Pairs) -> Iterator[Danger]:
    """New registries and floating tags, in objects that are new or changed."""
    known: set[str] | None = None
    for resource, old, new in _both(pairs):
        fresh = set(images_of(new)) - (set(images_of(old)) if old is not None else set())
        for image in sorted(fresh, key=str):
            if image.tag in _FLOATING and image.digest is None:
                yield Danger(rule="image-floating", resource=resource, text=f"{image} has no fixed version")
            if known is None:
                known = _registries(pairs.before)
            if known and image.registry not in known:
                text = f"{image} comes from {image.registry}, which was not used before"
                yield Danger(rule="registry-new", resource=resource, text=text)


def _both(pairs: Pairs) -> Iterator[tuple[str, Object | None, Object]]:
    yield from ((str(pair), pair.old, pair.new) for pair in pairs.changed)
    yield from ((str(lone), None, lone.object) for lone in pairs.added)


def _registries(objects: Sequence[Object]) -> set[str]:
    return {image.registry for obj in objects for image in images_of(obj)}
