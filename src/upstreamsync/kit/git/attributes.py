"""What git's settings and attributes do to files of the working tree; asked of git itself."""

from __future__ import annotations

from collections.abc import Sequence

from upstreamsync.errors import ToolFailed
from upstreamsync.kit.git import command as git_command
from upstreamsync.kit.git.repository import Repository


def ignored(repository: Repository, paths: Sequence[str]) -> dict[str, str]:
    """Those of the paths that git leaves out, each with the rule that says so (``.gitignore:3``)."""
    if not paths:
        return {}
    stdin = "".join(f"{path}\0" for path in paths).encode("utf-8", "surrogateescape")
    try:
        done = git_command.run(
            "check-ignore", "--verbose", "-z", "--stdin", folder=repository.root, stdin=stdin
        )
    except ToolFailed as error:
        if error.returncode == 1:  # none of them
            return {}
        raise
    words = git_command.records(done.stdout)
    return {
        path: f"{source}:{line}"
        for source, line, pattern, path in zip(*(words[field::4] for field in range(4)), strict=False)
        if not pattern.startswith("!")
    }


def converted(repository: Repository, paths: Sequence[str]) -> frozenset[str]:
    """Those of the paths that are as git checked them out, and whose line endings git converts."""
    if not paths:
        return frozenset()
    literal = [f":(top,literal){path}" for path in paths]
    changed = set(_lines(repository, "diff-files", "--name-only", "-z", "--", *literal))
    always = _setting(repository, "core.autocrlf") in ("true", "input")
    found = set()
    for record in _lines(repository, "ls-files", "--eol", "--full-name", "-z", "--", *literal):
        facts, _, path = record.partition("\t")
        attribute = facts.partition("attr/")[2].strip()
        applies = attribute.startswith(("text", "eol")) or (always and attribute != "-text")
        if applies and path not in changed:
            found.add(path)
    return frozenset(found)


def _lines(repository: Repository, *words: str) -> list[str]:
    return git_command.records(git_command.run(*words, folder=repository.root).stdout)


def _setting(repository: Repository, name: str) -> str:
    try:
        return git_command.run("config", "--get", name, folder=repository.root).stdout.decode().strip()
    except ToolFailed:
        return ""
