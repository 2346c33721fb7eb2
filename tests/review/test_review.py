"""What changes for the cluster: objects, noise, images, who reads it; and how fast."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from upstreamsync.kit.yaml import manifests
from upstreamsync.model import ImageChange
from upstreamsync.review import Reader, find_readers, reading, review
from upstreamsync.review.images import Image, parse_image

WORLD = Path(os.environ.get("UPSTREAM_WORLD") or Path(__file__).parents[3] / "shared" / "upstream-world")
STACK = WORLD / "data" / "base" / "assets" / "prometheus-community" / "kube-prometheus-stack"


def config_map(name: str = "c", labels: dict | None = None, **data: str) -> dict:
    metadata = {"name": name, "namespace": "n", **({"labels": labels} if labels else {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def pod(*images: str, name: str = "p", **spec) -> dict:
    containers = [{"name": f"c{index}", "image": image} for index, image in enumerate(images)]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": containers, **spec},
    }


def test_objects_that_come_go_and_change():
    found = review("o", [config_map("a"), config_map("b", x="1")], [config_map("b", x="2"), config_map("d")])
    assert (found.path, found.added, found.removed) == ("o", ("v1 ConfigMap n/d",), ("v1 ConfigMap n/a",))
    (changed,) = found.changed
    assert changed.resource == "v1 ConfigMap n/b"
    assert [(field.path, field.before, field.after) for field in changed.fields] == [("data.x", "1", "2")]


def test_another_api_version_is_the_same_object():
    old = {"apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget", "metadata": {"name": "x"}}
    found = review("o", [old], [{**old, "apiVersion": "policy/v1"}])
    assert (found.added, found.removed) == ((), ())
    assert [field.path for field in found.changed[0].fields] == ["apiVersion"]


@pytest.mark.parametrize(
    "key",
    ["helm.sh/chart", "app.kubernetes.io/version", "chart", "checksum/config", "acme.io/checksum-tls"],
)
def test_version_labels_are_only_counted(key):
    found = review("o", [config_map(labels={key: "1"})], [config_map(labels={key: "2"})])
    assert (found.changed, found.label_only) == ((), 1)
    # Beside a real change, the noise is left out of what is told.
    found = review("o", [config_map(labels={key: "1"}, x="1")], [config_map(labels={key: "2"}, x="2")])
    assert [field.path for field in found.changed[0].fields] == ["data.x"]
    assert found.label_only == 0


def test_labels_that_appear_as_a_whole():
    noisy, real = {"helm.sh/chart": "a-1"}, {"helm.sh/chart": "a-1", "team": "x"}
    assert review("o", [config_map()], [config_map(labels=noisy)]).label_only == 1
    assert review("o", [config_map()], [config_map(labels=real)]).label_only == 0


def test_a_selector_is_no_noise():
    def service(version: str) -> dict:
        selector = {"app.kubernetes.io/version": version}
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "s"},
            "spec": {"selector": selector},
        }

    assert len(review("o", [service("1")], [service("2")]).changed) == 1


def test_documentation_in_a_crd_is_noise_and_a_field_named_description_is_not():
    def crd(text: str) -> dict:
        schema = {"openAPIV3Schema": {"properties": {"spec": {"description": text}}}}
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "x"},
            "spec": {"versions": [{"name": "v1", "schema": schema}]},
        }

    assert review("o", [crd("a")], [crd("b")]).label_only == 1
    assert len(review("o", [config_map(description="a")], [config_map(description="b")]).changed) == 1


Y_GONE = ("a.io/y", "a.io/y:1", None)


def X(before: int, after: int) -> tuple[str, str, str]:
    return "a.io/x", f"a.io/x:{before}", f"a.io/x:{after}"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (["a.io/x:1"], ["a.io/x:2"], [("a.io/x", "a.io/x:1", "a.io/x:2")]),
        (["a.io/x:1"], ["a.io/x:1"], []),
        (["a.io/x:1"], [], [("a.io/x", "a.io/x:1", None)]),
        ([], ["a.io/x:1"], [("a.io/x", None, "a.io/x:1")]),
        (["a.io/m/x:1"], ["b.io/x:1"], [("b.io/x", "a.io/m/x:1", "b.io/x:1")]),
        (["a.io/x:1", "a.io/y:1"], ["a.io/x:1", "b.io/x:2"], [Y_GONE, ("b.io/x", None, "b.io/x:2")]),
        (["a.io/x:1", "a.io/x:2"], ["a.io/x:3", "a.io/x:4"], [X(1, 3), X(2, 4)]),
    ],
)  # fmt: skip
def test_images(before, after, expected):
    found = review("o", [pod(*before)], [pod(*after)]).images
    assert found == tuple(ImageChange(name=n, before=b, after=a) for n, b, a in expected)


def test_images_in_other_places():
    old = pod("a.io/x:1")
    new = pod("a.io/x:1", volumes=[{"name": "v", "image": {"reference": "r"}}])
    new["spec"]["containers"][0]["args"] = [
        "--reloader=quay.io/p/reloader:v2",
        "--url=https://a.b/c",
        "--x=1",
    ]
    custom = {
        "apiVersion": "m/v1",
        "kind": "Prometheus",
        "metadata": {"name": "p"},
        "spec": {"image": "q.io/p:3"},
    }
    assert [image.after for image in review("o", [old], [new, custom]).images] == [
        "q.io/p:3",
        "quay.io/p/reloader:v2",
    ]


@pytest.mark.parametrize(
    ("text", "image", "registry"),
    [
        ("redis", Image(name="redis"), "docker.io"),
        ("library/redis:7", Image(name="library/redis", tag="7"), "docker.io"),
        ("localhost:5000/a/b:1", Image(name="localhost:5000/a/b", tag="1"), "localhost:5000"),
        ("a.io/b@sha256:" + "0" * 64, Image(name="a.io/b", digest="sha256:" + "0" * 64), "a.io"),
        ("{{ template }}", None, None),
        ("", None, None),
    ],
)
def test_image_references(text, image, registry):
    assert parse_image(text) == image
    assert image is None or image.registry == registry


APPLICATIONS = b"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: one}
spec: {source: {repoURL: r, path: ./apps/one/}}
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: many}
spec: {sources: [{repoURL: r, path: apps/two}, {repoURL: r, chart: c}]}
---
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: clusters}
spec: {generators: [{list: {elements: []}}], template: {spec: {source: {path: "apps/{{cluster}}/three"}}}}
---
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: folders}
spec:
  generators:
  - matrix: {generators: [{git: {directories: [{path: "teams/*"}, {path: teams/old, exclude: true}]}}]}
  template: {spec: {source: {repoURL: r, path: "{{path}}"}}}
---
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: no-application}
spec: {path: apps/one}
"""


