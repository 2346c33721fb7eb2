"""Which of the versions on offer compare with the one in use: variants, dates, rebuilds.

Feeds mix what is not one line of versions: ``1.2.4`` beside ``1.2.4-alpine``, nightly dates beside numbers,
``+k3s2`` behind ``+k3s1``. A step never leaves the line that the current version is on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from upstreamsync.errors import VersionError
from upstreamsync.kit.versions import (
    EARLY_WORDS,
    FINAL_WORDS,
    Version,
    is_hash,
    parse,
    words_and_numbers,
)
from upstreamsync.model import Place, Release

#: Words behind which a count of rebuilds stands; they name no variant.
_COUNTED = frozenset(
    ("sp", "sr", "rev", "build", "patch", "pl", "post", "hotfix", "fix", "update", "security", "rebuild")
)
_WORD = re.compile(r"[a-z]+")
_SEGMENT = re.compile(r"[._+-]+")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_OTHERS = ("loose", "calver", "pep440")
_SHOWN = 3


def variant(version: Version) -> str:
    """The words that name a variant: ``alpine`` of 1.2.3-alpine3.19, ``debian`` of 1.2.3-debian-12-r0.

    Words of prereleases, of rebuilds (``r0``, ``sp1``) and hashes of commits name none; it is empty then.
    """
    found: list[str] = []
    for segment in _SEGMENT.split(version.rest.lower()):
        if not is_hash(segment):
            found += (word for word in _WORD.findall(segment) if _names_a_variant(word))
    return "-".join(found)


def _names_a_variant(word: str) -> bool:
    return len(word) > 1 and not (word in EARLY_WORDS or word in _COUNTED or word in FINAL_WORDS)


def scheme_for(scheme: str, current: str, *, images: bool) -> str:
    """The scheme that reads the tags: an image's ``1.2.3-alpine`` is no prerelease, as SemVer has it."""
    if scheme != "semver" or not images:
        return scheme
    return "loose" if is_suffixed(current) else scheme


def is_suffixed(text: str) -> bool:
    """Whether SemVer calls a prerelease what only names a variant or a rebuild: ``-alpine``, ``-r0``."""
    version = parse(text, "semver")
    if version is None or not version.is_prerelease:
        return False
    loose = parse(text, "loose")
    words = [word for _, _, word in version.prerelease if word]
    return bool(words) and loose is not None and not loose.is_prerelease


def is_newer(version: Version, here: Version) -> bool:
    """Whether a version comes after the current one; a rebuild of it (``+k3s2``) does, too."""
    return version.newer_than(here) or (version.same_as(here) and is_rebuild(version, here))


def is_rebuild(version: Version, here: Version) -> bool:
    """Whether two builds of one version are counted alike, and this one is the later."""
    if not version.build or not here.build or version.family != here.family:
        return False
    ours, theirs = words_and_numbers(version.build), words_and_numbers(here.build)
    if any(is_hash(part) for part in _SEGMENT.split(f"{version.build}.{here.build}".lower())):
        return False
    words = [[part for part in parts if isinstance(part, str)] for parts in (ours, theirs)]
    numbers = [[part for part in parts if isinstance(part, int)] for parts in (ours, theirs)]
    return words[0] == words[1] and numbers[0] > numbers[1]


def unlike(version: Version, here: Version, current: str) -> str | None:
    """Why a version is not of the current one's line; None when it is."""
    if version.family != here.family:
        return f"named unlike the current version {current}"
    if version.scheme != "calver" and _is_date(version) != _is_date(here):
        which = "a date" if _is_date(version) else "no date"
        return f"{which}, unlike the current version {current}"
    if version.scheme != "loose":
        return None
    theirs, ours = variant(version), variant(here)
    if theirs == ours:
        if ours and _is_numbered(version, theirs) and not _is_numbered(here, ours):
            return f"another form of `{ours}` than the one in use: {version.rest}"
        return None
    if not theirs:
        return f"without `{ours}`, the variant in use"
    return f"another variant: {theirs}" + (f", where {ours} is in use" if ours else "")


