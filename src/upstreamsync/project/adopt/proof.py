"""The proof of an adoption: what was built before is built after, object by object, or nothing is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from upstreamsync.adopt.matching import Manifest
from upstreamsync.adopt.operations import compare
from upstreamsync.base.kustomization import NAMES
from upstreamsync.errors import ContentError, ToolFailed
from upstreamsync.kit.kubernetes.objects import numbered, object_id
from upstreamsync.kit.run.engines import Kustomize
from upstreamsync.kit.yaml import manifests
from upstreamsync.project.adopt.copy import Copy, objects_of
from upstreamsync.project.adopt.layout import Places
from upstreamsync.project.session import Session
from upstreamsync.project.verify.trees import tree_with
from upstreamsync.verify import find_overlays


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The folders that build the same before and after; ``reordered`` lists differ in their order alone."""

    folders: tuple[str, ...]
    reordered: tuple[str, ...] = ()


def prove(
    session: Session,
    kustomize: Kustomize,
    copy: Copy,
    places: Places,
    files: Mapping[str, bytes | None],
    before: Sequence[Manifest],
) -> Proof:
    """Build what others refer to, and every overlay that stands on it, before and after.

    Raises ContentError with the objects that come out differently: then nothing may be written.
    """
    overlays = [one for one in find_overlays(session.root, copy.named or [copy.folder]) if one != copy.folder]
    built = {one: _built(kustomize, session, one) for one in overlays}
    proven: list[str] = []
    reordered: list[str] = []
    with tree_with(session.root, files) as after:
        entry = places.entry if places.level else copy.folder
        now = _objects(kustomize, after, entry, {*copy.files, *files})
        reordered += same(before, now, entry)
        proven.append(entry)
        for overlay, objects in built.items():
            if objects is not None:
                reordered += same(objects, _objects(kustomize, after, overlay), overlay)
                proven.append(overlay)
    return Proof(folders=tuple(proven), reordered=tuple(reordered))


def _built(kustomize: Kustomize, session: Session, overlay: str) -> list[Manifest] | None:
    try:
        return _objects(kustomize, session.root, overlay)
    except ContentError:
        return None  # it does not build as it is: nothing can be said of it


def _objects(
    kustomize: Kustomize, root: Path, folder: str, only: Collection[str] | None = None
) -> list[Manifest]:
    """What a folder of a tree builds; one without a kustomization those of its files that are in ``only``.

    Raises ContentError with kustomize's words where it does not.
    """
    place = root / folder
    if not any((place / name).is_file() for name in NAMES):
        files = [path for path in sorted(place.rglob("*")) if path.is_file()]
        found = {path.relative_to(root).as_posix(): path.read_bytes() for path in files}
        found = {path: data for path, data in found.items() if only is None or path in only}
        return list(objects_of(folder, found, kustomize))
    try:
        return list(manifests.objects(kustomize.build(place, root=root), name=folder))
    except ToolFailed as error:
        raise ContentError(f"`{folder}` does not build: {error.stderr.strip() or error.message}") from None


def same(before: Sequence[Manifest], after: Sequence[Manifest], where: str) -> list[str]:
    """Compare two builds. Returns the lists of which the order differs; raises ContentError otherwise."""
    one, other = numbered(before), numbered(after)
    wrong = [f"{name.short} is missing" for name, _ in one.keys() - other.keys()]
    wrong += [f"{name.short} is new" for name, _ in other.keys() - one.keys()]
    reordered: list[str] = []
    for key in one.keys() & other.keys():
        likeness = compare(one[key], other[key])
        if not likeness.equal:
            wrong.append(f"{object_id(one[key]).short} differs")
        reordered += [f"{object_id(one[key]).short}: {path}" for path in likeness.reordered]
    if wrong:
        raise ContentError(
            f"nothing was written: `{where}` would not build what it does: {', '.join(sorted(wrong)[:8])}",
            hint="please report this with the copy, or make the base by hand",
        )
    return sorted(reordered)
