"""A vendor whose base was edited by hand → a pristine base and patches, proven by the real kustomize."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from upstreamsync.adopt.comments import new_comments
from upstreamsync.adopt.customize import Customizations, customize
from upstreamsync.adopt.matching import Manifest, Pair, Ranking, match
from upstreamsync.base.change import laid_out, make_lock
from upstreamsync.base.kustomization import NAMES, is_ours
from upstreamsync.base.located import nowhere
from upstreamsync.base.shape import make_bases
from upstreamsync.base.view import View
from upstreamsync.config.spec import Vendor
from upstreamsync.errors import HandEdited, UsageError
from upstreamsync.kit.kubernetes.objects import object_id
from upstreamsync.kit.kubernetes.values import show
from upstreamsync.kit.run.engines import Kustomize
from upstreamsync.lock import changed_files, render
from upstreamsync.model import Adoption, Change, Failure, Release, RunnerUp
from upstreamsync.project.adopt.chart_values import with_chart_values
from upstreamsync.project.adopt.copy import (
    Copy,
    base_objects,
    build_files,
    objects_of,
    read_copy,
    text_beside,
    texts_of,
)
from upstreamsync.project.adopt.declare import configured, declared, refuse_folder, with_base
from upstreamsync.project.adopt.fork import find_fork, fork_entry
from upstreamsync.project.adopt.layout import (
    Places,
    choose_places,
    files_gone,
    level_files,
    listed_by_file,
    redirect,
)
from upstreamsync.project.adopt.origin import Search, find_version
from upstreamsync.project.adopt.proof import prove
from upstreamsync.project.adopt.story import Story, read_story
from upstreamsync.project.failures import guarded
from upstreamsync.project.session import Session
from upstreamsync.project.update.regenerate import Prepared, prepare
from upstreamsync.releases import effective_releases, fetch_releases


def adopt(session: Session, names: Sequence[str], *, version: str | None) -> tuple[Adoption, ...]:
    """What adopting the vendors would write; nothing is written yet. One that fails is a value of its own.

    A name may also be the file of a fork. Without names: the vendors whose base is not what its lock says, or
    has none. ``version`` needs one name. Raises UsageError for an unknown vendor.
    """
    forks = [name for name in names if find_fork(session, name) is not None]
    vendors = [name for name in names if name not in forks]
    for name in vendors:
        refuse_folder(session, name)
    chosen = session.selected(vendors) if vendors or not names else ()
    if version is not None and len(names) != 1:
        raise UsageError(
            "--version needs exactly one vendor", hint="upstreamsync adopt VENDOR --version VERSION"
        )
    if not names:
        chosen = [vendor for vendor in chosen if _is_open(session, vendor)]
    made: list[Adoption] = []
    for vendor in chosen:
        adoption = _apart(_guarded(session, vendor, version), made, session.configuration.path.name)
        made.append(adoption)
        session = _after(session, adoption)
    for path in forks:
        adoption = _apart(_fork(session, path, version), made, session.configuration.path.name)
        made.append(adoption)
        session = _after(session, adoption)
    return tuple(made)


def _fork(session: Session, path: str, version: str | None) -> Adoption:
    found = find_fork(session, path)
    assert found is not None  # noqa: S101 (the caller has looked)
    vendor, fork = found
    entry = guarded(lambda: fork_entry(session, vendor, fork))
    if isinstance(entry, Failure):
        return Adoption(vendor=vendor.name, base=path, version=vendor.version or "", error=entry)
    there, name, copy = entry
    return _with_entry(there, _guarded(there, there.configuration.vendor(name), version, copy))


def _apart(adoption: Adoption, before: Sequence[Adoption], config: str) -> Adoption:
    """The adoption, unless it changes a file that one before it changes: then its turn comes later."""
    files = adoption.change.files.keys() - {config} if adoption.change is not None else frozenset()
    others = {path for one in before if one.change is not None for path in one.change.files}
    if files.isdisjoint(others):
        return adoption
    shared = ", ".join(sorted(files & others)[:3])
    failure = Failure(
        kind="edited",
        message=f"it changes {shared}, as the adoption of another vendor does",
        hint=f"run `upstreamsync adopt {adoption.vendor}` again once that is written",
    )
    return replace(adoption, change=None, error=failure)


def _after(session: Session, adoption: Adoption) -> Session:
    """The session with vendors.yaml as the adoption leaves it: the next one is written upon that."""
    name = session.configuration.path.name
    text = adoption.change.base_files.get(name) if adoption.change is not None else None
    return session.with_text(text.decode()) if text is not None else session


def adopt_folder(session: Session, folder: str, origin: str, *, version: str | None) -> Adoption:
    """As ``adopt``, of a folder that no vendor declares: its entry is written, too.

    Raises UsageError for an origin that can't be understood, or a folder that is a vendor's already.
    """
    folder = folder.strip("/").removeprefix("./")
    for vendor in session.configuration.vendors:
        if folder in vendor.bases:
            raise UsageError(
                f"`{folder}` is the base of `{vendor.name}`", hint=f"upstreamsync adopt {vendor.name}"
            )
    with_entry, name = declared(session, folder, origin)
    return _with_entry(with_entry, _guarded(with_entry, with_entry.configuration.vendor(name), version))


def _with_entry(session: Session, made: Adoption) -> Adoption:
    """An adoption of which the entry in vendors.yaml is new, too."""
    if made.change is None:
        return made
    file = session.configuration.path.name
    text = made.change.base_files.get(file) or session.configuration.text.encode()
    return replace(made, change=replace(made.change, base_files={**made.change.base_files, file: text}))


def _is_open(session: Session, vendor: Vendor) -> bool:
    states = guarded(lambda: session.base_states(vendor))
    if isinstance(states, Failure):
        return False
    return any(state.condition.value in ("edited", "unlocked") for state in states)


def _guarded(session: Session, vendor: Vendor, version: str | None, copy: Copy | None = None) -> Adoption:
    made = guarded(lambda: adopt_vendor(session, vendor, version=version, copy=copy))
    if isinstance(made, Failure):
        base = vendor.bases[0] if vendor.bases else ""
        return Adoption(vendor=vendor.name, base=base, version=vendor.version or "", error=made)
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What one adoption works with.

    ``by_file`` when others name single files of the copy. ``values`` are those of its chart that say edits.
    """

    session: Session
    vendor: Vendor
    copy: Copy
    kustomize: Kustomize
    story: Story
    by_file: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def view(self) -> View:
        return self.session.view

    def build(self, files: Mapping[str, bytes]) -> list[Manifest]:
        return list(build_files(files, self.kustomize))


