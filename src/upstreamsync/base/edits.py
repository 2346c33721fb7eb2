"""Follow-up edits: the one value elsewhere that has to follow a version, and nothing else of its file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from upstreamsync.config.spec import Edit, Vendor
from upstreamsync.errors import EditError
from upstreamsync.kit.templates import fill, placeholders, release_values, to_pattern
from upstreamsync.kit.yaml import edit as yaml_edit
from upstreamsync.kit.yaml.digests import Moved, behind, beside_image, beside_path
from upstreamsync.model import EMPTY, Edited, ImageFinding, Place, Release

Read = Callable[[str], bytes | None]
#: The text of a file, and a value for its place → the new text, the value before, and where it stands.
_Put = Callable[[str, str], tuple[str, str, Place]]
#: What a placeholder may stand for when a value is read back.
_READ_BACK = {"semver": r"\d\S*?", "major": r"\d+", "minor": r"\d+", "patch": r"\d+"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """Files with their new bytes, and each value that was changed. What stays as it is, is not here."""

    files: Mapping[str, bytes] = field(default_factory=lambda: EMPTY)
    edited: tuple[Edited, ...] = ()


NO_EDITS = Edits()


def follow_up(vendor: Vendor, release: Release | None, images: Sequence[ImageFinding], read: Read) -> Edits:
    """All edits of a vendor's step: those of its version, then those of each image that moves.

    Raises as ``apply_edits``.
    """
    batches = [(vendor.edits, release_values(release))] if release is not None else []
    batches += [
        (vendor.images[finding.key].edits, release_values(finding.target))
        for finding in images
        if finding.target is not None
    ]
    done = NO_EDITS
    for edits, values in batches:
        done = _together(done, apply_edits(edits, values, _over(done, read)))
    return done


def apply_edits(edits: Sequence[Edit], values: Mapping[str, str], read: Read) -> Edits:
    """Make the edits, each upon what those before it left. A value that is right already is no change.

    ``values`` fill the placeholders. Raises EditError for an edit that finds nothing or more than it may,
    whose file is not there, or whose placeholder nothing fills; then none is made.
    """
    done = NO_EDITS
    for edit in edits:
        text = _text(edit.file, _over(done, read))
        for what, template, put in _puts(edit):
            value = _filled(template, values, edit)
            text, before, place = put(text, value)
            if before != value:
                made = [Edited(place=place, what=what, before=before, after=value)]
                if moved := _stale_digest(text, edit, before, value, values.get("digest")):
                    text, old, place = moved
                    now = values.get("digest") or ""
                    made.append(Edited(place=place, what=f"digest beside {what}", before=old, after=now))
                done = _together(done, Edits(files={edit.file: text.encode()}, edited=tuple(made)))
    return done


def _stale_digest(text: str, edit: Edit, before: str, value: str, digest: str | None) -> Moved | None:
    """The text with the digest that stood beside a raised tag moved, or taken out: it names the old content."""
    if edit.image is not None:
        beside = edit.tag is not None and edit.digest is None
        return beside_image(text, edit.image, digest, file=edit.file) if beside else None
    if edit.path is not None:
        return beside_path(text, edit.path, digest, file=edit.file)
    return behind(text, before, value, digest, file=edit.file) if edit.pattern is not None else None


def current_value(edit: Edit, read: Read) -> str:
    """The version that stands in an edit's place now, its template read backwards.

    Raises EditError when the place is not there, or holds what the template can't have written.
    """
    text = _text(edit.file, read)
    what, template, put = _puts(edit)[0]
    _, before, place = put(text, _ANYTHING)
    names = placeholders(template)
    match = to_pattern(template, _READ_BACK).fullmatch(before)
    version = next(
        (match[name] for name in ("version", "tag", "ref", "semver") if match and name in names), None
    )
    if version is None:
        raise EditError(
            f"the version in use can't be told from {what}: `{before}` does not fit `{template}`",
            place=place,
            hint="write it down: `version:` of the image in vendors.yaml",
        )
    return version


def without_followed(vendors: Iterable[Vendor]) -> Callable[[str, bytes], bytes]:
    """Says what a file has besides the values that edits own: ``(path, bytes) → bytes`` with those left out.

    Two texts that are equal then differ in nothing but values that follow a version. An edit that finds
    nothing leaves the text as it is.
    """
    by_file: dict[str, list[Edit]] = {}
    for vendor in vendors:
        for edit in (*vendor.edits, *(edit for image in vendor.images for edit in image.edits)):
            by_file.setdefault(edit.file, []).append(edit)

    def blank(path: str, data: bytes) -> bytes:
        for edit in by_file.get(path, ()):
            for _, _, put in _puts(edit):
                with suppress(EditError, UnicodeDecodeError):
                    text = put(data.decode(), _ANYTHING)[0]
                    moved = _stale_digest(text, edit, "", _ANYTHING, None)
                    data = (moved[0] if moved is not None else text).encode()
        return data

    return blank


#: Put in place of a value only to learn what stood there; never written.
_ANYTHING = "0.0.0-anything"


def _puts(edit: Edit) -> list[tuple[str, str, _Put]]:
    """What the edit changes: in words, the template of the value, and how to put it there."""
    value = edit.value or ""
    if edit.path is not None:
        return [(f"`{edit.path}`", value, _putting(yaml_edit.replace, edit.path, edit.file))]
    if edit.env is not None:
        return [(f"variable `{edit.env}`", value, _putting(yaml_edit.set_env, edit.env, edit.file))]
    if edit.pattern is not None:
        return [(f"`{edit.pattern}`", value, _putting(yaml_edit.replace_pattern, edit.pattern, edit.file))]
    return [
        (f"{key} of image `{edit.image}`", template, _image_put(edit.image or "", key, edit.file))
        for key in ("tag", "digest", "name")
        if (template := getattr(edit, key)) is not None
    ]


class _Splice(Protocol):
    def __call__(self, text: str, where: str, value: str, /, *, file: str) -> tuple[str, str, Place]: ...


def _putting(change: _Splice, where: str, file: str) -> _Put:
    return lambda text, value: change(text, where, value, file=file)


def _image_put(image: str, key: str, file: str) -> _Put:
    return lambda text, value: yaml_edit.set_image(text, image, file=file, **{key: value})


def _filled(template: str, values: Mapping[str, str], edit: Edit) -> str:
    try:
        return fill(template, values)
    except KeyError as error:
        raise EditError(
            f"nothing fills the placeholder {{{error.args[0]}}} of `{template}`",
            place=Place(file=edit.file),
            hint=f"this release knows {', '.join(f'{{{name}}}' for name in sorted(values))}",
        ) from None


def _text(path: str, read: Read) -> str:
    data = read(path)
    if data is None:
        raise EditError(
            f"`{path}` is to be edited, and is not there",
            place=Place(file=path),
            hint="was it moved? adapt `edits`",
        )
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise EditError(
            f"`{path}` is to be edited, and is not UTF-8 text",
            place=Place(file=path),
            hint="save it as UTF-8",
        ) from None


def _over(done: Edits, read: Read) -> Read:
    return lambda path: done.files[path] if path in done.files else read(path)


def _together(first: Edits, then: Edits) -> Edits:
    return Edits(files={**first.files, **then.files}, edited=(*first.edited, *then.edited))


def find_places(edit: Edit, read: Read, values: Mapping[str, str]) -> None:
    """See whether an edit finds what it edits; writes nothing.

    ``values`` fill its placeholders as far as they can; what they can't fill is not looked at. Raises
    EditError as ``apply_edits``.
    """
    text = _text(edit.file, read)
    for _, template, put in _puts(edit):
        if set(placeholders(template)) <= values.keys():
            put(text, fill(template, values))
