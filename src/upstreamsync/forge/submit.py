"""Acting on proposals: look at the forge, let lifecycle.py decide, do it, and say what was done.

The order of the steps of each action is such that a run which is cut anywhere is completed by the next:
what is about to be pushed is written down first, the push comes before the pull request, a closing reason
before the closing. Errors of one proposal do not stop the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

from upstreamsync.config.load import Configuration
from upstreamsync.errors import UpstreamsyncError
from upstreamsync.forge.rules import lifecycle
from upstreamsync.forge.rules.lifecycle import Decision, Limits, Room, Situation, Verb
from upstreamsync.forge.rules.marker import Marker, compose, find, text_hash, visible_part
from upstreamsync.forge.state import REBUILD_LABEL, BaseBranch, Existing, Forge, NewPullRequest, Stage
from upstreamsync.forge.text import messages
from upstreamsync.kit.git.repository import Identity, Repository
from upstreamsync.model import Action, Failure, Proposal, PullRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the proposals, and of open pull requests that were closed; what the user should know."""

    pull_requests: tuple[PullRequest, ...]
    remarks: tuple[str, ...] = ()


def submit(
    proposals: Sequence[Proposal],
    *,
    forge: Forge,
    repository: Repository,
    configuration: Configuration,
    settled: Mapping[str, str] | None = None,
    dry_run: bool = False,
    config: str | None = None,
) -> Outcome:
    """Open, update, leave alone or close pull requests, such that the forge says what ``proposals`` say.

    ``settled`` maps each vendor that was looked at without error to the version that it is at: what is
    open for them without a proposal is closed. With ``dry_run`` everything is decided and nothing is done.
    ``config`` is the path of vendors.yaml in the repository (None: where ``configuration`` lies): what
    comes from another one is left alone.
    Errors of the forge become failed PullRequests. Raises RepositoryError while another run is at work.
    """
    run = _Run(
        forge=forge,
        repository=repository,
        configuration=configuration,
        settled=dict(settled or {}),
        dry_run=dry_run,
        config=config or _config_path(configuration, repository),
    )
    with nullcontext() if dry_run else repository.lock():
        try:
            run.look()
        except UpstreamsyncError as error:
            return Outcome(pull_requests=tuple(_failed(proposal, error) for proposal in proposals))
        closed = run.close_stale(proposals)
        done = {}
        for proposal in sorted(proposals, key=run.order):
            done[proposal.branch] = run.one(proposal)
        run.sweep(proposals)
    in_order = tuple(done[proposal.branch] for proposal in proposals)
    return Outcome(pull_requests=(*in_order, *closed), remarks=forge.remarks)


def _config_path(configuration: Configuration, repository: Repository) -> str:
    try:
        return configuration.path.resolve().relative_to(repository.root.resolve()).as_posix()
    except ValueError:
        return configuration.path.name


def _failed(proposal: Proposal, error: UpstreamsyncError) -> PullRequest:
    failure = Failure(kind=error.kind, message=str(error), hint=error.hint)
    return replace(messages.result(proposal, Action.FAILED, str(error)), error=failure)


