"""A store of bytes on disk that may lose anything at any time, and never stands in the way.

What can't be read is as good as absent, and so is what we have not written ourselves (see ``seal``): damaged, of
another version, or somebody else's. What can't be written is not kept, with one warning. Nothing in it is needed
for a right answer, so it may be deleted at will.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import itertools
import logging
import os
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from upstreamsync.kit.store import dependencies
from upstreamsync.kit.store.seal import SIZE as SEAL
from upstreamsync.kit.store.seal import is_sealed, seal

_log = logging.getLogger(__name__)

#: What ``prune`` leaves by default, in bytes.
DEFAULT_SIZE = 2 * 1024**3
_DAY = 86_400.0
_ENTRY = re.compile(r"[0-9a-f]{64}(?:\..*\.tmp)?")


def _create(path: str) -> int:
    """A new file, with the folders that it needs."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        return os.open(path, flags, 0o644)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return os.open(path, flags, 0o644)


def default_cache_folder() -> Path:
    """The platform's folder for what can be made anew, such as ``~/.cache/upstreamsync``."""
    import platformdirs

    return platformdirs.user_cache_path("upstreamsync", appauthor=False)


class Cache:
    """Bytes by namespace and key. Safe for several threads and processes; ``Cache(None)`` keeps nothing.

    Each entry is one file, complete or absent: it is written beside its place and then moved there. It begins
    with its seal under ``sealed_with``; without that key nothing is found again but by this process.
    """

    def __init__(self, folder: Path | None, sealed_with: bytes | None = None) -> None:
        self.folder = folder
        self._key = sealed_with
        self._warned = threading.Event()
        self._numbers = itertools.count()
        self._gathered: dict[tuple[str, str], list[bytes]] | None = None
        self._lock = threading.Lock()

    def get(self, namespace: str, key: str) -> bytes | None:
        """What was put there, or None."""
        kept = self._read(namespace, key)
        added = self._gathered.get((namespace, key)) if self._gathered is not None else None
        return b"".join([kept or b"", *added]) if added else kept

    def _read(self, namespace: str, key: str) -> bytes | None:
        path = self._path(namespace, key)
        if path is None:
            return None
        try:
            with open(path, "rb") as file:
                self._mark_used(file.fileno())
                sealed, data = file.read(SEAL), file.read()
        except OSError:
            return None
        return data if is_sealed(self._key, (namespace, key), data, sealed) else None

    def relied_on(self, namespace: str, key: str, data: bytes | None) -> None:
        """Say that work was done with what is kept there, which was ``data``."""
        dependencies.asked(
            ("cache", namespace, key),
            lambda: data,
            lambda kept: None if kept is None else hashlib.sha256(kept).hexdigest(),
        )

    def has(self, namespace: str, key: str) -> bool:
        """Whether something lies where ``get`` would look; reads nothing, so it may be somebody else's."""
        path = self._path(namespace, key)
        return path is not None and os.path.isfile(path)

    def put(self, namespace: str, key: str, data: bytes) -> bool:
        """Keep ``data``; False, and one warning per run, when that can't be done."""
        path = self._path(namespace, key)
        if path is None:
            return False
        beside = f"{path}.{os.getpid()}-{next(self._numbers)}.tmp"
        try:
            handle = _create(beside)
            with open(handle, "wb") as file:
                file.write(seal(self._key, (namespace, key), data))
                file.write(data)
            os.replace(beside, path)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(beside)
            if not self._warned.is_set():
                self._warned.set()
                _log.warning("the cache %s can't be written (%s); going on without", self.folder, error)
            return False
        return True

    def add(self, namespace: str, key: str, data: bytes) -> None:
        """Keep ``data`` behind what is kept there; at the latest when who is gathering has done so."""
        gathered = self._gathered
        if gathered is None:
            self.put(namespace, key, (self._read(namespace, key) or b"") + data)
        else:
            with self._lock:
                gathered.setdefault((namespace, key), []).append(data)

    @contextlib.contextmanager
    def gathering(self) -> Iterator[None]:
        """Write what is added within the block at its end.

        Many threads that write at once wait for one another, and a file costs more than its content.
        """
        if self.folder is None or self._gathered is not None:
            yield
            return
        self._gathered = {}
        try:
            yield
        finally:
            gathered, self._gathered = self._gathered, None
            for (namespace, key), added in gathered.items():
                self.put(namespace, key, b"".join([self._read(namespace, key) or b"", *added]))

    def forget(self, namespace: str, key: str) -> None:
        """Drop one entry, if it is there."""
        path = self._path(namespace, key)
        if path is not None:
            with contextlib.suppress(OSError):
                os.unlink(path)

    def prune(self, size: int = DEFAULT_SIZE) -> int:
        """Drop the entries unused for longest until at most ``size`` bytes remain; the bytes freed.

        What else lies in the folder (tools, repositories) is neither counted nor touched.
        """
        now = time.time()
        entries: list[tuple[float, int, str]] = []
        for path in glob.iglob(f"{glob.escape(str(self.folder))}/*/*/*") if self.folder else ():
            if not _ENTRY.fullmatch(os.path.basename(path)):
                continue
            with contextlib.suppress(OSError):
                facts = os.stat(path, follow_symlinks=False)
                # A leftover of a run that was killed counts as the oldest of all.
                beside = path.endswith(".tmp")
                used = 0.0 if beside and facts.st_mtime < now - _DAY else facts.st_mtime
                entries.append((used, max(0, facts.st_size - (0 if beside else SEAL)), path))
        excess = sum(length for _, length, _ in entries) - size
        freed = 0
        for used, length, path in sorted(entries):
            if freed >= excess and used > 0.0:
                break
            with contextlib.suppress(OSError):
                os.unlink(path)
                freed += length
        return freed

    def _path(self, namespace: str, key: str) -> str | None:
        if self.folder is None:
            return None
        # The separator can't occur in a namespace, so no two pairs share a name.
        name = hashlib.sha256(f"{namespace}\0{key}".encode("utf-8", "surrogatepass")).hexdigest()
        # Few folders, as making one costs as much as writing a small file.
        return os.path.join(
            self.folder, "".join(c if c.isalnum() else "-" for c in namespace), name[:1], name
        )

    @staticmethod
    def _mark_used(handle: int) -> None:
        """Let ``prune`` see that the entry serves; once a day is enough, and cheaper than every time."""
        now = time.time()
        if os.fstat(handle).st_mtime < now - _DAY:
            with contextlib.suppress(OSError):
                os.utime(handle, (now, now))
