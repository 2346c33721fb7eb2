"""Other people's repositories, read with git over the network without ever a checkout.

The user's own repository is in ``repository``, and re-exported here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path

from upstreamsync.errors import (
    NotFound,
    TooLarge,
    ToolFailed,
)
from upstreamsync.kit.git import command as git_command
from upstreamsync.kit.git import objects
from upstreamsync.kit.git.cached import CachedRepositories, RemoteRef
from upstreamsync.kit.git.command import COMMIT, Address, Entry
from upstreamsync.kit.git.failures import ref_missing
from upstreamsync.kit.git.tree import MAX_BYTES, GitTree
from upstreamsync.kit.paths import check_relative
from upstreamsync.kit.redact import redact
from upstreamsync.kit.store import dependencies

_KEEP = "refs/upstreamsync/fetched"


class Git(CachedRepositories):
    """Remote repositories, for a whole run; safe for many threads.

    What is fetched stays in the cache, so that the next version costs its difference. ``timeout`` is in
    seconds and for one run of git. ``allow_local`` permits file:// and plain paths, for tests and demos.
    ``jobs`` bounds how many repositories are listed at once. ``locate`` says where an http(s) address leads to:
    git itself follows no redirect, as it would follow one to anywhere.
    """

    def ls_remote(self, url: str, *, heads: bool = False, tags: bool = True) -> tuple[RemoteRef, ...]:
        """The branches and tags of a repository, by full name; asked once a run.

        An annotated tag stands for the commit that it was put on. Raises UsageError or Refused for the
        address, and NotFound, Denied or Unreachable.
        """
        return dependencies.asked(
            ("git-refs", url, heads, tags),
            lambda: self._listed_once(url, heads=heads, tags=tags),
            lambda refs: [(one.ref, one.commit) for one in refs],
        )

    def _listed_once(self, url: str, *, heads: bool, tags: bool) -> tuple[RemoteRef, ...]:
        key = (url, heads, tags)
        with self._lock:
            future = self._listed.get(key)
            if mine := future is None:
                future = self._listed[key] = Future()
        if mine:
            try:
                future.set_result(self._list(url, heads=heads, tags=tags))
            except BaseException as error:
                future.set_exception(error)
                raise
        return future.result()

    def _list(self, url: str, *, heads: bool, tags: bool) -> tuple[RemoteRef, ...]:
        address = git_command.checked_address(url, allow_local=self._allow_local)
        kinds = [option for option, wanted in (("--heads", heads), ("--tags", tags)) if wanted]
        with self._asking:
            output = self._ask(address, "ls-remote", *kinds, "--end-of-options", address.url)
        commits: dict[str, str] = {}
        for line in output.decode("utf-8", "replace").splitlines():
            oid, _, ref = line.partition("\t")
            if COMMIT.fullmatch(oid) and ref.startswith(("refs/heads/", "refs/tags/")):
                # Behind an annotated tag stands a second line, `^{}`, with the commit itself.
                commits[ref.removesuffix("^{}")] = oid
        return tuple(
            RemoteRef(name=ref.split("/", 2)[2], commit=commit, ref=ref)
            for ref, commit in sorted(commits.items())
        )

    def fetch_tree(self, url: str, ref_or_commit: str) -> GitTree:
        """The files at a branch, tag, full ref or commit: listed now, their content read when asked for.

        Where a name is both, the tag is meant. Raises as ``ls_remote``; NotFound also for the ref.
        """
        address = git_command.checked_address(url, allow_local=self._allow_local)
        ref = git_command.checked_ref(ref_or_commit)

        def listed(store: Path) -> tuple[str, tuple[Entry, ...]]:
            commit = self._fetch(store, address, ref)
            return commit, objects.entries(commit, lambda oids: self._objects(store, oids))

        commit, entries = self._in_store(address, listed)
        return GitTree(git=self, address=address, commit=commit, entries=entries)

    def date_of(self, url: str, ref_or_commit: str) -> datetime | None:
        """When the commit that a name stands for was made, or an annotated tag if that is younger; aware, UTC.

        None where neither says it in a way that can be. Raises as ``fetch_tree``.
        """
        address = git_command.checked_address(url, allow_local=self._allow_local)
        ref = git_command.checked_ref(ref_or_commit)
        with self._store(address) as store:
            commit = self._fetch(store, address, ref)
            said = self._local(store, "log", "-1", "--no-show-signature", "--format=%ct", commit).split()
            if not COMMIT.fullmatch(ref):
                said += self._local(store, "for-each-ref", "--format=%(creatordate:unix)", _keep(ref)).split()
        return max(filter(None, map(_moment, said)), default=None)

    def last_change(self, url: str, ref_or_commit: str, path: str) -> str:
        """The last commit up to ``ref_or_commit`` that changed ``path``; fetches history without content.

        Raises as ``fetch_tree``; NotFound also where no commit touched the path.
        """
        return dependencies.asked(
            ("git-change", url, ref_or_commit, path),
            lambda: self._last_change(url, ref_or_commit, path),
            str,
        )

    def _last_change(self, url: str, ref_or_commit: str, path: str) -> str:
        address = git_command.checked_address(url, allow_local=self._allow_local)
        ref = git_command.checked_ref(ref_or_commit)
        check_relative(path, origin="the request")

        def look(store: Path) -> bytes:
            tip = self._fetch(store, address, ref)
            if (store / "shallow").exists():
                self._remote(store, address, "--unshallow", "--filter=blob:none", "origin", tip)
            return self._local(store, "log", "-1", "--format=%H", tip, "--", f":(literal){path}")

        found = self._in_store(address, look)
        if not found.strip():
            raise NotFound(f"no commit of `{redact(url)}` up to `{ref}` has `{path}`")
        return found.decode().strip()

    def _fetch(self, store: Path, address: Address, ref: str) -> str:
        """Bring one commit into the store, content left out where the server can, and return its id."""
        exact = COMMIT.fullmatch(ref) is not None
        if exact and self._has(store, ref):
            return ref
        keep = _keep(ref)
        try:
            self._remote(store, address, "--depth=1", "--filter=blob:none", "origin", f"+{ref}:{keep}")
        except NotFound as error:
            if not exact:
                raise ref_missing(address, ref, error) from None
            # A server that gives only what it names: take the history of all it names, without content.
            self._remote(
                store, address, "--filter=blob:none", "origin", "+refs/heads/*:refs/upstreamsync/heads/*"
            )
            if not self._has(store, ref):
                raise ref_missing(address, ref, error) from None
            return ref
        try:
            commit = self._local(store, "rev-parse", "--verify", "--end-of-options", f"{keep}^{{commit}}")
        except ToolFailed:
            raise NotFound(f"`{ref}` of `{redact(address.url)}` is not a commit") from None
        return commit.decode().strip()

    def _has(self, store: Path, commit: str) -> bool:
        try:
            self._local(store, "cat-file", "-e", f"{commit}^{{tree}}")
        except ToolFailed:
            return False
        return True

    def read(self, address: Address, entries: Sequence[Entry]) -> dict[str, bytes]:
        """The content of entries by object id, fetched together where it is missing. For GitTree."""
        wanted = list(dict.fromkeys(entry.oid for entry in entries))
        if not wanted:
            return {}
        return self._in_store(address, lambda store: self._content(store, address, wanted))

    def _content(self, store: Path, address: Address, wanted: list[str]) -> dict[str, bytes]:
        listing = "".join(f"{oid}\n" for oid in wanted).encode()
        missing = self._missing(store, listing)
        if missing:
            stdin = "".join(f"{oid}\n" for oid in missing).encode()
            self._remote(store, address, "--filter=blob:none", "--stdin", "origin", stdin=stdin)
        sizes = self._local(store, "cat-file", "--batch-check=%(objectsize)", stdin=listing)
        total = sum(int(size) for size in sizes.split() if size.isdigit())
        if total > MAX_BYTES:
            raise TooLarge(
                f"the files of `{redact(address.url)}` have {total} bytes; the limit is {MAX_BYTES}"
            )
        return objects.checked(self._objects(store, wanted), wanted)

    def _objects(self, store: Path, oids: Sequence[str]) -> bytes:
        """What git says of objects, content included, in their order; those that are absent are named alone."""
        listing = "".join(f"{oid}\n" for oid in oids).encode()
        return self._local(store, "cat-file", "--batch", stdin=listing)

    def _missing(self, store: Path, listing: bytes) -> list[str]:
        """Which of the objects the store lacks."""
        output = self._local(store, "cat-file", "--batch-check=%(objectname)", stdin=listing)
        return [line.split()[0] for line in output.decode().splitlines() if line.endswith(" missing")]


def _moment(seconds: bytes) -> datetime | None:
    """Seconds since 1970 as git prints them; None for what is no moment of our calendar."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _keep(ref: str) -> str:
    """Where a store keeps what a ref of the remote was when it was fetched."""
    return f"{_KEEP}/{hashlib.sha256(ref.encode()).hexdigest()[:20]}"


__all__ = ["Git", "GitTree", "RemoteRef"]
