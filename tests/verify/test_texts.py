"""Whole texts inside values: what changed in them is said, and JSON and YAML are compared as such."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from textwrap import indent

import pytest

from upstreamsync.model import Verdict, Verification
from upstreamsync.verify import Store
from verify.small import alarms, item, judged

_LINES = "".join(f"line{number}: the same on both sides\n" for number in range(12))
_CORE = ".:53 {\n    errors\n    forward . /etc/resolv.conf\n    cache 30\n}\n"


def _map(text: str, key: str = "mesh") -> str:
    return (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n  {key}: |\n{indent(text, '    ')}"
    )


def _annotated(value: object, *, compact: bool = False) -> str:
    text = json.dumps(value, separators=(",", ":") if compact else None)
    return f"apiVersion: v1\nkind: Service\nmetadata:\n  name: c\n  annotations:\n    cfg: '{text}'\nspec: {{ports: [{{port: 1}}]}}\n"


#: What the patch says, upstream before and after, the verdict, and words that have to stand in the reason.
VARIANTS: Mapping[str, tuple[str, str, str, Verdict, list[str]]] = {
    "a tag inside that the patch keeps": (
        _map(_LINES + 'tag: "1.0"\ntracing: "off"\n'), _map(_LINES + 'tag: "1.0"\n'), _map(_LINES + 'tag: "1.1"\n'),
        Verdict.SHADOWS, ["tag", "1.0", "1.1"],
    ),
    "a line that upstream adds": (
        _map(_LINES + "mine: x\n"), _map(_LINES), _map(_LINES + "fresh: yonder\n"), Verdict.SHADOWS, ["fresh", "yonder"],
    ),
    "a line that upstream drops": (
        _map(_LINES + "old: x\nmine: y\n"), _map(_LINES + "old: x\n"), _map(_LINES), Verdict.SHADOWS, ["old"],
    ),
    "a Corefile": (
        _map(_CORE.replace("30", "60")), _map(_CORE), _map(_CORE.replace("errors", "errors\n    health")),
        Verdict.SHADOWS, ["+", "health"],
    ),
    "a Corefile whose line changed": (
        _map(_CORE.replace("30", "60")), _map(_CORE), _map(_CORE.replace("/etc/resolv.conf", "1.1.1.1")),
        Verdict.SHADOWS, ["1.1.1.1", "/etc/resolv.conf"],
    ),
    "JSON in an annotation": (
        _annotated({"a": 1, "b": "mine"}), _annotated({"a": 1, "b": "x"}), _annotated({"a": 2, "b": "x"}),
        Verdict.SHADOWS, ["a", "1", "2"],
    ),
    "JSON that is merely written otherwise": (
        _annotated({"a": 1, "b": "mine"}), _annotated({"a": 1, "b": "x"}),
        _annotated({"b": "x", "a": 1}, compact=True), Verdict.OK, [],
    ),
    "YAML that is merely written otherwise": (
        _map("a: 1\nb: mine\n"), _map("a: 1\nb: x\n"), _map("b: x   # why\n'a': 1\n"), Verdict.OK, [],
    ),
    "what upstream changed is in the patch already": (
        _map(_LINES + 'tag: "1.1"\nmine: x\n'), _map(_LINES + 'tag: "1.0"\n'), _map(_LINES + 'tag: "1.1"\n'),
        Verdict.OK, [],
    ),
    "nothing changed in the text": (
        _map(_LINES + "mine: x\n"), _map(_LINES), _map(_LINES) + "  other: z\n", Verdict.OK, [],
    ),
    "another key changed": (
        _map("a: mine\n", "one"), _map("a: b\n", "one") + "  two: x\n", _map("a: b\n", "one") + "  two: y\n",
        Verdict.OK, [],
    ),
    "comments alone": (
        _map("a: mine\nz: w\n"), _map("a: b\nz: w\n"), _map("# about a\na: b\nz: w\n"), Verdict.OK, [],
    ),
}  # fmt: skip


def _run(folder: Path, kept: Store, patch: str, old: str, new: str) -> Verification:
    before = {
        "base/kustomization.yaml": "resources: [up.yaml]\n", "base/up.yaml": old,
        "overlay/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n",
        "overlay/p.yaml": patch.partition("spec:")[0],
    }  # fmt: skip
    return judged(folder, before, {"base/up.yaml": new}, cache=kept)


@pytest.mark.parametrize("name", VARIANTS)
def test_what_changed_in_a_text_is_said(name: str, tmp_path: Path, kept: Store) -> None:
    patch, old, new, verdict, said = VARIANTS[name]
    found = item(_run(tmp_path, kept, patch, old, new), "overlay: patches[0]")
    assert found.verdict is verdict, found
    for each in said:
        assert each in found.why
    assert "line3" not in found.why
    assert len(found.why) < 700


def test_what_the_patch_says_of_its_own_is_no_part_of_it(tmp_path: Path, kept: Store) -> None:
    patch, old, new, _, _ = VARIANTS["a Corefile"]
    found = _run(tmp_path, kept, patch, old, new)
    assert "60" not in item(found, "overlay: patches[0]").why, alarms(found)
