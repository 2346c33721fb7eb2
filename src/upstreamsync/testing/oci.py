"""An OCI registry: the part of the distribution API that reading clients use, with the token handshake."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import urllib.parse
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from upstreamsync.kit.digests import sha256
from upstreamsync.testing.charts import Chart
from upstreamsync.testing.server import Call, Content, Reply

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
HELM_CONFIG = "application/vnd.cncf.helm.config.v1+json"
HELM_CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
HELM_PROVENANCE = "application/vnd.cncf.helm.chart.provenance.v1.prov"

_ROUTE = re.compile(r"/v2/(?P<name>.+)/(?P<what>manifests|blobs|tags)/(?P<reference>[^/]+)")


@dataclass(slots=True)
class Repository:
    """One repository of the registry: tags in order of pushing, and what they name."""

    tags: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, Content] = field(default_factory=dict)
    manifests: dict[str, Content] = field(default_factory=dict)
    locked: bool = False
    users: dict[str, str] = field(default_factory=dict)

    def blob(self, data: bytes, kind: str) -> dict[str, Any]:
        """Store ``data``; returns its descriptor."""
        digest = sha256(data)
        self.blobs[digest] = Content(data, "application/octet-stream", modified=None)
        return {"mediaType": kind, "digest": digest, "size": len(data)}

    def put(self, tag: str, manifest: dict[str, Any], kind: str = MANIFEST) -> str:
        """Store a manifest under ``tag``; returns its digest."""
        data = json.dumps(manifest, sort_keys=True).encode()
        digest = sha256(data)
        self.manifests[digest] = Content(data, kind, modified=None)
        self.tags[tag] = digest
        return digest


class Registry:
    """The registry of a test world, ``world.registry``.

    ``page_size`` bounds tags/list. ``tokens`` counts the tokens given out, by scope.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.page_size = 100
        self.tokens: Counter[str] = Counter()
        self._valid: dict[str, str] = {}
        self._lock = threading.Lock()

    def repository(
        self, name: str, *, auth: bool = False, user: str | None = None, password: str = ""
    ) -> Repository:
        """The repository ``name``, made when there is none.

        ``auth`` asks for a bearer token, which anybody gets; with ``user``, only who has the password.
        """
        repository = self.repositories.setdefault(name, Repository())
        if auth or user:
            repository.locked = True
        if user:
            repository.users[user] = password
        return repository

    def add_chart(
        self, repository: Repository, chart: Chart, *, created: str | None, provenance: bytes | None
    ) -> str:
        """Push ``chart`` the way helm does; returns the manifest's digest."""
        layers = [repository.blob(chart.archive, HELM_CHART)]
        if provenance is not None:
            layers.append(repository.blob(provenance, HELM_PROVENANCE))
        annotations = {
            "org.opencontainers.image.title": chart.name,
            "org.opencontainers.image.version": chart.version,
        }
        if created:
            annotations["org.opencontainers.image.created"] = created
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": repository.blob(json.dumps(chart.metadata, sort_keys=True).encode(), HELM_CONFIG),
            "layers": layers,
            "annotations": annotations,
        }
        return repository.put(chart.version.replace("+", "_"), manifest)

    def add_image(
        self, repository: Repository, tag: str, labels: dict[str, str], created: str | None = None
    ) -> str:
        """Push an image without layers, unlike any other by its tag; returns the manifest's digest."""
        config: dict[str, Any] = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": {"tag": tag, **labels}},
        }
        if created:
            config["created"] = created
        data = json.dumps(config, sort_keys=True).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": repository.blob(data, "application/vnd.oci.image.config.v1+json"),
            "layers": [],
        }
        return repository.put(tag, manifest)

    def serve(self, call: Call, base: str) -> Reply:
        """Answer a call below /v2/ or to /token."""
        if call.path == "/token":
            return self._token(call)
        if call.path == "/v2/":
            locked = any(repository.locked for repository in self.repositories.values())
            if locked and _bearer(call) not in self._valid:
                return self._challenge(base, None)
            return _json({})
        found = _ROUTE.fullmatch(call.path)
        repository = self.repositories.get(found["name"]) if found else None
        if found is None or repository is None:
            return _error(404, "NAME_UNKNOWN", "repository name not known to registry")
        if repository.locked and not self._may_read(call, found["name"]):
            return self._challenge(base, f"repository:{found['name']}:pull")
        if call.method not in {"GET", "HEAD"}:
            return _error(405, "UNSUPPORTED", "The operation is unsupported.")
        return self._answer(call, repository, found["name"], found["what"], found["reference"])

    def _answer(self, call: Call, repository: Repository, name: str, what: str, reference: str) -> Reply:
        if what == "tags":
            return self._tags(call, repository, name)
        if what == "blobs":
            blob = repository.blobs.get(reference)
            if blob is None:
                return _error(404, "BLOB_UNKNOWN", "blob unknown to registry")
            return Reply(content=blob, headers={"Docker-Content-Digest": reference})
        digest = repository.tags.get(reference, reference)
        manifest = repository.manifests.get(digest)
        if manifest is None:
            return _error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        return Reply(content=manifest, headers={"Docker-Content-Digest": digest, "ETag": f'"{digest}"'})

    def _tags(self, call: Call, repository: Repository, name: str) -> Reply:
        tags = sorted(repository.tags)
        if last := call.query.get("last"):
            tags = [tag for tag in tags if tag > last]
        size = min(int(call.query.get("n", self.page_size)), self.page_size)
        headers = {}
        if len(tags) > size:
            tags = tags[:size]
            query = urllib.parse.urlencode({"last": tags[-1] if tags else "", "n": size})
            headers["Link"] = f'</v2/{name}/tags/list?{query}>; rel="next"'
        return _json({"name": name, "tags": tags}, headers)

    def _may_read(self, call: Call, name: str) -> bool:
        return self._valid.get(_bearer(call)) == f"repository:{name}:pull"

    def _challenge(self, base: str, scope: str | None) -> Reply:
        words = f'Bearer realm="{base}/token",service="test-world"'
        if scope:
            words += f',scope="{scope}"'
        reply = _error(401, "UNAUTHORIZED", "authentication required")
        return Reply(status=401, content=reply.content, headers={"WWW-Authenticate": words})

    def _token(self, call: Call) -> Reply:
        fields = call.query
        if call.method == "POST":
            fields = dict(urllib.parse.parse_qsl(call.body.decode()))
        scope = fields.get("scope", "")
        parts = scope.split(":")
        repository = self.repositories.get(parts[1]) if len(parts) == 3 else None
        user, password = basic_credentials(call) or (fields.get("username"), fields.get("password"))
        granted = ""
        if repository is not None:
            if user and repository.users.get(user) != password:
                return _error(401, "UNAUTHORIZED", "incorrect username or password")
            if not repository.users or user:
                granted = f"repository:{parts[1]}:pull"
        with self._lock:
            self.tokens[scope] += 1
            token = f"token-{sum(self.tokens.values())}-{hashlib.sha256(scope.encode()).hexdigest()[:12]}"
            self._valid[token] = granted
        return _json({"token": token, "access_token": token, "expires_in": 300})


def _bearer(call: Call) -> str:
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def basic_credentials(call: Call) -> tuple[str, str] | None:
    """User and password of the Authorization header, if it has them."""
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value).decode().partition(":")
    except ValueError:
        return None
    return user, password


def _json(value: object, headers: dict[str, str] | None = None, status: int = 200) -> Reply:
    content = Content(json.dumps(value).encode(), "application/json", modified=None)
    return Reply(status=status, content=content, headers=headers or {})


def _error(status: int, code: str, message: str) -> Reply:
    return _json({"errors": [{"code": code, "message": message}]}, status=status)