def adopt_vendor(
    session: Session, vendor: Vendor, *, version: str | None, copy: Copy | None = None
) -> Adoption:
    """Adopt one vendor's base, or a copy that is to become it.

    Raises HandEdited where somebody has to say more, UpstreamsyncError otherwise.
    """
    if not vendor.bases:
        raise UsageError(
            f"`{vendor.name}` has no base", hint="there is nothing of it in the repository to adopt"
        )
    if len(vendor.bases) != 1:
        raise HandEdited(
            f"`{vendor.name}` has {len(vendor.bases)} bases; one at a time can be adopted",
            hint="declare a vendor for each base",
        )
    lock = session.lock(vendor)
    if lock is not None and lock.version == vendor.version and not changed_files(lock, session.read):
        return Adoption(
            vendor=vendor.name, base=vendor.bases[0], version=lock.version, why="it is as it was vendored"
        )
    listed = None
    if copy is None:
        copy = read_copy(vendor.bases[0], session.view)
        listed = listed_by_file(session.view, copy)
        copy = listed if listed is not None else copy
    work = _Work(
        session=session,
        vendor=vendor,
        copy=copy,
        kustomize=session.tools.engines.kustomize(),
        story=read_story(session.root, copy),
        by_file=listed is not None,
    )
    contents = _Contents(work)
    before = objects_of(copy.folder, copy.files, work.kustomize)
    ranking, release = _origin(
        work, contents, before, version or (lock.version if lock is not None else None)
    )
    return _adopted(work, contents.prepared(release), release, ranking, before)


class _Contents:
    """What versions ship, each fetched once."""

    def __init__(self, work: _Work) -> None:
        self._work = work
        self._prepared: dict[str, Prepared] = {}

    def prepared(self, release: Release) -> Prepared:
        """Everything of a version. Raises UpstreamsyncError."""
        if release.version not in self._prepared:
            session, vendor = self._work.session, self._work.vendor
            declared = _is_declared(session, vendor)
            place = partial(session.configuration.place, vendor.name) if declared else nowhere
            self._prepared[release.version] = prepare(
                vendor, release, session.tools, images=(), view=session.view, at=place
            )
        return self._prepared[release.version]

    def __call__(self, release: Release) -> Sequence[Manifest]:
        return base_objects(self.prepared(release).bases, self._work.kustomize)


def _is_declared(session: Session, vendor: Vendor) -> bool:
    return vendor.name in [one.name for one in session.configuration.vendors]


