"""Follow-up edits: each place in which a version may stand, changed alone, and read back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upstreamsync.base.edits import apply_edits, current_value, follow_up
from upstreamsync.config.spec import Edit, Vendor
from upstreamsync.errors import EditError
from upstreamsync.kit.templates import release_values
from upstreamsync.model import ImageFinding, Place, Release

FILES = {
    "kustomization.yaml": """\
images:
  - name: quay.io/a/b   # keep
    newTag: "1.8.3.2"
  - name: quay.io/a/c
    newName: mirror/c-1.8
    digest: sha256:old
resources: [base]
""",
    "application.yaml": """\
kind: Application
spec:
  source:
    targetRevision: 1.8.3   # chart
    helm:
      values: |
        # the team's
        image:
          tag: v1.8.3
        replicas: 2
""",
    "deployment.yaml": """\
spec:
  containers:
  - name: x
    image: quay.io/a/b:1.8.3.2
    env:
    - {name: IMAGE, value: "quay.io/a/b:1.8.3.2"}
    - name: OTHER
      value: x
""",
    "README.md": "See [the docs](https://h/v1.8/docs) and [more](https://h/v1.8/more).\r\nVERSION := 1.8.3\r\n",
}
RELEASE = Release(version="1.9.0.1", ref="v1.9.0", digest="sha256:new", groups={"upstream": "1.9.0"})
READ = {path: text.encode() for path, text in FILES.items()}.get

CASES = [
    ({"file": "kustomization.yaml", "image": "quay.io/a/b", "tag": "{version}"}, '"1.8.3.2"', '"1.9.0.1"', 3),
    ({"file": "kustomization.yaml", "image": "quay.io/a/c", "digest": "{digest}"}, "sha256:old", "sha256:new", 6),
    ({"file": "kustomization.yaml", "image": "quay.io/a/c", "name": "mirror/c-{major}.{minor}"}, "c-1.8", "c-1.9", 5),
    ({"file": "application.yaml", "path": "spec.source.targetRevision", "value": "{upstream}"}, "1.8.3 ", "1.9.0 ", 4),
    ({"file": "application.yaml", "path": "spec.source.helm.values|image.tag", "value": "{ref}"},
     "v1.8.3", "v1.9.0", 9),
    ({"file": "deployment.yaml", "env": "IMAGE", "value": "quay.io/a/b:{version}"}, "b:1.8.3.2\"", "b:1.9.0.1\"", 6),
    ({"file": "deployment.yaml", "path": "spec.containers[0].image", "value": "quay.io/a/b:{version}"},
     "b:1.8.3.2\n", "b:1.9.0.1\n", 4),
    ({"file": "README.md", "pattern": r"https://h/(v[\d.]+)/", "value": "v{major}.{minor}"}, "v1.8/", "v1.9/", 1),
    ({"file": "README.md", "pattern": "^VERSION := (.*)$", "value": "{upstream}"}, ":= 1.8.3", ":= 1.9.0", 2),
]  # fmt: skip


def edits(*raw: dict) -> list[Edit]:
    return [Edit.model_validate(one) for one in raw]


@pytest.mark.parametrize(("raw", "before", "after", "line"), CASES)
def test_one_value_changes_and_nothing_else(raw, before, after, line):
    done = apply_edits(edits(raw), release_values(RELEASE), READ)
    assert {path: data.decode() for path, data in done.files.items()} == {
        raw["file"]: FILES[raw["file"]].replace(before, after)
    }
    (made,) = done.edited
    assert made.place.file == raw["file"]
    assert made.place.line == line
    assert made.before in FILES[raw["file"]]
    assert made.after in done.files[raw["file"]].decode()
    assert made.before != made.after


@pytest.mark.parametrize(("raw", "before", "after", "line"), CASES)
def test_a_value_that_is_right_already_is_no_change(raw, before, after, line):
    done = apply_edits(edits(raw), release_values(RELEASE), READ)
    again = apply_edits(edits(raw), release_values(RELEASE), lambda path: done.files.get(path) or READ(path))
    assert (again.files, again.edited) == ({}, ())


def test_edits_of_one_file_stand_upon_one_another():
    done = apply_edits(edits(*(raw for raw, *_ in CASES)), release_values(RELEASE), READ)
    assert sorted(done.files) == sorted(FILES)
    assert len(done.edited) == len(CASES)
    assert done.files["kustomization.yaml"].decode() == (
        FILES["kustomization.yaml"]
        .replace("1.8.3.2", "1.9.0.1")
        .replace("c-1.8", "c-1.9")
        .replace(":old", ":new")
    )


def test_an_image_may_get_name_and_tag_by_one_edit():
    raw = {"file": "k", "image": "a", "name": "b-{major}", "tag": "{version}"}
    done = apply_edits(
        edits(raw), release_values(RELEASE), {"k": b"images: [{name: a, newName: b-1, newTag: x}]\n"}.get
    )
    assert done.files["k"] == b"images: [{name: a, newName: b-1, newTag: 1.9.0.1}]\n"
    assert [one.what for one in done.edited] == ["tag of image `a`"]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"file": "gone.yaml", "path": "a", "value": "1"}, "`gone.yaml` is to be edited, and is not there"),
        ({"file": "kustomization.yaml", "image": "x", "tag": "1"}, "no entry `x`"),
        ({"file": "kustomization.yaml", "path": "spec.x", "value": "1"}, "there is no `spec`"),
        ({"file": "deployment.yaml", "env": "GONE", "value": "1"}, "no variable `GONE`"),
        ({"file": "README.md", "pattern": "(gone)", "value": "1"}, "matches nothing"),
        (
            {"file": "README.md", "pattern": "VERSION := (.*)", "value": "{nope}"},
            "nothing fills the placeholder {nope}",
        ),
        ({"file": "binary", "pattern": "(x)", "value": "1"}, "not UTF-8"),
    ],
)
def test_an_edit_that_finds_nothing_is_an_error_with_a_place_and_a_hint(raw, words):
    good = {"file": "README.md", "pattern": "VERSION := (.*)", "value": "2"}
    with pytest.raises(EditError) as caught:
        apply_edits(
            edits(good, raw),
            release_values(RELEASE),
            lambda path: b"\xff\xfe" if path == "binary" else READ(path),
        )
    assert words in caught.value.message
    assert caught.value.place is None or caught.value.place.file == raw["file"]
    assert caught.value.hint or "binary" in words or "UTF-8" in words


def test_a_placeholder_that_this_release_lacks():
    raw = {"file": "kustomization.yaml", "image": "quay.io/a/c", "digest": "{digest}"}
    with pytest.raises(EditError, match=r"nothing fills the placeholder \{digest\}") as caught:
        apply_edits(edits(raw), release_values(Release(version="1", ref="1")), READ)
    assert caught.value.place == Place(file="kustomization.yaml")
    assert "{semver}" in caught.value.hint


# -- reading back -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "version"),
    [
        ({"file": "kustomization.yaml", "image": "quay.io/a/b", "tag": "{version}"}, "1.8.3.2"),
        (
            {"file": "application.yaml", "path": "spec.source.helm.values|image.tag", "value": "v{semver}"},
            "1.8.3",
        ),
        (
            {"file": "application.yaml", "path": "spec.source.helm.values|image.tag", "value": "{ref}"},
            "v1.8.3",
        ),
        ({"file": "deployment.yaml", "env": "IMAGE", "value": "quay.io/a/b:{version}"}, "1.8.3.2"),
        ({"file": "README.md", "pattern": "^VERSION := (.*)$", "value": "{tag}"}, "1.8.3"),
    ],
)
def test_the_version_in_use_is_read_from_the_place_that_follows_it(raw, version):
    assert current_value(edits(raw)[0], READ) == version


@pytest.mark.parametrize(
    "raw",
    [
        {"file": "kustomization.yaml", "image": "quay.io/a/b", "tag": "x-{version}"},
        {"file": "kustomization.yaml", "image": "quay.io/a/b", "tag": "{major}.8.3.2"},
        {"file": "kustomization.yaml", "image": "quay.io/a/b", "tag": "latest"},
    ],
)
def test_a_version_that_can_not_be_told_is_an_error(raw):
    with pytest.raises(EditError, match="can't be told") as caught:
        current_value(edits(raw)[0], READ)
    assert "version:" in caught.value.hint


@settings(deadline=None)
@given(version=st.from_regex(r"v?[0-9]{1,3}(\.[0-9]{1,3}){1,3}(-[a-z0-9.]{1,5})?", fullmatch=True))
def test_what_was_written_is_read_back(version):
    raw = {"file": "deployment.yaml", "env": "IMAGE", "value": "host:5000/a:{version}-x"}
    done = apply_edits(edits(raw), release_values(Release(version=version, ref="r")), READ)
    assert current_value(edits(raw)[0], done.files.get) == version


# -- a whole step -----------------------------------------------------------------------------------


def test_a_step_makes_the_vendors_edits_and_those_of_each_image_that_moves():
    vendor = Vendor.model_validate({
        "name": "v",
        "version": "1.8.3.2",
        "releases": {"oci": "quay.io/a/b"},
        "edits": [{"file": "kustomization.yaml", "image": "quay.io/a/b", "tag": "{version}"}],
        "images": [
            {"image": "h/x", "edits": [{"file": "deployment.yaml", "env": "OTHER", "value": "h/x:{version}"}]},
            {"image": "h/y", "edits": [{"file": "README.md", "pattern": "VERSION := (.*)", "value": "{version}"}]},
        ],
    })  # fmt: skip
    moved = ImageFinding(key=0, image="h/x", current="1", target=Release(version="7", ref="7"))
    stays = ImageFinding(key=1, image="h/y", current="1")
    done = follow_up(vendor, RELEASE, [moved, stays], READ)
    assert [(one.place.file, one.after) for one in done.edited] == [
        ("kustomization.yaml", "1.9.0.1"),
        ("deployment.yaml", "h/x:7"),
    ]
    assert follow_up(vendor, None, [stays], READ).files == {}
