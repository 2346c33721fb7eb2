"""An effect before and after an update, compared path by path.

Each path has four values: what upstream had and what the item made of it (``a`` → ``b``), what upstream
has now and what the item makes of that (``c`` → ``d``). The four together tell the verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from upstreamsync.kit.objects import MISSING, keyed, leaves, likeness, segment, shared_key
from upstreamsync.model import Severity, Verdict
from upstreamsync.verify.classify import scalars, sequences
from upstreamsync.verify.classify.notes import Note
from upstreamsync.verify.items import Item, Kind
from upstreamsync.verify.values import same, show

#: Lists in built-in kinds that kustomize merges element by element; every other list is replaced.
MERGED_LISTS: Final = frozenset(
    (
        "containers", "initContainers", "ephemeralContainers", "env", "volumes", "ports", "volumeMounts",
        "volumeDevices", "imagePullSecrets", "hostAliases", "topologySpreadConstraints", "webhooks",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Four:
    """The four values of one path; MISSING where there is none."""

    a: Any
    b: Any
    c: Any
    d: Any

    def child(self, key: str) -> Four:
        """The four values one map key deeper."""
        return Four(*(value.get(key, MISSING) if isinstance(value, Mapping) else MISSING for value in self))

    def __iter__(self) -> Iterator[Any]:
        return iter((self.a, self.b, self.c, self.d))

    @property
    def shape(self) -> str:
        """Which of the four are there: ``1101``."""
        return "".join("0" if value is MISSING else "1" for value in self)

    @property
    def present(self) -> list[Any]:
        """The values that are there."""
        return [value for value in self if value is not MISSING]


@dataclass(slots=True)
class Walk:
    """One walk over the four states of an object. ``gone`` is the reason when an effect has vanished."""

    item: Item
    gone: str = "target_gone"
    whole: bool = False
    notes: list[Note] = field(default_factory=list)

    def run(self, a: Any, b: Any, c: Any, d: Any) -> list[Note]:
        """The notes on one object's four states."""
        self._visit(Four(a, b, c, d), (), "", Four(MISSING, MISSING, MISSING, MISSING), owned=False)
        return self.notes

    def add(
        self, verdict: Verdict, reason: str | None, path: tuple[str, ...], four: Four, **more: Any
    ) -> None:
        """Note something about ``path``."""
        self.notes.append(Note(verdict=verdict, reason=reason, path=path, values=tuple(four), **more))

    def visit_states(self, states: tuple[Any, Any, Any, Any], path: tuple[str, ...]) -> None:
        """Walk the four states of something below ``path``."""
        self._visit(Four(*states), path, "", Four(MISSING, MISSING, MISSING, MISSING), owned=False)

    def _visit(self, four: Four, path: tuple[str, ...], name: str, parent: Four, *, owned: bool) -> None:
        if same(four.a, four.b, name) and same(four.c, four.d, name):
            return
        if path and self._whole_value(four, path, parent):
            return
        present = four.present
        if all(isinstance(value, Mapping) for value in present):
            owned = owned or _replaced(four, name)
            for key in dict.fromkeys(key for value in present for key in value):
                self._visit(four.child(key), (*path, segment(key)), key, four, owned=owned)
        elif all(isinstance(value, list) for value in present):
            self._lists(four, path, name, owned=owned)
        else:
            scalars.judge(self, four, path, name, parent, owned=owned)

    def _whole_value(self, four: Four, path: tuple[str, ...], parent: Four) -> bool:
        """Decide what concerns a map or list as a whole: removals, and equal additions."""
        if not any(isinstance(value, (Mapping, list)) for value in four.present):
            return False
        if four.shape == "1010":
            self.add(Verdict.OK, None, path, four)
            return True
        if four.shape == "1000":
            scalars.removed_by_upstream(self, four, path, parent)
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
        around = Four(*maps)
        for label in dict.fromkeys(label for each in maps for label in each):
            element = Four(*(each.get(label, MISSING) for each in maps))
            self.element(element, (*path, f"[{label}]"), around, name, owned=owned)

    def element(self, four: Four, path: tuple[str, ...], around: Four, name: str, *, owned: bool) -> None:
        """Judge one element of a list whose elements have names; ``around`` holds the others by label."""
        if same(four.a, four.b) and same(four.c, four.d):
            return
        decide = _ELEMENTS.get(four.shape)
        if self.whole and decide is not None and four.shape not in ("0111",):
            return
        if decide is not None:
            decide(self, four, path, around, name, owned)
            return
        self._visit(four, path, "", around, owned=owned)

    def _states_list(self, path: tuple[str, ...], name: str) -> bool:
        """Whether the item writes this list as a whole, though it said the same as upstream so far."""
        if name in MERGED_LISTS and self.item.kind is Kind.MERGE:
            return False
        return states(self.item, path)


