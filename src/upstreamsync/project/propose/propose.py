"""Changes → pull requests: each vendor (or group) judged and reviewed by itself, then handed to a forge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from upstreamsync.errors import RepositoryError, ToolMissing, UpstreamError, UpstreamsyncError
from upstreamsync.forge import (
    Forge,
    build_proposal,
    group_changes,
    post_webhook,
    reader,
    submit,
    webhook_message,
    write_notices,
)
from upstreamsync.forge.rules.dashboard import NONE, Wishes
from upstreamsync.forge.submit import config_path
from upstreamsync.forge.text.diff import merge
from upstreamsync.kit.git.repository import Repository
from upstreamsync.kit.store.first_sights import FirstSights
from upstreamsync.model import (
    EMPTY,
    Change,
    Failure,
    Finding,
    Inspection,
    Proposal,
    PullRequest,
    VendorUpdate,
    Verification,
)
from upstreamsync.project.committed import Committed
from upstreamsync.project.failures import guarded
from upstreamsync.project.forges import forge_of
from upstreamsync.project.propose import board
from upstreamsync.project.propose.memory import keep, recall
from upstreamsync.project.propose.reviewing import inspect_change, review_change
from upstreamsync.project.session import Session, open_session
from upstreamsync.project.update.update import update
from upstreamsync.project.verify.fixes import fixed_files

if TYPE_CHECKING:
    from upstreamsync.project.changes import Changes


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeOptions:
    """How pull requests are made.

    ``forge`` is ``github``, ``local``, the name of a forge that the project was opened with, or a forge
    itself; None: as ``forge.kind`` of vendors.yaml says, else ``github``.
    ``dry_run`` computes everything and leaves no trace. ``notices`` keeps one issue per vendor that fails.
    ``suggest_fixes`` adds the judge's mechanical corrections as a commit of their own. ``discard_edits`` lets
    bases that were edited by hand be replaced; without it their vendors fail. ``inspected`` is told what each
    proposal was judged by, for a page; ``page`` is the address at which people will find it.
    """

    forge: str | Forge | None = None
    dry_run: bool = False
    notices: bool = False
    suggest_fixes: bool = False
    discard_edits: bool = False
    inspected: Callable[[Inspection], None] | None = None
    page: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What became of a run: the pull requests, vendors that failed, and what the user should be told.

    ``reports`` has the full text of each proposal, by branch, where the body had to be shortened; ``findings``
    are what was found of the vendors.
    """

    pull_requests: tuple[PullRequest, ...] = ()
    failures: Mapping[str, Failure] | None = None
    remarks: tuple[str, ...] = ()
    reports: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    findings: tuple[Finding, ...] = ()


def propose(
    session: Session, changes: Changes, report: Verification | None, options: ProposeOptions | None
) -> tuple[PullRequest, ...]:
    """Propose ``changes``, which were computed in the working tree of ``project``.

    Raises RepositoryError when a file that they change differs from the branch that they would go to:
    then the working tree is not what a pull request would be made from.
    """
    options = options or ProposeOptions()
    repository = Repository.open(session.root)
    forge = forge_of(session, repository, options.forge)
    base = forge.base(None)
    _check_same(session, repository, base.commit, changes)
    groups = group_changes(changes.changes, session.configuration)
    # A report on several proposals at once does not say what each of them does alone.
    report = report if len(groups) == 1 else None
    proposals = [
        _proposal(session, session, repository, base.commit, key, members, options, report)
        for key, members in groups
    ]
    return _submit(session, repository, forge, proposals, changes.updates, options).pull_requests


def propose_from_branch(
    session: Session,
    vendors: Sequence[str],
    options: ProposeOptions,
    *,
    progress: Callable[[str], None] | None = None,
) -> Proposed:
    """The whole job of ``pr``: check, update, judge and propose from the tip of the base branch.

    The user's checkout is not looked at and not touched: the branch's files are laid out in a folder of
    their own. Vendors that go to another branch (``pull_request.base``) are worked on from that one.
    """
    repository = Repository.open(session.root)
    forge = forge_of(session, repository, options.forge)
    proposals: list[Proposal] = []
    updates: list[VendorUpdate] = []
    unjudged: dict[str, Failure] = {}
    sights = recall(forge, repository)
    config = config_path(session.configuration, repository)
    seen = board.look(forge, session.configuration, config)
    for branch, names in _by_base(session, vendors):
        try:
            base = forge.base(branch)
        except UpstreamsyncError as error:
            if branch is None:
                raise
            unjudged |= dict.fromkeys(names, _no_base(branch, error))
            continue
        with _laid_out(session, repository, base.commit, sights) as there:
            there.configuration = board.with_ignored(there.configuration, seen.wishes)
            made_of, changes = _updated(there, names, options, seen.wishes.take, progress)
            updates += made_of
            for some in (*changes, *([step] for step in _major_steps(there, made_of, options))):
                made, failed = _proposals(session, there, repository, base.commit, some, options)
                proposals += made
                unjudged |= failed
    done = _submit(session, repository, forge, proposals, updates, options, unjudged, seen.wishes)
    kept = () if options.dry_run else keep(sights, forge, repository, session.configuration)
    if not (options.dry_run or vendors):  # a run for some vendors does not know the state of the others
        kept = (*kept, *_keep_board(forge, seen, config, session, updates, proposals, done))
    return replace(done, remarks=(*seen.remarks, *done.remarks, *kept))


