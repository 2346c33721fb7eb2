"""A small client for OCI registries: tags, manifests and blobs, by the OCI distribution specification.

Not oras (0.2), the one library there is: it speaks through requests, a second stack beside ours (130 ms of CPU to
import, on top of httpx's 100), which knows nothing of our limits on size and time, of hosts that may not be asked, of
tokens that belong to one host, and revalidates nothing, where an unchanged list of tags costs us one 304. We need
three requests of the specification, and read-only.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

from upstreamsync.errors import Denied, DigestMismatch, Malformed, Refused, TooLarge, UsageError
from upstreamsync.kit.http import addresses
from upstreamsync.kit.http.client import Http
from upstreamsync.kit.http.credentials import basic, is_loopback
from upstreamsync.kit.http.response import Response
from upstreamsync.kit.redact import redact, register
from upstreamsync.kit.store import dependencies

MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MAX_PAGES = 200
MAX_TAGS = 200_000
_PAGE = 1000
_MANIFEST_LIMIT = 8 * 1024 * 1024
#: Of how many platforms of an image its date is asked for.
_PLATFORMS = 3
_BLOB_LIMIT = 256 * 1024 * 1024

_NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?")
_CHALLENGE = re.compile(r"\b(bearer|basic)\s", re.IGNORECASE)
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_NEXT = re.compile(r'<([^>]+)>\s*;[^,]*\brel="?next"?')


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Where an image or chart lies: registry, repository in it, and a tag or digest if given."""

    scheme: str
    registry: str
    repository: str
    version: str | None = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read ``oci://host/name``, ``host/name:tag``, ``name@sha256:…``; raises UsageError.

        Without a host, Docker Hub is meant. Registries on this machine are asked over plain http, unless
        the text begins with https://.
        """
        scheme, _, rest = text.partition("://") if "://" in text else ("", "", text)
        rest, at, digest = rest.partition("@")
        host, slash, path = rest.rstrip("/").partition("/")
        if not slash or not ("." in host or ":" in host or host == "localhost"):
            # A host alone, or an address that should begin with one, does not mean Docker Hub.
            hub = not scheme and (slash or "." not in host.partition(":")[0])
            host, path = "docker.io" if hub else "", rest.rstrip("/")
            path = path if "/" in path else f"library/{path}"
        path, colon, tag = path.partition(":")
        named = _NAME.fullmatch(path) and len(path) <= 255 and _is_host(host)
        good = named and (not colon or _TAG.fullmatch(tag)) and (not at or _DIGEST.fullmatch(digest))
        if not good or scheme not in {"", "oci", "docker", "https", "http"}:
            raise UsageError(f"`{redact(text)}` is not an OCI reference", hint="write oci://HOST/NAME")
        if host in {"docker.io", "index.docker.io"}:
            host = "registry-1.docker.io"
        if scheme not in {"https", "http"}:
            scheme = "http" if _is_loopback(f"//{host}") else "https"
        return cls(scheme=scheme, registry=host, repository=path, version=digest or tag or None)

    @property
    def url(self) -> str:
        """The address below which everything of the repository lies."""
        return f"{self.scheme}://{self.registry}/v2/{self.repository}"

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}"


@dataclass(slots=True)
class _Session:
    """What was negotiated with registries in this run: an Authorization value per repository."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    busy: dict[tuple[str, str], threading.Lock] = field(default_factory=dict)
    authorizations: dict[tuple[str, str], str] = field(default_factory=dict)


