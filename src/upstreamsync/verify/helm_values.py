"""Values that a kustomization hands to a vendored chart: does the chart still read them?

Unlike the other customizations these don't build upon one another, so each is left out alone, and only
the kustomization that inflates the chart is built.
"""

from __future__ import annotations

from upstreamsync.kit.objects import object_id
from upstreamsync.model import Verdict
from upstreamsync.verify.builds import Builder, Failed, Outcome, State
from upstreamsync.verify.chain import Effect, pairs, Touch
from upstreamsync.verify.classify import failures, verdicts
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.items import Item, Kind
from upstreamsync.verify.workspace import Workspace


def judge(
    item: Item, partner: Item | None, spaces: tuple[Workspace, Workspace], builder: Builder
) -> list[Note]:
    """The notes on one value of a chart."""
    new = _effect(item, spaces[1], builder)
    if new.error is not None:
        return failures.judge(item, Effect({}), new)
    if partner is None:
        return [Note(verdict=Verdict.OK)]
    old = _effect(partner, spaces[0], builder)
    if old.error is not None:
        return [Note(verdict=Verdict.OK)]
    return verdicts.judge(item, old, new)


def _effect(item: Item, space: Workspace, builder: Builder) -> Effect:
    others = [other for other in space.items if other.kind not in (Kind.HELM_VALUE, Kind.RESOURCE)]
    without, with_it = builder.map(lambda off: _build(off, item, space, builder), [[*others, item], others])
    if isinstance(with_it, Failed):
        return Effect({}, error=with_it.error)
    if isinstance(without, Failed):  # a value that the chart can't do without does its work
        return Effect(with_it.objects, {key: Touch(None, obj) for key, obj in with_it.objects.items()})
    touched = {}
    for before, after in pairs(without, with_it, ()):
        left = without.objects[before] if before else None
        right = with_it.objects[after] if after else None
        key = before or after
        if key is not None and left != right:
            touched[key] = Touch(left, right)
    return Effect(without.objects, touched)


def _build(off: list[Item], item: Item, space: Workspace, builder: Builder) -> Outcome:
    folder = space.state(off, folder=item.folder)
    root = folder
    for _ in [part for part in item.folder.split("/") if part != "."]:
        root = root.parent
    return builder.build(folder, root=root, helm=True)


def reads(state: State) -> list[str]:
    """The objects of a state, for messages."""
    return [str(object_id(obj)) for obj in state.manifests]
