"""Change, or revision, → Verification: lays out both trees and asks the judge."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit import globs
from upstreamsync.kit.git.repository import Repository
from upstreamsync.kit.run.threads import ahead
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import Cluster, Verification
from upstreamsync.project.settings import Settings, build_store, engines
from upstreamsync.project.verify.base_revision import Since, base_revision
from upstreamsync.project.verify.judging import judging
from upstreamsync.project.verify.known import known_tree, listing
from upstreamsync.project.verify.laying import laid
from upstreamsync.project.verify.trees import tree_of_revision, tree_with

if TYPE_CHECKING:
    from upstreamsync.config import Vendor
    from upstreamsync.kit.run.engines import Engines, Kustomize
    from upstreamsync.model import BaseState, Change
    from upstreamsync.project.session import Session
    from upstreamsync.project.verify.inspect import Look


def verify_change(
    session: Session,
    files: Mapping[str, bytes | None],
    changes: Sequence[Change],
    *,
    overlays: Sequence[str],
    look: Look | None = None,
) -> Verification:
    """Judge the working tree against itself with ``files`` written over it.

    A base that was not there before is new, and what stands on it did nothing before: both sides have it.
    ``look`` is shown both trees, here as in the other functions, once they are judged.
    """
    if not overlays and look is None and not _has_overlays(session, files):
        return Verification(engine=str(session.tools.engines.kustomize()))
    concerned = [session.configuration.vendor(change.vendor) for change in changes]
    first = {
        path: data
        for change in changes
        if change.first
        for path, data in change.base_files.items()
        if any(path.startswith(f"{base}/") for base in change.bases)
    }
    with ExitStack() as stack:
        after = stack.enter_context(tree_with(session.root, files))
        before = stack.enter_context(tree_with(session.root, first)) if first else session.root
        verification = _judge(session, before, after, concerned, overlays, bases=(), changes=changes)
        return _looked_at(verification, before, after, look)


def _has_overlays(session: Session, files: Mapping[str, bytes | None]) -> bool:
    """Whether anything is built of the working tree, as it is or with ``files``: by kustomize, or by a controller."""
    from upstreamsync.base.kustomization import is_kustomization
    from upstreamsync.references.units.interest import is_of_interest, is_yaml

    paths = sorted({*session.view.listing(""), *files})
    if any(map(is_kustomization, paths)):
        return True
    return any(
        data is not None and is_of_interest(path, data)
        for path in filter(is_yaml, paths)
        for data in (_data(session.root / path), files.get(path))
    )


def _data(path: Path) -> bytes | None:
    """The content of a file, None where there is none."""
    return path.read_bytes() if path.is_file() else None


def verify_working_tree(
    session: Session, *, since: str, overlays: Sequence[str], look: Look | None = None
) -> Verification:
    """Judge the revision ``since`` against the working tree; each base against its lock."""
    bases = [state for vendor in session.configuration.vendors for state in session.base_states(vendor)]
    bases += session.orphans()
    repository = Repository.open(session.root)
    listed = listing(repository, session.root)
    commit = base_revision(repository, since, session.settings)
    folder = session.root.resolve().relative_to(repository.root.resolve()).as_posix()
    vendors = session.configuration.vendors
    with ExitStack() as stack:
        before = stack.enter_context(tree_of_revision(repository, commit, session.root))
        locked = {path: digest for vendor in vendors for path, digest in _locked(session, vendor)}
        after = stack.enter_context(known_tree(repository, commit, session.root, listed, locked))
        _add_new_bases(before, after, vendors)
        compared = Since(repository=repository, commit=commit, folder=folder)
        verification = _judge(session, before, after, vendors, overlays, bases=bases, revisions=compared)
        verification = _with_server(
            verification,
            before,
            after,
            session.settings,
            session.tools.engines,
            session.configuration.cluster,
        )
        return _looked_at(verification, before, after, look)


def _locked(session: Session, vendor: Vendor) -> Iterator[tuple[str, str]]:
    """The files of a vendor's lock, with their digests."""
    lock = session.lock(vendor)
    yield from lock.files.items() if lock is not None else ()