class Oci:
    """Registries, asked through ``http``; tokens are shared by all Oci objects of the same Http.

    ``allow_http`` permits plain http to registries elsewhere than on this machine.
    """

    def __init__(self, http: Http, *, allow_http: bool = False) -> None:
        self._http = http
        self._allow_http = allow_http
        self._session = http.shared("oci", _Session)

    def tags(self, reference: str) -> tuple[str, ...]:
        """All tags of a repository, in the registry's order; follows its pages.

        Raises UsageError for the reference, and as ``Http.get``; Malformed for an answer that is no list.
        """
        return dependencies.asked(
            ("oci-tags", reference, self._allow_http), lambda: self._tags(reference), list
        )

    def _tags(self, reference: str) -> tuple[str, ...]:
        where = Reference.parse(reference)
        url = f"{where.url}/tags/list?n={_PAGE}"
        found: dict[str, None] = {}
        for _ in range(MAX_PAGES):
            answer = self._get(where, url, {"accept": "application/json"}, _MANIFEST_LIMIT)
            tags = _object(answer, f"the tags of {where}").get("tags") or []
            if not isinstance(tags, list):
                raise Malformed(f"the tags of {where} are not a list", hint="is it a registry?")
            found.update(dict.fromkeys(tag for tag in tags if isinstance(tag, str) and _TAG.fullmatch(tag)))
            link = _NEXT.search(answer.headers.get("link", ""))
            if link is None:
                return tuple(found)
            following = _next_page(url, link[1])
            if following is None:
                raise Refused(
                    f"the tags of {where} go on at `{redact(_joined(url, link[1]))}`, which is not theirs"
                )
            if following == url or len(found) > MAX_TAGS:
                break
            url = following
        raise TooLarge(
            f"{where} has no end of tags", hint=f"the limit is {MAX_TAGS} tags on {MAX_PAGES} pages"
        )

    def manifest(self, reference: str, tag_or_digest: str | None = None) -> tuple[str, dict[str, Any]]:
        """The digest and content of a manifest or index; without a version, the reference's own.

        Raises DigestMismatch when the bytes are not those of the digest that was asked for, or stated.
        """
        return dependencies.asked(
            ("oci-manifest", reference, tag_or_digest, self._allow_http),
            lambda: self._manifest(reference, tag_or_digest),
            list,
        )

    def _manifest(self, reference: str, tag_or_digest: str | None) -> tuple[str, dict[str, Any]]:
        where = Reference.parse(reference)
        version = tag_or_digest or where.version or "latest"
        if not (_TAG.fullmatch(version) or _DIGEST.fullmatch(version)):
            raise UsageError(f"`{redact(version)}` is neither a tag nor a digest")
        answer = self._get(
            where, f"{where.url}/manifests/{version}", {"accept": ", ".join(MANIFESTS)}, _MANIFEST_LIMIT
        )
        stated = version if ":" in version else answer.headers.get("docker-content-digest", "")
        if _DIGEST.fullmatch(stated):
            _verify(answer.body, stated, f"the manifest `{version}` of {where}")
        digest = stated if ":" in version else answer.digest
        return digest, _object(answer, f"the manifest `{version}` of {where}")

    def blob(self, reference: str, digest: str, *, limit: int = _BLOB_LIMIT) -> bytes:
        """The content of a blob, its digest verified. Raises as ``manifest``."""
        where = Reference.parse(reference)
        if not _DIGEST.fullmatch(digest):
            raise UsageError(f"`{redact(digest)}` is not a digest")
        answer = self._get(where, f"{where.url}/blobs/{digest}", {"accept-encoding": "identity"}, limit)
        _verify(answer.body, digest, f"the blob {digest[:19]} of {where}")
        return answer.body

    def created(self, reference: str, tag: str) -> Iterator[str]:
        """All that is said of when something was made (RFC 3339, if it is well made), the most particular first.

        Asked for as it is needed. Of an image for several platforms the first few are. Raises as ``manifest``.
        """
        _, manifest = self.manifest(reference, tag)
        yield from _annotated(manifest)
        listed = manifest.get("manifests")
        if not isinstance(listed, list):
            yield from self._configured(reference, manifest)
            return
        digests = [one.get("digest") for one in listed if isinstance(one, dict) and not _is_attestation(one)]
        for digest in [one for one in digests if isinstance(one, str)][:_PLATFORMS]:
            _, manifest = self.manifest(reference, digest)
            yield from _annotated(manifest)
            yield from self._configured(reference, manifest)

    def _configured(self, reference: str, manifest: Mapping[str, Any]) -> Iterator[str]:
        """What an image's configuration says of it."""
        config = manifest.get("config")
        digest = config.get("digest") if isinstance(config, dict) else None
        if not isinstance(digest, str):
            return
        try:
            with dependencies.record_dependencies():  # a blob is what its digest says, today and tomorrow
                data = self.blob(reference, digest, limit=_MANIFEST_LIMIT)
            said = json.loads(data).get("created")
        except (ValueError, RecursionError, AttributeError):
            return
        if isinstance(said, str):
            yield said

    # -- authorization --------------------------------------------------------------------------------

    def _get(self, where: Reference, url: str, headers: Mapping[str, str], limit: int) -> Response:
        used = self._session.authorizations.get((where.registry, where.repository))
        for _ in range(2):
            sent = {**headers, "authorization": used} if used else headers
            answer = self._http.get(
                url, headers=sent, limit=limit, allow_http=self._allow_http, accept_status=(401,)
            )
            if answer.status != 401:
                return answer
            if addresses.origin(answer.url) != addresses.origin(url):
                # Who asks decides where the password goes: that is for the registry itself to say.
                raise Denied(
                    f"{where} sends on to `{redact(answer.url)}`, which asks for credentials",
                    hint="those of one registry are not given to another host: name that host in vendors.yaml",
                )
            used = self._authorize(where, answer.headers.get("www-authenticate", ""), refused=used)
        raise Denied(
            f"{where} is not accessible (401), also with a token",
            hint=f"check the credentials: `helm registry login {where.registry}` or `docker login`",
        )

    def _authorize(self, where: Reference, challenge: str, *, refused: str | None) -> str:
        """The Authorization value for a repository, made once a run, and anew when it was refused."""
        key = (where.registry, where.repository)
        with self._session.lock:
            busy = self._session.busy.setdefault(key, threading.Lock())
        with busy:
            known = self._session.authorizations.get(key)
            if known is None or known == refused:
                known = self._session.authorizations[key] = self._negotiate(where, challenge)
            return known

    def _negotiate(self, where: Reference, challenge: str) -> str:
        kinds = {match[1].lower(): challenge[match.end() :] for match in _CHALLENGE.finditer(challenge)}
        pair = self._http.credentials.for_registry(where.registry)
        if "bearer" in kinds:
            return f"Bearer {self._token(where, dict(_PARAMETER.findall(kinds['bearer'])), pair)}"
        if "basic" in kinds and pair is not None:
            return basic(*pair)
        raise Denied(
            f"{where} is not accessible (401)",
            hint=f"log in first: `helm registry login {where.registry}` or `docker login {where.registry}`",
        )

    def _token(self, where: Reference, asked: Mapping[str, str], pair: tuple[str, str] | None) -> str:
        """The token handshake: GET with Basic, or POST with an identity token (docker's OAuth2 flow)."""
        realm = asked.get("realm", "")
        if where.scheme == "https" and _is_loopback(realm):
            raise Refused(f"{where} sends for its token to `{redact(realm)}`, which is this machine")
        query = {"scope": asked.get("scope") or f"repository:{where.repository}:pull"}
        if "service" in asked:
            query["service"] = asked["service"]
        if pair is not None and pair[0] == "<token>":
            form = {
                **query,
                "grant_type": "refresh_token",
                "refresh_token": pair[1],
                "client_id": "upstreamsync",
            }
            answer = self._http.post(realm, form=form, allow_http=self._allow_http)
        else:
            headers = {"authorization": basic(*pair)} if pair is not None else {}
            url = f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}"
            answer = self._http.get(
                url, headers=headers, limit=1 << 20, allow_http=self._allow_http, store=False
            )
        document = _object(answer, f"the token for {where}")
        token = document.get("token") or document.get("access_token")
        if not isinstance(token, str) or not token or any(ord(c) <= 32 or ord(c) > 126 for c in token):
            raise Malformed(f"the token for {where} could not be read", hint="is it a registry?")
        register(token)
        return token


