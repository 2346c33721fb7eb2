"""What must hold for every base and every change, and not just in the cases that somebody thought of."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from upstreamsync.kit.run.engines import Engines, Kustomize
from upstreamsync.model import Severity, Verdict
from upstreamsync.verify import verify_trees
from upstreamsync.verify.classify.effects import ObjectWalk
from upstreamsync.verify.overlays.items import Item, Kind

Tree = dict[str, Any]

OVERLAY = """\
resources: [../base]
namespace: shop
commonAnnotations: {team: infra}
patches:
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec: {template: {spec: {containers: [{name: web, resources: {limits: {memory: 1Gi}}}]}}}
- target: {kind: Deployment, name: web}
  patch: |-
    - {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: EXTRA, value: "1"}}
configMapGenerator:
- {name: settings, behavior: merge, literals: [level=debug]}
images:
- {name: quay.io/shop/web, newName: mirror.example/web}
replicas:
- {name: web, count: 3}
"""


def deployment(name: str) -> Tree:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name, "helm.sh/chart": "shop-1.0.0"}},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "containers": [
                        {
                            "name": name,
                            "image": f"quay.io/shop/{name}:v1.0.0",
                            "args": ["--a=1", "--b=2"],
                            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                            "resources": {"limits": {"memory": "128Mi", "cpu": "500m"}},
                        }
                    ],
                    "volumes": [{"name": "x", "emptyDir": {}}, {"name": "y", "emptyDir": {}}],
                },
            },
        },
    }


def base() -> list[Tree]:
    return [
        deployment("web"),
        deployment("worker"),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"level": "info"}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
         "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80}, {"name": "m", "port": 81}]}},
    ]  # fmt: skip


def container(objects: list[Tree], index: int) -> Tree:
    return objects[index]["spec"]["template"]["spec"]["containers"][0]


def new_object(objects: list[Tree]) -> None:
    objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}, "data": {"a": "1"}})


def other_workload(objects: list[Tree]) -> None:
    container(objects, 1)["image"] = "quay.io/shop/worker:v2.0.0"
    container(objects, 1)["args"] = ["--c=3"]


def chart_label(objects: list[Tree]) -> None:
    for obj in objects[:2]:
        obj["metadata"]["labels"]["helm.sh/chart"] = "shop-1.0.1"


def image_tag(objects: list[Tree]) -> None:
    container(objects, 0)["image"] = "quay.io/shop/web:v1.0.1"


def quantity(objects: list[Tree]) -> None:
    container(objects, 0)["resources"]["limits"] = {"memory": 134217728, "cpu": 0.5}


def argument(objects: list[Tree]) -> None:
    container(objects, 0)["args"].append("--new=1")


def sidecar(objects: list[Tree]) -> None:
    objects[0]["spec"]["template"]["spec"]["containers"].append(
        {"name": "side", "image": "quay.io/shop/side:v1"}
    )


def other_key(objects: list[Tree]) -> None:
    objects[2]["data"]["theme"] = "dark"


def service_port(objects: list[Tree]) -> None:
    objects[3]["spec"]["ports"][1]["targetPort"] = 8081


HARMLESS = (
    new_object, other_workload, chart_label, image_tag, quantity, argument, sidecar, other_key, service_port,
)  # fmt: skip


def container_renamed(objects: list[Tree]) -> None:
    container(objects, 0)["name"] = "api"


def repository_moved(objects: list[Tree]) -> None:
    container(objects, 0)["image"] = "ghcr.io/shop/web:v1.1.0"


def deployment_renamed(objects: list[Tree]) -> None:
    objects[0]["metadata"]["name"] = "front"


def env_taken(objects: list[Tree]) -> None:
    container(objects, 0)["env"].append({"name": "EXTRA", "value": "2"})


def key_renamed(objects: list[Tree]) -> None:
    objects[2]["data"] = {"log.level": "info"}


HARMFUL = (container_renamed, repository_moved, deployment_renamed, env_taken, key_renamed)


def shuffled(value: Any, chance: random.Random, *, keyed: bool = False) -> Any:
    """The same objects, with maps and keyed lists in another order; scalars lists keep theirs."""
    if isinstance(value, dict):
        items = [(key, shuffled(child, chance, keyed=key != "containers")) for key, child in value.items()]
        chance.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        found = [shuffled(child, chance) for child in value]
        if keyed and all(isinstance(child, dict) for child in found):
            chance.shuffle(found)
        return found
    return value


def write(folder: Path, objects: list[Tree], chance: random.Random | None = None) -> None:
    """One side: one file, or with ``chance`` several, in any order, with comments and quotes of its own."""
    (folder / "base").mkdir(parents=True)
    (folder / "overlay").mkdir()
    (folder / "overlay" / "kustomization.yaml").write_text(OVERLAY, "utf-8")
    files = {"all.yaml": objects}
    if chance is not None:
        objects = [shuffled(obj, chance) for obj in objects]
        chance.shuffle(objects)
        cut = chance.randint(1, len(objects) - 1)
        files = {"b.yaml": objects[:cut], "a.yaml": objects[cut:]}
    for name, content in files.items():
        style = '"' if chance is not None and chance.random() < 0.5 else None
        text = yaml.safe_dump_all(content, default_style=style) if style else yaml.safe_dump_all(content)
        (folder / "base" / name).write_text(f"# {name}\n{text}", "utf-8")
    (folder / "base" / "kustomization.yaml").write_text(yaml.safe_dump({"resources": [*files]}), "utf-8")


class Shelf(dict[str, bytes]):
    def put(self, key: str, data: bytes) -> None:
        self[key] = data


SHELF = Shelf()


@pytest.fixture(scope="module")
def kustomize() -> Kustomize:
    return Engines().kustomize()


def verdicts(kustomize: Kustomize, old: list[Tree], new: list[Tree], seed: int | None) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "before", Path(folder) / "after"
        write(before, old)
        write(after, new, None if seed is None else random.Random(seed))
        found = verify_trees(before, after, ["overlay"], kustomize=kustomize, upstream=["base"], cache=SHELF)
    return {item.item: (item.verdict, item.reason, item.severity) for item in found.items}


BOUNDED = settings(
    max_examples=6, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


@pytest.mark.slow
@BOUNDED
@given(changes=st.sets(st.sampled_from(HARMLESS), min_size=1), seed=st.none() | st.integers(0, 99))
def test_what_no_customization_reads_or_writes_changes_no_verdict(kustomize, changes, seed) -> None:
    new = base()
    for change in HARMLESS:
        if change in changes:
            change(new)
    found = verdicts(kustomize, base(), new, seed)
    assert {name: each for name, each in found.items() if each[2].rank < Severity.INFO.rank} == {}
    assert {each[0] for each in found.values()} == {Verdict.OK}


@pytest.mark.slow
@BOUNDED
@given(change=st.sampled_from(HARMFUL), seed=st.integers(0, 99))
def test_verdicts_do_not_depend_on_order_files_or_quoting(kustomize, change, seed) -> None:
    new = base()
    change(new)
    plain = verdicts(kustomize, base(), new, None)
    assert any(each[0] is not Verdict.OK for each in plain.values())
    assert verdicts(kustomize, base(), new, seed) == plain


# -- the comparison alone, where many examples cost nothing ------------------------------------------

NAMES = st.sampled_from(["a", "b", "c", "d"])
SCALARS = st.sampled_from(["x", "y", "500m", 0.5, 1, True, None])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.dictionaries(NAMES, inner, max_size=3)
        | st.lists(st.sampled_from(["--p=1", "--q", "z"]), max_size=3)
        | st.dictionaries(NAMES, inner, max_size=3).map(
            lambda named: [{"name": name, "value": value} for name, value in named.items()]
        )
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=3)
PATCH = Item(name="o: patches[0]", kind=Kind.MERGE, folder="o", field="patches", key="0", file="o/k", line=1)


@settings(max_examples=200, deadline=None)
@given(before=OBJECTS, after=OBJECTS)
def test_the_same_effect_on_the_same_object_is_fine(before: Tree, after: Tree) -> None:
    assert {note.verdict for note in ObjectWalk(PATCH).run(before, after, before, after)} <= {Verdict.OK}


@settings(max_examples=200, deadline=None)
@given(states=st.tuples(OBJECTS, OBJECTS, OBJECTS, OBJECTS), seed=st.integers(0, 99))
def test_the_order_of_keyed_lists_says_nothing(states: tuple[Tree, Tree, Tree, Tree], seed: int) -> None:
    chance = random.Random(seed)
    other = tuple(shuffled(state, chance, keyed=True) for state in states)
    plain = sorted((note.path, note.verdict, note.reason or "") for note in ObjectWalk(PATCH).run(*states))
    assert (
        sorted((note.path, note.verdict, note.reason or "") for note in ObjectWalk(PATCH).run(*other))
        == plain
    )


@settings(max_examples=200, deadline=None)
@given(old=OBJECTS, new=OBJECTS)
def test_an_item_without_effect_gets_no_note(old: Tree, new: Tree) -> None:
    assert ObjectWalk(PATCH).run(old, old, new, new) == []
