"""The repository of the README's first day: a team that copies by script, and has edited what it copied."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from upstreamsync.testing import World, write_files

BEACON = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: beacon}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: beacon}}}}
  template:
    metadata: {{labels: {{app: beacon}}}}
    spec:
      containers:
        - name: beacon
          image: example.com/beacon:{version}
          args: [--listen=:80]
---
apiVersion: v1
kind: Service
metadata: {{name: beacon}}
spec: {{selector: {{app: beacon}}, ports: [{{port: 80}}]}}
"""
SILO = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: silo}
spec:
  serviceName: silo
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: silo}}
  template:
    metadata: {labels: {app: silo}}
    spec: {containers: [{name: silo, image: "example.com/silo:{{ .Chart.AppVersion }}"}]}
"""
SCRIPT = """\
#!/bin/sh
# How we take what others publish.
set -e
git clone --depth 1 --branch v1.0.0 {url}/git/example/beacon.git /tmp/beacon
cp /tmp/beacon/deploy/*.yaml beacon/base/
helm template silo silo --repo {url}/charts --version 1.0.0 > silo/base/silo.yaml
"""


def publish(world: World, version: str) -> None:
    """Both upstreams at a version."""
    remote = world.git("example/beacon")
    remote.commit({"deploy/beacon.yaml": BEACON.format(version=version)}, tag=f"v{version}")
    files = {"values.yaml": "replicas: 1\n", "templates/silo.yaml": SILO}
    world.chart("charts", "silo", version, files=files, app_version=version)


def repository(url: str) -> dict[str, str]:
    """The team's files: copies of both, each with an edit by hand."""
    silo = SILO.replace("{{ .Values.replicas }}", "3  # one per zone").replace(
        "{{ .Chart.AppVersion }}", "1.0.0"
    )
    beacon = BEACON.format(version="1.0.0").replace(
        "args: [--listen=:80]", "# the disks are slow\n          args: [--listen=:80, --slow-start]"
    )
    return {
        "scripts/update.sh": SCRIPT.format(url=url),
        "beacon/base/kustomization.yaml": "# ask the lights team\nresources:\n  - beacon.yaml\n",
        "beacon/base/beacon.yaml": beacon,
        "beacon/overlay/kustomization.yaml": "resources:\n  - ../base\nnamespace: lights\n",
        "silo/base/kustomization.yaml": "resources:\n  - silo.yaml\n",
        "silo/base/silo.yaml": f"---\n# Source: silo/templates/silo.yaml\n{silo}",
    }


@contextmanager
def first_day(folder: Path, cache: Path) -> Iterator[dict[str, str]]:
    """The repository in ``folder`` while its upstreams are served, and the environment to work on it with."""
    with World() as world:
        publish(world, "1.0.0")
        write_files(folder, repository(world.url))
        identity = {"NAME": "Ann", "EMAIL": "ann@example.com"}
        environment = {
            "GITHUB_API_URL": f"{world.url}/api/v3",
            "UPSTREAMSYNC_CACHE": str(cache),
            **{
                f"GIT_{who}_{key}": value
                for who in ("AUTHOR", "COMMITTER")
                for key, value in identity.items()
            },
        }
        for words in (["init", "-q", "-b", "main"], ["add", "--all"], ["commit", "-qm", "As it was"]):
            subprocess.run(["git", *words], cwd=folder, env={**os.environ, **environment}, check=True)
        publish(world, "1.1.0")
        yield environment
