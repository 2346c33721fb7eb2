"""Edited items, changed over to the side that they were not written for, without building all the rest again.

What comes before an edited item was built already, and what comes behind it can't change what it does. Each case is
judged like that, and once with whole chains of builds; both have to say the same.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import pytest

from upstreamsync.model import Verification
from upstreamsync.verify.build.chain import Chain, Side
from upstreamsync.verify.overlays.items import Item
from verify.everything import said
from verify.small import deployment, judged

_SERVICE_PATCH = (
    "patchesJson6902:\n- target: {{version: v1, kind: Service, name: {0}}}\n"
    "  patch: '[{{op: add, path: /spec/type, value: {1}}}]'"
)
_MERGE = (
    "patchesStrategicMerge:\n- |-\n  {{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {0}}},"
    " spec: {{template: {{spec: {{containers: [{{name: {0}, command: [{1}]}}]}}}}}}}}"
)
#: Entries of both folders before and after they are edited; those of the overlay stand behind those of the base.
_ENTRIES = {
    "images": ("images: [{{name: acme/{0}, newTag: v1}}]", "images: [{{name: acme/{0}, newTag: v2}}]"),
    "replicas": ("replicas: [{{name: {0}, count: 2}}]", "replicas: [{{name: {0}, count: 3}}]"),
    "labels": (
        "labels: [{{pairs: {{team: {1}}}}}]",
        "labels: [{{pairs: {{team: {1}, tier: web}}, includeSelectors: true}}]",
    ),
    "namespace": ("namespace: {1}", "namespace: {1}-2"),
    "prefix": ("namePrefix: {1}-", "namePrefix: {1}-b-"),
    "patches": (_SERVICE_PATCH, _SERVICE_PATCH.replace("value: {1}", "value: {1}-2")),
    "merges": (_MERGE, _MERGE.replace("[{1}]", "[{1}, now]")),
    "a refused patch": (
        "patches:\n- target: {{kind: Deployment}}\n  patch: '[{{op: replace, path: /spec/gone/{1}, value: 1}}]'",
        "patches:\n- target: {{kind: Deployment}}\n  patch: '[{{op: replace, path: /spec/gone/{1}, value: 2}}]'",
    ),
}  # fmt: skip
#: What names an object as a prefix leaves it.
_BY_NAME = ("replicas", "merges", "patches")
_SERVICE = "---\napiVersion: v1\nkind: Service\nmetadata: {{name: {0}}}\nspec: {{selector: {{app: {0}}}, ports: [{{port: {1}}}]}}\n"


def _files(edited: Collection[str], *, now: bool) -> dict[str, str]:
    """A base of two folders with customizations of their own, and an overlay with all of them once more."""

    def entries(name: str, folder: str) -> str:
        return "".join(
            f"{both[now and f'{folder}/{kind}' in edited].format(name, folder)}\n"
            for kind, both in _ENTRIES.items()
            if not (folder == "overlay" and kind in _BY_NAME)  # names are others there
        )

    files = {"overlay/kustomization.yaml": "resources: [../web, ../db]\n" + entries("web", "overlay")}
    for name in ("web", "db"):
        files[f"{name}/kustomization.yaml"] = "resources: [up.yaml]\n" + entries(name, name)
        release = 2 if now and name == "web" else 1
        files[f"{name}/up.yaml"] = deployment(
            name, container=name, image=f"acme/{name}:{release}", args=f"--release={release}"
        ) + _SERVICE.format(name, 80 + release)
    return files


def _whole(self: Chain, items: Sequence[Item], wanted: Collection[str], scratch: Path) -> Side:
    space = type(self.workspace)(
        self.workspace.tree, self.workspace.overlay, items, scratch, self.workspace.cut,
        settled=self.workspace.settled,
    )  # fmt: skip
    return Chain(space, self.builder, items).run()


class _Kept(dict[str, bytes]):
    def put(self, key: str, data: bytes) -> None:
        self[key] = data


def _judged(folder: Path, edited: Collection[str], kept: _Kept) -> Verification:
    upstream = ["web/up.yaml", "db/up.yaml"]
    return judged(folder, _files(edited, now=False), _files(edited, now=True), upstream=upstream, cache=kept)


_EDITED = [
    ["web/images", "overlay/labels"],
    ["web/merges", "web/patches"],
    ["web/namespace", "web/a refused patch", "overlay/images"],
    ["web/prefix", "overlay/namespace"],
    ["web/replicas", "db/images", "overlay/a refused patch"],
]


@pytest.mark.slow
@pytest.mark.parametrize("edited", _EDITED, ids=lambda edited: " and ".join(edited))
def test_an_edited_item_is_judged_as_with_whole_chains(
    edited: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = _Kept()
    short = _judged(tmp_path / "short", edited, kept)
    monkeypatch.setattr(Chain, "with_others", _whole)
    whole = _judged(tmp_path / "whole", edited, kept)
    assert said(short) == said(whole)


def test_an_early_edit_costs_as_much_however_much_stands_behind_it(tmp_path: Path) -> None:
    def builds(folders: int, edited: bool) -> int:
        name = f"{folders}-{edited}"
        files, new = {}, {}
        for number in range(folders):
            below = f"../f{number - 1}" if number else "up.yaml"
            files[f"f{number}/kustomization.yaml"] = (
                f"resources: [{below}]\npatches: [{{target: {{kind: Deployment}}, "
                f"patch: '[{{op: add, path: /spec/minReadySeconds, value: {number + 1}}}]'}}]\n"
            )
        files["f0/up.yaml"] = deployment()
        new["f0/up.yaml"] = deployment(image="acme/web:2")
        if edited:
            new["f0/kustomization.yaml"] = files["f0/kustomization.yaml"].replace("value: 1", "value: 5")
        return (
            judged(tmp_path / name, files, new, [f"f{folders - 1}"], upstream=["f0/up.yaml"])
            .overlays[0]
            .builds
        )

    assert builds(3, True) - builds(3, False) == builds(8, True) - builds(8, False) == 2
