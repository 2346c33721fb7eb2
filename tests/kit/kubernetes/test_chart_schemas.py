"""Schemas of charts that refer outside: left out of the chart and of its packed subcharts, and no others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from upstreamsync.kit.archives import read_archive
from upstreamsync.kit.kubernetes import chart_schemas
from upstreamsync.kit.kubernetes.chart_content import write_chart
from upstreamsync.kit.kubernetes.chart_schemas import is_foreign, pack, without_foreign
from upstreamsync.model import ContentFile

HOSTILE = b'{"$ref": "http://127.0.0.1:1/x.json"}'
PLAIN = b'{"type": "object"}'


def schema(**value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    "data",
    [
        HOSTILE,
        schema(properties={"a": {"$ref": "file:///etc/hostname"}}),
        schema(properties={"a": {"$ref": "other.json"}}),
        schema(properties={"a": {"$ref": "/etc/hostname"}}),
        schema(properties={"a": {"$ref": "//host/x"}}),
        schema(**{"$ref": "urn:x"}),
        schema(items=[{"anyOf": [{"$dynamicRef": "http://127.0.0.1:1/x"}]}]),
        schema(**{"$recursiveRef": "http://127.0.0.1:1/x"}),
        schema(**{"$schema": "http://127.0.0.1:1/meta.json"}),
        schema(definitions={"a": {"$id": "http://127.0.0.1:1/b", "$ref": "#/c"}}),
        schema(definitions={"a": {"id": "http://127.0.0.1:1/b", "$ref": "#/c"}}),
        b'{"$ref": "http://127.0.0.1:1/x", "$ref": "#/a"}',
        b'{"\\u0024ref": "http://127.0.0.1:1/x"}',
        b'{"a": "\xff", "$ref": "http://127.0.0.1:1/x"}',
        b"not JSON",
        b"[" * 100_000,
    ],
)
def test_what_refers_outside_is_foreign(data: bytes) -> None:
    assert is_foreign(data)


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        schema(**{"$schema": "http://json-schema.org/schema#", "$ref": "#/definitions/a"}),
        schema(**{"$schema": "https://json-schema.org/draft/2020-12/schema"}),
        schema(
            **{"$schema": "http://json-schema.org/draft-07/schema#", "$id": "https://acme.example/web.json"}
        ),
        schema(properties={"$ref": {"type": "string"}, "id": {"type": "string"}}),
        schema(properties={"url": {"default": "https://acme.example", "description": "$ref: http://x"}}),
        schema(definitions={"a": {"$id": "#a"}}),
    ],
)
def test_what_stays_in_the_chart_is_not(data: bytes) -> None:
    assert not is_foreign(data)


def subchart(name: str, data: bytes, *more: ContentFile) -> ContentFile:
    files = (
        ContentFile(path=f"{name}/Chart.yaml", data=b"name: x\n"),
        ContentFile(path=f"{name}/values.schema.json", data=data),
        *more,
    )
    return ContentFile(path=f"charts/{name}.tgz", data=pack(files))


def test_schemas_of_subcharts_are_found_however_they_are_packed() -> None:
    deepest = subchart("deepest", HOSTILE)
    deep = subchart("deep", PLAIN, ContentFile(path="deep/charts/deepest.tgz", data=deepest.data))
    files = (
        ContentFile(path="Chart.yaml", data=b"name: web\n"),
        ContentFile(path="values.schema.json", data=PLAIN),
        ContentFile(path="charts/folder/values.schema.json", data=HOSTILE),
        ContentFile(path="files/values.schema.json.txt", data=HOSTILE),
        deep,
        subchart("fine", PLAIN),
    )
    kept, left_out = without_foreign(files)
    assert left_out == (
        "charts/folder/values.schema.json",
        "charts/deep.tgz/deep/charts/deepest.tgz/deepest/values.schema.json",
    )
    by_path = {file.path: file.data for file in kept}
    assert by_path.keys() == {file.path for file in files} - {"charts/folder/values.schema.json"}
    assert by_path["charts/fine.tgz"] == files[-1].data
    inside = {file.path: file.data for file in read_archive(by_path["charts/deep.tgz"], name="deep")}
    assert inside["deep/values.schema.json"] == PLAIN
    again = read_archive(inside["deep/charts/deepest.tgz"], name="deepest")
    assert [file.path for file in again] == ["deepest/Chart.yaml"]


def test_a_subchart_that_cannot_be_looked_into_is_left_out() -> None:
    kept, left_out = without_foreign([ContentFile(path="charts/x.tgz", data=b"\x1f\x8bbroken")])
    assert (kept, left_out) == ((), ("charts/x.tgz/",))


def test_nesting_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    one = subchart("x", PLAIN)
    for _ in range(chart_schemas._DEPTH + 1):
        one = subchart("x", PLAIN, ContentFile(path="x/charts/x.tgz", data=one.data))
    assert without_foreign([one])[1]


def test_an_archive_stays_byte_for_byte_unless_it_has_to_change(tmp_path) -> None:
    for number, data in enumerate((PLAIN, HOSTILE)):
        archive = pack([ContentFile(path="web/values.schema.json", data=data)])
        folder = tmp_path / str(number)
        folder.mkdir()
        files = [ContentFile(path="values.schema.json", data=data)]
        written = write_chart(folder, files, archive, "web 1.0.0").read_bytes()
        assert (written == archive) is (data == PLAIN)
        assert HOSTILE not in b"".join(file.data for file in read_archive(written, name="web"))


def test_packing_is_always_the_same() -> None:
    files = [ContentFile(path="a", data=b"1", executable=True), ContentFile(path="b/c", data=b"2")]
    assert pack(files) == pack(files)
    assert read_archive(pack(files), name="x") == tuple(files)
