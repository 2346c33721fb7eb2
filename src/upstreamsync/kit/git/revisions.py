"""The user's repository, read at any revision."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Self

from upstreamsync.errors import (
    NotThere,
    Refused,
    RepositoryError,
    ToolFailed,
    UsageError,
)
from upstreamsync.kit.digests import sha256
from upstreamsync.kit.git import command as git_command
from upstreamsync.kit.git.checkout import checkout_of
from upstreamsync.kit.git.command import Entry, checked_ref, literal
from upstreamsync.kit.git.history import history
from upstreamsync.kit.lfs import pointed_at
from upstreamsync.kit.paths import check_relative

#: A commit so many steps before another one.
_ANCESTOR = re.compile(r"([^~^]+)[~^][~^0-9]*")
_MAX_EXPORT = 2 * 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who makes a commit."""

    name: str
    email: str

    def __post_init__(self) -> None:
        if not self.name.strip() or any(c in f"{self.name}{self.email}" for c in "<>\n\r\0"):
            raise UsageError(f"`{self.name} <{self.email}>` can't be the author of a commit")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One commit of a log; ``date`` is the committer's, aware."""

    commit: str
    author: Identity
    date: datetime
    message: str
    committer: Identity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submodule:
    """A submodule at one revision: its path, the address that .gitmodules gives, and the commit."""

    path: str
    url: str
    commit: str


