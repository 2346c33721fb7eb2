"""One vendor's update: which release, its content, and whether anything of a person's would be lost by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from upstreamsync.base.guard import Overwritten, overwritten, refusal
from upstreamsync.base.origins import shortened
from upstreamsync.base.view import View
from upstreamsync.config.spec import Vendor
from upstreamsync.errors import (
    DigestMismatch,
    HandEdited,
    NotFound,
    RepositoryError,
    UpstreamsyncError,
    UsageError,
)
from upstreamsync.kit.constraints import parse_constraint
from upstreamsync.kit.git.conversions import same_text
from upstreamsync.kit.git.repository import Repository
from upstreamsync.kit.versions import parse
from upstreamsync.lock import Lock
from upstreamsync.model import Change, PassedOver, Release, VendorUpdate
from upstreamsync.project.check.lookup import Lookup
from upstreamsync.project.checkout import as_stored, filtered
from upstreamsync.project.session import Session
from upstreamsync.project.update.first import Contact, content_of, make_contact
from upstreamsync.project.update.outcomes import completed_update
from upstreamsync.project.update.regenerate import Prepared, assemble, first_that_is_complete, prepare
from upstreamsync.project.update.settled import Wishes


def update_one(
    session: Session, vendor: Vendor, lookup: Lookup, wishes: Wishes
) -> tuple[VendorUpdate, Prepared | None]:
    """The change that brings a vendor to its target, with what was fetched for it.

    What ``settled`` has an answer for does not come here, and whether the bases build is still to be seen.
    Raises HandEdited where it would lose what a person wrote, and UpstreamsyncError otherwise.
    """
    finding = lookup.finding
    lock, view = session.lock(vendor), session.view
    make = _maker(session, vendor, lookup, wishes, build=False)
    contact = None if lock is not None or not vendor.bases else first_contact(session, vendor, lookup, make)
    prepared, missing = _prepared(vendor, lookup, wishes, make, contact, lock)
    change = assemble(prepared, view=view, configuration=session.configuration)
    lost = overwritten(change, vendor, lock or prepared.known, view)
    if stored := as_stored(session.root, [one.path for one in lost]) if lost else {}:
        view = view.with_files(stored)
        change = assemble(prepared, view=view, configuration=session.configuration)
        lost = overwritten(change, vendor, lock or prepared.known, view)
    if change.base_files and lock is not None and vendor.version not in (None, lock.version):
        slip = f"vendors.yaml said {vendor.version}, and the base was {lock.version}"
        change = replace(change, notes=(*change.notes, slip))
    if wishes.to is not None and (against := _held_back(vendor, lookup, change.after)):
        change = replace(
            change, notes=(*change.notes, f"{change.after} was asked for by --to, though it is {against}")
        )
    if lost:
        _refuse(session, vendor, lookup, lost, make, contact, discard=wishes.discard_edits)
    if wishes.locked and _differs_from_lock(change, vendor):
        raise DigestMismatch(
            f"{vendor.name} {change.before} does not come out as its lock says: {', '.join(sorted(change.files))}",
            hint="upstream, a tool or the configuration changed since; `upstreamsync update` takes it over",
        )
    if contact is not None and contact.is_first and not change.empty:
        change = replace(change, first=True)
        finding = replace(finding, major=None)  # first things first
    return completed_update(vendor, finding, change, missing, view.read), prepared


def _maker(
    session: Session, vendor: Vendor, lookup: Lookup, wishes: Wishes, *, build: bool = True
) -> Callable[[Release | None], Prepared]:
    images = () if wishes.locked else lookup.finding.images
    current = lookup.release(vendor.version) if vendor.version else None
    place = partial(session.configuration.place, vendor.name)

    def make(release: Release | None) -> Prepared:
        return prepare(
            vendor,
            release,
            session.tools,
            images=images,
            view=session.view,
            current=current,
            at=place,
            build=build,
        )

    return make


def first_contact(
    session: Session,
    vendor: Vendor,
    lookup: Lookup,
    make: Callable[[Release | None], Prepared] | None = None,
) -> Contact:
    """What a base without a lock is, held against the version that vendors.yaml declares."""
    current = written(vendor, lookup)
    return make_contact(vendor, current, make or _maker(session, vendor, lookup, Wishes()), session.view)


def _prepared(
    vendor: Vendor,
    lookup: Lookup,
    wishes: Wishes,
    make: Callable[[Release | None], Prepared],
    contact: Contact | None,
    lock: Lock | None,
) -> tuple[Prepared, tuple[PassedOver, ...]]:
    """What has to be written, fetched; a version that was made already is not made again."""
    first = contact is not None and contact.is_first
    known = contact.known if contact is not None else None

    def make_once(release: Release) -> Prepared:
        done = contact.prepared if contact is not None else None
        return done if done is not None and done.release == release else make(release)

    candidates = _candidates(vendor, lookup, to=wishes.to, again=wishes.locked or first)
    if first and not candidates and vendor.version is not None:
        raise NotFound(
            f"{vendor.name} {vendor.version} is not on offer",
            hint=f"`upstreamsync explain {vendor.name}` lists the versions; write one that is there",
        )
    if not candidates:
        _refuse_unknown_version(vendor, lookup, lock)
        return replace(make(None), known=known), ()
    prepared, missing = first_that_is_complete(candidates, make_once)
    return replace(prepared, known=known), missing


def _refuse_unknown_version(vendor: Vendor, lookup: Lookup, lock: Lock | None) -> None:
    """Stop where vendors.yaml names a version that nobody offers and that the base is not: a slip of the pen.

    One that was taken back after it was vendored stays as it is.
    """
    version = vendor.version
    if version is None or not vendor.bases or written(vendor, lookup) is not None:
        return
    if lock is not None and lock.version.removeprefix("v") == version.removeprefix("v"):
        return
    there = f"the base is {lock.version}" if lock is not None else "no lock says what the base is"
    keep = f"write `version: {lock.version}` to keep what is there" if lock is not None else "correct it"
    raise NotFound(
        f"vendors.yaml says {version}, which upstream does not offer, and {there}",
        hint=f"{keep}; `upstreamsync explain {vendor.name}` lists the versions that "
        f"`upstreamsync update {vendor.name} --to VERSION` can take",
    )


def _held_back(vendor: Vendor, lookup: Lookup, version: str) -> str | None:
    """Why the version would not have been taken by itself; None for one that would."""
    for one in lookup.finding.passed_over:
        if one.version == version and not one.reason.startswith("superseded"):
            return one.reason
    limit, spec = vendor.follow.range, vendor.releases
    scheme = spec.scheme if spec is not None else "semver"
    found, here = parse(version, scheme), parse(vendor.version or "", scheme)
    if found is None:
        return None
    if limit is not None and not parse_constraint(limit).matches(found, prereleases=True):
        return f"outside the range {limit}"
    return f"older than {vendor.version}" if here is not None and here.newer_than(found) else None


def _candidates(vendor: Vendor, lookup: Lookup, *, to: str | None, again: bool) -> tuple[Release, ...]:
    """The releases to try: that asked for, the acceptable ones, or (``again``) the one that is written."""
    if to is not None:
        wanted = lookup.release(to)
        if wanted is None:
            raise UsageError(
                f"`{vendor.name}` has no version `{to}`",
                hint=f"`upstreamsync explain {vendor.name}` lists the versions on offer",
            )
        return (wanted,)
    if lookup.candidates and not again:
        return lookup.candidates
    current = written(vendor, lookup) if again else lookup.release(vendor.version or "")
    return (current,) if current is not None else ()


def written(vendor: Vendor, lookup: Lookup) -> Release | None:
    """The release that vendors.yaml declares; a commit of a branch is one, though the feed names the newest alone."""
    version = vendor.version
    if version is None:
        return None
    found = lookup.release(version)
    if found is None and vendor.releases is not None and vendor.releases.branch is not None:
        return Release(version=version, ref=version, commit=version)
    return found


def _differs_from_lock(change: Change, vendor: Vendor) -> bool:
    """Whether the result is not what the lock says; files that were missing are merely put back."""
    return bool(change.edit_files) or vendor.lock_path in change.base_files or change.before != change.after


def _refuse(
    session: Session,
    vendor: Vendor,
    lookup: Lookup,
    lost: Sequence[Overwritten],
    make: Callable[[Release | None], Prepared],
    contact: Contact | None,
    *,
    discard: bool,
) -> None:
    """Stop the vendor, unless its edits are to be thrown away and git still has them."""
    if discard:
        waiting = uncommitted(session, [one.path for one in lost])
        if not waiting:
            return
        raise HandEdited(
            f"{', '.join(f'`{path}`' for path in waiting)}: the edits are not committed, and would be gone for good",
            hint="commit them first: then they stay in the history, and --discard-edits replaces them",
        )
    lock = session.lock(vendor)
    version = lock.version if lock is not None else vendor.version or ""
    pristine: Mapping[str, bytes] = {}
    if contact is not None:
        pristine = contact.pristine or {}
    elif lock is not None:
        pristine = _at_lock(lookup.release(lock.version), make, session.view)
    lost = [one for one in lost if not _same_text(session.read(one.path), pristine.get(one.path))]
    files = {one.path: session.read(one.path) or b"" for one in lost}
    if files and (how := filtered(session.root, session.committed, vendor.lock_path, files)):
        ask = "does the filter work here (`git lfs pull`, `git-crypt unlock`, …)?"
        if session.committed is not None:
            ask = "commits are read without filters: except the base from it (`-filter` in .gitattributes);"
        raise HandEdited(
            f"{shortened(list(files))}: {how}",
            hint=f"{ask} `upstreamsync update {vendor.name} --discard-edits` replaces them whatever they are",
        )
    if lost:
        raise refusal(vendor, lost, pristine, session.read, version)


def _same_text(now: bytes | None, pristine: bytes | None) -> bool:
    """Whether nothing differs but line endings, which git may have converted."""
    return now is not None and pristine is not None and same_text(now, pristine)


def _at_lock(
    release: Release | None, make: Callable[[Release | None], Prepared], view: View
) -> Mapping[str, bytes]:
    """Upstream's files at the version of the lock, to show what was edited; none where they are gone."""
    if release is None:
        return {}
    try:
        return {path: file.data for path, file in content_of(make(release), view).items()}
    except UpstreamsyncError:
        return {}


def uncommitted(session: Session, paths: Sequence[str]) -> list[str]:
    """Those of the paths whose content is not that of HEAD; none where there is no git to keep it."""
    try:
        repository = Repository.open(session.root)
    except RepositoryError:
        return []
    prefix = session.root.resolve().relative_to(repository.root.resolve()).as_posix()
    prefix = "" if prefix == "." else f"{prefix}/"
    try:
        kept = repository.read_all("HEAD", [prefix + path for path in paths])
    except RepositoryError:  # no commit yet
        kept = {}
    return [path for path in paths if kept.get(prefix + path) != session.read(path)]
