"""A folder → Effects: what its customizations do now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from upstreamsync.effects import Effects
from upstreamsync.project.settings import Settings, build_store, engines
from upstreamsync.project.verify.laying import laid


def effects_of(
    folder: Path, settings: Settings, *, overlays: Sequence[str] = (), upstream: Sequence[str] = ()
) -> Effects:
    """The effects of ``overlays`` of a folder, or of all root kustomizations; ``upstream`` is not the user's."""
    from upstreamsync.references.units.unit import told_effects
    from upstreamsync.verify.describe import describe
    from upstreamsync.verify.overlays.graph import roots
    from upstreamsync.verify.overlays.tree import Tree, within

    own = tuple(one for one in roots(Tree(folder)) if not within(one, upstream))
    tools = engines(settings, cache=settings.cache())
    with laid(
        folder,
        folder,
        settings,
        overlays=overlays,
        always=own,
        upstream=upstream,
        deduce=False,
        all_units=True,
    ) as trees:
        found = describe(
            trees.after,
            trees.overlays,
            kustomize=tools.kustomize(),
            helm=tools.helm,
            upstream=trees.upstream,
            jobs=settings.engine_jobs,
            cache=build_store(settings.cache()),
        )
        return told_effects(found, trees.units)
