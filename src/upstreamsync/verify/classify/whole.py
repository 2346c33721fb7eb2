"""Verdicts on settings for everything in an overlay: namespace, names, labels, annotations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upstreamsync.kit.kubernetes.objects import object_id
from upstreamsync.model import Verdict
from upstreamsync.verify.build.builds import Key
from upstreamsync.verify.build.chain import Effect
from upstreamsync.verify.classify.effects import ObjectWalk
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.classify.sides import resource_of, sides
from upstreamsync.verify.overlays.items import Item, Kind


def judge(item: Item, old: Effect, new: Effect) -> list[Note]:
    """New and vanished objects are no findings; values that upstream now sets itself are."""
    notes: list[Note] = []
    for key in old.touched.keys() | new.touched.keys():
        if key not in old.met or key not in new.met:
            continue
        a, b = sides(old, key)
        c, d = sides(new, key)
        walk = ObjectWalk(item, whole=True)
        notes += [note.on(resource_of(new, key)) for note in walk.run(a, b, c, d)]
    if item.kind is Kind.NAMESPACE:
        notes += [*_explicit_namespaces(item, old, new), *_foreign_subjects(item, old, new)]
    kept = [note for note in notes if note.verdict in (Verdict.OK, Verdict.SHADOWS, Verdict.WIDENED)]
    redundant = [note for note in notes if note.verdict is Verdict.REDUNDANT]
    if redundant and not new.touched:
        return redundant
    if item.kind is Kind.NAMESPACE and old.touched and not new.touched and _has_namespace(new, item):
        return [
            Note(
                verdict=Verdict.REDUNDANT, path=(".metadata", ".namespace"),
                did=f"put everything into {item.spec}", because="upstream now does so itself",
                hint="delete it from the kustomization",
            )
        ]  # fmt: skip
    if not kept and new.touched:
        kept = [Note(verdict=Verdict.OK)]
    if not kept and old.touched:
        return [
            Note(verdict=Verdict.LOST, reason="target_gone", because="nothing is left that it applies to")
        ]
    return sorted(kept, key=lambda note: note.resource)


def _has_namespace(new: Effect, item: Item) -> bool:
    return any(key[0].namespace == str(item.spec) for key in new.met)


def _explicit_namespaces(item: Item, old: Effect, new: Effect) -> list[Note]:
    """Objects that upstream now puts into a namespace of their own, and that this setting moves."""
    usual = {str(key[0].namespace) for key in old.touched} | {"", str(item.spec)}
    notes = []
    for key, touch in new.touched.items():
        here = key[0].namespace
        if here in usual or touch.before is None or touch.after is None:
            continue
        if key not in old.met:
            notes.append(
                Note(
                    verdict=Verdict.WIDENED, reason="overrides_explicit_namespace",
                    path=(".metadata", ".namespace"), resource=str(object_id(touch.before)),
                    did=f"put everything into {item.spec}", does=f"moves {key[0].short} there too",
                    because=f"upstream puts it into {here} on purpose",
                    hint=f"keep {key[0].name} out of this kustomization, or check that {item.spec} is right for it",
                )
            )  # fmt: skip
    return notes


def _foreign_subjects(item: Item, old: Effect, new: Effect) -> list[Note]:
    """Accounts of other namespaces in bindings, which kustomize takes for upstream's own and moves along."""
    theirs = {key[0].namespace for key in new.met}
    return [
        Note(
            verdict=Verdict.WIDENED, reason="overrides_explicit_namespace", resource=resource_of(new, key),
            path=(".subjects", f"[{number}]", ".namespace"), did=f"put everything into {item.spec}",
            does=f"makes the account {namespace}/{name} {item.spec}/{name}",
            because=f"upstream binds an account of {namespace}, which it does not ship",
            hint=f"give the binding its subject {namespace}/{name} back with a patch above this layer",
        )
        for key in new.touched
        for number, namespace, name in _moved_subjects(new, key)
        if namespace not in theirs and (namespace, name) not in [each[1:] for each in _moved_subjects(old, key)]
    ]  # fmt: skip


def _moved_subjects(effect: Effect, key: Key) -> list[tuple[int, str, str]]:
    """The accounts of a binding that a setting moves: number, namespace before, name."""
    before, after = ([] if not isinstance(side, Mapping) else _subjects(side) for side in sides(effect, key))
    return [
        (number, str(was.get("namespace")), str(was.get("name")))
        for number, (was, now) in enumerate(zip(before, after, strict=False))
        if was.get("kind") == "ServiceAccount" and was.get("namespace")
        if was.get("namespace") != now.get("namespace")
    ]


def _subjects(obj: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = obj.get("subjects")
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []
