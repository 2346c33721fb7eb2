"""An edit that raises a tag beside a digest moves or drops the digest: it would name the old content for ever."""

from __future__ import annotations

import pytest

from upstreamsync.base.edits import apply_edits
from upstreamsync.config.spec import Edit

OLD, NEW = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
IMAGE = {"file": "k.yaml", "image": "h/app", "tag": "{version}"}


def edited(text: str, edit: dict, **values: str) -> tuple[str, list[tuple[str, str]]]:
    files = {edit["file"]: text.encode()}
    done = apply_edits([Edit.model_validate(edit)], {"version": "1.1.0", **values}, files.get)
    return done.files[edit["file"]].decode(), [(one.before, one.after) for one in done.edited]


@pytest.mark.parametrize(
    ("before", "dropped", "moved"),
    [
        (
            f"images:\n- name: h/app\n  newTag: 1.0.0 # pin\n  digest: {OLD}\n- name: h/b\n",
            "images:\n- name: h/app\n  newTag: 1.1.0 # pin\n- name: h/b\n",
            f"images:\n- name: h/app\n  newTag: 1.1.0 # pin\n  digest: {NEW}\n- name: h/b\n",
        ),
        (
            f"images:\n- name: h/app\n  digest: {OLD} # old\n  newTag: 1.0.0\n",
            "images:\n- name: h/app\n  newTag: 1.1.0\n",
            f"images:\n- name: h/app\n  digest: {NEW} # old\n  newTag: 1.1.0\n",
        ),
        (
            f"images:\n- digest: {OLD}\n  name: h/app\n  newTag: 1.0.0\n",
            "images:\n- name: h/app\n  newTag: 1.1.0\n",
            f"images:\n- digest: {NEW}\n  name: h/app\n  newTag: 1.1.0\n",
        ),
        (
            f"images: [{{name: h/app, newTag: 1.0.0, digest: '{OLD}'}}]\n",
            "images: [{name: h/app, newTag: 1.1.0}]\n",
            None,
        ),
        (
            f"images:\n- name: h/other\n  digest: {OLD}\n- name: h/app\n  newTag: 1.0.0\n",
            f"images:\n- name: h/other\n  digest: {OLD}\n- name: h/app\n  newTag: 1.1.0\n",
            None,
        ),
    ],
)
def test_images_of_a_kustomization(before, dropped, moved):
    text, made = edited(before, IMAGE)
    assert text == dropped
    assert made[0] == ("1.0.0", "1.1.0")
    if moved is not None:
        assert made[1:] == [(OLD, "")]
        text, made = edited(before, IMAGE, digest=NEW)
        assert text == moved
        assert made[1:] == [(OLD, NEW)]


def test_a_digest_that_has_an_edit_of_its_own_is_left_to_it():
    text, _ = edited(
        f"images:\n- name: h/app\n  newTag: 1.0.0\n  digest: {OLD}\n",
        {**IMAGE, "digest": "{digest}"},
        digest=NEW,
    )
    assert text == f"images:\n- name: h/app\n  newTag: 1.1.0\n  digest: {NEW}\n"


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("image.tag", f"image:\n  tag: 1.0.0\n  digest: {OLD}\n", "image:\n  tag: 1.1.0\n  digest: ''\n"),
        ("image.tag", f'image: {{tag: "1.0.0", digest: "{OLD}"}}\n', 'image: {tag: "1.1.0", digest: ""}\n'),
        ("image.tag", "image:\n  tag: 1.0.0\n  digest: ''\n", "image:\n  tag: 1.1.0\n  digest: ''\n"),
        ("image.tag", "image:\n  tag: 1.0.0\n", "image:\n  tag: 1.1.0\n"),
        ("version", f"version: 1.0.0\ndigest: {OLD}\n", f"version: 1.1.0\ndigest: {OLD}\n"),
    ],
)
def test_values_by_their_path(path, before, after):
    edit = {"file": "v.yaml", "path": path, "value": "{version}"}
    text, _ = edited(before, edit)
    assert text.replace('""', "''") == after.replace('""', "''")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"FROM h/app:1.0.0@{OLD}\n", "FROM h/app:1.1.0\n"),
        (f"FROM h/app:1.0.0@{OLD} AS x\n", "FROM h/app:1.1.0 AS x\n"),
        ("FROM h/app:1.0.0\n", "FROM h/app:1.1.0\n"),
        (f"FROM h/app:1.0.0\nFROM h/b:2@{OLD}\n", f"FROM h/app:1.1.0\nFROM h/b:2@{OLD}\n"),
    ],
)
def test_texts(before, after):
    edit = {"file": "Dockerfile", "pattern": r"h/app:([\w.]+)", "value": "{version}"}
    assert edited(before, edit)[0] == after
    if OLD in before and OLD not in after:
        assert edited(before, edit, digest=NEW)[0] == before.replace("1.0.0", "1.1.0").replace(OLD, NEW)


def test_what_stays_loses_no_digest():
    text = f"images:\n- name: h/app\n  newTag: 1.1.0\n  digest: {OLD}\n"
    done = apply_edits([Edit.model_validate(IMAGE)], {"version": "1.1.0"}, {"k.yaml": text.encode()}.get)
    assert done.files == {}