def _origin(
    work: _Work, contents: _Contents, objects: Sequence[Manifest], version: str | None
) -> tuple[Ranking | None, Release]:
    """The version that the copy comes from: that which is named, or the one that is found."""
    tools = replace(work.session.tools, allow_http=work.vendor.allow_http)
    releases = fetch_releases(effective_releases(work.vendor), tools)
    if version is not None:
        bare = version.removeprefix("v")
        named = [one for one in releases if one.version == version] or [
            one for one in releases if one.version.removeprefix("v") == bare
        ]
        if named:
            return None, named[0]
        raise HandEdited(
            f"`{work.vendor.name}` has no version `{version}` on offer",
            hint=f"`upstreamsync explain {work.vendor.name}` lists them",
        )
    ranking, by_version = find_version(
        releases,
        Search(
            objects=objects,
            earlier=work.story.earlier,
            declared=work.vendor.version,
            changed=work.story.changed,
            content=contents,
            jobs=work.session.settings.engine_jobs,
        ),
    )
    if not ranking.sure:
        shown = ", ".join(f"{one.version} ({one.distance.differing})" for one in ranking.candidates[:5])
        raise HandEdited(
            f"the version that `{work.copy.folder}` was made from is not clear: {ranking.why}; "
            f"differing values: {shown}",
            hint=f"say which: upstreamsync adopt {work.vendor.name} --version {ranking.best.version}",
        )
    return ranking, by_version[ranking.best.version]


def _adopted(
    work: _Work, prepared: Prepared, release: Release, ranking: Ranking | None, before: Sequence[Manifest]
) -> Adoption:
    copy = work.copy
    brought = any(
        file.path in NAMES and not is_ours(file.data) for base in prepared.bases for file in base.files
    )
    whole = copy.kustomization is None or copy.only_lists or brought
    local = before if whole else _listed(copy)
    if not whole:
        local = _without_own_files(base_objects(prepared.bases, work.kustomize), local, copy)
    elif work.by_file:
        before = local = _beside_own_files(base_objects(prepared.bases, work.kustomize), before, copy)
    valued = with_chart_values(work.session, prepared, release, local, work.kustomize)
    work, prepared = replace(work, vendor=valued.vendor, values=valued.values), valued.prepared
    theirs = base_objects(prepared.bases, work.kustomize)
    found = customize(theirs, local, work.build)
    # A kustomization with comments of the team's own stays theirs: the base goes below it.
    empty = found.empty and _same_names(copy, prepared) and not _listing_comments(copy, prepared)
    places = choose_places(copy, upstream_kustomization=brought, empty=empty)
    files, told = _files(work, prepared, release, found, places, match(theirs, local).pairs)
    proof = prove(work.session, work.kustomize, copy, places, files, before)
    notes = [f"not compared with {one}" for one in (ranking.skipped if ranking is not None else ())]
    notes += [*told, *(f"left as upstream has it: {one}" for one in found.reordered + proof.reordered)]
    return Adoption(
        vendor=work.vendor.name,
        base=places.base,
        version=release.version,
        why=ranking.why if ranking is not None else "it was named",
        candidates=_runners_up(ranking),
        customizations=(*_said_values(work.values), *_said(found)),
        notes=tuple(dict.fromkeys(notes)),
        proven=proof.folders,
        change=Change(
            vendor=work.vendor.name,
            before=work.vendor.version or "",
            after=release.version,
            release=release,
            base_files=dict(sorted(files.items())),
            bases=(places.base,),
        ),
    )


def _runners_up(ranking: Ranking | None) -> tuple[RunnerUp, ...]:
    if ranking is None:
        return ()
    return tuple(
        RunnerUp(version=one.version, differing=one.distance.differing, shared=one.distance.shared)
        for one in ranking.candidates[:5]
    )


def _listed(copy: Copy) -> list[Manifest]:
    """The objects of the files that the copy's own kustomization lists."""
    listed = {f"{copy.folder}/{str(one).removeprefix('./')}" for one in copy.fields.get("resources") or ()}
    return [part.manifest for part in copy.parts if part.file in listed]


def _without_own_files(theirs: Sequence[Manifest], local: Sequence[Manifest], copy: Copy) -> list[Manifest]:
    """Without the objects of files that hold nothing of upstream's: they stay what they are."""
    ours = {object_id(pair.local) for pair in match(theirs, local).pairs}
    files = {part.file for part in copy.parts if object_id(part.manifest) in ours}
    return [part.manifest for part in copy.parts if part.file in files and part.manifest in local]


