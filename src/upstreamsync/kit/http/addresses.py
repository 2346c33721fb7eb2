"""What may be asked over HTTP, and what an answer's status means: the rules, without a network."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from upstreamsync.errors import (
    Denied,
    NotFound,
    RateLimited,
    Refused,
    TooLarge,
    Unreachable,
    UpstreamError,
    UpstreamsyncError,
    UsageError,
)
from upstreamsync.kit.http.credentials import basic, is_loopback
from upstreamsync.kit.http.inside import NOBODY, Inside, Named, check_spelling
from upstreamsync.kit.redact import redact

UNREACHABLE = "check the address and the network; https_proxy and no_proxy are honoured"
HINTS: Mapping[type[UpstreamsyncError], str] = {
    TooLarge: "if it really is that large, it is not what this is meant for; check the address",
    Unreachable: UNREACHABLE,
}


def raise_for_status(status: int, url: str, accepted: Collection[int]) -> None:
    """Turn a status into the error that it stands for."""
    if 200 <= status < 300 or status in accepted:
        return
    where = redact(url)
    host = urlsplit(url).hostname
    if status in {404, 410}:
        raise NotFound(f"`{where}` does not exist ({status})", hint="check the address and the version in it")
    if status in {401, 403, 407}:
        raise Denied(
            f"`{where}` is not accessible ({status})",
            hint=f"check the credentials for {host}: a token, netrc, or docker's and helm's registry files",
        )
    if status == 429:
        raise RateLimited(f"`{where}`: too many requests (429)", hint="run again later, or give a token")
    if status >= 500:
        raise Unreachable(
            f"`{where}` failed with status {status}", hint="upstream has a problem; run again later"
        )
    raise UpstreamError(f"`{where}` answered with status {status}", hint="check the address")


def checked(url: str, *, allow_http: bool, named: Named = NOBODY) -> tuple[str, Mapping[str, str]]:
    """A URL without user and password, and the header that they make; refuses what may not be asked.

    ``named`` are the hosts that the user named, which may lie inside.
    """
    where = redact(url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"`{where}` is not a URL: {error}", hint="it should begin with https://") from None
    if parts.scheme not in {"http", "https"} or not host or any(ord(c) <= 32 or ord(c) == 127 for c in url):
        raise UsageError(f"`{where}` is not an http(s) address", hint="it should begin with https://")
    if parts.scheme == "http" and not allow_http and not is_loopback(host):
        raise Refused(
            f"`{where}` is not encrypted, so anyone on the way could change what arrives",
            hint="use https://, or allow plain http where it is declared",
        )
    try:
        check_spelling(url, named)
    except Inside as error:
        raise inside(url, error) from None
    if "@" not in parts.netloc:
        return url, {}
    authority = f"[{host}]" if ":" in host else host
    authority += f":{port}" if port is not None else ""
    header = basic(unquote(parts.username or ""), unquote(parts.password or ""))
    return urlunsplit((parts.scheme, authority, parts.path, parts.query, "")), {"authorization": header}


def checked_redirect(url: str, location: str, *, allow_http: bool, named: Named = NOBODY) -> str:
    """Where a redirect from ``url`` leads; raises Refused where it may not lead.

    User and password in it are somebody else's idea of who we are: dropped.
    """
    where = f"`{redact(url)}` redirects to `{redact(location)}`"
    try:
        target = urljoin(url, location)
        parts = urlsplit(target)
        if urlsplit(url).scheme == "https" and parts.scheme == "http":
            raise Refused(
                f"{where}, from an encrypted to an open connection", hint="find out what moved, and where"
            )
        if is_loopback(parts.hostname) and not is_loopback(urlsplit(url).hostname):
            raise Refused(f"{where}, which is this machine", hint="nothing on the network should point there")
        return checked(target, allow_http=allow_http, named=named)[0]
    except ValueError as error:
        raise Refused(f"{where}, which is not an address: {error}", hint="upstream is broken") from None
    except UsageError as error:
        raise Refused(f"{where}: {error.message}", hint=error.hint) from None


def inside(url: str, error: Inside) -> Refused:
    """The refusal to ask a host that lies inside and that nobody named."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    return Refused(
        f"`{redact(url)}` leads to {error}; vendors.yaml does not name that host",
        hint=f"if you trust what named it: allow_hosts: [{host!r}] in vendors.yaml, or --allow-host {host}",
    )


def origin(url: str) -> str:
    """Scheme, host and port: what credentials belong to."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"
