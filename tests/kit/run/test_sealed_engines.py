"""The real engines, given what our own checks would not let through: the kernel refuses it all the same."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from upstreamsync.errors import Refused, TooLarge, ToolFailed
from upstreamsync.kit.run import sealed
from upstreamsync.kit.run.engines import Engines, probe_kustomize
from upstreamsync.kit.run.sandbox import protection
from upstreamsync.testing import write_files

pytestmark = pytest.mark.skipif(
    not (protection().files and (protection().sockets or protection().tcp)),
    reason="`doctor` says that the kernel can't keep programs from the network and from files",
)
KUSTOMIZES = [
    probe_kustomize(Path(one))
    for one in os.environ.get("KUSTOMIZE_ALL", str(Engines().kustomize().binary)).split(os.pathsep)
]
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


@pytest.fixture
def callers() -> Iterator[tuple[str, list[str]]]:
    """An address on this machine, and who has called there."""
    called: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    connection, who = server.accept()
                except OSError:
                    return
                called.append(str(who))
                connection.close()

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", called
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("kustomize", KUSTOMIZES, ids=str)
@pytest.mark.parametrize(
    "text",
    [
        "resources: ['URL/x.yaml']\n",
        "resources: ['URL/acme/parts.git//part?ref=v1']\n",
        "configMapGenerator: [{name: g, files: ['m=URL/x']}]\n",
        (
            'generators: [\'{apiVersion: builtin, kind: ConfigMapGenerator, name: g, files: ["m=URL/x"],'
            " metadata: {name: g}}']\n"
        ),
    ],
    ids=["file", "git", "data", "plugin"],
)
def test_a_kustomization_reaches_nobody(tmp_path, callers, kustomize, text) -> None:
    url, called = callers
    write_files(tmp_path, {"kustomization.yaml": text.replace("URL", url)})
    with pytest.raises(ToolFailed):
        kustomize.build(tmp_path)
    assert called == []


@pytest.mark.parametrize("kustomize", KUSTOMIZES, ids=str)
def test_a_kustomization_reads_nothing_outside_of_its_tree(tmp_path, kustomize) -> None:
    """A base elsewhere, which no load restrictor keeps from being read."""
    write_files(tmp_path, {"base/kustomization.yaml": "resources: [a.yaml]\n", "base/a.yaml": OBJECT})
    write_files(tmp_path, {"tree/o/kustomization.yaml": "resources: [../../base]\n"})
    with pytest.raises(ToolFailed, match=r"permission denied|unable to find"):
        kustomize.build(tmp_path / "tree/o", root=tmp_path / "tree")
    assert kustomize.build(tmp_path / "tree/o", root=tmp_path)


@pytest.mark.parametrize("kustomize", KUSTOMIZES, ids=str)
def test_kustomize_inflates_no_chart(tmp_path, kustomize) -> None:
    write_files(
        tmp_path,
        {
            "kustomization.yaml": "helmCharts: [{name: web, releaseName: r}]\n",
            "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
        },
    )
    with pytest.raises(ToolFailed, match="enable-helm"):
        kustomize.build(tmp_path)


def test_a_chart_s_schema_reaches_nobody_and_reads_nothing(tmp_path, callers) -> None:
    url, called = callers
    write_files(tmp_path, {"outside.json": '{"type": "object"}'})
    chart = {"Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n", "templates/a.yaml": OBJECT}
    helm = Engines().helm()
    for target in (f"{url}/x.json", f"file://{tmp_path}/outside.json"):
        schema = {"values.schema.json": f'{{"$ref": "{target}"}}', "values.yaml": "a: 1\n"}
        write_files(tmp_path / "chart", {**chart, **schema})
        with pytest.raises(ToolFailed):
            helm.template(tmp_path / "chart", release="r")
    assert called == []


def test_a_chart_is_told_nothing_of_this_machine(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "CANARY")
    text = (
        OBJECT
        + 'data:\n  host: {{ getHostByName "localhost" | quote }}\n  file: {{ .Files.Get "/etc/passwd" | quote }}\n'
    )
    write_files(
        tmp_path, {"Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n", "templates/a.yaml": text}
    )
    printed = Engines().helm().template(tmp_path, release="r").decode()
    assert 'host: ""' in printed
    assert 'file: ""' in printed


@pytest.mark.parametrize(
    "options",
    [
        {"release": "--post-renderer=/bin/sh"},
        {"release": "r", "namespace": "--set-file=s=/etc/passwd"},
        {"release": "r", "kube_version": "-x"},
        {"release": "r", "api_versions": ["--debug"]},
        {"release": "r\n--debug"},
    ],
)
def test_no_value_is_an_option(tmp_path, options) -> None:
    with pytest.raises(Refused, match="option"):
        Engines().helm().template(tmp_path, **options)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems bound no program's memory")
def test_a_chart_that_wants_all_memory_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "MEMORY", 512 << 20)
    greedy = '{{- $x := repeat 100000000 "aaaaaaaaaa" }}{{ printf "%s%s" $x $x | len }}\n'
    write_files(
        tmp_path, {"Chart.yaml": "{apiVersion: v2, name: c, version: 1.0.0}\n", "templates/a.yaml": greedy}
    )
    with pytest.raises(TooLarge, match="wanted more than 512 MiB"):
        Engines().helm().template(tmp_path, release="c")
