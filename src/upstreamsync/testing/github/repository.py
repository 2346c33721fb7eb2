"""One repository of the GitHub server, in front of a real bare git repository."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from upstreamsync.errors import ToolFailed
from upstreamsync.kit.digests import sha256
from upstreamsync.testing.charts import as_bytes
from upstreamsync.testing.git import GitRemote, git
from upstreamsync.testing.github.state import (
    Asset,
    CheckRun,
    Clock,
    Comment,
    Issue,
    Label,
    Milestone,
    Pull,
    Release,
    Status,
    made_up_sha,
)

#: Publishes a release asset: path and bytes in, URL out.
Publish = Callable[[str, bytes], str]


class Host(Protocol):
    """What a repository needs of the server that it belongs to."""

    clock: Clock
    lock: threading.RLock
    publish: Publish

    def next_id(self) -> int:
        """A number that nothing else has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """What merging a head into a base would do; ``tree`` is None where they conflict."""

    tree: str | None
    commits: int
    additions: int
    deletions: int
    files: int


class _Followed:
    """What a repository remembers, and how its pull requests follow the branches of a bare one."""

    def __init__(self, owner: Host, full_name: str, remote: GitRemote | None, number: int) -> None:
        self.full_name = full_name
        self.git = remote
        self.id = number
        self.default_branch = "main"
        self.private = False
        self.archived = False
        self.push_access = remote is not None
        self.allow_auto_merge = True
        self.releases: list[Release] = []
        self.issues: dict[int, Issue] = {}
        self.labels: dict[str, Label] = {}
        self.milestones: dict[int, Milestone] = {}
        self.statuses: list[Status] = []
        self.check_runs: list[CheckRun] = []
        self._github = owner
        self._tags: dict[str, str] = {}
        self._merges: dict[tuple[str, str], Merge] = {}

    @property
    def owner(self) -> str:
        """The account that it belongs to."""
        return self.full_name.partition("/")[0]

    @property
    def name(self) -> str:
        """Its name without the owner."""
        return self.full_name.partition("/")[2]

    @property
    def clock(self) -> Clock:
        """GitHub's time."""
        return self._github.clock

    @property
    def lock(self) -> threading.RLock:
        """Held while a request is answered, or a test changes something."""
        return self._github.lock

    @property
    def remote(self) -> GitRemote:
        """The bare repository. Raises ValueError for a repository that has none."""
        if self.git is None:
            raise ValueError(f"{self.full_name} has no git repository: give it one with `git=`")
        return self.git

    def branches(self) -> dict[str, str]:
        """Branches with their commits; none without a git repository."""
        return self.git.branches() if self.git is not None else {}

    def refresh(self) -> None:
        """Let open pull requests follow their branches, as GitHub does after a push."""
        waiting = [issue for issue in self.issues.values() if isinstance(issue, Pull) and issue.open]
        if not waiting:
            return
        branches = self.branches()
        for pull in waiting:
            head, base = branches.get(pull.head), branches.get(pull.base)
            if head is None or base is None:
                self.close(pull.number, by="ghost")
            elif (head, base) != (pull.head_sha, pull.base_sha):
                moved = head != pull.head_sha
                pull.head_sha, pull.base_sha, pull.updated = head, base, self.clock.tick()
                if not self.merge_of(pull).commits:
                    # Nothing left to merge: somebody merged by a push, or emptied the branch.
                    if moved:
                        self.close(pull.number, by="ghost")
                    else:
                        self._merged(pull, base, "ghost")

    def merge_of(self, pull: Pull) -> Merge:
        """What merging would do now."""
        key = pull.base_sha, pull.head_sha
        if key not in self._merges:
            self._merges[key] = _merge(self.remote, *key)
        return self._merges[key]

    def _merged(self, pull: Pull, sha: str, by: str) -> None:
        pull.merged = self.clock.tick()
        pull.merged_by, pull.merge_sha = by, sha
        self.close(pull.number, by=by)

    def close(self, number: int, *, by: str = "human") -> None:
        """Close an issue, or a pull request unmerged."""
        with self.lock:
            issue = self.issues[number]
            if issue.open:
                issue.state, issue.closed, issue.closed_by = "closed", self.clock.tick(), by
                issue.updated = issue.closed


