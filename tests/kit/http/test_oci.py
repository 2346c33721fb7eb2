"""Registries: pages, tokens, digests; with the registry of the test world."""

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import respx

from upstreamsync.errors import Denied, DigestMismatch, Malformed, NotFound, Refused, TooLarge, UsageError
from upstreamsync.kit.http.client import Http
from upstreamsync.kit.http.credentials import Credentials
from upstreamsync.kit.http.oci import Oci, Reference
from upstreamsync.kit.store.cache import Cache
from upstreamsync.testing import World


@pytest.fixture
def world() -> Iterator[World]:
    with World() as made:
        yield made


def client(credentials: Credentials | None = None) -> Http:
    return Http(cache=Cache(None), credentials=credentials, backoff=0.001)


def host(world: World) -> str:
    return world.url.removeprefix("http://")


def test_all_pages_of_tags_in_order(world: World) -> None:
    repository = world.registry.repository("x/app")
    names = [f"1.0.{number}" for number in range(25)]
    for name in names:
        world.registry.add_image(repository, name, {})
    world.registry.page_size = 10
    with client() as web:
        assert sorted(Oci(web).tags(f"{host(world)}/x/app")) == sorted(names)
        assert len(web.requests) == 3


def test_manifest_and_blob_by_tag_and_digest(world: World) -> None:
    repository = world.registry.repository("x/app")
    pushed = world.registry.add_image(repository, "v1", {"a": "b"})
    reference = f"oci://{host(world)}/x/app"
    with client() as web:
        oci = Oci(web)
        digest, manifest = oci.manifest(reference, "v1")
        assert digest == pushed
        assert oci.manifest(reference, digest) == (digest, manifest)
        assert oci.manifest(f"{reference}:v1") == (digest, manifest)
        config = oci.blob(reference, manifest["config"]["digest"])
        assert json.loads(config)["config"]["Labels"] == {"tag": "v1", "a": "b"}
        with pytest.raises(NotFound):
            oci.manifest(reference, "v2")


def test_one_token_per_repository_and_run(world: World) -> None:
    for name in ("x/one", "x/two"):
        repository = world.registry.repository(name, auth=True)
        world.registry.add_image(repository, "v1", {})
    with client() as web:
        for _ in range(2):
            for name in ("x/one", "x/two"):
                oci = Oci(web)
                _, manifest = oci.manifest(f"{host(world)}/{name}", "v1")
                oci.tags(f"{host(world)}/{name}")
                oci.blob(f"{host(world)}/{name}", manifest["config"]["digest"])
    assert set(world.registry.tokens.values()) == {1}
    assert len(world.registry.tokens) == 2
    assert [status for _, _, status in web.requests].count(401) == 2


def test_users_of_private_repositories(world: World, tmp_path: Path) -> None:
    repository = world.registry.repository("x/private", user="me", password="my-password")
    world.registry.add_image(repository, "v1", {})
    reference = f"{host(world)}/x/private"
    for password, allowed in (("my-password", True), ("wrong-word", False), (None, False)):
        file = tmp_path / f"{password}.json"
        auth = base64.b64encode(f"me:{password}".encode()).decode()
        file.write_text(json.dumps({"auths": {host(world): {"auth": auth}}} if password else {}))
        with client(Credentials(registries=(file,))) as web:
            if allowed:
                assert Oci(web).tags(reference) == ("v1",)
            else:
                with pytest.raises(Denied) as caught:
                    Oci(web).tags(reference)
                assert caught.value.hint


REGISTRY = "https://registry.example.org/v2/x/app"


def mocked(path: str, **answer: Any) -> respx.Route:
    return respx.get(f"{REGISTRY}/{path}").respond(**answer)


@respx.mock
def test_bytes_that_are_not_what_was_promised() -> None:
    other = f"sha256:{'0' * 64}"
    mocked("manifests/v1", content=b"{}", headers={"Docker-Content-Digest": other})
    mocked(f"manifests/{other}", content=b"{}")
    mocked(f"blobs/{other}", content=b"x")
    with client() as web:
        oci = Oci(web)
        for call in (
            lambda: oci.manifest("registry.example.org/x/app", "v1"),
            lambda: oci.manifest("registry.example.org/x/app", other),
            lambda: oci.blob("registry.example.org/x/app", other),
        ):
            with pytest.raises(DigestMismatch):
                call()
        right = f"sha512:{hashlib.sha512(b'x').hexdigest()}"
        mocked(f"blobs/{right}", content=b"x")
        assert oci.blob("registry.example.org/x/app", right) == b"x"


