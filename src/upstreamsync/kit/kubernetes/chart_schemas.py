"""Schemas of charts that refer outside of their chart: helm would fetch, or read, what they name.

helm 3 and 4 hand ``values.schema.json`` to a validator that resolves ``$ref`` by http and file. Such a schema
is taken out before helm sees the chart: that its values are not validated loses a message, no more.

Sources: JSON Schema (draft-04 to 2020-12), sections on $ref, $id, $schema and $dynamicRef; helm's
pkg/chart/common/util/jsonschema.go.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.archives import read_archive
from upstreamsync.model import ContentFile

NAME: Final = "values.schema.json"
_REFERENCES: Final = frozenset(("$ref", "$dynamicRef", "$recursiveRef"))
#: The meta-schemas that every validator has built in.
_BUILT_IN: Final = re.compile(
    r"https?://json-schema\.org/(?:draft-0[3-7]/|draft/20(?:19-09|20-12)/)?schema#?"
)
_DEPTH: Final = 5


def is_foreign(schema: bytes) -> bool:
    """Whether validating by a schema would look outside of it; also where that can't be told."""
    try:
        document = json.loads(schema.decode("utf-8", "replace"), object_pairs_hook=_Pairs)
        return any(_looks_outside(pairs, top=pairs is document) for pairs in _walk(document))
    except (ValueError, RecursionError):
        return True


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as it is written: a key that stands twice, too."""


def _walk(value: Any) -> Iterator[_Pairs]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, _Pairs):
            yield one
            waiting += [child for _, child in one]
        elif isinstance(one, list):
            waiting += one


def _looks_outside(pairs: _Pairs, *, top: bool) -> bool:
    for key, value in pairs:
        if not isinstance(value, str):
            continue  # a property of that name, perhaps
        if key in _REFERENCES and not value.startswith("#"):
            return True
        if key == "$schema" and not _BUILT_IN.fullmatch(value):
            return True
        # Below the top a new base makes `#…` mean another document.
        if key in ("$id", "id") and not top and not value.startswith("#"):
            return True
    return False


def without_foreign(
    files: Iterable[ContentFile], depth: int = _DEPTH
) -> tuple[tuple[ContentFile, ...], tuple[str, ...]]:
    """A chart's files without schemas that refer outside, those of packed subcharts too; and their names."""
    kept: list[ContentFile] = []
    left_out: list[str] = []
    for file in files:
        if file.path.rpartition("/")[2] == NAME and is_foreign(file.data):
            left_out.append(file.path)
        elif "charts/" in file.path and file.data[:2] == b"\x1f\x8b":
            data, inner = _unpacked_without(file, depth)
            left_out += [f"{file.path}/{name}" for name in inner]
            kept += [replace(file, data=data)] if data else []
        else:
            kept.append(file)
    return tuple(kept), tuple(left_out)


def _unpacked_without(file: ContentFile, depth: int) -> tuple[bytes, tuple[str, ...]]:
    """A packed subchart without such schemas; one that can't be looked into is left out itself."""
    try:
        members = read_archive(file.data, name=file.path) if depth else ()
    except UpstreamsyncError:
        members = ()
    if not members:
        return b"", ("",)
    kept, left_out = without_foreign(members, depth - 1)
    return (pack(kept) if left_out else file.data), left_out


def archive_without_foreign(archive: bytes, title: str) -> bytes:
    """A packed chart without such schemas. Raises as ``read_archive``."""
    kept, left_out = without_foreign(read_archive(archive, name=title))
    return pack(kept) if left_out else archive


def pack(files: Iterable[ContentFile]) -> bytes:
    """A tar.gz of the files, always the same for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for file in files:
            member = tarfile.TarInfo(file.path)
            member.size = len(file.data)
            member.mode = 0o755 if file.executable else 0o644
            archive.addfile(member, io.BytesIO(file.data))
    return buffer.getvalue()
