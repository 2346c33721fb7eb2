"""Making a base small for the many builds, without changing what any customization does to it.

kustomize's cost is the size of the base. Two things go: the schemas of CRDs, when no item may reach a CRD;
and documents that both sides have byte for byte and that no item may reach. The full base is still built
once per side, and must agree with the small one, or the small one is given up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from upstreamsync.kit import manifests
from upstreamsync.kit.objects import ObjectId
from upstreamsync.verify.builds import Key, Manifest, State
from upstreamsync.verify.graph import Tree, children, reached, within
from upstreamsync.verify.items import RENAMING, WHOLE_OVERLAY, Item, Kind
from upstreamsync.verify.waves import Reach, plan

#: Below this many bytes of upstream's resources there is nothing to gain.
_WORTH_IT: Final = 100_000
_CRD: Final = "CustomResourceDefinition"
_FIELD: Final = re.compile(rb"^(apiVersion|kind):[ \t]*[\"']?([^\s\"'#]+)", re.MULTILINE)
_METADATA: Final = re.compile(rb"^metadata:[ \t]*\r?\n((?:[ \t]+.*\r?\n|\r?\n)*)", re.MULTILINE)
_SCHEMA: Final = re.compile(rb"^([ ]*)(- )?(?:schema|validation):[ \t]*\r?\n", re.MULTILINE)
_ANCHOR: Final = re.compile(rb"[:\-,\[{]\s+[&*][\w-]")

Cut = Callable[[str, bytes], bytes | None]


@dataclass(frozen=True, slots=True)
class Trimmed:
    """How to make the files of both sides smaller; None where a side stays as it is."""

    before: Cut | None = None
    after: Cut | None = None


def plan_trim(
    before: Tree, after: Tree, overlay: str, upstream: Collection[str], items: Sequence[Item]
) -> Trimmed:
    """What can be left out of both sides of an overlay, given its items on either side."""
    old, new = _vendored(before, overlay, upstream), _vendored(after, overlay, upstream)
    if max(sum(map(len, old.values())), sum(map(len, new.values()))) < _WORTH_IT:
        return Trimmed()
    old_parts = {file: manifests.split(data) for file, data in old.items()}
    new_parts = {file: manifests.split(data) for file, data in new.items()}
    ids = {part: document_id(part) for parts in (*old_parts.values(), *new_parts.values()) for part in parts}
    reachable = _reachable(ids, items)
    schemas = _reachable(ids, [item for item in items if not leaves_schemas_alone(item)])
    if reachable is None or schemas is None:
        return Trimmed()
    cut_schemas = not any((name := ids[part]) and name.kind == _CRD for part in schemas)
    both = {part for parts in old_parts.values() for part in parts}
    both &= {part for parts in new_parts.values() for part in parts}
    dropped = _droppable(both, ids, reachable, items)
    if not cut_schemas and not dropped:
        return Trimmed()

    def cutter(parts: Mapping[str, list[bytes]]) -> Cut:
        def cut(file: str, data: bytes) -> bytes | None:
            if file not in parts:
                return None
            kept = [part for part in parts[file] if part not in dropped]
            if not kept:
                return data if not cut_schemas else b"".join(map(_without_schema, parts[file]))
            return b"".join(_without_schema(part) if cut_schemas else part for part in kept)

        return cut

    return Trimmed(cutter(old_parts), cutter(new_parts))


def _vendored(tree: Tree, overlay: str, upstream: Collection[str]) -> dict[str, bytes]:
    """Upstream's resource files that the overlay reaches."""
    return {
        path: tree.read(path)
        for kustomization in reached(tree, overlay)
        for field, _, path in children(tree, kustomization)
        if field == "resources" and tree.is_file(path) and within(path, upstream)
    }


def _reachable(ids: Mapping[bytes, ObjectId | None], items: Sequence[Item]) -> set[bytes] | None:
    """The documents that an item may change one by one; None when that can't be bounded."""
    if any(item.kind is Kind.TRANSFORMER for item in items):
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
    both: set[bytes], ids: Mapping[bytes, ObjectId | None], reachable: set[bytes], items: Sequence[Item]
) -> set[bytes]:
    """Documents that are the same on both sides and out of every item's reach."""
    reading = (Kind.REPLACEMENTS, Kind.VARS, Kind.TRANSFORMER)
    if any(item.kind in reading or item.kind in RENAMING for item in items):
        return set()  # they read other objects too, or what an object is called has to be known of all
    kinds = ("Namespace",)
    return {part for part in both - reachable if (name := ids[part]) is not None and name.kind not in kinds}


def document_id(part: bytes) -> ObjectId | None:
    """What a document's object is called, read off its text; None when that is not plain to see."""
    fields: dict[bytes, bytes] = dict(_FIELD.findall(part))
    metadata = _METADATA.search(part)
    if metadata is None or len(_FIELD.findall(part)) != 2 or b"kind" not in fields:
        return None
    kind = fields[b"kind"].decode()
    if kind.endswith("List"):
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
    group = fields.get(b"apiVersion", b"").decode().rpartition("/")[0]
    return ObjectId(group, "", kind, found.get("namespace", ""), found["name"])


def _without_schema(part: bytes) -> bytes:
    """A CRD's text with its schemas left empty; any other document, or one not plainly written, as it is."""
    if b"kind: " + _CRD.encode() not in part or b"\t" in part or _ANCHOR.search(part):
        return part
    pieces: list[bytes] = []
    position = 0
    for begin, end, replacement in _schemas(part):
        pieces += [part[position:begin], replacement]
        position = end
    return b"".join([*pieces, part[position:]])


def _schemas(part: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Each schema's extent in the text, with what to put in its place."""
    position = 0
    while match := _SCHEMA.search(part, position):
        indent = len(match.group(1)) + len(match.group(2) or b"")
        end = match.end()
        while end < len(part):
            line_end = part.find(b"\n", end)
            line_end = len(part) if line_end < 0 else line_end + 1
            line = part[end:line_end]
            text = line.lstrip(b" ")
            if text.strip() and not text.startswith(b"#") and len(line) - len(text) <= indent:
                break
            end = line_end
        key = part[match.start() : match.end()].rstrip()
        yield match.start(), end, key + b" {}\n"
        position = end


def agree(small: State, full: State) -> bool:
    """Whether the small base led to the same result as the full one, for every object that it has."""
    return all(key in full.texts and _alike(key, text, full.texts[key]) for key, text in small.texts.items())


def _alike(key: Key, small: bytes, full: bytes) -> bool:
    if small == full:
        return True
    return key[0].kind == _CRD and small.partition(b"\nspec:")[0] == full.partition(b"\nspec:")[0]
