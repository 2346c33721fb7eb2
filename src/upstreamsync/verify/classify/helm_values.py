"""Values that are handed to a chart: does it still read each of them, and do they change what they changed?

Unlike other customizations these don't build upon one another, so a value is judged by what the chart
renders to with and without it. Many are judged at once: where all values below a key change the same before
an update and after it, each of them does. Only where they don't, the group is taken apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import Any

from upstreamsync.kit.kubernetes.objects import diff
from upstreamsync.kit.kubernetes.values import image, older
from upstreamsync.model import FieldChange, Verdict
from upstreamsync.verify.build.builds import Builder, Failed
from upstreamsync.verify.build.chain import Effect
from upstreamsync.verify.build.chart_values import ChartUse
from upstreamsync.verify.build.digests import without_labels
from upstreamsync.verify.build.workspace import Workspace
from upstreamsync.verify.classify import failures, verdicts
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.overlays.items import Item, Kind

#: From this likeness on a new value may be the old one under another name.
_LIKE = 0.6
#: Values of these names hold a version; labels of these names say the chart's.
_VERSIONS = frozenset(("tag", "digest", "version", "image"))
_OF_THE_CHART = frozenset(("helm.sh/chart", "app.kubernetes.io/version", "chart"))
_SCHEMA = "values don't meet the specifications of the schema"


def judge_all(
    items: Sequence[Item],
    partners: Mapping[str, Item],
    spaces: tuple[Workspace, Workspace],
    builder: Builder,
    refused: Mapping[str, str],
) -> dict[str, list[Note]]:
    """The notes on every value of every chart of an overlay, by the item's name.

    Those that are ``refused`` are left out of the new workspace already.
    """
    uses: dict[tuple[str, int], list[Item]] = {}
    for item in items:
        if item.kind is Kind.HELM_VALUE and item.index is not None:
            uses.setdefault((item.folder, item.index), []).append(item)
    found = {item.name: _refused(item, refused[item.name]) for item in items if item.name in refused}
    for mine in uses.values():
        rest = [item for item in mine if item.name not in refused]
        old = use_of(spaces[0], partners.get(mine[0].name, mine[0]), builder)
        new = use_of(spaces[1], mine[0], builder)
        if rest and new is not None:
            found |= _Case(old, new, partners).judge(rest)
    return found


def use_of(space: Workspace, item: Item, builder: Builder) -> ChartUse | None:
    """The chart that a value is handed to; None where this side has no such entry."""
    kustomization = space.tree.kustomization(item.folder)
    if kustomization is None or item.index is None:
        return None
    if item.index >= len(kustomization.entries("helmCharts")):
        return None
    return ChartUse(space, kustomization, item.index, builder)


def refused_values(items: Sequence[Item], space: Workspace, builder: Builder) -> dict[str, str]:
    """The values because of which a chart does not render, with helm's words."""
    found: dict[str, str] = {}
    uses: dict[tuple[str, int], list[Item]] = {}
    for item in items:
        if item.kind is Kind.HELM_VALUE and item.index is not None:
            uses.setdefault((item.folder, item.index), []).append(item)
    for mine in uses.values():
        use = use_of(space, mine[0], builder)
        outcome = use.render(()) if use is not None else None
        if use is not None and isinstance(outcome, Failed) and not outcome.reason:
            found |= dict.fromkeys((item.name for item in _culprits(use, mine, outcome.error)), outcome.error)
    return found


