"""What kustomize makes of a patch is not what one would think: each of these has to come out as the copy has it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pytest
import yaml

from upstreamsync.adopt.customize import Customizations, customize, filed, stream
from upstreamsync.adopt.operations import compare, operations
from upstreamsync.adopt.texts import dump
from upstreamsync.kit.kubernetes.objects import object_id
from upstreamsync.kit.run.engines import Engines
from upstreamsync.project.adopt.copy import build_files

UPSTREAM = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: app, namespace: one}
---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: one, labels: {a: b}}
spec:
  selector: {app: app}
  ports: [{name: web, port: 80, targetPort: 8080}, {name: dns, port: 53, protocol: UDP}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: app, namespace: one}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: app}
subjects: [{kind: ServiceAccount, name: app}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: app, namespace: one}
rules:
- {apiGroups: [''], resources: [pods], verbs: [get]}
- {apiGroups: [''], resources: [secrets], verbs: [get, list]}
- {apiGroups: [apps], resources: [deployments], verbs: [get]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: app, namespace: one}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      serviceAccountName: app
      initContainers:
      - {name: first, image: i/first:1}
      - {name: second, image: i/second:1}
      containers:
      - name: app
        image: i/app:1
        command: [/app, --a, --b, --c]
        env: [{name: A, value: "1"}, {name: B, value: $(A)}]
        ports: [{containerPort: 80}, {containerPort: 80, protocol: UDP}]
      volumes: [{name: data, emptyDir: {}}]
---
apiVersion: example.com/v1
kind: Thing
metadata: {name: app, namespace: one}
spec:
  items: [{name: a, value: 1}, {name: b, value: 2}]
  limits: {cpu: "1"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: app, namespace: one}
data:
  "a.b/c": x
  text: |
    line one
    line two
"""
Objects = dict[str, dict[str, Any]]


def container(objects: Objects) -> dict[str, Any]:
    return objects["Deployment"]["spec"]["template"]["spec"]["containers"][0]


def pod(objects: Objects) -> dict[str, Any]:
    return objects["Deployment"]["spec"]["template"]["spec"]


def at(kind: str, *path: str | int, value: Any) -> Callable[[Objects], None]:
    """Set one value."""

    def edit(objects: Objects) -> None:
        here: Any = objects[kind]
        for step in path[:-1]:
            here = here[step]
        here[path[-1]] = value

    return edit


def without(kind: str, *path: str | int) -> Callable[[Objects], None]:
    """Take one value away."""

    def edit(objects: Objects) -> None:
        here: Any = objects[kind]
        for step in path[:-1]:
            here = here[step]
        del here[path[-1]]

    return edit


def all_namespaces(objects: Objects) -> None:
    for one in objects.values():
        one["metadata"]["namespace"] = "two"


def all_labels(objects: Objects) -> None:
    for one in objects.values():
        one["metadata"].setdefault("labels", {})["team"] = "own"


EDITS: dict[str, Callable[[Objects], None]] = {
    "the protocol that is the default": at("Service", "spec", "ports", 0, "protocol", value="TCP"),
    "a namespace taken away": without("ConfigMap", "metadata", "namespace"),
    "a namespace of one object": at("ConfigMap", "metadata", "namespace", value="two"),
    "an account in another namespace": at("ServiceAccount", "metadata", "namespace", value="two"),
    "all in another namespace": all_namespaces,
    "a label for all": all_labels,
    "another version of the API": at("Thing", "apiVersion", value="example.com/v2"),
    "another name, and nothing follows": at("ServiceAccount", "metadata", "name", value="own"),
    "a null": at("Thing", "spec", "limits", value=None),
    "an empty map": at("Deployment", "spec", "template", "spec", "securityContext", value={}),
    "an empty list": at("Role", "rules", value=[]),
    "a field taken away": without("Service", "spec", "ports", 0, "targetPort"),
    "a map taken away": without("Thing", "spec", "limits"),
    "an element taken away": lambda objects: container(objects)["env"].pop(),
    "an element of a custom resource": at("Thing", "spec", "items", 1, "value", value=3),
    "an element of a custom resource added": lambda objects: objects["Thing"]["spec"]["items"].append({"name": "c"}),
    "an argument in the middle": lambda objects: container(objects)["command"].insert(2, "--new"),
    "an argument twice": lambda objects: container(objects)["command"].append("--a"),
    "all arguments": lambda objects: container(objects).update(command=["/other"]),
    "init containers in another order": lambda objects: pod(objects)["initContainers"].reverse(),
    "an init container first": lambda objects: pod(objects)["initContainers"].insert(0, {"name": "zero", "image": "i/z"}),
    "variables in another order": lambda objects: container(objects)["env"].reverse(),
    "a port of equal number": lambda objects: container(objects)["ports"].pop(0),
    "a rule in the middle": lambda objects: objects["Role"]["rules"].insert(1, {"apiGroups": ["x"], "resources": ["y"], "verbs": ["z"]}),
    "a rule taken away": lambda objects: objects["Role"]["rules"].pop(1),
    "a verb of the second rule": lambda objects: objects["Role"]["rules"][1]["verbs"].append("watch"),
    "another kind of volume": lambda objects: pod(objects)["volumes"].__setitem__(0, {"name": "data", "configMap": {"name": "x"}}),
    "a key with signs": at("ConfigMap", "data", "a.b/c", value="y"),
    "a text of several lines": at("ConfigMap", "data", "text", value="line one\nline 2\n\n  indented\n"),
    "a text that looks like a number": at("ConfigMap", "data", "number", value="0123"),
    "a text that looks like a truth value": at("ConfigMap", "data", "flag", value="yes"),
    "the role of a binding": at("RoleBinding", "roleRef", "name", value="other"),
    "an image with a digest": lambda objects: container(objects).update(image="i/app:2@sha256:" + "0" * 64),
    "an image without a tag": lambda objects: container(objects).update(image="i/app"),
    "two images": lambda objects: (container(objects).update(image="m/app:1"), pod(objects)["initContainers"][0].update(image="i/first:2")),
    "a count of pods": at("Deployment", "spec", "replicas", value=0),
    "everything at once": lambda objects: [edit(objects) for name, edit in EDITS.items() if name in ("a verb of the second rule", "an argument in the middle", "a null", "a key with signs", "a count of pods", "the protocol that is the default")],
}  # fmt: skip


