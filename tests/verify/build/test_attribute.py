"""What was switched on together is told apart as if each customization had been built by itself."""

from __future__ import annotations

import copy
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from upstreamsync.kit.run.engines import Engines, Kustomize
from upstreamsync.verify import Store, verify_trees
from verify.everything import Everything, said, write_trees


@pytest.fixture(scope="module")
def kustomize() -> Kustomize:
    return Engines().kustomize()


_SETTINGS = {
    "namespace": "namespace: shop\n",
    "labels": "labels:\n- {pairs: {team: infra}, includeSelectors: true}\n- {pairs: {tier: back}}\n",
    "annotations": "commonAnnotations: {team: infra, owner: shop}\n",
    "images": "images:\n- {name: quay.io/shop/web, newName: mirror.example/web}\n"
    "- {name: quay.io/shop/log, newTag: v9}\n- {name: mirror.example/web, newTag: v7}\n",
    "replicas": "replicas:\n- {name: web, count: 3}\n- {name: db, count: 3}\n",
    "a patch": "patches:\n- target: {kind: Deployment}\n  patch: |-\n"
    "    - {op: add, path: /spec/template/metadata/labels/team, value: infra}\n",
}


def _workloads(release: str) -> str:
    """Objects into which settings write in many places."""

    def pod(name: str) -> str:
        return (
            f"  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n"
            f"    metadata: {{labels: {{app: {name}, release: {release}}}}}\n    spec:\n      containers:\n"
            f"      - {{name: web, image: 'quay.io/shop/web:{release}'}}\n"
            f"      - {{name: log, image: 'quay.io/shop/log:{release}'}}\n"
        )

    account = "{kind: ServiceAccount, name: web, namespace: default}"
    return "---\n".join(
        (
            f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  replicas: 1\n{pod('web')}",
            f"apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: db}}\nspec:\n  serviceName: db\n{pod('db')}",
            (
                "apiVersion: v1\nkind: Service\nmetadata: {name: db, annotations: {owner: upstream}}\n"
                "spec: {selector: {app: db}, ports: [{port: 1}]}\n"
            ),
            (
                "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web}\nspec:\n"
                "  podSelector: {matchLabels: {app: web}}\n"
                "  ingress: [{from: [{podSelector: {matchLabels: {app: log, team: theirs}}}]}]\n"
            ),
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: theirs}\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: theirs}\ndata: {team: infra}\n",
            (
                "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: web}\n"
                f"roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}}\nsubjects: [{account}]\n"
            ),
            (
                "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\n"
                "metadata: {name: web}\nwebhooks:\n- name: a.shop.io\n  admissionReviewVersions: [v1]\n"
                "  sideEffects: None\n  clientConfig: {service: {name: db, namespace: theirs}}\n"
            ),
            (
                "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {name: v1.shop.io}\n"
                "spec: {group: shop.io, version: v1, groupPriorityMinimum: 1, versionPriority: 1,"
                " service: {name: db, namespace: theirs}}\n"
            ),
        )
    )


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, 2 ** len(_SETTINGS)))
def test_settings_are_told_apart_as_if_each_were_built(
    tmp_path: Path, number: int, kustomize: Kustomize, everything: Everything
) -> None:
    chosen = [text for bit, text in enumerate(_SETTINGS.values()) if number >> bit & 1]
    trees = write_trees(tmp_path, "".join(chosen), [_workloads(one) for one in ("v1", "v2")])
    whole = everything(*trees, ["overlay"], kustomize=kustomize)
    small = verify_trees(*trees, ["overlay"], kustomize=kustomize)
    assert said(small) == said(whole)
    assert small.overlays[0].builds <= whole.overlays[0].builds


def _json(kind: str, *operations: str) -> str:
    """An entry of ``patches`` with JSON 6902 operations."""
    return f"- target: {{kind: {kind}}}\n  patch: |-\n" + "".join(f"    - {{{one}}}\n" for one in operations)


def _merge(kind: str, name: str, rest: str, *, group: str = "apps/v1", namespace: str = "") -> str:
    """An entry of ``patches`` with a strategic merge in JSON."""
    where = f', "namespace": "{namespace}"' if namespace else ""
    head = f'"apiVersion": "{group}", "kind": "{kind}"'
    return f'- patch: \'{{{head}, "metadata": {{"name": "{name}"{where}}}, {rest}}}\'\n'


