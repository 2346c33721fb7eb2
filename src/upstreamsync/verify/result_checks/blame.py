"""Findings about the built result, each handed to the customization that is to blame for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.kubernetes.objects import ObjectId, diff, object_id
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import Cluster, Severity
from upstreamsync.verify.build.builds import Key, State
from upstreamsync.verify.build.chain import Side
from upstreamsync.verify.build.schemas import CompleteCrd, Schemas
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.overlays.definitions import TreeDefinitions
from upstreamsync.verify.overlays.graph import reached
from upstreamsync.verify.overlays.items import Item, Kind
from upstreamsync.verify.overlays.parse_cache import ParseCache
from upstreamsync.verify.overlays.tree import Tree
from upstreamsync.verify.result_checks import ResultContext, ResultFinding, check_result
from upstreamsync.verify.result_checks.appliers import applying
from upstreamsync.verify.result_checks.dangling import links_of
from upstreamsync.verify.result_checks.index import World, meets
from upstreamsync.verify.result_checks.moved_elsewhere import Elsewhere

#: Reasons that lie in what upstream changed, whoever else touches the same object.
_UPSTREAMS = frozenset(("immutable_field", "too_large", "crd_version_removed"))
#: Which items give names, by the rule that finds one left behind; the likelier ones first.
_RENAMING = {
    "renaming": ((Kind.PREFIX, Kind.SUFFIX), (Kind.NAMESPACE,)),
    "moving": ((Kind.NAMESPACE,),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What all overlays of a run share: both trees, their definitions, the cluster, and what was read."""

    trees: tuple[Tree, Tree]
    definitions: tuple[TreeDefinitions, TreeDefinitions]
    cluster: Cluster
    parsed: ParseCache


@dataclass(frozen=True, slots=True)
class Blamed:
    """A finding and the item that it belongs to; None for the result as a whole."""

    item: Item | None
    note: Note


def check(about: About, overlay: str, items: Sequence[Item], sides: tuple[Side, Side]) -> list[Blamed]:
    """The defects that the new result has and the old one had not."""
    old, new = sides
    if not isinstance(old.final, State) or not isinstance(new.final, State):
        return []
    owners = local_objects(about.trees[1], items, new)
    context = _context(about, overlay, sides, owners)
    elsewhere = Elsewhere(about.trees, overlay)
    findings = [
        finding
        for finding in check_result(before=_world(old.final), after=_world(new.final), context=context)
        if finding.missing is None or not elsewhere.has(*finding.missing)
    ]
    return [Blamed(_blame(finding, items, new, owners), _note(finding)) for finding in findings]


def look_ahead(new: Side) -> None:
    """Find what ``check`` needs of the new result alone, while the other side is still being built."""
    if isinstance(new.final, State):
        links_of(_world(new.final))


def _world(state: State) -> World:
    known: World | None = state.derived.get("world")
    if known is None:
        known = state.derived["world"] = World.of(state.manifests)
    return known


def check_as_it_is(about: About, overlay: str, items: Sequence[Item], side: Side) -> list[Blamed]:
    """What the API server refuses of a result that no update has changed, and that upstream alone has not."""
    if not isinstance(side.base, State) or not isinstance(side.final, State):
        return []
    owners = local_objects(about.trees[1], items, side)
    bare = replace(side, final=side.base, names={})
    context = _context(about, overlay, (bare, side), owners)
    findings = check_result(
        before=_world(side.base), after=_world(side.final), context=context, as_it_is=True
    )
    return [Blamed(_blame(finding, items, side, owners), _note(finding)) for finding in findings]


def _context(
    about: About, overlay: str, sides: tuple[Side, Side], owners: Mapping[str, Item]
) -> ResultContext:
    (old, new), tree = sides, about.trees[1]
    return ResultContext(
        local=frozenset(owners),
        base_before=_upstream(old, owners),
        base_after=_upstream(new, owners),
        renamed_before=_renamed(old),
        renamed_after=_renamed(new),
        moved_before=_moved(old),
        moved_after=_moved(new),
        hashed=_hashed(tree, overlay, new),
        whole_before=_whole(old),
        whole_after=_whole(new),
        crds_before=about.definitions[0],
        crds_after=about.definitions[1],
        kubernetes=about.cluster.kubernetes,
        once=about.parsed.once,
        applied=cache(partial(applying, tree, overlay, about.cluster)),
    )


def local_objects(tree: Tree, items: Sequence[Item], side: Side) -> dict[str, Item]:
    """The objects that the overlay itself brings in, as they are called in the result, with their items."""
    found: dict[Key, Item] = {}
    for item in items:
        if item.kind is Kind.RESOURCE and tree.is_file(str(item.spec)):
            for obj in _read(tree, str(item.spec)):
                found.update(dict.fromkeys(_keys(object_id(obj).unversioned, side), item))
        elif item.kind is Kind.GENERATOR and item.name not in side.effects:
            kind = "Secret" if "secret" in item.field.lower() else "ConfigMap"
            found.update(dict.fromkeys(_keys(ObjectId("", "v1", kind, "", item.key).unversioned, side), item))
        elif item.kind is Kind.GENERATOR and item.name in side.effects:
            for key, touch in side.effects[item.name].touched.items():
                if touch.before is None:
                    found[key] = item
    if not isinstance(side.final, State):
        return {}
    return {
        str(object_id(obj)): found[side.names.get(key, key)]
        for key, obj in side.final.objects.items()
        if side.names.get(key, key) in found
    }


