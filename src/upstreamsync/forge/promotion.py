"""A promotion as a pull request: kept open between two branches, and merged by people alone.

It is acted on by the same steps as every other proposal (``submit``); only its commits are not ours: its branch is
the source branch's own commit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from upstreamsync.config.load import Configuration
from upstreamsync.errors import UpstreamsyncError
from upstreamsync.forge.rules.lifecycle import SAME_VERSION, Situation
from upstreamsync.forge.rules.marker import find
from upstreamsync.forge.rules.promotion import STATUS
from upstreamsync.forge.stale import close_one
from upstreamsync.forge.state import Forge
from upstreamsync.forge.submit import Outcome, Run, config_path, failed
from upstreamsync.forge.text.markdown import shorten
from upstreamsync.forge.text.promotion import Facts, render, title_of
from upstreamsync.kit.defuse import inert
from upstreamsync.kit.git.repository import Repository
from upstreamsync.model import Proposal, PullRequest

_STATUS_LIMIT: Final = 140


def for_promotions(configuration: Configuration) -> Configuration:
    """The configuration with a prefix of its own for branches: ``pr`` answers for those below the usual one."""
    prefix = f"{configuration.forge.branch_prefix.rstrip('/')}-promote/"
    return replace(configuration, forge=configuration.forge.model_copy(update={"branch_prefix": prefix}))


def key_of(source: str, target: str) -> str:
    """What names a promotion, and its branch."""
    return f"{source.replace('/', '-')}-to-{target.replace('/', '-')}"


def build_promotion(facts: Facts, configuration: Configuration) -> Proposal:
    """The proposal: ``configuration`` is that of ``for_promotions``."""
    rule, commit = facts.rule, facts.choice.step.commit
    key = key_of(rule.from_, rule.to)
    body, report = render(facts)
    return Proposal(
        key=key,
        steps=((rule.from_, facts.target[:12], commit[:12]),),
        branch=f"{configuration.forge.branch_prefix}{key}",
        title=title_of(facts),
        body=body,
        report=report,
        commits=(),
        base_commit=commit,
        base_branch=rule.to,
        draft=facts.needs_person or facts.hold is not None,
        labels=rule.labels,
        reviewers=rule.reviewers,
        assignees=rule.assignees,
        statuses=(_status(facts),),
        unjudged=len(facts.verification.unjudged) if facts.verification else 0,
        crashes=facts.verification.crashes if facts.verification else (),
        digest=f"{commit}{f' held by {facts.hold.by}' if facts.hold else ''}",
    )


def _status(facts: Facts) -> tuple[str, str, str]:
    """A status of the promoted commit, so that the protection of the target branch may ask for it."""
    state, words = "success", f"may go to {facts.rule.to}"
    if facts.hold is not None:
        state, words = "pending" if facts.hold.waits else "failure", facts.hold.reason
    elif facts.verification is not None and facts.verification.unjudged:
        state, words = "error", "not all could be judged"
    elif facts.needs_person:
        state, words = "failure", "a person has to look at the verdicts"
    return f"{STATUS}{facts.rule.to}", state, shorten(inert(words), _STATUS_LIMIT)


class _Promotion(Run):
    """A run for one pull request, whose branch holds commits of the source branch and so of people."""

    source: str = ""

    def one(self, proposal: Proposal) -> PullRequest:
        """As for every proposal; of one and the same commit only what holds it can be another."""
        done = super().one(proposal)
        return replace(done, reason="what holds it has changed") if done.reason == SAME_VERSION else done

    def situation(self, proposal: Proposal) -> Situation:
        """As for every proposal, but for what counts as a person's commit: what the source branch has not."""
        existing, head = self.pulls.get(proposal.branch), self.heads.get(proposal.branch)
        marker = find(existing.body) if existing is not None else None
        ours = marker is not None and head == marker.head and marker.next != head
        return Situation(
            head=head,
            commits=tuple(self.forge.commits(self.source, proposal.branch)) if head and not ours else (),
            open=existing,
            past=() if existing else tuple(self.forge.past_pull_requests(proposal.branch)),
            base=self.base_branch(proposal.base_branch).name,
        )


def _run(
    forge: Forge, repository: Repository, configuration: Configuration, source: str, *, dry_run: bool
) -> _Promotion:
    run = _Promotion(
        forge=forge,
        repository=repository,
        configuration=configuration,
        settled={},
        dry_run=dry_run,
        config=config_path(configuration, repository),
    )
    run.source = source
    return run


def submit_promotion(
    proposal: Proposal,
    *,
    source: str,
    forge: Forge,
    repository: Repository,
    configuration: Configuration,
    dry_run: bool = False,
) -> Outcome:
    """Open or refresh the one pull request, or leave a person's work alone."""
    run = _run(forge, repository, configuration, source, dry_run=dry_run)
    try:
        run.look()
    except UpstreamsyncError as error:
        return Outcome(pull_requests=(failed(proposal, error),))
    run.room = replace(run.room, limits=replace(run.room.limits, max_open=None, max_new=None))
    done = run.one(proposal)
    return Outcome(pull_requests=(done,), remarks=forge.remarks)


def close_promotion(
    branch: str,
    reason: str,
    *,
    source: str,
    forge: Forge,
    repository: Repository,
    configuration: Configuration,
    dry_run: bool = False,
) -> PullRequest | None:
    """Close the pull request of a promotion that brings nothing any more; None where there is none."""
    run = _run(forge, repository, configuration, source, dry_run=dry_run)
    run.look()
    existing = run.pulls.get(branch)
    marker = find(existing.body) if existing is not None else None
    if existing is None or marker is None or marker.config != run.config:
        return None
    return close_one(run, existing, marker, reason)
