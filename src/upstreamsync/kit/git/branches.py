"""Commits and branches, made without touching the checkout, the index or HEAD."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import PurePosixPath

from upstreamsync.errors import (
    Refused,
    RepositoryError,
    ToolFailed,
)
from upstreamsync.kit.git import command as git_command
from upstreamsync.kit.git.command import checked_ref
from upstreamsync.kit.git.revisions import Identity, Revisions
from upstreamsync.kit.paths import check_relative

_MOVED = "did something else move it? run again"


class Branches(Revisions):
    """A git repository that is given objects and branches, and otherwise left alone."""

    def commit(
        self,
        *,
        parent: str,
        files: Mapping[str, bytes | None],
        message: str,
        author: Identity,
        sign: bool | None = None,
        date: datetime | None = None,
        executable: Collection[str] = (),
    ) -> str:
        """Make a commit on top of ``parent`` with ``files`` changed (None: removed); no branch moves.

        Files keep their mode, but for those that are to be ``executable``. The same input makes the same
        commit, as the date is the parent's unless ``date`` (aware) is given; a signature breaks that.
        ``sign`` None: as ``commit.gpgsign`` says.
        Raises Refused for a path through a link or out of the repository, RepositoryError otherwise.
        """
        parent = self.resolve(parent)
        modes = self._modes(parent, files) | dict.fromkeys(executable, "100755")
        when = str(int(date.timestamp())) if date else self._text("log", "-1", "--format=%ct", parent)
        identity = {
            f"GIT_{role}_{field}": value
            for role in ("AUTHOR", "COMMITTER")
            for field, value in (("NAME", author.name), ("EMAIL", author.email), ("DATE", f"{when} +0000"))
        }
        written = [path for path, data in files.items() if data is not None]
        oids = dict(zip(written, self._write([files[path] or b"" for path in written]), strict=True))
        # Removals first: a folder may take the place of a file that goes.
        lines = [f"0 {self._nothing}\t{path}\0" for path, data in files.items() if data is None]
        lines += [f"{modes.get(path, '100644')} {oids[path]}\t{path}\0" for path in written]
        with tempfile.TemporaryDirectory(prefix="upstreamsync-index-") as folder:
            env = {"GIT_INDEX_FILE": f"{folder}/index"}
            try:
                self._run("read-tree", parent, env=env)
                index = "".join(lines).encode("utf-8", "surrogateescape")
                self._run("update-index", "-z", "--index-info", env=env, stdin=index)
                tree = self._run("write-tree", env=env).decode().strip()
                words = ["commit-tree", tree, "-p", parent]
                if self._signs() if sign is None else sign:
                    words.append("-S")
                return self._run(*words, env=identity, stdin=message.encode()).decode().strip()
            except ToolFailed as error:
                raise RepositoryError(
                    f"the commit could not be made: {error.message}",
                    hint="is the repository writable, the key there?",
                ) from None

    def _modes(self, parent: str, files: Mapping[str, bytes | None]) -> dict[str, str]:
        """The modes of those files that exist; refuses paths that lead through a link or out of the tree."""
        looked_up: dict[str, None] = {}
        for path in files:
            check_relative(path, origin="the change")
            looked_up[path] = None
            looked_up.update(dict.fromkeys(map(str, list(PurePosixPath(path).parents)[:-1])))
        output = b""
        names = list(looked_up)
        for start in range(0, len(names), 500):  # within the limits of a command line
            output += self._run("ls-tree", "-z", "--full-tree", parent, "--", *names[start : start + 500])
        modes: dict[str, str] = {}
        for entry in git_command.tree(output):
            if entry.kind == "commit" or (entry.kind == "blob" and not entry.regular):
                what = "submodule" if entry.kind == "commit" else "link"
                raise Refused(
                    f"`{entry.path}` is a {what}, and is not written through",
                    hint="put a file or folder in its place first",
                )
            if entry.kind == "blob":
                modes[entry.path] = entry.mode
        return modes

    def _write(self, contents: Sequence[bytes]) -> list[str]:
        """Store blobs, all in one process; their object ids."""
        if not contents:
            return []
        parts: list[bytes] = []
        for number, data in enumerate(contents, 1):
            parts.append(b"blob\nmark :%d\ndata %d\n%s\n" % (number, len(data), data))
        parts += [b"get-mark :%d\n" % number for number in range(1, len(contents) + 1)]
        # `done` guards against a stream that was cut off.
        stdin = b"".join([*parts, b"done\n"])
        return self._run("fast-import", "--quiet", "--done", stdin=stdin).decode().split()

    def _signs(self) -> bool:
        try:
            return self._text("config", "--type=bool", "--get", "commit.gpgsign") == "true"
        except ToolFailed:
            return False

    def branch_commit(self, branch: str) -> str | None:
        """Where a local branch points to, None where there is no such branch."""
        try:
            return self._text("rev-parse", "--verify", "--quiet", "--end-of-options", head_ref(branch))
        except ToolFailed:
            return None

    def local_branches(self, prefix: str) -> tuple[str, ...]:
        """The local branches whose names begin with ``prefix``, sorted."""
        output = self._text("for-each-ref", "--format=%(refname)", "refs/heads/")
        names = (ref.removeprefix("refs/heads/") for ref in output.splitlines())
        return tuple(sorted(name for name in names if name.startswith(prefix)))

    def update_branch(self, branch: str, commit: str, expected: str | None = None) -> None:
        """Let ``branch`` point to ``commit``; ``expected`` is where it must point now (``""``: nowhere).

        Raises RepositoryError when it points elsewhere, or is checked out somewhere.
        """
        self._refuse_checked_out(branch)
        words = [
            "update-ref",
            "-m",
            "upstreamsync",
            "--end-of-options",
            head_ref(branch),
            self.resolve(commit),
        ]
        if expected is not None:
            words.append(expected or self._nothing)
        try:
            self._run(*words)
        except ToolFailed as error:
            raise RepositoryError(
                f"the branch `{branch}` could not be set: {error.message}",
                hint=why_refused(error.stderr)[1] if "cannot create" in error.stderr else _MOVED,
            ) from None

    def delete_branch(self, branch: str) -> None:
        """Remove a branch, if it exists; raises RepositoryError when it is checked out somewhere."""
        self._refuse_checked_out(branch)
        try:
            self._run("update-ref", "-d", "--end-of-options", head_ref(branch))
        except ToolFailed as error:
            raise RepositoryError(f"the branch `{branch}` could not be removed: {error.message}") from None

    def _refuse_checked_out(self, branch: str) -> None:
        if f"branch {head_ref(branch)}" in self._text("worktree", "list", "--porcelain").splitlines():
            raise RepositoryError(
                f"the branch `{branch}` is checked out, and is left alone",
                hint="switch to another branch first",
            )


def head_ref(branch: str) -> str:
    """The full name of a branch. Raises UsageError for what can be none."""
    return f"refs/heads/{checked_ref(branch)}"


def why_refused(stderr: str) -> tuple[str, str]:
    """What git says of a branch that could not be set or pushed, and what to do about it."""
    text = stderr.lower()
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    said = [line for line in lines if line.startswith(("remote:", "fatal:", "!", "error:"))]
    reason = "; ".join((said or lines or ["git said nothing"])[:4])[:1000]
    if "protected branch" in text or "hook declined" in text:
        return reason, "the remote's rules forbid it; let them allow branches of upstreamsync"
    if any(
        sign in text for sign in ("authentication", "permission", "403", "401", "could not read", "denied")
    ):
        return reason, "give credentials that may write: a token with `contents: write`, or an ssh key"
    if "directory file conflict" in text or "exists; cannot create" in text:
        return reason, (
            "a branch is in the way: git keeps no branch `a` beside `a/b`. Rename or delete that branch, or set "
            "`forge.branch_prefix` in vendors.yaml"
        )
    if "stale info" in text or "rejected" in text or "fetch first" in text:
        return reason, "somebody else moved the branch meanwhile; run again to look at what is there"
    return reason, "check the remote: git remote -v"