def test_which_applications_read_an_overlay():
    readers = find_readers(
        [("a.yaml", APPLICATIONS), ("b.yaml", b"{{ half yaml argoproj.io/ Application path"), ("c", b"x")]
    )
    assert reading(readers, "apps/one") == ("Application one",)
    assert reading(readers, "apps/two") == ("Application many",)
    assert reading(readers, "apps/eu/three") == ("ApplicationSet clusters",)
    assert reading(readers, "teams/blue") == ("ApplicationSet folders",)
    assert reading(readers, "apps") == ("Application many", "Application one", "ApplicationSet clusters")
    assert reading(readers, "apps/o") == ()
    assert Reader(name="Application one", path="apps/one", file="a.yaml", repository="r") in readers


@pytest.mark.world
@pytest.mark.skipif(not STACK.is_dir(), reason=f"no real upstream content at {STACK} (set UPSTREAM_WORLD)")
def test_five_megabytes_are_told_without_their_noise():
    old, new = (
        manifests.objects((STACK / version / "manifests.yaml").read_bytes())
        for version in ("87.19.0", "88.5.0")
    )
    found = review("o", old, new)
    assert len(found.changed) > 10
    assert found.label_only > 50


def test_a_secrets_values_are_never_told():
    def secret(value: str | None) -> dict:
        data = {} if value is None else {"key": value}
        metadata = {"name": "s", "labels": {"v": str(value)}}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}

    for before, after in (("b2xk", "bmV3"), (None, "bmV3"), ("b2xk", None)):
        found = review("o", [secret(before)], [secret(after)])
        told = [str(field) for field in found.changed[0].fields if field.path.startswith("data")]
        assert told
        assert "b2xk" not in str(told)
        assert "bmV3" not in str(told)
        assert "bmV3" not in str(found.dangers)


def test_what_is_new_or_gone_is_there_as_a_whole_but_for_secrets_and_definitions():
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"k": "hush"}}
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "a.b"},
    }
    long = config_map("long", **{f"k{number}": "x" for number in range(300)})
    found = review("o", [config_map("old", a="1")], [secret, crd, long])
    texts = {one.resource: one for one in found.whole}
    assert set(texts) == {"v1 ConfigMap n/old", "v1 Secret s", "v1 ConfigMap n/long"}
    assert texts["v1 ConfigMap n/old"].after is None
    assert "k: (not shown" in (texts["v1 Secret s"].after or "")
    assert "hush" not in str(found)
    lines = (texts["v1 ConfigMap n/long"].after or "").splitlines()
    assert lines[-1].startswith("# … and ")
    assert len(lines) == 201
