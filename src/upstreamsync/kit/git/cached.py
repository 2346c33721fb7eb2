"""Bare repositories in the cache, one for each address, and git run in them and against their remotes."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from upstreamsync.errors import (
    Refused,
    ToolFailed,
    ToolTimeout,
    Unreachable,
    UpstreamsyncError,
)
from upstreamsync.kit.git import command as git_command
from upstreamsync.kit.git import objects
from upstreamsync.kit.git.checkout import checkout_of
from upstreamsync.kit.git.command import DEFAULT_TIMEOUT, Address
from upstreamsync.kit.git.failures import BLAMES_STORE, HINTS, REDIRECTED, meaning, reason
from upstreamsync.kit.git.store import prepare, start_over
from upstreamsync.kit.git.tree import MAX_BYTES
from upstreamsync.kit.http.credentials import Credentials
from upstreamsync.kit.redact import redact
from upstreamsync.kit.run import locks
from upstreamsync.kit.store.cache import Cache

Found = TypeVar("Found")

#: What git asks first over http, and what it says where that is answered by a redirect.
_REFS = "/info/refs?service=git-upload-pack"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteRef:
    """A branch or tag of a remote repository: short name, full name, and the commit it stands for."""

    name: str
    commit: str
    ref: str = ""


class CachedRepositories:
    """What was fetched of remote repositories; safe for many threads."""

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

    def _in_store(self, address: Address, work: Callable[[Path], Found]) -> Found:
        """Do ``work`` with the store for an address; with an empty one where the store turns out to be damaged."""
        with self._store(address) as store:
            try:
                return work(store)
            except (objects.Damaged, ToolFailed, ValueError):
                pass
            except Unreachable as error:
                if not BLAMES_STORE.search(error.message) and self._is_sound(store):
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
                    folder=folder or (None if "file" in there.protocols else checkout_of(Path())),
                    env=env,
                    stdin=stdin,
                    protocols=there.protocols,
                    timeout=self._timeout,
                ).stdout
            except ToolTimeout:
                raise Unreachable(
                    f"`{redact(address.url)}` did not answer within {self._timeout:g} s",
                    hint=HINTS[Unreachable],
                ) from None
            except ToolFailed as error:
                meant = meaning(error.stderr)
                if there is address and REDIRECTED.search(error.stderr) and self._has_moved(address):
                    return self._ask(address, *words, folder=folder, stdin=stdin)
                if meant is Unreachable and attempt + 1 < self._attempts:
                    time.sleep(self._backoff * 2**attempt)
                    continue
                raise meant(
                    f"`{redact(address.url)}`: {redact(reason(error.stderr))}", hint=HINTS[meant]
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
