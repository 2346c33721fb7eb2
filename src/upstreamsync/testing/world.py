"""The test world: every kind of upstream, and a forge, on one loopback server."""

from __future__ import annotations

import mimetypes
import os
import shutil
import ssl
import tempfile
import threading
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from upstreamsync.kit.run import process
from upstreamsync.testing.charts import Chart, ChartRepository, Files, as_bytes, make_chart, read_folder
from upstreamsync.testing.faults import Fault, Faults
from upstreamsync.testing.git import GitRemote, http_backend
from upstreamsync.testing.github import GitHub
from upstreamsync.testing.oci import Registry, Repository, basic_credentials
from upstreamsync.testing.openapi import github_validator
from upstreamsync.testing.server import LONG_AGO, Answer, Call, Content, Reply, Server, Wire, encode

_TYPES = {".yaml": "text/yaml", ".yml": "text/yaml", ".md": "text/markdown; charset=utf-8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request that the world answered.

    ``path`` is decoded, header names are in lower case, ``status`` is 0 where a fault cut the answer off
    before its status, ``bytes`` is the size of the body as sent (compressed, if it was).
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    host: str
    status: int
    bytes: int


class Upstreams:
    """What a world serves, fed by the test: charts, images, files and git repositories."""

    hosts: tuple[str, ...]

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="upstream-world-"))
        self.registry = Registry()
        self._repositories: dict[str, ChartRepository] = {}
        self._files: dict[str, tuple[Content, Mapping[str, str]]] = {}
        self._remotes: dict[str, GitRemote] = {}

    @property
    def url(self) -> str:
        """The root of everything, without a slash at its end."""
        return self.hosts[0]

    # Helm

    def chart(
        self,
        repository: str,
        name: str,
        version: str,
        *,
        files: Files | Path | None = None,
        app_version: str | None = None,
        created: datetime | None = None,
        deprecated: bool = False,
        digest: str | None = None,
    ) -> Chart:
        """Publish a chart in the HTTP repository ``world.url/REPOSITORY``.

        ``files`` is a mapping of paths in the chart, a chart folder, or None for a minimal chart that
        renders one ConfigMap. ``digest`` is a lie for the index. Publishing a version again replaces it.
        """
        chart = make_chart(name, version, files, app_version=app_version, deprecated=deprecated)
        self.charts(repository).add(chart, created=created, digest=digest)
        return chart

    def charts(self, repository: str) -> ChartRepository:
        """The chart repository at that path, made when there is none."""
        return self._repositories.setdefault(repository.strip("/"), ChartRepository())

    def raw_index(self, repository: str, index: str | bytes) -> None:
        """Serve these bytes as the repository's index.yaml, whatever charts it has."""
        self.charts(repository).raw = Content(as_bytes(index), "text/yaml")

    # OCI

    def oci_chart(
        self,
        repository: str,
        version: str,
        *,
        files: Files | Path | None = None,
        app_version: str | None = None,
        created: str | None = None,
        auth: bool = False,
        user: str | None = None,
        password: str = "",
        provenance: bytes | None = None,
    ) -> str:
        """Publish a chart as ``oci://HOST:PORT/REPOSITORY`` (its last part is the chart's name).

        ``auth``: reading takes a token, which anybody gets; with ``user``, only with the password.
        Returns the manifest's digest.
        """
        store = self._oci(repository, auth=auth, user=user, password=password)
        chart = make_chart(repository.rpartition("/")[2], version, files, app_version=app_version)
        return self.registry.add_chart(store, chart, created=created, provenance=provenance)

    def oci_image(
        self,
        repository: str,
        tags: Sequence[str],
        *,
        auth: bool = False,
        user: str | None = None,
        password: str = "",
        labels: Mapping[str, str] | None = None,
        created: str | None = None,
    ) -> dict[str, str]:
        """Publish an image under each of ``tags``; returns the manifests' digests by tag.

        ``created`` is when it was made, as its configuration says it.
        """
        store = self._oci(repository, auth=auth, user=user, password=password)
        return {tag: self.registry.add_image(store, tag, dict(labels or {}), created) for tag in tags}

    def _oci(self, name: str, *, auth: bool, user: str | None, password: str) -> Repository:
        return self.registry.repository(name, auth=auth, user=user, password=password)

    @property
    def oci_url(self) -> str:
        """``oci://HOST:PORT``, to be followed by a repository."""
        return f"oci://{self.url.partition('://')[2]}"

    # Files and git

    def file(
        self,
        path: str,
        data: str | bytes,
        *,
        headers: Mapping[str, str] | None = None,
        content_type: str | None = None,
        modified: datetime | None = LONG_AGO,
    ) -> str:
        """Serve ``data`` at ``path``: a raw file, a release asset, a page; returns its URL."""
        name = "/" + path.lstrip("/")
        suffix = os.path.splitext(name)[1]
        kind = content_type or _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "text/plain"
        if kind == "text/html":
            kind += "; charset=utf-8"
        self._files[name] = (Content(as_bytes(data), kind, modified=modified), dict(headers or {}))
        return self.url + urllib.parse.quote(name)

    def tree(self, prefix: str, folder: Path) -> str:
        """Serve every file of ``folder`` below ``prefix``, as they are now; returns the URL of the prefix."""
        name = prefix.strip("/")
        for path, data in read_folder(folder).items():
            self.file(f"{name}/{path}", data)
        return f"{self.url}/{name}"

    def remove_file(self, path: str) -> None:
        """Stop serving what ``file`` put there."""
        del self._files["/" + path.lstrip("/")]

    def git(self, name: str) -> GitRemote:
        """The bare repository ``world.url/git/NAME.git``, made when there is none; open to pushes."""
        if name not in self._remotes:
            folder = self.folder / "git" / f"{name}.git"
            self._remotes[name] = GitRemote(folder, f"{self.url}/git/{name}.git")
        return self._remotes[name]

    def _publish(self, path: str, data: bytes) -> str:
        return self.file(path, data, content_type="application/octet-stream")


