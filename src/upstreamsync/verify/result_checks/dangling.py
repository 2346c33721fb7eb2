"""References that resolved before and no longer do (dangling/reference_renamed, unknown_reference)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Final

from upstreamsync.kit.kubernetes.objects import likeness
from upstreamsync.model import Verdict

from .finding import Manifest, ResultContext, ResultFinding
from .index import Key, World, at, key_of, key_of_id, mapping, text
from .links import Link
from .mentions import mention_links
from .object_links import object_links
from .pod_links import pod_links
from .pods import pods_of
from .port_links import port_links
from .shapes import shape_links

#: What an object of the user's own refers to in another overlay, as a rule: that it is not here is no news.
_ELSEWHERE: Final = frozenset(("AppProject",))
#: What links lead to that is no object with a name.
_NO_OBJECTS: Final = frozenset(("pods", "services", "container"))
#: What a program may make for itself, and how roles call it.
_MADE: Final = {"Secret": "secrets", "ConfigMap": "configmaps"}
#: How alike the one object of a kind that is gone and the one that is new have to be, to be taken for one.
_OF_ONE_SORT: Final = 0.25


def links_of(world: World) -> list[Link]:
    """Everything that the objects of a result name; found once for each result."""
    known: list[Link] | None = world.derived.get("links")
    if known is not None:
        return known
    found: list[Link] = []
    world.derived["links"] = found
    for manifest in world.objects:
        extractors = (pod_links, object_links, port_links, mention_links)
        mine = [link for extract in extractors for link in extract(world, manifest)]
        found += mine
        found += shape_links(world, manifest, {link.path for link in mine})
    return found


@dataclass(frozen=True, slots=True)
class _Links:
    """The links of one result, by what they name and by where they stand."""

    by_what: Mapping[tuple[Key, str, str, str], Link]
    by_where: Mapping[tuple[Key, str, str], Link]
    missing: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, links: Sequence[Link]) -> _Links:
        what: dict[tuple[Key, str, str, str], Link] = {}
        for link in links:
            known = what.get(link.what)
            if known is None or known.resolved:  # one open end is enough to know of it
                what[link.what] = link
        missing = frozenset(
            (link.kind, link.name)
            for link in links
            if not link.resolved and not link.inside and not link.part
        )
        return cls(what, {link.where: link for link in links}, missing)

    def resolved_before(self, link: Link) -> Link | None:
        """The resolved link of old that this one stands for: the same name, or else the same place."""
        same = self.by_what.get(link.what)
        if same is not None:
            return same if same.resolved else None
        there = self.by_where.get(link.where)
        return there if there is not None and there.resolved else None


def compare(before: World, after: World, context: ResultContext) -> Iterator[ResultFinding]:
    """Every reference that is open in the new result, and was not in the old one."""
    ends = [link for link in links_of(after) if not link.resolved and not link.optional]
    if not ends:
        return
    old = _Links.of(links_of(before))
    upstream = _Upstream.of(context)
    left_behind = {name for name, new in context.renamed_after.items() if name != new}
    local = None if context.local is None else {key_of_id(item) for item in context.local}
    said = set()
    for link in ends:
        if link.what in said:
            continue
        known = old.by_what.get(link.what)
        if (known is not None and not known.resolved) or link.name in left_behind:
            continue
        was = old.resolved_before(link)
        if link.weak and known is None:
            continue
        if not _is_ours(link, was, old, before, upstream, local) or _is_made_there(link, after):
            continue
        taken = was is None and upstream.resolves(link)
        if taken and upstream.was_taken(old.by_where.get(link.where)):
            continue  # a label with the release in it: the overlay takes the pods' away with every release
        said.add(link.what)
        yield _finding(link, was, before, after, taken=taken)


def _is_ours(
    link: Link,
    was: Link | None,
    old: _Links,
    before: World,
    upstream: _Upstream,
    local: set[Key] | None,
) -> bool:
    """Whether the open end is news to the reader, and not merely how upstream ships it."""
    is_local = local is not None and link.owner in local
    if was is None and link.kind in _ELSEWHERE:
        return False
    if link.part.startswith("key ") and link.target and local and key_of_id(link.target) in local:
        return True  # upstream now reads what the reader has to provide
    if not is_local and upstream.did_alone(link, was):
        # What upstream expects somebody to provide is worth saying where a process would not start.
        return link.environment and link.owner in before.by_key and (link.kind, link.name) not in old.missing
    if was is not None or upstream.resolves(link) or (is_local and link.owner in before.by_key):
        return True
    return link.environment and link.owner in before.by_key and (link.kind, link.name) not in old.missing


def _is_made_there(link: Link, world: World) -> bool:
    """Whether a role of the result lets somebody create just this Secret or ConfigMap, and read it by name."""
    resource = _MADE.get(link.kind)
    if resource is None or link.part:
        return False
    for role in world.of_kind("Role", "ClusterRole"):
        rules = [
            rule for rule in role.get("rules") or () if resource in (mapping(rule).get("resources") or ())
        ]
        creates = any("create" in (rule.get("verbs") or ()) for rule in rules)
        if creates and any(link.name in (rule.get("resourceNames") or ()) for rule in rules):
            return True
    return False


@dataclass(frozen=True)
class _Upstream:
    """The links of upstream's own objects, by the names that they have in the result; found when asked for."""

    context: ResultContext
    names: Mapping[str, str]

    @classmethod
    def of(cls, context: ResultContext) -> _Upstream:
        return cls(context, {new: name for name, new in context.renamed_after.items()})

    @cached_property
    def before(self) -> _Links | None:
        return self._links(self.context.base_before)

    @cached_property
    def after(self) -> _Links | None:
        return self._links(self.context.base_after)

    @staticmethod
    def _links(base: Sequence[Manifest] | None) -> _Links | None:
        if base is None:
            return None
        return _Links.of([_placeless(link, {}) for link in links_of(World.of(base))])

    def did_alone(self, link: Link, was: Link | None) -> bool:
        """Whether the same end is open in the new base, and the old base did not leave it to others."""
        if self.after is None:
            return False
        mine = _placeless(link, self.names)
        new = self.after.by_what.get(mine.what) or self.after.by_where.get(mine.where)
        if new is None or new.resolved:
            return False
        if self.before is None or was is None:
            return True
        then = _placeless(was, self.names)
        old = self.before.by_what.get(then.what) or self.before.by_where.get(then.where)
        return old is None or old.resolved

    def resolves(self, link: Link) -> bool:
        """Whether the new base alone has what the result lacks."""
        return self._has(self.after, link)

    def was_taken(self, link: Link | None) -> bool:
        """Whether the old result lacked what the old base alone has."""
        return link is not None and not link.resolved and self._has(self.before, link)

    def _has(self, links: _Links | None, link: Link) -> bool:
        if links is None:
            return False
        found = links.by_what.get(_placeless(link, self.names).what)
        return found is not None and found.resolved


