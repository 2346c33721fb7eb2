"""`doctor`: what is found, and how pinned tools are fetched from a mirror."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from upstreamsync.kit.installer import download
from upstreamsync.testing import World, tarball

HELM = "#!/bin/sh\necho v3.99.1+gtest\n"
KUSTOMIZE = "#!/bin/sh\necho v5.99.2\n"


@pytest.fixture
def mirror(world: World) -> str:
    """The official files of two made-up versions, in one folder."""
    folder = f"{world.url}/mirror"
    sums = []
    for name, version, script in (("helm", "3.99.1", HELM), ("kustomize", "5.99.2", KUSTOMIZE)):
        file = download(name, version, mirror=folder).file
        member = "linux-amd64/helm" if name == "helm" else "kustomize"
        data = tarball({member: script, "README.md": "x"})
        world.file(f"mirror/{file}", data)
        line = f"{hashlib.sha256(data).hexdigest()}  {file}\n"
        world.file(f"mirror/{file}.sha256sum", line)
        sums.append(line)
    world.file("mirror/checksums.txt", "".join(sums))
    return folder


def doctor(folder: Path, mirror: str, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "vendors.yaml").write_text(
        "version: 1\ntools: {helm: 3.99.1, kustomize: v5.99.2}\nvendors: []\n"
    )
    environment = {name: value for name, value in os.environ.items() if name not in ("HELM", "KUSTOMIZE")}
    environment |= {"UPSTREAMSYNC_TOOLS_MIRROR": mirror, "UPSTREAMSYNC_CACHE": str(folder / "cache")}
    environment |= {"GITHUB_TOKEN": "ghp_a_token_that_must_not_be_shown"}
    return subprocess.run(
        [sys.executable, "-m", "upstreamsync", "doctor", *words],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_pinned_tools_are_fetched_checked_and_used(tmp_path: Path, mirror: str, world: World):
    done = doctor(tmp_path, mirror, "--install", "--format", "json")
    assert done.returncode == 0, done.stderr
    tools = {tool["name"]: tool for tool in json.loads(done.stdout)["tools"]}
    assert tools["helm"]["version"] == "3.99.1"
    assert tools["kustomize"]["version"] == "5.99.2"
    assert tools["helm"]["path"] == str(tmp_path / "cache/tools/helm-3.99.1/helm")
    world.reset()
    assert doctor(tmp_path, mirror, "--install").returncode == 0
    assert world.requests == []


def test_a_wrong_checksum_installs_nothing(tmp_path: Path, mirror: str, world: World):
    file = download("helm", "3.99.1", mirror=mirror).file
    world.file(f"mirror/{file}.sha256sum", f"{'0' * 64}  {file}\n")
    done = doctor(tmp_path, mirror, "--install")
    assert done.returncode == 3
    assert "its checksum file says" in done.stderr
    assert "hint:" in done.stderr
    assert not (tmp_path / "cache/tools/helm-3.99.1/helm").exists()


def test_tokens_are_named_and_never_shown(tmp_path: Path, mirror: str):
    for form in ("text", "json", "markdown", "github"):
        done = doctor(tmp_path, mirror, "--format", form)
        assert "GITHUB_TOKEN" in done.stdout
        assert "must_not_be_shown" not in done.stdout + done.stderr


@pytest.mark.parametrize("by", ["change", "first"])
def test_a_tool_that_somebody_put_there_is_replaced_and_never_run(
    tmp_path: Path, mirror: str, world: World, by: str
):
    tool = tmp_path / "cache/tools/helm-3.99.1/helm"
    if by == "change":
        assert doctor(tmp_path, mirror, "--install").returncode == 0
    tool.parent.mkdir(parents=True, exist_ok=True)
    tool.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\necho v3.99.1\n")
    tool.chmod(0o755)
    plain = doctor(tmp_path, mirror)
    assert str(tool) not in plain.stdout
    assert not (tmp_path / "ran").exists()
    assert doctor(tmp_path, mirror, "--install").returncode == 0
    assert tool.read_text() == HELM
    assert not (tmp_path / "ran").exists()


_VENDOR = """version: 1
vendors:
- name: app
  version: 1.0.0
  source: {helm: {repository: "https://h.invalid", chart: app}}
  base: app
"""


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, 0),
        ({"vendors.yaml": "version: 1\nvendors: []\n"}, 0),
        ({"vendors.yaml": _VENDOR}, 3),
        ({"vendors.yaml": _VENDOR.replace("source: {", "source: {render: false, ")}, 0),
        ({"a/kustomization.yaml": "helmCharts: [{name: x}]\n"}, 3),
    ],
)
def test_a_tool_that_nothing_needs_is_not_missed(tmp_path: Path, files: dict[str, str], code: int):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "upstreamsync", "doctor"],
        cwd=tmp_path, env={**os.environ, "HELM": str(tmp_path / "none")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert ("nothing here needs it" in done.stdout) is (code == 0)
