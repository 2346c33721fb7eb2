"""Files that upstream adds to a folder whose files a kustomization lists one by one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from upstreamsync.model import Severity, Verdict
from upstreamsync.verify import Store
from verify.small import all_findings, deployment, judged

_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: {a: '1'}\n"
_OLD = {"base/a.yaml": deployment(), "base/b.yaml": _MAP.replace("NAME", "b")}
_MOVED = {"base/a.yaml": deployment(image="acme/web:2")}
_NEW = {**_MOVED, "base/c.yaml": _MAP.replace("NAME", "c")}
_LIST = {
    "base/kustomization.yaml": "resources: [a.yaml, b.yaml]\n",
    "overlay/kustomization.yaml": "resources: [../base]\n",
}
_BESIDE = {"overlay/kustomization.yaml": "resources: [../base/a.yaml, ../base/b.yaml]\n"}
_THREE = "resources: [a.yaml, b.yaml, c.yaml]\n"

#: What stands before, what differs afterwards, and the files that are told.
VARIANTS: Mapping[str, tuple[dict[str, str], dict[str, str], str]] = {
    "a list in the base": ({**_OLD, **_LIST}, _NEW, "base/c.yaml"),
    "a list in the overlay": ({**_OLD, **_BESIDE}, _NEW, "base/c.yaml"),
    "two more": (
        {**_OLD, **_LIST}, {**_NEW, "base/d.yml": _MAP.replace("NAME", "d")}, "base/c.yaml, base/d.yml",
    ),
    "one in the place of another": (
        {**_OLD, **_LIST}, {**_NEW, "base/kustomization.yaml": "resources: [a.yaml, b.yaml]\nnamePrefix: x-\n"}, "base/c.yaml",
    ),
    "a list that names the new one": ({**_OLD, **_LIST}, {**_NEW, "base/kustomization.yaml": _THREE}, ""),
    "one that was left out before": ({**_OLD, **_LIST, "base/z.yaml": _MAP.replace("NAME", "z")}, _NEW, ""),
    "one that took another one's place": (
        {**_OLD, **_LIST}, {"base/c.yaml": deployment(image="acme/web:2"), "base/a.yaml": None}, "",
    ),
    "no objects": ({**_OLD, **_LIST}, {**_MOVED, "base/values.yaml": "replicas: 1\n"}, ""),
    "no YAML": ({**_OLD, **_LIST}, {**_MOVED, "base/c.json": "{}"}, ""),
    "a folder below": ({**_OLD, **_LIST}, {**_MOVED, "base/samples/c.yaml": _MAP.replace("NAME", "c")}, ""),
    "a file of the overlay's own": (
        {**_OLD, "overlay/kustomization.yaml": "resources: [../base/a.yaml, ../base/b.yaml, x.yaml, y.yaml]\n",
         "overlay/x.yaml": _MAP.replace("NAME", "x"), "overlay/y.yaml": _MAP.replace("NAME", "y")},
        {**_MOVED, "overlay/draft.yaml": _MAP.replace("NAME", "draft")}, "",
    ),
    "one file alone": (
        {"base/a.yaml": deployment(), "overlay/kustomization.yaml": "resources: [../base/a.yaml]\n"}, _NEW, "",
    ),
    "another overlay has it": (
        {**_OLD, **_LIST, "other/kustomization.yaml": "resources: [../base]\n"},
        {**_NEW, "other/kustomization.yaml": "resources: [../base, ../base/c.yaml]\n"}, "",
    ),
    "it is a patch": (
        {**_OLD, **_LIST}, {**_NEW, "base/kustomization.yaml": "resources: [a.yaml, b.yaml]\npatches: [{path: c.yaml, target: {kind: ConfigMap}}]\n"},
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_a_new_file_that_nothing_lists_is_told(name: str, tmp_path: Path, kept: Store) -> None:
    before, after, told = VARIANTS[name]
    upstream = ["base/a.yaml", "base/b.yaml", "base/c.yaml", "base/d.yml", "base/values.yaml", "base/samples"]
    found = [
        each
        for each in all_findings(judged(tmp_path, before, after, upstream=upstream, cache=kept))
        if each.verdict is Verdict.UNCOVERED
    ]
    assert [each.severity for each in found] == ([Severity.REVIEW] if told else []), found
    assert not told or f"misses {told};" in found[0].why
