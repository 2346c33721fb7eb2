"""Remote repositories over HTTP: filters, credentials, the words of a real server."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from upstreamsync.errors import Denied, NotFound, PushRefused
from upstreamsync.kit.git.remote import Git
from upstreamsync.kit.git.repository import Repository
from upstreamsync.kit.http.credentials import Credentials, basic
from upstreamsync.kit.store.cache import Cache
from upstreamsync.testing import World


@pytest.fixture
def world() -> Iterator[World]:
    with World() as made:
        yield made


def test_tags_and_files(world: World, tmp_path: Path) -> None:
    upstream = world.git("x/app")
    first = upstream.commit({"a/b.yaml": "one\n", "c": "c"}, tag="v1.0.0")
    upstream.commit({"a/b.yaml": "two\n"}, tag="v2.0.0")
    remote = Git(cache=Cache(tmp_path))
    assert [ref.name for ref in remote.ls_remote(upstream.url)] == ["v1.0.0", "v2.0.0"]
    tree = remote.fetch_tree(upstream.url, "v1.0.0")
    assert tree.commit == first
    assert tree.read(["a/b.yaml"])[0].data == b"one\n"
    assert remote.fetch_tree(upstream.url, first).commit == first


def test_what_is_not_there(world: World) -> None:
    upstream = world.git("x/app")
    upstream.commit({"a": "one\n"})
    remote = Git(cache=None, backoff=0.0)
    with pytest.raises(NotFound, match="v9"):
        remote.fetch_tree(upstream.url, "v9")
    with pytest.raises(NotFound):
        remote.ls_remote(f"{world.url}/git/absent.git")


def test_a_private_repository(world: World) -> None:
    upstream = world.git("x/private")
    upstream.commit({"a": "one\n"}, tag="v1")
    world.protect("/git/x/private", "x-access-token", "tok-123456")
    host = world.url.removeprefix("http://")
    with pytest.raises(Denied) as caught:
        Git(cache=None, backoff=0.0).ls_remote(upstream.url)
    assert caught.value.hint
    good = Git(cache=None, credentials=Credentials(tokens={host: "Bearer tok-123456"}))
    assert good.fetch_tree(upstream.url, "v1").read(["a"])[0].data == b"one\n"
    wrong = Git(cache=None, credentials=Credentials(tokens={host: basic("x-access-token", "wrong-word")}))
    with pytest.raises(Denied) as caught:
        wrong.ls_remote(upstream.url)
    assert "wrong-word" not in str(caught.value)
    inside = upstream.url.replace("http://", "http://x-access-token:tok-123456@")
    assert Git(cache=None).ls_remote(inside)[0].name == "v1"


def test_the_users_repository_pushes_with_a_token(world: World, tmp_path: Path) -> None:
    upstream = world.git("me/gitops")
    upstream.commit({"a": "one\n"})
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "clone", "-q", upstream.url, "work"], cwd=tmp_path, env=env, check=True)
    world.protect("/git/me/gitops", "x-access-token", "tok-123456")
    plain = Repository.open(tmp_path / "work")
    with pytest.raises(PushRefused) as caught:
        plain.push("origin", "topic", plain.head(), lease="")
    assert "credentials" in (caught.value.hint or "")
    repository = plain.authorized(basic("x-access-token", "tok-123456"))
    repository.push("origin", "topic", repository.head(), lease="")
    assert set(repository.remote_heads()) == {"main", "topic"}
    config = (tmp_path / "work" / ".git" / "config").read_text()
    assert "tok-123456" not in config
