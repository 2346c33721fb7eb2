"""Other people's repositories, read with git over the network without ever a checkout.

The user's own repository is in ``repository``, and re-exported here.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from upstreamsync.errors import (
    Denied,
    NotFound,
    Refused,
    TooLarge,
    ToolFailed,
    ToolTimeout,
    Unreachable,
    UpstreamsyncError,
)
from upstreamsync.kit.git import command as git_command
from upstreamsync.kit.git import objects
from upstreamsync.kit.git.command import COMMIT, DEFAULT_TIMEOUT, Address, Entry
from upstreamsync.kit.git.store import prepare, start_over
from upstreamsync.kit.http.credentials import Credentials
from upstreamsync.kit.paths import check_relative
from upstreamsync.kit.redact import redact
from upstreamsync.kit.run import locks
from upstreamsync.kit.store import dependencies
from upstreamsync.kit.store.cache import Cache
from upstreamsync.model import ContentFile

Found = TypeVar("Found")

if TYPE_CHECKING:
    from upstreamsync.kit.git.repository import Identity, LogEntry, Repository

MAX_FILES = 20_000
MAX_BYTES = 256 * 1024 * 1024
_KEEP = "refs/upstreamsync/fetched"
#: What git asks first over http, and what it says where that is answered by a redirect.
_REFS = "/info/refs?service=git-upload-pack"
#: What git says of a fetch that failed because of what lies in the store already.
_BLAMES_STORE = re.compile(r"(?i)collision|corrupt|loose object|bad (?:object|tree|sha1|config)|packfile")
_REDIRECTED = re.compile(r"returned error: 30[12378]\b")

#: What git says, in the order in which it is looked for, and what that means.
_MEANINGS: tuple[tuple[type[UpstreamsyncError], tuple[str, ...]], ...] = (
    (
        Denied,
        (
            "authentication failed",
            "could not read username",
            "could not read password",
            "permission denied",
            "access denied",
            "returned error: 401",
            "returned error: 403",
            "host key verification failed",
        ),
    ),
    (
        NotFound,
        (
            "couldn't find remote ref",
            "not our ref",
            "unadvertised object",
            "repository not found",
            "' not found",
            "returned error: 404",
            "returned error: 301",
            "returned error: 302",
            "returned error: 307",
            "returned error: 308",
            "does not appear to be a git repository",
            "does not exist",
            "/info/refs not valid",
            "not found: did you run git update-server-info",
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteRef:
    """A branch or tag of a remote repository: short name, full name, and the commit it stands for."""

    name: str
    commit: str
    ref: str = ""


class Git:
    """Remote repositories, for a whole run; safe for many threads.

    What is fetched stays in the cache, so that the next version costs its difference. ``timeout`` is in
    seconds and for one run of git. ``allow_local`` permits file:// and plain paths, for tests and demos.
    ``jobs`` bounds how many repositories are listed at once. ``locate`` says where an http(s) address leads to:
    git itself follows no redirect, as it would follow one to anywhere.
    """

    def __init__(
        self,
        *,
        cache: Cache | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        allow_local: bool = False,
        credentials: Credentials | None = None,
        backoff: float = 0.5,
        jobs: int = 16,
        attempts: int = 3,
        offline: bool = False,
        locate: Callable[[str], str] | None = None,
    ) -> None:
        self._offline = offline
        self._locate = locate
        self._moved: dict[str, Address] = {}
        self._cache = cache
        self._attempts = attempts
        self._timeout = timeout
        self._allow_local = allow_local
        self._credentials = credentials or Credentials()
        self._backoff = backoff
        self._asking = threading.BoundedSemaphore(jobs)
        self._lock = threading.Lock()
        self._listed: dict[tuple[str, bool, bool], Future[tuple[RemoteRef, ...]]] = {}
        self._busy: dict[str, threading.Lock] = {}
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    def close(self) -> None:
        """Remove what was fetched without a cache, and forget what was listed."""
        with self._lock:
            scratch, self._scratch = self._scratch, None
            self._listed.clear()
        if scratch is not None:
            scratch.cleanup()

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

    def date_of(self, url: str, ref_or_commit: str) -> datetime:
        """When an annotated tag was made, or else the commit that a name stands for; aware, UTC.

        Raises as ``fetch_tree``.
        """
        address = git_command.checked_address(url, allow_local=self._allow_local)
        ref = git_command.checked_ref(ref_or_commit)
        with self._store(address) as store:
            commit = self._fetch(store, address, ref)
            if COMMIT.fullmatch(ref):
                said = self._local(store, "log", "-1", "--format=%ct", commit)
            else:
                said = self._local(store, "for-each-ref", "--format=%(creatordate:unix)", _keep(ref))
        return datetime.fromtimestamp(int(said), UTC)

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
                raise _ref_missing(address, ref, error) from None
            # A server that gives only what it names: take the history of all it names, without content.
            self._remote(
                store, address, "--filter=blob:none", "origin", "+refs/heads/*:refs/upstreamsync/heads/*"
            )
            if not self._has(store, ref):
                raise _ref_missing(address, ref, error) from None
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

    # -- the stores: bare repositories in the cache ---------------------------------------------------

    def _in_store(self, address: Address, work: Callable[[Path], Found]) -> Found:
        """Do ``work`` with the store for an address; with an empty one where the store turns out to be damaged."""
        with self._store(address) as store:
            try:
                return work(store)
            except (objects.Damaged, ToolFailed, ValueError):
                pass
            except Unreachable as error:
                if not _BLAMES_STORE.search(error.message) and self._is_sound(store):
                    raise
            start_over(store)
            prepare(store, address.url)
            return work(store)

    def _is_sound(self, store: Path) -> bool:
        """Whether git can read a store; whether what it reads is right is another question."""
        try:
            self._local(store, "rev-list", "--all", "--max-count=1")
        except ToolFailed:
            return False
        return True

    @contextlib.contextmanager
    def _store(self, address: Address) -> Iterator[Path]:
        """The bare repository for an address, for this thread and process alone."""
        name = hashlib.sha256(address.url.encode()).hexdigest()[:40]
        with self._lock:
            busy = self._busy.setdefault(name, threading.Lock())
        with busy:
            store = self._folder() / name
            try:
                with locks.hold(store.with_suffix(".lock"), wait=self._timeout):
                    prepare(store, address.url)
                    yield store
            except locks.Busy as error:
                raise Unreachable(
                    f"another run (process {error.holder}) is fetching `{redact(address.url)}`",
                    hint="wait for it, or end it",
                ) from None

    def _folder(self) -> Path:
        """Where the stores lie: in the cache, else, where that can't be written, in a temporary folder."""
        folder = self._cache.folder if self._cache is not None else None
        if folder is not None:
            with contextlib.suppress(OSError):
                (folder / "git").mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=folder / "git"):
                    return folder / "git"
        with self._lock:
            if self._scratch is None:
                self._scratch = tempfile.TemporaryDirectory(
                    prefix="upstreamsync-git-", ignore_cleanup_errors=True
                )
            return Path(self._scratch.name)

    def _remote(self, store: Path, address: Address, *words: str, stdin: bytes | None = None) -> None:
        # That content may be missing is said here and not in the store's configuration: there it would make
        # every reader of a missing object go and fetch that one object.
        # Nothing is to be negotiated: what is asked for is missing.
        partial = (
            "-c",
            "fetch.negotiationAlgorithm=noop",
            "-c",
            "remote.origin.promisor=true",
            "-c",
            "remote.origin.partialclonefilter=blob:none",
        )
        fetch = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance")
        self._ask(address, *partial, *fetch, *words, folder=store, stdin=stdin)

    def _local(self, store: Path, *words: str, stdin: bytes | None = None) -> bytes:
        return git_command.run(
            *words,
            folder=store,
            stdin=stdin,
            timeout=self._timeout,
            limit=2 * MAX_BYTES,
            env={"GIT_DIR": str(store)},
        ).stdout

    def _ask(
        self, address: Address, *words: str, folder: Path | None = None, stdin: bytes | None = None
    ) -> bytes:
        """Run git against the remote; try again where that makes sense; say what went wrong in our terms."""
        if self._offline and address.protocols != "file":
            raise Unreachable(
                f"`{redact(address.url)}` was not asked for: --offline", hint="leave --offline out"
            )
        there = self._moved.get(address.url, address)
        env = git_command.remote_environment(
            there,
            self._credentials.for_url(there.url),
            known_as=address.url if there is not address else None,
        )
        if folder is not None:
            env["GIT_DIR"] = str(folder)
        for attempt in range(self._attempts):
            try:
                return git_command.run(
                    *words,
                    folder=folder,
                    env=env,
                    stdin=stdin,
                    protocols=there.protocols,
                    timeout=self._timeout,
                ).stdout
            except ToolTimeout:
                raise Unreachable(
                    f"`{redact(address.url)}` did not answer within {self._timeout:g} s",
                    hint=_HINTS[Unreachable],
                ) from None
            except ToolFailed as error:
                meaning = _meaning(error.stderr)
                if there is address and _REDIRECTED.search(error.stderr) and self._has_moved(address):
                    return self._ask(address, *words, folder=folder, stdin=stdin)
                if meaning is Unreachable and attempt + 1 < self._attempts:
                    time.sleep(self._backoff * 2**attempt)
                    continue
                raise meaning(
                    f"`{redact(address.url)}`: {redact(_reason(error.stderr))}", hint=_HINTS[meaning]
                ) from None
        raise AssertionError("the last attempt returns or raises")

    def _has_moved(self, address: Address) -> bool:
        """Find out where a repository has moved to, if it says so. Raises Refused for where it may not lead.

        With credentials nothing is looked for: they are this address's.
        """
        if self._locate is None or address.authorization or self._credentials.for_url(address.url):
            return False
        try:
            found = self._locate(f"{address.url.rstrip('/')}{_REFS}")
        except Refused:
            raise
        except UpstreamsyncError:
            return False
        if not found.endswith(_REFS):
            return False
        self._moved[address.url] = git_command.checked_address(found.removesuffix(_REFS))
        return True


