"""The place that a broken customization speaks of, in upstream's old and new objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from functools import cached_property
from typing import Any, Final

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.forge.text.diff import Read
from upstreamsync.kit.kubernetes.objects import keyed, object_id
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import Change, Judgement

_SEGMENT: Final = re.compile(r"\[([^\]]+)\]|([^.\[\]]+)")
MAX_LINES: Final = 14
_DIFF_LINES: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One place on both sides, as YAML; None where the object is not.

    Where that is long, ``diff`` tells it by what differs, and the two sides are cut.
    """

    place: str
    before: str | None
    after: str | None
    diff: str | None = None


class Upstream:
    """Upstream's objects on both sides of some changes, read when somebody asks for them."""

    def __init__(self, changes: Iterable[Change], read: Read) -> None:
        self._changes = tuple(changes)
        self._read = read

    @cached_property
    def _old(self) -> list[bytes]:
        return [doc for path, _ in self._files() for doc in manifests.split(self._read(path) or b"")]

    @cached_property
    def _new(self) -> list[bytes]:
        return [doc for _, data in self._files() for doc in manifests.split(data or b"")]

    def _files(self) -> Iterator[tuple[str, bytes | None]]:
        for change in self._changes:
            for path, data in change.base_files.items():
                if path.endswith((".yaml", ".yml", ".json")):
                    yield path, data

    def evidence(self, judgement: Judgement) -> Evidence | None:
        """What stands at the first place that the judgement names.

        None when it names no object, or an object as a whole that looks the same from afar.
        """
        for resource in judgement.resources:
            parts = resource.split(" ")
            if len(parts) == 3:
                path = judgement.paths[0] if judgement.paths else ""
                old, new = (_shown(self._find(side, parts)) for side in (self._old, self._new))
                if old is None and new is None:
                    continue
                found = _compare(resource, old, new, path)
                return found if path or found.before != found.after else None
        return None

    def _find(self, documents: list[bytes], parts: list[str]) -> Mapping[str, Any] | None:
        kind, name = parts[1], parts[2].rpartition("/")[2]
        namespace = parts[2].rpartition("/")[0]
        found: Mapping[str, Any] | None = None
        for document in documents:
            if name.encode() not in document or kind.encode() not in document:
                continue
            for obj in _objects(document):
                identity = object_id(obj)
                if (identity.kind, identity.name) == (kind, name):
                    if identity.namespace == namespace:
                        return obj
                    # An overlay may have set another namespace: the name alone will do.
                    found = obj
        return found


def _shown(obj: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """A Secret's values are never shown."""
    if obj is None or obj.get("kind") != "Secret":
        return obj
    hidden = {
        key: dict.fromkeys(value, "(not shown)")
        for key, value in obj.items()
        if key in ("data", "stringData") and isinstance(value, Mapping)
    }
    return {**obj, **hidden}


def _objects(document: bytes) -> list[dict[str, Any]]:
    try:
        return manifests.objects(document)
    except UpstreamsyncError:
        return []


def _compare(
    resource: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, path: str
) -> Evidence:
    segments = [(bracket or plain, bool(bracket)) for bracket, plain in _SEGMENT.findall(path)]
    depth = min(_depth(old, segments), _depth(new, segments))
    # The leaf alone says little: what stands beside it shows what upstream did.
    depth = min(depth, max(len(segments) - 1, 0))
    shown = "".join(f"[{name}]" if bracket else f".{name}" for name, bracket in segments[:depth]).lstrip(".")
    before = None if old is None else list(_lines(_at(old, segments[:depth]), 0))
    after = None if new is None else list(_lines(_at(new, segments[:depth]), 0))
    return Evidence(
        place=f"{resource} {shown}".strip(),
        before=None if before is None else _cut(before, MAX_LINES),
        after=None if after is None else _cut(after, MAX_LINES),
        diff=_diff(before, after) if before and after else None,
    )


def _diff(before: list[str], after: list[str]) -> str | None:
    """What differs, with two lines around it; None where both sides are short enough to be shown."""
    if max(len(before), len(after)) <= MAX_LINES:
        return None
    lines = list(unified_diff(before, after, lineterm="", n=2))[2:]
    return _cut([line for line in lines if not line.startswith("@@")], _DIFF_LINES) or "# no difference here"


def _depth(obj: Any, segments: list[tuple[str, bool]]) -> int:
    if obj is None:
        return len(segments)
    for index, segment in enumerate(segments):
        obj = _step(obj, segment)
        if obj is None:
            return index
    return len(segments)


def _at(obj: Any, segments: list[tuple[str, bool]]) -> Any:
    for segment in segments:
        obj = _step(obj, segment)
    return obj


def _step(value: Any, segment: tuple[str, bool]) -> Any:
    name, _ = segment
    if isinstance(value, Mapping):
        return value.get(name)
    if not isinstance(value, list):
        return None
    if name.isdigit():
        return value[int(name)] if int(name) < len(value) else None
    fields = [part.partition("=")[0] for part in name.split(",")]
    return keyed(value, fields).get(name) if all(isinstance(item, Mapping) for item in value) else None


def _cut(lines: list[str], limit: int) -> str:
    more = len(lines) - limit
    return "\n".join(lines if more <= 0 else [*lines[:limit], f"# … {more} more lines"])


def _lines(value: Any, depth: int) -> Iterator[str]:
    """The value as YAML, two levels deep."""
    pad = "  " * depth
    if isinstance(value, Mapping) and value:
        for key, child in value.items():
            if isinstance(child, (Mapping, list)) and child:
                if depth >= 1 and not _is_short(child):
                    yield f"{pad}{key}: {'{…}' if isinstance(child, Mapping) else f'[… {len(child)} …]'}"
                elif _is_short(child):
                    yield f"{pad}{key}: {_scalar(child)}"
                else:
                    yield f"{pad}{key}:"
                    yield from _lines(child, depth + 1)
            else:
                yield f"{pad}{key}: {_scalar(child)}"
    elif isinstance(value, list) and value:
        for item in value:
            yield f"{pad}- {_scalar(item) if _is_short(item) else _gist(item)}"
    else:
        yield f"{pad}{_scalar(value)}"


def _is_short(value: Any) -> bool:
    return len(_scalar(value)) <= 60


def _gist(item: Any) -> str:
    if not isinstance(item, Mapping):
        return _scalar(item)[:60] + "…"
    named = [f"{key}: {_scalar(item[key])}" for key in ("name", "image", "kind") if key in item]
    return "{" + ", ".join([*named, "…"]) + "}"


def _scalar(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"[\w./:-]*[A-Za-z/][\w./:-]*", value) and len(value) < 100:
        return value
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 160 else text[:159] + "…"