def verify_branches(there: Session, before: Path) -> Verification:
    """Judge the tree of ``there`` against the folder ``before``; both are laid out for this, and are no checkout.

    As ``verify_working_tree``: each base against its lock, too, and bases that are new are in both.
    """
    vendors = there.configuration.vendors
    bases = [state for vendor in vendors for state in there.base_states(vendor)]
    bases += there.orphans()
    _add_new_bases(before, there.root, vendors)
    return _judge(there, before, there.root, vendors, (), bases=bases, deduce=True)


def _add_new_bases(before: Path, root: Path, vendors: Sequence[Vendor]) -> None:
    """Lay the bases that are new since the revision into its tree: nothing stood on them, nothing was lost."""
    for base in (base for vendor in vendors for base in vendor.bases):
        if not (before / base).exists() and (root / base).is_dir():
            shutil.copytree(root / base, before / base, symlinks=True)


def verify_revision_without_configuration(
    folder: Path,
    settings: Settings,
    *,
    since: str,
    overlays: Callable[[Path], Sequence[str]],
    look: Look | None = None,
) -> tuple[Verification, Path]:
    """Judge a git repository that has no vendors.yaml: what changed since the revision is upstream's.

    ``overlays`` gives those that are meant, for the root of the repository; none: what stands on what changed.
    Returns the verification and the folder that its paths are relative to.
    """
    kustomize = _kustomize(settings)
    repository = Repository.open(folder)
    listed, chosen = listing(repository, repository.root), overlays(repository.root)
    commit = base_revision(repository, since, settings)
    with ExitStack() as stack:
        before = stack.enter_context(tree_of_revision(repository, commit, repository.root))
        after = stack.enter_context(known_tree(repository, commit, repository.root, listed))
        verification = verify_folders(
            before,
            after,
            chosen,
            settings=settings,
            kustomize=kustomize,
            revisions=Since(repository=repository, commit=commit),
            look=look,
        )
    return verification, repository.root


def verify_folders(
    before: Path,
    after: Path,
    overlays: Sequence[str],
    *,
    settings: Settings,
    kustomize: Callable[[], Kustomize] | None = None,
    revisions: Since | None = None,
    look: Look | None = None,
) -> Verification:
    """Judge two plain folders; all overlays that stand on what differs, where none is named.

    ``revisions``: the one before is this revision of that repository.
    """
    found = kustomize or _kustomize(settings)
    from upstreamsync.verify import verify_trees  # loaded while kustomize says which one it is

    with laid(before, after, settings, overlays=overlays, revisions=revisions) as trees:
        verification = verify_trees(
            trees.before,
            trees.after,
            trees.overlays,
            kustomize=found(),
            upstream=trees.upstream,
            jobs=settings.engine_jobs,
            cache=build_store(settings.cache()),
            helm=engines(settings).helm,
            # Whoever names an overlay of two folders wants to know of it, also where nothing differs.
            options=replace(
                judging(settings, root=after),
                as_it_is=bool(overlays) and revisions is None,
                builds_unchanged=bool(overlays),
                elsewhere=not overlays,
            ),
        )
        verification = trees.told(verification)
    verification = _with_server(
        verification, before, after, settings, engines(settings, cache=settings.cache()), Cluster()
    )
    return _looked_at(verification, before, after, look)


def _looked_at(verification: Verification, before: Path, after: Path, look: Look | None) -> Verification:
    if look is not None:
        look(before, after, verification)
    return verification


def _with_server(
    verification: Verification,
    before: Path,
    after: Path,
    settings: Settings,
    found: Engines,
    cluster: Cluster,
) -> Verification:
    """With what the API server says, where one is to be asked."""
    if settings.server is None:
        return verification
    from upstreamsync.project.server.verifying import with_server

    return with_server(verification, before, after, settings=settings, engines=found, cluster=cluster)


def _kustomize(settings: Settings) -> Callable[[], Kustomize]:
    return ahead(engines(settings, cache=settings.cache()).kustomize)


