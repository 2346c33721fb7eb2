"""A hostile upstream of each kind sends us to a service inside: it is not asked, and the other vendors are done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trust.matrix import manifest
from upstreamsync.project import Settings, open_project
from upstreamsync.testing import Fault, GitOps, World

Vendor = dict[str, Any]
GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"


def by_index(world: World, inside: str) -> Vendor:
    world.raw_index(
        "c",
        f"apiVersion: v1\nentries:\n  acme:\n  - {{name: acme, version: 1.0.0, urls: ['{inside}/acme.tgz']}}\n",
    )
    return {"version": "1.0.0", "source": {"helm": {"repository": f"{world.url}/c", "chart": "acme"}}}


def by_index_to_registry(world: World, inside: str) -> Vendor:
    oci = inside.replace("http://", "oci://")
    world.raw_index(
        "r",
        f"apiVersion: v1\nentries:\n  acme:\n  - {{name: acme, version: 1.0.0, urls: ['{oci}/x/acme:1.0.0']}}\n",
    )
    return {"version": "1.0.0", "source": {"helm": {"repository": f"{world.url}/r", "chart": "acme"}}}


def by_redirect(world: World, inside: str) -> Vendor:
    world.file("u/v1.0.0.yaml", GOOD)
    world.fault("/u/*", Fault.redirect(f"{inside}/secret.yaml"))
    return {
        "version": "v1.0.0",
        "source": {"url": f"{world.url}/u/{{version}}.yaml"},
        "releases": {"git": world.git("r").url},
    }


def by_redirect_of_the_feed(world: World, inside: str) -> Vendor:
    world.fault("/feed", Fault.redirect(f"{inside}/feed"))
    return {
        "version": "v1.0.0",
        "source": {"url": f"{world.url}/u/{{version}}.yaml"},
        "releases": {"page": {"url": f"{world.url}/feed", "pattern": "(?P<version>v[0-9.]+)"}},
    }


def by_blob(world: World, inside: str) -> Vendor:
    world.oci_chart("org/acme", "1.0.0", files={"templates/a.yaml": GOOD})
    world.fault("/v2/org/acme/blobs/*", Fault.redirect(f"{inside}/blob"))
    return {"version": "1.0.0", "source": {"helm": {"repository": f"{world.oci_url}/org", "chart": "acme"}}}


def by_token(world: World, inside: str) -> Vendor:
    world.oci_chart("priv/acme", "1.0.0", files={"templates/a.yaml": GOOD}, auth=True)
    world.fault("/token*", Fault.redirect(f"{inside}/token"))
    return {"version": "1.0.0", "source": {"helm": {"repository": f"{world.oci_url}/priv", "chart": "acme"}}}


def by_git(world: World, inside: str) -> Vendor:
    remote = world.git("moved")
    remote.commit({"a.yaml": GOOD}, tag="v1.0.0")
    world.fault("/git/moved.git/*", Fault.redirect(f"{inside}/git/x.git/info/refs?service=git-upload-pack"))
    return {"version": "v1.0.0", "source": {"git": {"repository": remote.url, "paths": ["*.yaml"]}}}


KINDS: list[Callable[[World, str], Vendor]] = [
    by_index, by_index_to_registry, by_redirect, by_redirect_of_the_feed, by_blob, by_token, by_git,
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_host_that_upstream_alone_names_is_not_asked_inside(tmp_path: Path, world: World, kind):
    with World() as inner:
        inner.file("secret.yaml", GOOD + "data: {secret: SECRET}\n")
        world.file("fine/v1.0.0.yaml", manifest("v1.0.0", "fine"))
        world.git("r").commit({"x": "x"}, tag="v1.0.0")
        gitops = GitOps(tmp_path / "gitops", world)
        gitops.vendors(
            {"name": "evil", "base": "evil/base", "allow_http": True, **kind(world, inner.url)},
            {"name": "fine", "base": "fine/base", "version": "v1.0.0", "source": {"url": f"{world.url}/fine/{{version}}.yaml"}, "releases": {"git": world.git("r").url}},
        )  # fmt: skip
        settings = Settings(cache_folder=tmp_path / "cache", attempts=1)
        with open_project(gitops.path, settings=settings) as project:
            findings = {finding.vendor: finding for finding in project.check()}
            changes = project.update()
        assert inner.requests == []
        updates = {update.vendor: update for update in changes.updates}
        error = updates["evil"].error or findings["evil"].error
        assert error is not None
        assert error.kind == "refused", error
        assert "--allow-host" in (error.hint or "")
        assert updates["fine"].error is None
        assert not any(b"SECRET" in data for data in changes.files.values() if data)


@pytest.mark.parametrize("allowed", ["vendors.yaml", "option"])
def test_what_is_allowed_is_asked(tmp_path: Path, world: World, allowed):
    with World() as inner:
        inner.file("secret.yaml", GOOD)
        world.git("r").commit({"x": "x"}, tag="v1.0.0")
        gitops = GitOps(tmp_path / "gitops", world)
        gitops.vendors({"name": "moved", "base": "moved/base", **by_redirect(world, inner.url)})
        host = inner.url.removeprefix("http://")
        if allowed == "vendors.yaml":
            path = gitops.path / "vendors.yaml"
            path.write_text(path.read_text() + f"allow_hosts: {json.dumps([host])}\n")
        settings = Settings(
            cache_folder=tmp_path / "cache", allow_hosts=(host,) if allowed == "option" else ()
        )
        with open_project(gitops.path, settings=settings) as project:
            assert project.update().updates[0].error is None
        assert [request.path for request in inner.requests] == ["/secret.yaml"]


def test_a_git_repository_that_has_moved_is_found_where_that_may_be(tmp_path: Path, world: World):
    """What GitHub does with renamed repositories."""
    remote = world.git("new")
    remote.commit({"a.yaml": GOOD}, tag="v1.0.0")
    world.fault("/git/old.git/info/refs*", Fault.redirect(f"{remote.url}/info/refs?service=git-upload-pack"))
    gitops = GitOps(tmp_path / "gitops", world)
    old = f"{world.url}/git/old.git"
    gitops.vendors(
        {
            "name": "moved",
            "base": "moved/base",
            "version": "v1.0.0",
            "source": {"git": {"repository": old, "paths": ["*.yaml"]}},
        }
    )
    for _ in range(2):  # a second run finds the store of the first
        with open_project(gitops.path, settings=Settings(cache_folder=tmp_path / "cache")) as project:
            changes = project.update()
        assert changes.updates[0].error is None
        assert changes.files["moved/base/a.yaml"] == GOOD.encode()
