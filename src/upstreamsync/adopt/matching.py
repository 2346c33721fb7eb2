"""Which of a copy's objects is which of upstream's: by kind and name, then by what they hold.

File names say nothing: one upstream file may have been split over seven, several put into one, objects
renamed or moved to other namespaces.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from upstreamsync.kit.kubernetes.objects import ObjectId, digest, leaves, object_id

Manifest = Mapping[str, Any]
#: How alike two objects of different names have to be to count as one that was renamed (0 to 1).
LEAST_LIKENESS = 0.7
#: Two objects that have no more than this in common are alike by chance.
_LEAST_SHARED = 4
_NAMING = frozenset((("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One object as upstream has it, and as the copy has it."""

    upstream: Manifest
    local: Manifest

    @property
    def is_equal(self) -> bool:
        """Whether nothing was changed; the order of keys says nothing."""
        return digest(self.upstream) == digest(self.local)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Pairs in upstream's order; ``dropped`` are upstream's alone, ``own`` the copy's alone."""

    pairs: tuple[Pair, ...]
    dropped: tuple[Manifest, ...]
    own: tuple[Manifest, ...]


def match(upstream: Sequence[Manifest], local: Sequence[Manifest]) -> Matching:
    """Pair the objects of a copy with those of upstream, each with one at most."""
    partners: dict[int, int] = {}
    for name in (_full_name, kind_and_name):
        _pair_by(name, upstream, local, partners)
    _pair_by_likeness(upstream, local, partners)
    taken = set(partners.values())
    return Matching(
        pairs=tuple(
            Pair(upstream=upstream[index], local=local[partners[index]]) for index in sorted(partners)
        ),
        dropped=tuple(one for index, one in enumerate(upstream) if index not in partners),
        own=tuple(one for index, one in enumerate(local) if index not in taken),
    )


def _full_name(name: ObjectId) -> Hashable:
    namespace = "" if name.namespace == "default" else name.namespace
    return (name.group, name.kind, namespace, name.name)


def kind_and_name(name: ObjectId) -> Hashable:
    """For objects that were moved to another namespace, or to another group of the API (``extensions``)."""
    return (name.kind, name.name)


def _pair_by(
    key: Callable[[ObjectId], Hashable],
    upstream: Sequence[Manifest],
    local: Sequence[Manifest],
    partners: dict[int, int],
) -> None:
    taken = set(partners.values())
    waiting: dict[Hashable, list[int]] = {}
    for index, one in enumerate(local):
        if index not in taken:
            waiting.setdefault(key(object_id(one)), []).append(index)
    left: dict[Hashable, list[int]] = {}
    for index, one in enumerate(upstream):
        if index not in partners:
            left.setdefault(key(object_id(one)), []).append(index)
    for name, indexes in left.items():
        found = waiting.get(name, [])
        if len(indexes) == len(found) == 1:
            partners[indexes[0]] = found[0]
        elif found:
            _pair_most_alike(indexes, found, upstream, local, partners, least=0.0)


def _pair_by_likeness(
    upstream: Sequence[Manifest], local: Sequence[Manifest], partners: dict[int, int]
) -> None:
    taken = set(partners.values())
    by_kind: dict[str, list[int]] = {}
    for index, one in enumerate(local):
        if index not in taken:
            by_kind.setdefault(str(one.get("kind")), []).append(index)
    left: dict[str, list[int]] = {}
    for index, one in enumerate(upstream):
        if index not in partners:
            left.setdefault(str(one.get("kind")), []).append(index)
    for kind, indexes in left.items():
        _pair_most_alike(indexes, by_kind.get(kind, []), upstream, local, partners, least=LEAST_LIKENESS)


def _pair_most_alike(
    indexes: Sequence[int],
    found: Sequence[int],
    upstream: Sequence[Manifest],
    local: Sequence[Manifest],
    partners: dict[int, int],
    *,
    least: float,
) -> None:
    theirs = {index: _content(upstream[index]) for index in indexes}
    ours = {index: _content(local[index]) for index in found}
    scores = sorted(
        (-_likeness(theirs[i], ours[j], needed=_LEAST_SHARED if least else 0), abs(i - j), i, j)
        for i in indexes
        for j in found
    )
    free = set(found)
    for score, _, i, j in scores:
        if -score < least:
            break
        if i not in partners and j in free:
            partners[i] = j
            free.discard(j)