def _is_numbered(version: Version, words: str) -> bool:
    """Whether a word of the variant has a number of its own: ``alpine3.20``, ``debian-12``.

    Images have both, ``1.2.4-alpine`` and ``1.2.4-alpine3.20``: the first moves along with newer ones of the second.
    """
    rest = version.rest.lower()
    return any(re.search(rf"(?<![a-z]){word}[._-]?[0-9]", rest) for word in words.split("-"))


def _is_date(version: Version) -> bool:
    """Whether the first number is a day written in one: 20240116, or with the time behind it."""
    first = version.numbers[0]
    if not 19_000_101 <= first <= 99_991_231_235_959 or len(str(first)) not in (8, 10, 12, 14):
        return False
    digits = str(first)
    return digits[:2] in ("19", "20") and 1 <= int(digits[4:6]) <= 12 and 1 <= int(digits[6:8]) <= 31


def would_help(text: str, scheme: str, current: str) -> bool:
    """Whether ``scheme: loose`` would read a newer version of the same line where ``scheme`` does not."""
    if scheme == "loose":
        return False
    version, here = parse(text, "loose"), parse(current, "loose")
    if version is None or here is None or version.is_prerelease:
        return False
    if abs(len(version.numbers) - len(here.numbers)) > 1:
        return False
    return unlike(version, here, current) is None and version.newer_than(here)


def refuse_unreadable(
    releases: Sequence[Release],
    current: str,
    scheme: str,
    *,
    tag: str | None,
    place: Place | None = None,
    key: str = "releases",
) -> None:
    """Raise VersionError, with the way out, where nothing can be said of what is newer.

    That is so when the current version is none of the scheme, or none of those on offer is. Commits have no
    scheme. ``key`` is where the scheme stands in vendors.yaml.
    """
    if releases and all(_COMMIT.fullmatch(one.version) for one in releases):
        return
    if parse(current, scheme) is None:
        ways = _ways_out([current], scheme, tag, key)
        raise VersionError(
            f"the current version `{current}` can't be read in the scheme {scheme}, "
            "so nobody can say what is newer",
            hint=_inside_tag(current, tag) or ways or "write the version that is vendored now",
            place=place,
        )
    if releases and all(parse(one.version, scheme) is None for one in releases):
        texts = [one.version for one in releases]
        shown = ", ".join(f"`{text}`" for text in texts[:_SHOWN])
        count = f"none of the {len(texts)} versions" if len(texts) > 1 else "the only version"
        verb = "can" if len(texts) > 1 else "can't"
        raise VersionError(
            f"{count} on offer {verb} be read in the scheme {scheme}: {shown}",
            hint=_ways_out(texts, scheme, tag, key) or f"check the address, and `{key}.tag`",
            place=place,
        )


def _ways_out(texts: Sequence[str], scheme: str, tag: str | None, key: str) -> str:
    """Another scheme that reads most of them, or a pattern that takes the version out of them."""
    ways = []
    for other in _OTHERS:
        if other != scheme and 2 * sum(parse(text, other) is not None for text in texts) > len(texts):
            ways.append(f"`{key}.scheme: {other}` reads {_them(texts)}")
            break
    prefix = _common_prefix(texts)
    rests = [text[len(prefix) :] for text in texts]
    if tag is None and prefix and any(parse(rest, scheme) is not None for rest in rests):
        pattern = re.escape(prefix).replace(r"\-", "-")
        ways.append(f"`{key}.tag: ^{pattern}(?P<version>.+)$` takes the version out of {_them(texts)}")
    return "; or ".join(ways)


def _them(texts: Sequence[str]) -> str:
    return "it" if len(texts) == 1 else "them"


def _common_prefix(texts: Iterable[str]) -> str:
    """What stands before the first number (and its v) in all of them; empty where they differ."""
    prefixes = {match[0] for text in texts if (match := re.match(r"[^0-9]*?(?=v?[0-9])", text))}
    return prefixes.pop() if len(prefixes) == 1 else ""


def _inside_tag(current: str, tag: str | None) -> str | None:
    """Where the whole tag was written in place of the version that the pattern takes out of it."""
    match = re.fullmatch(tag, current) if tag is not None else None
    if match is None or not match["version"] or match["version"] == current:
        return None
    return f"`tag` takes the version out of it: write `version: {match['version']}`"
