"""Objects that kustomize prints with just the values that they are written with.

kustomize reads YAML by other rules than kubectl and prints it by way of JSON: a date becomes a moment, an
unquoted ``on`` a text, ``1.50`` becomes 1.5, and annotations of its own go away. Of a document in which
there is nothing of the kind it can be said without asking what a build without customizations makes of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn

import yaml

from upstreamsync.errors import UpstreamsyncError
from upstreamsync.kit.yaml.manifests import (
    KubernetesLoader,
    may_expand,
    no_garbage_collection,
    refuse_bombs,
    scalar,
)

_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}
#: What numbers and dates begin with; most texts don't, and are spared the expressions.
_DIGITS: Final = frozenset("-0123456789")
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,14}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
#: Directives, further documents, other encodings and ends of lines, and annotations of kustomize's own.
_FOREIGN_LINES: Final = (b"%", b"...", b"---")
_FOREIGN: Final = (
    *(b"\n" + sign for sign in _FOREIGN_LINES),
    *(b"\x00", b"\r", b"\t", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"),
    *(b"config.kubernetes.io", b"config.k8s.io"),
)


class _InDoubt(Exception):
    """A value that kustomize might print otherwise."""


def _scalar(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _DIGITS and _INTEGER.fullmatch(text):
        return int(text)
    if scalar(text) is not text or (text[0] in _DIGITS and _DATE.match(text)) or text in {"=", "<<"}:
        raise _InDoubt
    return text


def _key(value: Any) -> str:
    if not isinstance(value, str):
        raise _InDoubt
    return value


def _in_doubt(*_: object) -> NoReturn:
    raise _InDoubt


class _PlainLoader(KubernetesLoader):
    """Reads what all tools read alike, and raises _InDoubt for the rest."""

    plain = staticmethod(_scalar)
    as_key = staticmethod(_key)
    sorts_keys = True


for _name in ("binary", "bool", "float", "int", "map", "merge", "null", "omap", "pairs", "set", "timestamp"):
    _PlainLoader.add_constructor(f"tag:yaml.org,2002:{_name}", _in_doubt)


def plain_object(document: bytes) -> dict[str, Any] | None:
    """The object of one YAML document, as kustomize would print it; None where that is in doubt.

    Its keys are in kustomize's order, which is that of their bytes. The document may begin with its ``---`` marker.
    """
    text = document.removeprefix(b"---")
    if text.startswith(_FOREIGN_LINES) or any(sign in text for sign in _FOREIGN) or may_expand(text):
        return None
    try:
        refuse_bombs(text, "a document")
        with no_garbage_collection():
            value = yaml.load(text, Loader=_PlainLoader)  # noqa: S506 (derived from the safe loader)
    except (_InDoubt, yaml.YAMLError, ValueError, RecursionError, UpstreamsyncError):
        return None
    if not isinstance(value, dict) or not _is_named(value) or not _is_calm(value):
        return None
    # kustomize clears away annotations of its own, and then what is empty.
    if not value["metadata"].get("annotations", True):
        del value["metadata"]["annotations"]
    return value


def _is_named(value: Mapping[str, Any]) -> bool:
    metadata = value.get("metadata")
    if not isinstance(metadata, dict):
        return False
    texts = (value.get("apiVersion"), value.get("kind"), metadata.get("name"), metadata.get("namespace", "-"))
    return (
        all(isinstance(text, str) and text for text in texts)
        and not str(value["kind"]).endswith("List")
        and value["kind"] not in {"Kustomization", "Component"}
    )


def _is_calm(value: Mapping[str, Any]) -> bool:
    """Whether labels and annotations are texts."""
    metadata = value["metadata"]
    given = [metadata[name] for name in ("labels", "annotations") if name in metadata]
    return all(
        each is None or (isinstance(each, dict) and all(isinstance(text, str) for text in each.values()))
        for each in given
    )
