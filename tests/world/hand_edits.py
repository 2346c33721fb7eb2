"""Hand edits of real manifests, generated: what people change in a copy, each from a fixed seed.

An edit changes a list of objects in place and says how much it changed, in values that a person would have
written or struck out.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

Manifest = dict[str, Any]
#: Objects, chance → how many values were written or struck out; 0 where the edit finds nothing to do.
Edit = Callable[[list[Manifest], random.Random], int]

WORKLOADS = ("Deployment", "DaemonSet", "StatefulSet")


def size(value: Any) -> int:
    """How many values a tree has."""
    if isinstance(value, dict):
        return sum(map(size, value.values())) or 1
    if isinstance(value, list):
        return sum(map(size, value)) or 1
    return 1


def of_kind(objects: list[Manifest], *kinds: str) -> list[Manifest]:
    return [one for one in objects if one.get("kind") in kinds]


def containers(objects: list[Manifest]) -> Iterator[Manifest]:
    for one in of_kind(objects, *WORKLOADS):
        yield from one["spec"]["template"]["spec"]["containers"]


def image(objects: list[Manifest], chance: random.Random) -> int:
    found = [one for one in containers(objects) if one.get("image")]
    if not found:
        return 0
    name = chance.choice(found)["image"].partition("@")[0].rpartition(":")[0]
    new = chance.choice((f"registry.example.com/{name.rpartition('/')[2]}:v9.9.9", f"{name}:v9.9.9-custom"))
    for one in found:
        if one["image"].partition("@")[0].rpartition(":")[0] == name:
            one["image"] = new
    return 1


def one_image(objects: list[Manifest], chance: random.Random) -> int:
    found = [one for one in containers(objects) if one.get("image")]
    if not found:
        return 0
    chance.choice(found)["image"] = "registry.example.com/own:1"
    return 1


def replicas(objects: list[Manifest], chance: random.Random) -> int:
    found = of_kind(objects, "Deployment", "StatefulSet")
    if not found:
        return 0
    chance.choice(found)["spec"]["replicas"] = chance.randint(4, 9)
    return 1


def resources(objects: list[Manifest], chance: random.Random) -> int:
    found = list(containers(objects))
    if not found:
        return 0
    one = chance.choice(found)
    before = size(one.get("resources") or {})
    one["resources"] = {"limits": {"memory": "2Gi"}, "requests": {"cpu": "300m", "memory": "1Gi"}}
    return max(3, before)


def argument_added(objects: list[Manifest], chance: random.Random) -> int:
    found = [one for one in containers(objects) if one.get("args")]
    if not found:
        return 0
    arguments = chance.choice(found)["args"]
    arguments.insert(chance.randint(0, len(arguments)), "--own-flag=yes")
    return 1


def argument_changed(objects: list[Manifest], chance: random.Random) -> int:
    found = [one for one in containers(objects) if one.get("args")]
    if not found:
        return 0
    arguments = chance.choice(found)["args"]
    index = chance.randrange(len(arguments))
    arguments[index] = f"{str(arguments[index]).partition('=')[0]}=changed"
    return 1


def argument_removed(objects: list[Manifest], chance: random.Random) -> int:
    found = [one for one in containers(objects) if len(one.get("args") or ()) > 1]
    if not found:
        return 0
    arguments = chance.choice(found)["args"]
    arguments.pop(chance.randrange(len(arguments)))
    return 1


def variable(objects: list[Manifest], chance: random.Random) -> int:
    found = list(containers(objects))
    if not found:
        return 0
    chance.choice(found).setdefault("env", []).append({"name": "OWN_SETTING", "value": "on"})
    return 2


def variable_removed(objects: list[Manifest], chance: random.Random) -> int:
    found = [one for one in containers(objects) if len(one.get("env") or ()) > 1]
    if not found:
        return 0
    variables = chance.choice(found)["env"]
    return size(variables.pop(chance.randrange(len(variables))))


def sidecar(objects: list[Manifest], chance: random.Random) -> int:
    found = of_kind(objects, *WORKLOADS)
    if not found:
        return 0
    pod = chance.choice(found)["spec"]["template"]["spec"]
    added = {"name": "own-sidecar", "image": "registry.example.com/sidecar:1", "args": ["--watch"]}
    pod["containers"].append(added)
    return size(added)


def volume(objects: list[Manifest], chance: random.Random) -> int:
    found = of_kind(objects, *WORKLOADS)
    if not found:
        return 0
    pod = chance.choice(found)["spec"]["template"]["spec"]
    pod.setdefault("volumes", []).append({"name": "own", "configMap": {"name": "own"}})
    pod["containers"][0].setdefault("volumeMounts", []).append({"name": "own", "mountPath": "/own"})
    return 4


def scheduling(objects: list[Manifest], chance: random.Random) -> int:
    found = of_kind(objects, *WORKLOADS)
    if not found:
        return 0
    pod = chance.choice(found)["spec"]["template"]["spec"]
    before = size(pod.get("nodeSelector") or {}) + size(pod.get("tolerations") or [])
    pod["nodeSelector"] = {"example.com/pool": "system"}
    pod["tolerations"] = [{"key": "example.com/own", "operator": "Exists", "effect": "NoSchedule"}]
    return 4 + before


def verb(objects: list[Manifest], chance: random.Random) -> int:
    rules = [rule for one in of_kind(objects, "ClusterRole", "Role") for rule in one.get("rules") or ()]
    rules = [rule for rule in rules if rule.get("verbs")]
    if not rules:
        return 0
    verbs = chance.choice(rules)["verbs"]
    if len(verbs) > 2 and chance.random() < 0.5:
        verbs.pop(chance.randrange(len(verbs)))
    else:
        verbs.append("deletecollection")
    return 1


def rule_added(objects: list[Manifest], chance: random.Random) -> int:
    found = [one for one in of_kind(objects, "ClusterRole", "Role") if one.get("rules")]
    if not found:
        return 0
    rules = chance.choice(found)["rules"]
    rules.insert(
        chance.choice((0, len(rules))),
        {"apiGroups": ["own.example.com"], "resources": ["things"], "verbs": ["get", "list"]},
    )
    return 4


def rule_removed(objects: list[Manifest], chance: random.Random) -> int:
    found = [one for one in of_kind(objects, "ClusterRole", "Role") if len(one.get("rules") or ()) > 2]
    if not found:
        return 0
    rules = chance.choice(found)["rules"]
    return size(rules.pop(chance.randrange(len(rules))))


def annotation(objects: list[Manifest], chance: random.Random) -> int:
    one = chance.choice(objects)
    one["metadata"].setdefault("annotations", {})["example.com/own"] = "true"
    return 1


def label_removed(objects: list[Manifest], chance: random.Random) -> int:
    found = [one for one in objects if len(one["metadata"].get("labels") or ()) > 1]
    if not found:
        return 0
    labels = chance.choice(found)["metadata"]["labels"]
    labels.pop(chance.choice(sorted(labels)))
    return 1


def service_type(objects: list[Manifest], chance: random.Random) -> int:
    found = of_kind(objects, "Service")
    if not found:
        return 0
    spec = chance.choice(found)["spec"]
    spec["type"] = "NodePort" if spec.get("type") != "NodePort" else "ClusterIP"
    return 1


def port(objects: list[Manifest], chance: random.Random) -> int:
    found = [one for one in of_kind(objects, "Service") if one["spec"].get("ports")]
    if not found:
        return 0
    added = {"name": "own", "port": 7777, "protocol": "UDP", "targetPort": 7777}
    chance.choice(found)["spec"]["ports"].append(added)
    return 4


def data(objects: list[Manifest], chance: random.Random) -> int:
    found = of_kind(objects, "ConfigMap")
    if not found:
        return 0
    one = chance.choice(found)
    one["data"] = {**(one.get("data") or {}), "own.key": "yes"}
    return 1


def field_removed(objects: list[Manifest], chance: random.Random) -> int:
    found = [one for one in containers(objects) if one.get("livenessProbe")]
    if not found:
        return 0
    return size(chance.choice(found).pop("livenessProbe"))


def object_removed(objects: list[Manifest], chance: random.Random) -> int:
    found = of_kind(objects, "Service", "ConfigMap", "Namespace", "RoleBinding", "NetworkPolicy", "ValidatingWebhookConfiguration")  # fmt: skip
    if not found:
        return 0
    objects.remove(chance.choice(found))
    return 4


def object_added(objects: list[Manifest], chance: random.Random) -> int:
    namespace = next(
        (one["metadata"]["namespace"] for one in objects if one["metadata"].get("namespace")), None
    )
    added = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "own", **({"namespace": namespace} if namespace else {})},
        "data": {"key": "value"},
    }
    objects.insert(chance.randint(0, len(objects)), added)
    return size(added)


def renamed(objects: list[Manifest], chance: random.Random) -> int:
    found = of_kind(objects, "Service", "ConfigMap")
    found = [one for one in found if size(one) > 10]
    if not found:
        return 0
    one = chance.choice(found)
    one["metadata"]["name"] = f"own-{one['metadata']['name']}"
    return 1


def namespace(objects: list[Manifest], chance: random.Random) -> int:
    """One object is moved to another namespace."""
    found = [
        one for one in of_kind(objects, "Service", "ConfigMap", "Role") if one["metadata"].get("namespace")
    ]
    if not found:
        return 0
    chance.choice(found)["metadata"]["namespace"] = "own-namespace"
    return 1


def reordered(objects: list[Manifest], chance: random.Random) -> int:
    chance.shuffle(objects)
    return 1


EDITS: dict[str, Edit] = {
    edit.__name__: edit
    for edit in (
        image, one_image, replicas, resources, argument_added, argument_changed, argument_removed, variable,
        variable_removed, sidecar, volume, scheduling, verb, rule_added, rule_removed, annotation,
        label_removed, service_type, port, data, field_removed, object_removed, object_added, renamed,
        namespace, reordered,
    )
}  # fmt: skip


def edited(objects: list[Manifest], seed: int, count: int) -> tuple[list[Manifest], list[str], int]:
    """A copy of the objects with ``count`` edits of different kinds: the copy, their names, and their size."""
    chance = random.Random(seed)
    copied = copy.deepcopy(objects)
    names = list(EDITS)
    chance.shuffle(names)
    done: list[str] = []
    changed = 0
    for name in names:
        if len(done) == count:
            break
        if size_of := EDITS[name](copied, chance):
            done.append(name)
            changed += size_of
    return copied, done, changed
