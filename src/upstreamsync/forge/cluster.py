"""The part of the body about the cluster: objects per overlay, images, dangers, who reads the overlays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from upstreamsync.forge.markdown import code, details, fence, plural, shorten, summary_text, table
from upstreamsync.model import Danger, FieldChange, ImageChange, OverlayReview, ResourceChange, Review

_PLURAL_LISTED: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """How much is told: fields per object, objects per overlay, characters per value."""

    fields: int
    objects: int
    value: int


FULL: Final = Depth(fields=10_000, objects=10_000, value=2_000)
USUAL: Final = Depth(fields=8, objects=60, value=160)
SHORT: Final = Depth(fields=2, objects=20, value=80)


def same_overlays(review: Review) -> list[tuple[tuple[str, ...], OverlayReview]]:
    """Overlays by what changes in them: those that change alike are told once."""
    found: dict[str, tuple[list[str], OverlayReview]] = {}
    for overlay in review.overlays:
        alike = repr(replace(overlay, path="", applications=()))
        found.setdefault(alike, ([], overlay))[0].append(overlay.path)
    return [(tuple(paths), overlay) for paths, overlay in found.values()]


def totals(review: Review) -> str:
    """``5 objects added, 2 removed, 31 changed``, over all overlays, objects of several counted once."""
    added = {name for overlay in review.overlays for name in overlay.added}
    removed = {name for overlay in review.overlays for name in overlay.removed}
    changed = {change.resource for overlay in review.overlays for change in overlay.changed}
    quiet = max((overlay.label_only for overlay in review.overlays), default=0)
    parts = [
        f"{len(names)} {word}"
        for names, word in ((added, "added"), (removed, "removed"), (changed, "changed"))
        if names
    ]
    if quiet:
        parts.append(f"{quiet} in version labels or descriptions only")
    return "objects: " + ", ".join(parts) if parts else "nothing changes"


def overlays_section(review: Review, depth: Depth) -> str:
    """One folded part per group of overlays that change alike."""
    return "\n".join(_overlay(paths, overlay, depth) for paths, overlay in same_overlays(review))


def _overlay(paths: Sequence[str], overlay: OverlayReview, depth: Depth) -> str:
    names = ", ".join(f"<code>{summary_text(path)}</code>" for path in paths)
    counts = totals(Review(overlays=(overlay,))).removeprefix("objects: ")
    parts = []
    if gone := _listed("-", overlay.removed, depth):
        parts.append(gone)
    if new := _listed("+", overlay.added, depth):
        parts.append(new)
    shown = overlay.changed[: depth.objects]
    parts += [_object(change, depth) for change in shown]
    if len(overlay.changed) > len(shown):
        parts.append(f"… and {plural(len(overlay.changed) - len(shown), 'more object')} changed.")
    if overlay.label_only:
        parts.append(
            f"{plural(overlay.label_only, 'object')} changed in version labels or descriptions only."
        )
    return details(f"{names}: {counts}", "\n\n".join(parts)) if parts else ""


def _listed(sign: str, names: Sequence[str], depth: Depth) -> str:
    if not names:
        return ""
    lines = [f"{sign} {name}" for name in names[: depth.objects]]
    if len(names) > depth.objects:
        lines.append(f"# … and {len(names) - depth.objects} more")
    return fence("\n".join(lines), "diff")


def _object(change: ResourceChange, depth: Depth) -> str:
    lines = []
    for field in change.fields[: depth.fields]:
        lines += _field(field, depth)
    more = len(change.fields) - depth.fields
    if more > 0:
        lines.append(f"# … and {plural(more, 'more field')}")
    count = plural(len(change.fields), "field")
    return details(f"<code>{summary_text(change.resource)}</code>: {count}", fence("\n".join(lines), "diff"))


def _field(field: FieldChange, depth: Depth) -> list[str]:
    lines = [f"@@ {shorten(field.path, 200)} @@"]
    if field.op == "changed" and isinstance(field.before, list) and isinstance(field.after, list):
        old, new = (
            [_value(item, depth) for item in field.before],
            [_value(item, depth) for item in field.after],
        )
        if sorted(old) == sorted(new):
            return [*lines, "# the same elements in another order"]
        return [
            *lines,
            *(f"- {item}" for item in old if item not in new),
            *(f"+ {item}" for item in new if item not in old),
        ]
    if field.op != "added":
        lines.append(f"- {_value(field.before, depth)}")
    if field.op != "removed":
        lines.append(f"+ {_value(field.after, depth)}")
    return lines


def _value(value: Any, depth: Depth) -> str:
    text = (
        value
        if isinstance(value, str) and "\n" not in value
        else json.dumps(value, ensure_ascii=False, default=str)
    )
    return shorten(text.replace("\n", "\\n"), depth.value)


def images_section(review: Review) -> str:
    """Every image that moved, once."""
    changes = sorted({image for overlay in review.overlays for image in overlay.images}, key=_image_key)
    if not changes:
        return ""
    rows = ((_image(change.before, "new"), _image(change.after, "gone")) for change in changes)
    listed = table(("image before", "after"), rows)
    return listed if len(changes) <= 8 else details(plural(len(changes), "image"), listed)


def _image_key(change: ImageChange) -> tuple[str, str, str]:
    return change.name, change.before or "", change.after or ""


def _image(reference: str | None, otherwise: str) -> str:
    return code(shorten(reference, 200), cell=True) if reference else otherwise


def dangers_of(review: Review) -> list[tuple[Danger, tuple[str, ...]]]:
    """Every danger once, with the overlays that it concerns, in the order of the rules."""
    found: dict[Danger, list[str]] = {}
    for overlay in review.overlays:
        for danger in overlay.dangers:
            found.setdefault(danger, []).append(overlay.path)
    return [(danger, tuple(paths)) for danger, paths in found.items()]


def dangers_section(review: Review, *, open_lines: int = 6) -> str:
    """The dangers as a list; beyond a few lines, the rest is folded."""
    found = dangers_of(review)
    lines = [_danger(danger, paths, len(review.overlays)) for danger, paths in found]
    if len(lines) <= open_lines:
        return "\n".join(lines)
    rest = details(f"{len(lines) - open_lines} more", "\n".join(lines[open_lines:]))
    return "\n".join([*lines[:open_lines], "", rest])


def _danger(danger: Danger, paths: Sequence[str], overlays: int) -> str:
    where = "" if len(paths) == overlays else f" (in {', '.join(code(path) for path in paths)})"
    return f"- {code(danger.rule)} {code(danger.resource)}: {code(shorten(danger.text, 240))}{where}"


def applications_section(review: Review) -> str:
    """Which Argo CD Applications read which overlays."""
    lines = []
    for overlay in review.overlays:
        if overlay.applications:
            names = [code(name) for name in overlay.applications[:_PLURAL_LISTED]]
            lines.append(f"- {code(overlay.path)} is read by {', '.join(names)}")
    return "\n".join(lines)