class Revisions:
    """A git repository on disk, as far as it is only read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._remote_env: Mapping[str, str] = {}
        self._listed: tuple[tuple[str, ...], Sequence[Entry]] | None = None

    @classmethod
    def open(cls, path: Path) -> Self:
        """The repository that ``path`` (a file or folder) is in; raises RepositoryError if there is none."""
        folder = path if path.is_dir() else path.parent
        try:
            top = checkout_of(folder)
            output = git_command.run("rev-parse", "--show-toplevel", folder=top).stdout
        except ToolFailed as error:
            if "dubious ownership" in error.stderr:
                raise RepositoryError(
                    f"git does not trust `{folder}`, as it belongs to another user",
                    hint=f"git config --global --add safe.directory {folder}",
                ) from None
            raise NotThere(
                f"`{folder}` is not in a git repository", hint="run `git init`, or change to your repository"
            ) from None
        root = output.decode("utf-8", "surrogateescape").removesuffix("\n")
        if not root or not os.path.lexists(top / ".git"):
            raise RepositoryError(f"`{folder}` is in a bare repository", hint="use a clone with a checkout")
        return cls(Path(root))

    @cached_property
    def git_folder(self) -> Path:
        """The folder with the objects and branches, common to all worktrees."""
        text = self._text("rev-parse", "--git-common-dir")
        return (self.root / text).resolve()

    @cached_property
    def _nothing(self) -> str:
        """The object id that stands for none: as long as this repository's ids are (SHA-1 or SHA-256)."""
        return "0" * (64 if self._text("rev-parse", "--show-object-format") == "sha256" else 40)

    def head(self) -> str:
        """The commit that is checked out; raises RepositoryError where there is none yet."""
        return self.resolve("HEAD")

    def resolve(self, rev: str, *, kind: str = "commit") -> str:
        """The commit (or ``tree``) that a revision stands for; raises RepositoryError where there is none."""
        _check_revision(rev)
        try:
            return self._text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{{kind}}}")
        except ToolFailed:
            raise NotThere(
                f"`{rev}` is not a commit of `{self.root}`", hint=_how_to_have(rev, self._text)
            ) from None

    def branch(self) -> str | None:
        """The branch that is checked out, None when HEAD is detached."""
        try:
            return self._text("symbolic-ref", "--quiet", "--short", "HEAD")
        except ToolFailed:
            return None

    def is_dirty(self, paths: Sequence[str] = ()) -> bool:
        """Whether the working tree (or ``paths`` in it) differs from HEAD; untracked files count."""
        words = ["status", "--porcelain", "-z", "--untracked-files=normal", "--", *map(literal, paths)]
        return bool(self._run(*words))

    def tracked_files(self, rev: str = "HEAD", prefix: str = "") -> tuple[str, ...]:
        """The paths of all files, links included, at ``rev``, below the folder ``prefix``; sorted."""
        return tuple(
            entry.path for entry in self._entries(rev, [prefix] if prefix else []) if entry.kind == "blob"
        )

    def read(self, rev: str, path: str) -> bytes | None:
        """The content of a file at ``rev``; None where there is none. Raises Refused for a link."""
        return self.read_all(rev, [path]).get(path)

    def object_ids(self, rev: str, paths: Sequence[str]) -> dict[str, str]:
        """Path → object id of the files at ``rev``; those that do not exist are left out."""
        return {entry.path: entry.oid for entry in self._entries(rev, paths) if entry.path in paths}

    def read_all(self, rev: str, paths: Sequence[str]) -> dict[str, bytes]:
        """The content of several files at ``rev``; those that do not exist are left out."""
        entries = {entry.path: entry for entry in self._entries(rev, paths)}
        wanted = [entries[path] for path in paths if path in entries and entries[path].kind == "blob"]
        for entry in wanted:
            if not entry.regular:
                raise Refused(f"`{entry.path}` is a link, not a file", hint="name the file that it points to")
        content = self._blobs([entry.oid for entry in wanted])
        return {entry.path: content[entry.oid] for entry in wanted}

    def export(
        self,
        rev: str,
        destination: Path,
        prefixes: Sequence[str] | None = None,
        *,
        links: bool = False,
        stored: bool = False,
    ) -> None:
        """Write the files at ``rev`` (below ``prefixes``, None for all) into the folder ``destination``.

        Plain files only: a link to a file of the same export becomes a copy of it, other links and
        submodules are left out. With ``links``, files that the working tree has just so are hard links to those,
        where they can be: whoever asks for it must never write into them. Making a file takes three times as long.
        With ``stored``, a pointer of Git LFS becomes the file that it stands for, where that was fetched before.
        """
        entries = {entry.path: entry for entry in self._entries(rev, prefixes or []) if entry.kind == "blob"}
        content = self._blobs([entry.oid for entry in entries.values()])
        made: set[Path] = set()
        for path, entry in entries.items():
            source = _followed(entry, entries, content)
            if source is None:
                continue
            target = destination / check_relative(path, origin=f"`{rev}`", own=True)
            if target.parent not in made:
                target.parent.mkdir(parents=True, exist_ok=True)
                made.add(target.parent)
            data, executable = content[source.oid], source.mode == "100755"
            data = _stored(self.git_folder, data) if stored else data
            if links and _linked(self.root / path, target, data, executable=executable):
                continue
            target.write_bytes(data)
            if executable:
                target.chmod(0o755)

    def has(self, commit: str) -> bool:
        """Whether a commit is here, with its files."""
        try:
            self._run("cat-file", "-e", f"{commit}^{{tree}}")
        except ToolFailed:
            return False
        return True

    def files_at(self, rev: str) -> dict[str, bytes]:
        """Path → content of every plain file at ``rev``; links and submodules are left out."""
        return self.read_those(rev, lambda _: True)

    def read_those(self, rev: str, wanted: Callable[[str], bool]) -> dict[str, bytes]:
        """Path → content of the plain files at ``rev`` whose path is ``wanted``."""
        entries = [entry for entry in self._entries(rev, []) if entry.regular and wanted(entry.path)]
        content = self._blobs([entry.oid for entry in entries])
        return {entry.path: content[entry.oid] for entry in entries}

    def pointers(self, rev: str) -> dict[str, str]:
        """Path → commit of everything at ``rev`` that is another repository, with an address or without."""
        return {entry.path: entry.oid for entry in self._entries(rev, []) if entry.kind == "commit"}

    def submodules(self, rev: str) -> tuple[Submodule, ...]:
        """The submodules at ``rev`` that have an address, by path; relative ones are seen from ``origin``."""
        pointers = self.pointers(rev)
        if not pointers:
            return ()
        try:
            listed = self._run("config", "--blob", f"{self.resolve(rev)}:.gitmodules", "--list", "-z")
        except ToolFailed:
            return ()
        facts: dict[str, dict[str, str]] = {}
        for record in git_command.records(listed):
            key, _, value = record.partition("\n")
            section, _, name = key.rpartition(".")
            facts.setdefault(section, {})[name] = value
        found = {}
        for one in facts.values():
            path, url = one.get("path", ""), one.get("url", "")
            if path in pointers and url:
                found[path] = Submodule(path=path, url=_absolute(url, self), commit=pointers[path])
        return tuple(found[path] for path in sorted(found))

    def remote_url(self, remote: str = "origin") -> str | None:
        """The address of a remote, None where there is no such remote."""
        try:
            return self._text("remote", "get-url", "--", checked_ref(remote))
        except ToolFailed:
            return None

    def diff_paths(self, before: str, after: str) -> tuple[str, ...]:
        """The paths that differ between two revisions; a move counts as both of its paths."""
        words = ("diff-tree", "-r", "-z", "--name-only", "--no-renames")
        return tuple(git_command.records(self._run(*words, self.resolve(before), self.resolve(after))))

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor, None where there is none."""
        try:
            return self._text("merge-base", self.resolve(one), self.resolve(other))
        except ToolFailed:
            return None

    def log(self, revisions: str, *, limit: int = 1000) -> tuple[LogEntry, ...]:
        """The commits of a range such as ``main..feature``, newest first, at most ``limit``."""
        if revisions.startswith("-"):
            raise RepositoryError(f"`{revisions}` is not a range of revisions")
        return tuple(
            LogEntry(
                commit=one.commit,
                author=Identity(name=_name(one.author[0]), email=_name(one.author[1])),
                committer=Identity(name=_name(one.committer[0]), email=_name(one.committer[1])),
                date=one.date.astimezone(),
                message=one.message,
            )
            for one in history(self.root, self.git_folder, revisions, limit=limit)
        )

    def _entries(self, rev: str, paths: Sequence[str]) -> Sequence[Entry]:
        """What a revision has below ``paths``; what was asked last of a commit is remembered, as it stays so."""
        asked = (rev, *paths)
        if git_command.COMMIT.fullmatch(rev) and self._listed is not None and self._listed[0] == asked:
            return self._listed[1]
        _check_revision(rev)
        words = ("ls-tree", "-r", "-z", "--full-tree", f"{rev}^{{tree}}", "--")
        try:
            found = git_command.tree(self._run(*words, *(path.rstrip("/") for path in paths)))
        except ToolFailed:
            self.resolve(rev, kind="tree")  # says so where there is no such revision
            raise
        self._listed = (asked, found)
        return found

    def _blobs(self, oids: Sequence[str]) -> dict[str, bytes]:
        wanted = list(dict.fromkeys(oids))
        if not wanted:
            return {}
        listing = "".join(f"{oid}\n" for oid in wanted).encode()
        found = git_command.blobs(self._run("cat-file", "--batch", stdin=listing, limit=_MAX_EXPORT), wanted)
        if len(found) != len(wanted):
            raise RepositoryError(
                f"`{self.root}` lacks the content of some of its files",
                hint="is it a partial clone? fetch it whole",
            )
        return found

    def _text(self, *words: str) -> str:
        return self._run(*words).decode("utf-8", "surrogateescape").removesuffix("\n")

    def _run(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        limit: int = 256 * 1024 * 1024,
    ) -> bytes:
        return git_command.run(*words, folder=self.root, env=env, stdin=stdin, limit=limit).stdout


def _absolute(url: str, repository: Revisions) -> str:
    """A submodule's address, which may be relative to where its repository comes from."""
    if not url.startswith(("./", "../")):
        return url
    origin = repository.remote_url() or str(repository.root)
    while url.startswith(("./", "../")):
        if url.startswith("../"):
            origin = re.sub(r"(?<=[^/:])[/:][^/:]*$", "", origin.rstrip("/"))
        url = url.partition("/")[2]
    return f"{origin.rstrip('/')}/{url}"


