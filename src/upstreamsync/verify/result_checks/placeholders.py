"""Values that another tool fills in before anything is applied: envsubst, Flux, kpt, a script with sed."""

from __future__ import annotations

import re
from typing import Any, Final

from .index import World, leaves

#: How tools write them, each form of its own: ``$NAME``, ``${name}``, ``$(name)``, ``{{ name }}``, ``<name>``,
#: and ``A_NAME`` in capitals of several words.
_FORMS: Final = {
    "$": re.compile(r"\$[A-Za-z_]\w*"),
    "${}": re.compile(r"\$\{[A-Za-z_][^{}]*\}"),
    "$()": re.compile(r"\$\([A-Za-z_][^()]*\)"),
    "{{}}": re.compile(r"\{\{[^{}]*\}\}"),
    "<>": re.compile(r"<[A-Za-z][\w-]*>"),
    "_": re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+"),
}
#: In a name, which has no capitals, a word of capitals is one, too.
_IN_NAME: Final = re.compile(r"[${}<>]|(?<![a-z0-9])[A-Z][A-Z0-9_-]{3,}(?![a-z0-9])")


def is_placeholder(value: Any) -> bool:
    """Whether a value stands for one that is not known here."""
    return isinstance(value, str) and bool(forms(value))


def forms(value: str) -> frozenset[str]:
    """The forms of placeholder that a text is as a whole; empty for any other text."""
    return frozenset(form for form, pattern in _FORMS.items() if pattern.fullmatch(value.strip()))


def forms_in(world: World) -> frozenset[str]:
    """The forms of placeholder that a result has: for these there is something that fills them in."""
    known: frozenset[str] | None = world.derived.get("placeholders")
    if known is None:
        texts = {string for manifest in world.objects for _, _, string in leaves(manifest)}
        known = frozenset(form for string in texts for form in forms(string))
        world.derived["placeholders"] = known
    return known


def is_name_to_fill_in(name: str) -> bool:
    """Whether a name, or a part of it, stands for one that is not known here."""
    return _IN_NAME.search(name) is not None
