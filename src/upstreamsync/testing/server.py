"""The test world's HTTP server: threads, keep-alive, conditional requests, gzip, latency and faults."""

from __future__ import annotations

import contextlib
import email.utils
import gzip
import hashlib
import http
import socket
import socketserver
import ssl
import struct
import threading
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import BinaryIO, cast

#: When content has no date of its own.
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)

_GZIP_FROM = 400  # bytes; smaller answers are sent as they are


class Content:
    """Bytes to serve, with what is derived from them computed once."""

    def __init__(
        self,
        data: bytes,
        content_type: str = "application/octet-stream",
        *,
        modified: datetime | None = LONG_AGO,
    ) -> None:
        self.data = data
        self.content_type = content_type
        self.modified = modified

    @cached_property
    def etag(self) -> str:
        """A strong validator: the digest of the bytes."""
        return f'"{hashlib.sha256(self.data).hexdigest()[:32]}"'

    @cached_property
    def gzipped(self) -> bytes | None:
        """The compressed form, or None where compressing is of no use."""
        if len(self.data) < _GZIP_FROM or "gzip" in self.content_type or "tar" in self.content_type:
            return None
        packed = gzip.compress(self.data, compresslevel=5, mtime=0)
        return packed if len(packed) < len(self.data) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as it came in. ``path`` is decoded; names in ``headers`` are in lower case."""

    method: str
    path: str
    target: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def host(self) -> str:
        """Host name and port as the client wrote them."""
        return self.headers.get("host", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer before validators, compression and faults are applied."""

    status: int = 200
    content: Content | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def text(cls, status: int, words: str, **headers: str) -> Reply:
        """A short plain answer; ``_`` in header names stands for ``-``."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status=status, content=Content(words.encode(), "text/plain", modified=None), headers=names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def head(self, *, length: int | None) -> bytes:
        """The status line and the headers; ``length`` None leaves the end of the body to the closing."""
        lines = [f"HTTP/1.1 {self.status} {_reason(self.status)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines.append("Connection: close" if length is None else f"Content-Length: {length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Wire:
    """One connection, as faults may use it."""

    def __init__(self, connection: socket.socket, closing: threading.Event) -> None:
        self._connection = connection
        self._closing = closing

    def send(self, data: bytes) -> None:
        """Send everything, or raise OSError when the other side is gone."""
        self._connection.sendall(data)

    def wait(self, seconds: float) -> bool:
        """Pause; False when the server is closing meanwhile."""
        return not self._closing.wait(seconds)

    def reset(self) -> None:
        """End the connection the rude way (RST)."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()


def encode(call: Call, reply: Reply, *, conditional: bool = True) -> Answer:
    """Apply validators (304) and compression, as a well-behaved server does."""
    headers = {"Date": email.utils.formatdate(usegmt=True), **reply.headers}
    content = reply.content
    if content is None:
        return Answer(status=reply.status, headers=headers, body=b"")
    headers.setdefault("Content-Type", content.content_type)
    body = content.data
    if reply.status == http.HTTPStatus.OK and call.method in {"GET", "HEAD"}:
        headers.setdefault("ETag", content.etag)
        if content.modified is not None:
            headers.setdefault("Last-Modified", email.utils.format_datetime(content.modified, usegmt=True))
        if conditional and unchanged(call, headers["ETag"], content.modified):
            del headers["Content-Type"]
            return Answer(status=304, headers=headers, body=b"")
    if "gzip" in call.headers.get("accept-encoding", "") and content.gzipped is not None:
        headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        body = content.gzipped
    return Answer(status=reply.status, headers=headers, body=body)


def unchanged(call: Call, etag: str, modified: datetime | None) -> bool:
    """Whether the client has this content already, by the validators that it sent."""
    if wanted := call.headers.get("if-none-match"):
        bare = etag.removeprefix("W/")
        return wanted.strip() == "*" or bare in (tag.strip().removeprefix("W/") for tag in wanted.split(","))
    if modified is not None and (since := call.headers.get("if-modified-since")):
        with contextlib.suppress(ValueError):
            return modified.replace(microsecond=0) <= email.utils.parsedate_to_datetime(since)
    return False


def _reason(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


#: Called for each request with its connection; True keeps the connection open.
Serve = Callable[[Call, Wire], bool]


class Server:
    """Listens on one loopback address and serves each connection in a thread of its own."""

    def __init__(self, serve: Serve, address: str, port: int, context: ssl.SSLContext | None) -> None:
        self.closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        outer = self

        class Connection(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                outer._connection(cast("socket.socket", self.request), serve, context)

        class Listener(socketserver.ThreadingMixIn, socketserver.TCPServer):
            daemon_threads = True
            block_on_close = False
            allow_reuse_address = True
            request_queue_size = 256

            def shutdown_request(self, request: object) -> None:
                cast("socket.socket", request).close()

        self._listener = Listener((address, port), Connection)
        # A connection that was reset before it is accepted would hold the listener up for ever.
        self._listener.socket.setblocking(False)
        self.port: int = self._listener.server_address[1]
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening and end every connection."""
        self.closing.set()
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _connection(self, raw: socket.socket, serve: Serve, context: ssl.SSLContext | None) -> None:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = raw
        with self._lock:
            self._open.add(raw)
        try:
            if context is not None:
                connection = context.wrap_socket(raw, server_side=True)
                with self._lock:
                    self._open.add(connection)
            with connection.makefile("rb") as stream:
                while not self.closing.is_set() and (call := _read(stream, connection)):
                    if not serve(call, Wire(connection, self.closing)):
                        break
        except (OSError, ValueError):
            pass  # the client went away, or does not speak HTTP: its own affair
        finally:
            with self._lock:
                self._open -= {raw, connection}
            connection.close()


def _read(stream: BinaryIO, connection: socket.socket) -> Call | None:
    """The next request of a connection, or None at its end. Raises ValueError for what is not HTTP."""
    line = stream.readline(65_537)
    if not line.strip():
        return None
    method, target, _ = line.decode("latin-1").split(None, 2)
    headers: dict[str, str] = {}
    while (line := stream.readline(65_537)) not in {b"\r\n", b"\n", b""}:
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _chunks(stream)
    else:
        body = stream.read(int(headers.get("content-length", "0")))
    parts = urllib.parse.urlsplit(target)
    query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
    path = urllib.parse.unquote(parts.path)
    return Call(method=method, path=path, target=target, query=query, headers=headers, body=body)


def _chunks(stream: BinaryIO) -> bytes:
    parts = []
    while size := int(stream.readline(100).split(b";")[0], 16):
        parts.append(stream.read(size))
        stream.readline(10)
    while stream.readline(65_537).strip():
        pass  # trailers
    return b"".join(parts)