def _keys(wanted: ObjectId, side: Side) -> Iterator[Key]:
    """What an object of that id is in the base: a namespace may have been set in a folder that is settled."""
    yield wanted, 1
    if isinstance(side.base, State) and (wanted, 1) not in side.base.objects:
        for key in side.base.objects:
            if key[0]._replace(namespace="") == wanted._replace(namespace=""):
                yield key


def _whole(side: Side) -> dict[str, CompleteCrd]:
    schemas = Schemas.of(side.final, side.schemas)
    return {str(object_id(crd.built)): crd for crd in schemas.crds.values()}


def _read(tree: Tree, file: str) -> list[dict[str, Any]]:
    try:
        return manifests.objects(tree.read(file), name=file)
    except UpstreamsyncError:
        return []  # kustomize reads it in its own way; we only miss whose objects these are


def _upstream(side: Side, owners: Mapping[str, Item]) -> list[Mapping[str, object]] | None:
    if not isinstance(side.base, State):
        return None
    trimmed = [obj for key, obj in _final(side).items() if key not in side.names]
    return [obj for obj in (*side.base.objects.values(), *trimmed) if str(object_id(obj)) not in owners]


def _hashed(tree: Tree, overlay: str, side: Side) -> frozenset[str]:
    """The generated objects that get a hash of their content in their name when they are built for real."""
    names = {
        (kind, str(entry.get("name")))
        for kustomization in reached(tree, overlay)
        for field, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret"))
        for entry in kustomization.entries(field)
        if isinstance(entry, Mapping)
        and not _unhashed(kustomization.data.get("generatorOptions"))
        and not _unhashed(entry.get("options"))
    }
    return frozenset(
        str(object_id(obj))
        for key, obj in _final(side).items()
        if (key[0].kind, side.names.get(key, key)[0].name) in names
    )


def _unhashed(options: object) -> bool:
    return isinstance(options, Mapping) and options.get("disableNameSuffixHash") is True


def _renamed(side: Side) -> dict[str, str]:
    return {
        before[0].name: key[0].name for key, before in side.names.items() if before[0].name != key[0].name
    }


def _moved(side: Side) -> dict[tuple[str, str], str]:
    """The objects that were moved to another namespace: as they were called, and where to."""
    return {
        (before[0].namespace, before[0].name): key[0].namespace
        for key, before in side.names.items()
        if before[0].namespace and before[0].namespace != key[0].namespace
    }


def _note(finding: ResultFinding) -> Note:
    paths = finding.paths or ((finding.path,) if finding.path else ())
    return Note(
        verdict=finding.verdict,
        reason=finding.reason,
        path=tuple(paths[:1]),
        resource=finding.resources[0],
        because=finding.why,
        grave=finding.severity,
        hint=finding.hint,
        rename=finding.rename,
    )


def _blame(
    finding: ResultFinding, items: Sequence[Item], new: Side, owners: Mapping[str, Item]
) -> Item | None:
    if finding.reason in _UPSTREAMS or finding.severity is Severity.INFO:
        return None
    if finding.rule in _RENAMING:
        for kinds in _RENAMING[finding.rule]:
            for item in items:
                if item.kind in kinds:
                    return item
    if toucher := _toucher(finding, items, new):
        return toucher
    for name in (finding.object, finding.target or ""):
        if name in owners:
            return owners[name]
    return None


def _toucher(finding: ResultFinding, items: Sequence[Item], new: Side) -> Item | None:
    """The last item whose effect touches what the finding is about."""
    keys = {str(object_id(obj).unversioned): key for key, obj in _final(new).items()}
    blamed = None
    for item in items:
        effect = new.effects.get(item.name)
        if effect is None:
            continue
        for name in (finding.object, finding.target or ""):
            key = keys.get(_unversioned(name))
            touch = effect.touched.get(new.names.get(key, key)) if key else None
            if touch is None or item.kind in (Kind.NAMESPACE, Kind.PREFIX, Kind.SUFFIX):
                continue
            if (
                touch.before is None
                or touch.after is None
                or (
                    name == finding.object
                    and meet(
                        [change.path for change in diff(touch.before, touch.after)],
                        [finding.path, *finding.paths],
                    )
                )
            ):
                blamed = item
    return blamed


def _final(side: Side) -> Mapping[Key, Mapping[str, object]]:
    return side.final.objects if isinstance(side.final, State) else {}


def _unversioned(name: str) -> str:
    """An id as text, its version left out as ``str(ObjectId.unversioned)`` has it."""
    api, _, rest = name.partition(" ")
    group = api.rpartition("/")[0]
    return f"{group}/ {rest}" if group else f" {rest}"


def meet(changed: Sequence[str], concerned: Sequence[str]) -> bool:
    """Whether a path of one list lies at, above or below one of the other."""
    return any(other and meets(path, other) for path in changed for other in concerned)
