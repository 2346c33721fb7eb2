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
from upstreamsync.kit.manifests import (
    PLAIN_TAG,
    KubernetesLoader,
    construct_map,
    may_expand,
    no_garbage_collection,
    refuse_bombs,
    scalar,
)

_TEXT_TAG: Final = "tag:yaml.org,2002:str"
_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,14}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")
#: Directives, further documents, other encodings and ends of lines, and annotations of kustomize's own.
_FOREIGN: Final = re.compile(
    rb"^(?:%|\.\.\.|---)|[\x00\r\t]|\xef\xbb\xbf|\xff\xfe|\xfe\xff|config\.k(?:ubernetes|8s)\.io",
    re.MULTILINE,
)


class _InDoubt(Exception):
    """A value that kustomize might print otherwise."""


class _PlainLoader(KubernetesLoader):
    """Reads what all tools read alike, and raises _InDoubt for the rest."""


def _plain_scalar(_: _PlainLoader, node: yaml.ScalarNode) -> Any:
    text = node.value
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if scalar(text) is not text or _DATE.match(text) or text in {"=", "<<"}:
        raise _InDoubt
    return text


def _plain_map(loader: _PlainLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    for key, _ in node.value:
        if key.tag != _TEXT_TAG and (key.tag != PLAIN_TAG or not isinstance(_plain_scalar(loader, key), str)):
            raise _InDoubt
    return dict(sorted(construct_map(loader, node).items()))


def _in_doubt(*_: object) -> NoReturn:
    raise _InDoubt


for _name in ("binary", "bool", "float", "int", "merge", "null", "omap", "pairs", "set", "timestamp"):
    _PlainLoader.add_constructor(f"tag:yaml.org,2002:{_name}", _in_doubt)
_PlainLoader.add_constructor(PLAIN_TAG, _plain_scalar)
_PlainLoader.add_constructor("tag:yaml.org,2002:map", _plain_map)


def plain_object(document: bytes) -> dict[str, Any] | None:
    """The object of one YAML document, as kustomize would print it; None where that is in doubt.

    Its keys are in kustomize's order, which is that of their bytes. The document may begin with its ``---`` marker.
    """
    text = document.removeprefix(b"---")
    if _FOREIGN.search(text) or may_expand(text):
        return None
    try:
        refuse_bombs(text, "a document")
        with no_garbage_collection():
            value = yaml.load(text, Loader=_PlainLoader)  # noqa: S506 (derived from the safe loader)
    except (_InDoubt, yaml.YAMLError, ValueError, RecursionError, UpstreamsyncError):
        return None
    return value if isinstance(value, dict) and _is_named(value) and _is_calm(value) else None


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
    """Whether labels and annotations are texts, and there are some where there is a map for them."""
    metadata = value["metadata"]
    given = [metadata[name] for name in ("labels", "annotations") if name in metadata]
    return all(
        isinstance(each, dict) and each and all(isinstance(text, str) for text in each.values())
        for each in given
    )
