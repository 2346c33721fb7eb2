"""The judge on two directory trees: what it builds, what it leaves alone, whose edit is whose."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from upstreamsync.kit.run.engines import Engines, Kustomize
from upstreamsync.model import Judgement, Severity, Verdict
from upstreamsync.verify import add_guards, find_overlays, verify_trees
from verify.small import Shelf

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: quay.io/shop/web:v1.0.0
        args: [--a=1, --b=2]
"""
MEMORY = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - name: web   # the one that serves
        resources: {limits: {memory: 1Gi}}
"""
PLAIN = "resources: [../base]\npatches:\n- path: memory.yaml\n"


@pytest.fixture(scope="session")
def kustomize() -> Kustomize:
    return Engines().kustomize()


@dataclass
class Trees:
    root: Path

    @property
    def before(self) -> Path:
        return self.root / "before"

    @property
    def after(self) -> Path:
        return self.root / "after"

    def both(self, path: str, text: str) -> None:
        for side in (self.before, self.after):
            (side / path).parent.mkdir(parents=True, exist_ok=True)
            (side / path).write_text(text, "utf-8")

    def now(self, path: str, text: str) -> None:
        (self.after / path).parent.mkdir(parents=True, exist_ok=True)
        (self.after / path).write_text(text, "utf-8")


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    made = Trees(tmp_path)
    made.both("base/kustomization.yaml", "resources: [web.yaml]\n")
    made.both("base/web.yaml", DEPLOYMENT)
    made.both("overlay/kustomization.yaml", PLAIN)
    made.both("overlay/memory.yaml", MEMORY)
    return made


def only(items: tuple[Judgement, ...]) -> Judgement:
    assert len(items) == 1, items
    return items[0]


def test_an_overlay_whose_inputs_are_the_same_is_not_built(trees: Trees, kustomize: Kustomize) -> None:
    trees.now("elsewhere/notes.yaml", "a: 1\n")
    verification = verify_trees(
        trees.before, trees.after, ["overlay"], upstream=["base"], kustomize=kustomize
    )
    overlay = verification.overlays[0]
    assert overlay.builds == 0
    assert only(overlay.items).verdict is Verdict.OK


def test_only_overlays_that_stand_on_what_differs_are_judged(trees: Trees, kustomize: Kustomize) -> None:
    trees.both("other/kustomization.yaml", "resources: [x.yaml]\n")
    trees.both("other/x.yaml", DEPLOYMENT)
    trees.now("base/web.yaml", DEPLOYMENT.replace("v1.0.0", "v1.1.0"))
    verification = verify_trees(trees.before, trees.after, kustomize=kustomize)
    assert [overlay.path for overlay in verification.overlays] == ["overlay"]


def test_neither_tree_is_written_to(trees: Trees, kustomize: Kustomize) -> None:
    trees.now("base/web.yaml", DEPLOYMENT.replace("name: web\n        image", "name: api\n        image"))
    before = {path: path.read_bytes() for path in trees.root.rglob("*") if path.is_file()}
    verify_trees(trees.before, trees.after, kustomize=kustomize)
    assert {path: path.read_bytes() for path in trees.root.rglob("*") if path.is_file()} == before


def test_a_second_run_takes_its_builds_from_the_cache(trees: Trees, kustomize: Kustomize) -> None:
    trees.now("base/web.yaml", DEPLOYMENT.replace("v1.0.0", "v1.1.0"))
    shelf = Shelf()
    first = verify_trees(trees.before, trees.after, kustomize=kustomize, cache=shelf)
    second = verify_trees(trees.before, trees.after, kustomize=kustomize, cache=shelf)
    assert (first.overlays[0].builds, second.overlays[0].builds) == (2, 0)
    assert first.items == second.items


def test_a_patch_that_a_person_edited_with_the_base_is_not_measured_by_its_old_effect(
    trees: Trees, kustomize: Kustomize
) -> None:
    trees.now("base/web.yaml", DEPLOYMENT.replace("- name: web", "- name: api"))
    trees.now("overlay/memory.yaml", MEMORY.replace("- name: web", "- name: api"))
    assert only(verify_trees(trees.before, trees.after, ["overlay"], kustomize=kustomize).items).verdict is (
        Verdict.OK
    )


def test_entries_that_changed_places_are_still_the_same_items(trees: Trees, kustomize: Kustomize) -> None:
    target = "- target: {kind: Deployment, name: web}\n"
    other = target + "  patch: |-\n    - {op: replace, path: /spec/replicas, value: 3}\n"
    trees.both("overlay/kustomization.yaml", PLAIN + other)
    trees.now("overlay/kustomization.yaml", PLAIN.replace("- path", other + "- path"))
    trees.now("base/web.yaml", DEPLOYMENT.replace("- name: web", "- name: api"))
    items = verify_trees(trees.before, trees.after, ["overlay"], kustomize=kustomize).items
    assert [(item.item, item.verdict) for item in items] == [
        ("overlay: patches[0]", Verdict.OK),
        ("overlay: patches[1]", Verdict.MISAPPLIED),
    ]


def test_vendored_files_may_stand_beside_the_patches(trees: Trees, kustomize: Kustomize) -> None:
    for side in (trees.before, trees.after):
        shutil.rmtree(side / "base")
        shutil.rmtree(side / "overlay")
    trees.both("app/kustomization.yaml", "resources: [upstream/web.yaml]\npatches:\n- path: memory.yaml\n")
    trees.both("app/memory.yaml", MEMORY)
    trees.both("app/upstream/web.yaml", DEPLOYMENT)
    trees.now("app/upstream/web.yaml", DEPLOYMENT.replace("- name: web", "- name: api"))
    verification = verify_trees(trees.before, trees.after, kustomize=kustomize)
    assert [(item.item, item.verdict) for item in verification.items] == [
        ("app: patches[0]", Verdict.MISAPPLIED)
    ]


def test_a_shared_component_is_judged_once_and_names_its_overlays(trees: Trees, kustomize: Kustomize) -> None:
    component = (
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n- path: memory.yaml\n"
    )
    trees.both("component/kustomization.yaml", component)
    trees.both("component/memory.yaml", MEMORY)
    for name in ("one", "two"):
        trees.both(f"{name}/kustomization.yaml", "resources: [../base]\ncomponents: [../component]\n")
    trees.now("base/web.yaml", DEPLOYMENT.replace("- name: web", "- name: api"))
    verification = verify_trees(trees.before, trees.after, ["one", "two"], kustomize=kustomize)
    item = only(verification.items)
    assert item.item == "component: patches[0]"
    assert item.overlays == ("one", "two")


def test_what_fails_before_and_after_does_not_count_against_the_update(
    trees: Trees, kustomize: Kustomize
) -> None:
    trees.both("overlay/memory.yaml", MEMORY.replace("name: web\nspec", "name: nobody\nspec"))
    trees.now("base/web.yaml", DEPLOYMENT.replace("v1.0.0", "v1.1.0"))
    verification = verify_trees(trees.before, trees.after, kustomize=kustomize)
    item = only(verification.items)
    assert (item.verdict, item.failed_before) == (Verdict.FAILS, True)
    assert not verification.needs_person
    assert not verification.overlays[0].before.ok


def test_changes_of_the_output_are_told_by_merge_key(trees: Trees, kustomize: Kustomize) -> None:
    trees.now("base/web.yaml", DEPLOYMENT.replace("v1.0.0", "v1.1.0"))
    overlay = verify_trees(trees.before, trees.after, kustomize=kustomize).overlays[0]
    (change,) = overlay.changed
    assert change.resource == "apps/v1 Deployment web"
    assert [(each.path, each.before, each.after) for each in change.fields] == [
        (
            "spec.template.spec.containers[name=web].image",
            "quay.io/shop/web:v1.0.0",
            "quay.io/shop/web:v1.1.0",
        )
    ]


def test_find_overlays_follows_every_kind_of_inclusion(trees: Trees) -> None:
    trees.both("middle/kustomization.yaml", "bases: [../base]\n")
    trees.both("top/kustomization.yaml", "resources: [../middle]\n")
    trees.both("component/kustomization.yaml", "kind: Component\nresources: [../base]\n")
    trees.both("user/kustomization.yaml", "components: [../component]\n")
    assert find_overlays(trees.after, ["base"]) == ("overlay", "top", "user")


def test_a_fix_is_the_file_with_one_name_changed_and_makes_the_patch_work(
    trees: Trees, kustomize: Kustomize
) -> None:
    trees.now("base/web.yaml", DEPLOYMENT.replace("- name: web", "- name: api"))
    fix = only(verify_trees(trees.before, trees.after, kustomize=kustomize).items).fix
    assert fix is not None
    assert fix.file == "overlay/memory.yaml"
    assert fix.after == MEMORY.replace("- name: web ", "- name: api ")
    trees.now(fix.file, fix.after)
    assert only(verify_trees(trees.before, trees.after, kustomize=kustomize).items).severity is Severity.NONE


def test_a_guard_keeps_a_patch_by_index_from_hitting_something_else(
    trees: Trees, kustomize: Kustomize
) -> None:
    patch = (
        "# more memory\n- op: add\n  path: /spec/template/spec/containers/0/resources\n"
        "  value: {limits: {memory: 1Gi}}\n"
    )
    trees.both("overlay/memory.yaml", patch)
    trees.both("overlay/kustomization.yaml", PLAIN + "  target: {kind: Deployment, name: web}\n")
    ((name, text),) = add_guards(trees.after, ["overlay"], upstream=["base"], kustomize=kustomize).items()
    assert name == "overlay/memory.yaml"
    assert text == patch.replace(
        "- op: add",
        "- op: test\n  path: /spec/template/spec/containers/0/name\n  value: web\n- op: add",
    )
    trees.both(name, text)
    assert add_guards(trees.after, ["overlay"], upstream=["base"], kustomize=kustomize) == {}
    sidecar = "containers:\n      - {name: proxy, image: quay.io/shop/proxy:v1}\n"
    trees.now("base/web.yaml", DEPLOYMENT.replace("containers:\n", sidecar))
    item = only(verify_trees(trees.before, trees.after, kustomize=kustomize).items)
    assert (item.verdict, item.reason) == (Verdict.FAILS, "test_failed")
    assert item.fix is not None
    assert item.fix.after == text.replace("containers/0", "containers/1")


def test_paths_that_no_file_system_could_hold_are_not_looked_for(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base/kustomization.yaml").write_text("resources: []\n")
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay/kustomization.yaml").write_text(
        f"resources: [../base, ../loop]\npatches: [{{path: p{'9' * 5000}.yaml}}]\n"
    )
    (tmp_path / "loop").symlink_to("loop")
    assert find_overlays(tmp_path, ["base"]) == ("overlay",)


def test_what_makes_kustomize_panic_is_a_verdict_and_stops_no_other_overlay(
    trees: Trees, kustomize: Kustomize
) -> None:
    trees.both(
        "overlay/kustomization.yaml",
        "resources: [../base]\nreplicas: [{name: web, count: 3}]\npatches:\n"
        "- target: {kind: ClusterRoleBinding}\n  patch: |-\n    - {op: remove, path: /kind}\n",
    )
    trees.both("calm/kustomization.yaml", "resources: [../base]\nnamespace: shop\n")
    binding = (
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: web}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\n"
    )
    trees.now("base/web.yaml", DEPLOYMENT + binding)
    verification = verify_trees(trees.before, trees.after, ["overlay", "calm"], kustomize=kustomize)
    wild, calm = verification.overlays
    assert (wild.before.ok, wild.after.ok) == (True, False)
    assert [(item.field, item.verdict) for item in wild.items if item.severity is Severity.BROKEN] == [
        ("patches", Verdict.FAILS)
    ]
    assert only(calm.items).verdict is Verdict.OK


def test_an_overlay_that_can_not_be_judged_is_named(
    trees: Trees, kustomize: Kustomize, tmp_path: Path
) -> None:
    fake = tmp_path / "kubectl"
    fake.write_text(f'#!/bin/sh\ncase "$2" in */calm) kill -9 $$;; esac\nexec {kustomize.binary} "$@"\n')
    fake.chmod(0o755)
    trees.both("calm/kustomization.yaml", "resources: [../base]\nnamespace: shop\n")
    trees.now("base/web.yaml", DEPLOYMENT.replace("v1.0.0", "v1.1.0"))
    crashing = Engines(environment={"KUSTOMIZE": str(fake)}).kustomize()
    found = verify_trees(trees.before, trees.after, kustomize=crashing)
    assert [overlay.path for overlay in found.overlays] == ["calm", "overlay"]
    calm, other = found.overlays
    assert {(item.item, item.verdict, item.reason) for item in calm.items} == {
        ("calm: namespace", Verdict.UNJUDGED, "crashed"),
        ("calm: (result)", Verdict.UNJUDGED, "crashed"),
    }
    assert all("crashed" in item.why for item in calm.items)
    assert found.crashes == (), "the crash of a tool is no bug of ours"
    assert not other.unjudged
