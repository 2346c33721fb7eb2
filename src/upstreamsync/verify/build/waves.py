"""Which customizations can be switched on in one build because they touch different objects.

What an item may touch is guessed generously from its entry and the objects at hand; a guess that turns
out too small is noticed when effects are attributed, and the items are then switched on one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from upstreamsync.kit.expressions import compiled
from upstreamsync.verify.build.attribute import Reach, may_join
from upstreamsync.verify.build.builds import Key, State
from upstreamsync.verify.overlays.items import Item, Kind


@dataclass(frozen=True, slots=True)
class Spellings:
    """The names that an object may have on its way: its own, with every prefix and suffix, and some of them."""

    prefixes: tuple[str, ...]
    suffixes: tuple[str, ...]

    def of(self, name: str) -> list[str]:
        """Every spelling of ``name``, its own first."""
        return [f"{prefix}{name}{suffix}" for prefix in self.prefixes for suffix in self.suffixes]


def _spellings(items: Sequence[Item]) -> Spellings:
    prefixes, suffixes = [""], [""]
    for item in items:
        if item.kind is Kind.PREFIX:
            prefixes += [f"{item.spec}{prefix}" for prefix in prefixes]
        elif item.kind is Kind.SUFFIX:
            suffixes += [f"{suffix}{item.spec}" for suffix in suffixes]
    return Spellings(tuple(dict.fromkeys(prefixes)), tuple(dict.fromkeys(suffixes)))


def plan(items: Sequence[Item], base: State) -> tuple[list[list[Item]], dict[str, Reach]]:
    """The items in waves, and what each may touch.

    Each wave is one build. No two items of a wave touch one object, unless their doings can be told
    apart by what they write.

    An item stands in a later wave than every earlier item that it may meet, so an object never sees its
    customizations in another order than kustomize's.
    """
    spellings = _spellings(items)
    waves: list[list[Item]] = []
    reaches: dict[str, Reach] = {}
    last: dict[Key, int] = {}
    barrier = 0
    for item in items:
        reach = touches(item, base, spellings=spellings, earlier=items, reaches=reaches)
        reaches[item.name] = reach
        if waves and may_join(item, waves[-1], reaches):
            waves[-1].append(item)
            if reach is None:
                barrier = len(waves)
                last.clear()
            last.update(dict.fromkeys(reach or (), len(waves) - 1))
            continue
        if reach is None:
            waves.append([item])
            barrier = len(waves)
            last.clear()
            continue
        at = max([barrier, *(last[key] + 1 for key in reach if key in last)])
        while len(waves) <= at:
            waves.append([])
        waves[at].append(item)
        for key in reach:
            last[key] = at
    return [wave for wave in waves if wave], reaches


def touches(
    item: Item,
    base: State,
    *,
    spellings: Spellings,
    earlier: Sequence[Item],
    reaches: Mapping[str, Reach],
) -> Reach:
    """The objects of ``base`` that ``item`` may change; None when that can't be bounded."""
    if item.kind in (Kind.MERGE, Kind.JSON):
        return _patched(item, base, spellings)
    if item.kind is Kind.REPLICAS and isinstance(item.spec, Mapping):
        name = str(item.spec.get("name", ""))
        return frozenset(key for key in base.objects if name in spellings.of(key[0].name))
    if item.kind is Kind.IMAGES and isinstance(item.spec, Mapping):
        name = str(item.spec.get("name", ""))
        found = {key for key, text in base.texts.items() if name.encode() in text}
        # kustomize leaves CRDs alone, though their schemas speak of images
        return frozenset(
            key
            for key in _with_earlier(found, name, earlier, reaches)
            if key[0].kind != "CustomResourceDefinition"
        )
    return None


def _with_earlier(
    found: set[Key], name: str, earlier: Sequence[Item], reaches: Mapping[str, Reach]
) -> set[Key]:
    """Add what earlier items touch that bring the image in themselves."""
    for other in earlier:
        if other.name not in reaches:
            break
        if name and name in f"{other.text}{other.spec}":
            reach = reaches[other.name]
            if reach is None:
                continue  # a barrier: it has its own build in any case
            found |= reach
    return found


def _patched(item: Item, base: State, spellings: Spellings) -> Reach:
    options = item.spec.get("options") if isinstance(item.spec, Mapping) else None
    if options:
        return None  # allowNameChange, allowKindChange: the object does not keep its id
    target = item.target
    if not target:
        return _merged(item, base, spellings)
    kind, group, name = (compiled(str(target.get(field) or ".*")) for field in ("kind", "group", "name"))
    if kind is None or group is None or name is None:
        return None
    return frozenset(
        key
        for key in base.objects
        if kind.fullmatch(key[0].kind)
        and group.fullmatch(key[0].group)
        and any(map(name.fullmatch, spellings.of(key[0].name)))
    )


def _merged(item: Item, base: State, spellings: Spellings) -> Reach:
    if not isinstance(item.body, Mapping):
        return None
    metadata: Any = item.body.get("metadata")
    name = str(metadata.get("name", "")) if isinstance(metadata, Mapping) else ""
    kind = str(item.body.get("kind", ""))
    return frozenset(key for key in base.objects if key[0].kind == kind and name in spellings.of(key[0].name))
