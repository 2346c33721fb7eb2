"""Differences that one line of a kustomization says: images, replicas, labels, and a namespace for all.

What a setting explains needs no patch. Whether kustomize does with it what is meant, a build shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from upstreamsync.adopt.matching import Manifest, Pair
from upstreamsync.adopt.operations import Element, Operation
from upstreamsync.kit.kubernetes.objects import object_id

#: The kinds whose number of pods `replicas:` sets.
SCALED = frozenset(("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"))
_CONTAINERS = ("containers", "initContainers")
_IMAGE = re.compile(r"(?P<name>[^@]*?)(?::(?P<tag>[^:/@]+))?(?:@(?P<digest>[^@]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The one-line settings of a kustomization, as kustomize spells them."""

    namespace: str | None = None
    labels: Mapping[str, str] | None = None
    templates: bool = False
    images: tuple[Mapping[str, str], ...] = ()
    replicas: tuple[Mapping[str, Any], ...] = ()

    def fields(self) -> dict[str, Any]:
        """As they stand in the kustomization."""
        found: dict[str, Any] = {}
        if self.namespace is not None:
            found["namespace"] = self.namespace
        if self.labels:
            entry: dict[str, Any] = {"pairs": dict(self.labels)}
            found["labels"] = [{**entry, "includeTemplates": True} if self.templates else entry]
        if self.images:
            found["images"] = [dict(one) for one in self.images]
        if self.replicas:
            found["replicas"] = [dict(one) for one in self.replicas]
        return found


Changes = Sequence[tuple[Pair, tuple[Operation, ...]]]


def common_namespace(pairs: Sequence[Pair], own: Sequence[Manifest]) -> str | None:
    """The namespace that a copy was moved to as a whole; None where it was not."""
    there = {object_id(pair.local).namespace for pair in pairs} | {object_id(one).namespace for one in own}
    there.discard("")
    moved = [pair for pair in pairs if object_id(pair.local).namespace != object_id(pair.upstream).namespace]
    stays = any(object_id(pair.local).namespace == object_id(pair.upstream).namespace != "" for pair in pairs)
    if len(there) != 1 or len(moved) < 2 or stays:
        return None
    return there.pop()


def find_settings(changes: Changes, own: Sequence[Manifest], settings: Settings) -> Settings:
    """``settings`` with the images, replicas and labels that explain some of the changes."""
    labels, templates = _labels(changes, own)
    return replace(
        settings,
        labels=labels or None,
        templates=templates,
        images=tuple(_images(changes, own)),
        replicas=tuple(_replicas(changes, own)),
    )


def unexplained(settings: Settings, pair: Pair, changes: Sequence[Operation]) -> tuple[Operation, ...]:
    """What the settings leave to patches."""
    left = []
    for operation in changes:
        rest = _without_labels(settings, operation)
        if rest is not None and not _is_explained(settings, pair, rest):
            left.append(rest)
    return tuple(left)


def _is_explained(settings: Settings, pair: Pair, operation: Operation) -> bool:
    if operation.is_removal:
        return False
    if _is_image(operation):
        return any(apply_image(entry, operation.before) == operation.after for entry in settings.images)
    if operation.path == ("spec", "replicas"):
        name = object_id(pair.upstream).name
        return any(entry["name"] == name and entry["count"] == operation.after for entry in settings.replicas)
    return False


# -- images ------------------------------------------------------------------------------------------


def apply_image(entry: Mapping[str, str], image: Any) -> str | None:
    """What an entry of ``images:`` makes of an image; None for one that it is not about."""
    match = _IMAGE.fullmatch(image) if isinstance(image, str) else None
    if match is None or match["name"] != entry["name"]:
        return None
    name = entry.get("newName", match["name"])
    tag, digest = match["tag"], match["digest"]
    if "newTag" in entry or "digest" in entry:
        tag, digest = entry.get("newTag"), entry.get("digest")
    return name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")


def _is_image(operation: Operation) -> bool:
    path = operation.path
    return (
        len(path) >= 3
        and path[-1] == "image"
        and isinstance(path[-2], Element)
        and path[-3] in _CONTAINERS
        and isinstance(operation.before, str)
    )


