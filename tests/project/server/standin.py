"""An API server's part that kubectl needs for a dry run: discovery, OpenAPI, apply patches and creations."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

#: (group/version, kind, plural, whether it has a namespace)
KINDS = (
    ("v1", "Namespace", "namespaces", False), ("v1", "ConfigMap", "configmaps", True),
    ("v1", "Secret", "secrets", True), ("v1", "Service", "services", True), ("v1", "Pod", "pods", True),
    ("apps/v1", "Deployment", "deployments", True), ("batch/v1", "Job", "jobs", True),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", False),
)  # fmt: skip


@dataclass(frozen=True)
class Refusal:
    """What the server answers instead of taking an object."""

    code: int
    reason: str
    message: str


@dataclass
class Asked:
    """One object that was sent."""

    method: str
    query: dict[str, list[str]]
    path: str
    object: dict[str, Any]


@dataclass
class StandIn:
    """What is served, and what was asked; ``decide`` gives a refusal or None, and ``warn`` warnings."""

    decide: Callable[[dict[str, Any]], Refusal | None] = lambda obj: None
    warn: Callable[[dict[str, Any]], list[str]] = lambda obj: []
    kinds: tuple[tuple[str, str, str, bool], ...] = KINDS
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, dict[str, Any], list[str]]:
        parts = urlsplit(target)
        if method in ("PATCH", "POST"):
            obj = yaml.safe_load(body)
            self.asked.append(Asked(method, parse_qs(parts.query), parts.path, obj))
            refusal = self.decide(obj)
            if refusal is not None:
                return refusal.code, status(refusal), self.warn(obj)
            obj.setdefault("metadata", {}).setdefault("name", "made")
            return (
                200,
                {**obj, "metadata": {**obj["metadata"], "uid": "u", "resourceVersion": "1"}},
                self.warn(obj),
            )
        return (*self._documents(parts.path), [])

    def _documents(self, path: str) -> tuple[int, dict[str, Any]]:
        versions = sorted({version for version, *_ in self.kinds})
        if path == "/version":
            return 200, {"major": "1", "minor": "34", "gitVersion": "v1.34.0"}
        if path == "/api":
            return 200, {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            groups = [version.split("/") for version in versions if "/" in version]
            return 200, {
                "kind": "APIGroupList", "apiVersion": "v1",
                "groups": [
                    {"name": group, "versions": [{"groupVersion": f"{group}/{version}", "version": version}],
                     "preferredVersion": {"groupVersion": f"{group}/{version}", "version": version}}
                    for group, version in groups
                ],
            }  # fmt: skip
        if path == "/openapi/v3":
            return 200, {
                "paths": {
                    place(version): {"serverRelativeURL": f"/openapi/v3/{place(version)}?hash=1"}
                    for version in versions
                }
            }
        for version in versions:
            if path == f"/openapi/v3/{place(version)}":
                return 200, self._openapi(version)
            if path == f"/{place(version)}":
                return 200, {
                    "kind": "APIResourceList", "groupVersion": version,
                    "resources": [
                        {"name": plural, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["create", "get", "patch"]}
                        for at, kind, plural, namespaced in self.kinds if at == version
                    ],
                }  # fmt: skip
        return 404, status(Refusal(404, "NotFound", "the server could not find the requested resource"))

    def _openapi(self, version: str) -> dict[str, Any]:
        group, _, number = version.rpartition("/")
        parameters = [
            {"name": name, "in": "query"} for name in ("dryRun", "fieldManager", "fieldValidation", "force")
        ]
        paths = {}
        for at, kind, plural, _ in self.kinds:
            if at == version:
                meaning = {"group": group, "kind": kind, "version": number}
                operation = {"parameters": parameters, "x-kubernetes-group-version-kind": meaning}
                paths[f"/{place(version)}/{plural}/{{name}}"] = {"patch": operation, "post": operation}
        return {"openapi": "3.0.0", "info": {"title": "x", "version": "1"}, "paths": paths}


def place(version: str) -> str:
    return f"apis/{version}" if "/" in version else f"api/{version}"


def status(refusal: Refusal) -> dict[str, Any]:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": refusal.code,
            "reason": refusal.reason, "message": refusal.message}  # fmt: skip


@contextmanager
def serving(stand_in: StandIn, folder: Path) -> Iterator[Path]:
    """Serve on loopback; gives a kubeconfig with the context ``test``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *words: object) -> None:
            pass

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            code, document, warnings = stand_in.answer(self.command, self.path, body)
            data = json.dumps(document).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            for text in warnings:
                self.send_header("Warning", f'299 - "{text}"')
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_PATCH = do_POST = _answer

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    config = folder / "kubeconfig"
    config.write_text(
        "apiVersion: v1\nkind: Config\n"
        f"clusters: [{{name: c, cluster: {{server: '{stand_in.url}'}}}}]\n"
        "contexts: [{name: test, context: {cluster: c, user: u, namespace: default}}]\nusers: [{name: u, user: {}}]\n"
    )
    try:
        yield config
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
