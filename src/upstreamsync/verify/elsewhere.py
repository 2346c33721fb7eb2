"""Overlays that do not stand on what moved: with objects of definitions that moved, or edited themselves.

A definition that is vendored in one place is a schema for the user's own objects in all others.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from upstreamsync.verify.overlays.graph import changed_files, find_overlays, roots
from upstreamsync.verify.overlays.tree import FILE_NAMES, Tree, within

_KIND: Final = b"CustomResourceDefinition"
#: What begins with a literal is found many times as fast.
_GROUP: Final = re.compile(rb"group(?<!\wgroup)[\"']?:[ \t]*[\"']?([a-z0-9-]+(?:\.[a-z0-9-]+)+)")
_YAML: Final = (".yaml", ".yml")


def standing_on_definitions(before: Tree, after: Tree, upstream: Collection[str]) -> tuple[str, ...]:
    """The roots with objects of the groups whose definitions differ in ``upstream``; sorted."""
    groups = sorted(set(_moved_groups(before, after, upstream)))
    if not groups:
        return ()
    wanted = re.compile(
        rb"^apiVersion:[ \t]*[\"']?(?:" + b"|".join(map(re.escape, groups)) + rb")/", re.MULTILINE
    )
    files = [
        name
        for name in after.files("")
        if name.endswith(_YAML) and not within(name, upstream) and wanted.search(after.read(name))
    ]
    if not files:
        return ()
    return tuple(root for root in find_overlays(after, files) if not within(root, upstream))


def edited(before: Tree, after: Tree, upstream: Collection[str]) -> tuple[str, ...]:
    """The roots that read a local file which differs; sorted. Whether they still build has to be looked at."""
    changed = [name for name in changed_files(before, after) if not within(name, upstream)]
    if not changed:
        return ()
    own = {name.rpartition("/")[0] or "." for name in changed if name.rpartition("/")[2] in FILE_NAMES}
    kept = {folder for folder in own.intersection(roots(before)) if after.is_folder(folder)}
    return tuple(sorted({*find_overlays(after, changed), *kept}))


def _moved_groups(before: Tree, after: Tree, upstream: Collection[str]) -> Iterator[bytes]:
    for path in upstream:
        if not after.exists(path):
            continue
        for name in after.files(path):
            if not name.endswith(_YAML):
                continue
            data = after.read(name)
            if _KIND not in data:
                continue
            if not before.is_file(name) or before.read(name) != data:
                yield from _GROUP.findall(data)