@dataclass(slots=True, kw_only=True)
class _Run:
    """One run: what was seen of the forge, and what changed since by our own hand."""

    forge: Forge
    repository: Repository
    configuration: Configuration
    settled: dict[str, str]
    dry_run: bool
    config: str
    room: Room = field(default_factory=lambda: Room(limits=Limits()))
    pulls: dict[str, Existing] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    bases: dict[str | None, BaseBranch] = field(default_factory=dict)

    # -- looking --------------------------------------------------------------------------------------

    def look(self) -> None:
        """Read which pull requests and branches of ours there are: two requests."""
        options = self.configuration.forge
        self.pulls = {each.branch: each for each in self.forge.open_pull_requests(options.branch_prefix)}
        self.heads = dict(self.forge.branches(options.branch_prefix))
        self.room = Room(
            limits=Limits(max_open=options.max_open, max_new=options.max_new),
            open={branch: self._vendors(existing) for branch, existing in self.pulls.items()},
            apart={vendor.name: vendor.apart_from for vendor in self.configuration.vendors},
        )

    def _vendors(self, existing: Existing) -> tuple[str, ...]:
        marker = find(existing.body)
        return marker.vendors if marker is not None else (self._key(existing.branch),)

    def _key(self, branch: str) -> str:
        """The vendor or group whose branch this is."""
        key = branch.removeprefix(self.configuration.forge.branch_prefix)
        names = {vendor.name for vendor in self.configuration.vendors}
        return key if key in names else key.removesuffix("-major")

    def order(self, proposal: Proposal) -> tuple[bool, tuple[int, ...], str]:
        """What is open already first, then by risk."""
        return proposal.branch not in self.pulls, proposal.risk, proposal.key

    def _base(self, branch: str | None) -> BaseBranch:
        if branch not in self.bases:
            self.bases[branch] = self.forge.base(branch)
        return self.bases[branch]

    def _situation(self, proposal: Proposal) -> Situation:
        """What decides; each question is asked only where its answer matters."""
        existing, head = self.pulls.get(proposal.branch), self.heads.get(proposal.branch)
        base = self._base(proposal.base_branch)
        marker = find(existing.body) if existing is not None else None
        ours = marker is not None and head == marker.head and marker.next != head
        same = ours and marker is not None and marker.digest == proposal.digest
        return Situation(
            head=head,
            commits=tuple(self.forge.commits(base.name, proposal.branch)) if head and not ours else (),
            open=existing,
            past=() if existing else tuple(self.forge.past_pull_requests(proposal.branch)),
            conflicts=bool(existing and same and self.forge.conflicts(existing)),
            base=base.name,
        )

    # -- one proposal ---------------------------------------------------------------------------------

    def one(self, proposal: Proposal) -> PullRequest:
        """Do what has to be done for one proposal."""
        try:
            situation = self._situation(proposal)
            email = self.configuration.forge.bot_email
            decision = lifecycle.decide(proposal, situation, bot_email=email, config=self.config)
            return self._act(proposal, situation, decision)
        except UpstreamsyncError as error:
            return _failed(proposal, error)

    def _act(self, proposal: Proposal, situation: Situation, decision: Decision) -> PullRequest:
        existing = situation.open
        match decision.verb:
            case Verb.SKIP:
                return messages.result(proposal, Action.SKIPPED, decision.reason)
            case Verb.OPEN:
                return self._open(proposal, situation, decision)
            case _ if existing is None:
                raise AssertionError(f"{decision.verb} needs an open pull request")
            case Verb.UPDATE:
                return self._update(proposal, situation, existing, decision)
            case Verb.EDIT:
                return self._edit(proposal, situation, existing, decision)
            case Verb.YIELD:
                return self._yield(proposal, situation, existing, decision)
            case Verb.KEEP:
                if not self.dry_run:
                    self._mark(situation.head, proposal)
                return messages.result(proposal, Action.UNCHANGED, decision.reason, existing)

    def _open(self, proposal: Proposal, situation: Situation, decision: Decision) -> PullRequest:
        if reason := self.room.refuse(proposal):
            return messages.result(proposal, Action.SKIPPED, reason)
        self.room.take(proposal)
        if self.dry_run:
            return messages.result(proposal, Action.OPENED, decision.reason)
        head = situation.head
        if decision.push or head is None:
            head = self._commit(proposal)
            if head != situation.head:
                self.forge.push(proposal.branch, head, expected=situation.head)
        body = compose(proposal.body, self._marker(proposal, head))
        existing = self.forge.open(
            NewPullRequest(
                branch=proposal.branch,
                base=situation.base,
                title=proposal.title,
                body=body,
                draft=proposal.draft,
                labels=proposal.labels,
                reviewers=proposal.reviewers,
                assignees=proposal.assignees,
                milestone=proposal.milestone,
            )
        )
        if find(existing.body) != find(body):
            # Another run was quicker to open it: from here on it is an update.
            self.forge.edit(
                existing, body=compose(proposal.body, self._marker(proposal, head), existing.body)
            )
        self.pulls[proposal.branch] = existing
        self.heads[proposal.branch] = head
        self._mark(head, proposal)
        self._automerge(existing, proposal, ours=False)
        return messages.result(proposal, Action.OPENED, decision.reason, existing)

    def _update(
        self, proposal: Proposal, situation: Situation, existing: Existing, decision: Decision
    ) -> PullRequest:
        if self.dry_run:
            return messages.result(proposal, Action.UPDATED, decision.reason, existing)
        head, marker, body = situation.head, find(existing.body), existing.body
        if decision.push or head is None:
            head = self._commit(proposal)
            if head != situation.head:
                if marker is not None:
                    body = compose(visible_part(body), replace(marker, next=head), body)
                    self.forge.edit(existing, body=body)
                self.forge.push(proposal.branch, head, expected=situation.head)
                self.heads[proposal.branch] = head
        own_title = marker is None or existing.title == marker.title
        self.forge.edit(
            existing,
            title=proposal.title if own_title and existing.title != proposal.title else None,
            body=compose(proposal.body, self._marker(proposal, head), body),
            base=situation.base if situation.base != existing.base else None,
            draft=proposal.draft if proposal.draft != existing.draft else None,
        )
        if REBUILD_LABEL in existing.labels:
            self.forge.remove_label(existing, REBUILD_LABEL)
        self._mark(head, proposal)
        self._automerge(existing, proposal, ours=marker is not None and marker.automerge)
        return messages.result(proposal, Action.UPDATED, decision.reason, existing)

    def _edit(
        self, proposal: Proposal, situation: Situation, existing: Existing, decision: Decision
    ) -> PullRequest:
        if not self.dry_run:
            marker = self._marker(proposal, situation.head or "")
            old = find(existing.body)
            self.forge.edit(
                existing,
                body=compose(proposal.body, marker, existing.body),
                base=situation.base if situation.base != existing.base else None,
            )
            self._mark(situation.head, proposal)
            self._automerge(existing, proposal, ours=old is not None and old.automerge)
        return messages.result(proposal, Action.UPDATED, decision.reason, existing)

    def _yield(
        self, proposal: Proposal, situation: Situation, existing: Existing, decision: Decision
    ) -> PullRequest:
        """Leave a person's work alone, and say so in the description and in one comment."""
        if not self.dry_run:
            marker = find(existing.body)
            if marker is not None:
                touch = lifecycle.touched(situation, marker, self.configuration.forge.bot_email)
                news = proposal if marker.digest != proposal.digest else None
                noted = messages.with_note(visible_part(existing.body), touch, news)
                if text_hash(noted) != text_hash(visible_part(existing.body)):
                    self.forge.edit(existing, body=compose(noted, marker, existing.body))
            since = marker.head[:12] if marker is not None else "unknown"
            self.forge.comment(existing, messages.left_alone(decision.reason), key=f"touched-{since}")
        return messages.result(proposal, Action.SKIPPED, decision.reason, existing)

    def _commit(self, proposal: Proposal) -> str:
        options = self.configuration.forge
        author = Identity(name=options.bot_name, email=options.bot_email)
        commit = proposal.base_commit
        for each in proposal.commits:
            commit = self.repository.commit(
                parent=commit,
                files=each.files,
                message=each.message,
                executable=each.executable,
                author=author,
                # Unless they are asked for, signatures are made where the user's own git makes them.
                sign=True if options.sign else None,
            )
        return commit

    def _marker(self, proposal: Proposal, head: str) -> Marker:
        return Marker(
            key=proposal.key,
            steps=proposal.steps,
            digest=proposal.digest,
            head=head,
            body=text_hash(proposal.body),
            title=proposal.title,
            automerge=_merges_itself(proposal),
            config=self.config,
        )

    def _mark(self, head: str | None, proposal: Proposal) -> None:
        """Statuses; repeated runs add nothing."""
        if head is not None:
            self.forge.set_statuses(head, proposal.statuses)

    def _automerge(self, existing: Existing, proposal: Proposal, *, ours: bool) -> None:
        """Switch on what is wanted, and off what we (``ours``) switched on and is wanted no longer."""
        if _merges_itself(proposal) and not existing.automerge:
            self.forge.automerge(existing, enable=True)
        elif existing.automerge and ours and not _merges_itself(proposal):
            self.forge.automerge(existing, enable=False)

    # -- what no proposal stands behind -----------------------------------------------------------------

    def close_stale(self, proposals: Sequence[Proposal]) -> list[PullRequest]:
        """Close what is no longer needed, unless a person's work is on it."""
        configured = {vendor.name for vendor in self.configuration.vendors}
        results = []
        for existing in list(self.pulls.values()):
            reason = lifecycle.no_longer_needed(existing, proposals, self.settled, configured, self.config)
            marker = find(existing.body)
            if reason is None or marker is None:
                continue
            try:
                results.append(self._close(existing, marker, reason))
            except UpstreamsyncError as error:
                failure = Failure(kind=error.kind, message=str(error), hint=error.hint)
                results.append(
                    replace(messages.closing(existing, marker, Action.FAILED, str(error)), error=failure)
                )
        return results

    def _close(self, existing: Existing, marker: Marker, reason: str) -> PullRequest:
        head = self.heads.get(existing.branch)
        if head is not None and head != marker.head:
            commits = tuple(self.forge.commits(existing.base, existing.branch))
            touch = lifecycle.touched(
                Situation(head=head, commits=commits), marker, self.configuration.forge.bot_email
            )
            if touch is not None:
                text = f"no longer needed ({reason}), but the branch has {touch}; it is left to you"
                if not self.dry_run:
                    self.forge.comment(existing, messages.not_needed(text), key=f"stale-{marker.head[:12]}")
                return messages.closing(existing, marker, Action.SKIPPED, text)
        if not self.dry_run:
            body = compose(visible_part(existing.body), replace(marker, closed=reason), existing.body)
            self.forge.edit(existing, body=body)
            self.forge.comment(existing, messages.not_needed(f"No longer needed: {reason}."), key="closed")
            self.forge.close(existing)
            if head is not None:
                self.forge.delete_branch(existing.branch, expected=head)
                self.heads.pop(existing.branch, None)
            self.pulls.pop(existing.branch, None)
        self.room.open.pop(existing.branch, None)
        return messages.closing(existing, marker, Action.CLOSED, reason)

    def sweep(self, proposals: Sequence[Proposal]) -> None:
        """Remove branches of ours that nothing needs: merged ones, and what a cut run left."""
        if self.dry_run:
            return
        wanted = {proposal.branch for proposal in proposals} | self.pulls.keys()
        for branch, head in sorted(self.heads.items()):
            if branch in wanted:
                continue
            try:
                if self._is_leftover(branch, head):
                    self.forge.delete_branch(branch, expected=head)
            except UpstreamsyncError:
                continue  # the next run sweeps again; the work itself is done

    def _is_leftover(self, branch: str, head: str) -> bool:
        past = self.forge.past_pull_requests(branch)
        if past:
            marker = find(past[0].body)
            ours = marker is not None and marker.config == self.config and head in (marker.head, marker.next)
            return ours and (past[0].stage is Stage.MERGED or (marker is not None and bool(marker.closed)))
        if self._key(branch) not in self.settled:
            return False
        commits = tuple(self.forge.commits(self._base(None).name, branch))
        complete = bool(commits) and commits[-1].result is not None
        email = self.configuration.forge.bot_email
        return complete and lifecycle.touched(Situation(head=head, commits=commits), None, email) is None


def _merges_itself(proposal: Proposal) -> bool:
    return proposal.automerge and not proposal.draft
