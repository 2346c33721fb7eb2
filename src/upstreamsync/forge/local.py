"""``--forge local``: a branch in the user's repository, and the pull request's text beside it.

The text is kept in the repository's git folder (or in a folder of the user's choice), never in the
working tree. The same rules hold as on GitHub: a branch that somebody committed to is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from upstreamsync.errors import ForgeError, PushRefused
from upstreamsync.forge.rules.marker import find
from upstreamsync.forge.state import BaseBranch, BranchCommit, Existing, NewPullRequest, Notice, Stage
from upstreamsync.forge.text.diff import merge
from upstreamsync.kit.git.repository import Repository
from upstreamsync.model import CommitCheck

_FOLDER = "upstreamsync"


class LocalForge:
    """Branches in ``repository``; texts in ``folder`` (default: ``upstreamsync`` in its git folder)."""

    def __init__(self, repository: Repository, *, prefix: str, folder: Path | None = None) -> None:
        self._repository = repository
        self._prefix = prefix
        self._folder = folder if folder is not None else repository.git_folder / _FOLDER

    def base(self, branch: str | None) -> BaseBranch:
        """The branch named, else what is checked out."""
        if branch is not None:
            return BaseBranch(name=branch, commit=self._repository.resolve(f"refs/heads/{branch}"))
        return BaseBranch(name=self._repository.branch() or "HEAD", commit=self._repository.head())

    def open_pull_requests(self, prefix: str) -> Sequence[Existing]:
        """Branches with a text that the base branch does not have yet."""
        return [each for each in self._all() if each.branch.startswith(prefix) and each.stage is Stage.OPEN]

    def past_pull_requests(self, branch: str) -> Sequence[Existing]:
        """The text of a branch that is merged."""
        return [each for each in self._all() if each.branch == branch and each.stage is Stage.MERGED]

    def branches(self, prefix: str) -> Mapping[str, str]:
        """Local branches that begin with ``prefix``."""
        found = {}
        for branch in self._repository.local_branches(prefix):
            if commit := self._repository.branch_commit(branch):
                found[branch] = commit
        return found

    def commits(self, base: str, branch: str) -> Sequence[BranchCommit]:
        """What ``branch`` has and ``base`` has not, oldest first."""
        tip = base if base == "HEAD" else f"refs/heads/{base}"
        found = self._repository.log(f"{tip}..refs/heads/{branch}")
        return [
            BranchCommit(
                sha=entry.commit,
                author=entry.author.name,
                author_email=entry.author.email,
                committer_email=(entry.committer or entry.author).email,
                message=entry.message,
            )
            for entry in reversed(found)
        ]

    def conflicts(self, existing: Existing) -> bool:
        """Whether both sides changed the same lines of a file since they parted, as git would see it."""
        base, repository = (
            self.base(None if existing.base == "HEAD" else existing.base).commit,
            self._repository,
        )
        tip = repository.branch_commit(existing.branch)
        origin = repository.merge_base(base, tip) if tip else None
        if tip is None or origin is None or origin == base:
            return False
        both = sorted(set(repository.diff_paths(origin, tip)) & set(repository.diff_paths(origin, base)))
        sides = [repository.read_all(revision, both) for revision in (origin, tip, base)]
        return any(not _merges(*(side.get(path) for side in sides)) for path in both)

    def push(self, branch: str, commit: str, *, expected: str | None) -> None:
        """Set the branch, if it is still where it was."""
        present = self._repository.branch_commit(branch)
        if present != expected:
            raise PushRefused(f"branch {branch} was moved meanwhile", hint="run again")
        self._repository.update_branch(branch, commit, expected or "")

    def delete_branch(self, branch: str, *, expected: str) -> None:
        """Remove the branch, if it is still where it was, and its text."""
        if self._repository.branch_commit(branch) == expected:
            self._repository.delete_branch(branch)
            self._file(branch).unlink(missing_ok=True)

    def open(self, new: NewPullRequest) -> Existing:
        """Write the text."""
        existing = Existing(
            number=0,
            url=str(self._file(new.branch)),
            branch=new.branch,
            title=new.title,
            body=new.body,
            stage=Stage.OPEN,
            base=new.base,
            draft=new.draft,
        )
        self._write(existing.branch, existing.title, existing.body)
        return existing

    def edit(
        self,
        existing: Existing,
        *,
        title: str | None = None,
        body: str | None = None,
        base: str | None = None,  # noqa: ARG002 (a text goes nowhere)
        draft: bool | None = None,  # noqa: ARG002 (nor is it ever more than a draft)
    ) -> None:
        """Rewrite the text."""
        self._write(existing.branch, title or existing.title, existing.body if body is None else body)

    def close(self, existing: Existing) -> None:
        """Remove the text; the branch goes by ``delete_branch``."""
        self._file(existing.branch).unlink(missing_ok=True)

    def comment(self, existing: Existing, text: str, *, key: str) -> None:
        """There is nobody to talk to: the note in the text says it."""

    def remove_label(self, existing: Existing, label: str) -> None:
        """There are no labels."""

    def checks(self, commit: str) -> Sequence[CommitCheck] | None:  # noqa: ARG002
        """Nothing runs on commits here."""
        return None

    def set_statuses(self, commit: str, statuses: Sequence[tuple[str, str, str]]) -> None:
        """There are no statuses."""

    def automerge(self, existing: Existing, *, enable: bool) -> None:
        """Nothing merges by itself here."""

    def notices(self) -> Mapping[str, Notice]:
        """There are none: the run's own output names what failed."""
        return {}

    def write_notice(
        self,
        vendor: str,  # noqa: ARG002
        title: str,
        body: str,
        present: Notice | None,
    ) -> Notice:
        """Not kept."""
        return present or Notice(number=0, url="", title=title, body=body)

    def close_notice(self, notice: Notice, text: str) -> None:
        """Nothing to close."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """Nothing to say."""
        return ()

    # -- texts ----------------------------------------------------------------------------------------

    def _file(self, branch: str) -> Path:
        return self._folder / f"{branch.removeprefix(self._prefix)}.md"

    def _all(self) -> list[Existing]:
        found = []
        for branch, tip in self.branches(self._prefix).items():
            file = self._file(branch)
            if not file.is_file():
                continue
            text = file.read_text(encoding="utf-8")
            title, _, body = text.removeprefix("# ").partition("\n")
            marker = find(body)
            base = self.base(marker.base or None if marker is not None else None)
            merged = self._repository.merge_base(base.commit, tip) == tip
            # A branch that was reset to the base is not merged: nothing of ours is on it.
            done = merged and marker is not None and marker.head == tip
            found.append(
                Existing(
                    number=0,
                    url=str(file),
                    branch=branch,
                    title=title.strip(),
                    body=body.strip(),
                    stage=Stage.MERGED if done else Stage.OPEN,
                    base=base.name,
                )
            )
        return found

    def _write(self, branch: str, title: str, body: str) -> None:
        file = self._file(branch)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            # Whole or not at all: a run may be killed here, and the next one reads it.
            beside = file.with_name(f".{file.name}.new")
            beside.write_text(f"# {title}\n\n{body.strip()}\n", encoding="utf-8")
            beside.replace(file)
        except OSError as error:
            raise ForgeError(
                f"{file} can't be written: {error.strerror}", hint="name another folder for the texts"
            ) from None


def _merges(origin: bytes | None, ours: bytes | None, theirs: bytes | None) -> bool:
    if ours == theirs:
        return True
    if origin is None or ours is None or theirs is None:
        return False
    return merge(origin, ours, theirs, apart=True) is not None
