"""``verify --server``: both results of each overlay are built as people deploy them, and sent."""

from __future__ import annotations

from pathlib import Path

from upstreamsync.kit.run.engines import Engines
from upstreamsync.kit.run.threads import ordered_map
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import Cluster, Verification
from upstreamsync.project.server.ask import Objects, ask_server
from upstreamsync.project.settings import Settings, build_store
from upstreamsync.verify import overlay_output
from upstreamsync.verify.overlays.tree import Tree
from upstreamsync.verify.result_checks.appliers import applying


def with_server(
    verification: Verification,
    before: Path,
    after: Path,
    *,
    settings: Settings,
    engines: Engines,
    cluster: Cluster,
) -> Verification:
    """The verification of two trees with the server's answers, where ``settings.server`` names a context."""
    if settings.server is None:
        return verification
    paths = [overlay.path for overlay in verification.overlays]
    store = build_store(settings.cache())

    def output(place: tuple[Path, str]) -> bytes:
        return overlay_output(*place, kustomize=engines.kustomize(), store=store, helm=engines.helm)

    places = [(side, path) for path in paths for side in (before, after)]
    built = [outcome.get() for outcome in ordered_map(output, places, settings.engine_jobs)]
    results: dict[str, tuple[Objects, Objects]] = {}
    for number, path in enumerate(paths):
        names = (f"the output of {path} before", f"the output of {path}")
        results[path] = manifests.objects_of_both(built[2 * number], built[2 * number + 1], names=names)
    return ask_server(
        verification,
        results,
        context=settings.server,
        environment=settings.environment,
        tools=tools_of(after, paths, cluster),
    )


def tools_of(tree: Path, overlays: list[str], cluster: Cluster) -> dict[str, str | None]:
    """What applies each overlay."""
    there = Tree(tree)
    return {path: applying(there, path, cluster).tool for path in overlays}
