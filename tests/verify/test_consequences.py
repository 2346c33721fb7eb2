"""One cause is one alarm: what follows from another finding says so, and the same of many objects is one row."""

from __future__ import annotations

from pathlib import Path

import pytest

from upstreamsync.model import Severity, Verdict, Verification
from upstreamsync.testing import write_files
from upstreamsync.verify import Store
from verify.small import alarms, deployment, item, judged, verdicts

_IMAGES = 'images: [{name: mirror/web, newTag: "7"}]\n'
_MERGE = "resources: [../base]\npatches: [{path: p.yaml}]\n"
_TARGET = "resources: [../base]\npatches: [{path: p.yaml, target: {kind: Deployment, name: web}}]\n"
_SET = "- {op: replace, path: /spec/template/spec/containers/0/image, value: mirror/web}\n"


def _run(folder: Path, kept: Store, overlay: dict[str, str], old: str, new: str) -> Verification:
    before = {"base/kustomization.yaml": "resources: [up.yaml]\n", "base/up.yaml": old,
              **{f"overlay/{name}": text for name, text in overlay.items()}}  # fmt: skip
    return judged(folder, before, {"base/up.yaml": new}, upstream=["base"], cache=kept)


@pytest.mark.parametrize(
    ("kustomization", "patch", "new"),
    [
        (_TARGET, _SET, deployment("server")),
        (_MERGE, deployment(image="mirror/web"), deployment("server")),
        (_TARGET, _SET, deployment().replace("containers:", "initContainers:")),
        (_MERGE, deployment(image="mirror/web"), deployment(container="main")),
    ],
)
def test_what_follows_from_another_finding_is_no_second_alarm(
    kustomization: str, patch: str, new: str, tmp_path: Path, kept: Store
) -> None:
    found = _run(
        tmp_path, kept, {"kustomization.yaml": kustomization + _IMAGES, "p.yaml": patch}, deployment(), new
    )
    assert item(found, "overlay: patches[0]").severity.rank <= Severity.SILENT_BREAK.rank
    entry = item(found, "overlay: images[0]")
    assert entry.severity.rank > Severity.REVIEW.rank, entry
    if entry.verdict is not Verdict.OK:
        assert "overlay: patches[0]" in entry.why


@pytest.mark.parametrize(
    ("entry", "new"),
    [
        ('images: [{name: acme/web, newTag: "7"}]\n', deployment(image="acme/server:2", container="main")),
        ('images: [{name: acme/web, newTag: "7"}]\n', deployment("server", image="acme/other:2")),
    ],
)
def test_what_has_a_cause_of_its_own_is_an_alarm_of_its_own(
    entry: str, new: str, tmp_path: Path, kept: Store
) -> None:
    patch = deployment(more="tty: true").replace('image: "acme/web:1", ', "")
    found = _run(tmp_path, kept, {"kustomization.yaml": _MERGE + entry, "p.yaml": patch}, deployment(), new)
    assert item(found, "overlay: images[0]").severity is Severity.SILENT_BREAK, alarms(found)


def test_one_cause_in_many_objects_is_one_row(tmp_path: Path, kept: Store) -> None:
    names = [f"d{number}" for number in range(5)]
    old = "---\n".join(deployment(name, labels=f"app: {name}") for name in names)
    new = "---\n".join(deployment(name, labels=f"app: {name}, part: of") for name in names)
    found = _run(tmp_path, kept, {"kustomization.yaml": "resources: [../base]\nnamePrefix: a-\n"}, old, new)
    rows = [each for each in found.items if each.field == "(result)"]
    assert [each.verdict for each in rows] == [Verdict.REJECTED]
    assert len(rows[0].resources) == 5