def _content(manifest: Manifest) -> Counter[str]:
    """The leaves of an object without what names it."""
    return Counter(f"{'.'.join(path)}={value!r}" for path, value in leaves(manifest) if path not in _NAMING)


def _likeness(one: Counter[str], other: Counter[str], *, needed: int) -> float:
    shared = (one & other).total()
    if shared < needed:
        return 0.0
    return 2 * shared / (one.total() + other.total() or 1)


# -- how far a copy is from a version -----------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """How far a copy is from one version.

    ``differing`` counts the values that only one of both has; ``shared`` is what they have in common, as a
    part of all (0 to 1). Order and formatting say nothing.
    """

    differing: int
    shared: float


def distance(upstream: Sequence[Manifest], local: Sequence[Manifest]) -> Distance:
    """Compare what a version ships with what a copy has, object by object."""
    matching = match(upstream, local)
    differing = shared = 0
    for pair in matching.pairs:
        if pair.is_equal:
            shared += 2 * _size(pair.local)
            continue
        one, other = _all_leaves(pair.upstream), _all_leaves(pair.local)
        common = (one & other).total()
        shared += 2 * common
        differing += one.total() + other.total() - 2 * common
    differing += sum(_size(one) for one in (*matching.dropped, *matching.own))
    together = differing + shared
    return Distance(differing=differing, shared=shared / together if together else 1.0)


def _all_leaves(manifest: Manifest) -> Counter[str]:
    return Counter(f"{'.'.join(path)}={value!r}" for path, value in leaves(manifest))


def _size(manifest: Manifest) -> int:
    return sum(1 for _ in leaves(manifest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One version and how far the copy is from it. ``claimed`` says what in the copy speaks for it."""

    version: str
    distance: Distance
    claimed: tuple[str, ...] = ()
    exact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Candidates, nearest first, and whether the first is clearly ahead; ``why`` says so in a sentence.

    ``skipped`` are versions that could not be compared, each with what was wrong.
    """

    candidates: tuple[Candidate, ...]
    sure: bool
    why: str
    skipped: tuple[str, ...] = ()

    @property
    def best(self) -> Candidate:
        """The nearest one; there is at least one."""
        return self.candidates[0]


#: A copy that shares less than this with a version was not made from it.
LEAST_SHARED = 0.5


def rank(candidates: Iterable[Candidate], *, declared: str | None = None) -> Ranking:
    """Order by distance; what is equally far by what the copy claims, then as it came (newest first).

    The nearest is sure where the copy is it to the letter, or the next one is clearly farther away, or
    vendors.yaml declares it and none is nearer.
    """
    ordered = sorted(
        candidates,
        key=lambda one: (
            not one.exact,
            one.distance.differing,
            one.version != declared,
            -len(one.claimed),
        ),
    )
    if not ordered:
        raise ValueError("there is nothing to rank")
    best = ordered[0]
    second = ordered[1] if len(ordered) > 1 else None
    here, there = best.distance.differing, second.distance.differing if second is not None else 0
    if best.distance.shared < LEAST_SHARED and not best.exact:
        return Ranking(
            candidates=tuple(ordered),
            sure=False,
            why=f"only {best.distance.shared:.0%} of the content is {best.version}'s: "
            "it may come from elsewhere, or from several places",
        )
    if best.exact:
        sure, why = True, "its files were once this version's, byte for byte"
    elif here == 0 and best.version != declared and second is not None and there == 0 and not best.claimed:
        sure, why = True, f"it equals {best.version} and {second.version}, which do not differ"
    elif here == 0:
        sure, why = True, "it equals this version"
    elif second is None:
        sure, why = True, "it is the only version on offer"
    elif best.version == declared:
        sure, why = True, "vendors.yaml declares it, and none is nearer"
    elif there >= here + max(2, here // 4):
        sure, why = True, f"{second.version}, the next one, is at {there}"
    elif there == here and len(best.claimed) > len(second.claimed):
        sure, why = True, f"{second.version} is as near, but {best.claimed[0]} speaks for {best.version}"
    else:
        sure, why = False, f"{second.version} is nearly as near ({there})"
    return Ranking(candidates=tuple(ordered), sure=sure, why=why)
