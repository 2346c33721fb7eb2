"""What a change does to the cluster: objects, images, dangers, and who reads the overlay. Pure.

::

    review("argocd/overlays/prod", old_objects, new_objects, applications=("Application argocd",))

Both sides are built objects as ``kit.yaml.manifests.objects`` reads them. ``find_readers`` and ``reading``
name the Argo CD Applications of an overlay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from upstreamsync.kit.kubernetes.objects import diff
from upstreamsync.model import FieldChange, ObjectText, OverlayReview, ResourceChange
from upstreamsync.review.applications import Reader, find_readers, reading
from upstreamsync.review.dangers import CODES, dangers_of
from upstreamsync.review.images import all_images, compare_images
from upstreamsync.review.noise import is_noise
from upstreamsync.review.pairs import Pairs, pair
from upstreamsync.review.sides import shown

#: What stands for the value of a Secret.
HIDDEN: Final = "(not shown)"
#: So many objects on each side are told as a whole, each up to so many lines.
_MOST_WHOLE: Final = 40
_MOST_LINES: Final = 200

__all__ = ["CODES", "Reader", "find_readers", "reading", "review"]


def review(
    path: str,
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
    *,
    applications: Sequence[str] = (),
) -> OverlayReview:
    """Review one overlay, given its objects before and after.

    ``changed`` leaves out version labels, checksums and the documentation inside CRDs; objects in which
    nothing else changed are only counted, in ``label_only``.
    """
    pairs = pair(before, after)
    told = tuple(_told(pairs))
    return OverlayReview(
        path=path,
        added=tuple(str(lone) for lone in pairs.added),
        removed=tuple(str(lone) for lone in pairs.removed),
        changed=tuple(change for change in told if change.fields),
        whole=tuple(_whole(pairs)),
        label_only=sum(not change.fields for change in told),
        images=compare_images(all_images(before), all_images(after)),
        dangers=dangers_of(pairs),
        applications=tuple(applications),
    )


def _whole(pairs: Pairs) -> Iterator[ObjectText]:
    """The objects that are new or gone; definitions are schemas, which nobody reads as a whole."""
    for lones, is_new in ((pairs.removed, False), (pairs.added, True)):
        for lone in lones[:_MOST_WHOLE]:
            if lone.kind != "CustomResourceDefinition":
                text = _cut(shown(lone.object))
                yield ObjectText(
                    resource=str(lone), before=None if is_new else text, after=text if is_new else None
                )


def _cut(text: str) -> str:
    lines = text.splitlines()
    rest = len(lines) - _MOST_LINES
    return "\n".join([*lines[:_MOST_LINES], f"# … and {rest} more lines"]) if rest > 0 else "\n".join(lines)


def _hidden(field: FieldChange) -> FieldChange:
    """A Secret's value is named, never told: what we write is read by more people than the cluster."""
    if not field.path.startswith(("data", "stringData")):
        return field
    before, after = (None if side is None else HIDDEN for side in (field.before, field.after))
    return replace(field, before=before, after=after)


def _told(pairs: Pairs) -> Iterator[ResourceChange]:
    for each in pairs.changed:
        fields = diff(each.old, each.new)
        kept = tuple(field for field in fields if not is_noise(each.kind, field))
        if each.kind == "Secret":
            kept = tuple(map(_hidden, kept))
        if fields:
            yield ResourceChange(resource=str(each), fields=kept)
