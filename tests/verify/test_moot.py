"""What has no effect any more: redundant as a whole, in part, or never matching anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from upstreamsync.model import Verdict, Verification
from upstreamsync.verify import Store
from verify.small import alarms, deployment, item, judged

_SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {{name: s, namespace: ns1{labels}}}\nspec: {{ports: [{{port: {port}}}]}}\n"
_ENV = 'env: [{name: A, value: "1"}, {name: B, value: "1"}]'
_ONE_ENV = 'env: [{name: A, value: "1"}]'
_TARGET = "resources: [../base]\npatches: [{{path: p.yaml, target: {{kind: Deployment, name: {name}}}}}]\n"
_PLAIN = "resources: [../base]\npatches: [{path: p.yaml}]\n"
_REPLACE_ENV = '- {op: replace, path: /spec/template/spec/containers/0/env, value: [{name: A, value: "2"}]}\n'
_FIELDS = 'spec: {template: {spec: {containers: [{name: web, env: [{name: A, value: "2"}, {name: B, value: "2"}]}]}}}\n'
_MERGE = f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\n{_FIELDS}"
_DELETE = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: "
    "[{name: web, env: [{name: A, $patch: delete}, {name: B, $patch: delete}]}]}}}\n"
)


def _overlay(kustomization: str, patch: str | None = None) -> dict[str, str]:
    files = {"overlay/kustomization.yaml": kustomization}
    return files if patch is None else {**files, "overlay/p.yaml": patch}


def _env(a: str | None, b: str | None) -> str:
    listed = [
        f'{{name: {key}, value: "{value}"}}' for key, value in (("A", a), ("B", b)) if value is not None
    ]
    return deployment(more=f"env: [{', '.join(listed)}]")


def _service(port: int, labels: str = "") -> str:
    return _SERVICE.format(labels=labels, port=port)


_KEEP = ", labels: {keep: yes-do}"
#: Overlay, upstream before and after, the item, its verdict, and a word that has to stand in the reason.
VARIANTS: Mapping[str, tuple[dict[str, str], str, str, str, Verdict, str]] = {
    "one of two effects is upstream's now": (
        _overlay(_PLAIN, _MERGE), _env("1", "1"), _env("1", "2"), "patches[0]", Verdict.OK, "B",
    ),
    "both are": (_overlay(_PLAIN, _MERGE), _env("1", "1"), _env("2", "2"), "patches[0]", Verdict.REDUNDANT, ""),
    "one of two removals has nothing to remove": (
        _overlay(_PLAIN, _DELETE), _env("1", "1"), _env("1", None), "patches[0]", Verdict.OK, "B",
    ),
    "neither removal has": (
        _overlay(_PLAIN, _DELETE), _env("1", "1"), deployment(), "patches[0]", Verdict.REDUNDANT, "",
    ),
    "a list as a whole, of which one entry went": (
        _overlay(_TARGET.format(name="web"), _REPLACE_ENV), deployment(more=_ENV), deployment(more=_ONE_ENV),
        "patches[0]", Verdict.OK, "B",
    ),
    "says what upstream said and says": (
        _overlay(_PLAIN, _service(1, _KEEP).partition("spec:")[0]), _service(1, _KEEP), _service(2, _KEEP),
        "patches[0]", Verdict.REDUNDANT, "upstream",
    ),
    "the same with a target": (
        _overlay("resources: [../base]\npatches: [{path: p.yaml, target: {kind: Service}}]\n",
                 "- {op: add, path: /metadata/labels/keep, value: yes-do}\n"),
        _service(1, _KEEP), _service(2, _KEEP), "patches[0]", Verdict.REDUNDANT, "upstream",
    ),
    "a target that matches nothing": (
        _overlay(_TARGET.format(name="wep"), _REPLACE_ENV), deployment(more=_ENV), deployment(more=_ONE_ENV),
        "patches[0]", Verdict.UNUSED, "matches nothing",
    ),
    "a namespace that everything is in": (
        _overlay("resources: [../base]\nnamespace: ns1\n"), _service(1), _service(2), "namespace",
        Verdict.REDUNDANT, "upstream",
    ),
    "labels that everything has": (
        _overlay("resources: [../base]\nlabels: [{pairs: {keep: yes-do}}]\n"), _service(1, _KEEP),
        _service(2, _KEEP), "labels[0]", Verdict.REDUNDANT, "upstream",
    ),
    "replicas that upstream has": (
        _overlay("resources: [../base]\nreplicas: [{name: web, count: 3}]\n"),
        deployment().replace("spec:\n", "spec:\n  replicas: 3\n", 1),
        deployment(image="acme/web:2").replace("spec:\n", "spec:\n  replicas: 3\n", 1), "replicas[0]",
        Verdict.REDUNDANT, "upstream",
    ),
    "everything still works": (
        _overlay(_PLAIN, _MERGE), _env("1", "1"), deployment(more=_ENV, image="acme/web:2"), "patches[0]",
        Verdict.OK, "",
    ),
}  # fmt: skip


def _run(folder: Path, kept: Store, overlay: dict[str, str], old: str, new: str) -> Verification:
    before = {"base/kustomization.yaml": "resources: [up.yaml]\n", "base/up.yaml": old, **overlay}
    return judged(folder, before, {"base/up.yaml": new}, cache=kept)


@pytest.mark.parametrize("name", VARIANTS)
def test_nobody_is_told_to_delete_what_still_works(name: str, tmp_path: Path, kept: Store) -> None:
    overlay, old, new, which, verdict, word = VARIANTS[name]
    found = _run(tmp_path, kept, overlay, old, new)
    judgement = item(found, f"overlay: {which}")
    assert judgement.verdict is verdict, judgement
    assert word in judgement.why
    assert alarms(found) == []
    if verdict is Verdict.OK:
        assert all("delete" not in (finding.hint or "") for finding in judgement.told)
    if verdict is not Verdict.UNUSED:
        assert "matches nothing" not in judgement.why


@pytest.mark.parametrize(
    ("name", "is_old"),
    [
        ("says what upstream said and says", True),
        ("a namespace that everything is in", True),
        ("a target that matches nothing", True),
        ("both are", False),
        ("neither removal has", False),
        ("everything still works", False),
    ],
)
def test_what_the_update_has_not_caused_is_marked(
    name: str, is_old: bool, tmp_path: Path, kept: Store
) -> None:
    overlay, old, new, which, _, _ = VARIANTS[name]
    assert item(_run(tmp_path, kept, overlay, old, new), f"overlay: {which}").was_so is is_old


def test_a_new_item_that_says_what_upstream_says_is_redundant(tmp_path: Path, kept: Store) -> None:
    before = {"base/kustomization.yaml": "resources: [up.yaml]\n", "base/up.yaml": deployment(),
              "overlay/kustomization.yaml": "resources: [../base]\n"}  # fmt: skip
    after = {"base/up.yaml": deployment(image="acme/web:2"),
             "overlay/kustomization.yaml": 'resources: [../base]\nimages: [{name: acme/web, newTag: "2"}]\n'}  # fmt: skip
    found = judged(tmp_path, before, after, upstream=["base"], cache=kept)
    assert item(found, "overlay: images[0]").verdict is Verdict.REDUNDANT
