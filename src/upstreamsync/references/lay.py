"""Both trees with everything that a change concerns laid in place: what is to be judged needs no network.

Each reference becomes a path below ``.upstream`` in the folder of its kustomization, the same on both
sides whatever version it is at, so that what differs is upstream's content and not its name. Nothing is
written to the trees themselves. What can't be had is left out of both sides, and said.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from upstreamsync.errors import Unreachable, UpstreamsyncError
from upstreamsync.model import LeftOut, Verification
from upstreamsync.references.found import Reference, references
from upstreamsync.references.generators import with_generators
from upstreamsync.references.permits import Permits
from upstreamsync.references.remote import Remote
from upstreamsync.references.units.collect import units
from upstreamsync.references.units.unit import Unit, told
from upstreamsync.references.unread import Unread, completed
from upstreamsync.references.writing import Writer, put
from upstreamsync.verify.overlays.graph import deduce_upstream, find_overlays, reached, roots
from upstreamsync.verify.overlays.tree import Tree, within

if TYPE_CHECKING:
    from upstreamsync.references.fetch import Fetcher
    from upstreamsync.references.supply import Supply


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """Both trees, complete. ``upstream`` is what is not the user's in them, ``overlays`` what is concerned."""

    before: Tree
    after: Tree
    overlays: tuple[str, ...]
    upstream: tuple[str, ...]
    units: tuple[Unit, ...] = ()
    unread: tuple[Unread, ...] = ()

    def told(self, verification: Verification) -> Verification:
        """The verification of these trees in the terms of the user's files."""
        return told(completed(verification, self.after, self.unread), self.units)


@dataclass(slots=True)
class _Side:
    """One of the trees, and what its kustomizations name outside."""

    tree: Tree
    named: dict[str, tuple[Reference, ...]] = field(default_factory=dict)
    data: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for folder in self.tree.folders():
            kustomization = self.tree.kustomization(folder)
            if kustomization is None:
                continue
            known = with_generators(self.tree, kustomization)
            found = tuple(references(known))
            if found:
                self.named[folder] = found
                self.data[folder] = known.data

    def reached(self, overlays: Collection[str]) -> Iterator[Reference]:
        """What the overlays need from outside."""
        folders = {k.folder for overlay in overlays for k in reached(self.tree, overlay)}
        for folder in sorted(folders):
            yield from self.named.get(folder, ())

    def remotes(self) -> Iterator[Remote]:
        """Everything that is named, once."""
        seen = {reference.remote for found in self.named.values() for reference in found}
        yield from sorted(seen, key=str)


def lay(
    before: Tree,
    after: Tree,
    fetcher: Callable[[], Fetcher],
    *,
    overlays: Sequence[str] | None = None,
    always: Sequence[str] = (),
    upstream: Sequence[str] = (),
    foreign: Sequence[str] = (),
    deduce: bool = True,
    all_units: bool = False,
    hosts: Collection[str] = (),
    offline: bool = False,
    jobs: int = 8,
) -> Laid:
    """Find what moved between two trees, fetch what judging it needs, and lay it in.

    ``overlays`` None means those in ``always`` and all that stand on what moved. ``upstream`` is what is
    known to be vendored; ``deduce`` the rest from what differs. ``foreign`` are submodules: upstream's, and
    of concern where they moved. What ``before`` names may be asked for, and so may ``hosts``; ``fetcher`` is
    called when something has to be. ``all_units`` asks for what controllers build whether it moved or not.
    """
    (was, theirs), (now, others) = units(before), units(after)
    before, after = (
        tree.plus({path: data for unit in found for path, data in unit.files.items()})
        for tree, found in ((before, was), (after, now))
    )
    known = tuple({unit.folder: unit for unit in (*was, *now)}.values())
    old, new = _Side(before), _Side(after)
    deduced = _deduced(old, new, (*upstream, *foreign), theirs | others) if deduce else ()
    moved = [path for path in foreign if _differs(before, after, path)]
    vendored = tuple(dict.fromkeys((*upstream, *deduced, *moved)))
    always = (*always, *(unit.folder for unit in now)) if all_units else tuple(always)
    chosen = (
        tuple(overlays) if overlays is not None else tuple(sorted({*always, *concerned(old, new, vendored)}))
    )
    vendored = tuple(dict.fromkeys((*vendored, *foreign)))
    needed = tuple(tuple(side.reached(chosen)) for side in (old, new))
    if not any(needed):
        return Laid(before=before, after=after, overlays=chosen, upstream=vendored, units=known)
    supply = _supply(old, needed, fetcher(), Permits.of(old.remotes(), hosts, offline=offline), jobs)
    missing = _missing(needed, supply)
    written = [_write(side, mine, supply, missing) for side, mine in zip((old, new), needed, strict=True)]
    left_out = _left_out(needed, missing, supply)
    return Laid(
        before=written[0].tree(before, left_out),
        after=written[1].tree(after, left_out),
        overlays=chosen,
        upstream=tuple(sorted({*vendored, *written[0].upstream, *written[1].upstream})),
        units=known,
        unread=tuple(_unread(old, new, needed[1], missing, left_out)),
    )


