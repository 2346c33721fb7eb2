"""What says that a cache was filled by us: a key that is never in it.

Whoever can write into a cache folder (another job, a restored archive, a shared disk) can write whatever content and
digests belong together. What they can't make is the keyed digest (BLAKE2b, RFC 7693) under a key that lies elsewhere:
in the user's state folder, readable by the user alone, or in UPSTREAMSYNC_CACHE_KEY, for caches that travel between
machines. Without a place for a key each process has one of its own, and a cache is as good as none.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

from upstreamsync._version import __version__
from upstreamsync.kit.redact import register

KEY = 32
#: Of a seal: in hexadecimal digits, so that what follows it in a file stays readable.
SIZE = 64
#: Part of each seal: what another version has kept may mean something else.
_MADE_BY = f"upstreamsync {__version__} 2"
_of_this_process = secrets.token_bytes(KEY)


def seal(key: bytes | None, name: tuple[str, ...], data: bytes) -> bytes:
    """The seal of ``data`` under a name; None stands for this process's own key. SIZE bytes, in ASCII."""
    digest = blake2b(key=key or _of_this_process, digest_size=KEY)
    for part in (_MADE_BY, *name):
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:%s," % (len(encoded), encoded))
    digest.update(data)
    return digest.hexdigest().encode()


def is_sealed(key: bytes | None, name: tuple[str, ...], data: bytes, sealed: bytes) -> bool:
    """Whether ``sealed`` is the seal of ``data`` under this name."""
    return secrets.compare_digest(seal(key, name, data), sealed)


def cache_key(environment: Mapping[str, str]) -> bytes:
    """The key of this user's caches, made when there is none. Raises nothing."""
    if given := environment.get("UPSTREAMSYNC_CACHE_KEY"):
        register(given)
        return blake2b(given.encode("utf-8", "surrogateescape"), digest_size=KEY).digest()
    try:
        return _kept(_folder(environment) / "cache.key")
    except OSError:
        return _of_this_process


def _folder(environment: Mapping[str, str]) -> Path:
    """The state folder of the XDG base directory specification; relative ones are ignored, as it says."""
    state = environment.get("XDG_STATE_HOME", "")
    home = environment.get("HOME") or os.path.expanduser("~")
    base = Path(state) if os.path.isabs(state) else Path(home, ".local", "state")
    return base / "upstreamsync"


def _kept(path: Path) -> bytes:
    with contextlib.suppress(FileNotFoundError):
        return _read(path)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(KEY))
        with contextlib.suppress(FileExistsError):
            os.link(beside, path)  # the first of several wins
    finally:
        beside.unlink(missing_ok=True)
    return _read(path)


def _read(path: Path) -> bytes:
    """The key in a file that nobody else can have written or read. Raises OSError for any other."""
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        facts = os.fstat(file.fileno())
        others = stat.S_IRWXG | stat.S_IRWXO
        if facts.st_uid != os.geteuid() or facts.st_mode & others or facts.st_size != KEY:
            raise PermissionError(f"{path} is no key of this user's")
        return file.read()
