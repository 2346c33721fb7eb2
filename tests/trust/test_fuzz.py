"""The parsers of what strangers write, given anything: they answer, or raise one of our errors.

In the gate each target gets the same inputs each time. `make fuzz` sets FUZZ_SECONDS, a time for each target, and
FUZZ_SEED, which makes the inputs new ones; what it finds becomes a fixed example. The seeds are real shapes, mutated:
pure noise rarely gets past a parser's first line.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from upstreamsync.config.load import parse_configuration
from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.archives import read_archive
from upstreamsync.kit.http.oci import Reference
from upstreamsync.kit.kubernetes import objects
from upstreamsync.kit.kubernetes.chart_index import HelmIndex
from upstreamsync.kit.kubernetes.charts import index_entry
from upstreamsync.kit.yaml import edit, manifests
from upstreamsync.kit.yaml import path as yaml_path
from upstreamsync.lock import parse as parse_lock
from upstreamsync.sources.html_blocks import html_blocks
from upstreamsync.sources.markdown_blocks import markdown_blocks
from upstreamsync.testing import tarball, write_files, zipball
from upstreamsync.verify import find_overlays
from upstreamsync.verify.overlays.graph import inputs
from upstreamsync.verify.overlays.tree import Tree

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
INPUTS = 2000

INDEX = b"""apiVersion: v1
entries:
  acme:
  - apiVersion: v2
    name: acme
    version: 1.2.0
    urls: [acme-1.2.0.tgz]
    digest: abc
  - name: acme
    version: "1.1.0"
    description: |
      entries:
        acme:
generated: "2024-01-01"
"""
MARKDOWN = b"# Install\n\n1. do\n   ```yaml\n   a: 1\n   ```\n\n> ~~~sh title=x\n> b\n> ~~~\n\n<pre><code>x</code></pre>\n"
HTML = b"<h2 id=x>In<b>st</b>all</h2><div class='highlight-yaml'><pre><span>a: 1\n</span></pre></div><pre lang=sh>&lt;b\n"
VENDORS = b"""version: 1
defaults: {cooldown: 3d}
vendors:
  - name: argocd
    version: v2.8.4
    source: {url: "https://host/{version}/install.yaml"}
    releases: {github: argoproj/argo-cd, tag: "v(?P<version>.+)"}
    follow: {range: ">=2.8 <3", ignore: [v2.9.1], max: minor}
    base: argocd/base
    edits:
      - {file: a/kustomization.yaml, image: quay.io/x, tag: "{semver}"}
