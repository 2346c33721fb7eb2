"""Where a pointer of Git LFS comes in place of what is fetched, each kind of source says so."""

from __future__ import annotations

import json
import sys

import pytest
from tests.sources.test_archive import FILES, pack, zipped

from upstreamsync.config.spec import Releases
from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.digests import sha256
from upstreamsync.releases import fetch_releases

CHART = {"Chart.yaml": "apiVersion: v2\nname: thing\nversion: 1.2.3\n", "templates/a.yaml": "a: 1\n"}


def pointer(data: bytes, *, line: str = "\n", spec: str = "https://git-lfs.github.com/spec/v1") -> bytes:
    return line.join([f"version {spec}", f"oid {sha256(data)}", f"size {len(data)}", ""]).encode()


def refused(fetch, source, **more) -> UpstreamsyncError:
    with pytest.raises(UpstreamsyncError, match="a pointer of Git LFS") as caught:
        fetch(source, **more)
    assert "git host" in caught.value.hint
    return caught.value


@pytest.mark.parametrize("name", ["x.tar.gz", "x.tgz", "x.zip"])
@pytest.mark.parametrize("line", ["\n", "\r\n"])
def test_an_archive(world, fetch, name, line):
    data = zipped(FILES) if name.endswith("zip") else pack(FILES)
    world.file(f"/{name}", pointer(data, line=line))
    source = {"archive": {"url": f"{world.url}/{name}", "paths": ["**"]}}
    refused(fetch, source)
    refused(fetch, {**source, "checksum": sha256(data)})


def test_a_file_that_was_promised(world, fetch):
    data = b"kind: ConfigMap\n"
    world.file("/x.yaml", pointer(data, spec="https://hawser.github.com/spec/v1"))
    world.file("/SHA256SUMS", f"{sha256(data).removeprefix('sha256:')}  x.yaml\n")
    refused(fetch, {"url": f"{world.url}/x.yaml", "checksum": sha256(data)})
    refused(fetch, {"url": f"{world.url}/x.yaml", "checksum": f"{world.url}/SHA256SUMS"})


def test_the_promises_themselves(world, fetch):
    world.file("/x.yaml", b"kind: ConfigMap\n")
    world.file("/SHA256SUMS", pointer(b"sums"))
    refused(fetch, {"url": f"{world.url}/x.yaml", "checksum": f"{world.url}/SHA256SUMS"})


@pytest.mark.parametrize("digest", [None, "of the archive", "of the pointer"])
def test_a_charts_archive(world, fetch, digest):
    data = pack({f"thing/{name}": text for name, text in CHART.items()})
    there = pointer(data)
    line = {"of the archive": sha256(data), "of the pointer": sha256(there)}.get(digest or "", "")
    entry = f"  - {{name: thing, version: 1.2.3, urls: [thing.tgz]{f', digest: {line[7:]}' if line else ''}}}"
    world.file("/charts/index.yaml", f"apiVersion: v1\nentries:\n  thing:\n{entry}\n")
    world.file("/charts/thing.tgz", there)
    refused(fetch, {"helm": {"repository": f"{world.url}/charts", "chart": "thing"}}, version="1.2.3")


@pytest.mark.parametrize("name", ["Chart.yaml", "templates/a.yaml", "values.yaml", "charts/y-1.0.0.tgz"])
def test_a_file_of_a_chart_in_git(world, fetch, name):
    files = {f"chart/{path}": text for path, text in CHART.items()}
    world.git("thing").commit({**files, f"chart/{name}": pointer(b"x")}, tag="v1.2.3")
    error = refused(fetch, {"helm": {"git": world.git("thing").url, "path": "chart"}})
    assert name in error.message


def test_a_chart_that_was_packed_with_pointers(world, fetch):
    world.file(
        "/charts/thing.tgz",
        pack({"thing/Chart.yaml": CHART["Chart.yaml"], "thing/crds/a.yaml": pointer(b"x").decode()}),
    )
    entry = "  - {name: thing, version: 1.2.3, urls: [thing.tgz]}"
    world.file("/charts/index.yaml", f"apiVersion: v1\nentries:\n  thing:\n{entry}\n")
    error = refused(fetch, {"helm": {"repository": f"{world.url}/charts", "chart": "thing"}}, version="1.2.3")
    assert "crds/a.yaml" in error.message


@pytest.mark.parametrize("page", ["install.md", "install.html", "install.rst", "install"])
def test_a_page_of_documentation(world, fetch, page):
    world.file(f"/{page}", pointer(b"# x\n"))
    refused(fetch, {"docs": {"url": f"{world.url}/{page}", "blocks": [{"file": "a.yaml"}]}})


@pytest.mark.parametrize("name", ["kustomization.yaml", "a.yaml", "logo.png"])
def test_a_file_that_a_kustomization_needs(world, fetch, name):
    files = {
        "config/kustomization.yaml": "resources: [a.yaml]\nconfigMapGenerator: [{name: x, files: [logo.png]}]\n",
        "config/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
        "config/logo.png": "x",
        "other.png": pointer(b"y"),
    }
    world.git("thing").commit(files, tag="v1.2.3")
    world.git("thing").commit({**files, f"config/{name}": pointer(b"x")}, tag="v1.2.4")
    source = {"kustomize": {"repository": world.git("thing").url, "path": "config"}}
    assert fetch(source).files
    assert f"config/{name}" in refused(fetch, source, version="v1.2.4").message


def python(code: str, **more: object) -> dict:
    return {"command": {"run": [sys.executable, "-c", code], **more}}


def test_what_a_generator_is_given(world, fetch, tools):
    world.file("/data.json", pointer(b"{}"))
    made = "print('kind: ConfigMap')"
    refused(fetch, python(made, fetch={"data.json": f"{world.url}/data.json"}), allow_commands=True)
    (tools.root / "profile.json").write_bytes(pointer(b"{}"))
    with pytest.raises(
        UpstreamsyncError, match=r"`profile\.json` is a pointer of Git LFS: this checkout"
    ) as caught:
        fetch(python(made, inputs=["profile.json"]), allow_commands=True)
    assert "git lfs pull" in caught.value.hint


def test_a_values_file_of_ones_own(world, fetch, tools):
    world.git("thing").commit({f"chart/{path}": text for path, text in CHART.items()}, tag="v1.2.3")
    (tools.root / "values.yaml").write_bytes(pointer(b"a: 1\n", line="\r\n"))
    source = {"helm": {"git": world.git("thing").url, "path": "chart", "values": ["values.yaml"]}}
    with pytest.raises(UpstreamsyncError, match=r"`values\.yaml` is a pointer of Git LFS: this checkout"):
        fetch(source)


@pytest.mark.parametrize(
    "releases",
    [
        {"page": {"url": "AT", "pattern": "v(?P<version>[0-9]+)"}},
        {"json": {"url": "AT", "path": "[*]"}},
        {"helm": {"repository": "FOLDER", "chart": "thing"}},
    ],
    ids=lambda declared: next(iter(declared)),
)
def test_a_list_of_versions(world, tools, releases):
    for path in ("versions", "index.yaml"):
        world.file(path, pointer(b"x"))
    text = json.dumps(releases).replace("AT", f"{world.url}/versions").replace("FOLDER", world.url)
    with pytest.raises(UpstreamsyncError, match="a pointer of Git LFS"):
        fetch_releases(Releases.model_validate_json(text), tools)
