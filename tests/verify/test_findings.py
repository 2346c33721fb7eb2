"""An item tells all that is found about it, worst first, in every form of output."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import pytest

from upstreamsync.forge.text.verdicts import urgent_table
from upstreamsync.model import Severity, Verdict, Verification
from upstreamsync.report.annotations import verify_annotations
from upstreamsync.report.document import verify_document
from upstreamsync.report.markdown import verify_markdown
from upstreamsync.report.text import console, print_verification
from upstreamsync.verify import Store
from verify.small import deployment, item, judged

_ITEM = "overlay: patches[0]"


def _bare(**fields: str) -> str:
    return deployment(**fields).replace('image: "acme/web:1", ', "").replace(', image: "acme/web:1"', "")


_OLD = deployment(
    args='"--v=1", "--old"', more="env: [{name: E, value: a}]", pod="volumes: [{name: c, emptyDir: {}}]"
)
_ARGS = '"--v=2", "--old"'
_ENV = "env: [{name: E, value: mine}]"

#: The patch, upstream afterwards (before it is the same for all), and what is found, by verdict and path's end.
VARIANTS: Mapping[str, tuple[str, str, list[tuple[str, str]]]] = {
    "a pin and an argument": (
        deployment(image="acme/web:1", args=_ARGS), _OLD.replace("web:1", "web:2").replace(', "--old"', ""),
        [("shadows", "args"), ("shadows", "image:tag")],
    ),
    "a pin and a variable that is called otherwise": (
        deployment(image="acme/web:1", more=_ENV),
        _OLD.replace("web:1", "web:2").replace("{name: E, value: a}", "{name: F, value: a}"),
        [("misapplied", "env[name=E]"), ("shadows", "image:tag")],
    ),
    "an argument and a variable": (
        _bare(args=_ARGS, more=_ENV), _OLD.replace(', "--old"', "").replace("value: a", "value: b"),
        [("shadows", "args"), ("shadows", "env[name=E].value")],
    ),
    "a volume and a variable": (
        _bare(more=_ENV, pod="volumes: [{name: c, emptyDir: {sizeLimit: 1Gi}}]"),
        _OLD.replace("{name: c, empty", "{name: d, empty").replace("value: a", "value: b"),
        [("misapplied", "volumes[name=c]"), ("shadows", "env[name=E].value")],
    ),
    "three at once": (
        deployment(image="acme/web:1", args=_ARGS, more=_ENV),
        _OLD.replace("web:1", "web:2").replace(', "--old"', "").replace("value: a", "value: b"),
        [("shadows", "args"), ("shadows", "env[name=E].value"), ("shadows", "image:tag")],
    ),
    "one of two": (
        _bare(args=_ARGS, more=_ENV), _OLD.replace("value: a", "value: b"), [("shadows", "env[name=E].value")],
    ),
    "the other of two": (
        _bare(args=_ARGS, more=_ENV), _OLD.replace(', "--old"', ""), [("shadows", "args")],
    ),
    "none, where upstream changed something else": (
        _bare(args=_ARGS, more=_ENV), _OLD.replace("web:1", "web:2"), [],
    ),
    "none, where nothing but the order is other": (
        _bare(more=_ENV), _OLD.replace('"--v=1", "--old"', '"--old", "--v=1"'), [],
    ),
    "none, where the pin is newer": (
        deployment(image="acme/web:3", more=_ENV), _OLD.replace("web:1", "web:2"), [],
    ),
    "none, where upstream adds beside it": (
        _bare(more=_ENV), _OLD.replace("{name: E, value: a}", "{name: E, value: a}, {name: F, value: b}"), [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_everything_is_told_and_nothing_else(name: str, tmp_path: Path, kept: Store) -> None:
    patch, new, expected = VARIANTS[name]
    before = {
        "base/kustomization.yaml": "resources: [up.yaml]\n",
        "base/up.yaml": _OLD,
        "overlay/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n",
        "overlay/p.yaml": patch,
    }
    found = item(judged(tmp_path, before, {"base/up.yaml": new}, upstream=["base"], cache=kept), _ITEM)
    told = [
        (str(each.verdict), path.rpartition("containers[name=web].")[2].removeprefix("spec.template.spec."))
        for each in found.told
        for path in each.paths[:1]
        if each.severity.rank <= Severity.REVIEW.rank
    ]
    assert sorted(told) == expected


@pytest.fixture
def two_things(tmp_path: Path, kept: Store) -> Verification:
    """A patch that pins an old image and goes on passing a flag that upstream dropped."""
    patch = deployment(image="acme/web:1", args='"--v=2", "--old"')
    overlay = {
        "overlay/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n",
        "overlay/p.yaml": patch,
        "base/kustomization.yaml": "resources: [up.yaml]\n",
    }
    before = {**overlay, "base/up.yaml": deployment(image="acme/web:1", args='"--v=1", "--old"')}
    after = {"base/up.yaml": deployment(image="acme/web:2", args='"--v=1"')}
    return judged(tmp_path, before, after, cache=kept)


def test_the_first_finding_is_the_item(two_things: Verification) -> None:
    found = item(two_things, _ITEM)
    first = found.findings[0]
    assert len(found.findings) == 2
    assert (found.verdict, found.severity, found.reason) == (first.verdict, first.severity, first.reason)
    assert (found.why, found.hint, found.resources, found.paths) == (
        first.why,
        first.hint,
        first.resources,
        first.paths,
    )
    ranks = [finding.severity.rank for finding in found.findings]
    assert ranks == sorted(ranks)


def test_json_has_them_all(two_things: Verification) -> None:
    document = verify_document(two_things)
    (entry,) = [each for each in document["overlays"][0]["items"] if each["item"] == _ITEM]
    assert [each["verdict"] for each in entry["findings"]] == ["shadows", "shadows"]
    assert set(entry["findings"][0]) == {
        "verdict", "severity", "reason", "why", "hint", "proven", "resources", "paths",
    }  # fmt: skip
    for name in ("verdict", "severity", "reason", "why", "hint", "resources", "paths"):
        assert entry[name] == entry["findings"][0][name]


def test_what_is_well_has_one_finding_that_says_so(tmp_path: Path, kept: Store) -> None:
    files = {
        "base/kustomization.yaml": "resources: [up.yaml]\n",
        "base/up.yaml": deployment(),
        "overlay/kustomization.yaml": "resources: [../base]\nnamePrefix: a-\n",
    }
    after = {"base/up.yaml": deployment(more="tty: true")}
    found = item(judged(tmp_path, files, after, cache=kept), "overlay: namePrefix")
    assert [finding.verdict for finding in found.findings] == [Verdict.OK]


def test_every_form_shows_each(two_things: Verification) -> None:
    stream = io.StringIO()
    print_verification(console(stream), two_things)
    urgent = urgent_table(two_things.items)
    for text in (stream.getvalue(), verify_markdown(two_things), verify_annotations(two_things), urgent):
        assert "--old" in text
        assert "acme/web:2" in text or "from 1 to 2" in text


def test_an_item_that_can_not_be_had_stops_no_other(tmp_path: Path, kept: Store) -> None:
    files = {
        "base/kustomization.yaml": "resources: [up.yaml]\n",
        "base/up.yaml": deployment(),
        "overlay/kustomization.yaml": "resources: [../base]\npatches: [{path: gone.yaml}, {path: p.yaml}]\n",
        "overlay/p.yaml": deployment(more="tty: true").replace('image: "acme/web:1", ', ""),
    }
    found = judged(tmp_path, files, {"base/up.yaml": deployment(container="main")}, cache=kept)
    assert "crashed" not in {each.reason for each in found.items}
    assert item(found, "overlay: patches[1]").verdict in (Verdict.MISAPPLIED, Verdict.UNJUDGED)
