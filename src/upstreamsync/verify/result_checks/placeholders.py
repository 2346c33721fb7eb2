"""Values that another tool fills in before anything is applied: envsubst, Flux, kpt, a script with sed."""

from __future__ import annotations

import re
from typing import Any, Final

#: ``$NAME``, ``${name}``, ``{{ name }}``, ``<name>``, or ``A_NAME`` in capitals of several words as the whole value.
_PLACEHOLDER: Final = re.compile(r"\$\{?[A-Za-z_]|\$\(|\{\{|<[A-Za-z][\w-]*>|^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$")
#: In a name, which has no capitals, a word of capitals is one, too.
_IN_NAME: Final = re.compile(r"[${}<>]|(?<![a-z0-9])[A-Z][A-Z0-9_-]{3,}(?![a-z0-9])")


def is_placeholder(value: Any) -> bool:
    """Whether a value stands for one that is not known here; what the API server says of it can't be told."""
    return isinstance(value, str) and _PLACEHOLDER.search(value) is not None


def is_name_to_fill_in(name: str) -> bool:
    """Whether a name, or a part of it, stands for one that is not known here."""
    return _IN_NAME.search(name) is not None