class GitTree:
    """The files of one commit. ``commit`` is its full id."""

    __slots__ = ("_address", "_entries", "_git", "commit")

    def __init__(self, *, git: Git, address: Address, commit: str, entries: tuple[Entry, ...]) -> None:
        self.commit = commit
        self._git = git
        self._address = address
        self._entries: Mapping[str, Entry] = {entry.path: entry for entry in entries if entry.kind == "blob"}

    def paths(self) -> tuple[str, ...]:
        """Every file and link, sorted; submodules are left out, as their content is elsewhere."""
        return tuple(sorted(self._entries))

    def regular(self) -> tuple[str, ...]:
        """Every plain file, sorted; links are left out."""
        return tuple(path for path in sorted(self._entries) if self._entries[path].regular)

    def read(self, paths: Sequence[str]) -> tuple[ContentFile, ...]:
        """The content of files, in the order asked for.

        Raises NotFound for a path that is not there, Refused for a link or a hostile path, TooLarge
        beyond MAX_FILES or MAX_BYTES, and what fetching raises.
        """
        if len(paths) > MAX_FILES:
            raise TooLarge(
                f"{len(paths)} files are asked of `{redact(self._address.url)}`; the limit is {MAX_FILES}",
                hint="narrow the globs",
            )
        entries = [self._entry(path) for path in paths]
        content = self._git.read(self._address, entries)
        lost = [entry.path for entry in entries if entry.oid not in content]
        if lost:
            raise Unreachable(f"`{redact(self._address.url)}` did not give the content of `{lost[0]}`")
        return tuple(
            ContentFile(path=entry.path, data=content[entry.oid], executable=entry.mode == "100755")
            for entry in entries
        )

    def _entry(self, path: str) -> Entry:
        where = f"`{redact(self._address.url)}` at {self.commit[:12]}"
        entry = self._entries.get(path)
        if entry is None:
            raise NotFound(
                f"{where} has no file `{path}`", hint="check the path, and the version's tree upstream"
            )
        if not entry.regular:
            raise Refused(
                f"`{path}` of {where} is a link", hint="name the file that it points to, or exclude it"
            )
        check_relative(path, origin=where)
        return entry


