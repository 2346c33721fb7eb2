"""Pins of images: what pins nothing is none, what equalled upstream and matches nothing is lost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from upstreamsync.model import Severity, Verdict, Verification
from upstreamsync.verify import Store
from verify.small import alarms, deployment, item, judged

_SHA = "sha256:" + "a" * 64
_OTHER = "sha256:" + "b" * 64


def _images(*entries: str) -> dict[str, str]:
    return {
        "overlay/kustomization.yaml": "resources: [../base]\nimages:\n"
        + "".join(f"- {each}\n" for each in entries)
    }


def _patch(image: str, *entries: str) -> dict[str, str]:
    listed = "images:\n" + "".join(f"- {each}\n" for each in entries) if entries else ""
    return {
        "overlay/kustomization.yaml": f"resources: [../base]\npatches: [{{path: p.yaml}}]\n{listed}",
        "overlay/p.yaml": deployment(image=image),
    }


def _run(folder: Path, kept: Store, overlay: dict[str, str], old: str, new: str) -> Verification:
    before = {"base/kustomization.yaml": "resources: [up.yaml]\n", "base/up.yaml": old, **overlay}
    return judged(folder, before, {"base/up.yaml": new}, cache=kept)


#: Overlay, upstream's image before and after, the item, and its verdict.
VARIANTS: Mapping[str, tuple[dict[str, str], str, str, str, Verdict]] = {
    "a mirror's name without a tag": (
        _patch("mirror/web"), "acme/web:1", "acme/web:2", "patches[0]", Verdict.OK,
    ),
    "the same, the tag stands in images": (
        _patch("mirror/web", '{name: mirror/web, newTag: "1.1"}'), "acme/web:1", "acme/web:2", "patches[0]",
        Verdict.OK,
    ),
    "a new name alone": (
        _images("{name: acme/web, newName: mirror/web}"), "acme/web:1", "acme/web:2", "images[0]", Verdict.OK,
    ),
    "a tag that is newer than upstream's": (
        _images('{name: acme/web, newTag: "3"}'), "acme/web:1", "acme/web:2", "images[0]", Verdict.OK,
    ),
    "an old tag": (
        _images('{name: acme/web, newTag: "1.5"}'), "acme/web:1", "acme/web:2", "images[0]", Verdict.SHADOWS,
    ),
    "an old tag in a patch": (_patch("mirror/web:1"), "acme/web:1", "acme/web:2", "patches[0]", Verdict.SHADOWS),
    "a tag that equalled upstream's": (
        _images('{name: acme/web, newTag: "1"}'), "acme/web:1", "acme/web:2", "images[0]", Verdict.SHADOWS,
    ),
    "one that equalled, and matches nothing now": (
        _images('{name: acme/web, newTag: "1"}'), "acme/web:1", "acme/server:2", "images[0]", Verdict.LOST,
    ),
    "one that equalled, and the container is gone": (
        _images('{name: acme/web, newTag: "1"}'), "acme/web:1", "other/thing:2", "images[0]", Verdict.LOST,
    ),
    "one that equalled, and equals": (
        _images('{name: acme/web, newTag: "1"}'), "acme/web:1", "acme/web:1", "images[0]", Verdict.REDUNDANT,
    ),
    "one that is what upstream now has": (
        _images('{name: acme/web, newTag: "2"}'), "acme/web:1", "acme/web:2", "images[0]", Verdict.REDUNDANT,
    ),
    "a tag that moves by itself": (
        _images("{name: acme/web, newTag: latest}"), "acme/web:1", "acme/web:2", "images[0]", Verdict.OK,
    ),
    "a name that was never there": (
        _images('{name: acme/wep, newTag: "2"}'), "acme/web:1", "acme/web:2", "images[0]", Verdict.UNUSED,
    ),
    "an old digest beside a tag": (
        _images(f'{{name: acme/web, newTag: "1", digest: "{_SHA}"}}'), "acme/web:1", "acme/web:2", "images[0]",
        Verdict.SHADOWS,
    ),
    "a tag alone where upstream pins a digest": (
        _patch("mirror/web:1.5"), "acme/web:1", f"acme/web:2@{_OTHER}", "patches[0]", Verdict.SHADOWS,
    ),
    "nothing pinned where upstream pins a digest": (
        _patch("mirror/web"), f"acme/web:1@{_SHA}", f"acme/web:2@{_OTHER}", "patches[0]", Verdict.OK,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_a_pin_is_what_it_says(name: str, tmp_path: Path, kept: Store) -> None:
    overlay, old, new, which, verdict = VARIANTS[name]
    extra = "tty: true"  # what upstream changes besides
    found = _run(tmp_path, kept, overlay, deployment(image=old), deployment(image=new, more=extra))
    judgement = item(found, f"overlay: {which}")
    assert judgement.verdict is verdict, judgement
    if verdict in (Verdict.OK, Verdict.REDUNDANT, Verdict.UNUSED):
        assert alarms(found) == []
    if verdict is Verdict.REDUNDANT:
        assert "matches nothing" not in judgement.why
    assert (judgement.severity.rank <= Severity.REVIEW.rank) is (verdict in (Verdict.SHADOWS, Verdict.LOST))


def test_a_pin_that_was_lost_names_what_took_its_place(tmp_path: Path, kept: Store) -> None:
    overlay, old, new, which, _ = VARIANTS["one that equalled, and matches nothing now"]
    found = _run(tmp_path, kept, overlay, deployment(image=old), deployment(image=new))
    assert "acme/server" in (item(found, f"overlay: {which}").hint or "")


def _two(first: str, second: str, image: str) -> str:
    return deployment().replace(
        '{name: web, image: "acme/web:1"}',
        f'{{name: {first}, image: "{image}"}}, {{name: {second}, image: "acme/side:1"}}',
    )


_LOG = "{name: acme/log, newName: mirror/log}"
_WEB = "{name: acme/web, newName: mirror/web}"


@pytest.mark.parametrize(
    ("entries", "old", "new", "word", "not_a_word"),
    [
        # A name that another entry, or a patch, gives is none of upstream's.
        (
            [_WEB, _LOG],
            _two("web", "log", "acme/log:1"),
            _two("web", "log", "acme/web:1"),
            "acme/web",
            "mirror",
        ),
        (
            [_LOG],
            _two("web", "side", "acme/log:1"),
            _two("web", "side", "acme/server:1"),
            "acme/server",
            "own",
        ),
        ([_LOG], _two("log", "side", "acme/log:1"), _two("web", "side", "acme/side:1"), "", "own"),
    ],
)
def test_what_took_an_images_place_is_upstreams(
    entries: list[str], old: str, new: str, word: str, not_a_word: str, tmp_path: Path, kept: Store
) -> None:
    patch = deployment().replace('{name: web, image: "acme/web:1"}', '{name: mine, image: "own/log:9"}')
    overlay = {**_patch("x", *entries), "overlay/p.yaml": patch}
    found = item(_run(tmp_path, kept, overlay, old, new), f"overlay: images[{len(entries) - 1}]")
    assert found.verdict is Verdict.LOST
    assert word in found.why
    assert not_a_word not in f"{found.why} {found.hint}"


@pytest.mark.parametrize(
    ("entries", "is_cured"),
    [
        (["{name: acme/server, newName: mirror/web}"], True),
        (["{name: acme/side, newName: mirror/web}"], False),
        (["{name: acme/side, newName: mirror/side}", "{name: acme/server, newName: mirror/web}"], True),
        (["{name: acme/side, newName: mirror/side}", "{name: acme/servr, newName: mirror/web}"], False),
    ],
)
def test_an_entry_that_aims_elsewhere_leaves_its_image_to_somebody(
    entries: list[str], is_cured: bool, tmp_path: Path, kept: Store
) -> None:
    before = {"base/kustomization.yaml": "resources: [up.yaml]\n", **_images(_WEB)}
    new = {"base/up.yaml": _two("web", "side", "acme/server:2"), **_images(*entries)}
    found = judged(
        tmp_path,
        {**before, "base/up.yaml": _two("web", "side", "acme/web:1")},
        new,
        upstream=["base"],
        cache=kept,
    )
    assert (alarms(found) == []) == is_cured, alarms(found)


def test_one_cause_in_several_places_is_one_finding(tmp_path: Path, kept: Store) -> None:
    two = deployment() + "---\n" + deployment("api", container="api")
    found = _run(tmp_path, kept, _images('{name: acme/web, newTag: "1"}'), two, two.replace("web:1", "web:2"))
    assert len(item(found, "overlay: images[0]").told) == 1
    assert "(and 1 more)" in item(found, "overlay: images[0]").why
