"""The one module that imports httpx: one exchange over the network, retried, bounded, and no more.

Imported on the first request, as it costs 0.1 s. Redirects, credentials and the cache are matters of
``http``. Of httpx the transports are used, not the client: what a client adds (cookies, redirects, its
own authentication) is unwanted here, and without it a request costs half the CPU time.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import ssl
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.request import getproxies, proxy_bypass

from upstreamsync.errors import TooLarge, Unreachable
from upstreamsync.kit.http.backoff import RETRIED
from upstreamsync.kit.http.credentials import is_loopback
from upstreamsync.kit.http.gunzip import Damaged, Inflater, Oversized
from upstreamsync.kit.http.inside import public_addresses

# httpx imports its command line (click, rich, pygments) where those are installed: 65 of 150 ms.
if "httpx" not in sys.modules and "httpx._main" not in sys.modules:
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
    try:
        import httpx
    finally:
        del sys.modules["httpx._main"]
else:
    import httpx


import httpcore  # what httpx stands on

_ERROR_BODY = 1 << 20
#: The number that the system has for an error, before its words.
_NUMBER = re.compile(r"\A\[Errno -?\d+\] ")


class Failed(Exception):
    """No usable answer after all attempts; the message says why. ``lasting``: the host itself is dead."""

    def __init__(self, reason: str, *, lasting: bool) -> None:
        super().__init__(reason)
        self.lasting = lasting


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer, its header names in lower case.

    ``body`` is as it came, in gzip where it is ``packed``; ``size`` and ``digest`` are of what is in it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    packed: bool
    size: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request. ``limit`` in bytes, ``deadline`` on the monotonic clock; ``decode`` undoes gzip."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None
    limit: int
    deadline: float
    decode: bool
    once: bool = False


class Wire:
    """Connections to hosts, kept open; safe for many threads."""

    def __init__(
        self,
        *,
        jobs: int,
        per_host: int,
        timeout: float,
        attempts: int,
        max_wait: float,
        backoff: float,
        record: Callable[[str, str, int], None],
        may_be_inside: Callable[[str, int], bool] = lambda _host, _port: True,
    ) -> None:
        self._timeouts = {"connect": min(timeout, 10.0), "read": timeout, "write": timeout, "pool": None}
        self._bounded = _BoundedTransport(
            jobs=jobs, per_host=per_host, record=record, may_be_inside=may_be_inside
        )
        self._attempts = attempts
        self._max_wait = max_wait
        self._backoff = backoff

    def ask(self, question: Question) -> Answer:
        """Send, wait, retry.

        Raises ComeBackLater, Failed, TooLarge, and Unreachable for what no retry can mend.
        """
        try:
            request = httpx.Request(
                question.method,
                question.url,
                headers=dict(question.headers),
                content=question.content,
                extensions={"timeout": self._timeouts, "question": question},
            )
            response = self._send(request, question)
        except httpx.TimeoutException as error:
            raise Failed(
                "it did not answer in time", lasting=isinstance(error, httpx.ConnectTimeout)
            ) from error
        except httpx.RemoteProtocolError as error:
            raise Failed(f"the answer ended early or broke off ({error})", lasting=False) from error
        except httpx.TransportError as error:
            reason = _NUMBER.sub("", str(error)) or type(error).__name__
            raise Failed(reason, lasting=isinstance(error, (httpx.ConnectError, httpx.ProxyError))) from error
        except (httpx.InvalidURL, UnicodeError) as error:
            raise Unreachable(f"not an address that can be asked: {error}") from error
        answer = response.extensions["answer"]
        assert isinstance(answer, Answer)  # noqa: S101 (set by _BoundedTransport, for the type checker)
        return answer

    def _send(self, request: httpx.Request, question: Question) -> httpx.Response:
        """An attempt, and more of them where it failed in a way that another one may mend."""
        more = question.method == "GET" and not question.once and self._attempts > 1
        first: httpx.Response | httpx.TransportError
        try:
            first = self._bounded.handle_request(request)
            if not more or first.status_code not in RETRIED:
                return first
        except httpx.TransportError as error:
            if not more:
                raise
            first = error
        from upstreamsync.kit.http import retries

        again = retries.transport(
            first, self._bounded, attempts=self._attempts, max_wait=self._max_wait, backoff=self._backoff
        )
        return again.handle_request(request)

    def close(self) -> None:
        """Close all connections."""
        self._bounded.close()


class _BoundedTransport(httpx.BaseTransport):
    """One attempt: within the limits per host and overall, and with the whole body read and measured.

    It reads the body itself, so that a body that breaks off is an attempt that failed and is retried.
    """

    def __init__(
        self,
        *,
        jobs: int,
        per_host: int,
        record: Callable[[str, str, int], None],
        may_be_inside: Callable[[str, int], bool],
    ) -> None:
        self._may_be_inside = may_be_inside
        self._jobs = jobs
        self._all = threading.BoundedSemaphore(jobs)
        self._hosts: defaultdict[bytes, threading.BoundedSemaphore] = defaultdict(
            lambda: threading.BoundedSemaphore(per_host)
        )
        self._pools: dict[tuple[str, str | None], httpx.HTTPTransport] = {}
        self._proxies = getproxies()
        self._lock = threading.Lock()
        self._record = record

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        question = request.extensions["question"]
        with self._lock:
            host = self._hosts[request.url.netloc]
        # The host's limit first: requests that wait for one slow host must not use up the common limit.
        with host, self._all:
            _check_deadline(question)
            status = 0
            try:
                response = self._pool(request.url).handle_request(request)
                status = response.status_code
                try:
                    answer = _read(response, question)
                finally:
                    response.close()
            except httpx.ConnectError as error:
                _refuse_bad_certificates(error)
                raise
            finally:
                self._record(question.method, question.url, status)
        return httpx.Response(
            _honest_status(answer), headers=_retry_after(answer), extensions={"answer": answer}
        )

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()

    def _pool(self, url: httpx.URL) -> httpx.HTTPTransport:
        proxy = _proxy(self._proxies, url.scheme, url.host)
        scheme = url.scheme
        with self._lock:
            pool = self._pools.get((scheme, proxy))
            if pool is None:
                # One TLS context for all connections: making one costs 34 ms, and none is made for http.
                pool = httpx.HTTPTransport(
                    verify=_tls() if scheme == "https" else False,
                    proxy=proxy,
                    limits=httpx.Limits(max_connections=None, max_keepalive_connections=self._jobs * 2),
                )
                if proxy is None:
                    # httpx has no argument for what opens a connection. A proxy resolves names itself.
                    if not isinstance(pool._pool, httpcore.ConnectionPool):
                        raise TypeError("this httpx is built otherwise: connections can't be judged")
                    pool._pool._network_backend = _Outside(self._may_be_inside)
                self._pools[scheme, proxy] = pool
            return pool


class _Outside(httpcore.SyncBackend):
    """Opens connections: for hosts that nobody named to public addresses alone, to the very one that was judged.

    The name is resolved once. Were it resolved again to connect, it could be another address by then.
    """

    def __init__(self, may_be_inside: Callable[[str, int], bool]) -> None:
        super().__init__()
        self._may_be_inside = may_be_inside

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection. Raises Inside, and httpcore's ConnectError and ConnectTimeout."""

        def connect(where: str) -> httpcore.NetworkStream:
            return super(_Outside, self).connect_tcp(where, port, timeout, local_address, socket_options)

        if self._may_be_inside(host, port):
            return connect(host)
        try:
            judged = public_addresses(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        for address in judged[:-1]:
            try:
                return connect(address)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return connect(judged[-1])


def _read(response: httpx.Response, question: Question) -> Answer:
    """The body of an answer, looked through and found within the limits."""
    headers = {name: ", ".join(response.headers.get_list(name)) for name in response.headers}
    ok = 200 <= response.status_code < 300
    limit = question.limit if ok else _ERROR_BODY
    length = headers.get("content-length", "")
    if ok and length.isdigit() and int(length) > limit:
        raise TooLarge(f"the answer has {length} bytes; the limit is {limit}")
    gzip = question.decode and headers.get("content-encoding", "").lower() in {"gzip", "x-gzip"}
    inflater = Inflater(limit) if gzip else None
    # Not a list of chunks: joining them would hold a large body twice.
    body = io.BytesIO()
    digest = hashlib.sha256()
    size = 0
    packed = inflater is not None and ok
    try:
        for raw in response.stream:  # type: ignore[union-attr]
            _check_deadline(question)
            for piece in inflater.feed(raw) if inflater else (raw,):
                size += len(piece)
                digest.update(piece)
                if not packed and size <= limit:
                    body.write(piece)
            if packed:
                body.write(raw)
            if max(size, body.tell()) > limit:
                if not ok:
                    break
                raise TooLarge(f"the answer has more than {limit} bytes")
    except Damaged as error:
        raise httpx.RemoteProtocolError(f"the compressed body is damaged: {error}") from None
    except Oversized as error:
        raise TooLarge(f"the answer {error}") from None
    if inflater and ok and body.tell() and not inflater.complete:
        raise httpx.RemoteProtocolError("the compressed body is incomplete")
    return Answer(
        status=response.status_code,
        headers=headers,
        body=body.getvalue(),
        packed=packed and body.tell() > 0,
        size=size,
        digest=f"sha256:{digest.hexdigest()}",
    )


def _honest_status(answer: Answer) -> int:
    """The status to decide a retry by: GitHub answers 403 where it means 429, and says so in headers."""
    if answer.status == 403 and (
        "retry-after" in answer.headers or answer.headers.get("x-ratelimit-remaining") == "0"
    ):
        return 429
    return answer.status


def _retry_after(answer: Answer) -> dict[str, str]:
    """When to come back: Retry-After, or the second at which GitHub's budget is renewed."""
    if stated := answer.headers.get("retry-after"):
        return {"retry-after": stated}
    reset = answer.headers.get("x-ratelimit-reset", "")
    if answer.headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return {"retry-after": str(max(1, int(reset) - int(time.time()) + 1))}
    return {}


def _check_deadline(question: Question) -> None:
    if time.monotonic() > question.deadline:
        raise Unreachable("the answer took too long as a whole")


def _refuse_bad_certificates(error: BaseException) -> None:
    """A certificate does not get better by asking again."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise Unreachable(
                f"its TLS certificate is not trusted: {cause.verify_message or cause}",
                hint="for a certificate authority of your own, name its file in SSL_CERT_FILE",
            ) from error
        cause = cause.__cause__ or cause.__context__


def _tls() -> ssl.SSLContext:
    """The system's certificate authorities (SSL_CERT_FILE and SSL_CERT_DIR included), else certifi's."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile or (paths.capath and any(os.scandir(paths.capath))):
        return ssl.create_default_context()
    return httpx.create_ssl_context()


def _proxy(proxies: Mapping[str, str], scheme: str, host: str) -> str | None:
    """The proxy that the environment names for a host (https_proxy, no_proxy and so on)."""
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or is_loopback(host) or proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