def _placeless(link: Link, names: Mapping[str, str]) -> Link:
    owner = Key(link.owner.group, link.owner.kind, "", names.get(link.owner.name, link.owner.name))
    return Link(
        owner=owner,
        resource=link.resource,
        path=link.path,
        kind=link.kind,
        name=names.get(link.name, link.name),
        part=link.part,
        resolved=link.resolved,
    )


# -- what the reader is told -------------------------------------------------------------------------


def _finding(link: Link, was: Link | None, before: World, after: World, *, taken: bool) -> ResultFinding:
    successor = _successor(link, was, before, after)
    return ResultFinding(
        rule="reference",
        verdict=Verdict.DANGLING,
        reason="reference_renamed" if was is not None or successor else "unknown_reference",
        object=link.resource,
        path=link.path,
        paths=(link.path, link.source) if taken and link.source else (link.path,),
        target=_other_end(link, was),
        why=f"upstream now uses {link.kind} {link.name}, which the overlay takes away"
        if taken
        else _why(link, was, successor),
        hint=f"keep {link.kind} {link.name}" if taken else _hint(link, successor),
        rename=_rename(link, successor) if not taken else None,
        missing=None if link.part or link.inside or link.kind in _NO_OBJECTS else (link.kind, link.name),
    )


def _rename(link: Link, successor: str | None) -> tuple[str, str] | None:
    """The name that stands at the link's path, and the one that should; None where it is no plain name."""
    if not successor or (link.kind in ("pods", "services") and not link.part):
        return None
    if link.kind == "variable":
        return f"$({link.name})", f"$({successor})"
    name = link.part.partition(" ")[2] if link.part else link.name
    return f"{link.spelled}{name}", f"{link.spelled}{successor}"


def _other_end(link: Link, was: Link | None) -> str | None:
    """The object, other than the link's own, that the open end is about."""
    for end in (was, link):
        if end is not None and end.target is not None and end.target != link.resource:
            return end.target
    return None


def _why(link: Link, was: Link | None, successor: str | None) -> str:
    gone = "is gone" if was is not None and was.what == link.what else "does not exist"
    if link.kind in ("pods", "services"):
        if link.part:
            listed = f" (there is {', '.join(link.options)})" if link.options else ""
            return f"the {link.kind} with {link.name} have no {link.part} any more{listed}"
        return f"no {link.kind} have the labels {link.name} any more"
    if link.part:
        listed = f" (it has {', '.join(link.options[:8])})" if link.options else ""
        return f"{link.kind} {link.name} has no {link.part} any more{listed}"
    if link.kind == "variable":
        return f"$({link.name}) is not defined {'any more' if was else 'before it is used'}"
    looks = f"; {successor} looks like the new name" if successor else ""
    return f"{link.kind} {link.name} {gone}{looks}"