def _replaced(four: Four, name: str) -> bool:
    """Whether the item sets the whole value: another before, the same after."""
    return (
        four.b is not MISSING
        and not same(four.a, four.b, name)
        and same(four.b, four.d, name)
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
                steps = [_unescape(step) for step in str(operation.get("path", "")).split("/")[1:]]
                if len(steps) <= len(plain) and all(
                    step == part or (step.isdigit() and "=" in part)
                    for step, part in zip(steps, plain, strict=False)
                ):
                    return True
    return False


def _unescape(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


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


# -- elements ----------------------------------------------------------------------------------------
# By which of the four states have the element. What is missing here is compared field by field.


def _adds_now(walk: Walk, four: Four, path: tuple[str, ...], around: Four, name: str, _: bool) -> None:
    other = successor(around, path[-1], four.a)
    renamed = f"upstream renamed it to {_label(other)}" if other else "upstream no longer has it"
    walk.add(
        Verdict.MISAPPLIED,
        "adds_instead_of_modifies",
        path,
        four,
        did=f"used to change {_called(path)}",
        does=f"now adds {_article(path, name)}{_lacking(four.a, four.d)}",
        because=renamed,
        hint=f"write {_label(other)} in place of {_label(path[-1])}"
        if other
        else f"check whether {_label(path[-1])} is still wanted",
    )


def _added_exists(walk: Walk, four: Four, path: tuple[str, ...], around: Four, name: str, _: bool) -> None:
    if same(four.b, four.c) or same(four.c, four.d):
        if same(four.b, four.d):
            walk.add(
                Verdict.REDUNDANT, None, path, four, did=f"added {_called(path)}",
                because="upstream now has the very same one", hint="delete it from the customization",
            )  # fmt: skip
        else:
            walk.add(
                Verdict.LOST, walk.gone, path, four, did=f"added {_called(path)}",
                because="upstream now has one of its own, which stays as it is",
            )  # fmt: skip
    elif same(four.b, four.d):
        walk.add(
            Verdict.SHADOWS, "upstream_added_value", path, four, did=f"added {_called(path)}",
            does="still sets the same", because=f"upstream now has its own: {show(four.c)}",
            hint="check which of the two is wanted",
        )  # fmt: skip
    else:
        walk.add(
            Verdict.MISAPPLIED, "modifies_instead_of_adds", path, four,
            did=f"used to add {_called(path)}",
            does="now is merged into the one that upstream ships, whose other fields remain",
            because=f"upstream now has {show(four.c)}",
            hint=f"give yours another name than {_label(path[-1])}",
        )  # fmt: skip


def _delete_vanished(walk: Walk, four: Four, path: tuple[str, ...], around: Four, name: str, _: bool) -> None:
    other = successor(around, path[-1], four.a)
    if other:
        walk.add(
            Verdict.LOST, "element_renamed", path, four, did=f"removed {_called(path)}",
            does="removes nothing", because=f"upstream renamed it to {_label(other)}",
            hint=f"write {_label(other)} in place of {_label(path[-1])}",
        )  # fmt: skip
    else:
        walk.add(
            Verdict.REDUNDANT, None, path, four, did=f"removed {_called(path)}",
            because="upstream no longer has it", hint="delete it from the customization",
        )  # fmt: skip


def _delete_lost(walk: Walk, four: Four, path: tuple[str, ...], around: Four, name: str, _: bool) -> None:
    if same(four.c, four.d):
        walk.add(
            Verdict.LOST, walk.gone, path, four, did=f"removed {_called(path)}",
            does="leaves it in place",
        )  # fmt: skip
    else:
        walk._visit(four, path, "", around, owned=False)


def _change_vanished(walk: Walk, four: Four, path: tuple[str, ...], around: Four, name: str, _: bool) -> None:
    other = successor(around, path[-1], four.a)
    because = f"upstream renamed it to {_label(other)}" if other else "upstream no longer has it"
    walk.add(
        Verdict.LOST, "element_renamed" if other else walk.gone, path, four,
        did=f"changed {_called(path)}", does="changes nothing there", because=because,
        hint=f"write {_label(other)} in place of {_label(path[-1])}" if other else None,
    )  # fmt: skip


def _add_vanished(walk: Walk, four: Four, path: tuple[str, ...], around: Four, name: str, _: bool) -> None:
    walk.add(Verdict.LOST, walk.gone, path, four, did=f"added {_called(path)}", does="no longer does")


def _removes_new(walk: Walk, four: Four, path: tuple[str, ...], around: Four, name: str, owned: bool) -> None:
    if owned:
        walk.add(
            Verdict.SHADOWS, "swallows_upstream_addition", path, four,
            did=f"sets {name} as a whole", does=f"drops {_called(path)}",
            because=f"upstream added {show(four.c)}",
            hint="add it to the patch, or turn the patch into edits of single elements",
        )  # fmt: skip
    else:
        walk.add(
            Verdict.MISAPPLIED, "collateral", path, four, did="left this list alone",
            does=f"drops {_called(path)}", because=f"upstream added {show(four.c)}",
            hint="use a JSON6902 patch, which leaves other lists alone",
        )  # fmt: skip


def _adds_new(walk: Walk, four: Four, path: tuple[str, ...], around: Four, name: str, _: bool) -> None:
    original = around.c.get(path[-1][1:-1].partition("#")[0], MISSING)
    if "#" in path[-1] and original is not MISSING:
        equal = same(original, four.d)
        walk.add(
            Verdict.REDUNDANT if equal else Verdict.SHADOWS, "listed_twice", (*path[:-1], _first(path[-1])),
            four, did=f"added {_label(_first(path[-1]))}", does="now lists it a second time",
            because=f"upstream now has {show(original)}",
            grave=Severity.REVIEW,
            hint="delete the patch" if equal else "use a strategic merge patch, which is keyed by name",
        )  # fmt: skip
        return
    shifted = walk.item.kind is Kind.JSON
    walk.add(
        Verdict.MISAPPLIED, "index_shift" if shifted else "adds_instead_of_modifies", path, four,
        did=f"did not add {_called(path)}", does=f"adds {_article(path, name)}{_lacking(MISSING, four.d)}",
    )  # fmt: skip


def _removes_kept(walk: Walk, four: Four, path: tuple[str, ...], around: Four, name: str, _: bool) -> None:
    walk.add(
        Verdict.MISAPPLIED, "index_shift" if walk.item.kind is Kind.JSON else "collateral", path, four,
        did=f"kept {_called(path)}", does="removes it",
    )  # fmt: skip


def _deletes_both(walk: Walk, four: Four, path: tuple[str, ...], around: Four, name: str, _: bool) -> None:
    walk.add(Verdict.OK, None, path, four)


_ELEMENTS: Final = {
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


def successor(around: Four, label: str, content: Any) -> str | None:
    """The label of the element that took the place of one that is gone: new upstream, and most alike."""
    best, found = 0.0, None
    old = around.a if isinstance(around.a, Mapping) else {}
    for other, value in (around.c if isinstance(around.c, Mapping) else {}).items():
        if other in old or f"[{other}]" == label:
            continue
        score = alike(content, value)
        if score > best:
            best, found = score, other
    return f"[{found}]" if found is not None and best >= 0.3 else None


def alike(old: Any, new: Any) -> float:
    """How alike two elements are, names aside; an equal image repository says much."""
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return 1.0 if same(old, new) else 0.0
    plain_old = {key: value for key, value in old.items() if key != "name"}
    plain_new = {key: value for key, value in new.items() if key != "name"}
    if not plain_old or not plain_new:
        return 0.0
    score = likeness(plain_old, plain_new)
    images = [str(each.get("image", "")).partition("@")[0].rpartition(":")[0] for each in (old, new)]
    if images[0] and images[0] == images[1]:
        score = max(score, 0.6)
    paths = [{path for path, _ in leaves(each)} for each in (plain_old, plain_new)]
    shared = len(paths[0] & paths[1]) / max(len(paths[0] | paths[1]), 1)
    return max(score, shared * 0.35)


def _first(label: str) -> str:
    return f"[{label[1:-1].partition('#')[0]}]"


def _label(label: str | None) -> str:
    return (label or "").strip("[]").removeprefix("name=")


def _called(path: tuple[str, ...]) -> str:
    """``container "server"`` for ``…containers[name=server]``."""
    owner = path[-2].strip(".") if len(path) > 1 else ""
    singular = owner.removesuffix("s") if owner.endswith("s") else owner
    return f'{singular} "{_label(path[-1])}"'.strip()


def _article(path: tuple[str, ...], name: str) -> str:
    return f"a {_called(path)}"


def _lacking(old: Any, new: Any) -> str:
    if isinstance(new, Mapping) and "image" not in new and isinstance(old, Mapping) and "image" in old:
        return " without image"
    return ""