def test_one_cause_in_several_overlays_names_them_all(tmp_path: Path, kept: Store) -> None:
    before = {"base/kustomization.yaml": "resources: [up.yaml]\n", "base/up.yaml": deployment()}
    for name in ("one", "two"):
        before[f"{name}/kustomization.yaml"] = "resources: [../base]\n"
    found = judged(tmp_path, before, {"base/up.yaml": deployment(labels="app: web, b: c")}, ["one", "two"],
                   upstream=["base"], cache=kept)  # fmt: skip
    rows = [each for each in found.items if each.field == "(result)"]
    assert [each.overlays for each in rows] == [("one", "two"), ("one", "two")]


@pytest.mark.parametrize(
    ("patch", "old", "new"),
    [
        (deployment(more="env: [{name: A, value: x}]"), deployment(image="acme/web:2", more="env: [{name: A, value: y}]"),
         deployment(image="acme/web:1")),
        (deployment(more="volumeMounts: [{name: v, mountPath: /m, readOnly: true}]", pod="volumes: [{name: v, emptyDir: {}}]"),
         deployment(image="acme/web:2", more="volumeMounts: [{name: v, mountPath: /m}]"), deployment(image="acme/web:1")),
    ],
)  # fmt: skip
def test_a_way_back_is_not_misapplied(patch: str, old: str, new: str, tmp_path: Path, kept: Store) -> None:
    text = patch.replace('image: "acme/web:1", ', "")
    found = _run(tmp_path, kept, {"kustomization.yaml": _MERGE, "p.yaml": text}, old, new)
    assert Verdict.MISAPPLIED not in verdicts(item(found, "overlay: patches[0]")), alarms(found)


def test_a_way_back_past_a_rename_still_is(tmp_path: Path, kept: Store) -> None:
    patch = deployment(container="main", more="tty: true").replace('image: "acme/web:1", ', "")
    old, new = deployment(container="main", image="acme/web:2"), deployment(image="acme/web:1")
    found = _run(tmp_path, kept, {"kustomization.yaml": _MERGE, "p.yaml": patch}, old, new)
    assert Verdict.MISAPPLIED in verdicts(item(found, "overlay: patches[0]"))


def test_a_source_that_another_item_was_to_generate(tmp_path: Path, kept: Store) -> None:
    overlay = {
        "kustomization.yaml": "resources: [../base]\nconfigMapGenerator: [{name: gen, envs: [gone.env]}]\n"
        "replacements:\n- source: {kind: ConfigMap, name: gen, fieldPath: data.A}\n"
        "  targets: [{select: {kind: Deployment}, fieldPaths: [metadata.name]}]\n"
    }
    found = _run(tmp_path, kept, overlay, deployment(), deployment(image="acme/web:2"))
    replacement = item(found, "overlay: replacements[0]")
    assert replacement.severity.rank > Severity.REVIEW.rank or replacement.verdict is Verdict.UNJUDGED, (
        replacement
    )


@pytest.mark.parametrize(
    "entry",
    [
        "images: [{name: acme/api, newName: mirror/api}]\n",
        "patches: [{target: {kind: Deployment, name: api}, patch: '- {op: add, path: /metadata/labels, value: {a: b}}'}]\n",
        "replicas: [{name: api, count: 2}]\n",
    ],
)
def test_what_was_about_a_file_that_is_gone_follows_from_that(
    entry: str, tmp_path: Path, kept: Store
) -> None:
    before = {
        "base/kustomization.yaml": "resources: [up.yaml]\n",
        "base/up.yaml": deployment(),
        "overlay/kustomization.yaml": f"resources: [../base, ../api]\n{entry}",
    }
    api = {
        "old/api/kustomization.yaml": "resources: [api.yaml]\n",
        "old/api/api.yaml": deployment("api", container="api", image="acme/api:1"),
    }
    write_files(tmp_path, api)
    found = judged(
        tmp_path, before, {"base/up.yaml": deployment(image="acme/web:2")}, upstream=["base"], cache=kept
    )
    assert len(alarms(found)) == 1
    assert "../api" in alarms(found)[0]
    assert "follows from" in item(found, f"overlay: {entry.partition(':')[0]}[0]").why
