"""What items would do on the side that they were not written for, for those that were edited meanwhile."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.verify.build.chain import Chain, Effect
from upstreamsync.verify.overlays.items import Item, Kind, enumerate_items
from upstreamsync.verify.overlays.tree import Tree

#: Gives a file's bytes with the values left out that follow the version: ``(path, bytes) → bytes``.
Followed = Callable[[str, bytes], bytes]
#: Items that are compared otherwise, or that can't be written into another kustomization.
_APART = frozenset((Kind.RESOURCE, Kind.HELM_VALUE, Kind.TRANSFORMER))
#: What a generator reads from files.
_READ = ("files", "envs", "env")


@dataclass(frozen=True, slots=True)
class Crossed:
    """Effects of edited items, by the name that they have now: the old ones on the new base, and the reverse."""

    old_on_new: Mapping[str, Effect] = field(default_factory=dict)
    new_on_old: Mapping[str, Effect] = field(default_factory=dict)


def edited_items(items: Sequence[Item], partners: Mapping[str, Item]) -> dict[str, Item]:
    """The items that were edited, by name, as they were before."""
    return {
        item.name: partner
        for item in items
        if item.kind not in _APART
        and (partner := partners.get(item.name)) is not None
        and partner.identity != item.identity
        and partner.kind not in _APART
    }


def cross(chains: tuple[Chain, Chain], edited: Mapping[str, Item], *, only_new: bool = False) -> Crossed:
    """Build both sides with the edited items changed over; ``only_new``: the new ones on the old base alone."""
    old, new = chains
    mine = {item.name: item for item in new.items}
    edited = {
        name: partner
        for name, partner in edited.items()
        if not (_reads_files(partner) or (name in mine and _reads_files(mine[name])))
    }
    if not edited:
        return Crossed()
    names = {partner.name: name for name, partner in edited.items()}
    there = _effects(old, {was: mine[now] for was, now in names.items()})
    here = {} if only_new else _effects(new, edited)
    return Crossed(
        old_on_new={name: here[name] for name in edited if name in here},
        new_on_old={now: there[was] for was, now in names.items() if was in there},
    )


def _reads_files(item: Item) -> bool:
    """Whether an item is a generator of what lies in files of its own side: it can't be changed over."""
    spec = item.spec if isinstance(item.spec, Mapping) else {}
    return item.kind is Kind.GENERATOR and any(spec.get(field) for field in _READ)


def _effects(chain: Chain, instead: Mapping[str, Item]) -> Mapping[str, Effect]:
    """The effects of some of a side's items with others in place of them."""
    items = [instead[item.name].in_place_of(item) if item.name in instead else item for item in chain.items]
    place = Path(tempfile.mkdtemp(prefix="crossed-", dir=chain.workspace.scratch.parent))
    try:
        return chain.with_others(items, instead, place).effects
    except UpstreamsyncError:
        return {}  # what can't be built can't be compared: the edit is judged by what it does


class _Blanked(Tree):
    """A tree in which the values that follow the version are left out."""

    __slots__ = ("followed",)

    def __init__(self, tree: Tree, followed: Followed) -> None:
        super().__init__(
            tree.root,
            absent=tree.absent,
            added=tree.added,
            originals=tree.originals,
            left_out=tree.left_out,
        )
        self.followed = followed

    def read(self, path: str) -> bytes:
        return self.followed(path, super().read(path))


def followed_items(
    trees: tuple[Tree, Tree], overlay: str, upstream: Sequence[str], followed: Followed | None
) -> frozenset[tuple[str, str]]:
    """(old name, new name) of items in which nothing differs but values that follow the version."""
    if followed is None:
        return frozenset()
    old, new = (
        {item.name: item.identity for item in enumerate_items(_Blanked(tree, followed), overlay, upstream)}
        for tree in trees
    )
    return frozenset((was, now) for was, one in old.items() for now, other in new.items() if one == other)
