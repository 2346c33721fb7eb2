"""The complete change for one vendor, as a value: nothing touches the disk before it is known."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from upstreamsync.base.edits import NO_EDITS, Edits
from upstreamsync.base.kustomization import NAMES, OWN_NAME, is_ours, is_read_as_folder
from upstreamsync.base.origins import (
    Watching,
    fork_digests,
    fork_note,
    origin_of,
    shortened,
    watch_fact,
    watch_note,
)
from upstreamsync.base.validate import count_objects, fewest_objects, most_objects
from upstreamsync.base.versionline import set_image_version, set_version
from upstreamsync.base.view import View
from upstreamsync.config.load import content_digest
from upstreamsync.config.spec import Vendor
from upstreamsync.errors import ContentError, EditError, RepositoryError
from upstreamsync.kit.git.conversions import same_text, stands_for
from upstreamsync.lock import Lock, digest, render
from upstreamsync.model import Artifact, Base, Change, ContentFile, ForkChange, ImageFinding, Release, Shrunk


@dataclass(frozen=True, slots=True, kw_only=True)
class _Situation:
    """What was, and what will be, of one vendor's base files; the maps go from repository path to it."""

    vendor: Vendor
    view: View
    lock: Lock | None
    new: Mapping[str, ContentFile]
    notes: list[str] = field(default_factory=list)
    forks: list[ForkChange] = field(default_factory=list)


def plan(
    vendor: Vendor,
    release: Release | None,
    bases: Sequence[Base],
    artifacts: Sequence[Artifact],
    *,
    view: View,
    lock: Lock | None,
    config_path: str = "vendors.yaml",
    edits: Edits = NO_EDITS,
    images: Sequence[ImageFinding] = (),
    watched: Sequence[Watching] = (),
) -> Change:
    """What has to be written so that the repository holds ``release``; nothing for what it holds already.

    ``release`` is None when images alone move. ``artifacts`` are what ``bases`` were made of, for the
    lock; ``images`` those that move. To plan several vendors for one working tree, give each the view
    with the changes before it.

    Raises ContentError when base, lock and vendors.yaml would be one file, EditError for an edit inside
    a base, and what ``set_version`` raises.
    """
    situation = _Situation(vendor=vendor, view=view, lock=lock, new=laid_out(vendor, bases, lock, view))
    base_files: dict[str, bytes | None] = {}
    if release is not None:
        base_files.update(_content(situation))
        base_files.update(_lock_file(situation, release, artifacts, watched, config_path))
        _note_origins(situation, watched)
    edit_files: dict[str, bytes | None] = {
        path: data for path, data in edits.files.items() if view.read(path) != data
    }
    _refuse_edits_inside(edit_files, situation)
    config_was = _text(view.read(config_path), config_path)
    config = _with_versions(config_was, config_path, vendor, release, images)
    if config != config_was:
        base_files[config_path] = config.encode()
        if config_path in edit_files:
            edited = _text(edit_files[config_path], config_path)
            edit_files[config_path] = _with_versions(edited, config_path, vendor, release, images).encode()
    before, after = _steps(situation, release, images)
    shrunk = _shrunk(situation) if base_files else ()
    situation.notes.extend(f"`{one.base}` loses most of its objects: {one}" for one in shrunk)
    return Change(
        vendor=vendor.name,
        before=before,
        after=after,
        release=release,
        base_files=dict(sorted(base_files.items())),
        edit_files=dict(sorted(edit_files.items())),
        edits=edits.edited,
        bases=vendor.bases,
        notes=tuple(situation.notes),
        forks=tuple(situation.forks),
        executable=frozenset(path for path, file in situation.new.items() if file.executable),
        shrunk=shrunk,
    )


