"""Switching customizations on one after the other, in kustomize's order, to see what each of them does.

Every item sees exactly the input that it sees in reality, nothing hides behind anything, and the sum of
all effects is the whole overlay. (Leaving one out instead would hide two items that set one field, and
break those that build upon others.)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from pathlib import Path

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.kubernetes.objects import ObjectId
from upstreamsync.kit.run.threads import submit
from upstreamsync.verify.build.attribute import Reach, Together, is_told_apart, taken_apart
from upstreamsync.verify.build.builds import Builder, Failed, Key, Manifest, Outcome, State, nothing
from upstreamsync.verify.build.contents import put_back
from upstreamsync.verify.build.refusals import Refusals, refusals
from upstreamsync.verify.build.unbuildable import Unbuildable
from upstreamsync.verify.build.unbuilt import unbuilt
from upstreamsync.verify.build.waves import plan
from upstreamsync.verify.build.workspace import Workspace
from upstreamsync.verify.overlays.items import RENAMING, Item, Kind

#: Items that are always on: objects of the overlay's own, and values, which are judged apart.
_ALWAYS_ON = frozenset((Kind.RESOURCE, Kind.HELM_VALUE))


@dataclass(frozen=True, slots=True)
class Touch:
    """What an item does to one object; None where the object is not there before or after."""

    before: Manifest | None
    after: Manifest | None


@dataclass(frozen=True, slots=True)
class Effect:
    """What an item does on one side: ``touched`` by the object's key in the base, ``met`` the state it met.

    ``error`` is kustomize's refusal; an item that was refused stays off for those after it. ``upstream`` are
    the objects as they are without any customization, where that is known.
    """

    met: Mapping[Key, Manifest]
    touched: Mapping[Key, Touch] = field(default_factory=dict)
    error: str | None = None
    upstream: Mapping[Key, Manifest] | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an overlay, built. ``final`` has all items on that kustomize accepts.

    ``names`` maps the key of an object in ``final`` to its key in ``base``, which lacks the objects that
    were left out of the builds. CRDs of which ``schemas`` has the whole document have empty ones everywhere.
    """

    base: Outcome
    final: Outcome
    effects: Mapping[str, Effect] = field(default_factory=dict)
    names: Mapping[Key, Key] = field(default_factory=dict)
    schemas: Mapping[ObjectId, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class Chain:
    """The builds of one side; ``wanted`` names the items whose effects are asked for, None: all of them."""

    workspace: Workspace
    builder: Builder
    items: Sequence[Item]
    wanted: Collection[str] | None = None
    refused: dict[str, str] = field(default_factory=dict)
    context: set[str] = field(default_factory=set)
    shared: Refusals = field(default_factory=Refusals)
    beyond: list[Item] = field(default_factory=list)
    _outcomes: dict[frozenset[str], Future[Outcome]] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, pool: Executor) -> None:
        """Let kustomize build the whole overlay, which is needed in the end, while all else is being read.

        Returns when it runs: threads that read would hold up the one that starts it.
        """
        started = threading.Event()
        off = [item for item in self._steps() if item.name in self._known()]
        try:
            folder = self.workspace.state(off)
        except Unbuildable:
            return  # and that is said by who asks for it
        self._outcomes[frozenset(item.name for item in off)] = submit(
            pool, lambda: self._build_folder(folder, started=started.set)
        )
        started.wait()

    def run(self) -> Side:
        """Build, or read, the base, then build each wave; see Side."""
        steps = self._steps()
        self.refused.update(self._known())
        base = unbuilt(self.workspace, steps, self.builder.parsed) if steps else None
        side = self._upon(base, built=False) if base is not None else None
        return side or self._upon_built()

    def with_others(self, items: Sequence[Item], wanted: Collection[str], scratch: Path) -> Side:
        """The side with ``items`` in place of its own, of which those ``wanted`` differ; see ``wanted``.

        What was built with all of those switched off needs no second build.
        """
        was = self.workspace
        space = replace(was, items=items, scratch=scratch)
        known = {off: outcome for off, outcome in self._outcomes.items() if off.issuperset(wanted)}
        return Chain(space, self.builder, items, wanted=wanted, _outcomes=known).run()

    def _upon_built(self) -> Side:
        self.refused.clear()
        self.refused.update(self._known())
        base = self._base()
        if isinstance(base, Failed) and self.workspace.settled:
            self.workspace.settled = frozenset()  # one of those is what kustomize refuses
            return self.run()
        side = None if isinstance(base, Failed) else self._upon(base, built=True)
        return side or Side(base, base)

    def _upon(self, base: State, *, built: bool) -> Side | None:
        """The side, upon this base; None where a base that was not built raises a doubt."""
        steps = [item for item in self._steps() if item.name not in self.context]
        waves, reaches = plan(steps, base)
        waves = self._until_wanted(waves)
        if isinstance(self._build(self._offs([[]])[0]), Failed):
            scratch = self.workspace.scratch / f"refusals-{built}"
            alone = [item for item in steps if item in self.beyond or not self._is_shared(item)]
            found = refusals(steps, base, reaches, self.shared, self.builder, scratch, but=alone)
            self.refused.update(found)
        foreseen = dict(self.refused)
        waves = [mine for wave in waves if (mine := [item for item in wave if item.name not in foreseen])]
        if not waves and not built:
            return None
        while True:
            states, waves = self._states(base, waves)
            if len(self.refused) > len(foreseen) and not built:
                return None  # only a build tells whether that is the items' doing
            if not built:
                base = states[0] = ordered(base, states[1], waves[0])
            effects, names, mixed = attribute(states, waves, reaches, strict=not built)
            if mixed is None:
                break
            if is_told_apart(mixed, reaches):
                waves = [part for wave in waves for part in (taken_apart(wave) if wave is mixed else [wave])]
            elif not built:
                return None
            else:  # a guess was too small
                waves = [[item] for wave in waves for item in wave]
        self._tell(steps if built else ())
        effects = {
            name: Effect(effect.met, effect.touched, self.refused.get(name), base.objects)
            for name, effect in effects.items()
        }
        for item in self.items:
            if item.name in self.refused and (item.kind is Kind.RESOURCE or item.name in foreseen):
                effects[item.name] = Effect(base.objects, {}, self.refused[item.name])
        cut = self.workspace.cut
        final = states[-1].with_others({(name, 1): obj for name, obj in cut.dropped.items()})
        return Side(base, final, effects, names, cut.schemas)

    def _until_wanted(self, waves: list[list[Item]]) -> list[list[Item]]:
        """The waves up to the last one with an item that is asked for; those behind it stay off."""
        if self.wanted is None:
            return waves
        mine = [number for number, wave in enumerate(waves, 1) if any(i.name in self.wanted for i in wave)]
        end = max(mine, default=0)
        self.beyond = [item for wave in waves[end:] for item in wave]
        return waves[:end]

    def _known(self) -> dict[str, str]:
        """What was said of items that other overlays have as well."""
        return self.shared.of(filter(self._is_shared, self._steps()))

    def _tell(self, items: Iterable[Item]) -> None:
        """Let other overlays know of the items that were refused."""
        for item in filter(self._is_shared, items):
            if item.name in self.refused:
                self.shared.known.setdefault(item.name, self.refused[item.name])

    def _is_shared(self, item: Item) -> bool:
        """Whether what is said of an item holds wherever it is used: a component sees what stands before it."""
        kustomization = self.workspace.tree.kustomization(item.folder)
        return kustomization is None or kustomization.data.get("kind") != "Component"

    def _steps(self) -> list[Item]:
        settled = self.workspace.settled
        return [
            item
            for item in self.items
            if item.kind not in _ALWAYS_ON and item.name not in settled and self.workspace.has(item)
        ]

    def _build(self, off: Sequence[Item]) -> Outcome:
        """The state with ``off`` switched off; built once."""
        names = frozenset(item.name for item in off)
        with self._guard:
            known = self._outcomes.get(names)
            outcome = self._outcomes.setdefault(names, Future())
        if known is None:
            try:
                outcome.set_result(self._build_state(off))
            except BaseException as error:
                outcome.set_exception(error)
                raise
        return outcome.result()

    def _build_state(self, off: Sequence[Item]) -> Outcome:
        """The state with ``off`` switched off: made by another overlay, perhaps, that includes the same."""
        key = self.workspace.included_state(off)
        if key is None:
            return self._build_own_state(off)
        with self.shared.guard:
            known = self.shared.states.get(key)
            outcome = self.shared.states.setdefault(key, Future())
        if known is None:
            try:
                outcome.set_result(self._build_own_state(off))
            except BaseException as error:
                self.shared.states.pop(key)  # a budget that is used up is one overlay's alone
                outcome.set_exception(error)
                raise
        try:
            return outcome.result()
        except UpstreamsyncError:  # the other one's time was over, perhaps
            return self._build_own_state(off)

    def _build_own_state(self, off: Sequence[Item]) -> Outcome:
        try:
            folder = self.workspace.state(off)
        except Unbuildable as refused:
            return Failed(refused.error, refused.reason, refused.hint)
        return self._build_folder(folder)

    def _build_folder(self, folder: Path, *, started: Callable[[], object] = nothing) -> Outcome:
        root = folder
        for _ in [part for part in self.workspace.overlay.split("/") if part != "."]:
            root = root.parent
        outcome = self.builder.build(
            folder, root=root, unrestricted=self.workspace.unrestricted, started=started
        )
        return put_back(outcome, self.workspace.cut.contents)

    def _base(self) -> Outcome:
        """The state with every step off; resources that collide and names that must differ are found here."""
        off = self._steps()
        first = self._build(off)
        if not isinstance(first, Failed):
            return first
        renaming = {item.name for item in off if item.kind in RENAMING}
        if renaming:  # with their own names alone, what they tell apart is the same
            told_apart = self._build([item for item in off if item.name not in renaming])
            if isinstance(told_apart, State):
                self.context = renaming
                return told_apart
        resources = [item for item in self.items if item.kind is Kind.RESOURCE and self.workspace.has(item)]
        blamed = [item for item in resources if item.key in first.error] or resources
        for item in blamed:
            alone = self._build([*off, *(r for r in resources if r.name in self.refused), item])
            if isinstance(alone, State):
                self.refused[item.name] = first.error
                return alone
        return first

    def _states(self, base: State, waves: list[list[Item]]) -> tuple[list[State], list[list[Item]]]:
        """The state after each wave, the base first; waves that fail are taken apart, refusals noted."""
        states: list[State] = [base]
        done: list[list[Item]] = []
        waiting = list(waves)
        while waiting:
            offs = self._offs(waiting)
            if len(offs) > 1 and isinstance(self._build(offs[-1]), Failed):
                offs = offs[: self.builder.jobs]  # states behind the one that fails would be built in vain
            outcomes = self.builder.map(self._build, offs)
            good = 0
            for outcome in outcomes:
                if isinstance(outcome, Failed):
                    break
                states.append(outcome)
                good += 1
            done += waiting[:good]
            waiting = waiting[good:]
            if good < len(outcomes) and isinstance(failure := outcomes[good], Failed):
                if len(waiting[0]) > 1:
                    waiting[:1] = taken_apart(waiting[0])
                else:
                    self.refused[waiting[0][0].name] = failure.error
                    states.append(states[-1])
                    done.append(waiting.pop(0))
        return states, done

    def _offs(self, waiting: Sequence[Sequence[Item]]) -> list[list[Item]]:
        refused = [item for item in self.items if item.name in self.refused]
        refused += self.beyond
        later = [item for wave in waiting for item in wave]
        offs = []
        for wave in waiting:
            later = later[len(wave) :]
            offs.append([*refused, *later])
        return offs