_POD = '"spec": {"template": {"spec": %s}}'
#: Patches that come close to what settings write, or take away where they write.
_PATCHED = {
    "a field": _json("Deployment", "op: add, path: /spec/paused, value: true"),
    "a label": _json("Deployment", "op: add, path: /spec/template/metadata/labels/x, value: y"),
    "labels replaced": _json(
        "Deployment", "op: replace, path: /spec/template/metadata/labels, value: {app: web}"
    ),
    "labels made": _json("Deployment", "op: add, path: /metadata/labels, value: {}"),
    "annotations made": _json("Service", "op: replace, path: /metadata/annotations, value: {}"),
    "annotations removed": _json("Service", "op: remove, path: /metadata/annotations"),
    "annotation removed": _json("Service", "op: remove, path: /metadata/annotations/owner"),
    "label copied": _json(
        "Deployment",
        "op: add, path: /metadata/labels, value: {}",
        "op: copy, from: /spec/template/metadata/labels/app, path: /metadata/labels/team",
    ),
    "container added": _json(
        "StatefulSet", "op: add, path: /spec/template/spec/containers/-, value: {name: new, image: a/b}"
    ),
    "container put first": _json(
        "Deployment",
        "op: add, path: /spec/template/spec/containers/0, value: {name: new, command: [sh]}",
        "op: remove, path: /spec/template/spec/containers/2",
    ),
    "container removed": _json("Deployment", "op: remove, path: /spec/template/spec/containers/0"),
    "containers emptied": _json("Deployment", "op: replace, path: /spec/template/spec/containers, value: []"),
    "image": _json(
        "Deployment",
        "op: replace, path: /spec/template/spec/containers/0/image, value: 'quay.io/shop/log:v1'",
    ),
    "spec replaced": _json("Service", "op: replace, path: /spec, value: {ports: [{port: 2}]}"),
    "object replaced": _json(
        "Service",
        "op: replace, path: '', value: {apiVersion: v1, kind: Service, metadata: {name: db}, spec: {ports: [{port: 3}]}}",
    ),
    "subject put back": _json(
        "ClusterRoleBinding", "op: replace, path: /subjects, value: [{kind: ServiceAccount, name: web}]"
    ),
    "subjects removed": _json("ClusterRoleBinding", "op: remove, path: /subjects"),
    "subject added": _json(
        "ClusterRoleBinding",
        "op: add, path: /subjects/-, value: {kind: ServiceAccount, name: web, namespace: default}",
    ),
    "role": _json("ClusterRoleBinding", "op: replace, path: /roleRef/name, value: edit"),
    "service of a webhook": _json(
        "ValidatingWebhookConfiguration",
        "op: replace, path: /webhooks/0/clientConfig/service, value: {name: web}",
    ),
    "webhook": _json(
        "ValidatingWebhookConfiguration", "op: add, path: /webhooks/0/failurePolicy, value: Ignore"
    ),
    "peers replaced": _json(
        "NetworkPolicy",
        "op: replace, path: /spec/ingress, value: [{from: [{podSelector: {matchLabels: {app: log}}}]}]",
    ),
    "peers removed": _json("NetworkPolicy", "op: remove, path: /spec/ingress"),
    "a peer's label": _json(
        "NetworkPolicy", "op: replace, path: /spec/ingress/0/from/0/podSelector/matchLabels/app, value: other"
    ),
    "namespace object": _json("Namespace", "op: add, path: /metadata/labels, value: {x: y}"),
    "the last webhook": _json(
        "ValidatingWebhookConfiguration",
        "op: replace, path: /webhooks/-1, value: {name: a.shop.io, admissionReviewVersions: [v1], sideEffects: None, clientConfig: {service: {name: db}}}",
    ),
    "the last container": _json(
        "Deployment", "op: replace, path: /spec/template/spec/containers/-1/image, value: quay.io/shop/web"
    ),
    "a name": _json("ConfigMap", "op: replace, path: /metadata/name, value: other"),
    "a namespace": _json("ConfigMap", "op: replace, path: /metadata/namespace, value: other"),
    "namespace removed": _json("ConfigMap", "op: remove, path: /metadata/namespace"),
    "data": _json("ConfigMap", "op: add, path: /data/namespace, value: shop"),
    "matches nothing": _json("Ingress", "op: add, path: /spec/x, value: y"),
    "two": _json("Deployment", "op: add, path: /spec/paused, value: true")
    + _json("StatefulSet", "op: add, path: /spec/paused, value: true"),
    "two at one": _json("Deployment", "op: add, path: /spec/paused, value: true")
    + _json("Deployment", "op: replace, path: /spec/paused, value: false"),
    "merge of resources": _merge(
        "Deployment", "web", _POD % '{"containers": [{"name": "web", "resources": {"limits": {"cpu": 1}}}]}'
    ),
    "merge of an image": _merge(
        "Deployment", "web", _POD % '{"containers": [{"name": "log", "image": "quay.io/shop/web:v3"}]}'
    ),
    "merge of a new container": _merge(
        "Deployment", "web", _POD % '{"containers": [{"name": "new", "command": ["sh"]}]}'
    ),
    "merge without a container": _merge(
        "Deployment", "web", _POD % '{"containers": [{"name": "web", "$patch": "delete"}]}'
    ),
    "merge in another order": _merge(
        "Deployment",
        "web",
        _POD
        % '{"$setElementOrder/containers": [{"name": "log"}, {"name": "web"}], "containers": [{"name": "web", "tty": true}]}',
    ),
    "merge that replaces containers": _merge(
        "Deployment", "web", _POD % '{"containers": [{"name": "web", "tty": true}, {"$patch": "replace"}]}'
    ),
    "merge that replaces labels": _merge(
        "Deployment",
        "web",
        '"spec": {"template": {"metadata": {"labels": {"$patch": "replace", "app": "web"}}}}',
    ),
    "merge that removes labels": _merge(
        "Deployment", "web", '"spec": {"template": {"metadata": {"labels": null}}}'
    ),
    "merge that removes an annotation": _merge(
        "Service", "db", '"spec": {"selector": {"app": null}}', group="v1"
    ),
    "merge of subjects": _merge(
        "ClusterRoleBinding",
        "web",
        '"subjects": [{"kind": "ServiceAccount", "name": "web"}]',
        group="rbac.authorization.k8s.io/v1",
    ),
    "merge with a namespace": _merge(
        "ConfigMap", "settings", '"data": {"x": "y"}', group="v1", namespace="theirs"
    ),
    "merge by a target, with other names": "- target: {kind: ConfigMap}\n  patch: |-\n    apiVersion: v1\n"
    "    kind: ConfigMap\n    metadata: {name: other, namespace: elsewhere}\n    data: {x: y}\n",
    "merge that deletes": _merge(
        "ConfigMap", "settings", '"$patch": "delete"', group="v1", namespace="theirs"
    ),
    "merge of replicas": _merge("Deployment", "web", '"spec": {"replicas": 3}'),
    "merge of an empty map": _merge("StatefulSet", "db", '"metadata": {"name": "db", "labels": {}}'),
}
_TOGETHER = {
    "namespace": _SETTINGS["namespace"],
    "labels": _SETTINGS["labels"],
    "the rest": _SETTINGS["annotations"] + _SETTINGS["images"] + _SETTINGS["replicas"],
    "all": "".join(text for name, text in _SETTINGS.items() if name != "a patch"),
}


