"""The regular expressions of targets: kustomize's never take long (RE2), Python's may take for ever."""

from __future__ import annotations

import re
from typing import Final

#: An escape, a class, a repeat without an end (or a long one), and what else has a meaning.
_TOKEN: Final = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<repeat>[*+]|\{\d+,\d*\})|(?P<other>[(|)])", re.DOTALL
)
#: So many repeats after one another are tried in all ways: the number of ways grows with each.
_REPEATS: Final = 3
#: What Python is about to read otherwise, in a class.
_OTHERWISE: Final = re.compile(r"\[[^\]]*(?:\[|--|&&|\|\||~~)")


def compiled(pattern: str) -> re.Pattern[str] | None:
    """A target's expression; None for what Python reads otherwise, or may take for ever over.

    That is a repeat of a group that repeats or has a choice in it, and more than a few repeats.
    """
    if _OTHERWISE.search(pattern) is not None or _may_hang(pattern):
        return None
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return None


def _may_hang(pattern: str) -> bool:
    repeats = 0
    inside = [False]  # for each open group: whether there is a repeat or a choice in it
    closed: tuple[int, bool] = (-1, False)
    for token in _TOKEN.finditer(pattern):
        if token["repeat"]:
            repeats += 1
            if repeats > _REPEATS or (closed == (token.start(), True)):
                return True
            inside[-1] = True
        elif token["other"] == "(":
            inside.append(False)
        elif token["other"] == "|":
            inside[-1] = True
        elif token["other"] == ")":
            varied = inside.pop() if len(inside) > 1 else False
            inside[-1] = inside[-1] or varied
            closed = (token.end(), varied)
    return False
