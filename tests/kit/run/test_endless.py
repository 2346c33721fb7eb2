"""YAML that kustomize would follow without an end is not given to it; what it only copies is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from upstreamsync.errors import ToolFailed
from upstreamsync.kit.run.engines import Engines
from upstreamsync.testing import write_files
from upstreamsync.verify import verify_trees

OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
ITSELF = "data: &a {v: *a}\n"
GROWING = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 9)
)
PLAIN = "resources: [a.yaml]\n"
PATCH = "patches:\n- patch: |-\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: a}\n"


def indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


FORMS: dict[str, Mapping[str, str]] = {
    "a kustomization": {"kustomization.yaml": f"{PLAIN}commonAnnotations: &a {{b: *a}}\n"},
    "an object": {"a.yaml": OBJECT + ITSELF},
    "an object that grows": {"a.yaml": OBJECT + GROWING},
    "a patch in place": {"kustomization.yaml": PLAIN + PATCH + indented(ITSELF)},
    "a patch in quotes": {"kustomization.yaml": PLAIN + 'patches: [{patch: "[{value: \\x26a [*a]}]"}]\n'},
    "a patch in a file": {
        "kustomization.yaml": f"{PLAIN}patches: [{{path: p.yaml}}]\n",
        "p.yaml": OBJECT + ITSELF,
    },
    "a transformer in place": {
        "kustomization.yaml": f"{PLAIN}transformers:\n- |-\n"
        + indented("apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: t}\nlabels: &a {b: *a}\n")
    },
    "a patch of a transformer": {
        "kustomization.yaml": f"{PLAIN}transformers: [t.yaml]\n",
        "t.yaml": "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\n"
        "patch: '[{op: add, path: /x, value: &a [*a]}]'\n",
    },
    "definitions": {
        "kustomization.yaml": f"{PLAIN}crds: [d.yaml]\nopenapi: {{path: d.yaml}}\n",
        "d.yaml": GROWING,
    },
    "a base": {
        "kustomization.yaml": "resources: [base]\n",
        "base/kustomization.yaml": PLAIN,
        "base/a.yaml": OBJECT + ITSELF,
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_what_never_ends_is_refused_before_it_begins(form: str, tmp_path: Path) -> None:
    write_files(tmp_path, {"kustomization.yaml": PLAIN, "a.yaml": OBJECT, **FORMS[form]})
    began = time.process_time()
    with pytest.raises(ToolFailed, match=r"\.yaml.*: .*alias") as caught:
        Engines().kustomize().build(tmp_path)
    assert str(tmp_path) not in caught.value.stderr
    assert time.process_time() - began < 5


def test_what_a_generator_copies_may_say_anything(tmp_path: Path) -> None:
    text = f"{PLAIN}configMapGenerator: [{{name: g, files: [b.yaml]}}]\n"
    write_files(tmp_path, {"kustomization.yaml": text, "a.yaml": OBJECT, "b.yaml": ITSELF})
    assert b"*a" in Engines().kustomize().build(tmp_path)


@pytest.mark.parametrize("sides", ["both", "after"])
@pytest.mark.parametrize("form", ["a kustomization", "an object", "a patch in place"])
def test_a_change_with_it_is_judged_and_said_to_be_wrong(form: str, sides: str, tmp_path: Path) -> None:
    overlay = {"overlay/kustomization.yaml": "resources: [../base]\nnamePrefix: our-\n"}
    plain = {**overlay, "base/kustomization.yaml": PLAIN, "base/a.yaml": OBJECT, "base/b.yaml": OBJECT}
    hostile = {**plain, **{f"base/{path}": text for path, text in FORMS[form].items()}}
    write_files(tmp_path / "before", hostile if sides == "both" else plain)
    write_files(tmp_path / "after", {**hostile, "base/a.yaml": hostile["base/a.yaml"] + "immutable: true\n"})
    found = verify_trees(tmp_path / "before", tmp_path / "after")
    assert {item.verdict.value for item in found.items} & {"fails", "unjudged"}, found
    assert any("alias" in item.why for item in found.items)
