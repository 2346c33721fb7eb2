"""An answer, its body wherever it lies, and what identifies a request within a run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from upstreamsync.kit.http.gunzip import unpack, unpack_apart
from upstreamsync.kit.redact import redact

if TYPE_CHECKING:
    from mmap import mmap


class Response:
    """An answer; read-only. ``url`` is where it came from in the end, header names are in lower case.

    ``digest`` is the body's, as ``sha256:<hex>``, and ``size`` its length. ``revalidated`` says that the
    server answered 304 and the body is the one known already; it is read from the cache when it is asked
    for, and only then.
    """

    __slots__ = ("_body", "_read", "digest", "headers", "revalidated", "size", "status", "url")

    def __init__(
        self,
        *,
        url: str,
        status: int,
        headers: Mapping[str, str],
        body: bytes | Body,
        digest: str,
        revalidated: bool = False,
    ) -> None:
        self.url = url
        self.status = status
        self.headers: Mapping[str, str] = MappingProxyType(dict(headers))
        self.digest = digest
        self.revalidated = revalidated
        self._body = body if isinstance(body, Body) else Body(data=body, size=len(body))
        self._read: bytes | None = None
        self.size = self._body.size

    @property
    def body(self) -> bytes:
        """The bytes, decoded. Raises UpstreamError when they have to be fetched again and can't be."""
        if self._read is None:
            self._read = self._body.read()
        return self._read

    def open(self) -> bytes | mmap:
        """The bytes for somebody who reads them once and lets them go; raises as ``body``."""
        return self._body.open() if self._read is None else self._read

    def __repr__(self) -> str:
        return f"Response({redact(self.url)!r}, status={self.status}, revalidated={self.revalidated})"


class Body:
    """Bytes in memory, or the way to get them; shared by all who hold a response at the same time.

    What came in gzip stays so, and is decoded for each who reads it: an index is ten times as large then.
    """

    __slots__ = ("__weakref__", "_data", "_load", "_lock", "_packed", "size")

    def __init__(
        self,
        *,
        size: int,
        data: bytes | None = None,
        packed: bool = False,
        load: Callable[[], bytes] | None = None,
    ) -> None:
        self.size = size
        self._data = data
        self._packed = packed
        self._load = load
        self._lock = threading.Lock()

    def read(self) -> bytes:
        """All of it, decoded."""
        with self._lock:
            if self._data is None:
                assert self._load is not None  # noqa: S101 (one of the two is always given)
                self._data = self._load()
            return unpack(self._data, self.size) if self._packed else self._data

    def open(self) -> bytes | mmap:
        """As ``read``, apart from all other memory where it has to be decoded."""
        if self._data is not None and self._packed:
            return unpack_apart(self._data, self.size)
        return self.read()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The outcome of an exchange, for the rest of the run; ``body`` is None where the disk has it."""

    url: str
    status: int
    headers: Mapping[str, str]
    digest: str
    size: int
    packed: bool
    revalidated: bool
    body: Body | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What identifies a request within a run; the limit does not, as the answer is the same."""

    url: str
    headers: tuple[tuple[str, str], ...]
    limit: int = field(compare=False)
    allow_http: bool
    store: bool = True
