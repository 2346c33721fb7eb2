"""A vendor without a lock: is its base not there yet, upstream's own, or somebody's work?

Nothing on disk says. So the version that vendors.yaml declares is made, and held against the files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from upstreamsync.base.change import laid_out, make_lock
from upstreamsync.base.view import View
from upstreamsync.config.spec import Vendor
from upstreamsync.errors import UpstreamsyncError
from upstreamsync.lock import Lock, digest
from upstreamsync.model import ContentFile, Release
from upstreamsync.project.update.regenerate import Prepared
from upstreamsync.sources.stability import differing_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """What was found of a base without a lock.

    ``is_first`` when none of the declared version's files is there. ``known`` are the files that are
    upstream's own, as a lock would have said it. ``pristine`` is the declared version, by path; ``edited``
    are files of that version that have other content here.
    """

    is_first: bool
    known: Lock | None = None
    pristine: Mapping[str, bytes] | None = None
    prepared: Prepared | None = None
    edited: tuple[str, ...] = ()

    @property
    def is_pristine(self) -> bool:
        """Whether all of the declared version's files that are there are upstream's own."""
        return self.known is not None and not self.edited


def make_contact(
    vendor: Vendor, current: Release | None, make: Callable[[Release], Prepared], view: View
) -> Contact:
    """Hold the files of a base without a lock against the version that vendors.yaml declares.

    Where that version can't be made, nothing is known of the files that are there.
    """
    there = [path for base in vendor.bases for path in view.listing(base)]
    if not there:
        return Contact(is_first=True)
    if current is None:
        return Contact(is_first=False)
    try:
        prepared = make(current)
        files = content_of(prepared, view)
    except UpstreamsyncError:
        return Contact(is_first=False)
    if files.keys().isdisjoint(there):
        return Contact(is_first=True, prepared=prepared)
    known = _known(vendor, prepared, files, view)
    ours = known.files if known is not None else {}
    return Contact(
        is_first=False,
        known=known,
        edited=tuple(sorted(path for path in there if path in files and path not in ours)),
        pristine={path: file.data for path, file in files.items()},
        prepared=prepared,
    )


def content_of(prepared: Prepared, view: View) -> dict[str, ContentFile]:
    """The files of a version by repository path."""
    if prepared.release is None:
        return {}
    return laid_out(prepared.vendor, prepared.bases, None, view)


def _known(vendor: Vendor, prepared: Prepared, files: Mapping[str, ContentFile], view: View) -> Lock | None:
    """As the lock would be, of those files alone that are upstream's own."""
    if prepared.release is None:
        return None
    unstable = {path for _, artifact in prepared.parts for path in artifact.unstable}
    ours: dict[str, str] = {}
    for path, file in files.items():
        now = view.read(path)
        if now is None:
            continue
        if now == file.data or (unstable and unstable.issuperset(differing_paths(now, file.data))):
            ours[path] = digest(now)
    artifacts = [artifact for _, artifact in prepared.parts]
    lock = make_lock(vendor, prepared.release, list(files.items()), artifacts, prepared.watched)
    return replace(lock, files=ours)