def attribute(
    states: Sequence[State],
    waves: Sequence[list[Item]],
    reaches: Mapping[str, Reach],
    *,
    strict: bool = False,
) -> tuple[dict[str, Effect], dict[Key, Key], list[Item] | None]:
    """Whose doing each difference between two states is, and what in the base each object of the last one is.

    Where that can't be said of a wave it is the third value: its items can't be told apart, or a guess of
    ``reaches`` was too small. What a wave of one item changes is that item's doing; ``strict`` holds it to
    its reach as well.
    """
    effects: dict[str, Effect] = {}
    names = {key: key for key in states[0].objects}
    for wave, before, after in zip(waves, states, states[1:], strict=False):
        met = {names.get(key, key): obj for key, obj in before.objects.items()}
        changed: dict[Key, Touch] = {}
        following: dict[Key, Key] = {}
        for old, new in pairs(before, after, wave):
            left = before.objects[old] if old else None
            right = after.objects[new] if new else None
            key = names.get(old, old) if old else new
            if key is None:
                continue
            if new is not None:
                following[new] = key
            if left is not right and left != right:
                changed[key] = Touch(left, right)
        names = following
        if not _attributed(wave, met, changed, reaches, effects, strict=strict):
            return effects, names, wave
    return effects, names, None


def _attributed(
    wave: Sequence[Item],
    met: Mapping[Key, Manifest],
    changed: Mapping[Key, Touch],
    reaches: Mapping[str, Reach],
    effects: dict[str, Effect],
    *,
    strict: bool,
) -> bool:
    """Lay what changed to the items of a wave; False where it can't be, or where an item left its reach."""
    if is_told_apart(wave, reaches):
        return _told_apart(wave, met, changed, reaches, effects)
    for item in wave:
        reach = reaches[item.name] if strict or len(wave) > 1 else None
        mine = {key: touch for key, touch in changed.items() if reach is None or key in reach}
        effects[item.name] = Effect(met, mine)
    laid = sum(len(effects[item.name].touched) for item in wave)
    return laid == len(changed) or not (strict or len(wave) > 1)


