"""Definitions without their descriptions, which are most of their text and say nothing about objects."""

from __future__ import annotations

from typing import Any, Final

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.yaml import manifests

_KEY: Final = b"description:"
#: What begins a value that is no text: the field of an object that is called so.
_NO_TEXT: Final = (b"{", b"&", b"*", b"!")


def lean(document: bytes) -> bytes:
    """The text of a definition without the descriptions that stand on lines of their own."""
    kept: list[bytes] = []
    above = -1
    for line in document.split(b"\n"):
        text = line.lstrip(b" ")
        indent = len(line) - len(text)
        if above >= 0:
            if not text or indent > above:
                continue
            above = -1
        if text.startswith(_KEY):
            behind = text[len(_KEY) :].strip()
            if behind and not behind.startswith(_NO_TEXT):
                above = indent
                continue
        kept.append(line)
    return b"\n".join(kept)


def read(document: bytes) -> Any:
    """The definition, read without its descriptions; None where that can't be done, and it has to be read whole."""
    try:
        return manifests.load(lean(document), name="a definition")
    except UpstreamsyncError:
        return None


def has_rules(document: bytes) -> bool:
    """Whether a definition has CEL rules, perhaps."""
    return b"x-kubernetes-validations" in document
