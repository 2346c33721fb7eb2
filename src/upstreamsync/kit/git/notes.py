"""A text that belongs to a repository and to none of its branches: a note of git, on the empty tree.

Notes lie under refs/notes/, which every forge takes by an ordinary push and no workflow listens to.
"""

from __future__ import annotations

from upstreamsync.errors import PushRefused, RepositoryError, ToolError, ToolFailed
from upstreamsync.kit.git import command as git_command
from upstreamsync.kit.git.repository import Identity, Repository

REF = "refs/notes/upstreamsync"
#: The tree without files, which every git knows.
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def read_note(repository: Repository) -> str | None:
    """The text as it is here; None where there is none."""
    try:
        done = git_command.run("notes", f"--ref={REF}", "show", _EMPTY_TREE, folder=repository.root)
    except ToolError:
        return None
    return done.stdout.decode("utf-8", "replace")


def fetch_note(repository: Repository, remote: str) -> None:
    """Bring the remote's text here, in place of what was; that it has none, or does not answer, is no error."""
    repository.fetch_ref(remote, REF)


def write_note(repository: Repository, text: str, author: Identity) -> None:
    """Write the text here. Raises RepositoryError."""
    identity = {
        f"GIT_{role}_{field}": value
        for role in ("AUTHOR", "COMMITTER")
        for field, value in (("NAME", author.name), ("EMAIL", author.email))
    }
    words = ("notes", f"--ref={REF}", "add", "--force", "--file=-", _EMPTY_TREE)
    try:
        git_command.run("hash-object", "-t", "tree", "-w", "--stdin", folder=repository.root, stdin=b"")
        git_command.run(*words, folder=repository.root, stdin=text.encode(), env=identity)
    except ToolFailed as error:
        raise RepositoryError(
            f"{REF} could not be written: {error.message}", hint="is the repository writable?"
        ) from None


def push_note(repository: Repository, remote: str) -> None:
    """Give the remote our text, if nothing gets lost. Raises PushRefused."""
    repository.push_ref(remote, REF)


__all__ = ["REF", "PushRefused", "fetch_note", "push_note", "read_note", "write_note"]