def _shrunk(situation: _Situation) -> tuple[Shrunk, ...]:
    """The bases that lose most of their objects though what is declared stays as it was."""
    vendor, view, lock, new = situation.vendor, situation.view, situation.lock, situation.new
    if lock is None or lock.config != content_digest(vendor):
        return ()
    found = []
    for base in vendor.bases:
        inside = [path for path in lock.files if path.startswith(f"{base}/")]
        old = {path: data for path in inside if (data := view.read(path)) is not None}
        files = {path: file.data for path, file in new.items() if path.startswith(f"{base}/")}
        if 2 * fewest_objects(files) >= most_objects(old):
            continue
        before, after = count_objects(old), count_objects(files)
        if 2 * after < before:
            found.append(Shrunk(base=base, before=before, after=after))
    return tuple(found)


def laid_out(vendor: Vendor, bases: Sequence[Base], lock: Lock | None, view: View) -> dict[str, ContentFile]:
    """All new files by path, without kustomizations of ours that nobody asked for.

    One gives way to one that the team keeps in the folder. Unless ``kustomization`` decides, a folder gets
    one where a kustomization of the team's reads it as a folder; what is there already stays, also where
    the base moves to another folder.
    """
    files = {}
    owned = lock.files if lock is not None else {}
    left = _has_left_one(vendor, owned, view)
    for base in bases:
        for file in base.files:
            path = f"{base.path}/{file.path}"
            if file.path == OWN_NAME and is_ours(file.data):
                if _has_local_kustomization(base.path, owned, view):
                    continue
                wanted = vendor.kustomization or path in owned or left
                if not (wanted or _is_read_as_folder(base.path, view)):
                    continue
            files[path] = file
    return files


def _has_left_one(vendor: Vendor, owned: Mapping[str, str], view: View) -> bool:
    """Whether a folder that is a base no longer has a kustomization of ours: it moves along."""
    return any(
        posixpath.basename(path) == OWN_NAME
        and posixpath.dirname(path) not in vendor.bases
        and is_ours(view.read(path) or b"")
        for path in owned
    )


def _is_read_as_folder(base: str, view: View) -> bool:
    return is_read_as_folder(base, view.listing(""), view.read)


def _has_local_kustomization(base: str, owned: Mapping[str, str], view: View) -> bool:
    for name in NAMES:
        path = f"{base}/{name}"
        data = view.read(path) if path not in owned else None
        if data is not None and not is_ours(data):
            return True
    return False


def _content(situation: _Situation) -> dict[str, bytes | None]:
    """New and changed files, and those that go."""
    view, new, lock = situation.view, situation.new, situation.lock
    files: dict[str, bytes | None] = {}
    lost = []
    for path, file in new.items():
        current = view.read(path)
        if current == file.data:
            continue
        locked = lock.files.get(path) if lock is not None else None
        if current is not None and _is_in_the_checkout(current, file.data, locked):
            continue
        files[path] = file.data
        if current is not None and locked is not None and not stands_for(current, locked):
            lost.append(path)
    for path in sorted(lock.files.keys() - new.keys()) if lock is not None else ():
        current = view.read(path)
        if current is None or lock is None:
            continue
        as_written = stands_for(current, lock.files[path])
        if as_written or any(path.startswith(f"{base}/") for base in situation.vendor.bases):
            files[path] = None
            lost += [] if as_written else [path]
    if lost:
        situation.notes.append(
            f"changes made by hand to {shortened(sorted(lost))} are replaced; "
            "keep such changes in a kustomization above the base"
        )
    if lock is None:
        _note_adoption(situation)
    return files


def _is_in_the_checkout(current: bytes, new: bytes, locked: str | None) -> bool:
    """Whether a file is what git made of the very bytes that would be written again."""
    wanted = digest(new)
    return (locked is None or locked == wanted) and stands_for(current, wanted)


def _note_adoption(situation: _Situation) -> None:
    for base in situation.vendor.bases:
        there = [path for path in situation.view.listing(base) if path not in situation.new]
        if there:
            situation.notes.append(
                f"`{base}` had no lock yet; left alone are {shortened(there)}: remove what came from upstream"
            )