class _Fed(_Followed):
    """A repository that tests feed and look at."""

    def release(
        self,
        tag: str,
        *,
        published: datetime | None = None,
        assets: Mapping[str, str | bytes] | None = None,
        prerelease: bool = False,
        draft: bool = False,
        name: str | None = None,
        body: str | None = None,
        digests: Mapping[str, str | None] | None = None,
    ) -> Release:
        """Publish a release with its assets; a tag of that name appears with it.

        ``digests`` overrides what the API says of an asset (None: nothing, as for old releases).
        Releases are listed newest first, in order of being added.
        """
        with self.lock:
            when = published or self.clock.tick()
            release = Release(
                id=self._github.next_id(),
                tag=tag,
                name=name or tag,
                body=body,
                draft=draft,
                prerelease=prerelease,
                created=when,
                published=None if draft else when,
            )
            for file, data in sorted((assets or {}).items()):
                content = as_bytes(data)
                path = f"{self.full_name}/releases/download/{tag}/{file}"
                digest = (digests or {}).get(file, sha256(content))
                release.assets.append(
                    Asset(
                        id=self._github.next_id(),
                        name=file,
                        size=len(content),
                        digest=digest,
                        url=self._github.publish(path, content),
                    )
                )
            self.releases.insert(0, release)
            if not draft:
                self._tags.setdefault(tag, made_up_sha(self.full_name, tag))
            return release

    def tag(self, name: str, sha: str | None = None) -> None:
        """Let the API list a tag, also without a git repository behind it."""
        self._tags[name] = sha or made_up_sha(self.full_name, name)

    def remove(self, tag: str) -> None:
        """Withdraw a release and its tag."""
        with self.lock:
            self.releases = [release for release in self.releases if release.tag != tag]
            self._tags.pop(tag, None)

    def tags(self) -> dict[str, str]:
        """Tags with their commits: those of git, else those fed; in GitHub's order (by name, descending)."""
        tags = dict(self._tags)
        if self.git is not None:
            form = "--format=%(refname:short) %(objectname) %(*objectname)"
            for line in git("for-each-ref", form, "refs/tags/", cwd=self.git.path).splitlines():
                name, *shas = line.split()
                tags[name] = shas[-1]
        return dict(sorted(tags.items(), reverse=True))

    def label(self, name: str) -> Label:
        """The label of that name, made when there is none."""
        return self.labels.setdefault(name.lower(), Label(id=self._github.next_id(), name=name))

    def milestone(self, title: str) -> Milestone:
        """Add a milestone."""
        number = len(self.milestones) + 1
        made = Milestone(id=self._github.next_id(), number=number, title=title, created=self.clock.tick())
        self.milestones[number] = made
        return made

    def check_run(self, sha: str, name: str, conclusion: str | None = "success") -> CheckRun:
        """Let a check report on a commit; None: it is still at work. Its last run counts."""
        number = self._github.next_id()
        made = CheckRun(id=number, sha=sha, name=name, conclusion=conclusion, started=self.clock.tick())
        self.check_runs.append(made)
        return made

    # Looking

    def pulls(self, state: str = "all") -> list[Pull]:
        """Pull requests by number: ``all``, ``open`` or ``closed``."""
        with self.lock:
            self.refresh()
            found = [issue for issue in self.issues.values() if isinstance(issue, Pull)]
            return [pull for pull in found if state in {"all", pull.state}]

    def pull(self, number: int) -> Pull:
        """One pull request. Raises KeyError when there is none of that number."""
        with self.lock:
            self.refresh()
            found = self.issues[number]
            if not isinstance(found, Pull):
                raise KeyError(number)
            return found

    def notes(self, state: str = "all") -> list[Issue]:
        """Issues that are no pull requests, by number."""
        found = [issue for issue in self.issues.values() if not isinstance(issue, Pull)]
        return [issue for issue in found if state in {"all", issue.state}]

    def status_of(self, sha: str) -> dict[str, Status]:
        """The newest status of each context at a commit."""
        return {status.context: status for status in self.statuses if status.sha == sha}