def _name(text: str) -> str:
    """A name from a foreign commit, as Identity takes it."""
    return "".join(c for c in text if c not in "<>\n\r\0").strip() or "unknown"


def _linked(file: Path, target: Path, data: bytes, *, executable: bool) -> bool:
    """Whether ``target`` could be made a link to a plain file that has these bytes, and may be run or not as wished."""
    try:
        facts = os.lstat(file)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size != len(data):
            return False
        if bool(facts.st_mode & stat.S_IXUSR) != executable or file.read_bytes() != data:
            return False
        os.link(file, target)
    except OSError:
        return False
    return True


def _stored(git_folder: Path, data: bytes) -> bytes:
    """What a pointer of Git LFS stands for, if it was fetched; the file itself otherwise. No filter is run."""
    digest = pointed_at(data)
    if digest is None:
        return data
    name = digest.removeprefix("sha256:")
    try:
        found = (git_folder / "lfs/objects" / name[:2] / name[2:4] / name).read_bytes()
    except OSError:
        return data
    return found if sha256(found) == digest else data


def _followed(entry: Entry, entries: Mapping[str, Entry], content: Mapping[str, bytes]) -> Entry | None:
    """The file that an entry is or, as a link, points to; None for a link that leads elsewhere."""
    for _ in range(8):
        if entry.regular:
            return entry
        target = content[entry.oid].decode("utf-8", "surrogateescape")
        parts: list[str] = list(PurePosixPath(entry.path).parent.parts)
        for part in target.split("/") if not target.startswith("/") else [".."] * 99:
            if part == ".." and not parts:
                return None
            if part == "..":
                parts.pop()
            elif part not in {"", "."}:
                parts.append(part)
        found = entries.get("/".join(parts))
        if found is None:
            return None
        entry = found
    return None


def _how_to_have(rev: str, git: Callable[..., str]) -> str:
    """What to do about a revision that is not there."""
    if rev == "HEAD":
        return "make a first commit"
    if git("rev-parse", "--is-shallow-repository") == "true":
        return "fetch it first; a shallow clone has no history"
    start = _ANCESTOR.fullmatch(rev)
    try:
        count = git("rev-list", "--count", "--first-parent", "--end-of-options", start[1]) if start else ""
    except ToolFailed:
        count = ""
    if start and count:
        commits = "1 commit" if count == "1" else f"{count} commits"
        return f"`{start[1]}` has {commits} in all: name a later one, a branch or a tag"
    return "`git fetch` brings what the remote has; `git branch --all` and `git tag` list what is here"


def _check_revision(rev: str) -> None:
    if not rev or rev.startswith("-") or "\0" in rev or "\n" in rev:
        raise NotThere(
            f"`{rev}` is not a git revision", hint="name a branch, a tag or a commit: origin/main, HEAD~1"
        )
