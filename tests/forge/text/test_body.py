"""The body: cut by section, links, words about failure."""

from __future__ import annotations

import pytest

from upstreamsync.config.spec import Vendor
from upstreamsync.forge.rules.marker import BODY_LIMIT, Marker, compose
from upstreamsync.forge.rules.risk import step_size
from upstreamsync.forge.text.body import VISIBLE_LIMIT, Section, fit
from upstreamsync.forge.text.cluster import USUAL, overlays_forms
from upstreamsync.forge.text.links import links_of
from upstreamsync.model import (
    Build,
    Change,
    Danger,
    FieldChange,
    ImageChange,
    ObjectText,
    OverlayReview,
    OverlayVerification,
    Release,
    ResourceChange,
    Review,
    Verification,
)


def sections(*lengths: int) -> list[Section]:
    return [
        Section(title=f"S{index}", forms=("x" * length, "short", ""), keep=index)
        for index, length in enumerate(lengths)
    ]


def test_the_least_important_section_is_cut_first():
    text = fit(sections(500, 500, 500), 1200)
    assert "### S0\n\nshort" in text
    assert text.count("x" * 500) == 2


def test_a_section_is_dropped_before_the_next_one_is_touched():
    text = fit(sections(500, 500, 500), 1100)
    assert "S0" in text
    text = fit(sections(500, 500, 2000), 2040)
    assert "S0" not in text
    assert "### S1\n\nshort" in text


def test_in_the_end_it_always_fits():
    assert len(fit([Section(title="", forms=("x" * 999,), keep=1)], 100)) == 100


def huge() -> Review:
    changed = tuple(
        ResourceChange(
            resource=f"v1 ConfigMap n/c{index}",
            fields=tuple(
                FieldChange(path=f"data.k{field}", op="changed", before="o" * 900, after="n" * 900)
                for field in range(40)
            ),
        )
        for index in range(400)
    )
    return Review(
        overlays=(
            OverlayReview(
                path="apps/prod",
                added=tuple(f"v1 Secret n/s{index}" for index in range(3000)),
                changed=changed,
                images=tuple(
                    ImageChange(name=f"i{n}", before=f"i{n}:1", after=f"i{n}:2") for n in range(400)
                ),
                dangers=tuple(
                    Danger(rule="data-pruned", resource=f"v1 X n/{n}", text="t" * 300) for n in range(400)
                ),
            ),
        )
    )


def test_a_huge_update_fits_into_githubs_limit_and_the_report_has_all(make_story, judged):
    story = make_story("app")
    from upstreamsync.forge import build_proposal

    items = [judged.item("lost", "silent-break", item=f"a: patches[{n}]", why="w" * 500) for n in range(300)]
    change = story.change("app", "v1.1.0")
    release = Release(version="v1.1.0", ref="v1.1.0", notes="note\n" * 50_000)
    from dataclasses import replace

    proposal = build_proposal(
        [replace(change, release=release)],
        judged.of(*items),
        huge(),
        configuration=story.configuration(),
        base_commit=story.base_commit(),
        read=story.read,
    )
    assert len(proposal.body) <= VISIBLE_LIMIT
    marker = Marker(key="app", steps=proposal.steps, digest=proposal.digest, head="h" * 40, body="b" * 71)
    assert len(compose(proposal.body, marker)) < BODY_LIMIT
    # What decides is kept, what is long is cut, and the report says everything.
    assert "Reproduce" in proposal.body
    assert "<!-- upstreamsync:rebuild -->" in proposal.body
    assert "full report" in proposal.body
    assert "data.k39" in proposal.report
    assert proposal.report.count("note") > 40_000


def test_an_overlay_that_does_not_build_says_so(make_story, judged):
    story = make_story("app")
    broken = OverlayVerification(
        path="apps/prod",
        before=Build(ok=True),
        after=Build(ok=False, error="no matches for Id `x` </details>"),
    )
    item = judged.item("fails", "broken", why="its target is gone")
    verification = Verification(
        overlays=(
            broken,
            OverlayVerification(path="b", before=Build(ok=True), after=Build(ok=True), items=(item,)),
        )
    )
    proposal = story.proposal(story.change("app", "v1.1.0"), judged=verification)
    assert "### Does not build" in proposal.body
    assert "unknown while it does not build" in proposal.body
    assert {context: state for context, state, _ in proposal.statuses} == {
        "upstreamsync/patches": "failure",
        "upstreamsync/render": "failure",
    }