def _next_page(url: str, link: str) -> str | None:
    """The address of the next page, on our own path; None for a link that leads to another host or list.

    Registries behind a proxy don't know how they are reached: their links lack the prefix of the path
    (Artifactory, Nexus), or say http where https is meant. What matters of a link is its query.
    """
    try:
        ours, theirs = urlsplit(url), urlsplit(urljoin(url, link))
    except ValueError:
        return None
    same_host = (theirs.hostname or "").lower() == (ours.hostname or "").lower()
    list_, listed = (f"/{one.path.rpartition('/v2/')[2].lstrip('/')}" for one in (ours, theirs))
    same_list = listed.endswith("/tags/list") and (list_.endswith(listed) or listed.endswith(list_))
    if theirs.scheme not in ("http", "https") or not same_host or not same_list:
        return None
    return urlunsplit((ours.scheme, ours.netloc, ours.path, theirs.query, ""))


def _annotated(manifest: Mapping[str, Any]) -> Iterator[str]:
    annotations = manifest.get("annotations")
    said = annotations.get("org.opencontainers.image.created") if isinstance(annotations, dict) else None
    if isinstance(said, str):
        yield said


def _is_attestation(entry: Mapping[str, Any]) -> bool:
    platform = entry.get("platform")
    return isinstance(platform, dict) and platform.get("os") == "unknown"


def _joined(url: str, link: str) -> str:
    """The address that a link means, ``""`` for one that means none."""
    try:
        return urljoin(url, link)
    except ValueError:
        return ""


def _is_host(host: str) -> bool:
    try:
        return _HOST.fullmatch(host) is not None and urlsplit(f"//{host}").port != 0
    except ValueError:
        return False


def _is_loopback(url: str) -> bool:
    try:
        return is_loopback(urlsplit(url).hostname)
    except ValueError:
        return False


def _object(answer: Response, what: str) -> dict[str, Any]:
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise Malformed(f"{what} could not be read: no JSON", hint="is it a registry?") from None
    if not isinstance(document, dict):
        raise Malformed(f"{what} could not be read: no JSON object", hint="is it a registry?")
    return document


def _verify(data: bytes, digest: str, what: str) -> None:
    algorithm, _, _ = digest.partition(":")
    actual = f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"
    if actual != digest:
        raise DigestMismatch(
            f"{what} has the digest {actual}, but {digest} was promised",
            hint="do not use it: the registry, or something on the way, has changed it",
        )
