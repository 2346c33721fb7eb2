"""Regular expressions of strangers, as Go reads them (RE2): matching takes a time that grows with the text alone.

Kustomize's targets and the patterns of custom resources are RE2's. Python reads the plain ones alike; over
others it may take for ever, or mean something else. These are left to google-re2, where that is installed
(the extra ``re2``), and else to nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, Protocol

#: An escape, a class, a repeat without an end (or a long one), and what else has a meaning.
_TOKEN: Final = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<repeat>[*+]|\{\d+,\d*\})|(?P<other>[(|)])", re.DOTALL
)
#: So many repeats after one another are tried in all ways: the number of ways grows with each.
_REPEATS: Final = 3
#: What only one of the two knows, or each reads in its own way: classes in a class, escapes by a letter, groups
#: with flags or looking around, repeats of repeats, a repeat without its first number.
_OTHERWISE: Final = re.compile(
    r"\[[^\]]*(?:\[|--|&&|\|\||~~)|\\(?![dDsSwW])[A-Za-z0-9]|\(\?(?!:)|[*+?}][*+]|\{,"
)
#: In Python `$` also holds before a last end of line.
_END: Final = re.compile(r"(?<!\\)\$(?=\)|\||\Z)")


class Expression(Protocol):
    """What both engines' expressions can do."""

    def search(self, text: str, /) -> Any:
        """The first match anywhere in ``text``; None for none."""

    def fullmatch(self, text: str, /) -> Any:
        """A match of all of ``text``; None for none."""

    def finditer(self, text: str, /) -> Iterator[Any]:
        """All matches in ``text`` that do not overlap."""


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Expression | None:
    """An expression; None for what RE2 does not know, and for what only RE2 can be trusted with where it is not."""
    if _OTHERWISE.search(pattern) is not None or _may_hang(pattern):
        return _by_re2(pattern)
    try:
        return re.compile(_END.sub(r"\\Z", pattern), re.ASCII)
    except (re.error, OverflowError, RecursionError):
        return None


def _by_re2(pattern: str) -> Expression | None:
    try:
        import re2  # type: ignore[import-untyped]  # loaded for such a pattern alone
    except ImportError:
        return None
    options = re2.Options()
    options.log_errors = False
    try:
        found: Expression = re2.compile(pattern, options)
    except (re2.error, UnicodeError):
        return None
    return found


def _may_hang(pattern: str) -> bool:
    """Whether Python may take for ever: a repeat of a group that repeats or has a choice in it, or many repeats."""
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
