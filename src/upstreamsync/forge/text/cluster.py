"""The part of the body about the cluster: objects per overlay, images, dangers, who reads the overlays."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any, Final

from upstreamsync.forge.text.markdown import code, details, fence, plural, prose, shorten, summary_text, table
from upstreamsync.model import (
    Danger,
    FieldChange,
    ImageChange,
    ObjectText,
    OverlayReview,
    ResourceChange,
    Review,
)

_PLURAL_LISTED: Final = 40
#: Comparing lines is quadratic: enough for configuration files; a dashboard is only looked into.
_MAX_LINES: Final = 300
_SCHEMA: Final = re.compile(
    r"^spec\.versions\[name=(?P<version>[^\]]+)\]\.schema\.openAPIV3Schema(?P<path>.*)$"
)
_SCHEMA_STEPS: Final = re.compile(r"\.(?:properties|additionalProperties)(?=[.\[]|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """How much is told: fields per object, objects per overlay, characters per value.

    ``lines`` of each object that is new or gone; with 0 its name has to do.
    """

    fields: int
    objects: int
    value: int
    lines: int = 0


FULL: Final = Depth(fields=10_000, objects=10_000, value=2_000, lines=10_000)
USUAL: Final = Depth(fields=8, objects=60, value=160, lines=60)
SHORT: Final = Depth(fields=2, objects=20, value=80)


def same_overlays(review: Review) -> list[tuple[tuple[str, ...], OverlayReview]]:
    """Overlays by what changes in them: those that change alike are told once."""
    found: dict[str, tuple[list[str], OverlayReview]] = {}
    for overlay in review.overlays:
        alike = repr(replace(overlay, path="", applications=()))
        found.setdefault(alike, ([], overlay))[0].append(overlay.path)
    return [(tuple(paths), overlay) for paths, overlay in found.values()]


def totals(review: Review) -> str:
    """``5 objects added, 2 removed``, over all overlays; an object of several overlays counts once."""
    added = {name for overlay in review.overlays for name in overlay.added}
    removed = {name for overlay in review.overlays for name in overlay.removed}
    changed = {change.resource for overlay in review.overlays for change in overlay.changed}
    quiet = max((overlay.label_only for overlay in review.overlays), default=0)
    parts: list[str] = []
    for names, word in ((added, "added"), (removed, "removed"), (changed, "changed")):
        if names:
            parts.append(f"{len(names)} {word}" if parts else f"{plural(len(names), 'object')} {word}")
    if quiet:
        parts.append(
            f"{plural(quiet, 'object') if not parts else quiet} in version labels or descriptions only"
        )
    return ", ".join(parts) or "nothing changes"


def overlays_forms(review: Review, depth: Depth) -> tuple[str, ...]:
    """What changes in the cluster, from its fullest form to its shortest."""
    forms = (
        overlays_section(review, each)
        for each in (depth, replace(depth, lines=20), replace(depth, lines=0), SHORT)
    )
    return tuple(dict.fromkeys(forms))


def overlays_section(review: Review, depth: Depth) -> str:
    """One folded part per group of overlays that change alike."""
    return "\n".join(_overlay(paths, overlay, depth) for paths, overlay in same_overlays(review))


def _overlay(paths: Sequence[str], overlay: OverlayReview, depth: Depth) -> str:
    names = ", ".join(f"<code>{summary_text(path)}</code>" for path in paths)
    counts = totals(Review(overlays=(overlay,)))
    parts = []
    if gone := _listed("-", overlay.removed, depth):
        parts.append(gone)
    if new := _listed("+", overlay.added, depth):
        parts.append(new)
    if wholes := _wholes(overlay.whole, depth):
        parts.append(wholes)
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


def _wholes(objects: Sequence[ObjectText], depth: Depth) -> str:
    """New objects and those that are gone, as YAML; each folded, and all of them together."""
    if not (depth.lines and objects):
        return ""
    told = []
    for one in objects[: depth.objects]:
        sign, text = ("+", one.after) if one.after is not None else ("-", one.before or "")
        lines = [f"{sign} {shorten(line, depth.value)}" for line in text.splitlines()]
        if (more := len(lines) - depth.lines) > 0:
            lines = [*lines[: depth.lines], f"# … and {plural(more, 'more line')}"]
        word = "new" if sign == "+" else "gone"
        told.append(
            details(f"<code>{summary_text(one.resource)}</code>: {word}", fence("\n".join(lines), "diff"))
        )
    return details(f"{plural(len(told), 'whole object')}, new or gone", "\n".join(told))


def _object(change: ResourceChange, depth: Depth) -> str:
    lines = []
    for field in change.fields[: depth.fields]:
        lines += _schema_field(field, depth) or _field(field, depth)
    more = len(change.fields) - depth.fields
    if more > 0:
        lines.append(f"# … and {plural(more, 'more field')}")
    count = plural(len(change.fields), "field")
    return details(f"<code>{summary_text(change.resource)}</code>: {count}", fence("\n".join(lines), "diff"))


def _schema_field(field: FieldChange, depth: Depth) -> list[str] | None:
    """A change inside a CRD's schema on one line, by the path that users of the resource write."""
    match = _SCHEMA.match(field.path)
    if match is None:
        return None
    path = _SCHEMA_STEPS.sub("", match["path"].replace(".items", "[]"))
    place = shorten(f"{match['version']} {path.lstrip('.') or 'schema'}", 200)
    if isinstance(field.before, Mapping) or isinstance(field.after, Mapping):
        return [f"{'-' if field.op == 'removed' else '+'} {place}"]
    return [f"! {place}: {_value(field.before, depth)} → {_value(field.after, depth)}"]