class World(Upstreams):
    """Upstreams and a GitHub on loopback, fed by the test; use it as a context manager.

    Everything is served with ETag, Last-Modified, conditional requests and gzip. ``requests`` has what was
    asked, in order; ``fault`` makes answers fail; ``latency`` (seconds) delays each.

    Args:
        tls: serve https with a certificate of its own, ``ca_file``.
        openapi: GitHub's published OpenAPI description (api.github.com.json); each call to the GitHub
            server is validated, and what does not fit is in ``github.violations``.
        hosts: how many loopback addresses to listen on (127.0.0.1, 127.0.0.2, …), see ``hosts``.
    """

    def __init__(self, *, tls: bool = False, openapi: Path | None = None, hosts: int = 1) -> None:
        super().__init__()
        self.latency = 0.0
        self.requests: list[Request] = []
        self.ca_file: Path | None = None
        self.most_in_flight = 0
        self._in_flight = 0
        self._protected: list[tuple[str, str, str]] = []
        self._faults = Faults()
        self._lock = threading.Lock()
        context = self._certificate() if tls else None
        self._scheme = "https" if tls else "http"
        self._servers = [Server(self._serve, "127.0.0.1", 0, context)]
        self.port = self._servers[0].port
        self._servers += [
            Server(self._serve, f"127.0.0.{number}", self.port, context) for number in range(2, hosts + 1)
        ]
        self.hosts = tuple(f"{self._scheme}://127.0.0.{number}:{self.port}" for number in range(1, hosts + 1))
        validator = None if openapi is None else lambda: github_validator(openapi)
        self.github = GitHub(f"{self.url}/api/v3", self.folder, self._publish, validator)

    @property
    def elsewhere(self) -> str:
        """The same world under another host name, as seen from credentials and redirects."""
        return f"{self._scheme}://localhost:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving and delete the world's files."""
        for server in self._servers:
            server.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # What happens on the way

    def protect(self, prefix: str, user: str, password: str) -> None:
        """Ask for this user and password (Basic) on every path that starts with ``prefix``."""
        self._protected.append((prefix, user, password))

    def fault(
        self,
        path: str,
        fault: Fault,
        *,
        times: int | None = None,
        skip: int = 0,
        method: str | None = None,
        done: bool = False,
    ) -> None:
        """Let requests to paths that match the glob ``path`` meet ``fault``.

        ``times`` requests meet it (None: all), after ``skip`` have passed unharmed.
        The first fault that matches wins. ``done``: what was asked for is carried out all the same, as when
        a connection breaks between a deed and its answer.
        """
        self._faults.add(path, fault, times=times, skip=skip, method=method, done=done)

    def heal(self) -> None:
        """Forget all faults."""
        self._faults.clear()

    def count(self, prefix: str = "/", *, method: str | None = None, status: int | None = None) -> int:
        """How many requests went to paths that start with ``prefix``."""
        with self._lock:
            return sum(
                request.path.startswith(prefix)
                and method in {None, request.method}
                and status in {None, request.status}
                for request in self.requests
            )

    def reset(self) -> None:
        """Forget the requests so far and the tokens counted; content and faults stay."""
        with self._lock:
            self.requests.clear()
            self.registry.tokens.clear()
            self.most_in_flight = 0

    # Serving

    def _serve(self, call: Call, wire: Wire) -> bool:
        with self._lock:
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            if self.latency and not wire.wait(self.latency):
                return False
            return self._respond(call, wire)
        finally:
            with self._lock:
                self._in_flight -= 1

    def _respond(self, call: Call, wire: Wire) -> bool:
        fault, done = self._faults.next(call)
        reply = Reply()
        if fault is None or done or not fault.early:
            reply = self._protect(call) or self._route(call)
        if fault is not None:
            reply = fault.alter(call, reply, self.elsewhere)
        answer = encode(call, reply, conditional=fault is None)
        if call.method == "HEAD":
            self._record(call, answer.status, 0)
            wire.send(answer.head(length=len(answer.body)))
            return True
        silent = fault is not None and fault.early and fault.kind in {"hang", "reset"}
        # Recorded before it is sent: whoever has the answer finds it in the list.
        self._record(call, 0 if silent else answer.status, len(answer.body))
        if fault is not None:
            return fault.transmit(answer, wire)
        wire.send(_packet(answer))
        return True

    def _record(self, call: Call, status: int, size: int) -> None:
        request = Request(
            method=call.method,
            path=call.path,
            query=call.query,
            headers=call.headers,
            host=call.host,
            status=status,
            bytes=size,
        )
        with self._lock:
            self.requests.append(request)

    def _protect(self, call: Call) -> Reply | None:
        for prefix, user, password in self._protected:
            if call.path.startswith(prefix) and basic_credentials(call) != (user, password):
                return replace(
                    Reply.text(401, "credentials please\n"),
                    headers={"WWW-Authenticate": 'Basic realm="test world"'},
                )
        return None

    def _route(self, call: Call) -> Reply:
        path = call.path
        if path.startswith("/v2/") or path in {"/v2", "/token"}:
            return self.registry.serve(call, f"{self._scheme}://{call.host}")
        if path.startswith("/api/"):
            return self.github.serve(call, f"{self._scheme}://{call.host}")
        if path.startswith("/git/"):
            return http_backend(self.folder / "git", path.removeprefix("/git"), call)
        if path in self._files:
            content, headers = self._files[path]
            return Reply(content=content, headers=headers)
        name, _, rest = path.strip("/").rpartition("/")
        if (repository := self._repositories.get(name)) and (found := repository.serve(rest)):
            return Reply(content=found)
        return Reply.text(404, f"there is nothing at {path}\n")

    def _certificate(self) -> ssl.SSLContext:
        """A certificate for 127.0.0.1 and localhost, made by openssl."""
        certificate, key = self.folder / "ca.pem", self.folder / "key.pem"
        words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=world"
        names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
        process.run(
            ["openssl", *words.split(), "-addext", names, "-keyout", key, "-out", certificate],
            hint="install openssl, or use the world without tls",
        )
        self.ca_file = certificate
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context


def _packet(answer: Answer) -> bytes:
    length = None if answer.status in {204, 304} else len(answer.body)
    if length is None:
        return answer.head(length=0).replace(b"Content-Length: 0\r\n", b"")
    return answer.head(length=length) + answer.body
