"""The objects inside a ``kind: List``, as documents of their own: upstream's bytes, moved to the left."""

from __future__ import annotations

import re
from collections.abc import Iterator

from upstreamsync.errors import Malformed
from upstreamsync.kit.yaml import manifests, syntax

_LIST_KIND = re.compile(rb"kind[\"']?\s*:\s*[\"']?\w*List\b")
_TOP_LIST_KIND = re.compile(rb"\nkind[ ]*:[ ]*[\"']?\w*List\b|\n[\"']kind[\"'][ ]*:[ ]*[\"']?\w*List\b")


def unpacked(part: bytes, file: str) -> list[bytes] | None:
    """Each item of a List as a document that begins with ``---``; None for any other document.

    A List of objects that don't say their kind (as a typed ``ConfigMapList`` may have them) is one document
    still, and so is one whose items share anchors. Raises Malformed for what is not YAML.
    """
    if not _may_be_list(part) or manifests.may_expand(part):
        return None
    manifests.refuse_bombs(part, file)
    text = part.decode("utf-8", "surrogateescape")
    try:
        root = syntax.compose(text.removeprefix("\ufeff"))
    except syntax.YAMLError as error:
        raise Malformed(f"{file}: not valid YAML: {' '.join(str(error).split())}") from None
    items = _items(root)
    if items is None:
        return None
    text = text.removeprefix("\ufeff")
    return [_document(text, begin, end).encode("utf-8", "surrogateescape") for begin, end in _spans(items)]


def _may_be_list(part: bytes) -> bool:
    """Whether its lines look so; only text in braces has to be searched as a whole."""
    bare = b"\n" + part.removeprefix(b"\xef\xbb\xbf")
    if _TOP_LIST_KIND.search(bare):
        return True
    flow = bare[:200].lstrip(b"\n- \r\t").startswith(b"{")
    return flow and _LIST_KIND.search(bare) is not None


def _items(root: syntax.Node | None) -> list[syntax.MappingNode] | None:
    if not isinstance(root, syntax.MappingNode):
        return None
    values = {key.value: value for key, value in root.value if isinstance(key, syntax.ScalarNode)}
    kind, items = values.get("kind"), values.get("items")
    if not isinstance(kind, syntax.ScalarNode) or not kind.value.endswith("List"):
        return None
    if not isinstance(items, syntax.SequenceNode) or not items.value:
        return None
    objects = [item for item in items.value if isinstance(item, syntax.MappingNode)]
    whole = len(objects) == len(items.value) and all(_says_its_kind(one) for one in objects)
    return objects if whole else None


def _says_its_kind(item: syntax.MappingNode) -> bool:
    keys = {key.value for key, _ in item.value if isinstance(key, syntax.ScalarNode)}
    return {"apiVersion", "kind"} <= keys


def _spans(items: list[syntax.MappingNode]) -> Iterator[tuple[syntax.Mark, syntax.Mark]]:
    for item in items:
        yield item.start_mark, item.end_mark


def _document(text: str, begin: syntax.Mark, end: syntax.Mark) -> str:
    """The item's own text; lines after its first lose as many blanks as stand before the first."""
    first, *others = text[begin.index : end.index].splitlines(keepends=True)
    cut = begin.column
    moved = [line[min(cut, len(line) - len(line.lstrip(" "))) :] for line in others]
    while moved and not moved[-1].strip():  # blank lines before the next item
        moved.pop()
    joined = "".join([first, *moved])
    return f"---\n{joined}" if joined.endswith(("\n", "\r")) else f"---\n{joined}\n"
