"""Making a base small for the many builds, without changing what any customization does to it.

kustomize's cost is the size of the base. Two things go: the schemas of CRDs, whosever they are, when no item may
reach a CRD; and upstream's documents that both sides have byte for byte and that no item may reach. What is left
out is known without a build, as nothing changes it; the tests prove case by case that leaving it out changes nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from upstreamsync.kit.kubernetes.objects import ObjectId
from upstreamsync.kit.yaml import manifests
from upstreamsync.kit.yaml.plain import plain_object
from upstreamsync.verify.build.attribute import Reach
from upstreamsync.verify.build.builds import Key, Manifest, State
from upstreamsync.verify.build.waves import plan
from upstreamsync.verify.overlays.graph import children, reached
from upstreamsync.verify.overlays.items import WHOLE_OVERLAY, Item, Kind
from upstreamsync.verify.overlays.parse_cache import ParseCache
from upstreamsync.verify.overlays.tree import Tree, within

#: Below this many bytes of objects there is nothing to gain.
_WORTH_IT: Final = 100_000
#: Documents beyond this many bytes are not left out whole: reading them here costs what it saves there.
_LARGE: Final = 50_000
_CRD: Final = "CustomResourceDefinition"
_VALUE: Final = re.compile(rb"[ \t]*[\"']?([^\s\"'#]+)")
_METADATA: Final = re.compile(rb"metadata:[ \t]*\r?\n((?:[ \t]+.*\r?\n|\r?\n)*)", re.MULTILINE)
_SCHEMA: Final = re.compile(rb"([ ]*)(- )?(?:schema|validation):[ \t]*\r?\n")

Documents = Mapping[str, Sequence[bytes]]
Ids = Mapping[bytes, ObjectId | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What the copies of one side have in place of the tree's files.

    ``files`` are the texts that differ, by path. ``schemas`` are the documents, whole, of the CRDs whose
    schemas are left out, by the CRD. ``dropped`` are the objects that are left out altogether; those
    among them that are CRDs have no schemas either. ``contents`` are the texts of ConfigMaps by what is built
    in their place.
    """

    files: Mapping[str, bytes] = field(default_factory=dict)
    schemas: Mapping[ObjectId, bytes] = field(default_factory=dict)
    dropped: Mapping[ObjectId, Manifest] = field(default_factory=dict)
    contents: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Small:
    """Documents that are smaller than upstream's, and objects of documents that can be left out."""

    texts: Mapping[bytes, bytes]
    objects: Mapping[bytes, Manifest]


def plan_trim(
    before: Tree,
    after: Tree,
    overlay: str,
    upstream: Collection[str],
    items: Sequence[Item],
    parsed: ParseCache,
) -> tuple[Cut, Cut]:
    """What is left out of both sides of an overlay, given its items on either side."""
    old, new = _resources(before, overlay), _resources(after, overlay)
    if max(sum(map(len, old.values())), sum(map(len, new.values()))) < _WORTH_IT:
        return Cut(), Cut()
    heavy = any(_CRD.encode() in data for side in (old, new) for data in side.values())
    if not heavy and not _may_drop(items):
        return Cut(), Cut()
    sides = [{file: parsed.once(manifests.split, data) for file, data in side.items()} for side in (old, new)]
    ids = {part: _id_of(part, parsed) for side in sides for parts in side.values() for part in parts}
    local = _local_ids(before, after, items)
    reachable = _reachable(ids, items)
    schemas = _reachable(ids, [item for item in items if not leaves_schemas_alone(item)])
    if reachable is None or schemas is None:
        return Cut(), Cut()
    cut = {} if any(_is_crd(ids[part]) for part in schemas) else _smaller(sides, ids, parsed)
    kept = set(ids) if local is None else reachable | {part for part in ids if ids[part] in local}
    theirs = [{file: parts for file, parts in side.items() if within(file, upstream)} for side in sides]
    small = _Small(cut, _droppable(theirs, ids, kept, cut, items, parsed))
    return _cut(sides[0], ids, small), _cut(sides[1], ids, small)


def _id_of(part: bytes, parsed: ParseCache) -> ObjectId | None:
    """What a document's object is called; of a CRD that is read off what is left without its schemas."""
    small = parsed.once(without_schemas, part) if len(part) > _LARGE else None
    return parsed.once(document_id, part if small is None else small)


def _is_crd(name: ObjectId | None) -> bool:
    return name is not None and name.kind == _CRD


def _local_ids(before: Tree, after: Tree, items: Sequence[Item]) -> set[ObjectId] | None:
    """What the overlay's own files define, which upstream may define as well; None when that is not plain."""
    files = {str(item.spec) for item in items if item.kind is Kind.RESOURCE}
    found: set[ObjectId] = set()
    for data in [tree.read(file) for tree in (before, after) for file in files if tree.is_file(file)]:
        for part in manifests.split(data):
            name = document_id(part)
            if name is not None:
                found.add(name)
            elif not manifests.says_nothing(part):
                return None
    return found


