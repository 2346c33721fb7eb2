"""The page as a value and as bytes; what a browser makes of it is in test_page_in_browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace

import pytest

from report.pages import AFTER, BEFORE, EVIL, PATCH, check_findings, inspection, judgement
from upstreamsync.kit.yaml.lines import Lines, lines_of
from upstreamsync.model import Fix, Verdict, Verification
from upstreamsync.report.page.excerpts import excerpt, of_secret
from upstreamsync.report.page.make import page_of_check, page_of_verification
from upstreamsync.report.page.render import render
from upstreamsync.review.sides import Sides


def made(words: str = "") -> str:
    return render(
        page_of_verification(inspection(words), versions=[("app", "v1")], reproduce="upstreamsync verify\n")
    )


def test_the_same_value_gives_the_same_bytes():
    assert made() == made()


def test_the_policy_names_the_one_script_and_the_one_style_sheet():
    html = made(EVIL)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)[1].replace(
        "&#39;", "'"
    )
    parts = {name: words for name, _, words in (one.partition(" ") for one in policy.split("; "))}
    assert parts["default-src"] == "'none'"
    for name, tag in (("script-src", "script"), ("style-src", "style")):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert parts[name] == f"'sha256-{digest}'"
    assert not re.search(
        r"""\s(on\w+|style)=["']""", re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.DOTALL)
    )
    assert not re.search(r"<(link|iframe|object|embed|img|base)\b", html)


def test_what_is_foreign_is_text():
    html = made(EVIL)
    assert "window.broken = 1</script>" not in html
    assert "<img src=x" not in html
    assert "\x1b" not in html
    assert "\u202e" not in html
    data = json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)[1]
    )
    assert any("<script>window.broken = 1</script>" in text for text in data["texts"])


def test_findings_have_their_vendors_texts_and_marks():
    page = page_of_verification(inspection(), versions=(), reproduce="")
    first = page.findings[0]
    assert (first.verdict, first.vendors, first.excerpt.line) == ("lost", ("app",), 3)
    assert page.texts[first.excerpt.text] == PATCH.partition("patches:\n")[2].partition("\nnamespace")[0]
    (web,) = first.objects
    assert (page.texts[web.before], web.marks_before) == (BEFORE, ((6, 6, True),))
    assert [one.verdict for one in page.findings] == ["lost"] * 3 + ["shadows"] * 3 + ["redundant"] * 3
    assert page.well == 3


def test_check_says_what_waits_and_what_is_held_back():
    rows = {row.name: row for row in page_of_check(check_findings()).vendors}
    assert rows["lantern"].links == (("release", "https://example.com/v1.1.0"),)
    assert "a lamp" in rows["lantern"].release_notes
    assert rows["granary"].notes == ("newest is v3.0.0, held back",)
    assert rows["weir"].notes == ("v1.2.0 waits until 2026-03-01 12:00 UTC: younger than 3 days",)
    assert rows["ferry"].notes == ("example.com says 503 ", "What to do: try again")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("spec.replicas", (6, 6, True)),
        ("spec", (5, 7, True)),
        ("spec.template.x", (5, 5, False)),
        ("status", None),
        ("metadata.name", (4, 4, True)),
    ],
)
def test_the_lines_of_a_path(path, expected):
    wanted = () if expected is None else (Lines(first=expected[0], last=expected[1], exact=expected[2]),)
    assert lines_of(BEFORE, [path]) == wanted


def test_the_lines_of_elements():
    text = "a:\n- name: x\n  b: 1\n- name: y\n  b:\n  - c\n  - d\ne.f: 1\n"
    assert lines_of(text, ["a[name=y].b.1", "a.0", "[e.f]", "a[name=z]"]) == (
        Lines(first=7, last=7),
        Lines(first=2, last=3),
        Lines(first=8, last=8),
        Lines(first=1, last=1, exact=False),
    )


def test_a_key_of_an_element_shows_the_whole_element():
    for line in (3, 4, 5, 6):  # also an operation inside of its text
        assert excerpt(judgement(0, Verdict.LOST, line=line), PATCH)[0] == 3
    assert excerpt(judgement(0, Verdict.LOST, line=7), PATCH) == (7, "namespace: x")
    assert excerpt(judgement(0, Verdict.LOST, line=2), PATCH)[1].startswith("patches:\n- target")


def test_a_patch_in_a_file_is_shown_as_its_document():
    item = judgement(0, Verdict.LOST, file="app/overlay/patch.yaml", line=4)
    assert excerpt(item, "a: 1\n---\nb: 1\nc: 2\n---\nd: 1\n") == (3, "b: 1\nc: 2")


def test_the_values_of_a_secret_are_shown_nowhere():
    secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: key\ndata:\n  a: {}\n  b: c2FtZQ==\n"
    (text,) = Sides(secret.format("b25l").encode(), secret.format("dHdv").encode()).changed
    assert "b25l" not in text.before + text.after
    assert "dHdv" not in text.before + text.after
    assert "c2FtZQ" not in text.before + text.after
    assert text.before != text.after
    assert of_secret(judgement(0, Verdict.LOST), secret)
    assert of_secret(judgement(0, Verdict.LOST, resources=("v1 Secret ns/key",)), "- op: add\n")
    assert not of_secret(judgement(0, Verdict.LOST), AFTER)


def test_a_correction_of_a_file_with_generated_secrets_is_not_shown():
    words = "secretGenerator:\n- name: key\n  literals: [password=c2FtZQ]\n"
    fix = Fix(
        file="app/overlay/kustomization.yaml",
        title="correct it",
        before=words + PATCH,
        after=words + PATCH + "#",
    )
    for before, shown in ((fix, False), (replace(fix, before=PATCH, after=PATCH + "#"), True)):
        first, *others = inspection().verification.overlays
        overlays = (replace(first, items=(judgement(0, Verdict.LOST, fix=before),)), *others)
        page = page_of_verification(
            replace(inspection(), verification=Verification(overlays=overlays)), versions=(), reproduce=""
        )
        assert any(one.fix is not None for one in page.findings) is shown
        assert "password" not in "".join(page.texts)


def test_objects_are_paired_whatever_version_of_their_api_they_are_written_in():
    before = b"apiVersion: policy/v1beta1\nkind: X\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Yak\nmetadata: {name: b}\n"
    after = before.replace(b"v1beta1", b"v1").replace(b"name: b", b"name: c")
    found = Sides(before, after).changed
    assert [(one.resource, one.before is None, one.after is None) for one in found] == [
        ("policy/v1 X a", False, False),
        ("v1 Yak c", True, False),
        ("v1 Yak b", False, True),
    ]
    assert Sides(before, after).find("policy/v1 X ns/a").before.startswith("apiVersion: policy/v1beta1")
