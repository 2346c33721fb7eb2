"""Verdicts on one scalar (or on values of unlike types, which are compared as one)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from upstreamsync.kit.kubernetes.objects import MISSING, leaves
from upstreamsync.kit.kubernetes.texts import is_text, missed_changes, same_text
from upstreamsync.kit.kubernetes.values import Image, image, older, same, show
from upstreamsync.model import Severity, Verdict
from upstreamsync.verify.classify.walk import Four, Walk
from upstreamsync.verify.overlays.items import Kind

#: Scalars that are overridden on purpose, and that upstream moves with its releases: no warning each time.
_ON_PURPOSE: Final = frozenset(("replicas", "namespace"))
#: Items whose value comes from elsewhere and may differ between the sides without saying anything.
_FOLLOWING: Final = frozenset((Kind.REPLACEMENTS, Kind.VARS, Kind.TRANSFORMER))
#: Tags that move by themselves: they name no version that could be an old one.
_FLOATING: Final = frozenset(("latest", "stable", "main", "master", "edge", "nightly", "dev", "canary"))
#: Labels that are recommended to everybody, and that nobody selects by alone.
_DESCRIBING: Final = ("app.kubernetes.io/", "helm.sh/")
#: How many changes inside a text are told.
_CHANGES: Final = 5


def judge(
    walk: Walk, four: Four, path: tuple[str, ...], name: str, parent: Four, *, owned: bool = False
) -> None:
    """Note what became of the item's effect on one value."""
    if name == "apiGroup":
        four = Four(*(MISSING if value == "" else value for value in four))  # the core group, said or not
    if name == "image" and four.shape == "1111":
        images = [image(value) if isinstance(value, str) else None for value in four]
        if None not in images:
            _judge_image(walk, images, path, four)
            return
    if walk.item.kind is Kind.REPLACEMENTS and _other_part(walk.item.spec, four, name):
        walk.add(
            Verdict.MISAPPLIED, "index_shift", path, four, did=f"made {show(four.a)} {show(four.b)}",
            does=f"makes it {show(four.d)}", because=f"upstream now has {show(four.c)}",
            hint="the delimiter and index now mean another part: use images, or another index",
        )  # fmt: skip
        return
    _compare(walk, four, path, name, parent, owned=owned)


def _compare(walk: Walk, four: Four, path: tuple[str, ...], name: str, parent: Four, *, owned: bool) -> None:
    acted, acts = _acts(walk, four.a, four.b), _acts(walk, four.c, four.d)
    if acted and acts:
        _both(walk, four, path, name, parent)
    elif acted:
        _vanished(walk, four, path, name, parent)
    elif acts and not walk.whole:
        _appeared(walk, four, path, owned=owned)


def _acts(walk: Walk, before: Any, after: Any) -> bool:
    """Whether the item changes a value; any strategic merge drops nulls, whatever it is about."""
    dropped = before is None and after is MISSING and walk.item.kind is Kind.MERGE
    return not dropped and not same(before, after)


def _both(walk: Walk, four: Four, path: tuple[str, ...], name: str, parent: Four) -> None:
    a, b, c, d = four
    if same(b, d):
        copied = walk.item.kind is Kind.REPLACEMENTS
        purposed = name in _ON_PURPOSE and c is not MISSING and a is not MISSING
        if (
            same(a, c)
            or (_is_absent(a) and _is_absent(c))
            or b is MISSING
            or copied
            or purposed
            or (walk.whole and _describes(path))
        ):
            walk.add(Verdict.OK, None, path, four)
        elif c is MISSING and not walk.whole and (other := renamed_key(parent, a, name)):
            walk.add(
                Verdict.MISAPPLIED, "adds_instead_of_modifies", path, four,
                did=f"used to change {show(a)} to {show(b)}", does="now adds the key",
                because=f"upstream renamed the key to {other}, which keeps {show(a)}",
                hint=f"set {other} instead",
            )  # fmt: skip
        else:
            _shadowed(walk, four, path)
    elif walk.item.kind in _FOLLOWING or _same_edit(four) or walk.whole:
        walk.add(Verdict.OK, None, path, four)
    else:
        walk.add(
            Verdict.MISAPPLIED, "collateral", path, four,
            did=f"made it {show(b)}", does=f"makes it {show(d)}", because=f"upstream now has {show(c)}",
        )  # fmt: skip