@cache
def kustomize():
    return Engines().kustomize()


def build(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    return build_files(files, kustomize())


def rebuilt(upstream: list[dict[str, Any]], found: Customizations) -> list[dict[str, Any]]:
    entries, files = filed(found.patches)
    fields = {
        "resources": ["upstream.yaml", *(["own.yaml"] if found.own or found.replaced else [])],
        "patches": entries,
        **found.settings.fields(),
    }
    own = stream([*found.own, *found.replaced])
    return build(
        {"kustomization.yaml": dump(fields), "upstream.yaml": stream(upstream), "own.yaml": own, **files}
    )


@pytest.mark.parametrize("name", EDITS)
def test_every_edit_comes_out_again(name: str):
    upstream = list(yaml.safe_load_all(UPSTREAM))
    local = copy.deepcopy(upstream)
    EDITS[name]({one["kind"]: one for one in local})
    found = customize(upstream, local, build)
    built = {object_id(one): one for one in rebuilt(upstream, found)}
    wanted = {object_id(one): one for one in local}
    assert built.keys() == wanted.keys()
    assert [str(key) for key in wanted if not compare(built[key], wanted[key]).equal] == []
    assert found.patches or found.settings.fields() or found.own


def test_an_equal_copy_needs_nothing():
    upstream = list(yaml.safe_load_all(UPSTREAM))
    assert customize(upstream, copy.deepcopy(list(reversed(upstream))), build).empty


def test_settings_say_in_one_line_what_they_can():
    upstream = list(
        yaml.safe_load_all(
            UPSTREAM.replace(
                "{kind: ServiceAccount, name: app}", "{kind: ServiceAccount, name: app, namespace: one}"
            )
        )
    )
    for name, field in (("all in another namespace", "namespace"), ("a label for all", "labels"), ("a count of pods", "replicas"), ("an image with a digest", "images")):  # fmt: skip
        local = copy.deepcopy(upstream)
        EDITS[name]({one["kind"]: one for one in local})
        if field == "namespace":
            local[2]["subjects"][0]["namespace"] = "two"
        found = customize(upstream, local, build)
        assert list(found.settings.fields()) == [field], name
        assert not found.patches, name


def test_positions_are_guarded():
    upstream = list(yaml.safe_load_all(UPSTREAM))
    local = copy.deepcopy(upstream)
    EDITS["a verb of the second rule"]({one["kind"]: one for one in local})
    (patch,) = customize(upstream, local, build).patches
    assert patch.body == [
        {"op": "test", "path": "/rules/1/resources", "value": ["secrets"]},
        {"op": "add", "path": "/rules/1/verbs/-", "value": "watch"},
    ]


def test_a_timestamp_that_generators_leave_null_is_no_edit():
    upstream = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "creationTimestamp": None}}
    local = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    assert operations(upstream, local) == ()
    assert compare(upstream, local).reordered == ("metadata.creationTimestamp",)
    assert not compare(upstream, {**local, "metadata": {"name": "c", "creationTimestamp": "2020"}}).equal
    assert not compare(upstream, {**local, "data": None}).equal