@respx.mock
def test_answers_that_make_no_sense() -> None:
    tags = mocked("tags/list")
    for body in (b"<html>", b"[]", b'{"tags": 7}', b"[" * 100_000):
        tags.respond(content=body)
        with pytest.raises(Malformed), client() as web:
            Oci(web).tags("registry.example.org/x/app")
    for body, expected in ((b'{"tags": null}', ()), (b'{"tags": ["v1", 7, "a b", "v1"]}', ("v1",))):
        tags.respond(content=body)
        with client() as web:
            assert Oci(web).tags("registry.example.org/x/app") == expected


@respx.mock
@pytest.mark.parametrize(
    ("link", "error"),
    [
        ("</v2/x/app/tags/list?n=1000>", TooLarge),
        ("<https://evil.example/v2/x/app/tags/list>", Refused),
        ("</v2/y/tags/list>", Refused),
        ("<http://[x>", Refused),
    ],
)
def test_pages_that_lead_nowhere(link: str, error: type[Exception]) -> None:
    mocked("tags/list", content=b'{"tags": []}', headers={"Link": f'{link}; rel="next"'})
    with client() as web, pytest.raises(error):
        Oci(web).tags("registry.example.org/x/app")


@respx.mock
@pytest.mark.parametrize(
    "link",
    [
        "</v2/x/app/tags/list?last=v1&n=1>",
        "<list?last=v1&n=1>",
        "<http://registry.example.org/v2/x/app/tags/list?last=v1&n=1>",
        "<https://registry.example.org:8443/v2/x/app/tags/list?last=v1&n=1>",
        "</x/app/tags/list?last=v1&n=1>",
        "</v2/app/tags/list?last=v1&n=1>",
        "</artifactory/api/docker/hub/v2/x/app/tags/list?last=v1&n=1>",
        "<?last=v1&n=1>",
    ],
)
def test_pages_are_followed_on_our_own_path(link: str) -> None:
    """Registries behind proxies do not know how they are reached."""
    pages = respx.get(url__startswith="https://registry.example.org/v2/x/app/tags/list")
    pages.side_effect = lambda request: (
        respx.MockResponse(200, json={"tags": ["v2"]})
        if request.url.params.get("last") == "v1"
        else respx.MockResponse(200, json={"tags": ["v1"]}, headers={"Link": f'{link}; rel="next"'})
    )
    with client() as web:
        assert Oci(web).tags("registry.example.org/x/app") == ("v1", "v2")


@respx.mock
def test_an_identity_token_is_exchanged_by_post(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"auths": {"registry.example.org": {"identitytoken": "refresh-me"}}}))
    challenge = 'Bearer realm="https://auth.example.org/token",service="s",scope="repository:x/app:pull"'
    token = respx.post("https://auth.example.org/token").respond(json={"access_token": "fresh-token"})
    listed = mocked("tags/list")
    listed.side_effect = lambda request: (
        respx.MockResponse(200, json={"tags": ["v1"]})
        if request.headers.get("authorization") == "Bearer fresh-token"
        else respx.MockResponse(401, headers={"WWW-Authenticate": challenge})
    )
    with client(Credentials(registries=(file,))) as web:
        assert Oci(web).tags("registry.example.org/x/app") == ("v1",)
    assert b"refresh_token=refresh-me" in token.calls[0].request.content


@respx.mock
@pytest.mark.parametrize(
    "realm", ["http://127.0.0.1:1/token", "http://evil.example/token", "file:///etc/passwd", "", "http://[x"]
)
def test_tokens_are_not_fetched_from_just_anywhere(realm: str) -> None:
    mocked("tags/list", status_code=401, headers={"WWW-Authenticate": f'Bearer realm="{realm}"'})
    with client() as web, pytest.raises((Refused, UsageError)):
        Oci(web).tags("registry.example.org/x/app")


@pytest.mark.parametrize(
    ("text", "url", "version"),
    [
        ("oci://ghcr.io/org/charts/x", "https://ghcr.io/v2/org/charts/x", None),
        ("nginx:1.27", "https://registry-1.docker.io/v2/library/nginx", "1.27"),
        ("org/app", "https://registry-1.docker.io/v2/org/app", None),
        ("127.0.0.1:5000/a", "http://127.0.0.1:5000/v2/a", None),
        ("https://localhost:5000/a", "https://localhost:5000/v2/a", None),
        (f"quay.io/a/b@sha256:{'a' * 64}", "https://quay.io/v2/a/b", f"sha256:{'a' * 64}"),
    ],
)
def test_references(text: str, url: str, version: str | None) -> None:
    reference = Reference.parse(text)
    assert (reference.url, reference.version) == (url, version)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "oci://",
        "ghcr.io/",
        "ghcr.io/UPPER/x",
        "ghcr.io/a/../b",
        "ghcr.io/a?x=1",
        "a b/c",
        "ftp://x/y",
        "x@sha256:1",
        "u:p@ghcr.io/x",
        "[::g]/x",
        "[:1:]/x",
    ],
)
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(UsageError):
        Reference.parse(text)