def _is_absent(value: Any) -> bool:
    return value is MISSING or value is None


def _describes(path: tuple[str, ...]) -> bool:
    """Whether a label is one of those that say what an object belongs to: settings for everything say it anew."""
    return path[-2:-1] == (".labels",) and path[-1].strip("[]").startswith(_DESCRIBING)


def _shadowed(walk: Walk, four: Four, path: tuple[str, ...]) -> None:
    a, b, c, d = four
    if is_text(a) and is_text(c) and is_text(d):
        _shadowed_text(walk, four, path)
        return
    if a is MISSING:
        reason, because = "upstream_added_value", f"upstream now sets {show(c)} itself"
    elif c is MISSING:
        reason, because = "upstream_removed_value", f"upstream no longer sets it (it was {show(a)})"
    else:
        reason, because = "upstream_changed_value", f"upstream went from {show(a)} to {show(c)}"
    did = f"set {show(b)}" if not same(a, b) else f"said {show(b)}, as upstream did"
    does = "still sets the same" if c is not MISSING else "now adds it"
    walk.add(
        Verdict.SHADOWS, reason, path, four, did=did, does=does, because=because,
        hint=f"check whether {show(d)} is still wanted",
    )  # fmt: skip


def _shadowed_text(walk: Walk, four: Four, path: tuple[str, ...]) -> None:
    """A whole text that the item sets: what upstream changed in it and the item's text does not have."""
    changes = missed_changes(four.a, four.c, four.d)
    if not changes:
        walk.add(Verdict.OK, None, path, four)
        return
    more = f", and {len(changes) - _CHANGES} more" if len(changes) > _CHANGES else ""
    walk.add(
        Verdict.SHADOWS, "upstream_changed_value", path, four, did="sets the text as a whole",
        does="keeps its own", because=f"upstream changed in it: {'; '.join(changes[:_CHANGES])}{more}",
        hint="take over into the text what is wanted of upstream's change",
    )  # fmt: skip


def _vanished(walk: Walk, four: Four, path: tuple[str, ...], name: str, parent: Four) -> None:
    a, b, c, _ = four
    if b is MISSING and c is MISSING:
        removed_by_upstream(walk, four, path, name, parent)
    elif same(b, c) or same_text(b, c):
        walk.add(
            Verdict.REDUNDANT, None, path, four, did=f"set {show(b)}",
            because=f"upstream now has {show(c)} itself", hint="delete it from the customization",
        )  # fmt: skip
    else:
        did = f"changed {show(a)} to {show(b)}" if a is not MISSING else f"set {show(b)}"
        if b is MISSING:
            did = f"removed it (it was {show(a)})"
        ambiguous = walk.gone == "merge_key_ambiguous"
        walk.add(
            Verdict.LOST, walk.gone, path, four, did=did, does="changes nothing there",
            hint="use a JSON6902 patch, which goes by index" if ambiguous else None,
            because="its list now has two entries of the same key, and kustomize drops such a patch"
            if ambiguous else f"upstream has {show(c)} there" if c is not MISSING else "upstream has nothing there",
        )  # fmt: skip


def removed_by_upstream(walk: Walk, four: Four, path: tuple[str, ...], name: str, parent: Four) -> None:
    """What the item used to remove is gone upstream: its work is done, or the thing has a new name."""
    other = renamed_key(parent, four.a, name)
    if other:
        walk.add(
            Verdict.LOST, "element_renamed", path, four, did="removed it", does="removes nothing",
            because=f"upstream renamed it to {other}", hint=f"name {other} instead",
        )  # fmt: skip
    else:
        walk.add(
            Verdict.REDUNDANT, None, path, four, did="removed it",
            because="upstream no longer has it", hint="delete it from the customization",
        )  # fmt: skip


