"""What was derived from upstream by hand, or is only watched: remarks for people when it changes."""

from __future__ import annotations

import base64
import binascii
import difflib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from upstreamsync.base.documents import documents, has_content, is_yaml_name
from upstreamsync.config.spec import Fork, Source
from upstreamsync.errors import ContentError, UpstreamError
from upstreamsync.lock import Lock, WatchedSource, digest
from upstreamsync.model import Artifact

_DIFF_LINES = 30
_NAMES = 10
_BASE64 = re.compile(r"^(\s+[^\s:]+:)\s*[\"']?([A-Za-z0-9+/]{8,}={0,2})[\"']?\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """A watched source: what it delivers for the new release, and for the old one where that was fetched."""

    source: Source
    now: Artifact
    before: Artifact | None = None


def find_origin(
    of: str, paths: Sequence[str], bases: Sequence[str], read: Callable[[str], bytes | None]
) -> bytes | None:
    """The bytes of ``path`` or ``path#Kind/name``; None when it is not there.

    ``path`` is relative to one of the bases (or to the root); left empty, or gone while an object is
    named, the object is looked for in every file.
    """
    path, _, who = of.partition("#")
    named = [candidate for base in (*bases, "") if (candidate := f"{base}/{path}".lstrip("/")) in paths]
    if not who:
        return read(named[0]) if path and named else None
    for candidate in named or [name for name in paths if is_yaml_name(name)]:
        if (found := _object(candidate, read(candidate), who)) is not None:
            return found
    return None


def origin_of(
    fork: Fork, paths: Sequence[str], bases: Sequence[str], read: Callable[[str], bytes | None]
) -> bytes | None:
    """What a fork was derived from: the bytes of its origin, or of all of several, one behind the other."""
    found = [find_origin(of, paths, bases, read) for of in fork.origins]
    known = [one for one in found if one is not None]
    if len(fork.origins) == 1:
        return found[0]
    return b"\n".join(known) if known else None


def fork_digests(
    forks: Sequence[Fork], paths: Sequence[str], bases: Sequence[str], read: Callable[[str], bytes | None]
) -> dict[str, str]:
    """For the lock: local file → digest of what it was derived from, where that exists."""
    found = {fork.file: origin_of(fork, paths, bases, read) for fork in forks}
    return {file: digest(data) for file, data in found.items() if data is not None}


def fork_note(fork: Fork, old: bytes | None, new: bytes | None, locked: str | None) -> str | None:
    """A remark when a fork's origin changed; ``locked`` is its digest at the last update, where known."""
    if new is None:
        if old is None and locked is None:
            return f"`{fork.file}` is said to derive from {fork.shown}, which is not in the base"
        return f"`{fork.file}` derives from {fork.shown}, which upstream has removed"
    before = locked if locked is not None else digest(old) if old is not None else None
    if before is None or before == digest(new):
        return None
    diff = _diff(old, new) if old is not None and old != new else ""
    return f"`{fork.file}` derives from {fork.shown}, which has changed: see whether it has to follow{diff}"


def watch_note(watching: Watching, lock: Lock | None) -> str | None:
    """A remark that names the files of a watched source that changed; None when nothing is known to."""
    locked = {one.source: one.files for one in lock.watch} if lock is not None else {}
    before = (
        _digests(watching.before) if watching.before is not None else locked.get(source_key(watching.source))
    )
    now = _digests(watching.now)
    if before is None or before == now:
        return None
    words = []
    for verb, paths in (
        ("changed", [path for path in now if before.get(path, now[path]) != now[path]]),
        ("added", [path for path in now if path not in before]),
        ("removed", [path for path in before if path not in now]),
    ):
        if paths:
            words.append(f"{verb} {shortened(sorted(paths))}")
    where = ", ".join(resolved.location for resolved in watching.now.resolved) or watching.source.kind
    return f"watched {where}: {'; '.join(words)}"


def watch_fact(watching: Watching) -> WatchedSource:
    """A watched source for the lock."""
    location = ", ".join(resolved.location for resolved in watching.now.resolved)
    return WatchedSource(
        source=source_key(watching.source),
        location=location or watching.source.kind,
        files=_digests(watching.now),
    )


def source_key(source: Source) -> str:
    """A digest of a source's declaration, which stays while versions go by."""
    shown = source.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return digest(json.dumps(shown, sort_keys=True).encode())


def shortened(paths: Sequence[str]) -> str:
    """Some names in one line."""
    more = f" and {len(paths) - _NAMES} more" if len(paths) > _NAMES else ""
    return ", ".join(f"`{path}`" for path in paths[:_NAMES]) + more


def _digests(artifact: Artifact) -> Mapping[str, str]:
    return {file.path: digest(file.data) for file in artifact.files}


def _object(path: str, data: bytes | None, who: str) -> bytes | None:
    kind, _, name = who.partition("/")
    try:
        found = [
            document
            for document in documents(path, data or b"")
            if document.identity and (document.identity.kind, document.identity.name) == (kind, name)
        ]
    except (ContentError, UpstreamError):  # a file that holds no objects can't hold this one
        return None
    return found[0].data if found and has_content(found[0].data) else None


def _diff(old: bytes, new: bytes) -> str:
    before, after = (_readable(data).splitlines() for data in (old, new))
    lines = list(difflib.unified_diff(before, after, "before", "now", lineterm="", n=1))[2:]
    shown = [line[:200] for line in lines[:_DIFF_LINES]]
    if len(lines) > _DIFF_LINES:
        shown.append(f"… and {len(lines) - _DIFF_LINES} more lines")
    return "\n" + "\n".join(shown)


def _readable(data: bytes) -> str:
    """Text for a diff; the values of a Secret decoded, as nobody reads base64."""
    text = data.decode("utf-8", "replace")
    return _BASE64.sub(_decoded, text) if re.search(r"^kind: Secret\s*$", text, re.MULTILINE) else text


def _decoded(match: re.Match[str]) -> str:
    try:
        inner = base64.b64decode(match[2], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return match[0]
    return "\n    ".join([f"{match[1]} (decoded)", *inner.splitlines()])