"""
LOCK = b"""bases: [a/base]
config: sha256:0
files: {a/base/x.yaml: "sha256:0000000000000000000000000000000000000000000000000000000000000000"}
lock: 1
sources: [{kind: url, location: https://x/y, digest: "sha256:1"}]
tree: sha256:0
vendor: a
version: v1
"""
KUSTOMIZATION = b"""resources: [../base, a.yaml, https://x/y]
components: [../c]
patches:
- path: p.yaml
  target: {kind: Deployment}
- patch: |-
    - op: replace
      path: /spec
images: [{name: x, newTag: v1}]
configMapGenerator: [{name: x, files: [a=b.txt]}]
"""
DEPLOYMENT = b"""spec: # why
  template:
    spec:
      containers:
        - {name: a, image: "x:1", env: [{name: A, value: '1'}]}
  values: |
    image:
      tag: v1
"""
TOKENS = [
    b"{", b"}", b"[", b"]", b": ", b"- ", b"&a ", b"*a", b"<<: *a", b"!!str ", b"|\n", b">-\n", b"---\n", b"...\n", b"%YAML 1.1\n",
    b"\t", b"\r\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"'", b'"', b"\\", b"#", b"```", b"~~~", b"    ", b"<!--",
    b"</pre>", b"<pre>", b"<template>", b"<svg>", b"]]>", b"1e999", b"0x", b"null", b"~", b"../", b"/", b"", b"? ", b"\xed\xa0\x80",
    b"9" * 5000, b"[" * 300, b"name: acme\n", b"entries:\n", b"=", b"*", b".inf", b"2024-01-01",
]  # fmt: skip


def mutated(seed: bytes, chance: random.Random) -> bytes:
    """A few cuts, repetitions, swaps and insertions."""
    data = bytearray(seed)
    for _ in range(chance.randint(1, 6)):
        at, to = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
        match chance.randrange(6):
            case 0:
                del data[at : min(to, at + 40)]
            case 1:
                data[at:at] = chance.choice(TOKENS)
            case 2:
                data[at:at] = data[at : min(to, at + 200)]
            case 3 if data:
                data[min(at, len(data) - 1)] = chance.randrange(256)
            case 4:
                data[at : at + 1] = chance.choice(TOKENS)
            case _:
                data[at:at] = bytes(chance.choices(range(256), k=chance.randint(1, 4)))
    return bytes(data)


def text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def cut(data: bytes) -> None:
    index = HelmIndex(data)
    for chart in (*index.charts[:3], "acme"):
        index.entries(chart)


def edits(data: bytes) -> None:
    for path in ("spec.template.spec.containers[0].image", "spec.values|image.tag", "images[0].newTag"):
        try:
            new, _, _ = edit.replace(text(data), path, "v2: #'\n")
        except UpstreamsyncError:
            continue
        assert edit.yaml_value(new, path) is not None
    for function in (
        lambda: edit.set_env(text(data), "A", "2"),
        lambda: edit.set_image(text(data), "x", tag="v2"),
        lambda: yaml_path.parse(text(data)[:60]),
    ):
        try:
            function()
        except UpstreamsyncError:
            continue


def walk(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_files(root, {"o/kustomization.yaml": data, "base/kustomization.yaml": "resources: [a.yaml]\n", "base/a.yaml": DEPLOYMENT, "c/kustomization.yaml": data, "o/p.yaml": data})  # fmt: skip
        find_overlays(root, ["base"])
        inputs(Tree(root), "o")


def documents(data: bytes) -> None:
    assert b"".join(manifests.split(data)) == data
    found = objects.numbered(manifests.objects(data))
    objects.compare(found, found)


TARGETS: dict[str, tuple[Callable[[bytes], object], tuple[bytes, ...]]] = {
    "index cut": (cut, (INDEX,)),
    "index entry": (lambda data: index_entry(data, "acme", ("1.2.0",), "x"), (INDEX,)),
    "Markdown blocks": (lambda data: markdown_blocks(text(data)), (MARKDOWN, HTML)),
    "HTML blocks": (lambda data: html_blocks(text(data)), (HTML,)),
    "vendors.yaml": (lambda data: parse_configuration(data, path=Path("vendors.yaml")), (VENDORS,)),
    "kustomization walk": (walk, (KUSTOMIZATION,)),
    "splice": (edits, (DEPLOYMENT, KUSTOMIZATION)),
    "lock": (lambda data: parse_lock(data, "a.lock.yaml"), (LOCK,)),
    "documents": (documents, (DEPLOYMENT, LOCK, INDEX)),
    "OCI reference": (lambda data: Reference.parse(text(data)), (b"oci://ghcr.io:443/org/chart:1.2.0", b"oci://h/x@sha256:0")),
    "archive": (lambda data: read_archive(data, name="x"), (tarball({"a.yaml": "a: 1\n"}), zipball({"a.yaml": "a: 1\n"}))),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.fuzz
@pytest.mark.parametrize("target", TARGETS)
def test_any_input_is_read_or_refused(target: str):
    function, seeds = TARGETS[target]
    chance = random.Random(f"{target} {os.environ.get('FUZZ_SEED', '1')}")
    deadline = time.monotonic() + SECONDS
    tried = read = 0
    while time.monotonic() < deadline or tried < INPUTS:
        data = mutated(chance.choice(seeds), chance) if tried else seeds[0]
        tried += 1
        try:
            started = time.thread_time()  # of this thread alone: a busy machine makes nothing slow
            function(data)
            read += 1
        except UpstreamsyncError:
            pass
        except Exception as bug:
            raise AssertionError(f"{type(bug).__name__} from {data!r}") from bug
        assert time.thread_time() - started < 20, data
    assert read or target in {"vendors.yaml", "lock"}