def _appeared(walk: Walk, four: Four, path: tuple[str, ...], *, owned: bool) -> None:
    a, _, c, d = four
    by_index = walk.item.kind is Kind.JSON
    if d is MISSING and a is MISSING:
        verdict, reason = (
            (Verdict.SHADOWS, "swallows_upstream_addition") if owned else (Verdict.MISAPPLIED, "collateral")
        )
        walk.add(
            verdict, reason, path, four, did="replaces what stands around it" if owned else "left it alone",
            does="drops it", because=f"upstream added {path[-1].strip('.[]')}: {show(c)}",
            hint="take it over into the customization" if owned else None,
        )  # fmt: skip
    elif walk.item.kind is Kind.REPLACEMENTS and a is not MISSING and walk.copies is not None:
        _copied_over(walk, four, path)
    elif same(a, d) and a is not MISSING:
        _shadowed(walk, four, path)
    elif walk.item.kind in _FOLLOWING or walk.item.kind is Kind.REPLICAS:
        walk.add(
            Verdict.WIDENED, "newly_matched", path, four, did="left it alone", does=f"sets it to {show(d)}"
        )
    else:
        walk.add(
            Verdict.MISAPPLIED, "index_shift" if by_index else "collateral", path, four,
            did="left it alone", does=f"makes it {show(d)}" if d is not MISSING else "removes it",
            because=f"upstream has {show(c)} there" if c is not MISSING else "",
            hint="address the element by name: use a strategic merge patch" if by_index else None,
        )  # fmt: skip


def _copied_over(walk: Walk, four: Four, path: tuple[str, ...]) -> None:
    """A replacement that did nothing, as both said the same, and now overwrites what upstream changed."""
    then, now = walk.copies or (MISSING, MISSING)
    if not same(then, now):
        walk.add(Verdict.OK, None, path, four)  # its source moved on, too: it copies, as it should
    elif str(then) not in str(four.a):
        walk.add(
            Verdict.WIDENED, "newly_matched", path, four, did="left it alone", does=f"sets it to {show(four.d)}"
        )  # fmt: skip
    else:
        walk.add(
            Verdict.MISAPPLIED, "collateral", path, four, did=f"did nothing, as upstream said {show(four.a)} too",
            does=f"now makes it {show(four.d)}", because=f"upstream went on to {show(four.c)}",
            hint="give the source the value that the target needs now, or drop this target",
        )  # fmt: skip


def renamed_key(parent: Four, value: Any, name: str) -> str | None:
    """The path of a key that upstream has only now and that holds the value which ``name`` held."""
    if value is MISSING or value is None or not isinstance(parent.c, Mapping):
        return None
    old = parent.a if isinstance(parent.a, Mapping) else {}
    telling = isinstance(value, (Mapping, list)) or (isinstance(value, str) and len(value) > 1)
    for key, other in parent.c.items():
        if key in old:
            continue
        if same(other, value) and (telling or _similar(str(key), name)):
            return str(key)
        if isinstance(other, Mapping):
            for path, leaf in leaves(other):
                if path and same(leaf, value) and _similar(path[-1], name):
                    return ".".join((str(key), *path))
    return None


def _similar(one: str, other: str) -> bool:
    left, right = one.lower(), other.lower()
    return left in right or right in left


def _same_edit(four: Four) -> bool:
    """Whether two changes of strings are the same edit: text put before, behind, or in place of a part."""
    if not all(isinstance(value, str) for value in four):
        return False
    return _edit(four.a, four.b) == _edit(four.c, four.d)


def _edit(old: str, new: str) -> tuple[str, str]:
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return old[start : len(old) - end], new[start : len(new) - end]


# -- images ------------------------------------------------------------------------------------------


