"""Acting on proposals: look at the forge, let lifecycle.py decide, do it, and say what was done.

The order of the steps of each action is such that a run which is cut anywhere is completed by the next:
what is about to be pushed is written down first, the push comes before the pull request, a closing reason
before the closing. Errors of one proposal do not stop the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

from upstreamsync.config.load import Configuration
from upstreamsync.errors import UpstreamsyncError
from upstreamsync.forge.rules import lifecycle
from upstreamsync.forge.rules.dashboard import NONE, Wishes
from upstreamsync.forge.rules.lifecycle import Decision, Situation, Verb
from upstreamsync.forge.rules.marker import Marker, compose, find, text_hash, visible_part
from upstreamsync.forge.seen import Seen
from upstreamsync.forge.stale import close_stale, sweep
from upstreamsync.forge.state import REBUILD_LABEL, Adjustable, Existing, Forge, NewPullRequest, Settings
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
    wishes: Wishes = NONE,
) -> Outcome:
    """Open, update, leave alone or close pull requests, such that the forge says what ``proposals`` say.

    ``settled`` maps each vendor that was looked at without error to the version that it is at: what is
    open for them without a proposal is closed. With ``dry_run`` everything is decided and nothing is done.
    ``config`` is the path of vendors.yaml in the repository (None: where ``configuration`` lies): what
    comes from another one is left alone.
    Errors of the forge become failed PullRequests. Raises RepositoryError while another run is at work.
    """
    run = Run(
        forge=forge,
        repository=repository,
        configuration=configuration,
        settled=dict(settled or {}),
        dry_run=dry_run,
        config=config or config_path(configuration, repository),
        wishes=wishes,
    )
    with nullcontext() if dry_run else repository.lock():
        try:
            run.look()
        except UpstreamsyncError as error:
            return Outcome(pull_requests=tuple(failed(proposal, error) for proposal in proposals))
        closed = close_stale(run, proposals)
        done = {}
        for proposal in sorted(proposals, key=run.order):
            done[proposal.branch] = run.one(proposal)
        sweep(run, proposals)
    in_order = tuple(done[proposal.branch] for proposal in proposals)
    return Outcome(pull_requests=(*in_order, *closed), remarks=forge.remarks)


def config_path(configuration: Configuration, repository: Repository) -> str:
    """Where vendors.yaml lies in its repository: what a marker says of whose it is."""
    try:
        return configuration.path.resolve().relative_to(repository.root.resolve()).as_posix()
    except ValueError:
        return configuration.path.name


def failed(proposal: Proposal, error: UpstreamsyncError) -> PullRequest:
    """The result of a proposal that met an error."""
    failure = Failure(kind=error.kind, message=str(error), hint=error.hint)
    return replace(messages.result(proposal, Action.FAILED, str(error)), error=failure)


class Run(Seen):
    """Does what has to be done for each proposal."""

    def one(self, proposal: Proposal) -> PullRequest:
        """Do what has to be done for one proposal."""
        try:
            situation = self.situation(proposal)
            email = self.configuration.forge.bot_email
            decision = lifecycle.decide(proposal, situation, bot_email=email, config=self.config)
            return self._act(proposal, situation, decision)
        except UpstreamsyncError as error:
            return failed(proposal, error)

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
                if self._has_other_settings(existing, proposal):
                    return self._settle(proposal, situation, existing)
                if not self.dry_run:
                    self._mark(situation.head, proposal)
                return messages.result(proposal, Action.UNCHANGED, decision.reason, existing)

    def _open(self, proposal: Proposal, situation: Situation, decision: Decision) -> PullRequest:
        if not self.is_urgent(proposal) and (reason := self.room.refuse(proposal)):
            return messages.result(proposal, Action.SKIPPED, reason)
        self.room.take(proposal)
        if self.dry_run:
            return messages.result(proposal, Action.OPENED, decision.reason)
        head = situation.head
        if decision.push or head is None:
            head = self._commit(proposal)
            if head != situation.head:
                self.forge.push(proposal.branch, head, expected=situation.head)
        body = compose(messages.visible(proposal), self._marker(proposal, head))
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
                existing,
                body=compose(messages.visible(proposal), self._marker(proposal, head), existing.body),
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
        self._adjust(existing, proposal)
        own_title = marker is None or existing.title == marker.title
        self.forge.edit(
            existing,
            title=proposal.title if own_title and existing.title != proposal.title else None,
            body=compose(messages.visible(proposal), self._marker(proposal, head), body),
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
            self._adjust(existing, proposal)
            self.forge.edit(
                existing,
                body=compose(messages.visible(proposal), marker, existing.body),
                base=situation.base if situation.base != existing.base else None,
            )
            self._mark(situation.head, proposal)
            self._automerge(existing, proposal, ours=old is not None and old.automerge)
        return messages.result(proposal, Action.UPDATED, decision.reason, existing)

    def _has_other_settings(self, existing: Existing, proposal: Proposal) -> bool:
        """Whether vendors.yaml wants something else of it than when we last wrote it."""
        marker = find(existing.body)
        if marker is None:
            return False
        now, wanted = (_as_sets(found) for found in (marker.settings, _settings_of(proposal)))
        other = now != wanted or marker.automerge != _merges_itself(proposal)
        return isinstance(self.forge, Adjustable) and other

    def _settle(self, proposal: Proposal, situation: Situation, existing: Existing) -> PullRequest:
        """Nothing but its settings changed."""
        if not self.dry_run:
            marker = find(existing.body)
            self._adjust(existing, proposal)
            self._automerge(existing, proposal, ours=marker is not None and marker.automerge)
            if marker is not None:
                new = replace(marker, settings=_settings_of(proposal), automerge=_merges_itself(proposal))
                self.forge.edit(existing, body=compose(visible_part(existing.body), new, existing.body))
            self._mark(situation.head, proposal)
        return messages.result(proposal, Action.UPDATED, "its settings in vendors.yaml changed", existing)

    def _adjust(self, existing: Existing, proposal: Proposal) -> None:
        marker = find(existing.body)
        before = _as_settings(marker.settings if marker is not None else {})
        after = _as_settings(_settings_of(proposal))
        if before != after and isinstance(self.forge, Adjustable):
            self.forge.adjust(existing, before, after)

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
            settings=_settings_of(proposal),
            base=proposal.base_branch or "",
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


def _merges_itself(proposal: Proposal) -> bool:
    return proposal.automerge and not proposal.draft


def _settings_of(proposal: Proposal) -> dict[str, tuple[str, ...]]:
    """What a marker remembers of labels and people: none of those that are empty."""
    wanted = {
        "labels": proposal.labels,
        "reviewers": proposal.reviewers,
        "assignees": proposal.assignees,
        "milestone": (proposal.milestone,) if proposal.milestone else (),
    }
    return {kind: names for kind, names in wanted.items() if names}


def _as_sets(found: Mapping[str, tuple[str, ...]]) -> dict[str, frozenset[str]]:
    """In which order names stand, and how often, does not matter to a forge."""
    return {kind: frozenset(names) for kind, names in found.items()}


def _as_settings(found: Mapping[str, tuple[str, ...]]) -> Settings:
    return Settings(
        labels=found.get("labels", ()),
        reviewers=found.get("reviewers", ()),
        assignees=found.get("assignees", ()),
        milestone=next(iter(found.get("milestone", ())), None),
    )
