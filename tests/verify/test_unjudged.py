"""Nothing is ever called ok that was not compared: obstacles of each reason, on either side, against each kind of item."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from upstreamsync.cli import exits
from upstreamsync.forge.proposal import statuses_of
from upstreamsync.kit.run.budget import Total
from upstreamsync.kit.run.engines import Engines
from upstreamsync.kit.store.cache import Cache
from upstreamsync.model import Verdict, Verification
from upstreamsync.project.settings import BuildStore
from upstreamsync.testing import write_files
from upstreamsync.verify import judge as judge_module
from upstreamsync.verify import verify_trees
from upstreamsync.verify.options import Options, OverlayOptions
from verify.small import deployment, engine

_MEMORY = "spec: {template: {spec: {containers: [{name: %s, resources: {limits: {memory: 1Gi}}}]}}}"
_OF = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %s}\n"
#: One customization of each kind; what upstream changes hits some of them.
OVERLAY: Mapping[str, object] = {
    "resources": ["../base", "own.yaml"],
    "namespace": "shop",
    "commonAnnotations": {"team": "shop"},
    "labels": [{"pairs": {"tier": "front"}}],
    "patches": [
        {"patch": _OF % "web" + _MEMORY % "web"},
        {"patch": _OF % "calm" + _MEMORY % "calm"},
        {
            "target": {"kind": "Deployment", "name": "calm"},
            "patch": "- {op: add, path: /spec/minReadySeconds, value: 5}",
        },
        {"target": {"kind": "Deployment"}, "patch": "- {op: add, path: /spec/paused, value: true}"},
    ],
    "patchesStrategicMerge": [_OF % "web" + "spec: {revisionHistoryLimit: 2}"],
    "replicas": [{"name": "calm", "count": 3}],
    "images": [
        {"name": "acme/web", "newName": "mirror/web"},
        {"name": "acme/calm", "newName": "mirror/calm"},
    ],
    "configMapGenerator": [
        {"name": "settings", "behavior": "merge", "literals": ["a=2"]},
        {"name": "mine", "literals": ["b=1"]},
    ],
    "replacements": [
        {
            "source": {"kind": "ConfigMap", "name": "settings", "fieldPath": "data.host"},
            "targets": [
                {
                    "select": {"kind": "Deployment", "name": "calm"},
                    "fieldPaths": ["spec.template.metadata.annotations.host"],
                    "options": {"create": True},
                }
            ],
        }
    ],
    "transformers": [
        "\n".join(
            (
                "apiVersion: builtin",
                "kind: PatchTransformer",
                "metadata: {name: more}",
                "target: {kind: Deployment, name: calm}",
                "patch: |-",
                "  - {op: add, path: /spec/progressDeadlineSeconds, value: 90}",
            )
        )
    ],
}
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: '1', host: example.org}\n"
OWN = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\ndata: {x: y}\n"
PLUGIN = "apiVersion: acme.example/v1\nkind: Sealed\nmetadata: {name: sealed}\nfiles: [a]\n"

#: field → an entry that can't be had, the reason, and a part of the sentence that says why.
OBSTACLES = {
    "unreachable": ("resources", "https://upstream.invalid/all.yaml", "not_reachable", "could not be reached"),
    "repository": ("components", "github.com/acme/x//part?ref=v1", "not_reachable", "could not be reached"),
    "generator plugin": ("generators", PLUGIN, "needs_plugin", "needs the plugin Sealed"),
    "transformer plugin": ("transformers", PLUGIN, "needs_plugin", "needs the plugin Sealed"),
    "missing file": ("resources", "secrets.yaml", "not_in_tree", "secrets.yaml is not in the repository"),
    "missing patch": ("patches", {"path": "p.yaml"}, "not_in_tree", "p.yaml is not in the repository"),
    "restriction": ("resources", "../../../outside.yaml", "not_in_tree", "leads out of the repository"),
    "broken YAML": ("resources", "broken.yaml", "does_not_build", "overlay/broken.yaml:2:"),
    "chart": ("helmCharts", {"name": "c", "version": "1", "repo": "https://charts.invalid"}, "not_reachable",
              "the chart c 1 of https://charts.invalid could not be reached"),
}  # fmt: skip


def _write(folder: Path, overlay: Mapping[str, object], *, new: bool) -> None:
    web = deployment("web", container="server" if new else "web", image="acme/web:2" if new else "acme/web:1")
    files = {
        "base/kustomization.yaml": "resources: [web.yaml, calm.yaml, settings.yaml]\n",
        "base/web.yaml": web,
        "base/calm.yaml": deployment("calm", container="calm", image="acme/calm:1"),
        "base/settings.yaml": SETTINGS,
        "overlay/own.yaml": OWN,
        "overlay/broken.yaml": "a: [b\n{{ if }}\n",
        "overlay/kustomization.yaml": json.dumps(overlay),
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")


def _judge(
    root: Path, *, obstacle: str = "", sides: str = "", options: Options | None = None
) -> Verification:
    for side in ("before", "after"):
        overlay = dict(OVERLAY)
        if obstacle and side in sides:
            field, entry, _, _ = OBSTACLES[obstacle]
            entries = overlay.get(field, [])
            assert isinstance(entries, list)
            overlay[field] = [*entries, entry]
        _write(root / side, overlay, new=side == "after")
    return verify_trees(
        root / "before",
        root / "after",
        ["overlay"],
        kustomize=engine(),
        upstream=["base"],
        options=options,
    )


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    """The verdicts without any obstacle."""
    found = _judge(tmp_path_factory.mktemp("clean"))
    assert not found.unjudged
    verdicts = {item.item: item.verdict for item in found.items}
    assert {Verdict.OK, Verdict.MISAPPLIED} <= {*verdicts.values()} or Verdict.REJECTED in verdicts.values()
    return verdicts


@pytest.mark.parametrize("sides", ["before after", "before", "after"])
@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_an_obstacle(obstacle: str, sides: str, clean: dict[str, Verdict], tmp_path: Path) -> None:
    found = _judge(tmp_path, obstacle=obstacle, sides=sides)
    _, _, reason, why = OBSTACLES[obstacle]
    (overlay,) = found.overlays
    said = [str(one) for one in overlay.left_out] + [item.why for item in found.items]
    nothing = reason == "not_in_tree" and sides == "before"  # what was not there did nothing
    assert nothing or any(why in text for text in said), said
    mine = {item.item: item for item in found.items}
    for name, item in mine.items():
        if item.verdict is Verdict.OK:
            assert clean.get(name) is Verdict.OK, name
        if item.verdict is Verdict.UNJUDGED:
            assert item.reason == reason, name
    if sides == "before after":  # the same on both sides: whatever it does not touch is judged as without it
        assert {name: mine[name].verdict for name in clean if name in mine} == {
            name: verdict for name, verdict in clean.items() if name in mine
        }
        assert clean.keys() <= mine.keys()
        assert any(why in str(one) for one in overlay.left_out)
    else:  # what names the one object that it is about, which both sides have, is judged all the same
        for name in ("overlay: patches[0]", "overlay: patches[1]", "overlay: patches[2]"):
            assert mine[name].verdict is clean[name], name
        if nothing:
            assert not found.unjudged
        elif sides == "before" or reason in ("not_reachable", "needs_plugin"):
            assert found.unjudged
            assert exits.of_verification(found) == exits.PARTIAL
        else:
            assert any(item.verdict is Verdict.FAILS and why in item.why for item in found.items)


def test_a_reference_that_moved(clean: dict[str, Verdict], tmp_path: Path) -> None:
    """What looks for its objects everywhere may have lost them there."""
    for side, ref in (("before", "v1"), ("after", "v2")):
        overlay = {
            **OVERLAY,
            "resources": ["../base", f"https://upstream.invalid/x//y?ref={ref}", "own.yaml"],
        }
        _write(tmp_path / side, overlay, new=side == "after")
    found = verify_trees(
        tmp_path / "before", tmp_path / "after", ["overlay"], kustomize=engine(), upstream=["base"]
    )
    mine = {item.item: item.verdict for item in found.items}
    assert mine["overlay: images[1]"] is Verdict.UNJUDGED
    assert mine["overlay: patches[3]"] is Verdict.UNJUDGED
    assert mine["overlay: patches[0]"] is clean["overlay: patches[0]"]
    assert not found.overlays[0].before.ok
    assert not found.overlays[0].after.ok


def test_what_aims_at_what_is_left_out(tmp_path: Path) -> None:
    for side in ("before", "after"):
        patches = [{"patch": _OF % "elsewhere" + "spec: {replicas: 2}"}]
        images = [{"name": "acme/elsewhere", "newTag": "2"}]
        resources = ["../base", "https://upstream.invalid/all.yaml"]
        overlay = {"resources": resources, "patches": patches, "images": images}
        _write(tmp_path / side, overlay, new=side == "after")
    found = verify_trees(
        tmp_path / "before", tmp_path / "after", ["overlay"], kustomize=engine(), upstream=["base"]
    )
    assert {(item.item, item.verdict, item.reason) for item in found.items} == {
        ("overlay: patches[0]", Verdict.UNJUDGED, "not_reachable"),
        ("overlay: images[0]", Verdict.UNJUDGED, "not_reachable"),
    }
    assert exits.of_verification(found) == exits.PARTIAL
    assert {state for _, state, _ in statuses_of(found)} == {"error"}


def test_a_budget_that_is_used_up(tmp_path: Path) -> None:
    found = _judge(tmp_path, options=Options(budget=Total(0.001)))
    assert {(item.verdict, item.reason) for item in found.items} == {(Verdict.UNJUDGED, "over_budget")}
    assert exits.of_verification(found) == exits.PARTIAL


def test_it_is_known_that_something_can_not_be_judged(tmp_path: Path) -> None:
    known = Options(budget=Total(0.001), overlays=(OverlayOptions(path="over*", allow_unjudged=True),))
    found = _judge(tmp_path, options=known)
    assert found.items
    assert exits.of_verification(found) == exits.DONE
    assert {state for _, state, _ in statuses_of(found)} == {"success"}


def test_a_bug_ends_one_overlay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for side in ("before", "after"):
        _write(tmp_path / side, {"resources": ["../base"], "namespace": "shop"}, new=side == "after")
        (tmp_path / side / "other").mkdir()
        text = json.dumps({"resources": ["../base"], "namePrefix": "x-"})
        (tmp_path / side / "other/kustomization.yaml").write_text(text, "utf-8")
    real = judge_module.plan_trim

    def faulty(before, after, overlay, *more):  # type: ignore[no-untyped-def]
        if overlay == "other":
            raise ValueError("a bug")
        return real(before, after, overlay, *more)

    monkeypatch.setattr(judge_module, "plan_trim", faulty)
    found = verify_trees(tmp_path / "before", tmp_path / "after", None, kustomize=engine(), upstream=["base"])
    assert {item.item: item.verdict for item in found.items} == {
        "overlay: namespace": Verdict.OK,
        "other: namePrefix": Verdict.UNJUDGED,
        "other: (result)": Verdict.UNJUDGED,
    }
    assert exits.of_verification(found) == exits.BUG
    assert "ValueError: a bug" in found.crashes[0]


def test_a_kustomize_that_crashes(tmp_path: Path) -> None:
    fake = tmp_path / "kubectl"
    fake.write_text(
        f'#!/bin/sh\ncase "$2" in build|*overlay*) kill -9 $$;; esac\nexec {engine().binary} "$@"\n'
    )
    fake.chmod(0o755)
    for side in ("before", "after"):
        _write(tmp_path / side, OVERLAY, new=side == "after")
    crashing = Engines(environment={"KUSTOMIZE": str(fake)}).kustomize()
    found = verify_trees(
        tmp_path / "before", tmp_path / "after", ["overlay"], kustomize=crashing, upstream=["base"]
    )
    assert {(item.verdict, item.reason) for item in found.items} == {(Verdict.UNJUDGED, "crashed")}
    assert exits.of_verification(found) == exits.PARTIAL


def test_a_kustomization_that_can_not_be_read_fails_at_its_place(tmp_path: Path) -> None:
    for side in ("before", "after"):
        _write(tmp_path / side, {"resources": ["../base"], "namespace": "shop"}, new=side == "after")
    (tmp_path / "after/overlay/kustomization.yaml").write_text(
        "resources: [../base]\nimages: [\n  a: {\n", "utf-8"
    )
    found = verify_trees(tmp_path / "before", tmp_path / "after", None, kustomize=engine(), upstream=["base"])
    (item,) = found.items
    assert (item.item, item.verdict) == ("overlay: (result)", Verdict.FAILS)
    assert item.file == "overlay/kustomization.yaml"
    assert item.line > 1
    assert exits.of_verification(found) == exits.PERSON


def test_a_new_overlay_is_new(tmp_path: Path) -> None:
    for side in ("before", "after"):
        _write(tmp_path / side, OVERLAY, new=side == "after")
    for file in (tmp_path / "before/overlay").iterdir():
        file.unlink()
    found = verify_trees(
        tmp_path / "before", tmp_path / "after", ["overlay"], kustomize=engine(), upstream=["base"]
    )
    (overlay,) = found.overlays
    assert overlay.is_new
    assert overlay.before.ok
    assert not any("what it did before" in item.why for item in found.items)


def test_a_file_above_the_overlay(tmp_path: Path) -> None:
    for side in ("before", "after"):
        _write(
            tmp_path / side,
            {"resources": ["../base"], "patches": [{"path": "../shared/p.yaml"}]},
            new=side == "after",
        )
        (tmp_path / side / "shared").mkdir()
        (tmp_path / side / "shared/p.yaml").write_text(_OF % "calm" + _MEMORY % "calm", "utf-8")
    trees = (tmp_path / "before", tmp_path / "after", ["overlay"])
    found = verify_trees(*trees, kustomize=engine(), upstream=["base"])
    assert [item.verdict for item in found.items] == [Verdict.OK]
    strict = Options(overlays=(OverlayOptions(load_restrictor="root"),))
    found = verify_trees(*trees, kustomize=engine(), upstream=["base"], options=strict)
    assert [item.failed_before for item in found.items] == [True]


@pytest.mark.parametrize("base", ["absent", "a file of it absent", "unreadable"])
def test_nothing_stands_on_a_base_that_neither_side_has(base: str, tmp_path: Path) -> None:
    """A base that is declared and not vendored yet: what aims at it did not do what it did before."""
    said = {
        "absent": {},
        "a file of it absent": {"base/kustomization.yaml": "resources: [web.yaml]\n"},
        "unreadable": {"base/kustomization.yaml": "resources: [web.yaml\n"},
    }[base]
    overlay = "resources: [../base]\nnamePrefix: our-\nreplicas: [{name: web, count: 2}]\n"
    patch = "patches: [{patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {paused: true}}'}]\n"
    files = {"overlay/kustomization.yaml": overlay + patch, **said}
    write_files(tmp_path / "before", files)
    write_files(tmp_path / "after", files)
    found = verify_trees(
        tmp_path / "before", tmp_path / "after", ["overlay"], upstream=["base"], kustomize=engine()
    )
    assert {"namePrefix", "patches", "replicas"} <= {item.field for item in found.items}
    assert {item.verdict for item in found.items} == {Verdict.UNJUDGED}, found.items
    assert exits.of_verification(found) == exits.PARTIAL


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such name")
def test_a_folder_whose_name_is_no_text_is_judged_as_any_other(tmp_path: Path) -> None:
    folder = os.fsdecode(b"over\xff\xfelay")
    for side, value in (("before", 1), ("after", 2)):
        object_ = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{a: '{value}'}}\n"
        base = {"base/kustomization.yaml": "resources: [a.yaml]\n", "base/a.yaml": object_}
        write_files(
            tmp_path / side,
            {**base, f"{folder}/kustomization.yaml": "resources: [../base]\nnamePrefix: x-\n"},
        )
    found = verify_trees(
        tmp_path / "before",
        tmp_path / "after",
        None,
        kustomize=engine(),
        cache=BuildStore(Cache(tmp_path / "cache")),
    )
    assert [item.verdict for item in found.items] == [Verdict.OK]
