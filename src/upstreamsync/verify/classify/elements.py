"""Verdicts on one element of a list whose elements have names: a container, a port, an env variable.

By which of the four states have the element; what is not decided here is compared field by field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from upstreamsync.kit.kubernetes.objects import MISSING, diff, leaves, likeness
from upstreamsync.kit.kubernetes.values import image, same, show
from upstreamsync.model import FieldChange, Severity, Verdict
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.classify.sides import value_at
from upstreamsync.verify.classify.walk import Four, Walk
from upstreamsync.verify.overlays.items import Kind


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its four values, its path, and ``around`` it the four lists by label.

    ``name`` is the list's field; ``owned`` whether the item writes the list as a whole.
    """

    walk: Walk
    four: Four
    path: tuple[str, ...]
    around: Four
    name: str
    owned: bool

    @property
    def label(self) -> str:
        """The element's label inside the list: ``name=server``."""
        return self.path[-1][1:-1]

    @property
    def called(self) -> str:
        """``container "server"`` for ``…containers[name=server]``."""
        singular = self.name.removesuffix("s") if self.name.endswith("s") else self.name
        return f'{singular} "{plain(self.label)}"'.strip()

    @property
    def successor(self) -> str | None:
        """The label of the element that took this one's place upstream."""
        return successor(self.around, self.label, self.four.a)

    @property
    def by_index(self) -> bool:
        """Whether the item may address the element by its position."""
        return self.walk.item.kind is Kind.JSON

    def add(self, verdict: Verdict, reason: str | None, **more: Any) -> None:
        """Note something about the element."""
        self.walk.add(verdict, reason, self.path, self.four, **more)


def judge(element: Element) -> bool:
    """Decide about the element as a whole; False when its fields have to be compared one by one."""
    decide = _DECISIONS.get(element.four.shape)
    if decide is None:
        return False
    if element.walk.whole and element.four.shape != "0111":
        return True  # new and vanished elements are no findings for a setting for everything
    return decide(element)


def _adds_now(element: Element) -> bool:
    other = element.successor
    if other is None and same(element.four.b, element.four.d):
        element.add(
            Verdict.SHADOWS, "upstream_removed_value", did=f"changed {element.called}",
            does="now adds it, complete as it is", because="upstream no longer has it",
            hint=f"check whether {plain(element.label)} is still wanted",
        )  # fmt: skip
        return True
    element.add(
        Verdict.MISAPPLIED,
        "adds_instead_of_modifies",
        did=f"used to change {element.called}",
        does=f"now adds a {element.called}{_without_image(element.four)}",
        because=f"upstream renamed it to {plain(other)}" if other else "upstream no longer has it",
        hint=f"write {plain(other)} in place of {plain(element.label)}"
        if other
        else f"check whether {plain(element.label)} is still wanted",
        rename=_rename(element.label, other),
    )
    return True


def _added_exists(element: Element) -> bool:
    _, b, c, d = element.four
    if same(c, d):
        second = f"{element.label}#2"
        if second in element.around.d and second not in element.around.c:
            return True  # listed a second time: said of that one
        if same(b, d):
            element.add(
                Verdict.REDUNDANT, None, did=f"added {element.called}",
                because="upstream now has the very same one", hint="delete it from the customization",
            )  # fmt: skip
        else:
            element.add(
                Verdict.LOST, element.walk.gone, did=f"added {element.called}",
                because="upstream now has one of its own, which stays as it is",
            )  # fmt: skip
    elif same(b, d):
        element.add(
            Verdict.SHADOWS, "upstream_added_value", did=f"added {element.called}", does="still sets the same",
            because=f"upstream now has its own: {show(c)}", hint="check which of the two is wanted",
        )  # fmt: skip
    else:
        element.add(
            Verdict.MISAPPLIED, "modifies_instead_of_adds", did=f"used to add {element.called}",
            does="now is merged into the one that upstream ships, whose other fields remain",
            because=f"upstream now has {show(c)}", hint=f"give yours another name than {plain(element.label)}",
        )  # fmt: skip
    return True


def _delete_vanished(element: Element) -> bool:
    as_before = same(element.around.b, element.around.d)  # the list as a whole comes out as it did
    if not as_before and (other := element.successor):
        element.add(
            Verdict.LOST, "element_renamed", did=f"removed {element.called}", does="removes nothing",
            because=f"upstream renamed it to {plain(other)}",
            hint=f"write {plain(other)} in place of {plain(element.label)}", rename=_rename(element.label, other),
        )  # fmt: skip
    elif not as_before and (longer := _called_longer(element)):
        element.add(
            Verdict.LOST, "element_renamed", did=f"removed {element.called}", does="removes nothing",
            because=f"upstream no longer has it, and now has {plain(longer)}", grave=Severity.REVIEW,
            hint=f"check whether {plain(longer)} is to be removed as well", rename=_rename(element.label, longer),
        )  # fmt: skip
    else:
        element.add(
            Verdict.REDUNDANT, None, did=f"removed {element.called}", because="upstream no longer has it",
            hint="delete it from the customization",
        )  # fmt: skip
    return True


