"""Versions and constraints: which of two versions is newer, and which versions a range admits.

Four schemes. ``semver`` is SemVer 2.0 as Helm reads it: a leading v and missing numbers are tolerated,
build metadata does not count. ``pep440`` is Python's. ``calver`` compares the numbers of a date, however
they are joined, and ``loose`` compares numbers and words one after the other.

Constraints are written in Helm's language (that of Masterminds/semver 3.4, as Helm 4 has it). Every
scheme offers its versions to them as three numbers and prerelease identifiers: ``1.8.3.3`` is admitted
where ``1.8.3`` is, ``2024-01-16T16-07`` where ``2024.1.16`` is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, total_ordering
from types import MappingProxyType
from typing import Any, Literal

Level = Literal["major", "minor", "patch"]
#: One dot-separated part of a prerelease: numbers sort before words, as SemVer says.
Identifier = tuple[int, int, str]

#: Longer texts are no versions; this also bounds the work of comparing them.
MAX_LENGTH = 256


@total_ordering
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Version:
    """A version that was understood.

    Sorting is total and deterministic: by ``precedence``, and among versions of equal precedence (``1.2``,
    ``v1.2.0``, ``1.2.0+build``) the one that says more comes last. Whether one is *newer* is a question of
    precedence alone: ``newer_than``.

    ``numbers`` are the leading numbers, as many as are written. ``prerelease`` holds the identifiers of a
    prerelease and is empty for a stable version. ``family`` is what stands before the first number, without
    a v: versions of different families (``controller-v1.2.0``, ``helm-chart-4.0.0``) do not compare.
    """

    text: str
    scheme: str
    numbers: tuple[int, ...]
    prerelease: tuple[Identifier, ...]
    precedence: Any
    build: str = ""
    family: str = ""
    epoch: int = 0

    @property
    def is_prerelease(self) -> bool:
        """Whether upstream marks it as one that is not meant for everyone."""
        return bool(self.prerelease)

    @property
    def triple(self) -> tuple[int, int, int]:
        """The first three numbers; those that are not written are 0."""
        major, minor, patch = (*self.numbers, 0, 0, 0)[:3]
        return major, minor, patch

    def newer_than(self, other: Version) -> bool:
        """Whether this one comes after ``other``; False when they only differ in spelling or build."""
        return bool(self.precedence > other.precedence)

    def same_as(self, other: Version) -> bool:
        """Whether the two have equal precedence."""
        return bool(self.precedence == other.precedence)

    def level_of_step(self, other: Version) -> Level | None:
        """The largest number that differs between the two; None when they are the same version."""
        if self.epoch != other.epoch or self.triple[0] != other.triple[0]:
            return "major"
        if self.triple[1] != other.triple[1]:
            return "minor"
        return None if self.same_as(other) else "patch"

    def sort_key(self) -> tuple[Any, ...]:
        """What ``<`` compares: for sorting many, as it is computed once for each."""
        return (self.precedence, len(self.numbers), self.build, self.text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Version):
            return NotImplemented
        return self.scheme == other.scheme and self.text == other.text

    def __hash__(self) -> int:
        return hash((self.scheme, self.text))

    def __lt__(self, other: Version) -> bool:
        return bool(self.sort_key() < other.sort_key())

    def __str__(self) -> str:
        return self.text


@lru_cache(maxsize=16384)
def parse(text: str, scheme: str = "semver") -> Version | None:
    """``text`` as a version of the scheme, or None where it is none.

    Raises KeyError for a scheme that does not exist.
    """
    reader = _SCHEMES[scheme]
    return reader(text) if 0 < len(text) <= MAX_LENGTH else None


# -- semver ------------------------------------------------------------------------------------------

_IDENTIFIERS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_SEMVER = re.compile(
    rf"[vV]?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-({_IDENTIFIERS}))?(?:\+({_IDENTIFIERS}))?"
)
_STABLE = (1,)


def _semver(text: str) -> Version | None:
    match = _SEMVER.fullmatch(text)
    if match is None:
        return None
    prerelease = _identifiers(match[4])
    if prerelease is None:
        return None
    numbers = tuple(int(part) for part in match.group(1, 2, 3) if part is not None)
    triple = (*numbers, 0, 0)[:3]
    precedence = (*triple, (0, prerelease) if prerelease else _STABLE)
    return Version(
        text=text,
        scheme="semver",
        numbers=numbers,
        prerelease=prerelease,
        precedence=precedence,
        build=match[5] or "",
    )


def _identifiers(text: str | None) -> tuple[Identifier, ...] | None:
    """The parts of a prerelease; None where a number has leading zeros, which SemVer forbids."""
    found: list[Identifier] = []
    for part in text.split(".") if text else ():
        if part.isdecimal():
            if part != "0" and part.startswith("0"):
                return None
            found.append((0, int(part), ""))
        else:
            found.append((1, 0, part))
    return tuple(found)


# -- PEP 440 -----------------------------------------------------------------------------------------


def _pep440(text: str) -> Version | None:
    from packaging.version import InvalidVersion
    from packaging.version import Version as PythonVersion

    try:
        version = PythonVersion(text)
    except InvalidVersion:
        return None
    found: list[Identifier] = []
    if version.pre is not None:
        found = [(1, 0, version.pre[0]), (0, version.pre[1], "")]
    if version.dev is not None:
        # A development release comes before whatever it leads to, hence the number sorts first.
        found = [*found, (0, version.dev, "dev")]
    return Version(
        text=text,
        scheme="pep440",
        numbers=version.release,
        prerelease=tuple(found),
        precedence=version,
        build=version.local or "",
        epoch=version.epoch,
    )


# -- calver and loose --------------------------------------------------------------------------------

#: Words that mark a prerelease, in the order in which they come before a release.
_EARLY = ("dev", "snapshot", "nightly", "canary", "edge", "a", "alpha", "b", "beta", "m", "milestone",
          "ea", "pre", "preview", "next", "rc", "cr")  # fmt: skip
#: Early only with a number behind: 1.0b2 is a beta, while 1.0.2b is a patch.
_EARLY_LETTERS = frozenset({"a", "b", "m"})
_TOKEN = re.compile(r"[0-9]+|[A-Za-z]+")
_DATE = re.compile(
    r"(?P<prefix>[A-Za-z][A-Za-z._/-]*?)??[vV]?(?P<numbers>[0-9]+(?:[._:T-][0-9]+)*)Z?(?P<rest>[._+-].*)?"
)
_WORDS_FIRST = re.compile(r"(?P<prefix>[^0-9]*)(?P<rest>[0-9].*)", re.DOTALL)
_NUMBERS_FIRST = re.compile(r"[0-9]+(?:\.[0-9]+)*")


def _calver(text: str) -> Version | None:
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    numbers = tuple(int(part) for part in re.split(r"[._:T-]", match["numbers"]))
    if len(numbers) < 2 and len(match["numbers"]) < 6:
        return None
    return _mixed(text, "calver", numbers, match["rest"] or "", match["prefix"] or "")


def _loose(text: str) -> Version | None:
    match = _WORDS_FIRST.fullmatch(text)
    if match is None:
        return None
    leading = _NUMBERS_FIRST.match(match["rest"])
    if leading is None:
        return None
    numbers = tuple(int(part) for part in leading[0].split("."))
    return _mixed(text, "loose", numbers, match["rest"][leading.end() :], match["prefix"])


def _mixed(text: str, scheme: str, numbers: tuple[int, ...], rest: str, prefix: str) -> Version:
    """A version of numbers, then numbers and words alternately.

    Rule: a word of a prerelease sorts before the end, the end before another word, a word before a number.
    So 1.2-rc1, 1.2, 1.2-ubuntu4, 1.2.0.1; and 1.2 equals 1.2.0.
    """
    tail = _tokens(rest)
    significant = list(numbers)
    while len(significant) > 1 and significant[-1] == 0:
        significant.pop()
    early = tail if tail and tail[0][0] == 0 else ()
    return Version(
        text=text,
        scheme=scheme,
        numbers=numbers,
        prerelease=tuple((1 if kind == 0 else 0, number, word) for kind, number, word in early),
        precedence=(*((3, number, "") for number in significant), *tail, (1, 0, "")),
        family=re.sub(r"(?:^|(?<=[^a-z]))v$", "", prefix.lower()).strip("._-/ "),
    )


def _tokens(rest: str) -> tuple[tuple[int, int, str], ...]:
    """What follows the leading numbers: (rank, number, word) for each number and word."""
    found: list[tuple[int, int, str]] = []
    texts = _TOKEN.findall(rest.lower())
    for index, token in enumerate(texts):
        if token.isdecimal():
            found.append((3, int(token), ""))
            continue
        followed = index + 1 < len(texts) and texts[index + 1].isdecimal()
        early = token in _EARLY and (followed or token not in _EARLY_LETTERS)
        found.append((0, _EARLY.index(token), token) if early else (2, 0, token))
    return tuple(found)


_SCHEMES: Mapping[str, Callable[[str], Version | None]] = MappingProxyType(
    {"semver": _semver, "pep440": _pep440, "calver": _calver, "loose": _loose}
)


# -- constraints -------------------------------------------------------------------------------------

_PART = r"[0-9]+|[xX*]"
_OPERATORS = r"=>|=<|>=|<=|!=|~>|=|>|<|~|\^"
_LIMIT = rf"v?(?:{_PART})(?:\.(?:{_PART}))?(?:\.(?:{_PART}))?(?:-{_IDENTIFIERS})?(?:\+{_IDENTIFIERS})?"
_TERM = re.compile(
    rf"(?P<operator>{_OPERATORS})?\s*v?(?P<major>{_PART})(?:\.(?P<minor>{_PART}))?(?:\.(?P<patch>{_PART}))?"
    rf"(?:-(?P<prerelease>{_IDENTIFIERS}))?(?:\+{_IDENTIFIERS})?"
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
    prerelease = _identifiers(match["prerelease"])
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
    ours = (version.triple, (0, version.prerelease) if version.prerelease else _STABLE)
    theirs = (term.numbers, (0, term.prerelease) if term.prerelease else _STABLE)
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