def _beside_own_files(theirs: Sequence[Manifest], built: Sequence[Manifest], copy: Copy) -> list[Manifest]:
    """What the copy builds without the files that hold nothing of upstream's: whoever wants those names them."""
    ours = [copy.part_of(pair.local) for pair in match(theirs, built).pairs]
    files = {part.file for part in ours if part is not None}
    return [one for one in built if (part := copy.part_of(one)) is None or part.file in files]


def _beside(copy: Copy, gone: Sequence[str], prepared: Prepared) -> list[str]:
    """The comments of files that go which stand in documents of their own, and are not upstream's."""
    theirs = b"\n".join(file.data for base in prepared.bases for file in base.files).decode(
        "utf-8", "replace"
    )
    texts = [text_beside(path, copy.files[path]) for path in gone if path != copy.kustomization]
    return [str(one) for text in texts if text for one in new_comments(text, theirs)]


def _listing_comments(copy: Copy, prepared: Prepared) -> list[str]:
    """The comments of the copy's kustomization that upstream's has not got, or ours where that was edited."""
    named = next((path for name in NAMES if (path := f"{copy.folder}/{name}") in copy.files), None)
    if named is None:
        return []
    data = copy.files[named]
    data = data.partition(b"\n")[2] if is_ours(data) else data  # its first line says that it is
    theirs = (file.data for base in prepared.bases for file in base.files if file.path in NAMES)
    texts = [one.decode("utf-8", "replace") for one in (data, *theirs)]
    return [str(one) for one in new_comments(texts[0], "\n".join(texts[1:]))]


def _same_names(copy: Copy, prepared: Prepared) -> bool:
    """Whether upstream's files have the names that the copy's have."""
    theirs = {f"{copy.folder}/{file.path}" for base in prepared.bases for file in base.files}
    return {part.file for part in copy.parts} <= theirs


def _files(
    work: _Work,
    prepared: Prepared,
    release: Release,
    found: Customizations,
    places: Places,
    pairs: Sequence[Pair],
) -> tuple[dict[str, bytes | None], tuple[str, ...]]:
    """Everything that has to be written, and what is to be told."""
    copy, session = work.copy, work.session
    files: dict[str, bytes | None] = {}
    matched = [pair.local for pair in pairs]
    told: tuple[str, ...] = ()
    upstream = texts_of(prepared.bases)
    gone = files_gone(copy, matched, places)
    comments = work.story.other_comments(pairs, found.patches, upstream) + _beside(copy, gone, prepared)
    if places.level:
        if found.replaced:
            matched += list(found.replaced)
        files.update(dict.fromkeys(gone))
        remarks = partial(work.story.remarks, upstream=upstream)
        listing = _listing_comments(copy, prepared) if places.whole else []
        head = [*work.story.head(release.version), *listing, *comments]
        files.update(level_files(places, found, copy, remarks, head))
        edited, told = redirect(session.view, copy, gone, places)
        files.update(edited)
    elif comments and work.story.changed is None and not work.values:
        raise HandEdited(
            f"nothing but comments of `{copy.folder}` is your own, and they are not committed: {comments[0]}",
            hint="commit them first, or move them to a kustomization above: the base becomes upstream's own",
        )
    moved = with_base(work.vendor, places.base, release.version)
    view = session.view.with_changes(Change(vendor="", before="", after="", base_files=files))
    artifacts = [artifact for _, artifact in prepared.parts]
    bases = make_bases(moved, list(zip(moved.vendored, artifacts, strict=True)), release)
    content = laid_out(moved, bases, None, view)
    files.update({path: file.data for path, file in content.items()})
    old = work.vendor.lock_path
    if old is not None and old != moved.lock_path and session.read(old) is not None:
        files[old] = None
    if moved.lock_path is not None:
        lock = make_lock(moved, release, list(content.items()), artifacts, prepared.watched)
        files[moved.lock_path] = render(lock)
    files.update(configured(session, moved, [] if places.level else comments))
    return {path: data for path, data in files.items() if session.read(path) != data}, told


def _said_values(values: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"chart value {key}: {show(value)}" for key, value in values.items())


def _said(found: Customizations) -> tuple[str, ...]:
    """Each customization in a line."""
    lines = [f"{key}: {show(value)}" for key, value in found.settings.fields().items()]
    for patch in found.patches:
        name = object_id(patch.upstream).short
        if patch.local is None:
            lines.append(f"deletes {name}")
        else:
            form = "JSON 6902" if patch.is_json else "strategic merge"
            lines.append(f"patches {name} ({form}): {', '.join(map(str, patch.operations[:4]))}")
    lines += [f"own object {object_id(one).short}" for one in (*found.own, *found.replaced)]
    return tuple(lines)