def _called_longer(element: Element) -> str | None:
    """The one new element whose name is that of the one that is gone, and more."""
    around = element.around
    old, new = (side if isinstance(side, Mapping) else {} for side in (around.a, around.c))
    stem = re.compile(rf"{re.escape(element.label)}[-_.].+")
    found = [label for label in new if label not in old and stem.fullmatch(label)]
    return found[0] if len(found) == 1 else None


def _delete_lost(element: Element) -> bool:
    if not same(element.four.c, element.four.d):
        return False
    element.add(Verdict.LOST, element.walk.gone, did=f"removed {element.called}", does="leaves it in place")
    return True


def _change_vanished(element: Element) -> bool:
    other = element.successor
    element.add(
        Verdict.LOST,
        "element_renamed" if other else element.walk.gone,
        did=f"changed {element.called}",
        does="changes nothing there",
        because=f"upstream renamed it to {plain(other)}" if other else "upstream no longer has it",
        hint=f"write {plain(other)} in place of {plain(element.label)}" if other else None,
        rename=_rename(element.label, other),
    )
    return True


def _add_vanished(element: Element) -> bool:
    element.add(Verdict.LOST, element.walk.gone, did=f"added {element.called}", does="no longer does")
    return True


def _removes_new(element: Element) -> bool:
    if element.owned and _is_follower(element):
        pass  # said of the one whose place it took, or as it was
    elif element.owned:
        element.add(
            Verdict.SHADOWS, "swallows_upstream_addition", did=f"sets {element.name} as a whole",
            does=f"drops {element.called}", because=f"upstream added {show(element.four.c)}",
            hint="add it to the patch, or turn the patch into edits of single elements",
        )  # fmt: skip
    elif element.by_index:
        element.add(
            Verdict.MISAPPLIED, "index_shift", did="did not know it", does=f"removes {element.called}",
            because="upstream put it at the index which the patch addresses",
            hint="use a strategic merge patch with $patch: delete, which goes by name",
        )  # fmt: skip
    else:
        folded = "#" in element.label
        element.add(
            Verdict.MISAPPLIED, "collateral", did="left this list alone", does=f"drops {element.called}",
            because="upstream lists that key twice, and any strategic merge folds the two into one"
            if folded else f"upstream added {show(element.four.c)}",
            hint="use a JSON6902 patch, which leaves other lists alone",
        )  # fmt: skip
    return True


def _is_follower(element: Element) -> bool:
    """Whether it took the place of one that the item goes on writing, or dropped before as well."""
    around = element.around
    return any(
        successor(around, gone, content) == element.label
        for gone, content in around.a.items()
        if gone not in around.c and (gone in around.d or gone not in around.b)
    )


def _adds_new(element: Element) -> bool:
    first, twice, _ = element.label.partition("#")
    original = element.around.c.get(first, MISSING) if isinstance(element.around.c, Mapping) else MISSING
    if twice and original is not MISSING:
        equal = same(original, element.four.d)
        element.walk.add(
            Verdict.REDUNDANT if equal else Verdict.SHADOWS, "listed_twice",
            (*element.path[:-1], f"[{first}]"), element.four, did=f"added {plain(first)}",
            does="now lists it a second time", because=f"upstream now has {show(original)}",
            grave=Severity.REVIEW,
            hint="delete the patch" if equal else "use a strategic merge patch, which is keyed by name",
        )  # fmt: skip
        return True
    element.add(
        Verdict.MISAPPLIED, "index_shift" if element.by_index else "adds_instead_of_modifies",
        did=f"did not add {element.called}", does=f"adds a {element.called}{_without_image(element.four)}",
    )  # fmt: skip
    return True


def _removes_kept(element: Element) -> bool:
    element.add(
        Verdict.MISAPPLIED, "index_shift" if element.by_index else "collateral", did=f"kept {element.called}",
        does="removes it",
    )  # fmt: skip
    return True


def _deletes_both(element: Element) -> bool:
    element.add(Verdict.OK, None)
    return True


_DECISIONS: Final[Mapping[str, Callable[[Element], bool]]] = {
    "1101": _adds_now,
    "0111": _added_exists,
    "1000": _delete_vanished,
    "1011": _delete_lost,
    "1100": _change_vanished,
    "0100": _add_vanished,
    "0010": _removes_new,
    "0001": _adds_new,
    "1110": _removes_kept,
    "1010": _deletes_both,
}