def _hint(link: Link, successor: str | None) -> str:
    field = link.path.rpartition(".")[2] or link.path
    if successor and link.kind == "variable":
        return f"write $({successor}) in place of $({link.name})"
    if successor:
        return f"set {link.path} to {successor}"
    if link.kind in ("pods", "services") and not link.part:
        return f"make {link.path} fit the labels that upstream gives now"
    if link.inside:
        return f"add the {link.kind} {link.name}, or drop what names it"
    return f"provide {link.kind} {link.name}, or drop {field}"


def _successor(link: Link, was: Link | None, before: World, after: World) -> str | None:
    if link.part:
        return _closest(link.part.partition(" ")[2], link.options, only=True)
    if was is None:
        return None
    if link.kind == "volume":
        return _new_volume(link, before, after)
    if link.kind == "variable":
        return _new_variable(link, before, after)
    if link.kind in ("pods", "services"):
        return _new_labels(link, was, before, after)
    if link.inside or link.kind == "container":
        return _closest(link.name, link.options, only=link.kind == "container")
    return _new_object(link, was, before, after)


def _closest(name: str, options: Sequence[str], *, only: bool = False) -> str | None:
    """The option most like ``name``; with ``only``, a single option needs no likeness."""
    if only and len(options) == 1:
        return options[0]
    scored = sorted(
        ((-_similar(name, option), option) for option in options if option), key=lambda pair: pair
    )
    return scored[0][1] if scored and -scored[0][0] >= 0.5 else None


def _similar(one: str, other: str) -> float:
    if one and other and (one in other or other in one):
        return 0.9
    return SequenceMatcher(None, one, other).ratio()


def _new_volume(link: Link, before: World, after: World) -> str | None:
    """The volume of the new pod that has the source of the vanished one, or the only new one of its sort."""
    old, new = (_volumes(world, link) for world in (before, after))
    wanted = old.get(link.name)
    if wanted is None:
        return None
    fresh = {name: source for name, source in new.items() if name not in old}
    same = [name for name, source in fresh.items() if source == wanted]
    alike = [name for name, source in fresh.items() if source.keys() == wanted.keys()]
    found = same or alike
    return found[0] if len(found) == 1 else None


def _volumes(world: World, link: Link) -> dict[str, dict[str, object]]:
    manifest = world.by_key.get(link.owner)
    return {
        text(volume.get("name")): {key: item for key, item in volume.items() if key != "name"}
        for pod in (pods_of(manifest) if manifest else ())
        for volume in pod.spec.get("volumes") or []
    }


def _new_variable(link: Link, before: World, after: World) -> str | None:
    """The variable that has the value of the vanished one, of which there is just one, and a new one."""
    old, new = (_environment(world, link) for world in (before, after))
    if link.name not in old:
        return None
    found = [name for name, value in new.items() if name not in old and value == old[link.name]]
    return found[0] if len(found) == 1 else None


def _environment(world: World, link: Link) -> dict[str, object]:
    manifest = world.by_key.get(link.owner)
    return {
        text(each.get("name")): {key: value for key, value in each.items() if key != "name"}
        for pod in (pods_of(manifest) if manifest else ())
        for _, container in pod.containers()
        for each in container.get("env") or []
    }


def _new_object(link: Link, was: Link, before: World, after: World) -> str | None:
    """The object among the new ones that is most like the vanished one."""
    kinds = link.kind.split(" or ")
    candidates = [item for item in after.of_kind(*kinds) if key_of(item) not in before.by_key]
    old = before.named(kinds, was.name)
    scored = sorted(
        (-max(_similar(link.name, key_of(item).name), likeness(old, item) if old else 0), key_of(item).name)
        for item in candidates
    )
    if scored and -scored[0][0] >= 0.5:
        return scored[0][1]
    gone = [item for item in before.of_kind(*kinds) if key_of(item) not in after.by_key]
    alone = len(candidates) == len(gone) == 1 and gone[0] is old
    return scored[0][1] if alone and -scored[0][0] >= _OF_ONE_SORT else None


def _new_labels(link: Link, was: Link, before: World, after: World) -> str | None:
    """The selector's own labels, as what it used to select has them now."""
    if was.target is None:
        return None
    holder = after.by_key.get(key_of_id(was.target))
    owner = before.by_key.get(link.owner)
    if holder is None or owner is None:
        return None
    wanted = _selector_labels(owner)
    labels = (
        mapping(at(holder, "metadata", "labels"))
        if link.kind == "services"
        else next((pod.labels for pod in pods_of(holder)), {})
    )
    changed = [
        f"{key}={text(labels[key])}" for key in sorted(wanted) if key in labels and labels[key] != wanted[key]
    ]
    return ", ".join(changed) or None


def _selector_labels(manifest: Manifest) -> Mapping[str, object]:
    selector = mapping(
        at(manifest, "spec", "selector")
        or at(manifest, "spec", "podSelector")
        or at(manifest, "spec", "endpointSelector")
    )
    return mapping(selector.get("matchLabels")) or selector