@pytest.mark.slow
@pytest.mark.parametrize("settings", _TOGETHER.values(), ids=_TOGETHER)
@pytest.mark.parametrize("patch", _PATCHED.values(), ids=_PATCHED)
def test_a_patch_is_told_from_settings_as_if_each_were_built(
    tmp_path: Path, patch: str, settings: str, kustomize: Kustomize, kept: Store, everything: Everything
) -> None:
    trees = write_trees(tmp_path, f"patches:\n{patch}{settings}", [_workloads(one) for one in ("v1", "v2")])
    whole = everything(*trees, ["overlay"], kustomize=kustomize, cache=kept)
    small = verify_trees(*trees, ["overlay"], kustomize=kustomize, cache=kept)
    assert said(small) == said(whole)


def test_settings_alone_cost_one_build_a_side(tmp_path: Path, kustomize: Kustomize) -> None:
    overlay = _SETTINGS["namespace"] + _SETTINGS["annotations"] + _SETTINGS["replicas"]
    overlay += "images: [{name: quay.io/shop/web, newName: mirror.example/web}]\n"
    trees = write_trees(tmp_path, overlay, [_workloads(one) for one in ("v1", "v2")])
    assert verify_trees(*trees, ["overlay"], kustomize=kustomize).overlays[0].builds == 2


# -- patches made at random --------------------------------------------------------------------------

#: So many overlays are made; each is another one, the same in each run.
_SEEDS = int(os.environ.get("APART_SEEDS", "60"))
_KEYS = (
    *("namespace", "team", "tier", "image", "labels", "app", "owner", "x", "name", "replicas"),
    *("matchLabels", "annotations", "service", "metadata", "template", "containers"),
)
_LEAVES = (
    "infra",
    "shop",
    "theirs",
    "x",
    "quay.io/shop/web:v1",
    "mirror.example/web:v7",
    3,
    True,
    "back",
    "db",
)