def _told_apart(
    wave: Sequence[Item],
    met: Mapping[Key, Manifest],
    changed: Mapping[Key, Touch],
    reaches: Mapping[str, Reach],
    effects: dict[str, Effect],
) -> bool:
    """The same for items that write into the same objects."""
    touched: dict[str, dict[Key, Touch]] = {item.name: {} for item in wave}
    groups: dict[tuple[str, ...], Together | None] = {}
    for key, touch in changed.items():
        mine = [item for item in wave if (reach := reaches[item.name]) is None or key in reach]
        names = tuple(item.name for item in mine)
        if names not in groups:
            groups[names] = Together.of(mine)
        together = groups[names]
        if together is None or touch.before is None or touch.after is None:
            return False
        states = together.tell_apart(touch.before, touch.after)
        if states is None:
            return False
        for item, before, after in zip(mine, (touch.before, *states), states, strict=False):
            if before != after:
                touched[item.name][key] = Touch(before, after)
    here = dict(met)
    for item in wave:
        effects[item.name] = Effect(dict(here), touched[item.name])
        here.update({key: touch.after for key, touch in touched[item.name].items() if touch.after})
    return True


def ordered(base: State, after: State, wave: Sequence[Item]) -> State:
    """A base that was not built, in the order in which kustomize printed the state after it."""
    places = {key: number for number, key in enumerate(after.objects)}
    mine = {old: places[new] for old, new in pairs(base, after, wave) if old and new}
    keys = sorted(base.objects, key=lambda key: mine.get(key, len(places)))
    return State({key: base.objects[key] for key in keys}, base.texts)


