"""What a customization says of itself: how many objects it is meant to change.

It stands beside it as a comment, ``# upstreamsync: expect 3 objects`` (above the entry, behind it, or in
the patch), or in the patch as the annotation ``upstreamsync/expect``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from upstreamsync.verify.overlays.items import Item, entry_line
from upstreamsync.verify.overlays.tree import Tree

ANNOTATION: Final = "upstreamsync/expect"
_COMMENT: Final = re.compile(r"#\s*upstreamsync:\s*expect\s+(\d{1,6})(?:\s+objects?)?\s*(?:#|$)")
_COUNT: Final = re.compile(r"(\d{1,6})(?:\s+objects?)?")


def expected(tree: Tree, item: Item) -> int | None:
    """How many objects the item is meant to change; None where it does not say."""
    for line in _beside(tree, item):
        if match := _COMMENT.search(line.rstrip()):
            return int(match[1])
    if isinstance(item.body, Mapping):
        metadata = item.body.get("metadata")
        annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
        said = annotations.get(ANNOTATION) if isinstance(annotations, Mapping) else None
        if match := _COUNT.fullmatch(str(said).strip()):
            return int(match[1])
    return None


def _beside(tree: Tree, item: Item) -> Iterator[str]:
    """The lines in which a comment counts as the item's."""
    yield from item.text.splitlines() if "upstreamsync:" in item.text else ()
    kustomization = tree.kustomization(item.folder)
    if kustomization is None or item.doc is not None or "upstreamsync:" not in kustomization.text:
        return
    lines = kustomization.text.splitlines()
    number = entry_line(kustomization, item) - 1
    if not 0 <= number < len(lines):
        return
    yield lines[number]
    while number > 0 and lines[number - 1].lstrip().startswith("#"):
        number -= 1
        yield lines[number]