def _judge_image(walk: Walk, images: list[Image | None], path: tuple[str, ...], four: Four) -> None:
    a, b, c, d = images
    if a is None or b is None or c is None or d is None:
        return
    if b.name != d.name and not (a.name != b.name and c.name != d.name and walk.item.kind is Kind.IMAGES):
        _judge_other_image(walk, path, four, b, c, d)
        return
    found = len(walk.notes)
    acted, acts = a != b, c != d
    if walk.item.kind is Kind.REPLACEMENTS and walk.copies is not None and acts and not acted:
        _copied_over(walk, four, path)
        return
    if acted and not acts:
        verdict, because = (
            (Verdict.REDUNDANT, "upstream now has the same") if b == c
            else (Verdict.LOST, f"upstream has {show(str(c))}")
        )  # fmt: skip
        walk.add(
            verdict, None if b == c else walk.gone, path, four,
            did=f"made {a} {b}", does="changes nothing there", because=because,
        )  # fmt: skip
        return
    pin_image(walk, path, four, (a, b, c, d))
    if len(walk.notes) == found:
        walk.add(Verdict.OK, None, (*path, ":name") if a.name != b.name else path, four)


def _judge_other_image(walk: Walk, path: tuple[str, ...], four: Four, b: Image, c: Image, d: Image) -> None:
    kind = walk.item.kind
    if kind in _FOLLOWING and d.name == c.name:
        walk.add(Verdict.OK, None, path, four)
        return
    if same(four.c, four.d):
        walk.add(
            Verdict.LOST, walk.gone, path, four, did=f"made it {b}", does="changes nothing there",
            because=f"upstream now has {c}",
        )  # fmt: skip
        return
    walk.add(
        Verdict.MISAPPLIED, "index_shift" if kind in (Kind.REPLACEMENTS, Kind.JSON) else "collateral",
        path, four, did=f"made it {b}", does=f"makes it {show(four.d)}",
        because=f"upstream now has {c}",
    )  # fmt: skip


def pin_image(
    walk: Walk, path: tuple[str, ...], four: Four, images: tuple[Image, Image, Image, Image]
) -> None:
    """Note a pinned tag or digest that upstream has moved past, and a digest that the pin drops."""
    a, b, c, d = images
    if not d.tag and not d.digest:
        return  # a name alone pins nothing
    if c.digest and not d.digest and not a.digest:
        walk.add(
            Verdict.SHADOWS, "swallows_upstream_addition", (*path, ":digest"), four,
            did=f"set tag {b.tag}", does="drops the digest", because="upstream now pins a digest",
            grave=Severity.REVIEW, hint="pin the digest of your tag too",
        )  # fmt: skip
        return
    if a.tag == c.tag and a.digest == c.digest:
        return
    pinned = (b.tag, b.digest) == (d.tag, d.digest) and (c.tag, c.digest) != (d.tag, d.digest)
    if not pinned or (a.tag == c.tag and not d.digest):
        return
    if d.digest and older(d.tag, c.tag) is False:
        return  # the tag beside the digest says that it is no older image
    if d.digest or (older(d.tag, c.tag) in (True, None) and d.tag not in _FLOATING):
        what = d.digest[:19] + "…" if d.digest else d.tag or "no tag"
        walk.add(
            Verdict.SHADOWS, "upstream_changed_value", (*path, ":tag"), four,
            did=f"pinned {what}", does="still pins it",
            because=f"upstream went from {a.tag or a.digest[:19]} to {c.tag or c.digest[:19]}",
            hint="update the digest" if d.digest else "raise or drop the pinned tag",
        )  # fmt: skip


def _other_part(spec: Any, four: Four, name: str) -> bool:
    """Whether a replacement by delimiter and index now hits another part of a string of another shape."""
    if not isinstance(spec, Mapping) or not all(isinstance(value, str) for value in four):
        return False
    if same(four.a, four.b) or same(four.c, four.d):
        return False
    for target in spec.get("targets") or ():
        options = target.get("options") if isinstance(target, Mapping) else None
        if not isinstance(options, Mapping):
            continue
        delimiter = str(options.get("delimiter") or "")
        if delimiter and delimiter in four.a and four.a.count(delimiter) != four.c.count(delimiter):
            return name != "image" or image(four.d) is None or str(options.get("index", 0)) != "0"
    return False
