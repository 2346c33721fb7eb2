from __future__ import annotations

import pytest

from upstreamsync.errors import NotFound, Refused, SelectionError, UsageError
from upstreamsync.kit import globs
from upstreamsync.model import Artifact

TREE = {
    "README.md": "hello\n",
    "deploy/crds/a.yaml": "kind: A\n",
    "deploy/crds/b.yaml": "kind: B\n",
    "deploy/roles/role.yaml": "kind: Role\n",
    "deploy/roles/deep/kustomization.yaml": "resources: []\n",
    "deploy/operator.yaml": "kind: Deployment\n",
    "install/v1.2.3/all.yaml": "kind: V\n",
    "install/v1.2.2/all.yaml": "kind: Old\n",
}


def names(artifact: Artifact) -> list[str]:
    return [file.path for file in artifact.files]


@pytest.fixture
def repository(world):
    remote = world.git("thing")
    remote.commit(TREE, tag="v1.2.3")
    remote.commit({"deploy/operator.yaml": "kind: Later\n"})
    return remote


def git(repository, *paths, **more):
    return {"git": {"repository": repository.url, "paths": list(paths), **more}}


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["deploy/crds/*.yaml"], ["a.yaml", "b.yaml"]),
        (["deploy/crds"], ["a.yaml", "b.yaml"]),
        (["deploy/crds/"], ["a.yaml", "b.yaml"]),
        (["deploy/operator.yaml"], ["operator.yaml"]),
        (
            ["deploy/crds", "deploy/roles/*", "deploy/operator.yaml"],
            ["crds/a.yaml", "crds/b.yaml", "operator.yaml", "roles/role.yaml"],
        ),
        (["deploy/**/*.yaml"], ["crds/a.yaml", "crds/b.yaml", "operator.yaml",
                                "roles/deep/kustomization.yaml", "roles/role.yaml"]),
        (["install/{version}/*"], ["all.yaml"]),
        (["**/[ab].yaml"], ["deploy/crds/a.yaml", "deploy/crds/b.yaml"]),
    ],
)  # fmt: skip
def test_globs_and_what_they_strip(repository, fetch, paths, expected):
    assert names(fetch(git(repository, *paths))) == expected


def test_content_is_that_of_the_tag_and_the_fact_is_its_commit(repository, fetch):
    artifact = fetch(git(repository, "deploy/operator.yaml"))
    assert artifact.files[0].data == b"kind: Deployment\n"
    fact = artifact.resolved[0]
    assert fact.digest == f"git:{repository.sha('v1.2.3')}"
    assert fact.location == f"{repository.url}@v1.2.3"


def test_a_ref_of_its_own(repository, fetch):
    repository.tag("release-1.2", "main")
    artifact = fetch(git(repository, "deploy/operator.yaml", ref="release-{major}.{minor}"))
    assert artifact.files[0].data == b"kind: Later\n"


def test_strip_by_number_and_by_path(repository, fetch):
    assert names(fetch(git(repository, "deploy/roles", strip=0))) == [
        "deploy/roles/deep/kustomization.yaml",
        "deploy/roles/role.yaml",
    ]
    assert names(fetch(git(repository, "deploy/roles/*", strip="deploy"))) == ["roles/role.yaml"]
    with pytest.raises(SelectionError, match="strip: other"):
        fetch(git(repository, "deploy/roles/*", strip="other"))
    with pytest.raises(SelectionError, match="leaves nothing"):
        fetch(git(repository, "deploy/roles/*", strip=3))


def test_exclude(repository, fetch):
    source = git(repository, "deploy", exclude=["deploy/crds", "**/role.yaml"])
    assert names(fetch(source)) == ["operator.yaml", "roles/deep/kustomization.yaml"]
    with pytest.raises(SelectionError, match="exclude: nothing"):
        fetch(git(repository, "deploy", exclude=["nothing"]))


@pytest.mark.parametrize(
    ("glob", "hint"),
    [
        ("deploy/crd/*.yaml", "`deploy/crds/"),
        ("install/*", "`install/*/**` takes what is in them"),
        ("zzz", "at its top there are `README.md`, `deploy`, `install`"),
    ],
)
def test_each_glob_has_to_match(repository, fetch, glob, hint):
    with pytest.raises(SelectionError) as caught:
        fetch(git(repository, "deploy/crds", glob))
    assert glob in caught.value.message
    assert hint in (caught.value.hint or "")


def test_two_files_of_one_name_are_told_apart(repository, fetch):
    with pytest.raises(SelectionError, match=r"both become `all\.yaml`"):
        fetch(git(repository, "install/*/all.yaml", strip=2))


def test_links_are_refused(world, fetch, tmp_path):
    remote = world.git("links")
    remote.commit({"a.yaml": "a: 1\n"})
    from upstreamsync.testing.git import git as run

    clone = tmp_path / "clone"
    run("clone", "-q", str(remote.path), str(clone), cwd=tmp_path)
    (clone / "link.yaml").symlink_to("/etc/passwd")
    run("add", ".", cwd=clone)
    run("-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "link", cwd=clone)
    run("push", "-q", "origin", "HEAD:refs/tags/v1.2.3", cwd=clone)
    assert names(fetch(git(remote, "a.yaml"))) == ["a.yaml"]
    with pytest.raises(Refused, match="link"):
        fetch(git(remote, "*.yaml"))


def test_a_missing_ref(repository, fetch):
    with pytest.raises(NotFound, match="v9"):
        fetch(git(repository, "deploy"), "v9")


def test_a_checksum_is_out_of_place(repository, fetch):
    with pytest.raises(UsageError, match="checksum"):
        fetch({**git(repository, "deploy"), "checksum": "sha256:00"})


@pytest.mark.parametrize(
    ("glob", "path", "expected"),
    [
        ("a/*.yaml", "a/b.yaml", True),
        ("a/*.yaml", "a/b/c.yaml", False),
        ("a/**", "a/b/c.yaml", True),
        ("a/**", "a", False),
        ("**/c.yaml", "c.yaml", True),
        ("a/**/c.yaml", "a/c.yaml", True),
        ("a", "a/b/c", True),
        ("a", "ab", False),
        ("a?c", "a/c", False),
        ("[!a]x", "bx", True),
        ("[!a]x", "/x", False),
        ("[a", "[a", True),
        ("a.c", "abc", False),
        ("*", ".hidden", True),
        ("**/a/**/b", "x/a/y/a/z/b", True),
        ("*a*b*", "xaab", True),
        ("*ab*ab", "abab", True),
        ("*ab*ab", "ab", False),
        ("[z-a]", "b", False),
        ("[a&&b]", "&", True),
    ],
)
def test_glob_rules(glob, path, expected):
    assert globs.matches(glob, path) is expected
