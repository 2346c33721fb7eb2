"""Switching customizations on one after the other, in kustomize's order, to see what each of them does.

Every item sees exactly the input that it sees in reality, nothing hides behind anything, and the sum of
all effects is the whole overlay. (Leaving one out instead would hide two items that set one field, and
break those that build upon others.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from upstreamsync.kit.objects import ObjectId
from upstreamsync.verify.builds import Builder, Failed, Key, Manifest, Outcome, State
from upstreamsync.verify.items import RENAMING, Item, Kind
from upstreamsync.verify.trim import agree
from upstreamsync.verify.waves import Reach, plan
from upstreamsync.verify.workspace import Workspace

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

    ``error`` is kustomize's refusal; an item that was refused stays off for those after it.
    """

    met: Mapping[Key, Manifest]
    touched: Mapping[Key, Touch] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an overlay, built. ``final`` has all items on that kustomize accepts.

    ``names`` maps the key of an object in ``final`` to its key in ``base``, where the two differ or the
    base was trimmed; ``base`` lacks what was trimmed away, ``final`` does not.
    """

    base: Outcome
    final: Outcome
    effects: Mapping[str, Effect]
    names: Mapping[Key, Key]


@dataclass(slots=True)
class Chain:
    """The builds of one side."""

    workspace: Workspace
    builder: Builder
    items: Sequence[Item]
    refused: dict[str, str] = field(default_factory=dict)
    context: set[str] = field(default_factory=set)

    def run(self) -> Side:
        """Build the base, then each wave; see Side."""
        small = self._run()
        if self.workspace.trim is None or isinstance(small.final, Failed):
            return small
        full = self._build([item for item in self.items if item.name in self.refused], full=True)
        if isinstance(full, State) and agree(small.final, full):
            return Side(small.base, full, small.effects, small.names)
        self.workspace.trim = None
        self.refused.clear()
        self.context.clear()
        return self._run()

    def _run(self) -> Side:
        base = self._base()
        if isinstance(base, Failed):
            return Side(base, base, {}, {})
        steps = [item for item in self._steps() if item.name not in self.context]
        waves, reaches = plan(steps, base)
        states, waves = self._states(base, waves)
        effects, names, complete = attribute(states, waves, reaches)
        if not complete:  # a guess was too small: one by one
            states, waves = self._states(base, [[item] for item in steps])
            effects, names, _ = attribute(states, waves, reaches)
        effects = {
            name: Effect(effect.met, effect.touched, self.refused.get(name))
            for name, effect in effects.items()
        }
        for item in self.items:
            if item.kind is Kind.RESOURCE and item.name in self.refused:
                effects[item.name] = Effect(base.objects, {}, self.refused[item.name])
        return Side(base, states[-1], effects, names)

    def _steps(self) -> list[Item]:
        return [item for item in self.items if item.kind not in _ALWAYS_ON]

    def _build(self, off: Sequence[Item], *, full: bool = False) -> Outcome:
        folder = self.workspace.state(off, full=full)
        root = folder
        for _ in [part for part in self.workspace.overlay.split("/") if part != "."]:
            root = root.parent
        return self.builder.build(folder, root=root, helm=self.workspace.needs_helm)

    def _base(self) -> Outcome:
        """The state with every step off; resources that collide and names that must differ are found here."""
        off = self._steps()
        first = self._build(off)
        if not isinstance(first, Failed):
            return first
        outcome: Outcome = first
        resources = [item for item in self.items if item.kind is Kind.RESOURCE]
        blamed = [item for item in resources if item.key in first.error] or resources
        for item in blamed:
            alone = self._build([*off, *(r for r in resources if r.name in self.refused), item])
            if isinstance(alone, State):
                self.refused[item.name] = first.error
                return alone
        self.context = {item.name for item in off if item.kind in RENAMING}
        if self.context:
            outcome = self._build([item for item in off if item.name not in self.context])
        return first if isinstance(outcome, Failed) else outcome

    def _states(self, base: State, waves: list[list[Item]]) -> tuple[list[State], list[list[Item]]]:
        """The state after each wave, the base first; waves that fail are taken apart, refusals noted."""
        states: list[State] = [base]
        done: list[list[Item]] = []
        waiting = list(waves)
        while waiting:
            outcomes = self.builder.map(self._build, self._offs(waiting))
            good = 0
            for outcome in outcomes:
                if isinstance(outcome, Failed):
                    break
                states.append(outcome)
                good += 1
            done += waiting[:good]
            waiting = waiting[good:]
            if waiting and isinstance(failure := outcomes[good], Failed):
                if len(waiting[0]) > 1:
                    waiting[:1] = [[item] for item in waiting[0]]
                else:
                    self.refused[waiting[0][0].name] = failure.error
                    states.append(states[-1])
                    done.append(waiting.pop(0))
        return states, done

    def _offs(self, waiting: Sequence[Sequence[Item]]) -> list[list[Item]]:
        refused = [item for item in self.items if item.name in self.refused]
        later = [item for wave in waiting for item in wave]
        offs = []
        for wave in waiting:
            later = later[len(wave) :]
            offs.append([*refused, *later])
        return offs


def attribute(
    states: Sequence[State], waves: Sequence[Sequence[Item]], reaches: Mapping[str, Reach]
) -> tuple[dict[str, Effect], dict[Key, Key], bool]:
    """Whose doing each difference between two states is; False when a guess of ``reaches`` was too small.

    Also the key in the base of every object of the last state.
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
        for item in wave:
            reach = reaches[item.name] if len(wave) > 1 else None
            mine = changed if reach is None else {key: changed[key] for key in changed if key in reach}
            effects[item.name] = Effect(met, mine)
        if len(wave) > 1 and sum(len(effects[item.name].touched) for item in wave) != len(changed):
            return effects, names, False
    return effects, names, True


def pairs(before: State, after: State, wave: Sequence[Item]) -> Iterator[tuple[Key | None, Key | None]]:
    """The objects of two consecutive states, paired; a renaming item pairs an object with its new name."""
    left = [key for key in before.objects if key not in after.objects]
    right = [key for key in after.objects if key not in before.objects]
    for key in before.objects:
        if key in after.objects:
            yield key, key
    if len(wave) == 1 and wave[0].kind in RENAMING:
        for old, new in _renamed(left, right, wave[0]):
            left.remove(old)
            right.remove(new)
            yield old, new
    yield from ((key, None) for key in left)
    yield from ((None, key) for key in right)


def _renamed(left: Sequence[Key], right: Sequence[Key], item: Item) -> list[tuple[Key, Key]]:
    found = []
    free = list(right)
    for old in left:
        for new in free:
            if new[1] == old[1] and _edited(old[0], item) == new[0]:
                found.append((old, new))
                free.remove(new)
                break
    rest = [old for old in left if old not in {pair[0] for pair in found}]
    for kind in {(key[0].group, key[0].kind): None for key in rest}:
        mine = [key for key in rest if (key[0].group, key[0].kind) == kind]
        theirs = [key for key in free if (key[0].group, key[0].kind) == kind]
        if len(mine) == len(theirs):  # a Namespace that takes the name; kustomize keeps their order
            found += zip(mine, theirs, strict=True)
    return found


def _edited(name: ObjectId, item: Item) -> ObjectId:
    text = str(item.spec)
    if item.kind is Kind.NAMESPACE:
        return ObjectId(name.group, name.version, name.kind, text, name.name)
    changed = text + name.name if item.kind is Kind.PREFIX else name.name + text
    return ObjectId(name.group, name.version, name.kind, name.namespace, changed)
