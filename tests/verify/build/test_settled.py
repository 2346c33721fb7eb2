"""What lies in folders in which nothing differs stays switched on: all else gets the verdict that it gets without."""

from __future__ import annotations

from pathlib import Path

import pytest

from upstreamsync.model import Verdict, Verification
from upstreamsync.verify.build import settled as module
from verify.small import deployment, judged

_PATCH = "metadata: {{name: {0}}}\nspec: {{replicas: 2}}\n"


def _folder(name: str, more: str = "") -> dict[str, str]:
    """A folder with a base of its own, and five customizations of it."""
    return {
        f"{name}/kustomization.yaml": f"namespace: {name}\nresources: [up.yaml, own.yaml]\n"
        f"images: [{{name: acme/{name}, newName: mirror/{name}}}]\nlabels: [{{pairs: {{team: {name}}}}}]\n"
        "patches: [{path: p.yaml}]\nconfigMapGenerator: [{name: made, literals: [a=b]}]\n" + more,
        f"{name}/up.yaml": deployment(name, container=name, image=f"acme/{name}:1"),
        f"{name}/own.yaml": "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: own}\n"
        "spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}\n",
        f"{name}/p.yaml": "apiVersion: apps/v1\nkind: Deployment\n" + _PATCH.format(name),
    }


_REMOVING = "patches: [{target: {kind: Deployment}, patch: '- {op: remove, path: /spec/replicas}'}]\n"
_SERVICE = "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"
_BASE = {
    "base/kustomization.yaml": "resources: [up.yaml]\npatches: [{path: p.yaml}]\n",
    "base/up.yaml": deployment() + _SERVICE,
    "base/p.yaml": "apiVersion: apps/v1\nkind: Deployment\n" + _PATCH.format("web"),
}
_RENAMED = {
    "base/up.yaml": deployment("server", image="acme/server:2")
    + _SERVICE.replace("name: web", "name: server")
}
_RAISED = {"base/up.yaml": deployment(image="acme/web:2") + _SERVICE}


def _overlay(folders: str, more: str) -> dict[str, str]:
    return {"overlay/kustomization.yaml": f"resources: [../base, {folders}]\n{more}"}


def _told(verification: Verification, folders: tuple[str, ...]) -> dict[str, object]:
    return {
        each.item: (each.verdict, each.reason, each.why, each.hint)
        for each in verification.items
        if each.verdict is not Verdict.OK or not each.item.startswith(folders)
    }


@pytest.mark.parametrize(
    ("names", "extra", "more"),
    [
        (("a", "b"), "", "images: [{name: acme/web, newName: mirror/web}]\n"),
        (("a", "b"), "", "namespace: all\n" + _REMOVING),
        (("a", "b"), "namePrefix: p-\n", "commonLabels: {all: x}\n"),
        (("a", "b"), "", "configMapGenerator: [{name: made, namespace: a, behavior: merge, literals: [c=d]}]\n"),
        (("a",), "patchesStrategicMerge: [gone.yaml]\n", "namePrefix: all-\n"),
    ],
)  # fmt: skip
def test_all_else_gets_the_same_verdict(
    names: tuple[str, ...],
    extra: str,
    more: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = dict(_BASE)
    for name in names:
        files |= _folder(name, extra)
    files |= _overlay(", ".join(f"../{name}" for name in names), more)
    folders = tuple(f"{name}:" for name in names)
    fewer = judged(tmp_path / "settled", files, _RENAMED, upstream=["base"])
    monkeypatch.setattr(module, "settled", lambda *_: frozenset())
    all_ = judged(tmp_path / "all", files, _RENAMED, upstream=["base"])
    assert _told(fewer, folders) == _told(all_, folders)
    assert fewer.overlays[0].builds <= all_.overlays[0].builds + 2  # the base is built, not read


def test_nothing_is_settled_where_something_differs(tmp_path: Path) -> None:
    files = {**_BASE, **_folder("a"), **_overlay("../a", "")}
    new = {**_RAISED, "a/up.yaml": deployment("a", container="main", image="acme/a:2")}
    found = {each.item: each.verdict for each in judged(tmp_path, files, new).items}
    assert found["a: patches[0]"] is Verdict.OK
    assert found["overlay: namespace"] is Verdict.OK if "overlay: namespace" in found else True