def _keep_board(
    forge: Forge,
    seen: board.Look,
    config: str,
    session: Session,
    updates: Sequence[VendorUpdate],
    proposals: Sequence[Proposal],
    done: Proposed,
) -> tuple[str, ...]:
    order = {vendor.name: number for number, vendor in enumerate(session.configuration.vendors)}
    return board.keep(
        forge,
        seen,
        config,
        updates=sorted(updates, key=lambda one: order.get(one.vendor, 0)),
        proposals=proposals,
        pull_requests=done.pull_requests,
        failures=done.failures or {},
        schemes={
            vendor.name: vendor.releases.scheme
            for vendor in session.configuration.vendors
            if vendor.releases is not None
        },
    )


def _updated(
    there: Session,
    names: Sequence[str],
    options: ProposeOptions,
    take: Mapping[str, str],
    progress: Callable[[str], None] | None,
) -> tuple[list[VendorUpdate], list[Sequence[Change]]]:
    """What becomes of each vendor, and the changes: all together, and apart those that people asked to take."""
    updates: dict[str, VendorUpdate] = {}
    changes: list[Sequence[Change]] = []
    take = board.takable(there, {name: take[name] for name in names if name in take})
    asked = [name for name in names if name in take]
    for some in ([name for name in names if name not in take], *([name] for name in asked)):
        if not some:
            continue
        made = update(
            there,
            some,
            to=take.get(some[0]),
            locked=False,
            discard_edits=options.discard_edits,
            progress=progress,
        )
        updates |= {one.vendor: one for one in made.updates}
        changes.append(made.changes)
    return [updates[name] for name in names], changes


def _by_base(session: Session, vendors: Sequence[str]) -> list[tuple[str | None, list[str]]]:
    """The vendors by the branch that their pull requests go to; None is the default one."""
    found: dict[str | None, list[str]] = {}
    for name in vendors:
        session.configuration.vendor(name)
    for vendor in session.configuration.vendors:
        if not vendors or vendor.name in vendors:
            found.setdefault(vendor.pull_request.base, []).append(vendor.name)
    return list(found.items())


def _no_base(branch: str, error: UpstreamsyncError) -> Failure:
    """A vendor whose branch is not there stops no other."""
    return Failure(
        kind=error.kind,
        message=f"the branch `{branch}`, which its pull request is to go to, can't be read: {error.message}",
        hint="create the branch, or correct `pull_request.base` in vendors.yaml",
    )


def _major_steps(there: Session, updates: Sequence[VendorUpdate], options: ProposeOptions) -> list[Change]:
    """Major steps that are proposed apart from the smaller ones of the same vendors."""
    steps: list[Change] = []
    for one in updates:
        if one.finding is not None and one.finding.major is not None:
            version = one.finding.major.version
            steps += update(
                there,
                [one.vendor],
                to=version,
                locked=False,
                discard_edits=options.discard_edits,
                progress=None,
            ).changes
    return steps


@contextmanager
def _laid_out(
    session: Session, repository: Repository, commit: str, sights: FirstSights
) -> Iterator[Session]:
    """The project as it is at ``commit``, in a temporary folder."""
    prefix = _prefix(session, repository)
    with TemporaryDirectory(prefix="upstreamsync-pr-") as folder:
        repository.export(commit, Path(folder), [prefix.rstrip("/")] if prefix else None)
        root = Path(folder) / prefix
        file = root / session.configuration.path.name
        if not file.is_file():
            raise RepositoryError(
                f"the base branch has no {prefix}{file.name}", hint="commit and push it first"
            )
        with open_session(file, session.settings, session.kinds) as there:
            there.first_sights = sights
            there.committed = Committed(repository=repository, commit=commit, prefix=prefix)
            yield there


def _proposals(
    session: Session,
    there: Session,
    repository: Repository,
    base_commit: str,
    changes: Sequence[Change],
    options: ProposeOptions,
) -> tuple[list[Proposal], dict[str, Failure]]:
    """The proposals for some vendors, and those that can't be judged: they stop no others."""
    proposals: list[Proposal] = []
    failures: dict[str, Failure] = {}
    for key, members in group_changes(changes, there.configuration):
        made = guarded(
            partial(_proposal, session, there, repository, base_commit, key, members, options),
            but=(ToolMissing,),
        )
        if isinstance(made, Failure):
            failures.update(dict.fromkeys((change.vendor for change in members), made))
        else:
            proposals.append(made)
    return proposals, failures