# -- elements that a patch misses --------------------------------------------------------------------

#: Lists whose elements are of one rank, so that treating all of them alike is likely meant.
_SIBLINGS: Final = frozenset(("webhooks", "containers", "initContainers", "versions"))


def missed(around: Four, path: tuple[str, ...], name: str) -> list[Note]:
    """New elements of a list that lack what the item does to all others, two or more."""
    if name not in _SIBLINGS or len(around.a) < 2 or set(around.a) != set(around.b):
        return []
    shared = common_changes([diff(around.a[label], around.b[label]) for label in around.a])
    if not shared:
        return []
    followers = {successor(around, gone, around.a[gone]) for gone in around.a if gone not in around.c}
    lacking = [
        label
        for label, value in around.c.items()
        if label not in around.a
        and label not in followers
        and same(value, around.d.get(label, MISSING))
        and lacks(value, shared)
    ]
    if not lacking:
        return []
    names = ", ".join(map(plain, lacking))
    return [
        Note(
            verdict=Verdict.UNCOVERED, reason="new_resource",
            path=(*path, f"[{lacking[0]}]", f".{shared[0].path}"), did=f"treated all {name} alike",
            does=f"misses {names}", because=f"upstream added {names}", hint=f"add {names} to the patch",
        )
    ]  # fmt: skip


def common_changes(each: Sequence[Sequence[FieldChange]]) -> list[FieldChange]:
    """The changes that all of several siblings get: the same value at the same path."""
    if not each:
        return []
    others = [{(change.path, change.op, repr(change.after)) for change in changes} for changes in each[1:]]
    return [
        change
        for change in each[0]
        if all((change.path, change.op, repr(change.after)) in other for other in others)
    ]


def lacks(obj: Any, changes: Sequence[FieldChange]) -> bool:
    """Whether an object has not what the changes would make of it."""
    for change in changes:
        here = value_at(obj, change.path)
        if (here is not MISSING) if change.op == "removed" else not same(here, change.after):
            return True
    return False


# -- successors --------------------------------------------------------------------------------------


def successor(around: Four, label: str, content: Any) -> str | None:
    """The label of the element that took the place of one that is gone: new upstream, and most alike."""
    best, found = 0.0, None
    keys = frozenset(part.partition("=")[0] for part in label.split(","))
    old = around.a if isinstance(around.a, Mapping) else {}
    for other, value in (around.c if isinstance(around.c, Mapping) else {}).items():
        if other in old or other == label:
            continue
        score = _share(label, other) if ",name=" in label else alike(content, value, keys)
        if score > best:
            best, found = score, other
    return found if found is not None and best >= 0.3 else None


def _share(label: str, other: str) -> float:
    """How alike two labels of several parts are: another part of a name alone is no other thing."""
    old, new = (set(each.split(",")) for each in (label, other))
    names = [{part for part in each if part.startswith("name=")} for each in (old, new)]
    return 0.0 if names[0] != names[1] else len(old & new) / max(len(old), 1)


#: How many fields make a shape; a variable with a value has none.
_SHAPED: Final = 2


def alike(old: Any, new: Any, keys: Collection[str] = ("name",)) -> float:
    """How alike two elements are, from 0 to 1, what they are called aside; an equal image repository says much."""
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return 1.0 if same(old, new) else 0.0
    left = {key: value for key, value in old.items() if key not in keys}
    right = {key: value for key, value in new.items() if key not in keys}
    if not left or not right:
        return 0.0
    score = likeness(left, right)
    one, other = image(old.get("image")), image(new.get("image"))
    if one and other and one.name == other.name:
        score = max(score, 0.6)
    elif one and other:
        return score  # another image is another program, however alike the rest is shaped
    paths = [{path for path, _ in leaves(each)} for each in (left, right)]
    every = paths[0] | paths[1]
    if len(every) < _SHAPED:
        return score
    return max(score, len(paths[0] & paths[1]) / len(every) * 0.35)


def plain(label: str | None) -> str:
    """A label for a sentence: ``server`` for ``name=server``, ``80`` for ``port=80``."""
    text = label or ""
    return text.partition("=")[2] if text.count("=") == 1 else text


def _rename(old: str, new: str | None) -> tuple[str, str] | None:
    if new is None or "=" not in old or old.partition("=")[0] != new.partition("=")[0] or "," in old + new:
        return None
    return old.partition("=")[2], new.partition("=")[2]


def _without_image(four: Four) -> str:
    new, old = four.d, four.a
    missing = isinstance(new, Mapping) and "image" not in new
    return " without image" if missing and isinstance(old, Mapping) and "image" in old else ""