def _judge(
    session: Session,
    before: Path,
    after: Path,
    vendors: Sequence[Vendor],
    overlays: Sequence[str],
    *,
    bases: Sequence[BaseState],
    changes: Sequence[Change] = (),
    revisions: Since | None = None,
    deduce: bool = False,
) -> Verification:
    kustomize = ahead(session.tools.engines.kustomize)
    from upstreamsync.base.edits import without_followed
    from upstreamsync.verify import verify_trees

    upstream = upstream_paths(session, vendors, changes)
    declared = () if overlays else _declared_overlays(after, vendors, upstream)
    with laid(
        before,
        after,
        session.settings,
        overlays=overlays,
        always=declared,
        upstream=upstream,
        deduce=deduce or revisions is not None,
        hosts=_allowed(session, before),
        revisions=revisions,
    ) as trees:
        verification = verify_trees(
            trees.before,
            trees.after,
            trees.overlays,
            kustomize=kustomize(),
            upstream=trees.upstream,
            jobs=session.settings.engine_jobs,
            cache=build_store(session.tools.cache),
            followed=without_followed(vendors),
            cluster=session.configuration.cluster,
            helm=session.tools.engines.helm,
            options=replace(
                judging(session.settings, session.configuration.kustomize, root=after),
                builds_unchanged=bool(overlays),
                elsewhere=not overlays,
            ),
        )
        verification = trees.told(verification)
    return Verification(bases=tuple(bases), overlays=verification.overlays, engine=verification.engine)


def _allowed(session: Session, before: Path) -> tuple[str, ...]:
    """The ``allow_hosts`` of vendors.yaml as it was before: what a change adds to them is a stranger's wish."""
    try:
        data = manifests.load((before / session.configuration.path.name).read_bytes())
    except (OSError, UpstreamsyncError):
        return ()
    listed = data.get("allow_hosts") if isinstance(data, dict) else None
    return (
        tuple(one for one in listed if isinstance(one, str) and one in session.configuration.allow_hosts)
        if isinstance(listed, list)
        else ()
    )


def upstream_paths(
    session: Session, vendors: Sequence[Vendor], changes: Sequence[Change] = ()
) -> tuple[str, ...]:
    """What of the repository is upstream's: the folder of a base, or its files where it is shared.

    Before there is a lock, what ``changes`` write, or take away, is upstream's; what neither the old version
    nor the new one has is local.
    """
    found: dict[str, None] = {}
    for vendor in vendors:
        lock = session.lock(vendor)
        known = set(lock.files) if lock is not None else set()
        known |= {path for change in changes if change.vendor == vendor.name for path in change.base_files}
        for base in vendor.bases:
            ours = {path for path in known if path.startswith(f"{base}/")}
            local = [path for path in session.view.listing(base) if path not in ours]
            shared = bool(ours) and bool(local)
            if shared or lock is not None or changes or not _has_customizations(session.root / base):
                found.update(dict.fromkeys(sorted(ours) if shared else [base]))
    return tuple(found)


def _has_customizations(folder: Path) -> bool:
    """Whether a base of which no lock says what is upstream's holds a kustomization that does something."""
    from upstreamsync.verify.overlays.items import Kind, enumerate_items
    from upstreamsync.verify.overlays.tree import Tree

    return any(item.kind is not Kind.RESOURCE for item in enumerate_items(Tree(folder), ".", ()))


def _declared_overlays(tree: Path, vendors: Sequence[Vendor], upstream: Collection[str]) -> tuple[str, ...]:
    """The overlays that vendors.yaml names; for vendors that name none, every one that is reached."""
    from upstreamsync.verify import find_overlays

    found: dict[str, None] = {}
    reaching: tuple[str, ...] | None = None
    kustomizations: tuple[str, ...] | None = None
    for vendor in vendors:
        if vendor.overlays is not None:
            kustomizations = _kustomizations(tree) if kustomizations is None else kustomizations
            for pattern in vendor.overlays:
                found.update(dict.fromkeys(_matching(tree, pattern, kustomizations)))
        elif vendor.bases:
            reaching = find_overlays(tree, upstream) if reaching is None else reaching
            found.update(dict.fromkeys(reaching))
    return tuple(sorted(found))


def _kustomizations(tree: Path) -> tuple[str, ...]:
    from upstreamsync.verify.overlays.tree import Tree

    return Tree(tree).folders()


def _matching(tree: Path, pattern: str, kustomizations: Sequence[str]) -> Iterator[str]:
    """The folders with a kustomization that a glob means; a plain path may lead through a link."""
    wanted = globs.pattern(f"{pattern}/-", below=False)
    yield from (
        folder for folder in kustomizations if wanted.fullmatch("-" if folder == "." else f"{folder}/-")
    )
    if globs.is_plain(pattern):
        from upstreamsync.verify.overlays.tree import Tree, normalize

        folder = normalize(pattern)
        if folder not in kustomizations and Tree(tree).kustomization_file(folder) is not None:
            yield folder