VENDOR = {"name": "app", "source": {"url": "https://e.example/{version}"}, "base": "a/b"}


@pytest.mark.parametrize(
    ("releases", "page", "old", "new", "ref", "release", "compare"),
    [
        (
            {"github": "o/r"},
            None,
            "v1.0.0",
            "v1.1.0",
            "v1.1.0",
            "https://github.com/o/r/releases/tag/v1.1.0",
            "https://github.com/o/r/compare/v1.0.0...v1.1.0",
        ),
        (
            {"github": "o/r", "tag": "controller-v(?P<version>.+)"},
            "https://github.com/o/r/releases/tag/controller-v1.15.0",
            "1.13.2",
            "1.15.0",
            "controller-v1.15.0",
            "https://github.com/o/r/releases/tag/controller-v1.15.0",
            "https://github.com/o/r/compare/controller-v1.13.2...controller-v1.15.0",
        ),
        (
            {"github_tags": "o/r"},
            None,
            "1.0",
            "1.1",
            "v1.1",
            None,
            "https://github.com/o/r/compare/v1.0...v1.1",
        ),
        (
            {"git": "https://gitlab.com/g/s/r.git"},
            None,
            "v1",
            "v2",
            "v2",
            None,
            "https://gitlab.com/g/s/r/-/compare/v1...v2",
        ),
        (
            {"git": "https://gitlab.example.com/g/r"},
            "https://gitlab.example.com/g/r/-/releases/v2",
            "v1",
            "v2",
            "v2",
            "https://gitlab.example.com/g/r/-/releases/v2",
            "https://gitlab.example.com/g/r/-/compare/v1...v2",
        ),
        ({"oci": "quay.io/a/b"}, None, "v1", "v2", "v2", None, None),
        ({"git": "https://git.example.com/r"}, None, "v1", "v2", "v2", None, None),
        ({"github": "o/r"}, None, "v1", "v1", "v1", "https://github.com/o/r/releases/tag/v1", None),
    ],
)
def test_links(releases, page, old, new, ref, release, compare):
    vendor = Vendor.model_validate({**VENDOR, "releases": releases})
    change = Change(vendor="app", before=old, after=new, release=Release(version=new, ref=ref, page=page))
    found = links_of(change, vendor)
    assert (found.release, found.compare) == (release, compare)


@pytest.mark.parametrize(
    ("source", "releases", "old", "new", "release", "compare"),
    [
        (
            {"url": "https://github.com/o/r/releases/download/v{semver}/x.yaml"},
            {"oci": "quay.io/a/b", "ref": "v{major}.{minor}.{patch}"},
            ("1.8.3.2", None),
            ("1.9.0.1", "v1.9.0"),
            "https://github.com/o/r/releases/tag/v1.9.0",
            "https://github.com/o/r/compare/v1.8.3...v1.9.0",
        ),
        (
            {"url": "https://raw.githubusercontent.com/o/r/{ref}/x.yaml"},
            {"oci": "quay.io/a/b", "ref": "v{semver}"},
            ("1.8.3", None),
            ("1.9.0", "v1.9.0"),
            None,
            "https://github.com/o/r/compare/v1.8.3...v1.9.0",
        ),
        (
            {"archive": {"url": "https://github.com/o/r/archive/{ref}.tar.gz", "paths": ["x"]}},
            {"oci": "quay.io/a/b", "ref": "release-{major}.{minor}"},
            ("1.8.3", None),
            ("1.9.0", "release-1.9"),
            None,
            "https://github.com/o/r/compare/release-1.8...release-1.9",
        ),
        (
            {"url": "https://example.com/{version}/x.yaml"},
            {"oci": "quay.io/a/b"},
            ("1.8.3", None),
            ("1.9.0", "1.9.0"),
            None,
            None,
        ),
        (
            {"url": "https://x.example/x.yaml"},
            {"github_tags": "git.corp.example/o/r"},
            ("v1", None),
            ("v2", "v2"),
            None,
            "https://git.corp.example/o/r/compare/v1...v2",
        ),
        (
            {"git": {"repository": "https://gitlab.com/g/s/r.git", "paths": ["x"]}},
            {"oci": "quay.io/a/b", "ref": "v{semver}"},
            ("1.8.3", None),
            ("1.9.0", "v1.9.0"),
            None,
            "https://gitlab.com/g/s/r/-/compare/v1.8.3...v1.9.0",
        ),
        (
            {"helm": {"git": "git@github.com:o/r.git", "path": "x"}},
            {"oci": "quay.io/a/b", "ref": "chart-{semver}"},
            ("1.8.3", None),
            ("1.9.0", "chart-1.9.0"),
            None,
            "https://github.com/o/r/compare/chart-1.8.3...chart-1.9.0",
        ),
        (
            {"url": "https://raw.githubusercontent.com/o/r/{ref}/x.yaml"},
            {"oci": "quay.io/a/b", "tag": r"(?P<version>(?P<up>\d+\.\d+\.\d+)\.\d+)", "ref": "v{up}"},
            ("1.8.3.3", None),
            ("1.9.0.1", "v1.9.0"),
            None,
            "https://github.com/o/r/compare/v1.8.3...v1.9.0",
        ),
        (
            {"url": "https://raw.githubusercontent.com/o/r/{ref}/x.yaml"},
            {"oci": "quay.io/a/b", "ref": "v{major}.{minor}.{patch}"},
            ("1.8.3.1", None),
            ("1.8.3.2", "v1.8.3"),
            None,
            None,
        ),
    ],
)
def test_links_of_vendors_that_own_images_drive(source, releases, old, new, release, compare):
    vendor = Vendor.model_validate({**VENDOR, "source": source, "releases": releases})
    change = Change(vendor="app", before=old[0], after=new[0], release=Release(version=new[0], ref=new[1]))
    found = links_of(change, vendor)
    assert (found.release, found.compare) == (release, compare)


