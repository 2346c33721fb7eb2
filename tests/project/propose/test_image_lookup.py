"""Images that a change brings are asked for at their registries before a proposal is called ready."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from upstreamsync.model import Build, OverlayVerification, Verdict, Verification
from upstreamsync.project import Settings, open_project
from upstreamsync.project.propose.image_lookup import look_up
from upstreamsync.project.session import Session
from upstreamsync.testing import World


@pytest.fixture
def session(tmp_path: Path, world: World) -> Iterator[Session]:
    (tmp_path / "vendors.yaml").write_text(
        f"version: 1\nvendors:\n- {{name: app, version: 1.0.0, base: base, source: {{url: '{world.url}/{{version}}'}},"
        f" releases: {{page: {{url: '{world.url}/', pattern: 'a(?P<version>.)'}}}}}}\n"
    )
    with open_project(tmp_path, settings=Settings(cache_folder=tmp_path / "cache")) as project:
        yield project.session


def pod(*images: str) -> list[dict[str, Any]]:
    containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
    return [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": containers}}
    ]


def found(
    session: Session, before: list[Any], after: list[Any]
) -> tuple[list[tuple[str, str, str]], tuple[str, ...]]:
    overlay = OverlayVerification(path="o", before=Build(ok=True), after=Build(ok=True))
    verification, unasked = look_up(session, Verification(overlays=(overlay,)), {"o": (before, after)})
    items = verification.items
    assert all(item.item == "o: (result)" and item.reason == "image_missing" for item in items)
    assert all(item.verdict is Verdict.DANGLING and item.resources == ("v1 Pod x",) for item in items)
    return [(item.paths[0].rpartition("/")[2], str(item.severity), item.why) for item in items], unasked


def image(world: World, name: str) -> str:
    return f"{world.url.removeprefix('http://')}/{name}"


def index(world: World, name: str, tag: str, *platforms: str) -> None:
    listed = [
        {"digest": "x", "platform": dict(zip(("os", "architecture"), one.split("/"), strict=True))}
        for one in platforms
    ]
    kind = "application/vnd.oci.image.index.v1+json"
    store = world.registry.repository(name)
    store.put(tag, {"schemaVersion": 2, "mediaType": kind, "manifests": listed, "note": tag}, kind)


def test_an_image_that_is_not_there_is_dangling(session: Session, world: World) -> None:
    world.oci_image("shop/web", ["1", "2"])
    here = image(world, "shop/web")
    assert found(session, pod(f"{here}:1"), pod(f"{here}:2")) == ([], ())
    items, unasked = found(session, pod(f"{here}:1"), pod(f"{here}:3"))
    assert [(tag, severity) for tag, severity, _ in items] == [("web:3", "silent-break")]
    assert "does not exist" in items[0][2]
    assert unasked == ()


def test_only_what_is_new_is_asked_for(session: Session, world: World) -> None:
    here = image(world, "shop/web")
    assert found(session, pod(f"{here}:1"), pod(f"{here}:1")) == ([], ())
    assert not world.registry.tokens


def test_by_digest_and_behind_a_token(session: Session, world: World) -> None:
    digests = world.oci_image("shop/web", ["1"], auth=True)
    here = image(world, "shop/web")
    assert found(session, pod(f"{here}:0"), pod(f"{here}@{digests['1']}")) == ([], ())


def test_a_platform_that_is_gone_is_for_review(session: Session, world: World) -> None:
    index(world, "shop/web", "1", "linux/amd64", "linux/arm64")
    index(world, "shop/web", "2", "linux/amd64")
    here = image(world, "shop/web")
    items, _ = found(session, pod(f"{here}:1"), pod(f"{here}:2"))
    assert [(tag, severity) for tag, severity, _ in items] == [("web:2", "review")]
    assert "linux/arm64" in items[0][2]


def test_what_nobody_can_tell_is_said(session: Session, world: World) -> None:
    world.oci_image("shop/secret", ["1"], user="u", password="p")
    here = image(world, "shop/secret")
    items, unasked = found(session, pod(f"{here}:0"), pod(f"{here}:1", "registry.invalid/x/y:1"))
    assert items == []
    assert [text.partition(":1: ")[0].rpartition("/")[2] for text in unasked] == ["secret", "y"]


def test_a_registry_of_the_inside_that_only_the_change_names_is_not_asked(
    session: Session, world: World
) -> None:
    items, unasked = found(session, pod("quay.io/shop/web:1"), pod("127.0.0.1:9/shop/web:1"))
    assert items == []
    assert len(unasked) == 1
