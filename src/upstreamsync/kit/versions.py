"""Versions: which of two is newer.

Four schemes. ``semver`` is SemVer 2.0 as Helm reads it: a leading v and missing numbers are tolerated,
build metadata does not count. ``pep440`` is Python's. ``calver`` compares the numbers of a date, however
they are joined, and ``loose`` compares numbers and words one after the other.

Not semver (3.0): it refuses ``v1.2.3`` and ``1.2``, which Helm takes. Not packaging, but for PEP 440: there
``1.0.0-1`` is newer than ``1.0.0``, by SemVer older. Measured on 1,275 tags of real projects the three agree on the
595 that are SemVer, once the ``v`` is off, in 0.6 µs each here, 1.9 and 2.2 there; Helm's own binary is the oracle of
the tests.
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
    ``rest`` is what stands behind the leading numbers, as written, without build metadata.
    """

    text: str
    scheme: str
    numbers: tuple[int, ...]
    prerelease: tuple[Identifier, ...]
    precedence: Any
    build: str = ""
    family: str = ""
    epoch: int = 0
    rest: str = ""

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
        return (self.precedence, len(self.numbers), _build_order(self.build), self.text)

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

IDENTIFIERS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_SEMVER = re.compile(
    rf"[vV]?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-({IDENTIFIERS}))?(?:\+({IDENTIFIERS}))?"
)
STABLE = (1,)


def _semver(text: str) -> Version | None:
    match = _SEMVER.fullmatch(text)
    if match is None:
        return None
    prerelease = identifiers(match[4])
    if prerelease is None:
        return None
    numbers = tuple(int(part) for part in match.group(1, 2, 3) if part is not None)
    triple = (*numbers, 0, 0)[:3]
    precedence = (*triple, (0, prerelease) if prerelease else STABLE)
    return Version(
        text=text,
        scheme="semver",
        numbers=numbers,
        prerelease=prerelease,
        precedence=precedence,
        build=match[5] or "",
        rest=match[4] or "",
    )


def identifiers(text: str | None) -> tuple[Identifier, ...] | None:
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
        rest="" if version.pre is None else f"{version.pre[0]}{version.pre[1]}",
    )


# -- calver and loose --------------------------------------------------------------------------------

#: Words that mark a prerelease, in the order in which they come before a release.
_EARLY = ("dev", "snapshot", "nightly", "canary", "edge", "a", "alpha", "b", "beta", "m", "milestone",
          "ea", "pre", "preview", "next", "rc", "cr")  # fmt: skip
EARLY_WORDS = frozenset(_EARLY)
#: Words that say no more than that it is a release: 5.0.0.Final is 5.0.0.
FINAL_WORDS = frozenset(("final", "ga", "release"))
#: Early only with a number behind: 1.0b2 is a beta, while 1.0.2b is a patch.
_EARLY_LETTERS = frozenset({"a", "b", "m"})
_TOKEN = re.compile(r"[0-9]+|[A-Za-z]+")
_DATE = re.compile(
    r"(?P<prefix>[A-Za-z][A-Za-z._/-]*?)??[vV]?(?P<numbers>[0-9]+(?:[._:T-][0-9]+)*)Z?(?P<rest>[._+-].*)?"
)
_WORDS_FIRST = re.compile(r"(?P<prefix>[^0-9]*)(?P<rest>[0-9].*)", re.DOTALL)
_NUMBERS_FIRST = re.compile(r"[0-9]+(?:\.[0-9]+)*")
#: A day whose numbers are not joined by dots, and the time behind it: 2024-01-16T16-07-38Z.
_DAY_FIRST = re.compile(
    r"(?:19|20)[0-9]{2}(?P<between>[-_])(?:0?[1-9]|1[0-2])(?:(?P=between)(?:0?[1-9]|[12][0-9]|3[01]))?"
    r"(?:[T_-][0-9]{1,2}(?:[:_-]?[0-9]{2}){1,2}Z?)?(?![0-9A-Za-z])"
)
#: A hash of a commit, short or long, as `git describe` and others put it behind a version.
_HASH = re.compile(r"g?(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{7,40}")
_SEGMENT = re.compile(r"[._+-]+")


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
    leading = _DAY_FIRST.match(match["rest"]) or _NUMBERS_FIRST.match(match["rest"])
    if leading is None:
        return None
    numbers = tuple(int(part) for part in re.findall(r"[0-9]+", leading[0]))
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
    early = tail[next((at for at, token in enumerate(tail) if token[0] == 0), len(tail)) :]
    return Version(
        text=text,
        scheme=scheme,
        numbers=numbers,
        prerelease=tuple((1 if kind == 0 else 0, number, word) for kind, number, word in early),
        precedence=(*((3, number, "") for number in significant), *tail, (1, 0, "")),
        family=re.sub(r"(?:^|(?<=[^a-z]))v$", "", prefix.lower()).strip("._-/ "),
        rest=rest,
    )


def _tokens(rest: str) -> tuple[tuple[int, int, str], ...]:
    """What follows the leading numbers: (rank, number, word) for each number and word; hashes say nothing."""
    found: list[tuple[int, int, str]] = []
    texts = [
        token
        for segment in _SEGMENT.split(rest.lower())
        if not is_hash(segment)
        for token in _TOKEN.findall(segment)
    ]
    for index, token in enumerate(texts):
        if token in FINAL_WORDS:
            continue
        if token.isdecimal():
            found.append((3, int(token), ""))
            continue
        followed = index + 1 < len(texts) and texts[index + 1].isdecimal()
        early = token in _EARLY and (followed or token not in _EARLY_LETTERS)
        found.append((0, _EARLY.index(token), token) if early else (2, 0, token))
    return tuple(found)


def is_hash(text: str) -> bool:
    """Whether it is the hash of a commit, in lower case: of two of them nobody knows which is newer."""
    return _HASH.fullmatch(text) is not None


def words_and_numbers(text: str) -> tuple[str | int, ...]:
    """The words and numbers of a text, as they follow one another: ``k3s10`` is ("k", 3, "s", 10)."""
    return tuple(int(part) if part.isdecimal() else part for part in _TOKEN.findall(text.lower()))


def _build_order(build: str) -> tuple[tuple[int, int, str], ...]:
    if not build:
        return ()
    return tuple(
        (1, part, "") if isinstance(part, int) else (0, 0, part) for part in words_and_numbers(build)
    )


_SCHEMES: Mapping[str, Callable[[str], Version | None]] = MappingProxyType(
    {"semver": _semver, "pep440": _pep440, "calver": _calver, "loose": _loose}
)
