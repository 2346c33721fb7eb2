"""What git's settings and attributes do to files of the working tree; asked of git itself."""

from __future__ import annotations

import posixpath
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from upstreamsync.errors import ToolFailed
from upstreamsync.kit.git import command as git_command
from upstreamsync.kit.git.repository import Repository


def ignored(repository: Repository, paths: Sequence[str]) -> dict[str, str]:
    """Those of the paths that git leaves out, each with the rule that says so (``.gitignore:3``)."""
    if not paths:
        return {}
    stdin = git_command.listed(paths)
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


#: A file of the index as ``git ls-files --debug -z`` shows it: its path, when it was changed, and its size.
_STAT = re.compile(
    rb"([^\0]+)\0  ctime: \d+:\d+\n  mtime: (\d+):(\d+)\n  dev: \d+\tino: \d+\n"
    rb"  uid: \d+\tgid: \d+\n  size: (\d+)\tflags: [0-9a-f]+\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """A file whose bytes git changes on the way to a checkout.

    ``stored`` is the object that git has of it; ``filter`` and ``encoding`` are named by its attributes, and with
    neither it is the line endings or git's own keyword that change. ``touched`` says that it was
    written since, as far as its time and size tell.
    """

    stored: str
    touched: bool
    filter: str | None = None
    encoding: str | None = None


def conversions(repository: Repository, paths: Sequence[str]) -> dict[str, Conversion]:
    """Those of the paths that git has and converts; how. No filter is run for it."""
    if not paths:
        return {}
    literal = list(map(git_command.literal, paths))
    always = _setting(repository, "core.autocrlf") in ("true", "input")
    named = _attributes(repository, paths)
    untouched = _as_indexed(repository, literal)
    found = {}
    for record in _lines(repository, "ls-files", "--stage", "--eol", "--full-name", "-z", "--", *literal):
        facts, endings, path = record.split("\t", 2)
        attribute = endings.partition("attr/")[2].strip()
        applies = attribute.startswith(("text", "eol")) or (always and attribute != "-text")
        if applies or path in named:
            found[path] = Conversion(
                stored=facts.split()[1],
                touched=path not in untouched,
                filter=named.get(path, {}).get("filter"),
                encoding=named.get(path, {}).get("working-tree-encoding"),
            )
    return found


def _as_indexed(repository: Repository, literal: Sequence[str]) -> frozenset[str]:
    """Those of the files that have the time and size that git noted when it checked them out.

    git's own `diff-files` would run a filter to be sure of a file that is as young as the index, and believes who
    told it to assume that a file is unchanged.
    """
    words = ("ls-files", "--debug", "--full-name", "-z", "--", *literal)
    same = set()
    for match in _STAT.finditer(git_command.run(*words, folder=repository.root).stdout):
        path = match[1].decode("utf-8", "surrogateescape")
        if _has(repository.root / path, *(int(number) for number in match.groups()[1:])):
            same.add(path)
    return frozenset(same)


def _has(file: Path, seconds: int, nanoseconds: int, size: int) -> bool:
    try:
        now = file.lstat()
    except OSError:
        return False
    whole, part = divmod(now.st_mtime_ns, 1_000_000_000)
    # Some other programs that check out note whole seconds.
    return (whole, now.st_size) == (seconds, size) and nanoseconds in (0, part)


def contents(repository: Repository, oids: Sequence[str]) -> dict[str, bytes]:
    """What git has stored under object ids, as it is; those that a partial clone lacks are left out."""
    listing = "".join(f"{oid}\n" for oid in oids).encode()
    done = git_command.run("cat-file", "--batch", folder=repository.root, stdin=listing)
    return git_command.blobs(done.stdout, oids)


def filters_at(repository: Repository, commit: str, paths: Sequence[str]) -> dict[str, str]:
    """Path → filter, of those of the paths to which the attributes of a commit give one. None is run."""
    if not paths or not _names_filters(repository, commit):
        return {}
    stdin = git_command.listed(paths)
    with tempfile.TemporaryDirectory(prefix="upstreamsync-index-") as folder:
        env = {"GIT_INDEX_FILE": f"{folder}/index"}
        git_command.run("read-tree", commit, folder=repository.root, env=env)
        words = ("check-attr", "--cached", "-z", "--stdin", "filter")
        done = git_command.run(*words, folder=repository.root, env=env, stdin=stdin)
    return {path: said["filter"] for path, said in _named(done.stdout).items()}


def _names_filters(repository: Repository, commit: str) -> bool:
    """Whether there are attributes that speak of filters; most repositories have none."""
    own = repository.git_folder / "info/attributes"
    if own.is_file() and b"filter" in own.read_bytes():
        return True
    files = [
        path for path in repository.tracked_files(commit) if posixpath.basename(path) == ".gitattributes"
    ]
    found = repository.read_those(commit, frozenset(files).__contains__) if files else {}
    return any(b"filter" in data for data in found.values())


def changed_since(
    repository: Repository, anchor: str, stored: Mapping[str, str], *, rev: str = "HEAD"
) -> bool | None:
    """Whether files have other objects (path → id) than when the file ``anchor`` was last committed before ``rev``.

    None where history is cut off before that can be known.
    """
    last = _lines(repository, "rev-list", "-1", rev, "--", git_command.literal(anchor))
    if not last:
        return None
    commit = last[0].strip()
    then = git_command.tree(
        git_command.run(
            "ls-tree", "-r", "-z", "--full-tree", commit, "--", *stored, folder=repository.root
        ).stdout
    )
    if {entry.path: entry.oid for entry in then} != dict(stored):
        return True
    cut = repository.git_folder / "shallow"
    return None if cut.exists() and commit in cut.read_text().split() else False


def _attributes(repository: Repository, paths: Sequence[str]) -> dict[str, dict[str, str]]:
    """Path → attribute → value, of the attributes that change bytes, where they are given."""
    stdin = git_command.listed(paths)
    asked = ("filter", "working-tree-encoding", "ident")
    done = git_command.run("check-attr", "-z", "--stdin", *asked, folder=repository.root, stdin=stdin)
    return _named(done.stdout)


def _named(output: bytes) -> dict[str, dict[str, str]]:
    """What ``git check-attr -z`` printed, without what is not given."""
    words = git_command.records(output)
    found: dict[str, dict[str, str]] = {}
    for path, name, value in zip(words[0::3], words[1::3], words[2::3], strict=False):
        if value not in ("unspecified", "unset"):
            found.setdefault(path, {})[name] = value
    return found


def _lines(repository: Repository, *words: str) -> list[str]:
    return git_command.records(git_command.run(*words, folder=repository.root).stdout)


def _setting(repository: Repository, name: str) -> str:
    try:
        return git_command.run("config", "--get", name, folder=repository.root).stdout.decode().strip()
    except ToolFailed:
        return ""