def _proposal(
    session: Session,
    there: Session,
    repository: Repository,
    base_commit: str,
    key: str,
    changes: Sequence[Change],
    options: ProposeOptions,
    report: Verification | None = None,
) -> Proposal:
    """The proposal for a vendor or group, judged and reviewed by itself."""
    prefix = _prefix(session, repository)
    changes = [
        Committed(repository=repository, commit=base_commit, prefix=prefix).noted(one) for one in changes
    ]
    verification, review = review_change(there, changes, report)
    if options.inspected is not None:
        options.inspected(inspect_change(there, changes, verification, review, subject=key))
    fixes = _fixes(there, changes, verification, prefix) if options.suggest_fixes else {}
    moved = [_prefixed(change, prefix) for change in changes]
    made = build_proposal(
        moved,
        verification,
        review,
        configuration=there.configuration,
        base_commit=base_commit,
        read=reader(repository, base_commit, moved),
        key=key,
        fixes=fixes,
    )
    return replace(made, page=options.page)


def _submit(
    session: Session,
    repository: Repository,
    forge: Forge,
    proposals: Sequence[Proposal],
    updates: Sequence[VendorUpdate],
    options: ProposeOptions,
    unjudged: Mapping[str, Failure] = EMPTY,
    wishes: Wishes = NONE,
) -> Proposed:
    failures = {update.vendor: update.error for update in updates if update.error is not None}
    failures |= unjudged
    healthy = [update for update in updates if update.vendor not in failures]
    outcome = submit(
        proposals,
        forge=forge,
        repository=repository,
        configuration=session.configuration,
        settled={update.vendor: update.before for update in healthy},
        dry_run=options.dry_run,
        wishes=wishes,
    )
    if options.notices and not options.dry_run:
        write_notices(forge, failures=failures, healthy=[update.vendor for update in healthy])
    remarks = (*outcome.remarks, *_tell_webhook(session, outcome.pull_requests, options))
    return Proposed(
        pull_requests=outcome.pull_requests,
        failures=failures,
        remarks=remarks,
        reports={one.branch: one.report for one in proposals if one.report},
        findings=tuple(update.finding for update in updates if update.finding is not None),
    )


def _tell_webhook(
    session: Session, pull_requests: Sequence[PullRequest], options: ProposeOptions
) -> tuple[str, ...]:
    """Send the notice; that it could not be sent is a remark, as everything else is done."""
    name = session.configuration.forge.webhook_env
    url = session.settings.environment.get(name) if name else None
    if url and not options.dry_run:
        repository = session.settings.environment.get("GITHUB_REPOSITORY", session.root.name)
        message = webhook_message(pull_requests, repository=repository)
        try:
            if message is not None:
                post_webhook(session.tools.http, url, message)
        except UpstreamError as error:
            return (f"the webhook was not told: {error.message}",)
    return ()


def _fixes(
    there: Session, changes: Sequence[Change], verification: Verification, prefix: str
) -> dict[str, bytes]:
    """The judge's corrections upon these changes, with paths from the top of the git repository."""
    read = there.view.with_changes(changes).read
    fixed = {**_merged_forks(changes, read), **fixed_files(verification, read)}
    return {prefix + path: data for path, data in fixed.items()}


def _merged_forks(changes: Sequence[Change], read: Callable[[str], bytes | None]) -> dict[str, bytes]:
    """Local forks with what upstream did to their origins, where that applies without a conflict."""
    merged: dict[str, bytes] = {}
    for fork in (fork for change in changes for fork in change.forks):
        local = read(fork.file)
        if local is None or fork.before is None or fork.after is None:
            continue
        result = merge(fork.before, local, fork.after)
        if result is not None and result != local:
            merged[fork.file] = result
    return merged


def _check_same(session: Session, repository: Repository, commit: str, changes: Changes) -> None:
    prefix = _prefix(session, repository)
    for path in changes.files:
        if session.read(path) != repository.read(commit, prefix + path):
            raise RepositoryError(
                f"{path} differs from the branch that the pull request would go to",
                hint="commit and push your changes, or use `upstreamsync pr`, which works from that branch",
            )


def _prefix(session: Session, repository: Repository) -> str:
    """From the top of the git repository to the folder of vendors.yaml, with a slash; empty for the same."""
    relative = session.root.resolve().relative_to(repository.root.resolve()).as_posix()
    return "" if relative == "." else f"{relative}/"


def _prefixed(change: Change, prefix: str) -> Change:
    """A change with paths from the top of the git repository."""
    if not prefix:
        return change
    return replace(
        change,
        base_files={prefix + path: data for path, data in change.base_files.items()},
        edit_files={prefix + path: data for path, data in change.edit_files.items()},
        executable=frozenset(prefix + path for path in change.executable),
    )
