"""Placeholders in strings: ``{version}``, ``{semver}``, ``{major}`` and the like, and groups of a pattern.

Braces that hold no plain name are left alone, as URLs and regular expressions have braces of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from upstreamsync.model import Release

#: What every release fills. ``version`` as upstream writes it, ``semver`` without a leading v.
PLACEHOLDERS = (
    "version", "semver", "major", "minor", "patch", "app_version", "ref", "commit", "digest", "tag",
)  # fmt: skip
_PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_NUMBERS = re.compile(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?")


def placeholders(text: str) -> tuple[str, ...]:
    """The names in braces, in order."""
    return tuple(_PLACEHOLDER.findall(text))


def group_names(pattern: str) -> set[str]:
    """The named groups of a regular expression."""
    return set(re.compile(pattern).groupindex)


def version_values(version: str) -> dict[str, str]:
    """``version``, ``semver``, ``major``, ``minor`` and ``patch`` of a version; absent parts are 0."""
    bare = version[1:] if re.match(r"[vV]\d", version) else version
    match = _NUMBERS.search(bare)
    numbers = match.groups(default="0") if match else ("0", "0", "0")
    return {
        "version": version,
        "semver": bare,
        "major": numbers[0],
        "minor": numbers[1],
        "patch": numbers[2],
    }


def release_values(release: Release) -> dict[str, str]:
    """What a release fills: placeholder → text. What it does not know is absent."""
    optional = {"app_version": release.app_version, "commit": release.commit, "digest": release.digest}
    return {
        **version_values(release.version),
        "ref": release.ref,
        "tag": release.ref,
        **{name: value for name, value in optional.items() if value is not None},
        **release.groups,
    }


def fill(text: str, values: Mapping[str, str]) -> str:
    """``text`` with each placeholder replaced. Raises KeyError with the name that ``values`` lacks."""
    return _PLACEHOLDER.sub(lambda match: values[match.group(1)], text)


def to_pattern(text: str, names: Mapping[str, str]) -> re.Pattern[str]:
    """A pattern that reads a filled template back; ``names`` gives the expression of each placeholder."""
    parts: list[str] = []
    position = 0
    seen: set[str] = set()
    for match in _PLACEHOLDER.finditer(text):
        parts.append(re.escape(text[position : match.start()]))
        name = match.group(1)
        parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>{names.get(name, '.+?')})")
        seen.add(name)
        position = match.end()
    parts.append(re.escape(text[position:]))
    return re.compile("".join(parts))
