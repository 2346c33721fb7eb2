"""Fetching over HTTP: each address at most once a run, never stale, within limits, with typed errors.

An answer is kept on disk together with its ETag or Last-Modified and is always revalidated: a stale
answer would hide a release, and a 304 costs next to nothing. That is done here and not by hishel, the
cache for httpx: measured on 200 addresses that all answer 304, hishel 2.0 asked none of them again,
although each request said ``Cache-Control: no-cache``, and storing cost it 2.2 ms of CPU and 47 ms in all
for each (SQLite). Here a 304 costs 0.8 ms of CPU, next to 0.7 ms for httpx's client alone.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlencode, urlsplit
from weakref import WeakValueDictionary

from upstreamsync.errors import (
    DigestMismatch,
    RateLimited,
    TooLarge,
    Unreachable,
    UpstreamsyncError,
)
from upstreamsync.kit.http import addresses, backoff
from upstreamsync.kit.http.credentials import Credentials
from upstreamsync.kit.http.gunzip import Damaged, Oversized, unpack, unpack_apart
from upstreamsync.kit.http.inside import ANYWHERE, Inside, Named
from upstreamsync.kit.redact import redact
from upstreamsync.kit.run import budget
from upstreamsync.kit.store import dependencies
from upstreamsync.kit.store.cache import Cache

if TYPE_CHECKING:
    from mmap import mmap

    from upstreamsync.kit.http.wire import Answer, Wire

Shared = TypeVar("Shared")

_log = logging.getLogger(__name__)

DEFAULT_LIMIT = 256 * 1024 * 1024
MAX_REDIRECTS = 10
#: Bodies above this size are not held for the whole run where the disk holds them, too.
_SMALL = 256 * 1024
#: Where bodies are kept as they are, and where in gzip as they came.
_PLAIN, _GZIP = "http-body", "http-gzip"
#: Headers that are kept with a cached answer; others may be private, or mean that one exchange only.
_KEPT = ("content-type", "content-disposition", "docker-content-digest", "etag", "last-modified", "link")
#: Of the headers kept, those that only say how to ask again.
_VALIDATORS = frozenset(("etag", "last-modified"))
#: These are fetched as they are: a server that says `Content-Encoding: gzip` of a .tgz means the file itself.
_PACKED = (".tgz", ".gz", ".zip", ".tar", ".xz", ".bz2", ".zst")
#: What says who asks.
_PERSONAL = frozenset(("authorization", "cookie"))
_REDIRECTS = frozenset((301, 302, 303, 307, 308))


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
        body: bytes | _Body,
        digest: str,
        revalidated: bool = False,
    ) -> None:
        self.url = url
        self.status = status
        self.headers: Mapping[str, str] = MappingProxyType(dict(headers))
        self.digest = digest
        self.revalidated = revalidated
        self._body = body if isinstance(body, _Body) else _Body(data=body, size=len(body))
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


class _Body:
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
class _Known:
    """The outcome of an exchange, for the rest of the run; ``body`` is None where the disk has it."""

    url: str
    status: int
    headers: Mapping[str, str]
    digest: str
    size: int
    packed: bool
    revalidated: bool
    body: _Body | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ask:
    """What identifies a request within a run; the limit does not, as the answer is the same."""

    url: str
    headers: tuple[tuple[str, str], ...]
    limit: int = field(compare=False)
    allow_http: bool
    store: bool = True


class Http:
    """The HTTP client of a whole run; safe for many threads.

    ``jobs`` and ``per_host`` bound the requests in flight, ``timeout`` (seconds) each wait for the
    network, ``total_timeout`` one answer as a whole with all attempts; ``max_wait`` is the longest
    Retry-After that is obeyed; no answer may have more than ``max_body`` bytes. ``offline``: nothing is
    asked. ``requests`` lists every attempt as (method, URL, status), 0 for none.
    """

    def __init__(
        self,
        *,
        cache: Cache,
        credentials: Credentials | None = None,
        jobs: int = 16,
        per_host: int = 6,
        timeout: float = 30.0,
        attempts: int = 4,
        max_wait: float = 60.0,
        user_agent: str = "upstreamsync",
        total_timeout: float = 300.0,
        backoff: float = 0.25,
        max_body: int = DEFAULT_LIMIT,
        offline: bool = False,
        named: Named = ANYWHERE,
    ) -> None:
        self.offline = offline
        self.named = named
        self.requests: list[tuple[str, str, int]] = []
        self._cache = cache
        self.credentials = credentials or Credentials()
        self._shared: dict[str, Any] = {}
        self._user_agent = user_agent
        self._total = total_timeout
        self._max_body = max_body
        self._settings = {
            "jobs": jobs,
            "per_host": per_host,
            "timeout": timeout,
            "attempts": attempts,
            "max_wait": max_wait,
            "backoff": backoff,
        }
        self._lock = threading.Lock()
        self._wire: Wire | None = None
        self._memo: dict[_Ask, tuple[int, Future[_Known]]] = {}
        self._bodies: WeakValueDictionary[_Ask, _Body] = WeakValueDictionary()
        self._dead: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and forget what the run has fetched."""
        with self._lock:
            wire, self._wire = self._wire, None
            self._memo.clear()
        if wire is not None:
            wire.close()

    def shared(self, name: str, make: Callable[[], Shared]) -> Shared:
        """What those who speak a protocol over HTTP have to remember for the run; made at the first call."""
        with self._lock:
            if name not in self._shared:
                self._shared[name] = make()
            made: Shared = self._shared[name]
            return made

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = DEFAULT_LIMIT,
        allow_http: bool = False,
        accept_status: Collection[int] = (),
        store: bool = True,
    ) -> Response:
        """Fetch ``url``; the second call for the same thing costs nothing.

        ``limit`` is in bytes, before and after decompression. ``accept_status`` lists statuses to be
        returned rather than raised. ``store=False`` keeps the answer off the disk.

        Raises UsageError or Refused for an address that may not be asked, and the family of UpstreamError:
        NotFound, Denied, RateLimited, TooLarge, Malformed or Unreachable.
        """
        names = tuple(sorted((name.lower(), value) for name, value in (headers or {}).items()))
        ask = _Ask(
            url=url, headers=names, limit=min(limit, self._max_body), allow_http=allow_http, store=store
        )
        if not store or any(name in _PERSONAL for name, _ in names):
            dependencies.doubt()
        return dependencies.asked(
            ("http", url, names, limit, allow_http, tuple(sorted(accept_status))),
            lambda: self._answer(ask, accept_status),
            _gist,
        )

    def _answer(self, ask: _Ask, accept_status: Collection[int]) -> Response:
        limit = ask.limit
        known, held = self._once(ask)
        if known.size > limit:
            raise TooLarge(f"`{redact(ask.url)}` has more than {limit} bytes", hint=addresses.HINTS[TooLarge])
        addresses.raise_for_status(known.status, known.url, accept_status)
        return self._respond(ask, known, held)

    def post(
        self,
        url: str,
        *,
        content: bytes = b"",
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = 1 << 20,
        allow_http: bool = False,
        accept_status: Collection[int] = (),
    ) -> Response:
        """Send ``content`` (or ``form``, URL-encoded) once: not cached, not retried, not redirected.

        Raises as ``get``.
        """
        dependencies.doubt()
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        if form is not None:
            content = urlencode(form).encode()
            sent["content-type"] = "application/x-www-form-urlencoded"
        target, authorization = addresses.checked(url, allow_http=allow_http, named=self.named)
        sent = {**self.credentials.for_url(target), **authorization, **sent}
        answer = self._ask("POST", target, sent, content=content, limit=limit, deadline=self._deadline())
        addresses.raise_for_status(answer.status, target, accept_status)
        return Response(
            url=target,
            status=answer.status,
            headers=answer.headers,
            body=_Body(data=answer.body, packed=answer.packed, size=answer.size),
            digest=answer.digest,
        )

    def _once(self, ask: _Ask) -> tuple[_Known, _Body | None]:
        """The outcome of the one exchange for an address in this run, and its body if it came just now.

        The body is returned so that somebody holds it: what nobody holds is read again from the disk.
        """
        with self._lock:
            entry = self._memo.get(ask)
            if entry is None:
                future: Future[_Known] = Future()
                self._memo[ask] = (ask.limit, future)
        if entry is None:
            try:
                known, body = self._fetch(ask)
            except BaseException as error:
                future.set_exception(error)
                raise
            future.set_result(known)
            return known, body
        asked_limit, future = entry
        try:
            return future.result(), None
        except UpstreamsyncError as error:
            if isinstance(error, TooLarge) and ask.limit > asked_limit:
                with self._lock:
                    if self._memo.get(ask) is entry:
                        del self._memo[ask]
                return self._once(ask)
            # Each caller gets an exception of its own: a traceback must not grow over threads.
            raise type(error)(error.message, hint=error.hint, place=error.place) from None

    # -- one address, followed through its redirects ------------------------------------------------

    def _fetch(self, ask: _Ask) -> tuple[_Known, _Body | None]:
        url, authorization = addresses.checked(ask.url, allow_http=ask.allow_http, named=self.named)
        given = {**authorization, **dict(ask.headers)}
        own = self.credentials.for_url(url)
        deadline = self._deadline()
        for _ in range(MAX_REDIRECTS + 1):
            known, body, location = self._exchange(ask, url, {**own, **given}, deadline)
            if location is None:
                return known, body
            target = addresses.checked_redirect(url, location, allow_http=ask.allow_http, named=self.named)
            if addresses.origin(target) != addresses.origin(url):
                # What belongs to one host stays there. Hosts to which the user gave the same token are one.
                given.pop("authorization", None)
                given.pop("cookie", None)
                own = own if own and own == self.credentials.for_url(target) else {}
            url = target
        raise TooLarge(
            f"`{redact(ask.url)}` is redirected more than {MAX_REDIRECTS} times",
            hint="open the address in a browser and use the one where it ends",
        )

    def _exchange(
        self, ask: _Ask, url: str, headers: Mapping[str, str], deadline: float
    ) -> tuple[_Known, _Body | None, str | None]:
        """One hop: what came, its body if it came, too, and where it points to if it is a redirect."""
        key = _cache_key(url, ask.headers)
        kept = self._kept(key) if ask.store else None
        asked = {**headers, **_conditions(kept)} if kept else headers
        answer = self._ask("GET", url, asked, limit=ask.limit, deadline=deadline)
        if answer.status == 304 and kept:
            return self._known_already(url, kept), None, None
        location = answer.headers.get("location") if answer.status in _REDIRECTS else None
        stored = location is None and ask.store and self._keep(key, answer)
        body = _Body(data=answer.body, packed=answer.packed, size=answer.size)
        with self._lock:
            self._bodies[ask] = body
        known = _Known(
            url=url,
            status=answer.status,
            headers=answer.headers,
            digest=answer.digest,
            size=answer.size,
            packed=answer.packed,
            revalidated=False,
            body=None if stored and len(answer.body) > _SMALL else body,
        )
        return known, body, location

    def _known_already(self, url: str, kept: Mapping[str, str]) -> _Known:
        headers = {name: value for name, value in kept.items() if name in _KEPT}
        return _Known(
            url=url,
            status=200,
            headers=headers,
            digest=kept["digest"],
            size=int(kept["size"]),
            packed="packed" in kept,
            revalidated=True,
            body=None,
        )

    def _respond(self, ask: _Ask, known: _Known, held: _Body | None = None) -> Response:
        body = known.body or held
        if body is None:
            with self._lock:
                body = self._bodies.get(ask)
                if body is None:
                    body = self._bodies[ask] = _Body(size=known.size, load=lambda: self._load(ask, known))
        return Response(
            url=known.url,
            status=known.status,
            headers=known.headers,
            body=body,
            digest=known.digest,
            revalidated=known.revalidated,
        )

    def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        content: bytes | None = None,
        limit: int,
        deadline: float,
    ) -> Answer:
        from upstreamsync.kit.http import wire

        budget.check()
        if self.offline:
            raise Unreachable(f"`{redact(url)}` was not asked for: --offline", hint="leave --offline out")
        with self._lock:
            if self._wire is None:
                self._wire = wire.Wire(
                    **self._settings,  # type: ignore[arg-type]
                    record=self._record,
                    may_be_inside=self._may_be_inside,
                )
            connection = self._wire
        origin = addresses.origin(url)
        packed = urlsplit(url).path.lower().endswith(_PACKED)
        encoding = "identity" if packed else "gzip"
        sent = {"accept": "*/*", "accept-encoding": encoding, "user-agent": self._user_agent, **headers}
        question = wire.Question(
            method=method,
            url=url,
            headers=sent,
            content=content,
            limit=limit,
            deadline=deadline,
            decode=sent["accept-encoding"] != "identity",
            once=origin in self._dead,
        )
        where = redact(url)
        try:
            return connection.ask(question)
        except backoff.ComeBackLater as error:
            raise RateLimited(
                f"`{where}`: asked to come back in {error.seconds:.0f} s",
                hint="run again later, or give a token, which raises the limit of most hosts",
            ) from None
        except wire.Failed as error:
            budget.check()
            if error.lasting:
                # The next address on this host is asked once, not with all retries again.
                self._dead.add(origin)
            raise Unreachable(f"`{where}`: {redact(str(error))}", hint=addresses.UNREACHABLE) from None
        except Inside as error:
            raise addresses.inside(url, error) from None
        except (TooLarge, Unreachable) as error:
            budget.check()
            raise type(error)(
                f"`{where}`: {redact(error.message)}", hint=error.hint or addresses.HINTS[type(error)]
            ) from None

    def _record(self, method: str, url: str, status: int) -> None:
        self.requests.append((method, redact(url), status))
        _log.debug("%s %s: %s", method, redact(url), status or "no answer")

    def _may_be_inside(self, host: str, port: int) -> bool:
        """Whether the user named a host; asked for each connection, as names may be added meanwhile."""
        return self.named.has(host, port)

    def _deadline(self) -> float:
        return min(time.monotonic() + self._total, budget.deadline())

    # -- what is kept on disk ------------------------------------------------------------------------

    def _kept(self, key: str) -> Mapping[str, str] | None:
        """What the cache knows of an address, if it can serve it."""
        raw = self._cache.get("http", key)
        if raw is None:
            return None
        try:
            kept = json.loads(raw)
        except ValueError:
            return None
        if not isinstance(kept, dict) or not isinstance(kept.get("digest"), str):
            return None
        if not str(kept.get("size", "")).isdigit() or not all(isinstance(v, str) for v in kept.values()):
            return None
        return kept if self._cache.has(_GZIP if "packed" in kept else _PLAIN, kept["digest"]) else None

    def _keep(self, key: str, answer: Answer) -> bool:
        """Store an answer that can be revalidated later."""
        validators = answer.headers.get("etag") or answer.headers.get("last-modified")
        if answer.status != 200 or not validators or "no-store" in answer.headers.get("cache-control", ""):
            return False
        kept = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
        kept |= {"digest": answer.digest, "size": str(answer.size)}
        if answer.packed:
            kept["packed"] = "gzip"
        return self._cache.put(
            _GZIP if answer.packed else _PLAIN, answer.digest, answer.body
        ) and self._cache.put("http", key, json.dumps(kept, sort_keys=True).encode())

    def _load(self, ask: _Ask, known: _Known) -> bytes:
        """The body of a known answer from the disk; fetched again if the disk has lost or damaged it."""
        import hashlib

        place = _GZIP if known.packed else _PLAIN
        data = self._cache.get(place, known.digest)
        if data is not None and known.packed:
            try:
                data = unpack(data, known.size)
            except (Damaged, Oversized):
                data = None
        if data is not None and f"sha256:{hashlib.sha256(data).hexdigest()}" == known.digest:
            return data
        self._cache.forget(place, known.digest)
        again, body = self._fetch(ask)
        if again.digest != known.digest:
            raise DigestMismatch(
                f"`{redact(ask.url)}` changed while it was being read", hint="run again: nothing was written"
            )
        return self._respond(ask, again, body).body


def _gist(answer: Response) -> Any:
    """All of an answer that is the same when the server says that nothing has changed."""
    if not 200 <= answer.status < 300:
        dependencies.doubt()
    kept = {
        name: answer.headers[name] for name in _KEPT if name in answer.headers and name not in _VALIDATORS
    }
    return [answer.status, answer.url, answer.digest, kept]


def _cache_key(url: str, headers: Sequence[tuple[str, str]]) -> str:
    """The address and what it was asked for. Not by whom: no kept answer is used unless the server agrees."""
    asked = [(name, value) for name, value in headers if name not in _PERSONAL]
    return json.dumps([url, asked])


def _conditions(kept: Mapping[str, str]) -> dict[str, str]:
    conditions = {}
    if "etag" in kept:
        conditions["if-none-match"] = kept["etag"]
    if "last-modified" in kept:
        conditions["if-modified-since"] = kept["last-modified"]
    return conditions
