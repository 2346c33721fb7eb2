"""Upstreams to vendor from, of every common kind: charts, release assets by URL, and a folder in git."""

from __future__ import annotations

import re
from typing import Any

import content

from upstreamsync.kit.yaml import manifests
from upstreamsync.testing import World

_TEMPLATE = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: {app: {{ .Release.Name }}, helm.sh/chart: "{{ .Chart.Name }}-{{ .Chart.Version }}"}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app: {{ .Release.Name }}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}}
    spec:
      containers:
      - {name: main, image: "quay.io/bench/relay:v{{ .Chart.AppVersion }}"}
"""
#: How many files the folder in git has.
FILES = 20


def serve(world: World, scale: float) -> dict[str, Any]:
    """Put all of them into ``world``, and say what a vendors.yaml and overlays have to know of each."""
    stack, argo = content.stack(scale), content.argo_cd(scale)
    small = content.objects(20)
    for number, data in enumerate((stack.old, stack.new)):
        world.chart("charts/stack", "stack", stack.versions[number], files=chart_of(data))
    for version in small.versions:
        files = {"values.yaml": "replicas: 1\n", "templates/relay.yaml": _TEMPLATE}
        world.chart("charts/relay", "relay", version, files=files)
    _assets(world, "argo-cd", argo)
    _assets(world, "agent", small)
    _folder(world)
    helm = {name: {"repository": f"{world.url}/charts/{name}", "chart": name} for name in ("stack", "relay")}
    return {
        "github": world.github.url,
        "vendors": [
            _vendor("stack", stack, {"helm": {**helm["stack"], "namespace": "monitoring"}}),
            _vendor("relay", small, {"helm": helm["relay"]}) | {"deployment": "relay"},
            _vendor("argo-cd", argo, _url(world, "argo-cd"), releases={"github": "bench/argo-cd"}),
            _vendor("agent", small, _url(world, "agent"), releases={"github": "bench/agent"}),
            _vendor(
                "tools",
                small,
                {"git": {"repository": world.git("bench/tools").url, "paths": ["deploy/*.yaml"], "strip": 1}},
            ),
        ],
    }


def chart_of(rendered: bytes) -> dict[str, bytes]:
    """A chart that renders to these manifests: its CRDs as such, each other object a template."""
    files: dict[str, bytes] = {"values.yaml": b"{}\n"}
    for number, part in enumerate(manifests.split(rendered)):
        if not re.search(rb"^kind:", part, re.MULTILINE):
            continue
        folder = "crds" if b"\nkind: CustomResourceDefinition" in part else "templates"
        # What is for the cluster to expand must not be expanded here.
        text = part if folder == "crds" else part.replace(b"{{", b'{{ "{{" }}')
        files[f"{folder}/{number:03}.yaml"] = text
    return files


def _assets(world: World, name: str, releases: content.Releases) -> None:
    for version, data in zip(releases.versions, (releases.old, releases.new), strict=True):
        world.file(f"assets/{name}/{version}/install.yaml", data)
        world.github.repository(f"bench/{name}").release(version)


def _folder(world: World) -> None:
    """Two tags of a repository with some files; one object in each."""
    for version in (content.OLD, content.NEW):
        objects = content.workloads(FILES // 2, version).split("---\n")
        files = {f"deploy/object-{number:02}.yaml": text for number, text in enumerate(objects)}
        world.git("bench/tools").commit(files, f"Release {version}", tag=version)


def _url(world: World, name: str) -> dict[str, str]:
    return {"url": f"{world.url}/assets/{name}/{{version}}/install.yaml"}


def _vendor(name: str, content_of: content.Releases, source: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "versions": content_of.versions,
        "deployment": content_of.deployment,
        "fields": {"source": source, **more},
    }
