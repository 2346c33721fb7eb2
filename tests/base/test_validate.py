"""What was fetched has to be manifests; anything else is refused in words that say what it is."""

from __future__ import annotations

import pytest

from upstreamsync.base.shape import make_bases
from upstreamsync.config.spec import Vendor
from upstreamsync.errors import ContentError, Malformed, UpstreamsyncError
from upstreamsync.model import Artifact, ContentFile, Release

OBJECT = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
SOURCES = {
    "url": {"url": "https://h/x"},
    "git": {"git": {"repository": "https://h/x.git", "paths": ["**"]}},
    "archive": {"archive": {"url": "https://h/x.tgz", "paths": ["**"]}},
    "docs": {"docs": {"url": "https://h/x", "blocks": [{"file": "install.yaml"}]}},
    "helm": {"helm": {"repository": "https://h", "chart": "x"}},
    "kustomize": {"kustomize": {"repository": "https://h/x.git", "path": "x"}},
    "command": {"command": {"run": ["x"]}},
}
REFUSED = {
    "a status as text": (b"404: Not Found", "404: Not Found"),
    "a status as text, alone": (b"Not Found\n", "`Not Found`"),
    "an error in JSON": (b'{"message": "Not Found", "documentation_url": "https://h"}', "tells an error"),
    "another error in JSON": (b'{"errors": [{"status": 404, "message": "no"}]}\n', "tells an error"),
    "an error in YAML": (b"error: manifest unknown\n", "tells an error"),
    "a stub of comments": (b"# This file has moved to deploy/all.yaml\n", "comments alone"),
    "a stub behind a marker": (b"---\n# moved\n---\n", "comments alone"),
    "a shortcode of Hugo": (b'{{< codenew file="application/deployment.yaml" >}}\n', "includes one"),
    "a shortcode of Hugo, in percent": (b'{{% code_sample file="a.yaml" %}}\n', "includes one"),
    "an include of Jekyll": (b"{% include install.yaml %}\n", "includes one"),
    "a snippet of MkDocs": (b'--8<-- "install.yaml"\n', "includes one"),
    "an include of Sphinx": (b".. literalinclude:: install.yaml\n", "includes one"),
    "an include of Asciidoctor": (b"include::install.yaml[]\n", "includes one"),
    "Markdown": (b"# Install\n\nApply the manifest:\n\n- one\n- two\n", "is not a manifest|not valid YAML"),
    "Markdown with a fence": (b"# Install\n\n```yaml\n" + OBJECT + b"```\n", "not valid YAML"),
    "UTF-16": (OBJECT.decode().encode("utf-16"), "UTF-16"),
    "UTF-16 without a mark": (OBJECT.decode().encode("utf-16-le"), "UTF-16 or binary"),
    "a template": (
        b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Values.name }}\n",
        ":4: a template",
    ),
    "a template with an if": (b"{{- if .Values.on }}\n" + OBJECT + b"{{- end }}\n", "a template that nobody"),
    "a template in quotes": (OBJECT.replace(b"a\n", b'"{{ .Release.Name }}"\n'), "a template that nobody"),
    "a template of an image": (OBJECT + b'spec:\n  image: "x:{{ .Values.tag }}"\n', ":6: a template"),
    "a template of Jinja": (b"{% if on %}\n" + OBJECT + b"{% endif %}\n", "a template that nobody"),
    "a key twice": (
        OBJECT + b"data:\n  a: '1'\n  a: '2'\n",
        ":7: not valid for Kubernetes: the key `a` is given twice",
    ),
    "a key twice at the top": (OBJECT + b"kind: Secret\n", "`kind` is given twice"),
    "a key that is a number": (OBJECT + b"data:\n  1: x\n", "`1` is no text"),
    "a key that is nothing": (OBJECT + b"data:\n  ~: x\n", "`~` is no text"),
    "a key that is a list": (OBJECT + b"data:\n  ? [a]\n  : x\n", "can't be a key"),
    "a pointer of LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n", "Git LFS"),
    "a web page": (b"<!doctype html><title>x</title>\n", "web page"),
    "the target of a link": (b"../base/install.yaml\n", "text: `../base/install.yaml`"),
    "a list of texts": (b"- a\n- b\n", "text"),
    "nothing": (b"\n\n", "nothing|no files"),
    "a refusal of an API server": (
        b'{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"not allowed","code":403}',
        "API server answers: `not allowed`",
    ),
    "a list of nothing": (b"apiVersion: v1\nkind: List\nitems: []\n", "a List without items"),
    "a list of null": (b"apiVersion: v1\nkind: ConfigMapList\nitems:\n", "a ConfigMapList without items"),
    "a list of nothing in JSON": (
        b'{"apiVersion": "v1", "kind": "List", "items": []}',
        "a List without items",
    ),
    "a gateway's words": (b"502 Bad Gateway\n", "`502 Bad Gateway`"),
    "a registry's words": (b"Bad credentials\n", "`Bad credentials`"),
    "another's detail": (b'{"detail": "Not found."}', "tells an error"),
    "XML": (b"<Error><Code>NoSuchKey</Code></Error>", "NoSuchKey"),
    "UTF-32": (OBJECT.decode().encode("utf-32"), "UTF-16 or binary"),
    "gzip": (b"\x1f\x8b\x08\0\0\0\0\0", "UTF-16 or binary"),
    "a key that is true": (OBJECT + b"data:\n  true: x\n", "`true` is no text"),
    "a key that is a date": (OBJECT + b"data:\n  2020-01-01: x\n", "`2020-01-01` is no text"),
    "an alias of nothing": (OBJECT + b"data:\n  a: *x\n", "`\\*x` stands for"),
    "tabs": (b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: a\n", "not valid YAML"),
}


