"""A repository at GitHub: signing in, what is there, and its branches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from typing import Any, Final

import requests
from github import Auth, Github, GithubException, GithubIntegration, RateLimitExceededException
from github.PullRequest import PullRequest
from github.Repository import Repository as RemoteRepository

from upstreamsync.errors import RateLimited, Unreachable, UpstreamsyncError
from upstreamsync.forge.github.access import Access
from upstreamsync.forge.github.errors import refusal, when_again
from upstreamsync.forge.state import (
    BaseBranch,
    BranchCommit,
    Existing,
    Stage,
)
from upstreamsync.kit.git.notes import fetch_note, push_note
from upstreamsync.kit.git.repository import Repository
from upstreamsync.kit.http.credentials import basic
from upstreamsync.kit.redact import redact
from upstreamsync.model import CommitCheck

NOTICE_LABEL: Final = "upstreamsync"
_TIMEOUT: Final = 30
_PAST_LIMIT: Final = 50
#: A status's state, and the conclusions of a check that hold nobody up, as GitHub itself counts them.
_STATES: Final = {"success": "success", "pending": "pending"}
_PASSED: Final = ("success", "neutral", "skipped")


class GitHubRepository:
    """What is read of a repository at GitHub; every request is translated into our errors."""

    def __init__(
        self, access: Access, *, repository: Repository, remote: str = "origin", pace: float = 1.0
    ) -> None:
        self._access = access
        self._local = repository
        self._remote = remote
        self._pace = pace
        self._remarks: list[str] = []
        self._pulls: dict[int, PullRequest] = {}

    @cached_property
    def _token(self) -> str:
        access = self._access
        if access.token is not None:
            return access.token
        owner, _, name = access.repository.partition("/")
        with translated(f"sign in as App {access.app_id}"):
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
        with translated(f"read {self._access.repository}"):
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

    def base(self, branch: str | None) -> BaseBranch:
        """The branch named, or the default one; its tip is fetched."""
        name = branch or self._repo.default_branch
        return BaseBranch(name=name, commit=self._git.fetch(self._remote, name))

    def open_pull_requests(self, prefix: str) -> Sequence[Existing]:
        """Open pull requests from this repository's own branches; those of forks are never ours."""
        with translated("list pull requests"):
            found = [each for each in self._repo.get_pulls(state="open") if self._is_own(each, prefix)]
        return [self._existing(each) for each in found]

    def past_pull_requests(self, branch: str) -> Sequence[Existing]:
        """Closed and merged ones of one branch, newest first."""
        owner = self._access.repository.partition("/")[0]
        with translated(f"list pull requests of {branch}"):
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
        with translated(f"compare {branch} with {base}"):
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

    def checks(self, commit: str) -> Sequence[CommitCheck]:
        """The newest run of each check, and the newest status of each context."""
        with translated(f"read the checks of {commit[:12]}"):
            remote = self._repo.get_commit(commit)
            runs = [
                CommitCheck(name=run.name, state=_state(run.status, run.conclusion), since=run.started_at)
                for run in remote.get_check_runs(filter="latest")
            ]
            statuses = [
                CommitCheck(name=one.context, state=_STATES.get(one.state, "failure"), since=one.created_at)
                for one in remote.get_combined_status().statuses
            ]
        return [*runs, *statuses]

    def conflicts(self, existing: Existing) -> bool:
        """GitHub's own answer; it is None while GitHub is still computing, and then the next run asks."""
        with translated(f"read pull request {existing.number}"):
            return self._repo.get_pull(existing.number).mergeable is False

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

    def _extra(self, what: str, act: Callable[[], Any]) -> None:
        """Something that is nice to have: when GitHub refuses, the user is told and the work goes on."""
        try:
            with translated(what):
                act()
        except UpstreamsyncError as error:
            self._remarks.append(f"{error.message}{f' ({error.hint})' if error.hint else ''}")

    def _pull(self, existing: Existing) -> PullRequest:
        if existing.number not in self._pulls:
            with translated(f"read pull request {existing.number}"):
                self._pulls[existing.number] = self._repo.get_pull(existing.number)
        return self._pulls[existing.number]


def _state(status: str, conclusion: str | None) -> str:
    if status != "completed":
        return "pending"
    return "success" if conclusion in _PASSED else "failure"


@contextmanager
def translated(what: str) -> Iterator[None]:
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
