"""Verdicts on lists whose elements have no names: arguments, verbs, finalizers, RBAC rules.

What an item does to such a list is the set of tokens that it removes and adds, and for those it inserts
their neighbours. The order in which upstream lists the others says nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from upstreamsync.kit.kubernetes.objects import MISSING, likeness
from upstreamsync.kit.kubernetes.values import flag, show
from upstreamsync.model import Severity, Verdict
from upstreamsync.verify.classify.walk import Four, Walk
from upstreamsync.verify.overlays.items import Kind


def judge(walk: Walk, four: Four, path: tuple[str, ...], name: str, *, owned: bool) -> None:
    """Note what became of the item's effect on a list."""
    a, b, c, d = (Counter(map(token, value)) if isinstance(value, list) else Counter() for value in four)
    acted, acts = a != b or four.a is MISSING != four.b is MISSING, c != d
    if not acted and not acts:
        return
    if b == d and a != c and (acts or not acted):
        _replaced(walk, four, path, name)
    elif acted and not acts:
        _vanished(walk, four, path, c, added=b - a, removed=a - b)
    elif acts and not acted:
        _appeared(walk, four, path, owned=owned)
    else:
        _both(walk, four, path)


def token(value: Any) -> str:
    """An element as text that equal elements share."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def _tokens(value: Any) -> list[str]:
    return [token(item) for item in value] if isinstance(value, list) else []


def _replaced(walk: Walk, four: Four, path: tuple[str, ...], name: str) -> None:
    """The item writes the list as a whole, and upstream changed what it overwrites."""
    if walk.whole:
        return
    a, _, c, d = (Counter(_tokens(value)) for value in four)
    dropped = list(((c - a) - d).elements())
    kept = list(((a - c) & d).elements())
    if not dropped and not kept:
        walk.add(Verdict.OK, None, path, four)
        return
    flags = {flag(each) for each in dropped}
    renamed = [each for each in (a - c).elements() if flag(each) in flags]
    changed = len(list((a - c).elements()))
    if four.a is MISSING or four.a is None or (dropped and len(dropped) > changed):
        new = [each for each in dropped if flag(each) not in {flag(old) for old in renamed}]
        walk.add(
            Verdict.SHADOWS, "swallows_upstream_addition", path, four,
            did=f"replaces {name} as a whole", does=f"drops {_listed(new)}",
            because=f"upstream added {_listed(new)}",
            hint="add it to the patch, or turn the patch into JSON6902 edits of single entries",
        )  # fmt: skip
    elif dropped:
        gone = list((a - c).elements())
        walk.add(
            Verdict.SHADOWS, "upstream_changed_value", path, four,
            did=f"replaces {name} as a whole",
            does=f"still sets {_listed(kept)}" if kept else f"drops {_listed(dropped)}",
            because=f"upstream replaced {_listed(gone)} by {_listed(dropped)}",
            grave=Severity.SILENT_BREAK if _new_flags(dropped, gone) else None,
            hint="take over the upstream change in the patch",
        )  # fmt: skip
    else:
        walk.add(
            Verdict.SHADOWS, "upstream_removed_value", path, four,
            did=f"replaces {name} as a whole", does=f"still sets {_listed(kept)}",
            because=f"upstream removed {_listed(kept)}", hint="remove it from the patch too",
        )  # fmt: skip


def _new_flags(dropped: Sequence[str], gone: Sequence[str]) -> bool:
    """Whether a dropped argument is a flag of its own, and no new spelling or value of one that is gone."""
    known = {flag(each) for each in gone}
    return any(each.startswith("-") and flag(each) not in known for each in dropped)


def _vanished(
    walk: Walk,
    four: Four,
    path: tuple[str, ...],
    c: Counter[str],
    *,
    added: Counter[str],
    removed: Counter[str],
) -> None:
    if not added - c and not removed & c:
        walk.add(
            Verdict.REDUNDANT, None, path, four, did=_change(added, removed),
            because=f"upstream now has {_listed(added.elements())} itself" if added
            else "upstream no longer has it",
            hint="delete it from the customization",
        )  # fmt: skip
        return
    walk.add(
        Verdict.LOST, walk.gone, path, four, did=_change(added, removed), does="changes nothing there",
        because=f"upstream now has {_listed(c.elements())}" if c else "upstream no longer has that list",
    )  # fmt: skip


def _appeared(walk: Walk, four: Four, path: tuple[str, ...], *, owned: bool) -> None:
    if walk.whole:
        return
    a, c, d = (Counter(_tokens(value)) for value in (four.a, four.c, four.d))
    gone, new = c - d, d - c
    swallowed = gone - a
    if owned and swallowed and not new:
        walk.add(
            Verdict.SHADOWS, "swallows_upstream_addition", path, four, did="replaces the list as a whole",
            does=f"drops {_listed(swallowed.elements())}",
            because=f"upstream added {_listed(swallowed.elements())}",
            hint="add it to the customization",
        )  # fmt: skip
        return
    if walk.item.kind in (Kind.REPLACEMENTS, Kind.VARS, Kind.IMAGES):
        walk.add(Verdict.WIDENED, "newly_matched", path, four, did="left it alone", does=_change(new, gone))
        return
    walk.add(
        Verdict.MISAPPLIED, "index_shift" if walk.item.kind is Kind.JSON else "collateral", path, four,
        did="left this list alone", does=_change(new, gone, now=True),
    )  # fmt: skip


def _both(walk: Walk, four: Four, path: tuple[str, ...]) -> None:
    a, b, c, d = (Counter(_tokens(value)) for value in four)
    added, removed, adds, removes = b - a, a - b, d - c, c - d
    if walk.item.kind in (Kind.REPLACEMENTS, Kind.VARS) or walk.whole:
        walk.add(Verdict.OK, None, path, four)
    elif added == adds and removed == removes:
        _same_tokens(walk, four, path, added, a, c)
    elif added == adds and set(map(flag, removed)) == set(map(flag, removes)):
        walk.add(
            Verdict.SHADOWS, "upstream_changed_value", path, four, did=_change(added, removed),
            does=_change(adds, removes, now=True),
            because=f"upstream replaced {_listed(removed.elements())} by {_listed(removes.elements())}",
            hint="check whether your value is still wanted",
        )  # fmt: skip
    elif not _inside(walk, four, path):
        walk.add(
            Verdict.MISAPPLIED, "index_shift" if walk.item.kind is Kind.JSON else "collateral", path, four,
            did=_change(added, removed), does=_change(adds, removes, now=True),
            because=_moved(four, removed),
            hint="correct the index, or write the list as a whole",
        )  # fmt: skip


def _same_tokens(
    walk: Walk, four: Four, path: tuple[str, ...], added: Counter[str], a: Counter[str], c: Counter[str]
) -> None:
    twice = [each for each in added if each in c and each not in a]
    if twice:
        walk.add(
            Verdict.REDUNDANT, "listed_twice", path, four, did=f"added {_listed(twice)}",
            does="lists it a second time", because=f"upstream now has {_listed(twice)} itself",
            grave=Severity.REVIEW, hint="delete the patch",
        )  # fmt: skip
        return
    flags = {flag(each): each for each in added if each.startswith("-")}
    rivals = [each for each in c if each not in a and each not in added and flag(each) in flags]
    if rivals:
        walk.add(
            Verdict.SHADOWS, "listed_twice", path, four, did=f"added {_listed(added.elements())}",
            does="now gives the flag a second time", because=f"upstream now has {_listed(rivals)}",
            grave=Severity.REVIEW, hint="replace upstream's flag instead of adding one",
        )  # fmt: skip
    elif walk.item.kind is Kind.JSON and _elsewhere(four, added):
        before, after = _around(four.b, added), _around(four.d, added)
        walk.add(
            Verdict.MISAPPLIED, "index_shift", path, four,
            did=f"inserted {_listed(added.elements())} between {before[0]} and {before[1]}",
            does=f"inserts it between {after[0]} and {after[1]}",
            because="upstream changed the list in front of it", hint="correct the index",
        )  # fmt: skip
    else:
        walk.add(Verdict.OK, None, path, four)


def _elsewhere(four: Four, added: Counter[str]) -> bool:
    """Whether an insertion has moved to another place: neither neighbour is what it was.

    Neighbours that have merely changed places are upstream's reordering, which says nothing.
    """
    if not added or added == Counter(_tokens(four.b)):
        return False
    before, after = _around(four.b, added), _around(four.d, added)
    return before[0] != after[0] and before[1] != after[1] and before != after[::-1]


def _around(result: Any, added: Counter[str]) -> tuple[str, str]:
    tokens = _tokens(result)
    places = [index for index, each in enumerate(tokens) if each in added]
    if not places:
        return "start", "end"
    first, last = places[0], places[-1]
    return (
        tokens[first - 1] if first else "start",
        tokens[last + 1] if last + 1 < len(tokens) else "end",
    )


def _inside(walk: Walk, four: Four, path: tuple[str, ...]) -> bool:
    """Look inside elements that the item changes on both sides, when they are recognizably the same."""
    a, b, c, d = (value if isinstance(value, list) else [] for value in four)
    old, new = _changed_elements(a, b), _changed_elements(c, d)
    if old is None or new is None or len(old) != len(new):
        return False
    if not all(isinstance(each, Mapping) for pair in (*old, *new) for each in pair):
        return False
    matched = []
    free = list(new)
    for before, after in old:
        best = max(free, key=lambda pair: likeness(before, pair[0]))
        if likeness(before, best[0]) < 0.4:
            return False
        free.remove(best)
        matched.append((before, after, *best))
    for index, states in enumerate(matched):
        walk.visit_states(states, (*path, f"[{index}]"))
    return True


def _changed_elements(before: Sequence[Any], after: Sequence[Any]) -> list[tuple[Any, Any]] | None:
    """The elements that an item changes in place; None when it adds or removes some."""
    if len(before) != len(after):
        return None
    return [(old, new) for old, new in zip(before, after, strict=True) if token(old) != token(new)]


def _moved(four: Four, removed: Counter[str]) -> str:
    if not isinstance(four.c, list):
        return ""
    places = [str(index) for index, each in enumerate(_tokens(four.c)) if each in removed]
    if not places:
        return ""
    return f"what it means is now at index {', '.join(places)}"


def _listed(tokens: Any) -> str:
    return ", ".join(show(each, 120) for each in tokens) or "nothing"


def _change(added: Counter[str], removed: Counter[str], *, now: bool = False) -> str:
    if added and removed:
        return f"{'replaces' if now else 'replaced'} {_listed(removed.elements())} by {_listed(added.elements())}"
    if added:
        return f"{'adds' if now else 'added'} {_listed(added.elements())}"
    return f"{'removes' if now else 'removed'} {_listed(removed.elements())}"
