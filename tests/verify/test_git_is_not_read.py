"""What git keeps beside a tree is no part of it: its configuration may have a token, as on a runner."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from upstreamsync.kit.run.engines import Engines
from upstreamsync.testing import write_files
from upstreamsync.verify import overlay_output, verify_trees
from upstreamsync.verify.overlays.tree import Tree

CANARY = "AUTHORIZATION: basic CANARY"
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: '1'}\n"


def generator(file: str, *resources: str) -> str:
    names = ", ".join(resources)
    return (
        f"resources: [{names}]\ngeneratorOptions: {{disableNameSuffixHash: true}}\n"
        f"configMapGenerator: [{{name: g, files: ['m={file}']}}]\n"
    )


#: The overlay's folder, and what a stranger's change makes of it.
FORMS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "a path": ("overlay", {"overlay/kustomization.yaml": generator("../.git/config", "../base")}),
    "a path below": (".", {"kustomization.yaml": generator(".git/config", "base")}),
    "in another case": (".", {"kustomization.yaml": generator(".GIT/config", "base")}),
    "a link": ("overlay", {"overlay/m": "-> ../.git/config"}),
    "a link to the folder": (
        "overlay",
        {"overlay/kustomization.yaml": generator("x/config", "../base"), "overlay/x": "-> ../.git"},
    ),
    "a patch": (
        "overlay",
        {"overlay/kustomization.yaml": "resources: [../base]\npatches: [{path: ../.git/patch.yaml}]\n"},
    ),
    "an object": ("overlay", {"overlay/kustomization.yaml": "resources: [../base, ../.git/object.yaml]\n"}),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_change_can_not_have_it_read(form: str, tmp_path: Path) -> None:
    overlay, hostile = FORMS[form]
    own = "kustomization.yaml" if overlay == "." else f"{overlay}/kustomization.yaml"
    base = "base" if overlay == "." else "../base"
    plain = {
        "base/kustomization.yaml": "resources: [a.yaml]\n",
        "base/a.yaml": OBJECT,
        own: generator("m", base),
        own.replace("kustomization.yaml", "m"): "plain",
    }
    kept = {
        ".git/config": CANARY,
        ".git/object.yaml": OBJECT.replace("name: a", f"name: b, annotations: {{a: '{CANARY}'}}"),
        ".git/patch.yaml": OBJECT.replace("'1'", f"'{CANARY}'"),
    }
    write_files(tmp_path / "before", plain)
    write_files(tmp_path / "after", {**plain, **kept, "base/a.yaml": OBJECT.replace("'1'", "'2'")})
    for path, text in hostile.items():
        place = tmp_path / "after" / path
        if text.startswith("-> "):
            place.unlink(missing_ok=True)
            place.symlink_to(text.removeprefix("-> "))
        else:
            place.write_text(text)
    found = verify_trees(tmp_path / "before", tmp_path / "after", [overlay], upstream=["base"])
    assert CANARY not in repr(found)
    assert b"CANARY" not in overlay_output(tmp_path / "after", overlay, kustomize=Engines().kustomize())
    assert not Tree(tmp_path / "after").is_file(".git/config")
