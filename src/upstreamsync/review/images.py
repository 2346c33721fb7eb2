"""Container images: where objects name them, how a reference is read, what changed between two sides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from upstreamsync.model import ImageChange

DOCKER_HUB: Final = "docker.io"
_REFERENCE: Final = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*(?::\d+(?=/))?(?:/[A-Za-z0-9._-]+)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>[a-z0-9]+:[0-9a-f]{32,}))?"
)
#: An image inside an argument, such as ``--reloader=quay.io/x/y:v1``: host, path and tag, so no guess.
_IN_ARGUMENT: Final = re.compile(
    r"=(?P<image>[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?(?:/[a-z0-9._-]+)+[:@][\w.:-]+)$"
)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Image:
    """An image reference in its parts; ``name`` is everything before tag and digest."""

    name: str
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"

    @property
    def registry(self) -> str:
        """The host it is pulled from; Docker Hub when the reference names none."""
        first, slash, _ = self.name.partition("/")
        return first if slash and ("." in first or ":" in first or first == "localhost") else DOCKER_HUB


def parse_image(text: str) -> Image | None:
    """Read a reference; None for what is none."""
    match = _REFERENCE.fullmatch(text.strip())
    return Image(name=match["name"], tag=match["tag"], digest=match["digest"]) if match else None


def images_of(obj: Mapping[str, Any]) -> Iterator[Image]:
    """Every image that an object names: containers, image volumes, custom resources, arguments."""
    if obj.get("kind") != "CustomResourceDefinition":
        yield from _walk(obj, "")


def _walk(value: Any, key: str) -> Iterator[Image]:
    if isinstance(value, Mapping):
        for name, child in value.items():
            yield from _walk(child, name)
    elif isinstance(value, list):
        for child in value:
            yield from _walk(child, key)
    elif isinstance(value, str):
        found = None
        if key == "image" and value:
            found = parse_image(value)
        elif key in ("args", "command") and (match := _IN_ARGUMENT.search(value)):
            found = parse_image(match["image"])
        if found is not None:
            yield found


def all_images(objects: Sequence[Mapping[str, Any]]) -> frozenset[Image]:
    """The images of all objects."""
    return frozenset(image for obj in objects for image in images_of(obj))


def compare_images(before: frozenset[Image], after: frozenset[Image]) -> tuple[ImageChange, ...]:
    """What moved. An image that left one registry for another (same last part of its name) is one change."""
    changes: list[ImageChange] = []
    gone, new = _by_name(before - after), _by_name(after - before)
    kept = {image.name for image in before & after}
    for name in sorted(gone.keys() & new.keys()):
        changes += _pair_up(name, gone.pop(name), new.pop(name))
    for name in sorted(gone):
        partner = None if name in kept else _moved_to(name, gone, new)
        if partner is not None:
            changes += _pair_up(partner, gone[name], new.pop(partner))
        else:
            changes += [ImageChange(name=name, before=str(image), after=None) for image in gone[name]]
    for name in sorted(new):
        changes += [ImageChange(name=name, before=None, after=str(image)) for image in new[name]]
    return tuple(sorted(changes, key=lambda change: (change.name, change.before or "", change.after or "")))


def _by_name(images: frozenset[Image]) -> dict[str, list[Image]]:
    found: dict[str, list[Image]] = {}
    for image in sorted(images, key=str):
        found.setdefault(image.name, []).append(image)
    return found


def _moved_to(name: str, gone: Mapping[str, list[Image]], new: Mapping[str, list[Image]]) -> str | None:
    last = name.rpartition("/")[2]
    candidates = [other for other in new if other.rpartition("/")[2] == last]
    rivals = [other for other in gone if other.rpartition("/")[2] == last]
    return candidates[0] if len(candidates) == 1 and len(rivals) == 1 else None


def _pair_up(name: str, old: list[Image], new: list[Image]) -> list[ImageChange]:
    count = max(len(old), len(new))
    return [
        ImageChange(
            name=name,
            before=str(old[index]) if index < len(old) else None,
            after=str(new[index]) if index < len(new) else None,
        )
        for index in range(count)
    ]
