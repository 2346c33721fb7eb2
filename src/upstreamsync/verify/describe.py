"""What each customization of an overlay does now: which objects it changes, where, from what to what."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from upstreamsync.effects import Does, Effects, ItemEffect, ObjectEffect, OverlayEffects
from upstreamsync.kit.kubernetes.objects import diff, object_id
from upstreamsync.kit.run.engines import Engines, Helm, Kustomize
from upstreamsync.kit.run.threads import ordered_map, processors
from upstreamsync.model import LeftOut
from upstreamsync.verify.build.availability import on_one_side
from upstreamsync.verify.build.builds import Builder, Failed, Store
from upstreamsync.verify.build.chain import Chain, Effect, Side, Touch
from upstreamsync.verify.build.inflate import Charts
from upstreamsync.verify.build.trim import plan_trim
from upstreamsync.verify.build.workspace import Workspace
from upstreamsync.verify.classify import failures, helm_values
from upstreamsync.verify.classify.matching import reaches
from upstreamsync.verify.overlays.expectations import expected
from upstreamsync.verify.overlays.items import Item, Kind, enumerate_items
from upstreamsync.verify.overlays.parse_cache import ParseCache
from upstreamsync.verify.overlays.tree import Tree


def describe(
    tree: Tree,
    overlays: Sequence[str],
    *,
    kustomize: Kustomize,
    upstream: Collection[str] = (),
    jobs: int | None = None,
    cache: Store | None = None,
    helm: Callable[[], Helm] | None = None,
) -> Effects:
    """The effects of the customizations of ``overlays``; those in ``upstream`` are not the user's.

    Raises ToolCrashed and ToolTimeout when kustomize gives no answer.
    """
    together = jobs or processors()
    charts = Charts(helm or Engines().helm)
    parsed, slots = ParseCache(), threading.BoundedSemaphore(together)

    def one(overlay: str) -> OverlayEffects:
        builder = Builder(kustomize, together, cache, parsed, slots)
        return _overlay(tree, overlay, upstream, builder, charts)

    found = [outcome.get() for outcome in ordered_map(one, overlays, together)]
    return Effects(overlays=tuple(_said_once(found)), engine=str(kustomize))


def _said_once(overlays: Sequence[OverlayEffects]) -> list[OverlayEffects]:
    """Overlays without the customizations that an earlier one, which stands on them too, has told the same of."""
    said: dict[str, ItemEffect] = {}
    result = []
    for overlay in overlays:
        mine = tuple(item for item in overlay.items if said.get(item.item) != item)
        said.update({item.item: item for item in mine})
        result.append(
            OverlayEffects(path=overlay.path, error=overlay.error, items=mine, left_out=overlay.left_out)
        )
    return result


def _overlay(
    tree: Tree, overlay: str, upstream: Collection[str], builder: Builder, charts: Charts
) -> OverlayEffects:
    if (unreadable := tree.unreadable(overlay)) is not None:
        return OverlayEffects(path=overlay, error=unreadable)
    items = enumerate_items(tree, overlay, upstream)
    available = on_one_side(tree, overlay)
    missing = available.left_out
    with tempfile.TemporaryDirectory(prefix="upstreamsync-effects-") as scratch:
        cut, _ = plan_trim(tree, tree, overlay, upstream, items, builder.parsed)
        space = Workspace(tree, overlay, items, Path(scratch), cut, charts, instead=available.instead[1])
        side = Chain(space, builder, items).run()
        if isinstance(side.base, Failed):
            return _unbuilt(tree, overlay, items, side.base, missing)
        told = tuple(
            _item(tree, item, _effect(item, side, space, builder), missing)
            for item in items
            if (item.kind is not Kind.RESOURCE or item.name in side.effects) and space.has(item)
        )
    return OverlayEffects(path=overlay, error=available.broken, items=told, left_out=missing)


def _unbuilt(
    tree: Tree, overlay: str, items: Sequence[Item], failed: Failed, missing: Sequence[LeftOut]
) -> OverlayEffects:
    """An overlay that kustomize refuses, or was not asked for: then nothing is known of what it does."""
    if not failed.reason:
        return OverlayEffects(path=overlay, error=failed.error, left_out=tuple(missing))
    said = LeftOut(what=overlay, reason=failed.reason, why=failed.error, known=False, hint=failed.hint)
    told = tuple(_item(tree, item, Effect({}), (said,)) for item in items if item.kind is not Kind.RESOURCE)
    return OverlayEffects(path=overlay, items=told, left_out=(*missing, said))


def _effect(item: Item, side: Side, space: Workspace, builder: Builder) -> Effect:
    if item.kind is Kind.HELM_VALUE:
        return helm_values.effect(item, space, builder)
    return side.effects.get(item.name) or Effect({})


def _item(tree: Tree, item: Item, effect: Effect, missing: Sequence[LeftOut]) -> ItemEffect:
    objects = tuple(_object(touch) for touch in effect.touched.values())
    does, why = Does.CHANGES, ""
    if not objects and missing:
        does, why = Does.UNKNOWN, missing[0].why
    elif effect.error is not None:
        does, why = Does.REFUSED, failures.gist(effect.error)
    elif not objects and item.kind is not Kind.HELM_VALUE and not _reaches(item, effect):
        does, why = Does.NO_MATCH, "there is nothing that it is about"
    elif not objects:
        does, why = Does.NO_CHANGE, "what it says is so already"
        if item.kind is Kind.HELM_VALUE:
            why = "the chart makes the same without it"
    return ItemEffect(
        item=item.name,
        kustomization=item.folder,
        field=item.field,
        key=item.key,
        file=item.file,
        line=item.line,
        does=does,
        why=why,
        objects=objects,
        expected=expected(tree, item),
    )


def _reaches(item: Item, effect: Effect) -> bool:
    if item.kind is Kind.IMAGES:
        name = item.spec.get("name") if isinstance(item.spec, dict) else None
        return isinstance(name, str) and any(_has_image(obj, name) for obj in effect.met.values())
    return reaches(item, effect.met)


def _has_image(value: object, name: str) -> bool:
    if isinstance(value, dict):
        image = value.get("image")
        if isinstance(image, str) and image.partition("@")[0].removeprefix(name)[:1] in ("", ":"):
            return image.startswith(name)
        return any(_has_image(one, name) for one in value.values())
    return isinstance(value, list) and any(_has_image(one, name) for one in value)


def _object(touch: Touch) -> ObjectEffect:
    if touch.before is None:
        return ObjectEffect(resource=str(object_id(touch.after or {})), op="added")
    if touch.after is None:
        return ObjectEffect(resource=str(object_id(touch.before)), op="removed")
    return ObjectEffect(
        resource=str(object_id(touch.before)), op="changed", changes=diff(touch.before, touch.after)
    )
