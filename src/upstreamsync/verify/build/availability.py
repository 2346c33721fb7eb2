"""What of an overlay can be had on both sides, and what becomes of the rest.

What neither side has, and is the same on both, is left out of both: all else can be judged. What is listed
and gone on the new side is a finding of its own, and the file that has its objects now takes its place,
so that everything else is judged as it will be.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.kubernetes.objects import ObjectId, object_id
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import LeftOut
from upstreamsync.verify.build.obstacles import Obstacle, Place, Reason, obstacles
from upstreamsync.verify.overlays.graph import inputs, reached
from upstreamsync.verify.overlays.tree import Tree

_MANIFESTS = (".yaml", ".yml", ".json")
#: Reasons that only what else the change did can be blamed for: the entry could be had before.
_GONE = (Reason.NOT_IN_TREE, Reason.DOES_NOT_BUILD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """One thing that took no part: the folder that names it, and on which sides it is missing.

    ``differs`` says that what is missing may be another thing on either side, or is there on one of them.
    """

    folder: str
    said: LeftOut
    before: bool = True
    after: bool = True
    differs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """An entry of the new side that can't be had although it could be before; ``moved_to`` has its objects."""

    obstacle: Obstacle
    moved_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """What both sides are built without.

    ``instead`` are entries in place of others, by side: none to leave out. ``places`` are those of the new
    side that are missing without anybody's fault; ``customizations`` those of them that change something,
    or of which nobody knows. ``files`` are read in place of what is gone. ``broken`` is why neither side
    builds as it is, where it lacks what should be in the tree.
    """

    instead: tuple[Mapping[Place, tuple[str, ...]], Mapping[Place, tuple[str, ...]]] = field(
        default_factory=lambda: ({}, {})
    )
    missing: tuple[Missing, ...] = ()
    gone: tuple[Gone, ...] = ()
    places: Mapping[Place, Missing] = field(default_factory=dict)
    customizations: tuple[Obstacle, ...] = ()
    files: tuple[str, ...] = ()
    broken: str | None = None

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What to tell of it, each thing once."""
        return tuple(dict.fromkeys(one.said for one in self.missing))

    def error(self, side: int) -> str | None:
        """Why kustomize would not build a side, 0 or 1, of which something is missing that differs."""
        if side == 1 and self.gone:
            return self.gone[0].obstacle.why
        sides = (one for one in self.missing if one.differs and (one.after if side else one.before))
        return next((one.said.why for one in sides), None)

    @property
    def differs(self) -> bool:
        """Whether something is missing that is not the same on both sides."""
        return any(one.differs for one in self.missing)


def weigh(
    before: Tree,
    after: Tree,
    overlay: str,
    old: Sequence[Obstacle],
    new: Sequence[Obstacle],
    *,
    is_new: bool = False,
) -> Availability:
    """What can be compared, given what either side can't have; nothing is, where the overlay ``is_new``."""
    was, now = {one.key: one for one in old}, {one.key: one for one in new}
    missing = [*_laid_out(before, after, overlay)]
    places: dict[Place, Missing] = {}
    gone: list[Gone] = []
    for obstacle in new:
        if obstacle.key in was or (is_new and (obstacle.reason not in _GONE or _is_excused(after, obstacle))):
            places[obstacle.place] = one = Missing(folder=obstacle.place[0], said=_said(obstacle))
            missing.append(one)
        elif obstacle.reason in _GONE and not _is_excused(after, obstacle):
            gone.append(Gone(obstacle=obstacle, moved_to=_moved_to(before, after, obstacle)))
            if obstacle.reason is Reason.DOES_NOT_BUILD:  # its objects are there, and nobody can read them
                missing.append(_one_sided(obstacle, before=False))
        else:
            places[obstacle.place] = one = _one_sided(obstacle, before=False)
            missing.append(one)
    # What an overlay listed before it was there (a base that is vendored now) has come: nothing is to be compared.
    came = {one.key for one in old if one.reason is Reason.NOT_IN_TREE and not _is_excused(before, one)}
    missing += [_one_sided(one, before=True) for one in old if one.key not in {*now, *came}]
    moved = {one.obstacle.place: one.moved_to for one in gone}
    return Availability(
        instead=(
            {obstacle.place: () for obstacle in old},
            {obstacle.place: moved.get(obstacle.place, ()) for obstacle in new},
        ),
        missing=tuple(missing),
        gone=tuple(gone),
        places=places,
        customizations=tuple(one for one in new if one.place in places and _is_customization(one, after)),
        files=tuple(sorted({file for one in gone for file in _files_of(after, one)})),
        broken=next(
            (
                one.why
                for one in new
                if one.key in was and one.reason in _GONE and not _is_excused(after, one)
            ),
            None,
        ),
    )


