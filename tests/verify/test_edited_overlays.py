"""An overlay that is edited while no base moves: whether it still builds has to be looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from upstreamsync.model import Verdict
from verify.small import deployment, judged

_BASE = {"base/kustomization.yaml": "resources: [up.yaml]\n", "base/up.yaml": deployment()}
_OVERLAY = "overlay/kustomization.yaml"
_GOOD = "resources: [../base]\nreplicas: [{name: web, count: 2}]\n"


@pytest.mark.parametrize(
    "edited",
    [
        _GOOD + "  foo: [\n",
        _GOOD.replace("../base", "../bsae"),
        _GOOD.replace("name: web", "name: wep"),
        _GOOD + "patches: [{path: nowhere.yaml}]\n",
    ],
)
def test_one_that_builds_no_more_is_told(edited: str, tmp_path: Path) -> None:
    found = judged(tmp_path, {**_BASE, _OVERLAY: _GOOD}, {_OVERLAY: edited}, None)
    (overlay,) = found.overlays
    assert (overlay.path, overlay.before.ok, overlay.after.ok) == ("overlay", True, False)
    assert Verdict.FAILS in {item.verdict for item in overlay.items} or found.unjudged


@pytest.mark.parametrize(
    "edited",
    [
        _GOOD.replace("count: 2", "count: 3"),
        _GOOD + "namePrefix: a-\n",
        _GOOD + "# a comment\n",
        "resources: [../base]\n",
    ],
)
def test_what_an_edit_does_is_its_point(edited: str, tmp_path: Path) -> None:
    found = judged(tmp_path, {**_BASE, _OVERLAY: _GOOD}, {_OVERLAY: edited}, None)
    assert found.overlays == ()


def test_one_that_did_not_build_before_is_no_news(tmp_path: Path) -> None:
    bad = _GOOD.replace("name: web", "name: wep")
    found = judged(tmp_path, {**_BASE, _OVERLAY: bad}, {_OVERLAY: bad + "# still\n"}, None)
    assert found.overlays == ()