def _smaller(sides: Sequence[Documents], ids: Ids, parsed: ParseCache) -> dict[bytes, bytes]:
    """The CRDs without their schemas, where both sides' can be written so; a CRD that stands twice stays."""
    known: dict[ObjectId, list[bytes | None]] = {}
    cut: dict[bytes, bytes] = {}
    for side in sides:
        counts = Counter(ids[part] for parts in side.values() for part in parts)
        for part in [part for parts in side.values() for part in parts]:
            name = ids[part]
            if name is not None and _is_crd(name):
                small = parsed.once(without_schemas, part)
                known.setdefault(name, []).append(small if counts[name] == 1 else None)
                if small is not None:
                    cut[part] = small
    return {
        part: small
        for part, small in cut.items()
        if (name := ids[part]) is not None and None not in known[name]
    }


def _cut(side: Documents, ids: Ids, small: _Small) -> Cut:
    files: dict[str, bytes] = {}
    schemas: dict[ObjectId, bytes] = {}
    dropped: dict[ObjectId, Manifest] = {}
    for file, parts in side.items():
        kept = [part for part in parts if part not in small.objects] or parts  # a file must not be empty
        for part in parts:
            name = ids[part]
            if name is not None and part in small.texts:
                schemas[name] = part
            if name is not None and part not in kept:
                dropped[name] = small.objects[part]
        if kept != parts or any(part in small.texts for part in kept):
            files[file] = b"".join(small.texts.get(part, part) for part in kept)
    return Cut(files=files, schemas=schemas, dropped=dropped)


def _resources(tree: Tree, overlay: str) -> dict[str, bytes]:
    """The files with objects that the overlay reaches: upstream's, and the user's own."""
    return {
        path: tree.read(path)
        for kustomization in reached(tree, overlay)
        for field, _, path in children(tree, kustomization)
        if field in ("resources", "bases") and tree.is_file(path)
    }


def _reachable(ids: Ids, items: Sequence[Item]) -> set[bytes] | None:
    """The documents that an item may change one by one; None when that can't be bounded."""
    if any(item.kind is Kind.TRANSFORMER or (item.is_configured and not _plain(item)) for item in items):
        return None
    keys: dict[Key, bytes] = {}
    unnamed = {part for part, name in ids.items() if name is None}
    for part, name in ids.items():
        if name is not None:
            key, count = (name, 1), 1
            while key in keys:
                count += 1
                key = (name, count)
            keys[key] = part
    objects: dict[Key, Manifest] = {key: {} for key in keys}
    _, reaches = plan([item for item in items if _is_step(item)], State(objects, keys))
    found = set(unnamed)
    for item in items:
        if item.name in reaches and item.kind not in WHOLE_OVERLAY:
            reach: Reach = reaches[item.name]
            if reach is None:
                bounded = _bounded(item, keys)
                if bounded is None:
                    return None
                reach = bounded
            found |= {keys[key] for key in reach}
    return found


def _plain(item: Item) -> bool:
    """Whether a configured built-in writes to no places of its own choice."""
    return item.kind in (Kind.MERGE, Kind.JSON, Kind.GENERATOR)


def leaves_schemas_alone(item: Item) -> bool:
    """Whether a patch, should it hit a CRD, is plainly about something else than its schemas."""
    if item.kind is Kind.MERGE and isinstance(item.body, Mapping):
        spec = item.body.get("spec")
        return item.removes_object or not (
            isinstance(spec, Mapping) and {"versions", "validation"} & spec.keys()
        )
    if item.kind is Kind.JSON and isinstance(item.body, list):
        return all(isinstance(each, Mapping) and _beside_schemas(each) for each in item.body)
    return False


def _beside_schemas(operation: Mapping[str, object]) -> bool:
    parts = str(operation.get("path", "")).split("/")[1:]
    if operation.get("op") in ("move", "copy") or not parts:
        return False
    if parts[0] != "spec":
        return True
    if parts[1:2] == ["versions"]:
        return len(parts) > 3 and parts[3] != "schema"
    return len(parts) > 1 and parts[1] != "validation"


def _is_step(item: Item) -> bool:
    return item.kind not in (Kind.RESOURCE, Kind.HELM_VALUE)


def _bounded(item: Item, keys: Mapping[Key, bytes]) -> frozenset[Key] | None:
    """For items that are builds of their own for other reasons: what they may reach at most."""
    if item.kind is Kind.GENERATOR:
        return frozenset(key for key in keys if key[0].kind in ("ConfigMap", "Secret"))
    if item.kind is Kind.VARS:
        return frozenset(key for key in keys if key[0].kind != _CRD)
    if item.kind is Kind.REPLACEMENTS and isinstance(item.spec, Mapping) and "targets" in item.spec:
        selects = [target.get("select") for target in item.spec["targets"] if isinstance(target, Mapping)]
        if any(
            isinstance(each, Mapping) and each.get("kind") not in (None, _CRD) for each in selects
        ) and all(isinstance(each, Mapping) and each.get("kind") for each in selects):
            return frozenset(key for key in keys if key[0].kind != _CRD)
    return None