def _images(changes: Changes, own: Sequence[Manifest]) -> Iterator[dict[str, str]]:
    """An entry for each image that was changed in the same way wherever it is used."""
    used = [image for one in own for image in _used(one)]
    kept = {
        name: [image for pair, _ in changes for image in _used(pair.local) if _name(image) == name]
        for name in {_name(image) for pair, _ in changes for image in _used(pair.upstream)}
    }
    seen: dict[str, dict[str, str] | None] = {}
    for _, operations in changes:
        for operation in operations:
            if not _is_image(operation) or operation.is_removal or operation.is_addition:
                continue
            name = _name(operation.before)
            entry = _entry(operation.before, operation.after)
            seen[name] = entry if seen.get(name, entry) == entry else None
    for name, entry in seen.items():
        if entry is None:
            continue
        others = [*used, *kept.get(name, [])]
        if all(apply_image(entry, image) in (None, image) for image in others):
            yield entry


def _entry(before: Any, after: Any) -> dict[str, str] | None:
    old = _IMAGE.fullmatch(before) if isinstance(before, str) else None
    new = _IMAGE.fullmatch(after) if isinstance(after, str) else None
    if old is None or new is None or not new["name"]:
        return None
    entry = {"name": old["name"]}
    if new["name"] != old["name"]:
        entry["newName"] = new["name"]
    if (new["tag"], new["digest"]) != (old["tag"], old["digest"]):
        entry |= {"newTag": new["tag"]} if new["tag"] else {}
        entry |= {"digest": new["digest"]} if new["digest"] else {}
    return entry if apply_image(entry, before) == after else None


def _name(image: str) -> str:
    match = _IMAGE.fullmatch(image)
    return match["name"] if match is not None else image


def _used(value: Any) -> Iterator[str]:
    """Every image of a container, wherever the pod stands."""
    if isinstance(value, dict):
        for key, child in value.items():
            if key in _CONTAINERS and isinstance(child, list):
                yield from (
                    one["image"]
                    for one in child
                    if isinstance(one, dict) and isinstance(one.get("image"), str)
                )
            yield from _used(child)
    elif isinstance(value, list):
        for child in value:
            yield from _used(child)


# -- replicas ----------------------------------------------------------------------------------------


def _replicas(changes: Changes, own: Sequence[Manifest]) -> Iterator[dict[str, Any]]:
    objects = [pair.upstream for pair, _ in changes] + list(own)
    names = [object_id(one).name for one in objects if one.get("kind") in SCALED]
    for pair, operations in changes:
        name = object_id(pair.upstream)
        if name.kind not in SCALED or names.count(name.name) > 1:
            continue
        for operation in operations:
            count = operation.after
            if operation.path == ("spec", "replicas") and isinstance(count, int) and count is not True:
                yield {"name": name.name, "count": count}


# -- labels ------------------------------------------------------------------------------------------


def _labels(changes: Changes, own: Sequence[Manifest]) -> tuple[dict[str, str], bool]:
    """The labels that all objects have got, and whether their pods have got them, too."""
    if len(changes) < 2:
        return {}, False
    added = [_added(operations, ("metadata", "labels")) for _, operations in changes]
    common = {
        key: value
        for key, value in added[0].items()
        if all(one.get(key) == value for one in added) and all(_label(obj, key) == value for obj in own)
    }
    in_pods = [
        _added(operations, ("spec", "template", "metadata", "labels"))
        for pair, operations in changes
        if isinstance((pair.local.get("spec") or {}).get("template"), dict)
    ]
    templates = bool(common) and bool(in_pods) and all(common.items() <= one.items() for one in in_pods)
    return common, templates


def _label(manifest: Manifest, key: str) -> Any:
    return ((manifest.get("metadata") or {}).get("labels") or {}).get(key)


def _added(operations: Sequence[Operation], place: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for operation in operations:
        if not operation.is_addition:
            continue
        if operation.path == place and isinstance(operation.after, dict):
            found |= operation.after
        elif operation.path[:-1] == place and isinstance(operation.path[-1], str):
            found[operation.path[-1]] = operation.after
    return found


def _without_labels(settings: Settings, operation: Operation) -> Operation | None:
    """What is left of an operation without the labels that the setting gives; None for nothing."""
    if not settings.labels or not operation.is_addition:
        return operation
    places = [("metadata", "labels")]
    if settings.templates:
        places.append(("spec", "template", "metadata", "labels"))  # type: ignore[arg-type]
    for place in places:
        if operation.path[:-1] == place and settings.labels.get(str(operation.path[-1])) == operation.after:
            return None
        if operation.path == place and isinstance(operation.after, dict):
            rest = {key: value for key, value in operation.after.items() if key not in settings.labels}
            return replace(operation, after=rest) if rest else None
    return operation
