"""A lower customization that sets what an upper one sets, too, does not hide that both are stale."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from upstreamsync.model import Verdict, Verification
from upstreamsync.testing import write_files
from upstreamsync.verify import Store
from verify.everything import Everything
from verify.small import alarms, deployment, engine, item, judged, verdicts

_BARE = deployment().replace('image: "acme/web:1"', "FIELDS")


def _patch(fields: str) -> str:
    return _BARE.replace("FIELDS", fields)


_ARGS = 'args: ["--a=1", "--old"]'
_OLD = deployment(args='"--a=0", "--old"')
_DROPPED = deployment(args='"--a=0"')


def _env(value: str) -> str:
    return f"env: [{{name: E, value: '{value}'}}]"


#: The lower and the upper patch, upstream before and after, and the upper one's verdict.
VARIANTS: Mapping[str, tuple[str, str, str, str, Verdict]] = {
    "the same arguments twice": (_patch(_ARGS), _patch(_ARGS), _OLD, _DROPPED, Verdict.SHADOWS),
    "other arguments above": (_patch(_ARGS), _patch('args: ["--a=2", "--old"]'), _OLD, _DROPPED, Verdict.SHADOWS),
    "a value of the environment": (
        _patch(_env("low")), _patch(_env("high")), deployment(more=_env("x")), deployment(more=_env("y")),
        Verdict.SHADOWS,
    ),
    "an old image above another": (
        _patch("image: 'acme/web:1.1'"), _patch("image: 'acme/web:1.2'"), deployment(image="acme/web:1"),
        deployment(image="acme/web:2"), Verdict.SHADOWS,
    ),
    "a text": (
        _patch("command: [a, b]"), _patch("command: [a, c]"), deployment(more="command: [x]"),
        deployment(more="command: [y]"), Verdict.SHADOWS,
    ),
    "the lower one sets something else": (
        _patch(_env("low")), _patch("tty: true"), deployment(more=_env("x")), deployment(more=_env("y")), Verdict.OK,
    ),
    "upstream changed something else": (
        _patch(_env("low")), _patch(_env("high")), deployment(more=_env("x")),
        deployment(more=_env("x"), image="acme/web:2"), Verdict.OK,
    ),
    "a newer image above": (
        _patch("image: 'acme/web:1.1'"), _patch("image: 'acme/web:3'"), deployment(image="acme/web:1"),
        deployment(image="acme/web:2"), Verdict.OK,
    ),
    "what upstream never set": (
        _patch("tty: false"), _patch("tty: true"), deployment(), deployment(image="acme/web:2"), Verdict.OK,
    ),
    "replicas, which are set on purpose": (
        deployment().replace("spec:\n", "spec:\n  replicas: 2\n", 1).replace('image: "acme/web:1"', "tty: true"),
        deployment().replace("spec:\n", "spec:\n  replicas: 3\n", 1).replace('image: "acme/web:1"', "tty: true"),
        deployment().replace("spec:\n", "spec:\n  replicas: 1\n", 1),
        deployment().replace("spec:\n", "spec:\n  replicas: 5\n", 1), Verdict.OK,
    ),
}  # fmt: skip


def _run(folder: Path, kept: Store, low: str, high: str, old: str, new: str) -> Verification:
    before = {
        "base/kustomization.yaml": "resources: [up.yaml]\n", "base/up.yaml": old,
        "low/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n", "low/p.yaml": low,
        "overlay/kustomization.yaml": "resources: [../low]\npatches: [{path: p.yaml}]\n", "overlay/p.yaml": high,
    }  # fmt: skip
    return judged(folder, before, {"base/up.yaml": new}, upstream=["base"], cache=kept)


@pytest.mark.parametrize("name", VARIANTS)
def test_the_upper_one_is_held_against_upstream(name: str, tmp_path: Path, kept: Store) -> None:
    low, high, old, new, verdict = VARIANTS[name]
    found = _run(tmp_path, kept, low, high, old, new)
    upper = item(found, "overlay: patches[0]")
    if verdict is Verdict.OK:
        assert upper.severity.rank > 2, alarms(found)
    else:
        assert verdict in verdicts(upper), upper


_TARGET = (
    "patches: [{path: p.yaml}, {path: r.yaml}, {path: q.yaml, target: {kind: Deployment, name: other}}]\n"
)


@pytest.mark.parametrize(
    ("entries", "second"),
    [
        (
            "patches: [{path: p.yaml}, {path: r.yaml}, {path: q.yaml}]\n",
            _patch('args: ["--a=1"]').replace("{name: web}", "{name: other}", 1),
        ),
        (_TARGET, "- {op: replace, path: /spec/template/spec/containers/0/args, value: [--a=1]}\n"),
        (_TARGET, _patch('args: ["--a=1"]')),
    ],
)
def test_a_patch_on_another_object_is_above_nothing(
    entries: str, second: str, tmp_path: Path, everything: Everything
) -> None:
    old = deployment(args='"--a=0", "--p=no"') + "---\n" + deployment("other", args='"--b=1"')
    files = {"base/kustomization.yaml": "resources: [up.yaml]\n", "overlay/q.yaml": second, "overlay/r.yaml": _patch("tty: true").replace("{name: web}", "{name: other}", 1),
             "overlay/kustomization.yaml": f"resources: [../base]\n{entries}", "overlay/p.yaml": _patch('args: ["--a=1"]')}  # fmt: skip
    for side, text in (("old", old), ("new", old.replace("--p=no", "--p=yes"))):
        write_files(tmp_path / side, {**files, "base/up.yaml": text})
    found = everything(tmp_path / "old", tmp_path / "new", ["overlay"], kustomize=engine(), upstream=["base"])
    assert Verdict.SHADOWS in verdicts(item(found, "overlay: patches[0]"))
    assert item(found, "overlay: patches[2]").verdict is Verdict.OK, alarms(found)