def _supply(
    old: _Side, needed: Sequence[Sequence[Reference]], fetcher: Fetcher, permits: Permits, jobs: int
) -> Supply:
    """All that is needed, fetched: first what the base revision names, which may name more."""
    # With its clients: only where something has to be fetched.
    from upstreamsync.references.supply import Supply

    fetcher.trust(old.remotes())
    supply = Supply(fetcher, permits, jobs)
    supply.gather([reference.remote for reference in needed[0]], trusted=True)
    supply.gather([reference.remote for reference in needed[1]], trusted=False)
    return supply


def _deduced(old: _Side, new: _Side, known: Collection[str], own: Collection[str]) -> tuple[str, ...]:
    """What else is vendored: where only references moved, a kustomization is the same.

    What holds, or lies in, something that is ``known`` to be vendored is as its owner says; files that are
    the user's ``own`` in any case count as equal.
    """
    same = set(own)
    for folder in old.named.keys() & new.named.keys():
        if _bare(old, folder) == _bare(new, folder):
            kustomization = new.tree.kustomization(folder)
            same.add(kustomization.file if kustomization else folder)
    found = deduce_upstream(old.tree, new.tree, same=same)
    return tuple(
        path for path in found if not within(path, known) and not any(within(one, (path,)) for one in known)
    )


def _bare(side: _Side, folder: str) -> Any:
    """A kustomization without what its references say of versions."""
    data = copy.deepcopy(dict(side.data[folder]))
    for reference in side.named[folder]:
        if reference.is_chart:
            put(data, (*reference.path, "version"), "")
        else:
            put(data, reference.path, reference.key + reference.remote.slug)
    return data


def _differs(before: Tree, after: Tree, folder: str) -> bool:
    """Whether a folder is, or may be, another one than before."""
    if folder in before.absent or folder in after.absent:
        return True
    names = list(before.files(folder))
    return names != list(after.files(folder)) or any(before.read(name) != after.read(name) for name in names)


def concerned(old: _Side, new: _Side, vendored: Collection[str]) -> tuple[str, ...]:
    """The root overlays that stand on what differs: vendored files, references, tags of images."""
    moved = {
        folder for folder in {*old.named, *new.named} if _versions(old, folder) != _versions(new, folder)
    }
    moved |= {folder for folder, gone in new.tree.left_out.items() if not all(one.known for one in gone)}
    moved |= {folder for folder in new.tree.folders() if _images(old, folder) != _images(new, folder)}
    found = set(find_overlays(new.tree, vendored)) if vendored else set()
    for root in roots(new.tree) if moved else ():
        if not within(root, vendored) and any(k.folder in moved for k in reached(new.tree, root)):
            found.add(root)
    return tuple(sorted(found))


