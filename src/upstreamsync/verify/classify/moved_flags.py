"""Arguments that a patch replaces by their position: what stands there now is another one.

What the patch says was edited, too, so that values can't be compared; a flag still has to take its own place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from upstreamsync.kit.kubernetes.objects import object_id, segment
from upstreamsync.kit.kubernetes.values import flag
from upstreamsync.model import Verdict
from upstreamsync.verify.build.chain import Effect
from upstreamsync.verify.classify.notes import Note

#: A list's path, and an argument there before and after the patch.
_Replaced = tuple[tuple[str, ...], str, str]


def find(was: Effect, now: Effect) -> list[Note]:
    """Flags that take another one's place now, where each took its own before."""
    before = [replaced for _, replaced in _replaced(was)]
    if not before or any(flag(old) != flag(new) for _, old, new in before):
        return []
    return [
        Note(
            verdict=Verdict.MISAPPLIED, reason="index_shift", path=path, resource=resource,
            did="replaced arguments, each by its own kind", does=f"puts {new} in place of {old}",
            because="upstream lists its arguments in another order",
            hint="correct the index, or write the arguments as a whole",
        )
        for resource, (path, old, new) in _replaced(now)
        if flag(old) != flag(new)
    ]  # fmt: skip


def _replaced(effect: Effect) -> Iterator[tuple[str, _Replaced]]:
    for touch in effect.touched.values():
        if touch.before is not None and touch.after is not None:
            resource = str(object_id(touch.before))
            yield from ((resource, each) for each in _in_lists(touch.before, touch.after, ()))


def _in_lists(old: Any, new: Any, path: tuple[str, ...]) -> Iterator[_Replaced]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in (key for key in old if key in new):
            yield from _in_lists(old[key], new[key], (*path, segment(key)))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            if not isinstance(one, str) or not isinstance(other, str):
                yield from _in_lists(one, other, (*path, f"[{index}]"))
            elif one != other and one.startswith("-") and other.startswith("-"):
                yield path, one, other