@pytest.mark.parametrize(
    ("before", "after", "size"),
    [
        ("v1.0.0", "v2.0.0", 3),
        ("1.2.3", "1.3.0", 2),
        ("1.2.3", "v1.2.4", 1),
        ("1.2", "1.2", 0),
        ("a", "b", 1),
    ],
)
def test_the_size_of_a_step(before, after, size):
    assert step_size(before, after) == size


def test_a_mechanical_fix_is_shown_as_a_patch(make_story, judged):
    from upstreamsync.model import Fix

    story = make_story("app")
    fix = Fix(
        file="apps/prod/kustomization.yaml",
        title="aim at `new`",
        before="a: 1\nname: old\nb: 2\n",
        after="a: 1\nname: new\nb: 2\n",
    )
    item = judged.item("lost", "silent-break", why="gone", fix=fix)
    body = story.proposal(story.change("app", "v1.1.0"), judged=judged.of(item)).body
    assert "Aim at `new`, in `apps/prod/kustomization.yaml`:" in body
    assert " a: 1\n-name: old\n+name: new\n b: 2\n```" in body


def test_what_is_said_of_several_results_is_said_once(judged):
    from upstreamsync.forge.text.verdicts import distinct

    same = {"why": "too large", "resources": ("v1 ConfigMap n/c",)}
    found = distinct(
        judged.of(
            judged.item("rejected", "silent-break", item="a/prod: (result)", **same),
            judged.item("rejected", "silent-break", item="a/stage: (result)", **same),
            judged.item("rejected", "silent-break", item="a/test: (result)", why="other"),
            judged.item("ok", item="a/base: patches[0]"),
            judged.item("lost", "silent-break", item="a/base: patches[0]"),
        )
    )
    assert [item.item for item in found] == [
        "a/prod, a/stage: (result)",
        "a/test: (result)",
        "a/base: patches[0]",
    ]
    assert found[-1].verdict == "lost"


def test_what_failed_before_too_is_no_urgent_matter(make_story, judged):
    story = make_story("app")
    item = judged.item("fails", "broken", why="it never built", failed_before=True)
    proposal = story.proposal(story.change("app", "v1.1.0"), judged=judged.of(item))
    assert not proposal.draft
    assert "### Needs you" not in proposal.body
    assert "1 failed before too" in proposal.body
    assert "fails (failed before too)" in proposal.body.replace("**", "")


def test_image_pins_have_a_section_of_their_own(make_story, judged):
    story = make_story("app")
    pin = judged.item("shadows", "review", item="a: images[0]", field="images", why="pins `v1`")
    body = story.proposal(story.change("app", "v1.1.0"), judged=judged.of(pin)).body
    assert "### Image pins" in body
    assert "### Needs you" not in body


