"""Customizations that were edited in the same change as the base: by a person, or by `edits:`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from upstreamsync.kit.run.engines import Engines
from upstreamsync.model import Severity, Verdict, Verification
from upstreamsync.testing import write_files
from upstreamsync.verify import Store, verify_trees
from verify.small import alarms, deployment, item, judged, verdicts, words

_BASE = {"base/kustomization.yaml": "resources: [up.yaml]\n"}


def _patch(text: str) -> dict[str, str]:
    return {
        "overlay/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n",
        "overlay/p.yaml": text,
    }


def _entry(field: str, entries: str) -> dict[str, str]:
    return {"overlay/kustomization.yaml": f"resources: [../base]\n{field}: {entries}\n"}


def _json(*operations: str) -> dict[str, str]:
    listed = "\n".join(f"- {operation}" for operation in operations)
    return {
        "overlay/kustomization.yaml": "resources: [../base]\n"
        "patches: [{path: p.yaml, target: {kind: Deployment, name: web}}]\n",
        "overlay/p.yaml": f"{listed}\n",
    }


def _memory(container: str, limit: str) -> dict[str, str]:
    text = deployment(container=container, more=f"resources: {{limits: {{memory: {limit}}}}}")
    return _patch(text.replace('image: "acme/web:1", ', ""))


def _arguments(args: str) -> dict[str, str]:
    return _patch(deployment(args=args).replace('image: "acme/web:1", ', ""))


def _image_patch(container: str, image: str) -> dict[str, str]:
    return _patch(deployment(container=container, image=image))


_PREFIXED = '{{op: replace, path: /spec/template/spec/containers/{0}/image, value: "mirror/web:{1}"}}'
_TWO = "containers: [{{name: {0}, image: 'acme/{0}:1'}}, {{name: {1}, image: 'acme/{1}:1'}}]"


def _two(first: str, second: str) -> str:
    whole = deployment()
    return whole.replace('containers: [{name: web, image: "acme/web:1"}]', _TWO.format(first, second))


#: What is wrong in spite of the edit: upstream before and after, the overlay before and after, the verdict.
STILL: Mapping[str, tuple[str, str, dict[str, str], dict[str, str], str, Verdict]] = {
    "container renamed, limit raised": (
        deployment(), deployment(container="server", image="acme/web:2"),
        _memory("web", "1Gi"), _memory("web", "2Gi"), "patches[0]", Verdict.MISAPPLIED,
    ),
    "container renamed, image followed": (
        deployment(), deployment(container="server", image="acme/web:2"),
        _image_patch("web", "mirror/web:1.1"), _image_patch("web", "mirror/web:2.1"), "patches[0]",
        Verdict.MISAPPLIED,
    ),
    "image renamed, tag followed": (
        deployment(), deployment(image="acme/server:2"),
        _entry("images", '[{name: acme/web, newTag: "1.1"}]'), _entry("images", '[{name: acme/web, newTag: "2.1"}]'),
        "images[0]", Verdict.LOST,
    ),
    "index shifted, value edited": (
        _two("web", "side"), _two("side", "web"),
        _json(_PREFIXED.format(0, "1")), _json(_PREFIXED.format(0, "2")), "patches[0]", Verdict.MISAPPLIED,
    ),
    "object renamed, target kept": (
        deployment(), deployment("server"),
        _json(_PREFIXED.format(0, "1")), _json(_PREFIXED.format(0, "2")), "patches[0]", Verdict.LOST,
    ),
    "one value edited, the stale one left": (
        deployment(args='"--a=1", "--old"'), deployment(args='"--a=1"', image="acme/web:2"),
        _patch(deployment(image="mirror/web:1", args='"--a=2", "--old"')),
        _patch(deployment(image="mirror/web:2", args='"--a=2", "--old"')), "patches[0]", Verdict.SHADOWS,
    ),
    "the argument that upstream changed is left as it was": (
        deployment(args='"--a=0", "--r=up/r:1"'), deployment(args='"--a=0", "--r=up/r:2"'),
        _arguments('"--a=1", "--r=mine/r:1"'), _arguments('"--a=2", "--r=mine/r:1"'), "patches[0]", Verdict.SHADOWS,
    ),
    "one argument was followed, a new one is dropped": (
        deployment(args='"--a=0", "--r=up/r:1"'), deployment(args='"--a=0", "--r=up/r:2", "--new"'),
        _arguments('"--a=1", "--r=mine/r:1"'), _arguments('"--a=1", "--r=mine/r:2"'), "patches[0]", Verdict.SHADOWS,
    ),
    "edited and still of no effect": (
        deployment(), deployment("server"),
        _json(_PREFIXED.format(0, "1")),
        {**_json(_PREFIXED.format(0, "2")), "overlay/kustomization.yaml": "resources: [../base]\n"
         "patches: [{path: p.yaml, target: {kind: Deployment, name: wep}}]\n"}, "patches[0]", Verdict.LOST,
    ),
}  # fmt: skip

#: What the edit has cured, or what was never wrong.
CURED: Mapping[str, tuple[str, str, dict[str, str], dict[str, str], str]] = {
    "container renamed in the patch as well": (
        deployment(), deployment(container="server"), _memory("web", "1Gi"), _memory("server", "1Gi"),
        "patches[0]",
    ),
    "image renamed in the entry as well": (
        deployment(), deployment(image="acme/server:2"),
        _entry("images", '[{name: acme/web, newTag: "1"}]'),
        _entry("images", '[{name: acme/server, newTag: "3"}]'), "images[0]",
    ),
    "index corrected": (
        _two("web", "side"), _two("side", "web"), _json(_PREFIXED.format(0, "1")),
        _json(_PREFIXED.format(1, "1")), "patches[0]",
    ),
    "target renamed": (
        deployment(), deployment("server"), _json(_PREFIXED.format(0, "1")),
        {**_json(_PREFIXED.format(0, "2")), "overlay/kustomization.yaml": "resources: [../base]\n"
         "patches: [{path: p.yaml, target: {kind: Deployment, name: server}}]\n"}, "patches[0]",
    ),
    "tag raised with upstream": (
        deployment(), deployment(image="acme/web:2"), _entry("images", '[{name: acme/web, newTag: "1.1"}]'),
        _entry("images", '[{name: acme/web, newTag: "2.1"}]'), "images[0]",
    ),
    "flag dropped with upstream": (
        deployment(args='"--a=1", "--old"'), deployment(args='"--a=1"'),
        _patch(deployment(args='"--a=2", "--old"')), _patch(deployment(args='"--a=2"')), "patches[0]",
    ),
    "the argument that upstream changed was changed, too": (
        deployment(args='"--a=0", "--r=up/r:1"'), deployment(args='"--a=0", "--r=up/r:2"'),
        _arguments('"--a=1", "--r=mine/r:1"'), _arguments('"--a=1", "--r=mine/r:2"'), "patches[0]",
    ),
    "a value of one's own edited, nothing else": (
        deployment(), deployment(image="acme/web:2"), _memory("web", "1Gi"), _memory("web", "2Gi"), "patches[0]",
    ),
    "digest followed": (
        deployment(image="acme/web:1@sha256:" + "a" * 64), deployment(image="acme/web:2@sha256:" + "b" * 64),
        _image_patch("web", "mirror/web:1@sha256:" + "c" * 64),
        _image_patch("web", "mirror/web:2@sha256:" + "d" * 64), "patches[0]",
    ),
}  # fmt: skip


def _run(
    folder: Path, kept: Store, old: str, new: str, before: dict[str, str], after: dict[str, str]
) -> Verification:
    return judged(
        folder,
        {**_BASE, **before, "base/up.yaml": old},
        {**after, "base/up.yaml": new},
        upstream=["base"],
        cache=kept,
    )


@pytest.mark.parametrize("name", STILL)
def test_an_edit_beside_the_point_cures_nothing(name: str, tmp_path: Path, kept: Store) -> None:
    old, new, before, after, which, verdict = STILL[name]
    found = item(_run(tmp_path, kept, old, new, before, after), f"overlay: {which}")
    assert verdict in verdicts(found), found
    assert found.severity.rank <= Severity.REVIEW.rank


@pytest.mark.parametrize("name", CURED)
def test_an_edit_that_follows_upstream_leaves_nothing(name: str, tmp_path: Path, kept: Store) -> None:
    old, new, before, after, which = CURED[name]
    verification = _run(tmp_path, kept, old, new, before, after)
    assert item(verification, f"overlay: {which}").verdict is Verdict.OK, alarms(verification)
    assert alarms(verification) == []


@pytest.mark.parametrize("name", STILL)
def test_without_the_edit_the_verdict_is_the_same(name: str, tmp_path: Path, kept: Store) -> None:
    old, new, before, _, which, verdict = STILL[name]
    found = item(_run(tmp_path, kept, old, new, before, before), f"overlay: {which}")
    assert verdict in verdicts(found), found


def test_a_successor_is_named_as_for_what_nobody_edited(tmp_path: Path, kept: Store) -> None:
    old, new, before, after, _, _ = STILL["image renamed, tag followed"]
    assert "acme/server" in words(_run(tmp_path, kept, old, new, before, after))


def test_what_an_edit_has_cured_is_said(tmp_path: Path, kept: Store) -> None:
    found = _run(tmp_path, kept, *CURED["container renamed in the patch as well"][:4])
    assert "edited" in item(found, "overlay: patches[0]").why
    assert "misapplied" in item(found, "overlay: patches[0]").why


def test_what_an_edit_has_not_cured_is_said(tmp_path: Path, kept: Store) -> None:
    found = _run(tmp_path, kept, *STILL["container renamed, limit raised"][:4])
    assert "not cured" in item(found, "overlay: patches[0]").why


def test_an_entry_inserted_before_others_is_no_edit_of_them(tmp_path: Path, kept: Store) -> None:
    before = _entry("images", '[{name: acme/web, newTag: "1.1"}]')
    after = _entry("images", '[{name: acme/other, newTag: "7"}, {name: acme/web, newTag: "2.1"}]')
    found = _run(tmp_path, kept, deployment(), deployment(image="acme/server:2"), before, after)
    assert item(found, "overlay: images[1]").verdict is Verdict.LOST
    assert item(found, "overlay: images[0]").verdict is Verdict.UNUSED


_SHA = "sha256:" + "c" * 64


@pytest.mark.parametrize(
    ("before", "after", "is_found"),
    [
        (_entry("images", f'[{{name: acme/web, newTag: "1", digest: "{_SHA}"}}]'),
         _entry("images", f'[{{name: acme/web, newTag: "2", digest: "{_SHA}"}}]'), True),
        (_image_patch("web", f"mirror/web:1@{_SHA}"), _image_patch("web", f"mirror/web:2@{_SHA}"), True),
        (_json(_PREFIXED.format(0, f"1@{_SHA}")), _json(_PREFIXED.format(0, f"2@{_SHA}")), True),
        (_entry("images", f'[{{name: acme/web, newTag: "1", digest: "{_SHA}"}}]'),
         _entry("images", f'[{{name: acme/web, newTag: "2", digest: "{_SHA[:-1]}d"}}]'), False),
        (_entry("images", f'[{{name: acme/web, newTag: "1", digest: "{_SHA}"}}]'),
         _entry("images", '[{name: acme/web, newTag: "2"}]'), False),
        (_image_patch("web", "mirror/web:1"), _image_patch("web", "mirror/web:2"), False),
        (_image_patch("web", f"mirror/web:1@{_SHA}"), _image_patch("web", f"mirror/web:2@{_SHA[:-1]}d"), False),
    ],
)  # fmt: skip
def test_a_tag_that_moves_beside_a_digest_leaves_the_old_image_running(
    tmp_path: Path, kept: Store, before: dict[str, str], after: dict[str, str], is_found: bool
) -> None:
    found = _run(tmp_path, kept, deployment(), deployment(image="acme/web:2"), before, after)
    assert bool(alarms(found)) is is_found, alarms(found)
    assert ("same image" in words(found)) is is_found


def _blanked(path: str, data: bytes) -> bytes:
    """As `edits:` would name it: what stands behind newTag, or as the tag of mirror/web."""
    import re

    text = re.sub(r'(newTag: )"[^"]*"', r'\1"x"', data.decode())
    return re.sub(r"(mirror/web:)[\w.]+", r"\1x", text).encode() if path.startswith("overlay/") else data


@pytest.mark.parametrize("name", ["container renamed, image followed", "image renamed, tag followed",
                                  "index shifted, value edited"])  # fmt: skip
def test_values_that_follow_the_version_are_no_edit_of_anybodys(
    name: str, tmp_path: Path, kept: Store
) -> None:
    old, new, before, after, which, verdict = STILL[name]
    found = judged(
        tmp_path, {**_BASE, **before, "base/up.yaml": old}, {**after, "base/up.yaml": new},
        upstream=["base"], cache=kept, followed=_blanked,
    )  # fmt: skip
    judgement = item(found, f"overlay: {which}")
    assert verdict in verdicts(judgement)
    assert "edit" not in judgement.why


@pytest.mark.parametrize("name", ["tag raised with upstream", "digest followed"])
def test_a_pin_that_follows_is_well(name: str, tmp_path: Path, kept: Store) -> None:
    old, new, before, after, which = CURED[name]
    found = judged(
        tmp_path, {**_BASE, **before, "base/up.yaml": old}, {**after, "base/up.yaml": new},
        upstream=["base"], cache=kept, followed=_blanked,
    )  # fmt: skip
    assert item(found, f"overlay: {which}").verdict is Verdict.OK, alarms(found)


def test_a_file_of_a_generator_that_was_edited_is_an_edit_of_the_generator(tmp_path: Path):
    """Its own content changed by hand, beside an update of the base: nobody else's doing."""
    base = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{a: '{a}', b: '1'}}\n"
    for side, upstream, own in (("old", "1", "x=1\n"), ("new", "2", "x=2\n")):
        root = tmp_path / side
        write_files(root, {
            "base/all.yaml": base.format(a=upstream),
            "base/kustomization.yaml": "resources: [all.yaml]\n",
            "overlay/kustomization.yaml": (
                "resources: [../base]\n"
                "configMapGenerator: [{name: own, files: [app.properties]}, {name: settings, behavior: merge, files: [b=app.properties]}]\n"
            ),
            "overlay/app.properties": own,
        })  # fmt: skip
    report = verify_trees(
        tmp_path / "old", tmp_path / "new", ["overlay"], kustomize=Engines().kustomize(), upstream=["base"]
    )
    items = {item.item: item for item in report.items if item.field == "configMapGenerator"}
    assert len(items) == 2
    assert {item.verdict for item in items.values()} == {Verdict.OK}