def pairs(before: State, after: State, wave: Sequence[Item]) -> Iterator[tuple[Key | None, Key | None]]:
    """The objects of two consecutive states, paired; a renaming item pairs an object with its new name."""
    left = [key for key in before.objects if key not in after.objects]
    right = [key for key in after.objects if key not in before.objects]
    for key in before.objects:
        if key in after.objects:
            yield key, key
    renaming = [item for item in wave if item.kind in RENAMING]
    found = _renamed(left, right, renaming[0]) if len(renaming) == 1 else ()
    yield from found
    gone, come = {old for old, _ in found}, {new for _, new in found}
    yield from ((key, None) for key in left if key not in gone)
    yield from ((None, key) for key in right if key not in come)


def _renamed(left: Sequence[Key], right: Sequence[Key], item: Item) -> list[tuple[Key, Key]]:
    free = dict.fromkeys(right)
    found: dict[Key, Key] = {}
    for old in left:
        new = (_edited(old[0], item), old[1])
        if new in free:
            found[old] = new
            del free[new]
    mine, theirs = _by_kind(key for key in left if key not in found), _by_kind(free)
    for kind, keys in mine.items():
        others = theirs.get(kind, ())
        if len(keys) == len(others):  # a Namespace that takes the name; kustomize keeps their order
            found.update(zip(keys, others, strict=True))
    return list(found.items())


def _by_kind(keys: Iterable[Key]) -> dict[tuple[str, str], list[Key]]:
    found: dict[tuple[str, str], list[Key]] = {}
    for key in keys:
        found.setdefault((key[0].group, key[0].kind), []).append(key)
    return found


def _edited(name: ObjectId, item: Item) -> ObjectId:
    text = str(item.spec)
    if item.kind is Kind.NAMESPACE:
        return ObjectId(name.group, name.version, name.kind, text, name.name)
    changed = text + name.name if item.kind is Kind.PREFIX else name.name + text
    return ObjectId(name.group, name.version, name.kind, name.namespace, changed)
