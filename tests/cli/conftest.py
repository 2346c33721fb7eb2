"""A GitOps repository with one vendor, a world with its upstream, and the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from upstreamsync.testing import World

SCHEMAS = Path(__file__).resolve().parents[2] / "src/upstreamsync/report/schemas"


def deployment(version: str, container: str = "server") -> str:
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: server}}
spec:
  selector: {{matchLabels: {{app: server}}}}
  template:
    metadata: {{labels: {{app: server}}}}
    spec:
      containers:
        - name: {container}
          image: example.com/server:{version}
"""


class Bench:
    """A GitOps repository, a world, and the command line."""

    def __init__(self, root: Path, world: World) -> None:
        self.root, self.world = root, world
        self.environment = {
            **os.environ,
            "GITHUB_API_URL": f"{world.url}/api/v3",
            "UPSTREAMSYNC_CACHE": str(root.parent / "cache"),
            "NO_COLOR": "1",
        }
        root.mkdir()

    deployment = staticmethod(deployment)

    def publish(self, *versions: str, container: str = "server") -> None:
        for version in versions:
            self.world.file(f"server/{version}/install.yaml", deployment(version, container))
        links = "".join(f"<a>server {version}</a>" for version in versions)
        self.world.file("server/index.html", f"<html>{links}</html>")

    def vendor(self, name: str = "server", **changes: str) -> str:
        parts = {
            "version": "v1.0.0",
            "source": f'{{url: "{self.world.url}/server/{{version}}/install.yaml"}}',
            "releases": f"{{page: {{url: \"{self.world.url}/server/index.html\", pattern: 'server (?P<version>v[0-9.]+)'}}}}",
            "base": f"{name}/base",
            **changes,
        }
        lines = "".join(f"    {key}: {value}\n" for key, value in parts.items())
        return f"  - name: {name}\n{lines}"

    def configure(self, *vendors: str) -> None:
        (self.root / "vendors.yaml").write_text("version: 1\nvendors:\n" + "".join(vendors))

    def overlay(self, patch: str) -> None:
        folder = self.root / "server/overlay"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kustomization.yaml").write_text(f"resources: [../base]\n{patch}")

    def commit(self) -> None:
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git(
            "-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "-qm", "All", "--allow-empty"
        )

    def git(self, *words: str) -> str:
        return subprocess.run(
            ["git", *words], cwd=self.root, capture_output=True, text=True, check=True
        ).stdout

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "upstreamsync", *words],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def json(self, *words: str, code: int | None = 0) -> dict[str, Any]:
        done = self.run(*words, "--format", "json")
        assert code in (None, done.returncode), done.stderr + done.stdout
        document = json.loads(done.stdout)
        name = document["schema"].split("/")[1]
        schema = json.loads((SCHEMAS / f"{name}.v1.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(document)
        return document


@pytest.fixture
def bench(tmp_path: Path, world: World) -> Bench:
    return Bench(tmp_path / "gitops", world)


@pytest.fixture
def vendored(bench: Bench) -> Bench:
    """At v1.0.0, committed; upstream has v1.1.0, whose container has another name."""
    bench.publish("v1.0.0")
    bench.configure(bench.vendor())
    bench.overlay(
        "patches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: server}\n"
        "    spec: {template: {spec: {containers: [{name: server, tty: true}]}}}\n"
    )
    assert bench.run("update").returncode == 0
    bench.commit()
    return bench
