"""One vendor's copy → a pristine base, patches above it, and the proof that both build the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

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
from upstreamsync.lock import render
from upstreamsync.model import Adoption, Change, Release, RunnerUp
from upstreamsync.project.adopt.beside import (
    comments_beside,
    listed_objects,
    listing_comments,
    same_names,
    without_own_files,
)
from upstreamsync.project.adopt.chart_values import with_chart_values
from upstreamsync.project.adopt.copy import (
    Copy,
    base_objects,
    build_files,
    objects_of,
    read_copy,
    texts_of,
)
from upstreamsync.project.adopt.declare import configured, with_base
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
from upstreamsync.project.session import Session
from upstreamsync.project.update.regenerate import Prepared, prepare
from upstreamsync.releases import effective_releases, fetch_releases


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
    if lock is not None and lock.version == vendor.version and not session.edited_files(lock):
        return Adoption(
            vendor=vendor.name, base=vendor.bases[0], version=lock.version, why="it is as it was vendored"
        )
    listed = None
    if copy is None:
        copy = read_copy(vendor.bases[0], session.view)
        listed = listed_by_file(session.view, copy)
        copy = listed if listed is not None else copy
    kustomize = session.tools.engines.kustomize()
    work = _Work(
        session=session,
        vendor=vendor,
        copy=copy,
        kustomize=kustomize,
        story=read_story(session.root, copy, kustomize),
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
    local = before if whole else listed_objects(copy, work.kustomize)
    if not whole or work.by_file:
        local = without_own_files(base_objects(prepared.bases, work.kustomize), local, copy)
    if whole:
        before = local
    valued = with_chart_values(work.session, prepared, release, local, work.kustomize)
    work, prepared = replace(work, vendor=valued.vendor, values=valued.values), valued.prepared
    theirs = base_objects(prepared.bases, work.kustomize)
    found = customize(theirs, local, work.build)
    # A kustomization with comments of the team's own stays theirs: the base goes below it.
    empty = found.empty and same_names(copy, prepared) and not listing_comments(copy, prepared)
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
    comments = work.story.other_comments(pairs, found.patches, upstream) + comments_beside(
        copy, gone, prepared
    )
    if places.level:
        if found.replaced:
            matched += list(found.replaced)
        files.update(dict.fromkeys(gone))
        remarks = partial(work.story.remarks, upstream=upstream)
        listing = listing_comments(copy, prepared) if places.whole else []
        head = [*work.story.head(release.version), *listing, *comments]
        files.update(level_files(places, found, copy, remarks, head, work.kustomize))
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