def make(files: dict[str, bytes], kind: str = "url", **source) -> dict[str, bytes]:
    vendor = Vendor.model_validate(
        {"name": "v", "version": "1", "base": "b", "source": {**SOURCES[kind], **source}}
    )
    content = tuple(ContentFile(path=path, data=data) for path, data in sorted(files.items()))
    (base,) = make_bases(
        vendor, [(vendor.source[0], Artifact(resolved=(), files=content))], Release(version="1", ref="1")
    )
    return {file.path: file.data for file in base.files}


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_manifest_never_becomes_a_base(name, kind):
    data, words = REFUSED[name]
    with pytest.raises((ContentError, Malformed), match=words) as caught:
        make({"install.yaml": data}, kind)
    assert caught.value.hint


def test_hints_name_what_nobody_sees():
    with pytest.raises(Malformed) as caught:
        make({"install.yaml": REFUSED["tabs"][0]})
    assert "line 4 is indented with a tab" in caught.value.hint
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n\u00a0\u00a0name: a\n\u00a0\u00a0name: b\n"
    with pytest.raises(UpstreamsyncError) as caught:
        make({"install.yaml": text.encode()})
    assert "line 4 has a space that is none to YAML (U+00A0)" in caught.value.hint


@pytest.mark.parametrize(
    "data",
    [
        OBJECT,
        b"\xef\xbb\xbf" + OBJECT,
        b"# licence\n---\n" + OBJECT + b"---\n# the end\n",
        OBJECT.replace(b"\n", b"\r\n"),
        b'{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}\n',
        b"--- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n",
        b"apiVersion: v1\nitems:\n- " + OBJECT.replace(b"\n", b"\n  ").rstrip() + b"\nkind: List\n",
        OBJECT + b"data:\n  alert: '{{ $labels.instance }} is down'\n  on: x\n",
        OBJECT + b"data:\n  x: |\n    404: Not Found\n    {{ if .x }}\n    a: 1\n    a: 1\n",
        OBJECT + b"data:\n  message: Not Found\n",
        OBJECT + b"data:\n  x.md: |\n    --8<-- \"x\"\n",
        '"apiVersion": v1\n"kind": ConfigMap\nmetadata: {name: "\u00a0"}\n'.encode(),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", SOURCES)
def test_manifests_of_every_form_are_taken(data, kind):
    assert make({"install.yaml": data}, kind)["install.yaml"] == data


def test_other_yaml_beside_manifests_of_a_folder():
    files = {
        "a.yaml": OBJECT,
        "values.yaml": b"replicas: 1\n",
        "rules.yaml": b"groups:\n- name: x\n",
        "patch.yaml": b"- op: add\n  path: /x\n  value: 1\n",
        "LICENSE": b"Apache License: Version 2.0\n\tterms\n",
        "README.md": b"# x\n",
        "dashboard.json": b'{"title": "x", "panels": []}\n',
    }
    made = make(files, "git")
    assert {path: made[path] for path in files} == files
    assert b"- a.yaml\n" in made["kustomization.yaml"]
    assert b"values" not in made["kustomization.yaml"]


def test_a_folder_of_other_yaml_alone_is_no_base():
    with pytest.raises(ContentError, match="a mapping with `replicas`") as caught:
        make({"values.yaml": b"replicas: 1\n"}, "git")
    assert "`manifests: false`" in caught.value.hint


def test_what_is_declared_to_be_no_manifest_is_taken_as_it_is():
    files = {"values.yaml": b"replicas: 1\n", "squid.yaml": b"kind: X\nx: {{ .y }}\n{{ if z }}\n"}
    assert make(files, manifests=False) == files


def test_with_a_kustomization_of_upstreams_its_patches_are_no_objects():
    files = {
        "kustomization.yaml": b"resources: [a.yaml]\npatches: [{path: p.yaml, target: {kind: ConfigMap}}]\n",
        "a.yaml": OBJECT,
        "p.yaml": b"- op: add\n  path: /data\n  value: {}\n",
    }
    assert make(files, "git") == files


def test_files_of_a_chart_are_no_objects():
    files = {"Chart.yaml": b"name: x\n", "templates/a.yaml": b"{{ if x }}\n", "values.yaml": b"a: 1\n"}
    assert make(files, "git") == files


def test_one_bad_file_among_good_ones():
    with pytest.raises(ContentError, match=r"^b\.yaml is not a manifest"):
        make({"a.yaml": OBJECT, "b.yaml": b"404: Not Found"})
    with pytest.raises(ContentError, match=r"^b\.yaml is not a manifest"):
        make({"a.yaml": OBJECT, "b.yaml": b"404: Not Found"}, "git")
