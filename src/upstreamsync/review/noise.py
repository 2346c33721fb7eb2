"""Which differences say nothing but that a version moved on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from upstreamsync.model import FieldChange

#: Labels and annotations that carry a version or a checksum of something that is shown elsewhere anyway.
_NOISY_KEYS: Final = re.compile(
    r"""
      helm\.sh/chart | chart | app\.kubernetes\.io/version | version | olm\.version
    | controller-gen\.kubebuilder\.io/version | api-approved\.kubernetes\.io
    | (?:.*/)? checksum (?:[/.-].*)? | (?:.*[/-])? (?:config-)?(?:hash|sha256)
    | meta\.helm\.sh/.* | prometheus-operator-validated | operator\.prometheus\.io/version
    """,
    re.VERBOSE,
)
_MAP: Final = r"(?:^|\.)metadata\.(?:labels|annotations)"
_WHOLE_MAP: Final = re.compile(_MAP + r"$")
_ONE_KEY: Final = re.compile(_MAP + r"(?:\[(?P<bracketed>[^\]]+)\]|\.(?P<plain>[^.\[]+))$")
_CRD_TEXT: Final = re.compile(r"^spec\.versions\[.*\.(?:description|example|externalDocs)$")


def is_noise(kind: str, change: FieldChange) -> bool:
    """Whether a change is a version label, a checksum or, in a CRD, documentation."""
    if kind == "CustomResourceDefinition" and _CRD_TEXT.match(change.path):
        return True
    if match := _ONE_KEY.search(change.path):
        return _NOISY_KEYS.fullmatch(match["bracketed"] or match["plain"]) is not None
    if _WHOLE_MAP.search(change.path):
        return all(_NOISY_KEYS.fullmatch(key) for key in (*_keys(change.before), *_keys(change.after)))
    return False


def _keys(value: Any) -> tuple[str, ...]:
    return tuple(str(key) for key in value) if isinstance(value, Mapping) else ()
