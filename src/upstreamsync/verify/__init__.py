"""The judge: does every local customization still do what it did?

Both states of each overlay are built with the real kustomize, the customizations switched on one after
the other; what each of them changes is its effect, and the effect before an update is compared with the
one after it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upstreamsync.kit.run.engines import Engines, Helm, Kustomize
from upstreamsync.kit.run.threads import ordered_map, processors
from upstreamsync.model import Cluster, Judgement, OverlayVerification, Verdict, Verification
from upstreamsync.verify.build.builds import Store
from upstreamsync.verify.build.inflate import Charts
from upstreamsync.verify.build.refusals import Refusals
from upstreamsync.verify.crossed import Followed
from upstreamsync.verify.guard import judged
from upstreamsync.verify.judge import Case
from upstreamsync.verify.options import PER_OVERLAY, Options
from upstreamsync.verify.overlays.definitions import TreeDefinitions
from upstreamsync.verify.overlays.graph import deduce_upstream, find_overlays
from upstreamsync.verify.overlays.parse_cache import ParseCache
from upstreamsync.verify.overlays.tree import Tree, normalize
from upstreamsync.verify.repair.trial import Trials

if TYPE_CHECKING:
    from upstreamsync.verify.build.outputs import overlay_output
    from upstreamsync.verify.repair.guards import add_guards

__all__ = ["Store", "add_guards", "find_overlays", "overlay_output", "verify_trees"]

#: Names that few need: their modules are loaded when they are first used.
_HOMES = {"add_guards": "repair.guards", "overlay_output": "build.outputs"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module `upstreamsync.verify` has no attribute `{name}`")
    from importlib import import_module

    return getattr(import_module(f"upstreamsync.verify.{_HOMES[name]}"), name)


def verify_trees(
    before: Path | Tree,
    after: Path | Tree,
    overlays: Sequence[str] | None = None,
    *,
    kustomize: Kustomize | None = None,
    upstream: Collection[str] | None = None,
    jobs: int | None = None,
    cache: Store | None = None,
    followed: Followed | None = None,
    cluster: Cluster | None = None,
    helm: Callable[[], Helm] | None = None,
    options: Options | None = None,
) -> Verification:
    """Judge the customizations of ``overlays`` (folders relative to both trees) on two directory trees.

    ``overlays`` None means every root kustomization that stands on what differs. ``upstream`` names what
    is vendored, files or folders; None deduces it from what differs between the trees. ``jobs`` bounds
    the builds that run at once. ``cache`` keeps outputs of builds between runs. ``followed`` gives a file's
    bytes without the values that follow the version: where nothing else differs, an item counts as unedited.
    ``cluster`` says what the results are applied to; ``helm`` finds it for kustomizations that inflate charts.

    ``options`` bound the time, and say how each overlay is built.

    Nothing is written to either tree. What can't be judged is ``unjudged``, and stops nothing else. Raises
    ToolMissing when there is no kustomize.
    """
    old, new = as_tree(before), as_tree(after)
    paths = deduce_upstream(old, new) if upstream is None else tuple(map(normalize, upstream))
    engine = kustomize or Engines().kustomize()
    roots = find_overlays(new, paths) if overlays is None else tuple(map(normalize, overlays))
    together = jobs or processors()
    parsed, slots = ParseCache(), threading.BoundedSemaphore(together)
    charts = Charts(helm or Engines().helm)
    refusals, trials = (Refusals(), Refusals()), Trials()
    options = options or Options()

    definitions = (TreeDefinitions(old), TreeDefinitions(new))
    asked = overlays is None or options.elsewhere
    others, edited = _besides(old, new, paths, roots) if asked else ((), ())

    def judge(overlay: str) -> OverlayVerification:
        mine = options.of(overlay)
        case = Case(
            overlay=overlay,
            before=old,
            after=new,
            upstream=paths,
            kustomize=engine,
            jobs=together,
            store=cache,
            parsed=parsed,
            slots=slots,
            followed=followed,
            cluster=cluster or Cluster(),
            definitions=definitions,
            charts=charts,
            refusals=refusals,
            trials=trials,
            seconds=mine.budget or PER_OVERLAY,
            in_all=options.budget,
            strict=mine.load_restrictor == "root",
            as_it_is=options.as_it_is,
            builds_unchanged=options.builds_unchanged,
            definitions_moved=overlay in others,
        )
        found = judged(case)
        if options.progress is not None:
            options.progress(overlay, len(roots))
        return replace(found, allow_unjudged=found.allow_unjudged or bool(mine.allow_unjudged))

    # Engines are bounded by slots: while one overlay is being compared the others can be built.
    outcomes = ordered_map(judge, (*roots, *others, *edited), together + 1 if together > 1 else 1)
    looked = dict(zip((*roots, *others, *edited), [outcome.get() for outcome in outcomes], strict=True))
    found = [looked[path] for path in roots] + [looked[path] for path in others if _tells(looked[path])]
    found += [looked[path] for path in edited if _builds_no_more(looked[path])]
    return Verification(overlays=tuple(_deduplicated(found)), engine=str(engine))


def _besides(
    old: Tree, new: Tree, upstream: Sequence[str], roots: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Overlays that do not stand on what moved: with objects of definitions that did, and edited themselves."""
    from upstreamsync.verify import elsewhere

    others = tuple(
        path for path in elsewhere.standing_on_definitions(old, new, upstream) if path not in roots
    )
    known = (*roots, *others)
    return others, tuple(path for path in elsewhere.edited(old, new, upstream) if path not in known)


def _tells(overlay: OverlayVerification) -> bool:
    """Whether there is anything to say of an overlay that does not stand on what moved."""
    return any(item.verdict is not Verdict.OK for item in overlay.items)


def _builds_no_more(overlay: OverlayVerification) -> bool:
    """Whether an overlay that was only edited can't be deployed any more; what else an edit does is its point."""
    return overlay.before.ok and not overlay.after.ok


def as_tree(tree: Path | Tree) -> Tree:
    """A tree for a folder; a tree as it is."""
    return tree if isinstance(tree, Tree) else Tree(Path(tree))


def _deduplicated(overlays: Sequence[OverlayVerification]) -> list[OverlayVerification]:
    """One verdict, the worst, for an item that several overlays share; it stands with the first of them.

    An item sees nothing but what lies below its folder: where one overlay could not be judged, what was
    found in another one holds.
    """
    by_name: dict[str, list[Judgement]] = {}
    results: dict[object, list[str]] = {}
    for overlay in overlays:
        for item in overlay.items:
            if item.field != "(result)":
                by_name.setdefault(item.item, []).append(item)
            else:
                results.setdefault(_said(item), []).append(overlay.path)
    result = []
    said: set[str] = set()
    for overlay in overlays:
        items = []
        for item in overlay.items:
            if item.field == "(result)":
                items.append(replace(item, overlays=tuple(dict.fromkeys(results[_said(item)]))))
            elif item.item not in said:
                said.add(item.item)
                items.append(_worst(by_name[item.item]))
        result.append(replace(overlay, items=tuple(items)))
    return result


def _said(item: Judgement) -> object:
    """What is said of a built result, apart from whose it is."""
    return (item.verdict, item.reason, item.why, item.resources, item.paths)


def _worst(items: Sequence[Judgement]) -> Judgement:
    items = [item for item in items if item.verdict is not Verdict.UNJUDGED] or items
    first = min(items, key=lambda item: (item.severity.rank, list(Verdict).index(item.verdict)))
    return replace(first, overlays=tuple(sorted({name for item in items for name in item.overlays})))
