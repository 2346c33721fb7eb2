"""Upstreams of every form on loopback, at three versions, and a repository of a user that stands on them.

1.0.1 changes nothing that anybody customizes, 1.1.0 gives the container and a value other names.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from upstreamsync.model import Judgement, Severity, Verification
from upstreamsync.project.settings import Settings
from upstreamsync.project.verify.verification import verify_revision_without_configuration
from upstreamsync.testing import World

VERSIONS = ("1.0.0", "1.0.1", "1.1.0")
PATCH = """\
patches:
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: widget}
    spec: {template: {spec: {containers: [{name: manager, args: [--fast]}]}}}
"""


def container(version: str) -> str:
    return "server" if version == "1.1.0" else "manager"


def deployment(version: str, replicas: str = "1") -> str:
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: widget
  labels: {{version: "{version}"}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: widget}}}}
  template:
    metadata: {{labels: {{app: widget}}}}
    spec:
      containers:
      - name: {container(version)}
        image: example.com/widget:v{version}
"""


def chart_files(version: str) -> dict[str, str]:
    value = "replicaCount" if version == "1.1.0" else "replicas"
    return {
        "values.yaml": f"{value}: 1\nname: widget\n",
        "templates/deployment.yaml": deployment(version, f"{{{{ .Values.{value} }}}}"),
    }


def settings(version: str) -> str:
    return f"VERSION={version}\n" + ("LOGGING=warn\n" if version == "1.1.0" else "LOG=warn\n")


class Upstreams:
    """The world, filled."""

    def __init__(self, world: World) -> None:
        self.world = world
        remote = world.git("acme/widget")
        for version in VERSIONS:
            remote.commit(
                {
                    "config/default/kustomization.yaml": "resources: [../manager]\n",
                    "config/manager/kustomization.yaml": "resources: [deployment.yaml]\n",
                    "config/manager/deployment.yaml": deployment(version),
                    "config/part/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\n"
                    "kind: Component\nresources: [../manager]\n",
                    "docs/unrelated.md": version,
                    **{f"chart/{path}": text for path, text in chart_files(version).items()},
                    "chart/Chart.yaml": f"apiVersion: v2\nname: widget\nversion: {version}\n",
                },
                message=version,
            )
            remote.tag(f"v{version}")
            world.file(f"releases/v{version}/install.yaml", deployment(version))
            world.chart("charts", "widget", version, files=chart_files(version))
            world.oci_chart("oci/widget", version, files=chart_files(version))
            world.file(f"settings/v{version}/app.env", settings(version))
        self.git = remote.url
        self.path = remote.path

    @property
    def url(self) -> str:
        return self.world.url


class Repository:
    """A repository of a user's; ``commit`` makes each state of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> str:
        identity = ("-c", "user.name=user", "-c", "user.email=user@example.com", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *identity, *words], cwd=self.root, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write(self, files: Mapping[str, str]) -> None:
        for path, text in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text, "utf-8")

    def commit(self, files: Mapping[str, str], message: str = "change") -> str:
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture(scope="session")
def upstreams() -> Iterator[Upstreams]:
    with World() as world:
        yield Upstreams(world)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


Since = Callable[..., Verification]


@pytest.fixture
def since(repository: Repository, tmp_path: Path) -> Since:
    """Judge the last commit (or since another revision), nothing configured."""

    def judge(revision: str = "HEAD~1", *overlays: str, **settings: object) -> Verification:
        made = Settings(cache_folder=tmp_path / "cache", jobs=2, attempts=1, **settings)  # type: ignore[arg-type]
        found, _ = verify_revision_without_configuration(
            repository.root, made, since=revision, overlays=lambda _: overlays
        )
        return found

    return judge


def verdicts(verification: Verification) -> dict[str, str]:
    """Every item that is not ok, with its verdict."""
    return {item.item: item.verdict.value for item in verification.items if item.verdict != "ok"}


def loud(verification: Verification) -> list[Judgement]:
    """What somebody has to look at: more than info."""
    return [item for item in verification.items if item.severity.rank < Severity.INFO.rank]