def _culprits(use: ChartUse, items: Sequence[Item], error: str) -> list[Item]:
    """Those that helm names, where it renders without them; else the one without which it does."""
    named = [item for item in items if _is_named(item, error)]
    if named and use.can_do_without(named):
        return named
    if not use.can_do_without(items):
        return []  # it is not the values
    group = list(items)
    while len(group) > 1:
        half = group[: len(group) // 2]
        rest = group[len(group) // 2 :]
        if use.can_do_without(half):
            group = half
        elif use.can_do_without(rest):
            group = rest
        else:
            return group  # some of each
    return group


def _is_named(item: Item, error: str) -> bool:
    dotted, pointer = ".".join(item.spec), "/" + "/".join(item.spec)
    return f"- {dotted}:" in error or f"'{pointer}'" in error or f"({dotted})" in error


@dataclass(slots=True)
class _Case:
    """One chart before and after."""

    old: ChartUse | None
    new: ChartUse
    partners: Mapping[str, Item]
    notes: dict[str, list[Note]] = field(default_factory=dict)

    def judge(self, items: Sequence[Item]) -> dict[str, list[Note]]:
        """The notes on its values."""
        outcome = self.new.render(())
        if isinstance(outcome, Failed):
            why = Note(
                verdict=Verdict.UNJUDGED,
                reason=outcome.reason or "does_not_build",
                because=f"the chart does not render: {failures.gist(outcome.error)}",
            )
            return {item.name: [why] for item in items}
        known = [item for item in items if self._is_known(item)]
        for item in items:
            if item not in known:
                self.notes[item.name] = self._alone(item)
        well = self._needed_and_well(known) if len(known) > 1 else []
        self.notes |= {item.name: [Note(verdict=Verdict.OK)] for item in well}
        if rest := [item for item in known if item.name not in self.notes]:
            self._group(rest, 0)
        return self.notes

    def _is_known(self, item: Item) -> bool:
        """Whether the same value was there before, for a chart that rendered."""
        partner = self.partners.get(item.name)
        return (
            self.old is not None
            and partner is not None
            and partner.identity == item.identity
            and not isinstance(self.old.render(()), Failed)
        )

    def _group(self, items: Sequence[Item], depth: int) -> None:
        """Judge together what does the same before and after; take the rest apart, key by key."""
        if len(items) == 1:
            self.notes[items[0].name] = self._alone(items[0])
            return
        if self._does_the_same(items):
            for item in items:
                self.notes[item.name] = [Note(verdict=Verdict.OK)]
            return
        for part, at in _parts(items, depth):
            self._group(part, at)

    def _does_the_same(self, items: Sequence[Item]) -> bool:
        assert self.old is not None  # noqa: S101 (known items alone come here)
        mine = [self.partners[item.name] for item in items]
        if not (self.old.can_do_without(mine) and self.new.can_do_without(items)):
            return False
        was, now = self.old.effect(mine), self.new.effect(items)
        return bool(now.touched) and _signature(was) == _signature(now)

    def _needed_and_well(self, items: Sequence[Item]) -> list[Item]:
        """The values of a chart that renders nothing without its values, where what it renders stays the same.

        Then nobody could tell one of them apart but by a render of its own. Left out are those whose default is
        another one now, and versions, which may be held back.
        """
        assert self.old is not None  # noqa: S101 (known items alone come here)
        mine = [self.partners[item.name] for item in items]
        if self.old.can_do_without(mine) or self.new.can_do_without(items):
            return []
        was, now = self.old.render(()), self.new.render(())
        if isinstance(was, Failed) or isinstance(now, Failed):
            return []
        if list(was.objects) != list(now.objects) or any(
            _unversioned(was.objects[key]) != _unversioned(now.objects[key]) for key in was.objects
        ):
            return []
        before, after = self.old.known_values(), self.new.known_values()
        return [
            item
            for item in items
            if item.spec[-1].lower() not in _VERSIONS
            and _below(before, item.spec) == _below(after, item.spec)
        ]

    def _alone(self, item: Item) -> list[Note]:
        partner = self.partners.get(item.name)
        now = self.new.effect([item])
        was = self.old.effect([partner]) if self.old is not None and partner is not None else None
        if was is None or was.error is not None or partner is None:
            return [Note(verdict=Verdict.OK)]
        if partner.identity != item.identity:
            return verdicts.first_effect(item, was, now)
        if not self.new.can_do_without([item]):
            return [Note(verdict=Verdict.OK)]  # the chart does not render without it
        assert self.old is not None  # noqa: S101 (or there would be no effect of it)
        if now.touched and not self.old.can_do_without([partner]):
            return [Note(verdict=Verdict.OK)]
        old, new = _but_created(was, now)
        if len(new.touched) < len(now.touched) and not old.touched and not new.touched:
            return [Note(verdict=Verdict.OK)]
        return [self._with_new_name(note, item) for note in verdicts.judge(item, old, new)]

    def _with_new_name(self, note: Note, item: Item) -> Note:
        """Name the value that the new chart has in place of one which it no longer reads."""
        if note.verdict is not Verdict.LOST:
            return note
        because = f"the chart no longer reads {'.'.join(item.spec)}"
        other = self._successor(item)
        if other is None:
            return replace(note, because=because, hint="look up what the new chart calls this value")
        name = ".".join(other)
        return replace(note, because=f"{because}; its values have {name}", hint=f"set {name}")

    def _successor(self, item: Item) -> tuple[str, ...] | None:
        """A value that only the new chart has and that may be the old one: by its last key, then by likeness."""
        before = self.old.known_values() if self.old is not None else {}
        new = {path: value for path, value in self.new.known_values().items() if path not in before}
        same = [path for path in new if path[-1] == item.spec[-1]]
        if same:
            return same[0]
        default = before.get(tuple(item.spec))
        scored = [
            (_likeness(item.spec, path) + (0.2 if value == default else 0.0), path)
            for path, value in new.items()
            if default is None or type(value) is type(default)
        ]
        best = max(scored, default=None)
        return best[1] if best is not None and best[0] >= _LIKE else None


def _but_created(was: Effect, now: Effect) -> tuple[Effect, Effect]:
    """Two effects without the objects that the chart has for a value before and after: what is in them is upstream's.

    One that has another name now counts as the same, by its kind.
    """
    created = [
        {key: touch.after for key, touch in effect.touched.items() if touch.before is None and touch.after}
        for effect in (was, now)
    ]
    both = created[0].keys() & created[1].keys()
    out: tuple[set[Any], set[Any]] = (set(both), set(both))
    kinds = [[(obj.get("kind"), key) for key, obj in side.items() if key not in both] for side in created]
    for kind, key in kinds[0]:
        other = next((one for there, one in kinds[1] if there == kind and one not in out[1]), None)
        if other is not None:
            out[0].add(key)
            out[1].add(other)
    old, new = (
        replace(effect, touched={key: touch for key, touch in effect.touched.items() if key not in gone})
        for effect, gone in zip((was, now), out, strict=True)
    )
    return old, new


def _unversioned(obj: Mapping[str, Any]) -> Any:
    """An object without what says which version of the chart it is of."""
    return without_labels(obj, _OF_THE_CHART)


def _below(values: Mapping[tuple[str, ...], Any], path: Sequence[str]) -> dict[tuple[str, ...], Any]:
    """What the chart declares at a path, below it, and in the place of what leads there."""
    here = tuple(path)
    return {
        one: value for one, value in values.items() if one[: len(here)] == here or here[: len(one)] == one
    }


def _likeness(one: Sequence[str], other: Sequence[str]) -> float:
    return SequenceMatcher(None, ".".join(one).lower(), ".".join(other).lower()).ratio()


def _refused(item: Item, error: str) -> list[Note]:
    if _SCHEMA in error:
        return [
            Note(
                verdict=Verdict.FAILS,
                reason="schema_violation",
                did=f"set {'.'.join(item.spec)}",
                does="the chart's values.schema.json refuses it",
                because=failures.gist(error),
                hint="give it the form that the new chart's schema wants",
            )
        ]
    return failures.judge(item, Effect({}), Effect({}, error=error))


def _signature(effect: Effect) -> dict[Any, Any]:
    """What an effect is, without the rest of the objects that it changes."""
    found: dict[Any, Any] = {}
    for key, touch in effect.touched.items():
        if touch.before is None or touch.after is None:
            found[key] = (touch.before is None, touch.after is None)
        else:
            found[key] = tuple(map(_same_pin, diff(touch.before, touch.after)))
    return found


def _same_pin(change: FieldChange) -> FieldChange:
    """An image that is pinned is the same change whatever upstream's tag is by now, until that is the newer one."""
    before, after = image(change.before), image(change.after)
    if change.op != "changed" or before is None or after is None or before.name != after.name:
        return change
    return replace(change, before=(before.name, older(after.tag, before.tag)))


def _parts(items: Sequence[Item], depth: int) -> Iterator[tuple[list[Item], int]]:
    """The items by the next key of their paths that tells them apart; many keys are halved."""
    while True:
        groups: dict[str, list[Item]] = {}
        for item in items:
            key = f"{item.layer} {item.spec[depth]}" if depth < len(item.spec) else item.name
            groups.setdefault(key, []).append(item)
        if len(groups) > 1:
            break
        depth += 1
    parts = list(groups.values())
    if len(parts) == 2:
        yield from ((part, depth + 1) for part in parts)
        return
    middle = len(parts) // 2
    for half in (parts[:middle], parts[middle:]):
        yield [item for part in half for item in part], depth if len(half) > 1 else depth + 1


def effect(item: Item, space: Workspace, builder: Builder) -> Effect:
    """What one value changes in what its chart renders to."""
    use = use_of(space, item, builder)
    return use.effect([item]) if use is not None else Effect({})
