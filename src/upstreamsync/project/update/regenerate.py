"""Release → Change: fetch, shape, edit, and put together the complete change before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from upstreamsync.base.change import plan
from upstreamsync.base.edits import follow_up
from upstreamsync.base.kustomization import is_kustomization
from upstreamsync.base.located import At, nowhere
from upstreamsync.base.locked import read_lock
from upstreamsync.base.origins import Watching
from upstreamsync.base.shape import make_bases
from upstreamsync.base.versionline import set_version
from upstreamsync.base.view import View
from upstreamsync.base.write import as_tree
from upstreamsync.config import Configuration, Source, Vendor
from upstreamsync.config.load import content_digest
from upstreamsync.errors import ContentError, NotFound, SelectionError
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.lock import Lock, changed_files
from upstreamsync.model import Artifact, Base, Change, ImageFinding, PassedOver, Release
from upstreamsync.project.update.base_build import BaseBuild, builds_of, check_each
from upstreamsync.project.update.digests import with_digests
from upstreamsync.releases.dates import dated
from upstreamsync.sources import fetch
from upstreamsync.sources.stability import differing_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """All that had to be fetched and rendered to move a vendor, and its bases; the rest is computed from it.

    ``known`` stands for the lock where there is none: it says what is there now, as far as that was found
    to be upstream's own.
    """

    vendor: Vendor
    release: Release | None
    known: Lock | None = None
    images: tuple[ImageFinding, ...] = ()
    parts: tuple[tuple[Source, Artifact], ...] = ()
    bases: tuple[Base, ...] = ()
    watched: tuple[Watching, ...] = ()
    builds: tuple[BaseBuild, ...] = ()


def prepare(
    vendor: Vendor,
    release: Release | None,
    tools: Toolbox,
    *,
    images: Sequence[ImageFinding],
    view: View,
    current: Release | None = None,
    at: At = nowhere,
    build: bool = True,
) -> Prepared:
    """Fetch and render everything, and check it. ``release`` is None for a vendor that has only images.

    Files that a render reads are read as they will be after the follow-up edits. ``current`` is what
    watched sources are compared with where no lock tells what they were; ``at`` gives the place of a
    declaration below the vendor, for errors. Without ``build`` the bases are still to be built (``builds``).
    Raises UpstreamsyncError.
    """
    tools = replace(tools, allow_http=vendor.allow_http)
    parts: tuple[tuple[Source, Artifact], ...] = ()
    bases: tuple[Base, ...] = ()
    watched: tuple[Watching, ...] = ()
    builds: tuple[BaseBuild, ...] = ()
    release, images = with_digests(vendor, release, images, tools)
    if release is not None and vendor.releases is not None and vendor.releases.branch is not None:
        release = dated(release, vendor.releases, tools)  # a commit says nothing to people; its date does
    if release is not None:
        get = partial(
            _located, release, vendor, tools, at, follow_up(vendor, release, images, view.read).files
        )
        parts = tuple((one, get(one, "source", number)) for number, one in enumerate(vendor.vendored))
        bases = make_bases(vendor, parts, release, at, sound=tools.is_sound)
        builds = builds_of(vendor, bases)
        if build:
            check_each(builds, tools, at)
        before = _unless_locked(vendor, release, current, view)
        watched = tuple(
            Watching(
                source=one,
                now=get(one, "watch", number),
                before=_before(one, before, vendor, tools),
            )
            for number, one in enumerate(vendor.watch)
        )
    return Prepared(
        vendor=vendor,
        release=release,
        images=tuple(images),
        parts=parts,
        bases=bases,
        watched=watched,
        builds=builds,
    )


def _located(
    release: Release,
    vendor: Vendor,
    tools: Toolbox,
    at: At,
    overrides: Mapping[str, bytes],
    source: Source,
    key: str,
    number: int,
) -> Artifact:
    """Fetch; an error about what was declared names the declaration's place."""
    try:
        return fetch(source, release, vendor, tools, overrides=overrides)
    except ContentError as error:
        error.place = error.place or at(key, number)
        raise