def on_one_side(tree: Tree, overlay: str) -> Availability:
    """What of an overlay can be had in one tree, where it is compared with nothing."""
    found = obstacles(tree, overlay)
    return weigh(tree, tree, overlay, found, found)


def elsewhere(tree: Tree, overlay: str) -> Iterator[Place]:
    """What an overlay names that was never to be had in the tree itself."""
    for obstacle in obstacles(tree, overlay):
        if obstacle.reason not in _GONE or _is_excused(tree, obstacle):
            yield obstacle.place


def _is_customization(obstacle: Obstacle, tree: Tree) -> bool:
    """Whether an entry changes objects, or may hold customizations: a folder of which nothing can be read."""
    unread = obstacle.reason is Reason.DOES_NOT_BUILD and tree.is_folder(obstacle.path)
    return not obstacle.creates or unread


def _laid_out(before: Tree, after: Tree, overlay: str) -> Iterator[Missing]:
    """What had been left out of the trees themselves: references that could not be fetched."""
    for tree in (after, before):
        if tree.left_out:
            for kustomization in reached(tree, overlay):
                for said in tree.left_out.get(kustomization.folder, ()):
                    yield Missing(folder=kustomization.folder, said=said, differs=not said.known)


def _said(obstacle: Obstacle, *, known: bool = True) -> LeftOut:
    return LeftOut(
        what=obstacle.what, reason=obstacle.reason, why=obstacle.why, known=known, hint=obstacle.hint
    )


def _one_sided(obstacle: Obstacle, *, before: bool) -> Missing:
    return Missing(
        folder=obstacle.place[0],
        said=_said(obstacle, known=False),
        before=before,
        after=not before,
        differs=True,
    )


def _is_excused(tree: Tree, obstacle: Obstacle) -> bool:
    """Whether it is known why the tree does not have it, so that nobody took it away."""
    here, above = obstacle.path, ""
    while here and here != above:  # above the root of an absolute path there is nothing but itself
        if here in tree.absent:
            return True
        here, above = posixpath.dirname(here), here
    return False


# -- where the objects of a file went ----------------------------------------------------------------


def _moved_to(before: Tree, after: Tree, obstacle: Obstacle) -> tuple[str, ...]:
    """The new files, as entries, that have the objects of a file that is gone; empty when there are none."""
    folder, path = obstacle.place[0], obstacle.path
    if obstacle.reason is not Reason.NOT_IN_TREE or not obstacle.creates:
        return ()
    if not before.is_file(path):
        moved = _moved_folder(before, after, path)
        return (posixpath.relpath(moved, folder),) if moved is not None else ()
    wanted = _objects(before, path)
    found: list[str] = []
    for file in _new_files(before, after, {folder, posixpath.dirname(posixpath.dirname(path) or ".") or "."}):
        here = _objects(after, file) & wanted
        if here:
            found.append(file)
            wanted -= here
    return tuple(posixpath.relpath(file, folder) for file in found)


def _moved_folder(before: Tree, after: Tree, path: str) -> str | None:
    """The new folder with a kustomization that has most of the objects of one that is gone, and half at least."""
    if before.kustomization(path) is None:
        return None
    wanted = _objects_below(before, path)
    shared = {
        folder: len(_objects_below(after, folder) & wanted)
        for folder in after.folders()
        if before.kustomization_file(folder) is None
    }
    best = max(sorted(shared), key=lambda folder: shared[folder], default=None)
    return best if best is not None and 2 * shared[best] >= len(wanted) > 0 else None


def _objects_below(tree: Tree, folder: str) -> set[ObjectId]:
    """The objects of all files that a kustomization reads, whatever it makes of them."""
    found = (_objects(tree, file) for file in inputs(tree, folder) if file.endswith(_MANIFESTS))
    return set().union(*found)


def _files_of(tree: Tree, gone: Gone) -> Iterator[str]:
    """What is read in place of something that is gone."""
    for entry in gone.moved_to:
        path = posixpath.normpath(posixpath.join(gone.obstacle.place[0], entry))
        yield from (path,) if tree.is_file(path) else inputs(tree, path)


def _new_files(before: Tree, after: Tree, folders: Collection[str]) -> Iterator[str]:
    seen: set[str] = set()
    for folder in sorted(folders):
        for file in after.files(folder) if after.is_folder(folder) else ():
            if file not in seen and file.endswith(_MANIFESTS) and not before.is_file(file):
                seen.add(file)
                yield file


def _objects(tree: Tree, path: str) -> set[ObjectId]:
    try:
        objects = manifests.objects(tree.read(path), name=path)
    except UpstreamsyncError:
        return set()
    return {object_id(obj).unversioned for obj in objects if obj.get("kind") and obj.get("metadata")}
