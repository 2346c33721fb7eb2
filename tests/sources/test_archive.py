from __future__ import annotations

import io
import tarfile
import zipfile

import pytest

from upstreamsync.errors import DigestMismatch, Malformed, NotFound, Refused, SelectionError

FILES = {
    "thing-1.2.3/manifests/a.yaml": "a: 1\n",
    "thing-1.2.3/manifests/deep/b.yaml": "b: 1\n",
    "thing-1.2.3/x": "",
}


def pack(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data.encode()))
    return buffer.getvalue()


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [("x.tar.gz", pack(FILES)), ("x.tgz", pack(FILES)), ("x.zip", zipped(FILES))],
    ids=["tar.gz", "tgz", "zip"],
)
def test_members_by_glob(world, fetch, name, data):
    world.file(f"/v1.2.3/{name}", data)
    url = f"{world.url}/{{version}}/{name}"
    artifact = fetch({"archive": {"url": url, "paths": ["thing-{semver}/manifests/**"]}})
    assert {file.path: file.data for file in artifact.files} == {
        "a.yaml": b"a: 1\n",
        "deep/b.yaml": b"b: 1\n",
    }
    assert artifact.resolved[0].location == f"{world.url}/v1.2.3/{name}"
    stripped = fetch({"archive": {"url": url, "paths": ["*/manifests/*.yaml"], "strip": 1}})
    assert [file.path for file in stripped.files] == ["manifests/a.yaml"]
    with pytest.raises(SelectionError, match="none"):
        fetch({"archive": {"url": url, "paths": ["none/*"]}})
    with pytest.raises(DigestMismatch):
        fetch({"archive": {"url": url, "paths": ["**"]}, "checksum": f"sha256:{'0' * 64}"})


def test_a_probe_finds_what_is_missing(world, probe):
    with pytest.raises(NotFound):
        probe({"archive": {"url": f"{world.url}/x.tgz", "paths": ["**"]}})


def hostile(path, **attributes):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo(path)
        for name, value in attributes.items():
            setattr(entry, name, value)
        archive.addfile(entry, io.BytesIO(b"x" * entry.size))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (hostile("../evil.yaml", size=1), Refused),
        (hostile("/etc/evil.yaml", size=1), Refused),
        (hostile("a.yaml", type=tarfile.SYMTYPE, linkname="/etc/passwd"), Refused),
        (hostile("a.yaml", type=tarfile.CHRTYPE), Refused),
        (b"not an archive", Malformed),
    ],
    ids=["parent", "absolute", "link", "device", "garbage"],
)
def test_hostile_archives_are_refused_as_archives_and_as_charts(world, fetch, data, error):
    world.file("/x.tgz", data)
    with pytest.raises(error):
        fetch({"archive": {"url": f"{world.url}/x.tgz", "paths": ["**"]}})
    world.raw_index("charts", "entries:\n  app:\n  - {name: app, version: 1.0.0, urls: [../x.tgz]}\n")
    with pytest.raises(error):
        fetch({"helm": {"repository": f"{world.url}/charts", "chart": "app"}}, "1.0.0")


def test_an_archive_without_a_chart(world, fetch):
    world.file("/x.tgz", pack(FILES))
    world.raw_index("charts", "entries:\n  app:\n  - {name: app, version: 1.0.0, urls: [../x.tgz]}\n")
    with pytest.raises(Malformed, match="is no chart"):
        fetch({"helm": {"repository": f"{world.url}/charts", "chart": "app"}}, "1.0.0")
