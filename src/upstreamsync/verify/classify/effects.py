"""An effect before and after an update, compared path by path.

Each path has four values: what upstream had and what the item made of it (``a`` → ``b``), what upstream
has now and what the item makes of that (``c`` → ``d``). The four together tell the verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from upstreamsync.kit.kubernetes.jsonpatch import steps
from upstreamsync.kit.kubernetes.objects import MISSING, keyed, segment, shared_key
from upstreamsync.kit.kubernetes.values import same
from upstreamsync.model import Verdict
from upstreamsync.verify.classify import elements, in_place, scalars, sequences
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.classify.walk import Four, Walk
from upstreamsync.verify.overlays.items import Item, Kind

#: Lists in built-in kinds that kustomize merges element by element; every other list is replaced.
MERGED_LISTS: Final = frozenset(
    (
        "containers", "initContainers", "ephemeralContainers", "env", "volumes", "ports", "volumeMounts",
        "volumeDevices", "imagePullSecrets", "hostAliases", "topologySpreadConstraints", "webhooks",
    )
)  # fmt: skip


class ObjectWalk(Walk):
    """The walk over the four states of an object, path by path."""

    __slots__ = ()

    def run(self, a: Any, b: Any, c: Any, d: Any) -> list[Note]:
        """The notes on one object's four states."""
        self._visit(Four(a, b, c, d), (), "", Four(MISSING, MISSING, MISSING, MISSING), owned=False)
        return self.notes

    def visit_states(self, states: tuple[Any, Any, Any, Any], path: tuple[str, ...]) -> None:
        """Walk the four states of something below ``path``."""
        self._visit(Four(*states), path, "", Four(MISSING, MISSING, MISSING, MISSING), owned=False)

    def visit_named(self, states: tuple[Any, Any, Any, Any], path: tuple[str, ...]) -> None:
        """Walk the four states of what stands at ``path``, which the item owns."""
        name = path[-1].strip(".[]")
        self._visit(Four(*states), path, name, Four(MISSING, MISSING, MISSING, MISSING), owned=True)

    def _visit(self, four: Four, path: tuple[str, ...], name: str, parent: Four, *, owned: bool) -> None:
        if four.are_maps:  # what is the same in all that it has is found out below
            self._maps(four, path, name, owned=owned)
            return
        if same(four.a, four.b, name) and same(four.c, four.d, name):
            return
        if path and self._whole_value(four, path, name, parent):
            return
        present = four.present
        if all(isinstance(value, dict) for value in present):
            self._maps(four, path, name, owned=owned)
        elif all(isinstance(value, list) for value in present):
            self._lists(four, path, name, owned=owned)
        else:
            scalars.judge(self, four, path, name, parent, owned=owned)

    def _maps(self, four: Four, path: tuple[str, ...], name: str, *, owned: bool) -> None:
        owned = owned or _replaced(four, name)
        found = len(self.notes)
        for key in (
            _touched(four) if four.are_maps else dict.fromkeys(k for value in four.present for k in value)
        ):
            child = four.child(key)
            if not child.is_untouched:  # most are, and go no further
                self._visit(child, (*path, segment(key)), key, four, owned=owned)
        if len(self.notes) > found:
            self.notes[found:] = _swallowed_together(self.notes[found:], path, name)

    def _whole_value(self, four: Four, path: tuple[str, ...], name: str, parent: Four) -> bool:
        """Decide what concerns a map or list as a whole: removals, and equal additions."""
        if not any(isinstance(value, (dict, list)) for value in four.present):
            return False
        if four.shape == "1010":
            self.add(Verdict.OK, None, path, four)
            return True
        if four.shape == "1000":
            scalars.removed_by_upstream(self, four, path, name, parent)
            return True
        if four.shape == "0101" and same(four.b, four.d):
            self.add(Verdict.OK, None, path, four)
            return True
        return False

    # -- lists ---------------------------------------------------------------------------------------

    def _lists(self, four: Four, path: tuple[str, ...], name: str, *, owned: bool) -> None:
        lists = [value if isinstance(value, list) else [] for value in four]
        fields = shared_key(name, *lists)
        owned = owned or _replaced(four, name) or self._states_list(path, name)
        if fields is None:
            sequences.judge(self, four, path, name, owned=owned)
            return
        maps = [keyed(items, fields) for items in lists]
        around = Four(*maps) if self.item.kind is not Kind.JSON else in_place.by_position(Four(*maps))
        folded = {each for each in around.c if "#" in each} - set(around.d) - set(around.a)
        for label in dict.fromkeys(label for each in around for label in each):
            element = Four(*(each.get(label, MISSING) for each in around))
            below = (*path, f"[{label}]")
            if same(element.a, element.b) and (same(element.c, element.d) or f"{label}#2" in folded):
                continue
            if not elements.judge(elements.Element(self, element, below, around, name, owned)):
                self._visit(element, below, "", around, owned=owned)
        if not self.whole:
            self.notes += elements.missed(around, path, name)

    def _states_list(self, path: tuple[str, ...], name: str) -> bool:
        """Whether the item writes this list as a whole, though it said the same as upstream so far."""
        if name in MERGED_LISTS and self.item.kind is Kind.MERGE:
            return False
        return states(self.item, path)


