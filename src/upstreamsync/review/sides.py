"""The objects of two builds of one overlay as texts, side by side. Pure.

The texts are kustomize's own, document by document; only those that differ are read, and those that somebody
asks for. Of a Secret nothing but the names of its values is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.kubernetes.objects import ObjectId, object_id
from upstreamsync.kit.yaml import manifests, syntax
from upstreamsync.model import ObjectText

_HIDDEN: Final = "(not shown)"
_HIDDEN_TOO: Final = "(not shown, another one)"


@dataclass(frozen=True, slots=True)
class _Object:
    """One object with its text."""

    id: ObjectId
    content: Mapping[str, Any]
    text: str


class Sides:
    """Both builds. ``changed`` is what differs; ``find`` gives an object by the name that a finding has for it."""

    def __init__(self, before: bytes, after: bytes) -> None:
        self._before, self._after = manifests.split(before), manifests.split(after)

    @cached_property
    def changed(self) -> tuple[ObjectText, ...]:
        """The objects that differ: those of the new build in its order, then those that are gone."""
        equal = {_bare(one) for one in self._before} & {_bare(one) for one in self._after}
        old = _numbered(one for one in self._before if _bare(one) not in equal)
        new = _numbered(one for one in self._after if _bare(one) not in equal)
        names = [*new, *(name for name in old if name not in new)]
        pairs = [(old.get(name), new.get(name)) for name in names]
        return tuple(
            _text(before, after)
            for before, after in pairs
            if before is None or after is None or before.content != after.content
        )

    def find(self, resource: str) -> ObjectText | None:
        """The object on both sides, by its id (``apps/v1 Deployment ns/name``); None where it is on neither.

        An overlay may have set another namespace than the kustomization that the finding is about knows of.
        """
        parts = resource.split(" ")
        if len(parts) != 3:
            return None
        before, after = (_named(side, parts[1], parts[2]) for side in (self._before, self._after))
        return None if before is None and after is None else _text(before, after, name=resource)


def _bare(document: bytes) -> bytes:
    return document.removeprefix(b"---").strip(b"\n")


def _objects(document: bytes) -> Iterator[_Object]:
    try:
        found = manifests.objects(document)
    except UpstreamsyncError:
        return
    for one in found:
        text = _bare(document).decode("utf-8", "replace") + "\n" if len(found) == 1 else _dumped(one)
        yield _Object(object_id(one), one, text)


def _numbered(documents: Iterable[bytes]) -> dict[tuple[ObjectId, int], _Object]:
    """By id, whatever version of its API an object is written in; and 2, … for one that is there twice."""
    found: dict[tuple[ObjectId, int], _Object] = {}
    for document in documents:
        for one in _objects(document):
            number = 1
            while (one.id.unversioned, number) in found:
                number += 1
            found[one.id.unversioned, number] = one
    return found


def _named(documents: Iterable[bytes], kind: str, name: str) -> _Object | None:
    namespace, _, bare = name.rpartition("/")
    likely: _Object | None = None
    for document in documents:
        if bare.encode() not in document or kind.encode() not in document:
            continue
        for one in _objects(document):
            if (one.id.kind, one.id.name) == (kind, bare):
                if one.id.namespace == namespace:
                    return one
                likely = one
    return likely


def _text(before: _Object | None, after: _Object | None, name: str | None = None) -> ObjectText:
    there = after or before
    resource = name or (str(there.id) if there is not None else "")
    if there is None or there.id.kind != "Secret":
        return ObjectText(
            resource=resource,
            before=before.text if before is not None else None,
            after=after.text if after is not None else None,
        )
    old = before.content if before is not None else {}
    return ObjectText(
        resource=resource,
        before=_dumped(_without_values(before.content, before.content)) if before is not None else None,
        after=_dumped(_without_values(after.content, old or after.content)) if after is not None else None,
    )


def shown(content: Mapping[str, Any]) -> str:
    """An object as YAML; of a Secret without its values."""
    is_secret = content.get("kind") == "Secret"
    return _dumped(_without_values(content, content) if is_secret else content)


def _without_values(secret: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """A Secret without its values, and without the annotation in which kubectl keeps a copy of them."""
    shown = dict(secret)
    for field in ("data", "stringData"):
        values, others = secret.get(field), other.get(field)
        if isinstance(values, Mapping):
            known = others if isinstance(others, Mapping) else {}
            shown[field] = {
                key: _HIDDEN if key in known and known[key] == value else _HIDDEN_TOO
                for key, value in values.items()
            }
    metadata = secret.get("metadata")
    if isinstance(metadata, Mapping) and isinstance(metadata.get("annotations"), Mapping):
        kept = {
            key: value for key, value in metadata["annotations"].items() if "last-applied" not in str(key)
        }
        shown["metadata"] = {**metadata, "annotations": kept}
    return shown


def _dumped(content: Mapping[str, Any]) -> str:
    return str(
        syntax.dump(content, Dumper=syntax.CSafeDumper, sort_keys=False, allow_unicode=True, width=10**6)
    )
