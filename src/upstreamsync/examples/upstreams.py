"""Ten upstreams, one for each way of publishing, at two moments of their lives."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from upstreamsync.examples.manifests import (
    chart,
    config_map,
    deployment,
    page_html,
    page_markdown,
    service,
    stream,
)

if TYPE_CHECKING:
    from upstreamsync.testing import World

_FIRST = datetime(2025, 3, 3, 9, 0, tzinfo=UTC)
_SECOND = datetime(2025, 9, 1, 9, 0, tzinfo=UTC)


def publish_first(world: World) -> None:
    """What upstream offered when the repository was set up."""
    world.chart("charts", "lantern", "1.4.0", files=chart("lantern", "lantern"), created=_FIRST)
    world.oci_chart("charts/courier", "0.9.0", files=chart("courier", "courier"))
    _chart_in_git(world, "v3.1.0", "beacon")
    _release(
        world,
        "turnstile",
        "v2.3.0",
        stream(_turnstile("quay.io/example/turnstile:v2.3.0"), service("turnstile")),
    )
    _two_files(world, "v1.0.0", {"log.level": "info"})
    world.file("docs/orchard/v0.4.0/install.html", page_html("Orchard", _orchard("v0.4.0", sidecar=False)))
    world.file("docs/signpost/v1.1.0/install.md", page_markdown("Signpost", _signpost("v1.1.0")))
    _tags_page(world, ("v1.1.0",))
    world.git("orchard").commit({"README.md": "Orchard\n"}, "Release v0.4.0", tag="v0.4.0")
    _directory(world, "v5.0.0", old=True)
    _archive(world, "v0.2.0")
    world.git("pier").commit(_kustomization("v1.7.0"), "Release v1.7.0", tag="v1.7.0")
    _versions(world, ("2024.10",))


def publish_second(world: World) -> None:
    """What upstream has published since: mostly harmless, in three places not."""
    # The container has a new name: a patch that names the old one now adds a container without an image.
    world.chart("charts", "lantern", "1.5.0", files=chart("lantern", "server"), created=_SECOND)
    world.oci_chart("charts/courier", "0.10.0", files=chart("courier", "courier"))
    _chart_in_git(world, "v3.2.0", "beacon")
    # The image moved to another registry: an `images:` entry for the old name matches nothing.
    _release(
        world,
        "turnstile",
        "v2.4.0",
        stream(_turnstile("ghcr.io/example/turnstile:v2.4.0"), service("turnstile")),
    )
    _two_files(world, "v1.0.1", {"log.level": "info", "log.format": "json"})
    # A sidecar now stands first: a JSON patch on containers/0 hits the wrong one.
    world.file("docs/orchard/v0.5.0/install.html", page_html("Orchard", _orchard("v0.5.0", sidecar=True)))
    world.git("orchard").commit({"README.md": "Orchard 0.5\n"}, "Release v0.5.0", tag="v0.5.0")
    world.file("docs/signpost/v1.2.0/install.md", page_markdown("Signpost", _signpost("v1.2.0")))
    _tags_page(world, ("v1.2.0", "v1.1.0"))
    _directory(world, "v5.1.0", old=False)
    _archive(world, "v0.3.0")
    world.git("pier").commit(_kustomization("v1.8.0"), "Release v1.8.0", tag="v1.8.0")
    _versions(world, ("2024.10", "2025.04"))


def _chart_in_git(world: World, tag: str, name: str) -> None:
    files = {f"deploy/chart/{path}": text for path, text in chart(name, name).items()}
    files["deploy/chart/Chart.yaml"] = (
        f"apiVersion: v2\nname: {name}\nversion: {tag.removeprefix('v')}\nappVersion: {tag}\n"
    )
    world.git(name).commit(files, f"Release {tag}", tag=tag)


def _turnstile(image: str) -> str:
    return deployment("turnstile", image, args=("--listen=:8080",))


def _release(world: World, name: str, tag: str, manifest: str) -> None:
    """A GitHub release with one asset."""
    when = _FIRST if tag.endswith("3.0") else _SECOND
    world.file(f"example/{name}/releases/download/{tag}/install.yaml", manifest)
    world.github.repository(f"example/{name}").release(tag, published=when, body=f"{name} {tag}")


def _two_files(world: World, tag: str, settings: Mapping[str, str]) -> None:
    world.file(f"raw/weir/{tag}/deployment.yaml", deployment("weir", f"ghcr.io/example/weir:{tag}"))
    world.file(f"raw/weir/{tag}/settings.yaml", config_map("weir", **settings))
    world.github.repository("example/weir").tag(tag)


def _orchard(tag: str, *, sidecar: bool) -> str:
    return deployment(
        "orchard", f"ghcr.io/example/orchard:{tag}", sidecar="ghcr.io/example/pruner:1.0" if sidecar else None
    )


def _signpost(tag: str) -> str:
    return deployment("signpost", f"ghcr.io/example/signpost:{tag}")


def _tags_page(world: World, tags: tuple[str, ...]) -> None:
    items = "".join(f"<li>signpost {tag}</li>" for tag in tags)
    world.file("docs/signpost/releases.html", f"<html><body><ul>{items}</ul></body></html>")


def _directory(world: World, tag: str, *, old: bool) -> None:
    """A folder of manifests in git; one of them goes away later."""
    world.git("granary").commit(
        {
            "manifests/deployment.yaml": deployment("granary", f"ghcr.io/example/granary:{tag}"),
            "manifests/service.yaml": service("granary"),
            "manifests/legacy.yaml": config_map("granary-legacy", mode="old") if old else None,
            "README.md": f"Granary {tag}\n",
        },
        f"Release {tag}",
        tag=tag,
    )


def _archive(world: World, tag: str) -> None:
    """A tar.gz as projects publish it, with a folder around everything."""
    buffer = io.BytesIO()
    manifest = deployment("millrace", f"ghcr.io/example/millrace:{tag}")
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, text in (
            (f"millrace-{tag}/deploy/all.yaml", manifest),
            (f"millrace-{tag}/LICENSE", "Free.\n"),
        ):
            member = tarfile.TarInfo(path)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    world.file(f"example/millrace/archive/{tag}.tar.gz", buffer.getvalue())
    world.github.repository("example/millrace").release(tag, published=_FIRST if tag == "v0.2.0" else _SECOND)


def _kustomization(tag: str) -> dict[str, str]:
    return {
        "config/default/kustomization.yaml": "namePrefix: pier-\nresources:\n  - ../manager\n",
        "config/manager/kustomization.yaml": "resources:\n  - manager.yaml\n",
        "config/manager/manager.yaml": deployment("manager", f"ghcr.io/example/pier:{tag}"),
    }


def _versions(world: World, versions: tuple[str, ...]) -> None:
    listed = ", ".join(f'{{"name": "{version}"}}' for version in versions)
    world.file("almanac/versions.json", f'{{"versions": [{listed}]}}\n')