def _field(field: FieldChange, depth: Depth) -> list[str]:
    if field.op == "changed" and isinstance(field.before, list) and isinstance(field.after, list):
        return [f"@@ {shorten(field.path, 200)} @@", *_list(field.before, field.after, depth)]
    place = shorten(field.path, 200)
    if isinstance(field.before, str) and isinstance(field.after, str) and "\n" in field.before + field.after:
        return [f"@@ {place} @@", *_text(field.before, field.after, depth)]
    if field.op == "added":
        return [f"+ {place}: {_value(field.after, depth)}"]
    if field.op == "removed":
        return [f"- {place}: {_value(field.before, depth)}"]
    old, new = _around(_plain(field.before), _plain(field.after), depth)
    return [f"@@ {place} @@", f"- {old}", f"+ {new}"]


def _list(before: list[Any], after: list[Any], depth: Depth) -> list[str]:
    """Only what a list loses and gains: arguments are many, and few of them change."""
    old, new = [_value(item, depth) for item in before], [_value(item, depth) for item in after]
    gone = [f"- {item}" for item in old if item not in new]
    come = [f"+ {item}" for item in new if item not in old]
    return [*gone, *come] or ["# the same elements in another order or number"]


def _text(before: str, after: str, depth: Depth) -> list[str]:
    """The lines in which two texts differ."""
    old, new = before.splitlines()[:_MAX_LINES], after.splitlines()[:_MAX_LINES]
    lines: list[str] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        if b - a == d - c:
            for left, right in zip(old[a:b], new[c:d], strict=True):
                lines += [
                    f"{sign} {text}" for sign, text in zip("-+", _around(left, right, depth), strict=True)
                ]
        else:
            lines += [f"- {shorten(line, depth.value)}" for line in old[a:b]]
            lines += [f"+ {shorten(line, depth.value)}" for line in new[c:d]]
    limit = depth.fields * 2
    if len(lines) > limit:
        lines = [*lines[:limit], f"# … and {plural(len(lines) - limit, 'more line')}"]
    return lines or ["# differs behind the lines that are compared here"]


def _around(old: str, new: str, depth: Depth) -> tuple[str, str]:
    """Two texts cut such that their difference is seen."""
    if max(len(old), len(new)) > depth.value:
        alike = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0)
        if (start := alike - 30) > 0:
            old, new = f"…{old[start:]}", f"…{new[start:]}"
    return shorten(old, depth.value), shorten(new, depth.value)


def _value(value: Any, depth: Depth) -> str:
    return shorten(_plain(value), depth.value)


def _plain(value: Any) -> str:
    """A value on one line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text.replace("\r", "\\r").replace("\n", "\\n")


def images_section(review: Review) -> str:
    """Every image that moved, once."""
    changes = sorted({image for overlay in review.overlays for image in overlay.images}, key=_image_key)
    unasked = _unasked(review)
    if not changes:
        return unasked
    rows = ((_image(change.before, "new"), _image(change.after, "gone")) for change in changes)
    listed = table(("image before", "after"), rows)
    listed = listed if len(changes) <= 8 else details(plural(len(changes), "image"), listed)
    return f"{listed}\n\n{unasked}" if unasked else listed


def _unasked(review: Review) -> str:
    """That nobody could tell whether some images exist."""
    if not review.images_unasked:
        return ""
    listed = "\n".join(f"- {prose(text)}" for text in review.images_unasked)
    return details(f"{plural(len(review.images_unasked), 'image')} could not be looked up", listed)


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
    name = danger.resource.partition(" ")[2] or danger.resource
    return f"- {code(danger.rule)} {code(name)}: {prose(shorten(danger.text, 240))}{where}"


def applications_section(review: Review) -> str:
    """Which Argo CD Applications read which overlays."""
    lines = []
    for overlay in review.overlays:
        if overlay.applications:
            names = [code(name) for name in overlay.applications[:_PLURAL_LISTED]]
            lines.append(f"- {code(overlay.path)} is read by {', '.join(names)}")
    return "\n".join(lines)
