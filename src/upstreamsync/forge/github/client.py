"""The adapter of PyGithub: GitHub as a forge, and no type of the library leaves this file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from itertools import islice
from typing import Any, Final

import requests
from github import Auth, Github, GithubException, GithubIntegration, RateLimitExceededException
from github.PullRequest import PullRequest
from github.Repository import Repository as RemoteRepository

from upstreamsync.errors import ForgeError, NotFound, RateLimited, Unreachable, UpstreamsyncError
from upstreamsync.forge.github.access import Access
from upstreamsync.forge.github.errors import refusal, when_again
from upstreamsync.forge.state import (
    BaseBranch,
    BranchCommit,
    Existing,
    NewPullRequest,
    Notice,
    Settings,
    Stage,
)
from upstreamsync.forge.text.notices import vendor_of
from upstreamsync.kit.git.notes import fetch_note, push_note
from upstreamsync.kit.git.repository import Repository
from upstreamsync.kit.http.credentials import basic
from upstreamsync.kit.redact import redact

NOTICE_LABEL: Final = "upstreamsync"
_TIMEOUT: Final = 30
_PAST_LIMIT: Final = 50


class GitHubForge:
    """Pull requests at GitHub, or at a GitHub Enterprise server.

    Branches are pushed with git over the remote's address, with the token where that is https. ``pace``
    is the least time in seconds between two writes.
    """

    def __init__(
        self, access: Access, *, repository: Repository, remote: str = "origin", pace: float = 1.0
    ) -> None:
        self._access = access
        self._local = repository
        self._remote = remote
        self._pace = pace
        self._remarks: list[str] = []
        self._pulls: dict[int, PullRequest] = {}

    # -- connecting -----------------------------------------------------------------------------------

    @cached_property
    def _token(self) -> str:
        access = self._access
        if access.token is not None:
            return access.token
        owner, _, name = access.repository.partition("/")
        with _translated(f"sign in as App {access.app_id}"):
            auth = Auth.AppAuth(int(access.app_id or 0), access.app_key or "")
            integration = GithubIntegration(auth=auth, base_url=access.api, timeout=_TIMEOUT, retry=None)
            installation = integration.get_repo_installation(owner, name)
            return integration.get_access_token(installation.id).token

    @cached_property
    def _github(self) -> Github:
        return Github(
            auth=Auth.Token(self._token),
            base_url=self._access.api,
            timeout=_TIMEOUT,
            # A run that is cut is completed by the next one; waiting here for an hour helps nobody.
            retry=None,
            per_page=100,
            seconds_between_requests=None,
            seconds_between_writes=self._pace or None,
            user_agent="upstreamsync",
        )

    @cached_property
    def _repo(self) -> RemoteRepository:
        with _translated(f"read {self._access.repository}"):
            return self._github.get_repo(self._access.repository)

    @cached_property
    def _git(self) -> Repository:
        return self._local.authorized(basic("x-access-token", self._token), self._remote)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should know about the token, and what GitHub did not take."""
        told = list(self._remarks)
        if self._access.starts_no_workflows:
            told.insert(
                0,
                "the token is this workflow's own GITHUB_TOKEN: GitHub starts no workflows for its pull"
                " requests, so their checks do not run; give UPSTREAMSYNC_TOKEN,"
                " or a GitHub App by UPSTREAMSYNC_APP_ID and UPSTREAMSYNC_APP_KEY",
            )
        return tuple(dict.fromkeys(told))

    # -- looking --------------------------------------------------------------------------------------

    def base(self, branch: str | None) -> BaseBranch:
        """The branch named, or the default one; its tip is fetched."""
        name = branch or self._repo.default_branch
        return BaseBranch(name=name, commit=self._git.fetch(self._remote, name))

    def open_pull_requests(self, prefix: str) -> Sequence[Existing]:
        """Open pull requests from this repository's own branches; those of forks are never ours."""
        with _translated("list pull requests"):
            found = [each for each in self._repo.get_pulls(state="open") if self._is_own(each, prefix)]
        return [self._existing(each) for each in found]

    def past_pull_requests(self, branch: str) -> Sequence[Existing]:
        """Closed and merged ones of one branch, newest first."""
        owner = self._access.repository.partition("/")[0]
        with _translated(f"list pull requests of {branch}"):
            listed = self._repo.get_pulls(
                state="closed", head=f"{owner}:{branch}", sort="created", direction="desc"
            )
            found = [each for each in islice(listed, _PAST_LIMIT) if self._is_own(each, branch)]
        return [self._existing(each) for each in found if each.head.ref == branch]

    def _is_own(self, pull: PullRequest, prefix: str) -> bool:
        source: RemoteRepository | None = pull.head.repo
        return (
            pull.head.ref.startswith(prefix)
            and source is not None
            and source.full_name.lower() == self._access.repository.lower()
        )

    def _existing(self, pull: PullRequest) -> Existing:
        self._pulls[pull.number] = pull
        stage = Stage.OPEN if pull.state == "open" else Stage.CLOSED
        return Existing(
            number=pull.number,
            url=pull.html_url,
            branch=pull.head.ref,
            title=pull.title,
            body=pull.body or "",
            stage=Stage.MERGED if pull.merged_at is not None else stage,
            base=pull.base.ref,
            draft=bool(pull.draft),
            labels=tuple(label.name for label in pull.labels),
            automerge=pull.raw_data.get("auto_merge") is not None,
        )

    def branches(self, prefix: str) -> Mapping[str, str]:
        """Our branches, by git itself: it is what a push will compare with."""
        return self._git.remote_heads(self._remote, f"{prefix}*")

    def commits(self, base: str, branch: str) -> Sequence[BranchCommit]:
        """What ``branch`` has and ``base`` has not, as GitHub compares them."""
        with _translated(f"compare {branch} with {base}"):
            return [
                BranchCommit(
                    sha=each.sha,
                    author=each.commit.author.name or "somebody",
                    author_email=each.commit.author.email or "",
                    committer_email=each.commit.committer.email or "",
                    message=each.commit.message,
                )
                for each in self._repo.compare(base, branch).commits
            ]

    def conflicts(self, existing: Existing) -> bool:
        """GitHub's own answer; it is None while GitHub is still computing, and then the next run asks."""
        with _translated(f"read pull request {existing.number}"):
            return self._repo.get_pull(existing.number).mergeable is False

    # -- branches -------------------------------------------------------------------------------------

    def push(self, branch: str, commit: str, *, expected: str | None) -> None:
        """Push under a lease."""
        self._git.push(self._remote, branch, commit, lease=expected or "")

    def fetch_note(self) -> None:
        """What the repository remembers between runs, as the remote has it."""
        fetch_note(self._git, self._remote)

    def push_note(self) -> None:
        """Give the remote ours. Raises PushRefused when another run was quicker."""
        push_note(self._git, self._remote)

    def delete_branch(self, branch: str, *, expected: str) -> None:
        """Remove under a lease."""
        self._git.delete_remote_branch(self._remote, branch, lease=expected)

    # -- pull requests --------------------------------------------------------------------------------

    def open(self, opening: NewPullRequest) -> Existing:
        """Open one; labels and people are extras that must not stop it."""
        try:
            pull = self._create(opening, draft=opening.draft)
        except _AlreadyExists:
            for existing in self.open_pull_requests(opening.branch):
                if existing.branch == opening.branch:
                    return existing
            raise ForgeError(
                f"GitHub says that {opening.branch} has a pull request, and lists none", hint="run again"
            ) from None
        number = pull.number
        if opening.labels:
            self._extra(f"set labels of #{number}", lambda: pull.add_to_labels(*opening.labels))
        if opening.assignees:
            self._extra(f"assign #{number}", lambda: pull.add_to_assignees(*opening.assignees))
        for reviewer in opening.reviewers:
            self._extra(f"ask {reviewer} to review #{number}", partial(_ask, pull, reviewer))
        if opening.milestone:
            self._extra(
                f"set the milestone of #{number}", lambda: self._set_milestone(pull, opening.milestone)
            )
        return self._existing(pull)

    def _create(self, opening: NewPullRequest, *, draft: bool) -> PullRequest:
        try:
            with _translated(f"open a pull request for {opening.branch}"):
                return self._repo.create_pull(
                    base=opening.base,
                    head=opening.branch,
                    title=opening.title,
                    body=opening.body,
                    draft=draft,
                )
        except ForgeError as error:
            if "already exists" in error.message:
                raise _AlreadyExists from None
            if draft and "draft" in error.message.lower():
                self._remarks.append(
                    "this repository has no drafts: pull requests that need a person are open"
                )
                return self._create(opening, draft=False)
            raise

    def _set_milestone(self, pull: PullRequest, title: str | None) -> None:
        for milestone in self._repo.get_milestones(state="open"):
            if milestone.title == title:
                pull.as_issue().edit(milestone=milestone)
                return
        self._remarks.append(f"there is no open milestone `{title}`")

    def _extra(self, what: str, act: Callable[[], Any]) -> None:
        """Something that is nice to have: when GitHub refuses, the user is told and the work goes on."""
        try:
            with _translated(what):
                act()
        except UpstreamsyncError as error:
            self._remarks.append(f"{error.message}{f' ({error.hint})' if error.hint else ''}")

    def _pull(self, existing: Existing) -> PullRequest:
        if existing.number not in self._pulls:
            with _translated(f"read pull request {existing.number}"):
                self._pulls[existing.number] = self._repo.get_pull(existing.number)
        return self._pulls[existing.number]

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
            with _translated(f"edit pull request {existing.number}"):
                pull.edit(**given)
        if draft is not None:
            change = pull.convert_to_draft if draft else pull.mark_ready_for_review
            what = "a draft" if draft else "ready for review"
            self._extra(f"make #{existing.number} {what}", change)

    def close(self, existing: Existing) -> None:
        """Close without merging."""
        with _translated(f"close pull request {existing.number}"):
            self._pull(existing).edit(state="closed")

    def comment(self, existing: Existing, text: str, *, key: str) -> None:
        """Comment once per key."""
        mark = f"<!-- upstreamsync:{key} -->"
        with _translated(f"comment on pull request {existing.number}"):
            pull = self._pull(existing)
            if not any(mark in (comment.body or "") for comment in pull.get_issue_comments()):
                pull.create_issue_comment(f"{text}\n{mark}")

    def keep_comment(self, number: int, text: str | None, *, key: str) -> str | None:
        """Write the one comment with that key on a pull request, or change it where it is; its address.

        None as ``text`` changes a comment that is there, and makes none.
        """
        mark = f"<!-- upstreamsync:{key} -->"
        body = f"{mark}\n{text or 'Nothing is left of what was reported here.'}"
        with _translated(f"comment on pull request {number}"):
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
            with _translated(f"take a label off #{existing.number}"):
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

    # -- notices --------------------------------------------------------------------------------------

    def notices(self) -> Mapping[str, Notice]:
        """Open issues with our label and marker."""
        found: dict[str, Notice] = {}
        with _translated("list issues"):
            for issue in self._repo.get_issues(state="open", labels=[NOTICE_LABEL]):
                vendor = vendor_of(issue.body or "")
                if vendor is not None and issue.pull_request is None:
                    found[vendor] = Notice(
                        number=issue.number, url=issue.html_url, title=issue.title, body=issue.body or ""
                    )
        return found

    def write_notice(self, vendor: str, title: str, body: str, present: Notice | None) -> Notice:
        """Open an issue, or change the present one."""
        with _translated(f"write the notice about {vendor}"):
            if present is None:
                issue = self._repo.create_issue(title=title, body=body, labels=[NOTICE_LABEL])
            else:
                issue = self._repo.get_issue(present.number)
                issue.edit(title=title, body=body)
            return Notice(number=issue.number, url=issue.html_url, title=title, body=body)

    def close_notice(self, notice: Notice, text: str) -> None:
        """Say why, and close."""
        with _translated(f"close notice {notice.number}"):
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


def _unless_gone(act: Callable[[str], Any], label: str) -> None:
    """Somebody else may have been quicker."""
    try:
        act(label)
    except GithubException as error:
        if error.status != 404:
            raise


# -- GitHub's errors in our terms --------------------------------------------------------------------


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Turn what PyGithub raises into our errors; ``what`` was to be done: ``list issues``."""
    try:
        yield
    except RateLimitExceededException as error:
        raise RateLimited(
            f"GitHub's rate limit stopped the attempt to {what}", hint=when_again(error.headers)
        ) from None
    except GithubException as error:
        raise refusal(what, status=error.status, data=error.data, headers=error.headers) from None
    except requests.RequestException as error:
        raise Unreachable(
            f"GitHub did not answer when asked to {what}: {redact(str(error))[:300]}",
            hint="check GITHUB_API_URL and the network; run again",
        ) from None
