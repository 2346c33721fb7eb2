"""Constraints: which versions a range admits.

Constraints are written in Helm's language (that of Masterminds/semver 3.4, as Helm 4 has it). Every
scheme offers its versions to them as three numbers and prerelease identifiers: ``1.8.3.3`` is admitted
where ``1.8.3`` is, ``2024-01-16T16-07`` where ``2024.1.16`` is.

No library for Python reads that language: semver's ``match`` has six comparisons, packaging's specifiers are PEP 440's;
neither knows ``^1.2``, ``1.2.x``, ``1.2 - 2.3`` or ``||``, which charts' dependencies are written in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from upstreamsync.kit.versions import IDENTIFIERS, MAX_LENGTH, STABLE, Identifier, Version, identifiers

_PART = r"[0-9]+|[xX*]"
_OPERATORS = r"=>|=<|>=|<=|!=|~>|=|>|<|~|\^"
_LIMIT = rf"v?(?:{_PART})(?:\.(?:{_PART}))?(?:\.(?:{_PART}))?(?:-{IDENTIFIERS})?(?:\+{IDENTIFIERS})?"
_TERM = re.compile(
    rf"(?P<operator>{_OPERATORS})?\s*v?(?P<major>{_PART})(?:\.(?P<minor>{_PART}))?(?:\.(?P<patch>{_PART}))?"
    rf"(?:-(?P<prerelease>{IDENTIFIERS}))?(?:\+{IDENTIFIERS})?"
)
_HYPHEN = re.compile(rf"(?P<low>{_LIMIT})\s+-\s+(?P<high>{_LIMIT})")
_BETWEEN = re.compile(r"\s*,\s*|\s+")
_SAME = {"=>": ">=", "=<": "<=", "~>": "~", "": "="}


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One comparison: an operator and a limit, of which parts may be left open (``1.x``).

    ``written`` counts the numbers that are given, from the left: 0 for ``*``, 3 for ``1.2.3``.
    """

    operator: str
    numbers: tuple[int, int, int]
    prerelease: tuple[Identifier, ...]
    written: int

    def admits(self, version: Version) -> bool:
        """Whether the version stands on the right side of the limit."""
        return _OPERATIONS[self.operator](version, self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """Alternatives (``||``) of terms that all have to hold (space or comma)."""

    text: str
    alternatives: tuple[tuple[Term, ...], ...]

    def matches(self, version: Version, *, prereleases: bool = False) -> bool:
        """Whether the constraint admits the version.

        A prerelease is admitted only by alternatives that name a prerelease themselves, as ``>=1.2-0``
        does; with ``prereleases`` by all.
        """
        return any(
            (prereleases or not version.is_prerelease or any(term.prerelease for term in terms))
            and all(term.admits(version) for term in terms)
            for terms in self.alternatives
        )

    def __str__(self) -> str:
        return self.text


@lru_cache(maxsize=1024)
def parse_constraint(text: str) -> Constraint:
    """A constraint in Helm's language: ``>=1.2 <3``, ``~1.2``, ``^1 || ^2``, ``1.2 - 2.3``, ``1.x``.

    Raises ValueError with a sentence for people.
    """
    if len(text) > 4 * MAX_LENGTH:
        raise ValueError("this constraint is too long")
    rewritten = _HYPHEN.sub(r">=\g<low>, <=\g<high>", text)
    return Constraint(
        text=text, alternatives=tuple(_alternative(part, text) for part in rewritten.split("||"))
    )


def _alternative(part: str, whole: str) -> tuple[Term, ...]:
    terms: list[Term] = []
    rest = part.strip()
    if not rest:
        raise ValueError(
            "a constraint can't be empty" if not whole.strip() else f"`||` has an empty side in `{whole}`"
        )
    position = 0
    while True:
        match = _TERM.match(rest, position)
        if match is None:
            raise ValueError(f"`{rest[position:] or whole}` is not a comparison with a version")
        terms.append(_term(match))
        if match.end() == len(rest):
            return tuple(terms)
        between = _BETWEEN.match(rest, match.end())
        if between is None:
            raise ValueError(f"`{rest[match.end() :]}` does not belong behind `{match[0]}`")
        position = between.end()


def _term(match: re.Match[str]) -> Term:
    written: list[int] = []
    for name in ("major", "minor", "patch"):
        part = match[name]
        if part is None or not part.isdecimal():
            break
        written.append(int(part))
    prerelease = identifiers(match["prerelease"])
    if prerelease is None:
        raise ValueError(f"`{match[0]}`: a number in a prerelease can't begin with 0")
    operator = match["operator"] or ""
    major, minor, patch = (*written, 0, 0, 0)[:3]
    return Term(
        operator=_SAME.get(operator, operator),
        numbers=(major, minor, patch),
        prerelease=prerelease,
        written=len(written),
    )


def _compare(version: Version, term: Term) -> int:
    """-1, 0 or 1: where the version stands to the term's limit."""
    ours = (version.triple, (0, version.prerelease) if version.prerelease else STABLE)
    theirs = (term.numbers, (0, term.prerelease) if term.prerelease else STABLE)
    return (ours > theirs) - (ours < theirs)


# The rules below follow Masterminds' down to its corners (`<=*` admits no 1.0.0): a range has to mean
# the same here as in a Chart.yaml or an Argo CD Application.


def _greater(version: Version, term: Term) -> bool:
    if term.written in (1, 2) and version.triple[0] == term.numbers[0]:
        return term.written == 2 and version.triple[1] > term.numbers[1]
    if term.written < 3 and version.triple[0] != term.numbers[0]:
        return version.triple[0] > term.numbers[0]
    return _compare(version, term) > 0


def _at_most(version: Version, term: Term) -> bool:
    if term.written == 3:
        return _compare(version, term) <= 0
    if version.triple[0] > term.numbers[0]:
        return False
    above = version.triple[0] == term.numbers[0] and version.triple[1] > term.numbers[1]
    return not above or term.written == 1


def _different(version: Version, term: Term) -> bool:
    open_part = term.written in (1, 2) and version.triple[: term.written] == term.numbers[: term.written]
    if not open_part:
        return _compare(version, term) != 0
    return term.written == 2 and version.prerelease != term.prerelease


def _tilde(version: Version, term: Term) -> bool:
    if _compare(version, term) < 0:
        return False
    if term.numbers == (0, 0, 0) and term.written in (0, 3):
        return True
    return version.triple[0] == term.numbers[0] and (
        term.written == 1 or version.triple[1] == term.numbers[1]
    )


def _equal(version: Version, term: Term) -> bool:
    return _compare(version, term) == 0 if term.written == 3 else _tilde(version, term)


def _caret(version: Version, term: Term) -> bool:
    if _compare(version, term) < 0 or version.triple[0] != term.numbers[0]:
        return False
    if term.numbers[0] > 0 or term.written == 1:
        return True
    if term.numbers[1] > 0 or term.written == 2:
        return version.triple[1] == term.numbers[1]
    return version.triple[1] == 0 and version.triple[2] == term.numbers[2]


_OPERATIONS: Mapping[str, Callable[[Version, Term], bool]] = MappingProxyType(
    {
        "=": _equal,
        "!=": _different,
        ">": _greater,
        "<": lambda version, term: _compare(version, term) < 0,
        ">=": lambda version, term: _compare(version, term) >= 0,
        "<=": _at_most,
        "~": _tilde,
        "^": _caret,
    }
)
