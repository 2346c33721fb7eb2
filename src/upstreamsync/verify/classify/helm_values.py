"""Values that a kustomization hands to a vendored chart: does the chart still read them?

Unlike the other customizations these don't build upon one another, so each is left out alone, and only
the kustomization that inflates the chart is built.
"""

from __future__ import annotations

from dataclasses import replace

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.kubernetes.objects import leaves
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import Verdict
from upstreamsync.verify.build.builds import Builder, Failed, Outcome
from upstreamsync.verify.build.chain import Effect, Touch, pairs
from upstreamsync.verify.build.unbuildable import Unbuildable
from upstreamsync.verify.build.workspace import Workspace
from upstreamsync.verify.classify import failures, verdicts
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.overlays.items import Item, Kind


def judge(
    item: Item, partner: Item | None, spaces: tuple[Workspace, Workspace], builder: Builder
) -> list[Note]:
    """The notes on one value of a chart."""
    new = effect(item, spaces[1], builder)
    if new.error is not None:
        return failures.judge(item, Effect({}), new)
    if partner is None:
        return [Note(verdict=Verdict.OK)]
    old = effect(partner, spaces[0], builder)
    if old.error is not None:
        return [Note(verdict=Verdict.OK)]
    return [_with_new_name(note, item, spaces[1]) for note in verdicts.judge(item, old, new)]


def _with_new_name(note: Note, item: Item, space: Workspace) -> Note:
    """Name the value that the new chart has in place of one which it no longer reads."""
    if note.verdict is not Verdict.LOST:
        return note
    dotted = ".".join(item.spec)
    other = next((path for path in _known_values(item, space) if path[-1] == item.spec[-1]), None)
    because = f"the chart no longer reads {dotted}"
    if other is None or other == item.spec:
        return replace(note, because=because, hint="look up what the new chart calls this value")
    name = ".".join(other)
    return replace(note, because=f"{because}; its values have {name}", hint=f"set {name}")


def _known_values(item: Item, space: Workspace) -> list[tuple[str, ...]]:
    """The paths of the values that the item's chart declares."""
    kustomization = space.tree.kustomization(item.folder)
    if kustomization is None:
        return []
    settings = kustomization.data.get("helmGlobals")
    home = settings.get("chartHome") if isinstance(settings, dict) else None
    chart = item.key.partition(".valuesInline.")[0]
    file = kustomization.resolve(f"{home or 'charts'}/{chart}/values.yaml")
    if not space.tree.is_file(file):
        return []
    try:
        values = manifests.load(space.tree.read(file), name=file)
    except UpstreamsyncError:
        return []
    return [path for path, _ in leaves(values) if path]


def effect(item: Item, space: Workspace, builder: Builder) -> Effect:
    """What a value changes in the kustomization that inflates its chart."""
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
    try:
        folder = space.state(off, folder=item.folder)
    except Unbuildable as refused:
        return Failed(refused.error, refused.reason)
    root = folder
    for _ in [part for part in item.folder.split("/") if part != "."]:
        root = root.parent
    return builder.build(folder, root=root)
