"""The adapter of PyGithub: GitHub as a forge, and no type of the library leaves this file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from github import GithubException
from github.PullRequest import PullRequest

from upstreamsync.errors import ForgeError, NotFound
from upstreamsync.forge.github.boards import GitHubBoards
from upstreamsync.forge.github.repository import NOTICE_LABEL, translated
from upstreamsync.forge.state import (
    Existing,
    NewPullRequest,
    Notice,
    Settings,
)
from upstreamsync.forge.text.notices import vendor_of


class GitHubForge(GitHubBoards):
    """Pull requests at GitHub, or at a GitHub Enterprise server.

    Branches are pushed with git over the remote's address, with the token where that is https. ``pace``
    is the least time in seconds between two writes.
    """

    def open(self, new: NewPullRequest) -> Existing:
        """Open one; labels and people are extras that must not stop it."""
        try:
            pull = self._create(new, draft=new.draft)
        except _AlreadyExists:
            for existing in self.open_pull_requests(new.branch):
                if existing.branch == new.branch:
                    return existing
            raise ForgeError(
                f"GitHub says that {new.branch} has a pull request, and lists none", hint="run again"
            ) from None
        number = pull.number
        if new.labels:
            self._extra(f"set labels of #{number}", lambda: pull.add_to_labels(*new.labels))
        if new.assignees:
            self._extra(f"assign #{number}", lambda: pull.add_to_assignees(*new.assignees))
        for reviewer in new.reviewers:
            self._extra(f"ask {reviewer} to review #{number}", partial(_ask, pull, reviewer))
        if new.milestone:
            self._extra(f"set the milestone of #{number}", lambda: self._set_milestone(pull, new.milestone))
        return self._existing(pull)

    def _create(self, new: NewPullRequest, *, draft: bool) -> PullRequest:
        try:
            with translated(f"open a pull request for {new.branch}"):
                return self._repo.create_pull(
                    base=new.base,
                    head=new.branch,
                    title=new.title,
                    body=new.body,
                    draft=draft,
                )
        except ForgeError as error:
            if "already exists" in error.message:
                raise _AlreadyExists from None
            if draft and "draft" in error.message.lower():
                self._remarks.append(
                    "this repository has no drafts: pull requests that need a person are open"
                )
                return self._create(new, draft=False)
            raise

    def _set_milestone(self, pull: PullRequest, title: str | None) -> None:
        for milestone in self._repo.get_milestones(state="open"):
            if milestone.title == title:
                pull.as_issue().edit(milestone=milestone)
                return
        self._remarks.append(f"there is no open milestone `{title}`")

    def edit(
        self,
        existing: Existing,
        *,
        title: str | None = None,
        body: str | None = None,
        base: str | None = None,
        draft: bool | None = None,
    ) -> None:
        """Change what is given in one request; being a draft is a matter of its own."""
        pull = self._pull(existing)
        given: dict[str, Any] = {
            key: value
            for key, value in (("title", title), ("body", body), ("base", base))
            if value is not None
        }
        if given:
            with translated(f"edit pull request {existing.number}"):
                pull.edit(**given)
        if draft is not None:
            change = pull.convert_to_draft if draft else pull.mark_ready_for_review
            what = "a draft" if draft else "ready for review"
            self._extra(f"make #{existing.number} {what}", change)

    def close(self, existing: Existing) -> None:
        """Close without merging."""
        with translated(f"close pull request {existing.number}"):
            self._pull(existing).edit(state="closed")

    def comment(self, existing: Existing, text: str, *, key: str) -> None:
        """Comment once per key."""
        mark = f"<!-- upstreamsync:{key} -->"
        with translated(f"comment on pull request {existing.number}"):
            pull = self._pull(existing)
            if not any(mark in (comment.body or "") for comment in pull.get_issue_comments()):
                pull.create_issue_comment(f"{text}\n{mark}")

    def keep_comment(self, number: int, text: str | None, *, key: str) -> str | None:
        """Write the one comment with that key on a pull request, or change it where it is; its address.

        None as ``text`` changes a comment that is there, and makes none.
        """
        mark = f"<!-- upstreamsync:{key} -->"
        body = f"{mark}\n{text or 'Nothing is left of what was reported here.'}"
        with translated(f"comment on pull request {number}"):
            issue = self._repo.get_issue(number)
            for comment in issue.get_comments():
                # Anybody may write the mark; only what is at the beginning, and can be edited, is ours.
                if not (comment.body or "").startswith(mark):
                    continue
                try:
                    if comment.body != body:
                        comment.edit(body)
                    return comment.html_url
                except GithubException as error:
                    if error.status not in (403, 404):
                        raise
            return issue.create_comment(body).html_url if text is not None else None

    def remove_label(self, existing: Existing, label: str) -> None:
        """Take a label off; somebody else may have been quicker."""
        try:
            with translated(f"take a label off #{existing.number}"):
                self._pull(existing).remove_from_labels(label)
        except NotFound:
            return

    def adjust(self, existing: Existing, before: Settings, after: Settings) -> None:
        """Add what is new, take away what we had set; all of these are extras."""
        pull, number = self._pull(existing), existing.number
        for label in set(before.labels) - set(after.labels):
            self._extra(f"take a label off #{number}", partial(_unless_gone, pull.remove_from_labels, label))
        if added := [one for one in after.labels if one not in before.labels]:
            self._extra(f"set labels of #{number}", lambda: pull.add_to_labels(*added))
        for reviewer in [one for one in before.reviewers if one not in after.reviewers]:
            self._extra(
                f"ask {reviewer} no longer to review #{number}", partial(_ask, pull, reviewer, no=True)
            )
        for reviewer in [one for one in after.reviewers if one not in before.reviewers]:
            self._extra(f"ask {reviewer} to review #{number}", partial(_ask, pull, reviewer))
        if gone := [one for one in before.assignees if one not in after.assignees]:
            self._extra(f"unassign #{number}", lambda: pull.remove_from_assignees(*gone))
        if new := [one for one in after.assignees if one not in before.assignees]:
            self._extra(f"assign #{number}", lambda: pull.add_to_assignees(*new))
        if after.milestone is not None and after.milestone != before.milestone:
            self._extra(f"set the milestone of #{number}", lambda: self._set_milestone(pull, after.milestone))
        elif after.milestone is None and before.milestone is not None:
            self._extra(f"clear the milestone of #{number}", lambda: _clear_milestone(pull, before.milestone))

    def set_statuses(self, commit: str, statuses: Sequence[tuple[str, str, str]]) -> None:
        """Set what is not there yet. Statuses need a right of their own: without it, the user is told."""
        self._extra("set commit statuses", lambda: self._set_statuses(commit, statuses))

    def _set_statuses(self, commit: str, statuses: Sequence[tuple[str, str, str]]) -> None:
        remote = self._repo.get_commit(commit)
        present = {(s.context, s.state, s.description or "") for s in remote.get_combined_status().statuses}
        for context, state, description in statuses:
            if (context, state, description) not in present:
                remote.create_status(state, description=description, context=context)

    def automerge(self, existing: Existing, *, enable: bool) -> None:
        """Switch GitHub's own automerge, by a method that the repository allows."""
        pull, repo = self._pull(existing), self._repo
        if not enable:
            self._extra(f"switch off automerge of #{existing.number}", pull.disable_automerge)
            return
        methods = (
            ("MERGE", repo.allow_merge_commit),
            ("SQUASH", repo.allow_squash_merge),
            ("REBASE", repo.allow_rebase_merge),
        )
        method = next((name for name, allowed in methods if allowed), "MERGE")
        self._extra(
            f"let #{existing.number} merge by itself", lambda: pull.enable_automerge(merge_method=method)
        )

    def notices(self) -> Mapping[str, Notice]:
        """Open issues with our label and marker."""
        found: dict[str, Notice] = {}
        with translated("list issues"):
            for issue in self._repo.get_issues(state="open", labels=[NOTICE_LABEL]):
                vendor = vendor_of(issue.body or "")
                if vendor is not None and issue.pull_request is None:
                    found[vendor] = Notice(
                        number=issue.number, url=issue.html_url, title=issue.title, body=issue.body or ""
                    )
        return found

    def write_notice(self, vendor: str, title: str, body: str, present: Notice | None) -> Notice:
        """Open an issue, or change the present one."""
        with translated(f"write the notice about {vendor}"):
            if present is None:
                issue = self._repo.create_issue(title=title, body=body, labels=[NOTICE_LABEL])
            else:
                issue = self._repo.get_issue(present.number)
                issue.edit(title=title, body=body)
            return Notice(number=issue.number, url=issue.html_url, title=title, body=body)

    def close_notice(self, notice: Notice, text: str) -> None:
        """Say why, and close."""
        with translated(f"close notice {notice.number}"):
            issue = self._repo.get_issue(notice.number)
            issue.create_comment(text)
            issue.edit(state="closed", state_reason="completed")


class _AlreadyExists(Exception):
    """GitHub has a pull request for the branch."""


def _ask(pull: PullRequest, reviewer: str, *, no: bool = False) -> None:
    _, slash, team = reviewer.partition("/")
    act = pull.delete_review_request if no else pull.create_review_request
    if slash:
        act(reviewers=[], team_reviewers=[team])
    else:
        act(reviewers=[reviewer])


def _clear_milestone(pull: PullRequest, title: str | None) -> None:
    """Take away the milestone that we had set; one that a person chose since stays."""
    issue = pull.as_issue()
    if getattr(issue.milestone, "title", None) == title:  # none at all is not in PyGithub's types
        issue.edit(milestone=None)


def _unless_gone(act: Callable[[str], Any], label: str) -> None:
    """Somebody else may have been quicker."""
    try:
        act(label)
    except GithubException as error:
        if error.status != 404:
            raise


# -- GitHub's errors in our terms --------------------------------------------------------------------