def _touched(four: Four) -> Iterator[str]:
    """The keys of four maps but those of which it is plain that nothing is changed below them."""
    a, b, c, d = four
    for key in {**a, **b, **c, **d}:
        was, made, now, makes = (
            a.get(key, MISSING),
            b.get(key, MISSING),
            c.get(key, MISSING),
            d.get(key, MISSING),
        )
        before = was is made or (type(was) is type(made) and was == made)
        if not (before and (now is makes or (type(now) is type(makes) and now == makes))):
            yield key


def _swallowed_together(notes: list[Note], path: tuple[str, ...], name: str) -> list[Note]:
    """The notes on a map; of several keys that upstream added and the item drops, one that has them all."""
    dropped = [
        note
        for note in notes
        if note.reason == "swallows_upstream_addition" and note.verdict is Verdict.SHADOWS
        and note.path[:-1] == path and note.values[3] is MISSING
    ]  # fmt: skip
    if len(dropped) < 2:
        return notes
    keys = ", ".join(note.path[-1].strip(".[]") for note in dropped)
    whole = replace(
        dropped[0], did=f"replaces {name or 'all'} as a whole", does=f"drops {keys}", because="upstream added them",
        hint="take them over into the customization",
    )  # fmt: skip
    return [whole if note is dropped[0] else note for note in notes if note not in dropped[1:]]


def _replaced(four: Four, name: str) -> bool:
    """Whether the item sets the whole value: another before, the same after."""
    return (
        four.b is not MISSING
        and same(four.b, four.d, name)
        and not same(four.a, four.b, name)
        and not same(four.a, four.c, name)
    )


def states(item: Item, path: tuple[str, ...]) -> bool:
    """Whether a patch itself writes a value at ``path``, or above it as a whole."""
    if item.kind is Kind.MERGE:
        return _in_body(item.body, path)
    if item.kind is Kind.JSON and isinstance(item.body, list):
        plain = [part.strip(".[]") for part in path]
        for operation in item.body:
            if isinstance(operation, Mapping) and operation.get("op") in ("add", "replace"):
                said = steps(str(operation.get("path", "")))
                if len(said) <= len(plain) and all(
                    step == part or (step.isdigit() and "=" in part)
                    for step, part in zip(said, plain, strict=False)
                ):
                    return True
    return False


def _in_body(body: Any, path: tuple[str, ...]) -> bool:
    here = body
    for part in path:
        plain = part[1:] if part.startswith(".") else part[1:-1]
        if isinstance(here, Mapping) and plain in here:
            here = here[plain]
        elif isinstance(here, list):
            key, _, value = plain.partition("#")[0].partition(",")[0].partition("=")
            found = [item for item in here if isinstance(item, Mapping) and str(item.get(key)) == value]
            if not found:
                return False
            here = found[0]
        else:
            return False
    return True
