"""Pull requests and branches of ours that nothing stands behind any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.forge.rules import lifecycle
from upstreamsync.forge.rules.lifecycle import Situation
from upstreamsync.forge.rules.marker import Marker, compose, find, visible_part
from upstreamsync.forge.seen import Seen
from upstreamsync.forge.state import Existing, Stage
from upstreamsync.forge.text import messages
from upstreamsync.model import Action, Failure, Proposal, PullRequest


def close_stale(seen: Seen, proposals: Sequence[Proposal]) -> list[PullRequest]:
    """Close what is no longer needed, unless a person's work is on it."""
    configured = {vendor.name for vendor in seen.configuration.vendors}
    results = []
    for existing in list(seen.pulls.values()):
        reason = lifecycle.no_longer_needed(existing, proposals, seen.settled, configured, seen.config)
        marker = find(existing.body)
        if reason is None or marker is None:
            continue
        try:
            results.append(close_one(seen, existing, marker, reason))
        except UpstreamsyncError as error:
            failure = Failure(kind=error.kind, message=str(error), hint=error.hint)
            results.append(
                replace(messages.closing(existing, marker, Action.FAILED, str(error)), error=failure)
            )
    return results


def close_one(seen: Seen, existing: Existing, marker: Marker, reason: str) -> PullRequest:
    """Close one with its reason, unless a person's work is on its branch."""
    head = seen.heads.get(existing.branch)
    if head is not None and head != marker.head:
        commits = tuple(seen.forge.commits(existing.base, existing.branch))
        touch = lifecycle.touched(
            Situation(head=head, commits=commits), marker, seen.configuration.forge.bot_email
        )
        if touch is not None:
            text = f"no longer needed ({reason}), but the branch has {touch}; it is left to you"
            if not seen.dry_run:
                seen.forge.comment(existing, messages.not_needed(text), key=f"stale-{marker.head[:12]}")
            return messages.closing(existing, marker, Action.SKIPPED, text)
    if not seen.dry_run:
        body = compose(visible_part(existing.body), replace(marker, closed=reason), existing.body)
        seen.forge.edit(existing, body=body)
        seen.forge.comment(existing, messages.not_needed(f"No longer needed: {reason}."), key="closed")
        seen.forge.close(existing)
        if head is not None:
            seen.forge.delete_branch(existing.branch, expected=head)
            seen.heads.pop(existing.branch, None)
        seen.pulls.pop(existing.branch, None)
    seen.room.open.pop(existing.branch, None)
    return messages.closing(existing, marker, Action.CLOSED, reason)


def sweep(seen: Seen, proposals: Sequence[Proposal]) -> None:
    """Remove branches of ours that nothing needs: merged ones, and what a cut run left."""
    if seen.dry_run:
        return
    wanted = {proposal.branch for proposal in proposals} | seen.pulls.keys()
    for branch, head in sorted(seen.heads.items()):
        if branch in wanted:
            continue
        try:
            if _is_leftover(seen, branch, head):
                seen.forge.delete_branch(branch, expected=head)
        except UpstreamsyncError:
            continue  # the next run sweeps again; the work itself is done


def _is_leftover(seen: Seen, branch: str, head: str) -> bool:
    past = seen.forge.past_pull_requests(branch)
    if past:
        marker = find(past[0].body)
        ours = marker is not None and marker.config == seen.config and head in (marker.head, marker.next)
        return ours and (past[0].stage is Stage.MERGED or (marker is not None and bool(marker.closed)))
    if seen.key_of(branch) not in seen.settled:
        return False
    commits = tuple(seen.forge.commits(seen.base_branch(None).name, branch))
    complete = bool(commits) and commits[-1].result is not None
    email = seen.configuration.forge.bot_email
    return complete and lifecycle.touched(Situation(head=head, commits=commits), None, email) is None
