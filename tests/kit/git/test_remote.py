"""Remote repositories, with real git over file://."""

import os
import subprocess
from pathlib import Path

import pytest

from upstreamsync.errors import NotFound, Refused, Unreachable, UpstreamsyncError, UsageError
from upstreamsync.kit.git.command import checked_address, checked_ref
from upstreamsync.kit.git.remote import Git
from upstreamsync.kit.store.cache import Cache


def git(folder: Path, *words: str) -> str:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    who = (("NAME", "Test"), ("EMAIL", "test@example.org"))
    env |= {f"GIT_{role}_{field}": value for role in ("AUTHOR", "COMMITTER") for field, value in who}
    return subprocess.run(
        ["git", *words], cwd=folder, env=env, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    folder = tmp_path / "upstream"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "config", "uploadpack.allowFilter", "true")
    (folder / "config" / "crd").mkdir(parents=True)
    (folder / "config" / "crd" / "a.yaml").write_text("a: 1\n")
    (folder / "config" / "b.yaml").write_bytes(b"b: 1\r\n")
    (folder / "gen.sh").write_text("#!/bin/sh\n")
    (folder / "gen.sh").chmod(0o755)
    (folder / "link").symlink_to("/etc/passwd")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "one")
    git(folder, "tag", "v1.0.0")
    (folder / "config" / "b.yaml").write_text("b: 2\n")
    git(folder, "commit", "-q", "-a", "-m", "two")
    git(folder, "tag", "-a", "v2.0.0", "-m", "annotated")
    return folder


@pytest.fixture
def remote(tmp_path: Path) -> Git:
    return Git(cache=Cache(tmp_path / "cache"), allow_local=True, backoff=0.0)


def test_tags_stand_for_their_commits(upstream: Path, remote: Git) -> None:
    refs = remote.ls_remote(upstream.as_uri())
    assert [(ref.name, ref.ref, ref.commit) for ref in refs] == [
        ("v1.0.0", "refs/tags/v1.0.0", git(upstream, "rev-parse", "HEAD~1")),
        ("v2.0.0", "refs/tags/v2.0.0", git(upstream, "rev-parse", "HEAD")),
    ]
    heads = remote.ls_remote(upstream.as_uri(), heads=True, tags=False)
    assert [ref.name for ref in heads] == ["main"]


def test_the_list_is_asked_for_once_a_run(upstream: Path, remote: Git) -> None:
    before = remote.ls_remote(upstream.as_uri())
    git(upstream, "tag", "v3.0.0")
    assert remote.ls_remote(upstream.as_uri()) == before
    assert len(Git(cache=None, allow_local=True).ls_remote(upstream.as_uri())) == 3


@pytest.mark.parametrize("filtering", ["true", "false"])
def test_a_tree_is_listed_and_its_files_are_read(upstream: Path, remote: Git, filtering: str) -> None:
    git(upstream, "config", "uploadpack.allowFilter", filtering)
    tree = remote.fetch_tree(upstream.as_uri(), "v1.0.0")
    assert tree.commit == git(upstream, "rev-parse", "v1.0.0")
    assert tree.paths() == ("config/b.yaml", "config/crd/a.yaml", "gen.sh", "link")
    files = tree.read(["gen.sh", "config/b.yaml", "config/crd/a.yaml"])
    assert [(file.path, file.data, file.executable) for file in files] == [
        ("gen.sh", b"#!/bin/sh\n", True),
        ("config/b.yaml", b"b: 1\r\n", False),
        ("config/crd/a.yaml", b"a: 1\n", False),
    ]
    assert remote.fetch_tree(upstream.as_uri(), "v2.0.0").read(["config/b.yaml"])[0].data == b"b: 2\n"
    assert remote.fetch_tree(upstream.as_uri(), "main").commit == git(upstream, "rev-parse", "main")
    assert tree.read([]) == ()


def test_content_is_fetched_only_when_it_is_read(upstream: Path, remote: Git, tmp_path: Path) -> None:
    tree = remote.fetch_tree(upstream.as_uri(), "v1.0.0")
    (store,) = (tmp_path / "cache" / "git").glob("*/HEAD")

    def blobs() -> int:
        listed = git(store.parent, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)")
        return listed.split().count("blob")

    assert blobs() == 0
    tree.read(["config/b.yaml"])
    assert blobs() == 1


def test_a_commit_that_is_known_is_not_asked_for_again(upstream: Path, remote: Git) -> None:
    commit = remote.fetch_tree(upstream.as_uri(), "v1.0.0").commit
    moved = upstream.rename(upstream.with_name("gone"))
    assert remote.fetch_tree(upstream.as_uri(), commit).commit == commit
    with pytest.raises(NotFound):
        remote.fetch_tree(upstream.as_uri(), "v1.0.0")
    moved.rename(upstream)


def test_a_commit_that_no_branch_names(upstream: Path, remote: Git) -> None:
    commit = git(upstream, "rev-parse", "HEAD~1")
    assert remote.fetch_tree(upstream.as_uri(), commit).commit == commit


