"""The smallest customizations that make of upstream's objects what a copy has.

Which form of a patch does it is not reasoned but built: the real kustomize applies each, and what does not
come out as the copy has it is said in the next form. The last form always works: the object is taken
away, and the copy's own is added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from upstreamsync.adopt.jsonpatch import json_patch, whole_fields
from upstreamsync.adopt.matching import Manifest, Matching, Pair, match
from upstreamsync.adopt.operations import Operation, compare, operations, shown
from upstreamsync.adopt.settings import SCALED, Settings, common_namespace, find_settings, unexplained
from upstreamsync.adopt.strategic import deletion, strategic_merge
from upstreamsync.adopt.texts import dump
from upstreamsync.errors import ToolFailed
from upstreamsync.kit.kubernetes.objects import object_id

#: Files of a folder with a kustomization.yaml → the objects that kustomize builds of it. Raises ToolFailed.
Build = Callable[[Mapping[str, bytes]], Sequence[Manifest]]
#: How much longer a strategic merge may be than a JSON 6902 patch: it reads better, and outlives more.
_READABLE = 1.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One patch: of which object of upstream's, in which form, and what of the copy it carries.

    ``body`` is a mapping (a strategic merge) or a list of steps (JSON 6902). ``local`` is the copy's
    object, None for a deletion; ``operations`` are the differences that it makes.
    """

    upstream: Manifest
    local: Manifest | None
    body: Any
    operations: tuple[Operation, ...] = ()
    options: Mapping[str, bool] = field(default_factory=dict)

    @property
    def is_json(self) -> bool:
        """Whether it is a JSON 6902 patch, which needs a target."""
        return isinstance(self.body, list)

    def target(self) -> dict[str, str]:
        """What kustomize is to apply it to."""
        name = object_id(self.upstream)
        parts = {"group": name.group, "version": name.version, "kind": name.kind, "name": name.name}
        parts["namespace"] = name.namespace
        return {key: value for key, value in parts.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Customizations:
    """All that stands between upstream's objects and the copy's.

    ``own`` are objects of the copy alone; ``replaced`` are copies of upstream objects which no patch
    can make (upstream's is deleted, the copy's is an object of one's own). ``reordered`` says which lists
    differ in nothing but their order, and are left as upstream has them.
    """

    settings: Settings = field(default_factory=Settings)
    patches: tuple[Patch, ...] = ()
    own: tuple[Manifest, ...] = ()
    replaced: tuple[Manifest, ...] = ()
    reordered: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether upstream's objects are the copy's already."""
        return not (self.settings.fields() or self.patches or self.own or self.replaced)


def customize(upstream: Sequence[Manifest], local: Sequence[Manifest], build: Build) -> Customizations:
    """Find the customizations, with one or a few builds of what differs. Raises ToolFailed, ToolError."""
    matching = match(upstream, local)
    namespace = common_namespace(matching.pairs, matching.own)
    if namespace is not None:
        found = _customize(matching, Settings(namespace=namespace), build)
        if found is not None:
            return found
    found = _customize(matching, Settings(), build)
    assert found is not None  # noqa: S101 (without a namespace nothing can stay unsaid)
    return found


def _customize(matching: Matching, settings: Settings, build: Build) -> Customizations | None:
    bases = _moved(matching.pairs, settings, build)
    if bases is None:
        return None
    changes = []
    reordered: list[str] = []
    for pair, base in zip(matching.pairs, bases, strict=True):
        likeness = compare(base, pair.local)
        reordered += [
            f"{object_id(pair.local).short}: {path}" for path in likeness.reordered if likeness.equal
        ]
        changes.append((pair, () if likeness.equal else operations(base, pair.local)))
    settings = find_settings(changes, matching.own, settings)
    work = [_Work(pair=pair, left=unexplained(settings, pair, found)) for pair, found in changes]
    work = [one for one in work if one.left]
    if settings.namespace is not None and any(one.forms == [] for one in work):
        return None
    _try_out(work, settings, matching, build)
    _without_consequences(work, settings, matching, build)
    if settings.namespace is not None and any(one.patch is None for one in work):
        return None
    patches = [one.patch for one in work if one.patch is not None]
    deleted = [*matching.dropped, *(one.pair.upstream for one in work if one.patch is None)]
    return Customizations(
        settings=settings,
        patches=(*patches, *(Patch(upstream=one, local=None, body=deletion(one)) for one in deleted)),
        own=matching.own,
        replaced=tuple(one.pair.local for one in work if one.patch is None),
        reordered=tuple(reordered),
    )


def _moved(pairs: Sequence[Pair], settings: Settings, build: Build) -> list[Manifest] | None:
    """Upstream's objects as they are in the namespace of the settings: kustomize moves them, and what names them."""
    if settings.namespace is None:
        return [pair.upstream for pair in pairs]
    built = build(
        {
            "kustomization.yaml": dump({"resources": ["upstream.yaml"], "namespace": settings.namespace}),
            "upstream.yaml": stream([pair.upstream for pair in pairs]),
        }
    )
    found = {(o.group, o.kind, o.name): one for one in built for o in (object_id(one),)}
    moved = []
    for pair in pairs:
        name = object_id(pair.upstream)
        one = found.get((name.group, name.kind, name.name))
        if one is None:
            return None
        moved.append(one)
    return moved if len(found) == len(pairs) else None


# -- the forms of a patch, and trying them out -------------------------------------------------------


@dataclass(slots=True)
class _Work:
    """One object that needs a patch: what it has to say, and the forms not yet found wanting."""

    pair: Pair
    left: tuple[Operation, ...]
    forms: list[Patch] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.forms = _forms(self.pair, self.left)

    @property
    def patch(self) -> Patch | None:
        """The form to use; None where none says it."""
        return self.forms[0] if self.forms else None


def _forms(pair: Pair, left: tuple[Operation, ...]) -> list[Patch]:
    """The patches that may do it, the one to prefer first."""
    forms: list[Patch] = []
    merge = strategic_merge(pair.upstream, left)
    if merge is not None:
        forms.append(Patch(upstream=pair.upstream, local=pair.local, body=merge, operations=left))
    try:
        steps = list(json_patch(pair.upstream, left))
    except (KeyError, IndexError, StopIteration, TypeError):
        steps = []  # a place that only the moved object has
    if steps:
        longer = merge is not None and lines(merge) > _READABLE * lines(steps)
        forms.insert(0 if longer else len(forms), _by_place(pair, left, steps))
    if not any(one.path[0] in _NAMING for one in left):
        forms.append(_by_place(pair, left, list(whole_fields(pair.upstream, left, pair.local))))
    return forms


#: Fields that tell one object from another: nothing replaces them as a whole.
_NAMING = ("apiVersion", "kind", "metadata")


def _by_place(pair: Pair, left: tuple[Operation, ...], steps: list[dict[str, Any]]) -> Patch:
    paths = {step["path"] for step in steps}
    options = {}
    if "/metadata/name" in paths:
        options["allowNameChange"] = True
    if "/kind" in paths:
        options["allowKindChange"] = True
    return Patch(upstream=pair.upstream, local=pair.local, body=steps, operations=left, options=options)


def lines(body: Any) -> int:
    """How long a patch is, in lines of YAML."""
    return dump(body).count(b"\n")


def _try_out(work: Sequence[_Work], settings: Settings, matching: Matching, build: Build) -> None:
    """Drop the forms that do not give back the copy's object, until one does or none is left."""
    around = _untouched(work, matching) if settings.namespace is not None else []
    waiting = [one for one in work if one.forms]
    while waiting:
        built = _built(waiting, around, settings, build)
        if built is None and len(waiting) > 1:
            for one in waiting:  # one that kustomize refuses must not speak for the others
                _try_out([one], settings, matching, build)
            return
        wrong = [one for one in waiting if built is None or not _comes_out(one, built)]
        for one in wrong:
            one.forms.pop(0)
        waiting = [one for one in wrong if one.forms]


def _without_consequences(
    work: Sequence[_Work], settings: Settings, matching: Matching, build: Build
) -> None:
    """Drop renames that reach further than they are meant to.

    kustomize lets everything follow that names a renamed object; where the copy has left that as it was,
    upstream's object is taken away and the copy's own added, which nothing follows.
    """
    renames = [one for one in work if one.patch is not None and _renames(one.patch)]
    if not renames:
        return
    local = {object_id(one.local): one.local for one in matching.pairs}

    def follows() -> bool:
        built = _built(work, _untouched(work, matching), settings, build)
        return built is None or any(
            not compare(one, local[object_id(one)]).equal for one in built if object_id(one) in local
        )

    # An account is what most name; the others are dropped only if that does not help.
    accounts = [one for one in renames if one.pair.upstream.get("kind") == "ServiceAccount"]
    for dropped in (accounts, renames):
        if not follows():
            return
        for one in dropped:
            one.forms.clear()


def _renames(patch: Patch) -> bool:
    if not patch.is_json:
        return False
    return any(step["path"] in ("/metadata/name", "/metadata/namespace", "/kind") for step in patch.body)


def _untouched(work: Sequence[_Work], matching: Matching) -> list[Manifest]:
    """Upstream's objects that no patch changes, but for the large ones, which name nobody."""
    changed = {id(one.pair) for one in work}
    return [
        pair.upstream
        for pair in matching.pairs
        if id(pair) not in changed and pair.upstream.get("kind") != "CustomResourceDefinition"
    ]


def _built(
    work: Sequence[_Work], around: Sequence[Manifest], settings: Settings, build: Build
) -> Sequence[Manifest] | None:
    patches = [one.patch for one in work if one.patch is not None]
    entries, files = filed(patches)
    fields = {"resources": ["upstream.yaml"], "patches": entries, **settings.fields()}
    # What no patch makes is the copy's own object.
    objects = [*(one.pair.upstream if one.patch is not None else one.pair.local for one in work), *around]
    # A setting about an object that takes no part here would be refused.
    names = {object_id(one).name for one in objects if one.get("kind") in SCALED}
    if "replicas" in fields:
        fields["replicas"] = [one for one in fields["replicas"] if one["name"] in names]
    try:
        return build({"kustomization.yaml": dump(fields), "upstream.yaml": stream(objects), **files})
    except ToolFailed:
        return None


def _comes_out(one: _Work, built: Sequence[Manifest]) -> bool:
    name = object_id(one.pair.local)
    found = [each for each in built if object_id(each) == name]
    return len(found) == 1 and compare(found[0], one.pair.local).equal


def filed(patches: Sequence[Patch]) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """Patches as entries of ``patches:``, and the files that they name.

    In a file of its own a text keeps the line break at its end, which kustomize cuts off a patch that stands
    in the kustomization itself.
    """
    files = {f"patch-{number}.yaml": dump(patch.body) for number, patch in enumerate(patches)}
    entries = []
    for path, patch in zip(files, patches, strict=True):
        entry: dict[str, Any] = {"target": patch.target()} if patch.is_json else {}
        entry["path"] = path
        if patch.options:
            entry["options"] = dict(patch.options)
        entries.append(entry)
    return entries, files


def inline(patch: Patch) -> dict[str, Any]:
    """A patch as an entry of ``patches:`` that holds its text."""
    entry: dict[str, Any] = {}
    if patch.is_json:
        entry["target"] = patch.target()
    entry["patch"] = dump(patch.body).decode()
    if patch.options:
        entry["options"] = dict(patch.options)
    return entry


def stream(objects: Sequence[Manifest]) -> bytes:
    """Objects as one YAML stream, for a build."""
    import json

    return b"".join(b"---\n" + json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in objects)


__all__ = [
    "Build",
    "Customizations",
    "Patch",
    "customize",
    "filed",
    "inline",
    "lines",
    "replace",
    "shown",
    "stream",
]
