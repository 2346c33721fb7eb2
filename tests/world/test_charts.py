"""Charts of our own over HTTP, from a real OCI registry, and in git: the base equals ``helm template``."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from upstreamsync.kit.run.engines import Engines
from upstreamsync.project import Settings, open_project
from upstreamsync.testing import World

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port of a real registry (Debian's docker-registry), empty."""
    binary = shutil.which("docker-registry") or ROOT / ".tools/docker-registry/docker-registry"
    if not Path(binary).is_file():
        pytest.fail("docker-registry is missing: `python scripts/get_tools.py --all` fetches it")
    folder = tmp_path_factory.mktemp("registry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "config.yml").write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n"
    )
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([binary, "serve", folder / "config.yml"], stdout=log, stderr=log)
        try:
            for _ in range(100):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/", timeout=1).read()
                    break
                except OSError:
                    assert server.poll() is None, (folder / "log").read_text()
                    time.sleep(0.1)
            yield f"127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(10)


@pytest.fixture(scope="session")
def charts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What `helm create` makes, in two versions, as folders."""
    folder = tmp_path_factory.mktemp("charts")
    helm = Engines().helm().binary
    made = {}
    for version in ("0.1.0", "0.2.0"):
        place = folder / version
        place.mkdir()
        subprocess.run([helm, "create", place / "shop"], check=True, capture_output=True)
        chart = place / "shop" / "Chart.yaml"
        chart.write_text(chart.read_text().replace("version: 0.1.0", f"version: {version}"))
        made[version] = place / "shop"
    return made


VALUES = "replicaCount: 3\ningress: {enabled: true}\n"


def template(chart: Path, values: Path) -> bytes:
    words = [
        "template",
        "shop",
        chart,
        "--namespace",
        "shops",
        "--values",
        values,
        "--include-crds",
        "--skip-tests",
    ]
    return subprocess.run([Engines().helm().binary, *words], check=True, capture_output=True).stdout


def vendored(root: Path, source: str) -> Path:
    """Vendor the chart from ``source`` at 0.1.0, update it, and return the one file of the base."""
    (root / "values.yaml").write_text(VALUES)
    (root / "vendors.yaml").write_text(
        f"version: 1\nvendors:\n  - name: shop\n    version: 0.1.0\n    base: shop/base\n    layout: one-file\n"
        f"    source: {{helm: {{{source}, namespace: shops, values: [values.yaml]}}}}\n"
    )
    settings = Settings(cache_folder=root.parent / "cache", environment={**os.environ})
    with open_project(root, settings=settings) as project:
        project.update().write()  # the first one takes the version that is written
        (finding,) = project.check()
        assert finding.error is None, finding.error
        assert finding.target is not None
        assert finding.target.version == "0.2.0"
        changes = project.update()
        assert [update.error for update in changes.updates] == [None]
        changes.write()
        assert not project.update(["shop"]).files
    (file,) = [path for path in (root / "shop/base").iterdir() if path.name != "kustomization.yaml"]
    return file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "gitops").mkdir()
    return tmp_path / "gitops"


def test_a_chart_from_an_http_repository(root: Path, charts: dict[str, Path], world: World):
    for version, folder in charts.items():
        world.chart("charts", "shop", version, files=folder)
    file = vendored(root, f"repository: {world.url}/charts, chart: shop")
    assert file.read_bytes() == template(charts["0.2.0"], root / "values.yaml")


def test_a_chart_from_a_real_registry(root: Path, charts: dict[str, Path], registry: str, tmp_path: Path):
    helm = Engines().helm().binary
    for folder in charts.values():
        subprocess.run([helm, "package", folder, "-d", tmp_path], check=True, capture_output=True)
    for archive in sorted(tmp_path.glob("*.tgz")):
        done = subprocess.run(
            [helm, "push", archive, f"oci://{registry}/charts", "--plain-http"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    file = vendored(root, f"repository: oci://{registry}/charts, chart: shop")
    assert file.read_bytes() == template(charts["0.2.0"], root / "values.yaml")
    lock = (root / "shop/shop.lock.yaml").read_text()
    assert f"oci://{registry}/charts/shop" in lock
    assert "sha256:" in lock


def test_a_chart_in_git(root: Path, charts: dict[str, Path], world: World):
    remote = world.git("shop")
    for version, folder in charts.items():
        files = {
            f"deploy/{path.relative_to(folder).as_posix()}": path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        remote.commit(files, version, tag=version)
    file = vendored(root, f"git: {remote.url}, path: deploy")
    assert file.read_bytes() == template(charts["0.2.0"], root / "values.yaml")