def test_a_moved_tag_is_seen(upstream: Path, remote: Git) -> None:
    first = remote.fetch_tree(upstream.as_uri(), "v1.0.0").commit
    git(upstream, "tag", "-f", "v1.0.0", "main")
    assert remote.fetch_tree(upstream.as_uri(), "v1.0.0").commit != first


def test_links_and_absent_files_are_refused(upstream: Path, remote: Git) -> None:
    tree = remote.fetch_tree(upstream.as_uri(), "v1.0.0")
    with pytest.raises(Refused, match="link"):
        tree.read(["link"])
    with pytest.raises(NotFound):
        tree.read(["absent"])


def test_the_last_change_of_a_path(upstream: Path, remote: Git) -> None:
    url = upstream.as_uri()
    assert remote.last_change(url, "v2.0.0", "config/crd") == git(upstream, "rev-parse", "v1.0.0")
    assert remote.last_change(url, "v2.0.0", "config/b.yaml") == git(upstream, "rev-parse", "v2.0.0^{}")
    with pytest.raises(NotFound):
        remote.last_change(url, "v2.0.0", "absent")


@pytest.mark.parametrize(
    ("ref", "error"), [("v9", NotFound), ("0" * 40, NotFound), ("--upload-pack=x", Refused), ("a b", Refused)]
)
def test_a_ref_that_is_none(upstream: Path, remote: Git, ref: str, error: type[UpstreamsyncError]) -> None:
    with pytest.raises(error) as caught:
        remote.fetch_tree(upstream.as_uri(), ref)
    if error is NotFound:
        assert ref in str(caught.value)
        assert caught.value.hint


def test_without_a_cache_everything_works_and_nothing_stays(upstream: Path, tmp_path: Path) -> None:
    for cache in (None, Cache(None), Cache(Path("/proc/nowhere"))):
        remote = Git(cache=cache, allow_local=True)
        assert remote.fetch_tree(upstream.as_uri(), "main").read(["gen.sh"])[0].executable
        remote.close()


def test_what_a_killed_run_left_does_not_stand_in_the_way(
    upstream: Path, remote: Git, tmp_path: Path
) -> None:
    remote.fetch_tree(upstream.as_uri(), "v1.0.0")
    (store,) = (path.parent for path in (tmp_path / "cache" / "git").glob("*/HEAD"))
    (store / "shallow.lock").touch()
    assert remote.fetch_tree(upstream.as_uri(), "v2.0.0").commit
    (store / "complete").unlink()
    (store / "HEAD").unlink()
    assert remote.fetch_tree(upstream.as_uri(), "v2.0.0").commit


def test_nobody_there_is_unreachable_and_says_so(tmp_path: Path) -> None:
    remote = Git(cache=None, backoff=0.0)
    with pytest.raises(Unreachable) as caught:
        remote.ls_remote("https://secretuser:secretpassword@127.0.0.1:1/x.git")
    assert caught.value.hint
    assert "secret" not in str(caught.value)
    with pytest.raises(NotFound):
        Git(cache=None, allow_local=True).ls_remote((tmp_path / "absent").as_uri())


@pytest.mark.parametrize(
    ("url", "protocols"),
    [
        ("https://github.com/a/b", "https"),
        ("ssh://git@github.com:22/a/b.git", "ssh"),
        ("git@github.com:a/b.git", "ssh"),
        ("http://127.0.0.1:8080/a", "http"),
        ("http://localhost/a", "http"),
        ("http://[::1]:80/a", "http"),
    ],
)
def test_addresses_that_are_good(url: str, protocols: str) -> None:
    assert checked_address(url).protocols == protocols


@pytest.mark.parametrize(
    "url",
    [
        "--upload-pack=touch /tmp/x",
        "-u",
        "ext::sh -c x",
        "ext::sh",
        "fd::17",
        "git://github.com/a/b",
        "http://example.org/a",
        "ftp://example.org/a",
        "file:///etc",
        "/etc",
        "../x",
        ".",
        "ssh://-oProxyCommand=x/a",
        "-oProxyCommand=x:a",
        "git@host:-x",
        "git@-host:x",
        "https://",
        "https:///x",
        "https://a b/c",
        "https://a/b\nc",
        "",
        "transport::https://x",
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises((Refused, UsageError)):
        checked_address(url)


def test_user_and_password_leave_the_address() -> None:
    address = checked_address("https://user:p%40ssword@example.org:8443/a.git")
    assert address.url == "https://example.org:8443/a.git"
    assert address.authorization == "Basic dXNlcjpwQHNzd29yZA=="


@pytest.mark.parametrize(
    "ref", ["main", "v1.0.0", "release/1.2", "a" * 40, "refs/heads/main", "ünï", "1.0+build"]
)
def test_refs_that_are_good(ref: str) -> None:
    assert checked_ref(ref) == ref


@pytest.mark.parametrize(
    "ref", ["", "-x", "+x", "a:b", "^a", "a..b", "x.lock", "a/.b", "a@{1}", "a\\b", "x" * 300]
)
def test_refs_that_are_refused(ref: str) -> None:
    with pytest.raises(Refused):
        checked_ref(ref)
