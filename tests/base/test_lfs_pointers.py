"""A pointer of Git LFS in place of a manifest is refused in the reader's words, whatever form it has."""

from __future__ import annotations

import pytest
from tests.base.test_validate import OBJECT, SOURCES, make

from upstreamsync.errors import ContentError
from upstreamsync.kit.digests import sha256

DIGEST = sha256(OBJECT)
PLAIN = f"version https://git-lfs.github.com/spec/v1\noid {DIGEST}\nsize {len(OBJECT)}\n".encode()
FORMS = {
    "as it is written today": PLAIN,
    "CRLF": PLAIN.replace(b"\n", b"\r\n"),
    "a BOM in front": b"\xef\xbb\xbf" + PLAIN,
    "the alpha's version": PLAIN.replace(b"https://git-lfs.github.com/spec/v1", b"http://git-media.io/v/2"),
    "the pre-release's version": PLAIN.replace(b"git-lfs.github", b"hawser.github"),
    "a version to come": PLAIN.replace(b"spec/v1", b"spec/v2"),
    "extensions": PLAIN.replace(b"oid", b"ext-0-pack " + DIGEST.encode() + b"\next-1-seal sha256:00\noid"),
    "no newline at its end": PLAIN.rstrip(),
    "space around it": b"\n" + PLAIN.replace(b"\n", b" \n") + b"\n\n",
    "its first line alone": PLAIN.partition(b"\n")[0],
}
WORDS = r"install\.yaml is a pointer of Git LFS, not the file that it points to"


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_a_pointer_becomes_a_base(form, kind):
    with pytest.raises(ContentError, match=WORDS) as caught:
        make({"install.yaml": FORMS[form]}, kind)
    assert "git host" in caught.value.hint


@pytest.mark.parametrize("name", ["a.json", "a.yml", "A.YAML", "install"])
@pytest.mark.parametrize("form", ["CRLF", "the pre-release's version"])
def test_under_every_name_of_a_manifest(name, form):
    with pytest.raises(ContentError, match="pointer of Git LFS"):
        make({name: FORMS[form]})


@pytest.mark.parametrize(
    "steps",
    [
        {"select": {"include": [{"kind": "ConfigMap"}]}},
        {"layout": "per-resource"},
        {"layout": "one-file", "file": "all.yaml"},
        {"strip_comments": True},
        {"manifests": False},
    ],
    ids=lambda steps: next(iter(steps)),
)
@pytest.mark.parametrize("kind", ["url", "git"])
def test_whatever_is_done_with_it(steps, kind):
    with pytest.raises(ContentError, match="pointer of Git LFS"):
        make({"install.yaml": PLAIN, "other.yaml": OBJECT}, kind, **steps)


@pytest.mark.parametrize("tree", [kind for kind in SOURCES if kind in ("git", "archive", "command")])
@pytest.mark.parametrize("form", FORMS)
def test_one_among_the_files_of_a_folder(tree, form):
    with pytest.raises(ContentError, match=r"^deep/b\.yaml is a pointer of Git LFS"):
        make({"a.yaml": OBJECT, "deep/b.yaml": FORMS[form], "README.md": b"# x\n"}, tree)


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"kustomization.yaml": PLAIN, "a.yaml": OBJECT}, "kustomization.yaml"),
        ({"Kustomization": FORMS["CRLF"], "a.yaml": OBJECT}, "Kustomization"),
        ({"kustomization.yaml": b"resources: [a.yaml]\n", "a.yaml": PLAIN}, "a.yaml"),
        (
            {
                "kustomization.yaml": b"resources: [a.yaml]\npatches: [{path: p.yaml}]\n",
                "a.yaml": OBJECT,
                "p.yaml": PLAIN,
            },
            "p.yaml",
        ),
        (
            {
                "kustomization.yaml": b"configMapGenerator: [{name: x, files: [logo.png]}]\n",
                "logo.png": PLAIN,
            },
            "logo.png",
        ),
        (
            {"kustomization.yaml": b"configMapGenerator: [{name: x, envs: [app.env]}]\n", "app.env": PLAIN},
            "app.env",
        ),
        ({"Chart.yaml": b"name: x\n", "templates/a.yaml": PLAIN}, "templates/a.yaml"),
        ({"Chart.yaml": b"name: x\n", "values.yaml": PLAIN, "templates/a.yaml": OBJECT}, "values.yaml"),
        ({"Chart.yaml": b"name: x\n", "templates/_x.tpl": FORMS["CRLF"]}, "templates/_x.tpl"),
        ({"Chart.yaml": b"name: x\n", "charts/y-1.0.0.tgz": PLAIN}, "charts/y-1.0.0.tgz"),
    ],
)
def test_also_in_files_that_kustomize_and_helm_read(files, named):
    with pytest.raises(ContentError, match="is a pointer of Git LFS") as caught:
        make(files, "git")
    assert str(caught.value.message).startswith(f"{named} is")


@pytest.mark.parametrize(
    "data",
    [
        b"# version https://git-lfs.github.com/spec/v1\n" + OBJECT,
        b"# version https://hawser.github.com/spec/v1\r\n" + OBJECT,
        OBJECT + b"data:\n  version: https://git-lfs.github.com/spec/v1\n",
        OBJECT + b"data:\n  pointer: |\n" + PLAIN.replace(b"\n", b"\n    ").join([b"    ", b"\n"]),
        OBJECT + b"binaryData: {}\n# oid sha256:00\n# size 12\n",
    ],
)
@pytest.mark.parametrize("kind", SOURCES)
def test_what_merely_speaks_of_one_is_a_manifest(data, kind):
    assert make({"install.yaml": data}, kind)["install.yaml"] == data


@pytest.mark.parametrize(
    "others",
    [
        {"logo.png": PLAIN},
        {"docs/demo.gif": FORMS["CRLF"], "docs/a.md": b"# x\n"},
        {"dist/tool.tar.gz": FORMS["the pre-release's version"]},
        {"LICENSE": PLAIN},
        {"charts.txt": FORMS["extensions"], "a.pdf": PLAIN},
    ],
)
def test_other_files_of_a_folder_may_be_pointers(others):
    files = {"a.yaml": OBJECT, **others}
    made = make(files, "git")
    assert {path: made[path] for path in files} == files
    assert b"- a.yaml\n" in made["kustomization.yaml"]


def test_an_image_beside_a_kustomization_that_does_not_read_it():
    files = {"kustomization.yaml": b"resources: [a.yaml]\n", "a.yaml": OBJECT, "logo.png": PLAIN}
    assert make(files, "git") == files