def _droppable(
    sides: Sequence[Documents],
    ids: Ids,
    kept: set[bytes],
    cut: Mapping[bytes, bytes],
    items: Sequence[Item],
    parsed: ParseCache,
) -> dict[bytes, Manifest]:
    """Documents that are the same on both sides and out of every item's reach, with their objects."""
    if not _may_drop(items):
        return {}
    old, new = ({part for parts in side.values() for part in parts} for side in sides)
    found: dict[bytes, Manifest] = {}
    for part in (old & new) - kept:
        name = ids[part]
        if name is None or name.kind == "Namespace":
            continue
        small = cut.get(part, part)
        obj = parsed.once(plain_object, small) if len(small) < _LARGE else None
        if obj is not None:
            found[part] = obj
    return found


def _may_drop(items: Sequence[Item]) -> bool:
    """Whether no item reads other objects than those that it changes, or is about all of them."""
    return not any(item.kind in (Kind.REPLACEMENTS, Kind.VARS, *WHOLE_OVERLAY) for item in items)


def document_id(part: bytes) -> ObjectId | None:
    """What a document's object is called, read off its text; None when that is not plain to see."""
    version, kind = _top(part, b"apiVersion"), _top(part, b"kind")
    begin = part.find(b"\nmetadata:") + 1
    metadata = _METADATA.match(part, begin)
    if version is None or kind is None or metadata is None or kind.endswith("List"):
        return None
    block = metadata.group(1)
    lead = re.match(rb"[ \t]+", block)
    if lead is None:
        return None
    found: dict[str, str] = {}
    for match in re.finditer(
        rb"^" + re.escape(lead.group(0)) + rb"(name|namespace):[ \t]*[\"']?([^\s\"'#]+)", block, re.MULTILINE
    ):
        found[match.group(1).decode()] = match.group(2).decode()
    if "name" not in found:
        return None
    return ObjectId(version.rpartition("/")[0], "", kind, found.get("namespace", ""), found["name"])


def _top(part: bytes, field: bytes) -> str | None:
    """The value of a field at column 0; None where it is not there just once, or not plainly written."""
    name = b"\n" + field + b":"
    at = -1 if part.startswith(name[1:]) else part.find(name)
    if (at < 0 and not part.startswith(name[1:])) or part.find(name, at + 1) >= 0:
        return None
    value = _VALUE.match(part, at + len(name))
    return value.group(1).decode() if value else None


def without_schemas(part: bytes) -> bytes | None:
    """A CRD's text with its schemas left empty; None for one that is not plainly written."""
    if b"kind: " + _CRD.encode() not in part or b"\t" in part or manifests.may_expand(part):
        return None
    pieces: list[bytes] = []
    position = 0
    for begin, end, replacement in schema_texts(part):
        pieces += [part[position:begin], replacement]
        position = end
    small = b"".join([*pieces, part[position:]])
    crd = plain_object(small)
    # What was cut has to be schemas, all of them, and nothing that merely looks like one.
    schemas = [holder[name] for holder, name in schema_places(crd)] if crd is not None else []
    return small if len(schemas) == len(pieces) // 2 > 0 and not any(schemas) else None


def schema_places(crd: Manifest) -> Iterator[tuple[dict[str, Any], str]]:
    """Where a CRD has its schemas: the map and the key in it, for apiextensions v1 and v1beta1."""
    spec = crd.get("spec")
    if not isinstance(spec, dict):
        return
    versions = spec.get("versions")
    for holder, name in (
        (spec, "validation"),
        *((version, "schema") for version in (versions if isinstance(versions, list) else ())),
    ):
        if isinstance(holder, dict) and name in holder:
            yield holder, name


def schema_texts(part: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Each schema's extent in the text, with what to put in its place."""
    position = 0
    while match := _schema_head(part, position):
        indent = len(match.group(1)) + len(match.group(2) or b"")
        # It ends at the next line that is not deeper and says something.
        behind = re.compile(rb"\n(?! {%d}| *[#\r\n])" % (indent + 1)).search(part, match.end() - 1)
        end = behind.start() + 1 if behind else len(part)
        yield match.start(), end, part[match.start() : match.end()].rstrip() + b" {}\n"
        position = end


def _schema_head(part: bytes, position: int) -> re.Match[bytes] | None:
    """The next line that begins a schema; looked for by its word, as expressions take ten times as long."""
    at = position
    while True:
        found = [place for word in (b"schema:", b"validation:") if (place := part.find(word, at)) >= 0]
        if not found:
            return None
        line = part.rfind(b"\n", 0, min(found)) + 1
        if line >= position and (match := _SCHEMA.match(part, line)):
            return match
        at = min(found) + 1