def _versions(side: _Side, folder: str) -> list[str]:
    return sorted(str(reference.remote) for reference in side.named.get(folder, ()))


def _images(side: _Side, folder: str) -> Any:
    kustomization = side.tree.kustomization(folder)
    return kustomization.data.get("images") if kustomization is not None else None


# -- laying ------------------------------------------------------------------------------------------

#: The address that an error begins with.
_QUOTED: Final = re.compile(r"^`[^`]*`: ")
#: A kustomization's folder and the slug of what it names: the same on both sides.
_Name = tuple[str, str]


def _missing(needed: Sequence[Sequence[Reference]], supply: Supply) -> set[_Name]:
    """What can't be had on one side, and so is left out of both."""
    return {
        (reference.folder, reference.remote.slug)
        for mine in needed
        for reference in mine
        if supply.error(reference.remote) is not None
    }


def _write(side: _Side, needed: Sequence[Reference], supply: Supply, missing: Collection[_Name]) -> Writer:
    writer = Writer(supply)
    for folder in dict.fromkeys(reference.folder for reference in needed):
        kustomization = side.tree.kustomization(folder)
        if kustomization is None:
            continue
        named = [reference for reference in needed if reference.folder == folder]
        out = {one.path for one in named if (folder, one.remote.slug) in missing}
        writer.kustomization(kustomization, side.data[folder], named, out, side.tree)
    return writer


def _unread(
    old: _Side,
    side: _Side,
    needed: Sequence[Reference],
    missing: Collection[_Name],
    left_out: Mapping[str, Sequence[LeftOut]],
) -> Iterator[Unread]:
    """The charts of one side that are missing."""
    by_folder: dict[str, dict[int, LeftOut]] = {}
    for reference in needed:
        number = reference.path[-1]
        if (
            reference.is_chart
            and isinstance(number, int)
            and (reference.folder, reference.remote.slug) in missing
        ):
            what = _what(reference)
            found = [one for one in left_out.get(reference.folder, ()) if one.what == what]
            by_folder.setdefault(reference.folder, {})[number] = (found or list(left_out[reference.folder]))[
                0
            ]
    for folder, charts in by_folder.items():
        kustomization = side.tree.kustomization(folder)
        if kustomization is not None:
            was = old.tree.kustomization(folder)
            yield Unread(
                kustomization=replace(kustomization, data=side.data[folder]),
                tree=side.tree,
                charts=charts,
                before=(replace(was, data=old.data[folder]), old.tree)
                if was and folder in old.data
                else None,
            )


def _what(reference: Reference) -> str:
    return f"{reference.folder}: {reference.field}[{reference.shown}]"


def _why(reference: Reference, error: UpstreamsyncError) -> str:
    """What is missing first, then why, in one sentence."""
    if not isinstance(error, Unreachable):
        return error.message
    cause = _QUOTED.sub("", error.message).removeprefix("fatal: ")
    return f"{reference.shown} could not be reached: {cause}"


def _left_out(
    needed: Sequence[Sequence[Reference]], missing: Collection[_Name], supply: Supply
) -> dict[str, tuple[LeftOut, ...]]:
    """By the kustomization's folder, each thing that is missing once, and why."""
    versions: dict[_Name, tuple[set[str], set[str]]] = {name: (set(), set()) for name in missing}
    found: dict[_Name, LeftOut] = {}
    for side, mine in enumerate(needed):
        for reference in mine:
            name = (reference.folder, reference.remote.slug)
            if name not in missing:
                continue
            versions[name][side].add(str(reference.remote))
            if (error := supply.error(reference.remote)) is not None:
                found[name] = LeftOut(
                    what=_what(reference),
                    reason="not_reachable",
                    why=_why(reference, error),
                    hint=error.hint,
                )
    result: dict[str, tuple[LeftOut, ...]] = {}
    for name in sorted(found):
        known = versions[name][0] == versions[name][1]
        result[name[0]] = (*result.get(name[0], ()), replace(found[name], known=known))
    return result