def _lock_file(
    situation: _Situation,
    release: Release,
    artifacts: Sequence[Artifact],
    watched: Sequence[Watching],
    config_path: str,
) -> dict[str, bytes | None]:
    vendor, new = situation.vendor, situation.new
    path = vendor.lock_path
    for taken, what in ((path, "the lock"), (config_path, "vendors.yaml")):
        if taken in new:
            raise ContentError(
                f"upstream's `{taken}` would replace {what}",
                hint="name the source's files otherwise, or the lock",
            )
    if path is None or not (vendor.source or watched):
        return {}
    data = render(make_lock(vendor, release, list(new.items()), artifacts, watched))
    current = situation.view.read(path)
    return {} if current is not None and same_text(current, data) else {path: data}


def make_lock(
    vendor: Vendor,
    release: Release,
    files: Sequence[tuple[str, ContentFile]],
    artifacts: Sequence[Artifact],
    watched: Sequence[Watching] = (),
) -> Lock:
    """The facts about a base; ``files`` are (repository path, file)."""
    new = {path: file.data for path, file in files}
    return Lock(
        vendor=vendor.name,
        version=release.version,
        config=content_digest(vendor),
        sources=tuple(resolved for artifact in artifacts for resolved in artifact.resolved),
        bases=tuple(sorted(vendor.bases)),
        files={path: digest(new[path]) for path in sorted(new)},
        forks=fork_digests(vendor.forks, sorted(new), vendor.bases, new.get),
        watch=tuple(watch_fact(one) for one in watched),
    )


def _note_origins(situation: _Situation, watched: Sequence[Watching]) -> None:
    vendor, lock, view = situation.vendor, situation.lock, situation.view
    new = {path: file.data for path, file in situation.new.items()}
    if vendor.forks:
        old = (
            sorted(lock.files)
            if lock is not None
            else [path for base in vendor.bases for path in view.listing(base)]
        )
        old = [path for path in old if view.read(path) is not None]
        for fork in vendor.forks:
            before = origin_of(fork, old, vendor.bases, view.read)
            after = origin_of(fork, sorted(new), vendor.bases, new.get)
            note = fork_note(fork, before, after, lock.forks.get(fork.file) if lock is not None else None)
            if note:
                situation.notes.append(note)
            if note and (before, after) != (None, None):
                situation.forks.append(ForkChange(file=fork.file, before=before, after=after))
    for watching in watched:
        note = watch_note(watching, lock)
        situation.notes.extend([note] if note else [])


def _refuse_edits_inside(edit_files: Mapping[str, bytes | None], situation: _Situation) -> None:
    for path in edit_files:
        if path in situation.new or path == situation.vendor.lock_path:
            raise EditError(
                f"an edit of `{situation.vendor.name}` changes `{path}`, which holds upstream's own bytes",
                hint="do it in a kustomization above the base, or with `rewrite`",
            )


def _with_versions(
    text: str, path: str, vendor: Vendor, release: Release | None, images: Sequence[ImageFinding]
) -> str:
    if release is not None and vendor.version is not None:
        text = set_version(text, vendor.name, release.version, file=path)
    for finding in images:
        if finding.target is not None and vendor.images[finding.key].version is not None:
            text = set_image_version(text, vendor.name, finding.key, finding.target.version, file=path)
    return text


def _steps(situation: _Situation, release: Release | None, images: Sequence[ImageFinding]) -> tuple[str, str]:
    """The versions before and after, for titles and branches.

    What was before is what the base was made of, whatever vendors.yaml said.
    """
    if release is not None:
        declared, lock = situation.vendor.version or "", situation.lock
        return declared if lock is None or lock.version == release.version else lock.version, release.version
    moved = [finding for finding in images if finding.target is not None]
    return (
        ", ".join(finding.current for finding in moved),
        ", ".join(finding.target.version for finding in moved if finding.target is not None),
    )


def _text(data: bytes | None, path: str) -> str:
    if data is None:
        raise RepositoryError(f"{path} is not there", hint="is it committed?")
    return data.decode("utf-8")