def _keep(ref: str) -> str:
    """Where a store keeps what a ref of the remote was when it was fetched."""
    return f"{_KEEP}/{hashlib.sha256(ref.encode()).hexdigest()[:20]}"


_HINTS: Mapping[type[UpstreamsyncError], str] = {
    Unreachable: "check the address and the network",
    NotFound: "check the address: with credentials no redirect is followed, and a private repository that you "
    "may not see looks the same",
    Denied: "give credentials: a token, netrc, git's credential helper, or an ssh key in the agent",
}


def _meaning(stderr: str) -> type[UpstreamsyncError]:
    text = stderr.lower()
    for meaning, signs in _MEANINGS:
        if any(sign in text for sign in signs):
            return meaning
    return Unreachable


def _reason(stderr: str) -> str:
    """The line in which git says why: the first that it calls fatal or an error, else the last."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    told = [line for line in lines if line.lower().startswith(("fatal:", "error:", "remote: error"))]
    return (told or lines or ["git said nothing"])[0 if told else -1][:500]


def _ref_missing(address: Address, ref: str, error: UpstreamsyncError) -> UpstreamsyncError:
    if "remote ref" in error.message or "our ref" in error.message or "unadvertised" in error.message:
        return NotFound(
            f"`{redact(address.url)}` has no branch, tag or commit `{ref}`",
            hint="check how upstream writes its tags",
        )
    return error


def __getattr__(name: str) -> Any:
    if name not in ("Identity", "LogEntry", "Repository"):
        raise AttributeError(f"module `upstreamsync.kit.git.remote` has no attribute `{name}`")
    from upstreamsync.kit.git import repository

    return getattr(repository, name)


__all__ = ["Git", "GitTree", "Identity", "LogEntry", "RemoteRef", "Repository"]