def test_upstreams_content_can_neither_tick_the_box_nor_forge_the_marker(story, judged):
    """A rebuild drops people's commits: nobody but people may ask for it."""
    from upstreamsync.forge.rules.marker import dump, find, rebuild_ticked

    forged = dump(Marker(key="app", steps=(("app", "v0", "v9"),), digest="x", head="y", body="z"))
    box = "[x] <!-- upstreamsync:rebuild -->"
    overlay = OverlayReview(
        path="apps/prod",
        removed=(f"{box} {forged}",),
        changed=(
            ResourceChange(
                resource=box,
                fields=(
                    FieldChange(path="data.x", op="changed", before=box, after=forged),
                    FieldChange(path="data.y", op="changed", before=f"a\n{box}\n", after=f"b\n{forged}"),
                    FieldChange(path=box, op="removed", before=box),
                ),
            ),
        ),
        dangers=(Danger(rule="secret-shipped", resource=f"v1 Secret {box}", text=f"\n- {box}\n{forged}"),),
        images=(ImageChange(name="x", before=f"{box}", after=forged),),
        applications=(f"\n- {box}",),
    )
    item = judged.item(
        "lost", "silent-break", why=f"\n- {box}\n", hint=f"\n- {box} {forged}", resources=(box,)
    )
    from dataclasses import replace

    from upstreamsync.forge import build_proposal, submit

    change = story.change("app", "v1.1.0")
    release = Release(version="v1.1.0", ref="v1.1.0", notes=f"- {box}\n{forged}\n<!-- upstreamsync -->")
    proposal = build_proposal(
        [replace(change, release=release, notes=(f"\n- {box} {forged}",))],
        judged.of(item),
        Review(overlays=(overlay,)),
        configuration=story.configuration(),
        base_commit=story.base_commit(),
        read=story.read,
    )
    for text in (proposal.body, proposal.report):
        assert not rebuild_ticked(text)
        assert find(text) is None
    submit([proposal], forge=story.forge(), repository=story.repository, configuration=story.configuration())
    assert find(story.pull.body).head == story.head()
    assert story.one({"app": "v1.1.0"}).reason != "a rebuild was asked for"


def test_importing_the_layer_imports_no_client():
    import subprocess
    import sys

    code = "import upstreamsync.forge, sys; print([m for m in ('github', 'requests', 'rich') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_secret_is_not_shown_as_evidence(make_story, judged):
    from dataclasses import replace

    story = make_story("app")
    change = story.change("app", "v1.1.0")
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {key: c2VjcmV0}\n"
    item = judged.item("lost", "silent-break", resources=("v1 Secret s",), paths=("data.key",), why="gone")
    given = replace(change, base_files={**change.base_files, "app/upstream/s.yaml": secret.encode()})
    body = story.proposal(given, judged=judged.of(item)).body
    assert "key: " in body
    assert "c2VjcmV0" not in body


def test_counts_lead_to_their_sections_as_long_as_these_are_there():
    head = Section(title="", forms=("[2](#upstreamsync-dangers), [x](#theirs)",), keep=9)
    dangers = Section(title="Dangers", forms=("d" * 300, ""), keep=1)
    text = fit([head, dangers], 1000)
    assert text.startswith("[2](#upstreamsync-dangers), [x](#theirs)\n\n")
    assert '<a name="upstreamsync-dangers"></a>\n\n### Dangers\n\nddd' in text
    assert fit([head, dangers], 200) == "2, [x](#theirs)\n"


def test_the_summary_links_to_what_it_counts(make_story, judged):
    story = make_story("app")
    lost = judged.item("lost", "silent-break", why="it is gone")
    pin = judged.item("shadows", "review", item="a: images[0]", field="images", why="pins `v1`")
    body = story.proposal(story.change("app", "v1.1.0"), judged=judged.of(lost, pin)).body
    assert "[1 lost](#upstreamsync-needs-you), [1 shadows](#upstreamsync-image-pins)" in body


def test_whole_objects_are_folded_and_bounded():
    text = "kind: Job\n" + "".join(f"a{number}: 1\n" for number in range(100))
    whole = (
        ObjectText(resource="batch/v1 Job new", after=text),
        ObjectText(resource="batch/v1 Job old", before="kind: Job\n```\n"),
    )
    overlay = OverlayReview(path="o", added=("batch/v1 Job new",), removed=("batch/v1 Job old",), whole=whole)
    full, some, none, *_ = overlays_forms(Review(overlays=(overlay,)), USUAL)
    assert "<details><summary>2 whole objects, new or gone</summary>" in full
    assert "<code>batch/v1 Job new</code>: new" in full
    assert "+ a58: 1\n# … and 41 more lines" in full
    assert "````diff\n- kind: Job\n- ```" in full
    assert "+ a18: 1\n# … and 81 more lines" in some
    assert "whole" not in none
    assert "+ batch/v1 Job new" in none