class Chance:
    """Makes patches that change, replace and remove parts of what is there, with values that settings write too."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.objects = list(yaml.safe_load_all(_workloads("v1")))

    def overlay(self) -> str:
        """Some patches, and settings after them."""
        entries = [
            self.merge() if self.often(0.65) else self.operations()
            for _ in range(self.random.choice((1, 1, 1, 2)))
        ]
        settings = [text for name, text in _SETTINGS.items() if name != "a patch"]
        chosen = self.random.sample(settings, self.random.randrange(1, 4))
        return yaml.safe_dump({"patches": entries}) + "".join(chosen)

    def often(self, share: float) -> bool:
        return self.random.random() < share

    def value(self, depth: int = 0) -> Any:
        """Anything."""
        if depth > 2 or self.often(0.45):
            return self.random.choice(_LEAVES)
        count = self.random.randrange(3)
        if self.often(0.6):
            return {self.random.choice(_KEYS): self.value(depth + 1) for _ in range(count)}
        return [self.value(depth + 1) for _ in range(count)]

    def changed(self, value: Any) -> Any:
        """Something like it."""
        if isinstance(value, dict) and value:
            key = self.random.choice(list(value))
            if self.often(0.4):
                del value[key]
            elif self.often(0.5):
                value[key] = self.changed(value[key])
            else:
                value[self.random.choice(_KEYS)] = self.value()
            return value
        if isinstance(value, list) and value:
            place = self.random.randrange(len(value))
            if self.often(0.3):
                value.pop(place)
            elif self.often(0.4):
                value[place] = self.changed(value[place])
            elif self.often(0.5):
                self.random.shuffle(value)
            else:
                value.append(self.value())
            return value
        return self.value(2)

    def operations(self) -> dict[str, Any]:
        """A patch with JSON 6902 operations on parts of one kind of object."""
        obj = self.random.choice(self.objects)
        found = []
        for _ in range(self.random.randrange(1, 4)):
            path = self.random.choice([each for each in places(obj) if each])
            value = at(obj, path)
            kind = self.random.choice(("add", "add", "replace", "remove"))
            if kind == "add" and isinstance(value, (dict, list)) and self.often(0.6):
                path += (self.random.choice(_KEYS if isinstance(value, dict) else ("-", 0)),)
            operation = {"op": kind, "path": "".join(f"/{str(step).replace('/', '~1')}" for step in path)}
            if kind != "remove":
                operation["value"] = self.value() if self.often(0.5) else self.changed(value)
            found.append(operation)
        return {"target": {"kind": obj["kind"]}, "patch": yaml.safe_dump(found)}

    def merge(self) -> dict[str, Any]:
        """A strategic merge of parts of one object."""
        obj = self.random.choice([each for each in self.objects if any(map(mergeable, places(each)))])
        body: dict[str, Any] = {}
        for _ in range(self.random.randrange(1, 3)):
            *above, last = self.random.choice([each for each in places(obj) if mergeable(each)])
            here = body
            for step in above:
                here = here.setdefault(step, {}) if isinstance(here.get(step, {}), dict) else {}
            here[last] = self.part(at(obj, (*above, last)))
        metadata = {key: obj["metadata"][key] for key in ("name", "namespace") if key in obj["metadata"]}
        head = {"apiVersion": obj["apiVersion"], "kind": obj["kind"]}
        given = body.get("metadata")
        body = {**body, **head, "metadata": {**(given if isinstance(given, dict) else {}), **metadata}}
        return {"patch": yaml.safe_dump(body)}

    def part(self, value: Any) -> Any:
        """What a merge has in place of a value, with a directive at times."""
        found = None if self.often(0.2) else self.changed(value) if self.often(0.6) else self.value()
        if isinstance(found, dict) and self.often(0.15):
            found["$patch"] = self.random.choice(("replace", "delete"))
        if isinstance(found, list) and self.often(0.2):
            found = [*found, {"$patch": "replace"}]
        return found


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every path in an object."""
    yield path
    for step, child in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from places(child, (*path, step))


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    """A copy of what is at a path."""
    for step in path:
        value = value[step]
    return copy.deepcopy(value)


def mergeable(path: tuple[str | int, ...]) -> bool:
    """Whether a merge can speak of a path without naming another object."""
    named = path[:1] in ((), ("apiVersion",), ("kind",)) or path in (("metadata",), ("metadata", "name"))
    return not named and all(isinstance(step, str) for step in path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(_SEEDS))
def test_patches_made_at_random_are_told_from_settings(
    tmp_path: Path, seed: int, kustomize: Kustomize, kept: Store, everything: Everything
) -> None:
    trees = write_trees(tmp_path, Chance(seed).overlay(), [_workloads(one) for one in ("v1", "v2")])
    whole = everything(*trees, ["overlay"], kustomize=kustomize, cache=kept)
    small = verify_trees(*trees, ["overlay"], kustomize=kustomize, cache=kept)
    assert said(small) == said(whole)