class Repository(_Fed):
    """A repository as tests see it: they feed it, and play the people who use it.

    With ``git`` the branches, commits and pull requests follow that bare repository, whoever pushes to it.
    Without, it has releases and tags only, like an upstream that one looks at.
    """

    def open_issue(self, title: str, body: str | None = None, *, author: str = "human") -> Issue:
        """Open an issue."""
        with self.lock:
            now = self.clock.tick()
            number = len(self.issues) + 1
            made = Issue(
                number=number,
                id=self._github.next_id(),
                title=title,
                body=body,
                author=author,
                created=now,
                updated=now,
            )
            self.issues[number] = made
            return made

    def open_pull(
        self,
        title: str,
        head: str,
        *,
        base: str = "main",
        body: str | None = None,
        draft: bool = False,
        author: str = "human",
    ) -> Pull:
        """Open a pull request for a branch that exists."""
        with self.lock:
            now = self.clock.tick()
            branches = self.branches()
            number = len(self.issues) + 1
            made = Pull(
                number=number,
                id=self._github.next_id(),
                title=title,
                body=body,
                author=author,
                created=now,
                updated=now,
                head=head,
                base=base,
                head_sha=branches[head],
                base_sha=branches[base],
                draft=draft,
            )
            self.issues[number] = made
            return made

    def reopen(self, number: int) -> None:
        """Open again what was closed, also where GitHub would refuse that."""
        issue = self.issues[number]
        issue.state, issue.closed, issue.closed_by = "open", None, None

    def check_reopening(self, issue: Issue) -> None:
        """Raise ValueError where GitHub refuses to open an issue again.

        That is a pull request that was merged, has a successor, or whose branch was deleted or forced
        elsewhere since.
        """
        if isinstance(issue, Pull):
            self._check_pull(issue)

    def _check_pull(self, pull: Pull) -> None:
        head = self.branches().get(pull.head)
        if pull.merged or head is None:
            raise ValueError("state cannot be changed. The branch was merged or deleted.")
        if any((one.head, one.base) == (pull.head, pull.base) for one in self.pulls("open")):
            raise ValueError(
                f"state cannot be changed. There is already an open pull request for {pull.head}."
            )
        if git("merge-base", pull.head_sha, head, cwd=self.remote.path) != pull.head_sha:
            raise ValueError(
                f"state cannot be changed. The {pull.head} branch was force-pushed or recreated."
            )

    def comment(self, number: int, body: str, *, author: str = "human") -> Comment:
        """Write a comment."""
        with self.lock:
            now = self.clock.tick()
            made = Comment(id=self._github.next_id(), author=author, body=body, created=now, updated=now)
            self.issues[number].comments.append(made)
            self.issues[number].updated = now
            return made

    def add_label(self, number: int, name: str) -> None:
        """Put a label on an issue or a pull request."""
        label = self.label(name)
        if label.name not in self.issues[number].labels:
            self.issues[number].labels.append(label.name)

    def push_commit_as_human(
        self,
        branch: str,
        files: Mapping[str, str | bytes | None],
        message: str = "Fix by hand",
        *,
        author: str = "Ann Human <ann@example.com>",
    ) -> str:
        """Commit on top of ``branch`` as a person would; returns the sha."""
        return self.remote.commit(files, message, branch=branch, author=author)

    def merge(self, number: int, *, by: str = "human", method: str = "merge", delete: bool = False) -> str:
        """Merge a pull request (``merge`` or ``squash``), and delete its branch if asked; returns the sha.

        Raises ValueError where base and head conflict, or it is not open.
        """
        with self.lock:
            pull = self.pull(number)
            tree = self.merge_of(pull).tree
            if tree is None or not pull.open:
                raise ValueError(f"pull request {number} can't be merged")
            words = ["-p", pull.base_sha] + (["-p", pull.head_sha] if method == "merge" else [])
            when = f"{int(self.clock.tick().timestamp())} +0000"
            env = {
                f"GIT_{who}_{what}": value
                for who in ("AUTHOR", "COMMITTER")
                for what, value in (("NAME", by), ("EMAIL", f"{by}@example.com"), ("DATE", when))
            }
            text = f"Merge pull request #{number}" if method == "merge" else f"{pull.title} (#{number})"
            path = self.remote.path
            sha = git("commit-tree", tree, *words, "-m", text, cwd=path, env=env)
            git("update-ref", f"refs/heads/{pull.base}", sha, pull.base_sha, cwd=path)
            self._merged(pull, sha, by)
            if delete:
                self.remote.delete(f"refs/heads/{pull.head}")
            return sha


def _merge(remote: GitRemote, base: str, head: str) -> Merge:
    path = remote.path
    commits = int(git("rev-list", "--count", f"{base}..{head}", cwd=path))
    try:
        tree: str | None = git("merge-tree", "--write-tree", base, head, cwd=path).splitlines()[0]
    except ToolFailed:
        tree = None
    rows = [line.split("\t") for line in git("diff", "--numstat", f"{base}...{head}", cwd=path).splitlines()]
    return Merge(
        tree=tree,
        commits=commits,
        additions=sum(int(row[0]) for row in rows if row[0] != "-"),
        deletions=sum(int(row[1]) for row in rows if row[1] != "-"),
        files=len(rows),
    )
