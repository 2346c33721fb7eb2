"""Whole texts inside values: mesh configuration, a Corefile, JSON in an annotation; and what differs in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any, Final

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.kubernetes.objects import MISSING, diff, keyed, shared_key
from upstreamsync.kit.kubernetes.values import same, show
from upstreamsync.kit.yaml import manifests

#: Texts beyond this many characters are compared line by line.
_LONGEST: Final = 200_000
#: A line of more characters and at least so many words is compared word by word.
_LONG_LINE: Final = 80
_WORDS: Final = 4
_JSON: Final = re.compile(r"\s*[\[{]")
_PART: Final = re.compile(r"\[[^\]]*\]|[^.\[\]]+")


def is_text(value: Any) -> bool:
    """Whether a value is a text with parts of its own: several lines, JSON, or many words in one line."""
    return isinstance(value, str) and (
        "\n" in value.strip() or _structure(value) is not None or _is_listing(value)
    )


def same_text(one: Any, other: Any) -> bool:
    """Whether two texts say the same, read as JSON or YAML where they are."""
    if one == other:
        return True
    if not is_text(one) or not is_text(other):
        return False
    left, right = _structure(one), _structure(other)
    return left is not None and right is not None and same(left, right)


def missed_changes(old: str, new: str, own: str) -> list[str]:
    """What ``new`` changes of ``old`` that ``own`` does not have, each in a few words, in order."""
    parsed = [_structure(text) for text in (old, new, own)]
    if all(value is not None for value in parsed):
        return list(_changed_values(*parsed))
    if any(_is_listing(text) for text in (old, new, own)):
        return list(_changed_parts(old.split(), new.split(), own.split()))
    return list(_changed_parts(*(text.splitlines() for text in (old, new, own))))


def _is_listing(text: str) -> bool:
    """Whether a text is one line, of more words than a sentence shows."""
    return "\n" not in text.strip() and len(text) > _LONG_LINE and len(text.split()) >= _WORDS


@lru_cache(maxsize=512)
def _structure(text: str) -> Any:
    """The map or list that a text is, as JSON or YAML; None for any other text."""
    if len(text) > _LONGEST or not ("\n" in text.strip() or _JSON.match(text)):
        return None
    try:
        value = manifests.load(text, name="a text")
    except (UpstreamsyncError, ValueError):
        return None
    return value if isinstance(value, (dict, list)) else None


def _changed_values(old: Any, new: Any, own: Any) -> Iterator[str]:
    for change in diff(old, new):
        here = _at(own, change.path)
        if change.op == "removed":
            if here is not MISSING:
                yield f"-{change.path}: {show(change.before, 60)}"
        elif not same(here, change.after):
            if change.op == "added":
                yield f"+{change.path}: {show(change.after, 60)}"
            else:
                yield f"{change.path}: {show(change.before, 60)} → {show(change.after, 60)}"


def _at(value: Any, path: str) -> Any:
    field = ""
    for part in _PART.findall(path):
        name = part.strip("[]")
        if isinstance(value, Mapping):
            value, field = value.get(name, MISSING), name
        elif isinstance(value, list):
            fields = shared_key(field, value)
            labelled = (
                keyed(value, fields) if fields else dict(zip(map(str, range(len(value))), value, strict=True))
            )
            value = labelled.get(name, MISSING)
        else:
            return MISSING
    return value


def _changed_parts(before: list[str], after: list[str], own: list[str]) -> Iterator[str]:
    here = {part.strip() for part in own}
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            continue
        yield from (
            f"-{show(part.strip(), 60)}" for part in before[i:j] if part.strip() and part.strip() in here
        )
        yield from (
            f"+{show(part.strip(), 60)}" for part in after[k:m] if part.strip() and part.strip() not in here
        )
