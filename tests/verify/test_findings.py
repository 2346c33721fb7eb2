"""An item tells all that is found about it, worst first, in every form of output."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from upstreamsync.forge.text.verdicts import urgent_table
from upstreamsync.model import Verdict, Verification
from upstreamsync.report.annotations import verify_annotations
from upstreamsync.report.document import verify_document
from upstreamsync.report.markdown import verify_markdown
from upstreamsync.report.text import console, print_verification
from upstreamsync.verify import Store
from verify.small import deployment, item, judged

_ITEM = "overlay: patches[0]"


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
