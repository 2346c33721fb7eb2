"""Patches that kustomize refuses, found before they spoil the builds of all others.

kustomize stops at the first patch that it refuses: with ten of them in a base, each state would be built ten
times. What a patch is about can be seen from the objects at hand; one that plainly can't work is shown to
kustomize alone, together with the objects that it reaches, which costs next to nothing. An item sees nothing
but what lies below its folder, so what is found holds for all overlays that stand on it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from upstreamsync.kit.kubernetes.jsonpatch import first_failure
from upstreamsync.verify.build.attribute import Reach
from upstreamsync.verify.build.builds import Builder, Failed, Key, Manifest, Outcome, State
from upstreamsync.verify.overlays.item import RENAMING, Item, Kind

#: Settings, which neither bring objects in nor take any away.
_SETTINGS: Final = frozenset((*RENAMING, Kind.LABELS, Kind.ANNOTATIONS, Kind.IMAGES, Kind.REPLICAS))
_SCALABLE: Final = frozenset(("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"))
#: An object that no patch is about.
_NOBODY: Final = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: upstreamsync-nobody}\n"


@dataclass(slots=True)
class Refusals:
    """What kustomize said of the items that it refuses, by name, for all overlays of one side.

    ``states`` are what it made of folders that several of these overlays do no more than include.
    """

    known: dict[str, str] = field(default_factory=dict)
    states: dict[Hashable, Future[Outcome]] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def of(self, items: Iterable[Item]) -> dict[str, str]:
        """Those of ``items`` that are known."""
        return {item.name: self.known[item.name] for item in items if item.name in self.known}


def refusals(
    steps: Sequence[Item],
    base: State,
    reaches: Mapping[str, Reach],
    known: Refusals,
    builder: Builder,
    scratch: Path,
    *,
    but: Collection[Item] = (),
) -> dict[str, str]:
    """What kustomize says of each of ``steps`` that plainly can't work on the objects of ``base``.

    It is not asked of those in ``but``.
    """
    with known.guard:  # the same would be asked by the next overlay
        candidates = [item for item in _candidates(steps, base, reaches) if item not in but]
        waiting = [item for item in candidates if item.name not in known.known]
        places = [(item, scratch / str(number)) for number, item in enumerate(waiting)]
        for item, error in zip(
            waiting, builder.map(lambda pair: _ask(*pair, base, reaches, builder), places), strict=True
        ):
            if error is not None:
                known.known[item.name] = error
        return known.of(candidates)


def _candidates(steps: Sequence[Item], base: State, reaches: Mapping[str, Reach]) -> Iterator[Item]:
    """The items that find nothing to work on, or not what they expect, and that no earlier item helps."""
    touched: set[Key] = set()
    renamed = False
    made: set[str] = set()
    for item in steps:
        reach = reaches.get(item.name)
        if item.kind is Kind.GENERATOR:
            made.add(str(item.spec.get("name")) if isinstance(item.spec, Mapping) else "")
        elif reach is None and item.kind not in _SETTINGS:
            return  # what it does to the objects is open
        elif (
            reach is not None and not item.is_configured and _fails(item, base, reach, renamed, touched, made)
        ):
            yield item
        renamed = renamed or item.kind in RENAMING
        touched |= reach or set()


def _fails(
    item: Item, base: State, reach: frozenset[Key], renamed: bool, touched: set[Key], made: Collection[str]
) -> bool:
    objects = [base.objects[key] for key in reach]
    if item.kind is Kind.MERGE and not item.target and isinstance(item.body, Mapping):
        if _name(item.body) in made or (renamed and objects):
            return False
        return not any(_is_meant(item.body, obj) for obj in objects)
    if item.kind is Kind.REPLICAS:
        return not any(obj.get("kind") in _SCALABLE for obj in objects)
    if item.kind is Kind.JSON and isinstance(item.body, list) and not reach & touched:
        return any(first_failure(item.body, obj) is not None for obj in objects)
    return False


def _name(body: Mapping[str, Any]) -> str:
    metadata = body.get("metadata")
    return str(metadata.get("name")) if isinstance(metadata, Mapping) else ""


def _is_meant(body: Mapping[str, Any], obj: Manifest) -> bool:
    return all(body.get(name) == obj.get(name) for name in ("apiVersion", "kind")) and (
        _namespace(body) == _namespace(obj)
    )


def _namespace(obj: Mapping[str, Any]) -> str:
    metadata = obj.get("metadata")
    found = metadata.get("namespace") if isinstance(metadata, Mapping) else None
    return str(found or "default")


def _ask(item: Item, place: Path, base: State, reaches: Mapping[str, Reach], builder: Builder) -> str | None:
    """Kustomize's own words on an item and what it reaches; None where it takes it."""
    texts = [base.texts[key] for key in sorted(reaches.get(item.name) or ()) if key in base.texts]
    place.mkdir(parents=True)
    (place / "objects.yaml").write_bytes(b"\n---\n".join(texts or [_NOBODY]))
    field_, entry = _alone(item)
    kustomization = {"resources": ["objects.yaml"], field_: [entry]}
    (place / "kustomization.yaml").write_text(json.dumps(kustomization, ensure_ascii=False), encoding="utf-8")
    outcome = builder.build(place, root=place)
    return outcome.error if isinstance(outcome, Failed) else None


def _alone(item: Item) -> tuple[str, Any]:
    """The field and the entry that do what an item does."""
    if item.kind is Kind.REPLICAS:
        return "replicas", item.spec
    if item.field == "patchesStrategicMerge":
        return item.field, _text(item)
    kept = {key: value for key, value in item.spec.items() if key != "path"}
    return item.field, {**kept, "patch": _text(item)}


def _text(item: Item) -> str:
    return item.text.partition("\n")[2] if item.text.startswith("---") else item.text