def assemble(prepared: Prepared, *, view: View, configuration: Configuration) -> Change:
    """The complete change upon the repository that ``view`` shows. Pure; raises UpstreamsyncError.

    Nothing is changed for values alone that come out differently each time a chart is rendered.
    """
    vendor, release = prepared.vendor, prepared.release
    lock = read_lock(vendor, view) or prepared.known
    change = plan(
        vendor,
        release,
        prepared.bases,
        [artifact for _, artifact in prepared.parts],
        view=view,
        lock=lock,
        config_path=configuration.path.name,
        edits=follow_up(vendor, release, prepared.images, view.read),
        images=[image for image in prepared.images if image.target is not None],
        watched=prepared.watched,
    )
    notes = tuple(note for _, artifact in prepared.parts for note in artifact.notes)
    if lock is not None and _differs_by_chance_alone(prepared, change, lock, view):
        return replace(change, base_files={}, executable=frozenset(), notes=(*change.notes, *notes))
    return replace(change, notes=(*change.notes, *notes))


def upon(
    change: Change, prepared: Prepared, before: Sequence[Change], *, view: View, configuration: Configuration
) -> Change:
    """The change with others written before it, of which it shares files. Raises as ``assemble``.

    Vendors without edits share nothing but vendors.yaml, and there each has a line of its own: then all else is
    as it was. A kustomization of the team's that others change may decide what a base gets: that is no such case.
    """
    vendor, release, path = prepared.vendor, prepared.release, configuration.path.name
    written = as_tree(before)
    decided = any(
        is_kustomization(name) and not _is_inside(name, one) for one in before for name in one.files
    )
    plain = not (vendor.edits or vendor.images or change.edit_files or decided)
    text = written.get(path)
    if plain and release is not None and text is not None and written.keys() & change.files.keys() == {path}:
        moved = set_version(text.decode(), vendor.name, release.version, file=path).encode()
        return replace(change, base_files={**change.base_files, path: moved})
    return assemble(prepared, view=view.with_changes(before), configuration=configuration)


def _is_inside(path: str, change: Change) -> bool:
    """Whether the path lies in a base of the change: what stands there names nothing outside."""
    return any(path.startswith(f"{base}/") for base in change.bases)


def _differs_by_chance_alone(prepared: Prepared, change: Change, lock: Lock, view: View) -> bool:
    """Whether the same release, made from the same sources, differs in nothing but unstable values."""
    vendor = prepared.vendor
    unstable = {path for _, artifact in prepared.parts for path in artifact.unstable}
    sources = tuple(resolved for _, artifact in prepared.parts for resolved in artifact.resolved)
    if not unstable or change.edit_files or change.before != change.after:
        return False
    if lock.config != content_digest(vendor) or lock.sources != sources or changed_files(lock, view.read):
        return False
    files = {path: data for path, data in change.base_files.items() if path != vendor.lock_path}
    if not files.keys() <= lock.files.keys():
        return False
    return all(
        data is not None and unstable.issuperset(differing_paths(view.read(path) or b"", data))
        for path, data in files.items()
    )


def _unless_locked(vendor: Vendor, release: Release, current: Release | None, view: View) -> Release | None:
    """The release to compare watched sources with, unless a lock tells what they were."""
    lock = read_lock(vendor, view) if vendor.watch else None
    if current is None or current.version == release.version or (lock is not None and lock.watch):
        return None
    return current


def _before(source: Source, release: Release | None, vendor: Vendor, tools: Toolbox) -> Artifact | None:
    """What a watched source was; None where that is not known, or gone."""
    try:
        return fetch(source, release, vendor, tools) if release is not None else None
    except (NotFound, SelectionError):
        return None


def first_that_is_complete(
    candidates: Sequence[Release], make: Callable[[Release], Prepared]
) -> tuple[Prepared, tuple[PassedOver, ...]]:
    """Try candidates, best first, until one has all of its files upstream.

    Raises the NotFound of the first when none has.
    """
    missing: list[PassedOver] = []
    first: NotFound | None = None
    for candidate in candidates:
        try:
            return make(candidate), tuple(missing)
        except NotFound as error:
            first = first or error
            missing.append(
                PassedOver(version=candidate.version, reason=f"incomplete upstream: {error.message}")
            )
    raise first or NotFound("there is no release to move to")
