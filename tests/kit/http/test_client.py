"""HTTP: once per address, never stale, bounded, and silent about secrets; with real servers on loopback."""

import contextlib
import gzip
import hashlib
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from upstreamsync.errors import (
    Denied,
    DigestMismatch,
    NotFound,
    RateLimited,
    Refused,
    TooLarge,
    Unreachable,
    UpstreamError,
    UpstreamsyncError,
    UsageError,
)
from upstreamsync.kit.http.client import Http
from upstreamsync.kit.http.credentials import Credentials
from upstreamsync.kit.store.cache import Cache
from upstreamsync.kit.store.seal import SIZE as SEAL

Answer = tuple[int, dict[str, str], bytes]
GZIP = {"Content-Encoding": "gzip"}


def sha256(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


class Site(http.server.ThreadingHTTPServer):
    """Answers by path, from functions; remembers what was asked."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host: str = "127.0.0.1") -> None:
        super().__init__((host, 0), Handler)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.pages: dict[str, Callable[[dict[str, str]], Answer]] = {}
        self.in_flight = self.most = 0
        self.lock = threading.Lock()
        self.url = f"http://{host}:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def page(self, path: str, body: bytes = b"", status: int = 200, **headers: str) -> str:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = lambda _: (status, names, body)
        return self.url + path

    def tagged(self, path: str, body: bytes, **headers: str) -> str:
        tag = f'"{hashlib.sha256(body).hexdigest()[:8]}"'

        def answer(asked: dict[str, str]) -> Answer:
            if asked.get("if-none-match") == tag:
                return 304, {"ETag": tag}, b""
            return 200, {"ETag": tag, **headers}, body

        self.pages[path] = answer
        return self.url + path


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def do_GET(self) -> None:
        site = self.server
        headers = {name.lower(): value for name, value in self.headers.items()}
        with site.lock:
            site.asked.append((self.path, headers))
            site.in_flight += 1
            site.most = max(site.most, site.in_flight)
        try:
            self.rfile.read(int(headers.get("content-length", "0")))
            status, extra, body = site.pages[self.path.partition("?")[0]](headers)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **extra}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            if extra.get("Connection") == "close":
                self.close_connection = True
        finally:
            with site.lock:
                site.in_flight -= 1

    do_POST = do_GET

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    with contextlib.closing(Site()) as server:
        yield server
        server.shutdown()


# ThreadingHTTPServer closes by another name.
Site.close = Site.server_close  # type: ignore[attr-defined]


def client(tmp_path: Path | None = None, **settings: Any) -> Http:
    settings = {"backoff": 0.001, "timeout": 5.0, **settings}
    return Http(cache=Cache(tmp_path), **settings)


@pytest.fixture
def web() -> Iterator[Http]:
    with client() as made:
        yield made


def test_a_plain_answer(site: Site, web: Http) -> None:
    url = site.page("/a", b"hello", Content_Type="text/plain")
    answer = web.get(url, headers={"Accept": "text/plain"})
    assert (answer.status, answer.url, answer.body, answer.revalidated) == (200, url, b"hello", False)
    assert answer.headers["content-type"] == "text/plain"
    assert answer.digest == f"sha256:{hashlib.sha256(b'hello').hexdigest()}"
    ((_, asked),) = site.asked
    assert asked["accept"] == "text/plain"
    assert asked["accept-encoding"] == "gzip"
    assert asked["user-agent"].startswith("upstreamsync")
    assert web.requests == [("GET", url, 200)]


def test_one_request_per_address_however_many_ask(site: Site, web: Http) -> None:
    urls = [site.page(f"/{number}", b"x") for number in range(5)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(web.get, urls * 8))
    assert len(site.asked) == 5
    assert {answer.body for answer in answers} == {b"x"}
    web.get(urls[0], headers={"accept": "application/json"})
    assert len(site.asked) == 6


def test_errors_are_remembered_for_the_run_too(site: Site, web: Http) -> None:
    url = site.page("/gone", status=404)
    errors = []
    for _ in range(3):
        with pytest.raises(NotFound) as caught:
            web.get(url)
        errors.append(caught.value)
    assert len(site.asked) == 1
    assert len({id(error) for error in errors}) == 3


def test_the_next_run_asks_again_and_reads_nothing_anew(site: Site, tmp_path: Path) -> None:
    url = site.tagged("/index.yaml", b"entries: {}\n" * 50_000, Link='<x>; rel="next"')
    with client(tmp_path) as first:
        before = first.get(url)
        assert not before.revalidated
    with client(tmp_path) as second:
        after = second.get(url)
        assert after.revalidated
        assert (after.status, after.body, after.digest) == (200, before.body, before.digest)
        assert after.headers["link"] == '<x>; rel="next"'
        assert second.requests == [("GET", url, 304)]
    site.tagged("/index.yaml", b"changed")
    with client(tmp_path) as third:
        assert third.get(url).body == b"changed"


def test_without_a_validator_or_with_no_store_nothing_is_kept(site: Site, tmp_path: Path) -> None:
    site.page("/plain", b"x")
    site.page("/secret", b"x", ETag='"x"', Cache_Control="private, no-store")
    for _ in range(2):
        with client(tmp_path) as web:
            web.get(site.url + "/plain")
            web.get(site.url + "/secret")
    assert all("if-none-match" not in asked for _, asked in site.asked)


def test_a_damaged_cache_costs_a_request_and_nothing_else(site: Site, tmp_path: Path) -> None:
    body = b"x" * 400_000
    url = site.tagged("/a", body)
    for damage in (b"", b"{", b"\xff", b"x" * 400_000 + b"y"):
        with client(tmp_path) as web:
            web.get(url)
        for path in tmp_path.rglob("*"):
            if path.is_file():
                path.write_bytes(damage)
        with client(tmp_path) as web:
            assert web.get(url).body == body
    with client(tmp_path) as web:
        answer = web.get(url)
        for path in (tmp_path / "http-body").rglob("*"):
            if path.is_file():
                path.unlink()
        assert answer.body == body


def test_what_changes_while_it_is_read_is_an_error(site: Site, tmp_path: Path) -> None:
    url = site.tagged("/a", b"x" * 400_000)
    with client(tmp_path) as web:
        web.get(url)
    with client(tmp_path) as web:
        answer = web.get(url)
        for path in (tmp_path / "http-body").rglob("*"):
            if path.is_file():
                path.unlink()
        site.tagged("/a", b"y")
        with pytest.raises(DigestMismatch):
            _ = answer.body


def test_large_bodies_are_not_held_for_the_run(site: Site, tmp_path: Path) -> None:
    url = site.tagged("/a", b"x" * 5_000_000)
    with client(tmp_path) as web:
        web.get(url)
        import tracemalloc

        tracemalloc.start()
        try:
            assert len(web.get(url).body) == 5_000_000
            assert tracemalloc.get_traced_memory()[0] < 1_000_000
        finally:
            tracemalloc.stop()
    assert len(site.asked) == 1


# -- compression and size ---------------------------------------------------------------------------


def test_what_came_in_gzip_is_kept_so(site: Site, tmp_path: Path) -> None:
    body = b"".join(b"line %d\n" % number for number in range(100_000))
    url = site.tagged("/a", gzip.compress(body[:50_000]) + gzip.compress(body[50_000:]), **GZIP)
    with client(tmp_path) as web:
        first = web.get(url)
        assert (first.body, first.size, first.digest) == (body, len(body), sha256(body))
        assert bytes(web.get(url).open()) == body
    (kept,) = (path for path in (tmp_path / "http-gzip").rglob("*") if path.is_file())
    assert kept.stat().st_size < len(body) / 3
    with client(tmp_path) as web:
        again = web.get(url)
        assert (again.revalidated, again.size, again.digest) == (True, len(body), first.digest)
        assert bytes(again.open()) == body
        assert again.body == body
        with pytest.raises(TooLarge):
            web.get(url, limit=len(body) - 1)
    assert len(site.asked) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-9],
        lambda data: data[:100] + b"\0" + data[101:],
        lambda data: gzip.compress(b"something else"),
        lambda data: data + gzip.compress(b"more"),
        lambda data: gzip.compress(b"\0" * 50_000_000),
        lambda data: gzip.decompress(data),
    ],
)
def test_damage_of_what_is_kept_in_gzip_costs_a_request(site: Site, tmp_path: Path, damage: Any) -> None:
    body = b"".join(b"line %d\n" % number for number in range(100_000))
    url = site.tagged("/a", gzip.compress(body), **GZIP)
    with client(tmp_path) as web:
        web.get(url)
    (kept,) = (path for path in (tmp_path / "http-gzip").rglob("*") if path.is_file())
    written = kept.read_bytes()
    kept.write_bytes(written[:SEAL] + damage(written[SEAL:]))
    with client(tmp_path) as web:
        assert web.get(url).body == body
    assert len(site.asked) == 3


def test_what_an_older_version_kept_still_serves(site: Site, tmp_path: Path) -> None:
    """It kept all bodies decoded."""
    body = b"x" * 400_000
    url = site.tagged("/a", body)
    with client(tmp_path) as web:
        web.get(url)
    site.tagged("/a", gzip.compress(body), **GZIP)
    site.pages["/a"] = lambda _: (304, {}, b"")
    with client(tmp_path) as web:
        assert web.get(url).body == body


def test_a_size_that_somebody_made_up_takes_no_memory(site: Site, tmp_path: Path) -> None:
    url = site.tagged("/a", gzip.compress(b"x" * 1000), **GZIP)
    with client(tmp_path) as web:
        web.get(url)
    for path in (tmp_path / "http").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(b'"size": "1000"', b'"size": "250000000"'))
    with client(tmp_path) as web:
        assert web.get(url).body == b"x" * 1000


@pytest.mark.parametrize("members", [b"", gzip.compress(b"", mtime=0)], ids=["nothing", "a member"])
def test_nothing_in_gzip_is_nothing(site: Site, tmp_path: Path, members: bytes) -> None:
    url = site.tagged("/a", members, **GZIP)
    for _ in range(2):
        with client(tmp_path) as web:
            answer = web.get(url)
            assert (answer.body, answer.size, bytes(answer.open())) == (b"", 0, b"")


def test_members_without_content_are_no_way_round_the_limit(site: Site, web: Http) -> None:
    data = gzip.compress(b"") * 1000
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)  # so that no length is stated
    url = site.page("/a", chunked, Content_Encoding="gzip", Transfer_Encoding="chunked")
    with pytest.raises(TooLarge):
        web.get(url, limit=1000)


def test_a_sparse_body_is_read_as_it_was_received(site: Site, web: Http) -> None:
    """However the network cuts it into pieces: what was within the limits when it came still is."""
    body = os.urandom(120_000) + b"\0" * (24 * 1024 * 1024)
    answer = web.get(site.page("/a", gzip.compress(body), Content_Encoding="gzip"))
    assert answer.body == body
    assert bytes(answer.open()) == body


def test_an_error_in_gzip_is_an_error(site: Site, web: Http) -> None:
    url = site.page("/a", gzip.compress(b"no"), status=401, Content_Encoding="gzip")
    assert web.get(url, accept_status=(401,)).body == b"no"


def test_gzip_is_undone_but_not_of_archives(site: Site, web: Http) -> None:
    packed = gzip.compress(b"a" * 3000) + gzip.compress(b"b")
    assert web.get(site.page("/a.yaml", packed, Content_Encoding="gzip")).body == b"a" * 3000 + b"b"
    assert web.get(site.page("/a.tgz", packed, Content_Encoding="x-gzip")).body == packed
    assert [asked["accept-encoding"] for _, asked in site.asked] == ["gzip", "identity"]


def test_limits_on_size(site: Site, web: Http) -> None:
    body = b"x" * 10_000
    assert web.get(site.page("/exact", body), limit=10_000).body == body
    for path, sent, headers in (
        ("/stated", body, {}),
        ("/packed", gzip.compress(body), {"Content_Encoding": "gzip"}),
    ):
        with pytest.raises(TooLarge, match="9999") as caught:
            web.get(site.page(path, sent, **headers), limit=9_999)
        assert path in str(caught.value)
        assert caught.value.hint


def test_another_limit_is_no_other_request(site: Site, web: Http) -> None:
    url = site.page("/a", b"x" * 1000)
    with pytest.raises(TooLarge):
        web.get(url, limit=10)
    assert len(web.get(url, limit=2000).body) == 1000
    assert len(web.get(url, limit=3000).body) == 1000
    with pytest.raises(TooLarge):
        web.get(url, limit=999)
    assert len(site.asked) == 2


def test_a_bomb_is_stopped_by_its_ratio(site: Site, web: Http) -> None:
    bomb = gzip.compress(b"\0" * (24 * 1024 * 1024), 6)
    with pytest.raises(TooLarge, match="times its size"):
        web.get(site.page("/bomb", bomb, Content_Encoding="gzip"))


def test_a_kept_answer_obeys_a_smaller_limit(site: Site, tmp_path: Path) -> None:
    url = site.tagged("/a", b"x" * 1000)
    for limit, error in ((1000, None), (999, TooLarge)):
        with client(tmp_path) as web, pytest.raises(error) if error else contextlib.nullcontext():
            web.get(url, limit=limit)


# -- faults -----------------------------------------------------------------------------------------


def flaky(*answers: Answer) -> Callable[[dict[str, str]], Answer]:
    queue = list(answers)
    return lambda _: queue.pop(0) if len(queue) > 1 else queue[0]


GOOD: Answer = (200, {}, b"good")


@pytest.mark.parametrize(
    "bad",
    [
        (500, {}, b""),
        (502, {}, b""),
        (503, {"Retry-After": "0"}, b""),
        (504, {}, b""),
        (429, {"Retry-After": "0"}, b""),
        (403, {"x-ratelimit-remaining": "0", "Retry-After": "0"}, b""),
        (200, {"Content-Length": "100", "Connection": "close"}, b"short"),
        (200, {"Content-Encoding": "gzip"}, gzip.compress(b"good" * 99)[:-9]),
        (200, {"Content-Encoding": "gzip"}, b"\x1f\x8bnonsense"),
        (200, {"Content-Length": "x", "Connection": "close"}, b"good"),
    ],
)
def test_what_may_pass_is_tried_again(site: Site, web: Http, bad: Answer) -> None:
    site.pages["/a"] = flaky(bad, bad, GOOD)
    assert web.get(site.url + "/a").body == b"good"
    assert len(site.asked) == 3


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((500, {}, b"body"), Unreachable),
        ((429, {}, b""), RateLimited),
        ((200, {"Content-Length": "100", "Connection": "close"}, b"short"), Unreachable),
        ((200, {"Content-Encoding": "gzip"}, gzip.compress(b"good" * 99)[:-9]), Unreachable),
    ],
)
def test_what_does_not_pass_is_an_error_after_all_attempts(
    site: Site, web: Http, answer: Answer, error: type[UpstreamsyncError]
) -> None:
    site.pages["/a"] = flaky(answer)
    with pytest.raises(error) as caught:
        web.get(site.url + "/a")
    assert type(caught.value) is error
    assert caught.value.hint
    assert "/a" in str(caught.value)
    assert len(site.asked) == 4


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, Denied), (403, Denied), (404, NotFound), (410, NotFound), (418, UpstreamError)],
)
def test_clear_answers_are_not_asked_for_again(
    site: Site, web: Http, status: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        web.get(site.page("/a", status=status))
    assert len(site.asked) == 1
    assert web.get(site.url + "/a", accept_status=(status,)).status == status


def test_told_to_come_back_too_late_is_rate_limited_at_once(site: Site, web: Http) -> None:
    site.page("/a", status=429, Retry_After="3600")
    site.page("/b", status=403, X_RateLimit_Remaining="0", X_RateLimit_Reset=str(int(time.time()) + 3600))
    for path in ("/a", "/b"):
        start = time.monotonic()
        with pytest.raises(RateLimited, match=r"36\d\d s|359\d s"):
            web.get(site.url + path)
        assert time.monotonic() - start < 600  # and not the hour that it says
    assert len(site.asked) == 2


def test_retry_after_is_obeyed(site: Site, web: Http) -> None:
    site.pages["/a"] = flaky((429, {"Retry-After": "1"}, b""), GOOD)
    start = time.monotonic()
    web.get(site.url + "/a")
    assert time.monotonic() - start >= 1.0


def test_a_dead_host_is_tried_fully_once_and_then_given_up_quickly() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with client() as web:
            for path in ("/a", "/b", "/c"):
                with pytest.raises(Unreachable) as caught:
                    web.get(url + path)
                assert caught.value.hint
            assert len(web.requests) == 4 + 1 + 1


@contextlib.contextmanager
def raw(reply: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that answers each connection as ``reply`` does, byte by byte."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    reply(connection)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/a"
    finally:
        server.close()


def drip(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


@pytest.mark.parametrize(
    "reply",
    [
        lambda connection: None,
        lambda connection: connection.sendall(b"garbage\r\n\r\n"),
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
        lambda connection: connection.sendall(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"
        ),
        lambda connection: time.sleep(1),
        drip,
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000),
    ],
)
def test_broken_servers_are_unreachable(reply: Callable[[socket.socket], None]) -> None:
    with raw(reply) as url, client(timeout=0.3, attempts=2, total_timeout=0.6) as web:
        with pytest.raises(Unreachable) as caught:  # or it would never end
            web.get(url)
        assert caught.value.hint


def test_an_endless_body_ends_at_the_limit() -> None:
    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with raw(endless) as url, client() as web, pytest.raises(TooLarge):
        web.get(url, limit=1_000_000)


# -- redirects and credentials ----------------------------------------------------------------------


def test_redirects_are_followed_and_the_end_is_told(site: Site, web: Http) -> None:
    site.page("/a", status=301, Location="/b")
    site.page("/b", status=307, Location=f"{site.url}/c?x=1")
    site.page("/c", b"end")
    answer = web.get(site.url + "/a")
    assert (answer.body, answer.url) == (b"end", f"{site.url}/c?x=1")


def test_redirects_in_a_loop_end(site: Site, web: Http) -> None:
    site.page("/a", status=302, Location="/a")
    with pytest.raises(TooLarge, match="redirect"):
        web.get(site.url + "/a")
    assert len(site.asked) == 11


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "http://[x", "https://a:x/", "http://example.org/x", "gopher://x"]
)
def test_redirects_to_what_may_not_be_asked_are_refused(site: Site, web: Http, target: str) -> None:
    site.page("/a", status=302, Location=target)
    with pytest.raises(Refused):
        web.get(site.url + "/a")


@pytest.fixture
def other() -> Iterator[Site]:
    server = Site("localhost")
    yield server
    server.shutdown()
    server.server_close()


def test_credentials_never_cross_hosts(site: Site, other: Site) -> None:
    other.page("/end", b"x")
    other.page("/mine", b"x")
    site.page("/away", status=302, Location=f"{other.url}/end")
    site.page("/stay", status=302, Location="/end")
    site.page("/end", b"x")
    tokens = {
        site.url.removeprefix("http://"): "Bearer token-of-site",
        other.url.removeprefix("http://"): "Bearer token-of-other",
    }
    with client(credentials=Credentials(tokens=tokens)) as web:
        web.get(site.url + "/away")
        web.get(site.url + "/stay")
        web.get(other.url + "/mine")
        web.get(site.url + "/away", headers={"Authorization": "Bearer given", "Cookie": "c=1"})
    seen = [(path, asked.get("authorization")) for path, asked in other.asked]
    assert seen == [("/end", None), ("/mine", "Bearer token-of-other"), ("/end", None)]
    assert all("cookie" not in asked for _, asked in other.asked)
    assert [asked.get("authorization") for path, asked in site.asked] == ["Bearer token-of-site"] * 3 + [
        "Bearer given"
    ]


def test_hosts_with_the_same_token_are_one(site: Site, other: Site) -> None:
    other.page("/end", b"x")
    site.page("/away", status=302, Location=f"{other.url}/end")
    tokens = dict.fromkeys(
        (site.url.removeprefix("http://"), other.url.removeprefix("http://")), "Bearer both"
    )
    with client(credentials=Credentials(tokens=tokens)) as web:
        web.get(site.url + "/away")
    assert other.asked[0][1]["authorization"] == "Bearer both"


def test_user_and_password_in_the_address(site: Site, other: Site, web: Http) -> None:
    site.page("/a", status=302, Location=f"http://user:secret-word@{other.url.removeprefix('http://')}/b")
    other.page("/b", status=404)
    with pytest.raises(NotFound) as caught:
        web.get(site.url.replace("http://", "http://me:hidden%40word@") + "/a")
    assert site.asked[0][1]["authorization"] == "Basic bWU6aGlkZGVuQHdvcmQ="
    assert "authorization" not in other.asked[0][1]
    said = f"{caught.value} {caught.value.hint} {web.requests}"
    assert "hidden" not in said
    assert "secret-word" not in said


@pytest.mark.parametrize(
    "url", ["http://example.org/x", "http://10.0.0.1/x", "http://127.0.0.1.example.org/x"]
)
def test_plain_http_is_for_this_machine_alone(web: Http, url: str) -> None:
    with pytest.raises(Refused) as caught:
        web.get(url)
    assert caught.value.hint
    assert web.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://x/y",
        "x",
        "",
        "https://",
        "https://a b/",
        "https://a/\n",
        "https://[x",
        "https://a:x/",
    ],
)
def test_what_is_no_address_is_wrong_usage(web: Http, url: str) -> None:
    with pytest.raises(UsageError):
        web.get(url)


@respx.mock
def test_plain_http_where_it_is_allowed_and_https_never_steps_down() -> None:
    respx.get("http://example.org/x").respond(200, content=b"open")
    respx.get("https://example.org/y").respond(302, headers={"Location": "http://example.org/x"})
    respx.get("https://example.org/z").respond(302, headers={"Location": "https://127.0.0.1/x"})
    with client() as web:
        assert web.get("http://example.org/x", allow_http=True).body == b"open"
        with pytest.raises(Refused, match="encrypted"):
            web.get("https://example.org/y", allow_http=True)
        with pytest.raises(Refused, match="this machine"):
            web.get("https://example.org/z")


@respx.mock
def test_every_error_of_httpx_becomes_ours() -> None:
    kinds = [
        kind
        for kind in vars(httpx).values()
        if isinstance(kind, type) and issubclass(kind, httpx.TransportError)
    ]
    assert len(kinds) > 10
    for number, kind in enumerate(kinds):
        respx.get(f"https://host{number}.example.org/").mock(side_effect=kind("told"))
        with client(attempts=1) as web, pytest.raises(Unreachable):
            web.get(f"https://host{number}.example.org/")


# -- limits on what is in flight --------------------------------------------------------------------


def test_requests_in_flight_are_bounded(site: Site) -> None:
    def slow(_: dict[str, str]) -> Answer:
        time.sleep(0.03)
        return GOOD

    for number in range(24):
        site.pages[f"/{number}"] = slow
    for settings, bound in (({"per_host": 3}, 3), ({"jobs": 2}, 2)):
        site.most = 0
        with client(**settings) as web, ThreadPoolExecutor(24) as pool:
            list(pool.map(lambda n: web.get(f"{site.url}/{n}"), range(24)))
        assert site.most <= bound


def test_post_sends_once(site: Site, web: Http) -> None:
    site.page("/token", b"{}", status=500)
    with pytest.raises(Unreachable):
        web.post(site.url + "/token", form={"a": "b c"})
    assert len(site.asked) == 1
    assert site.asked[0][1]["content-type"] == "application/x-www-form-urlencoded"
    site.page("/token", b"{}")
    assert web.post(site.url + "/token", content=b"x").body == b"{}"


def test_nothing_is_imported_before_the_first_request() -> None:
    code = "import sys, upstreamsync.kit.http.client; sys.exit(any(m in sys.modules for m in ('httpx', 'ssl', 'httpcore')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_httpx_comes_without_its_command_line(site: Site) -> None:
    url = site.page("/a")
    code = f"""
import sys
from upstreamsync.kit.store.cache import Cache
from upstreamsync.kit.http.client import Http
Http(cache=Cache(None)).get({url!r})
assert 'httpx' in sys.modules and not {{'click', 'rich', 'pygments'}} & sys.modules.keys()
import httpx._main
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
