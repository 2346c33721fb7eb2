"""What is not handed to kustomize, because it would fetch while it builds, or lacks what was not fetched."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection
from typing import Final

from upstreamsync.kit.kubernetes.kustomizations import FILE_NAMES, Role, all_references
from upstreamsync.kit.redact import redact
from upstreamsync.verify.overlays.tree import Tree

#: What in a text that can't be read might still be an address to kustomize, or hides one behind a tag.
_ADDRESS: Final = re.compile(r"://|\bgit@|\bgh:|github\.com|![!<a-z]", re.IGNORECASE)
_FETCHED: Final = (
    "{0.file}:{0.line}: `{0.field}` names {0.text}, which was not fetched: kustomize is not given the network"
)


class Unbuildable(Exception):
    """A state that kustomize is not asked for; ``reason`` is one of the verdict ``unjudged``, or empty."""

    def __init__(self, error: str, *, reason: str = "") -> None:
        super().__init__(error)
        self.error = redact(error)
        self.reason = reason


class _Files:
    """A tree as the reader of references wants it."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def read(self, path: str) -> bytes | None:
        """The bytes of a file inside the tree."""
        return self._tree.read(path) if self._tree.is_file(path) else None

    def is_folder(self, path: str) -> bool:
        """Whether it is a folder of the tree."""
        return self._tree.is_folder(path)


def refuse_fetching(tree: Tree, overlay: str, *, but: Collection[tuple[str, str]] = ()) -> None:
    """Raise Unbuildable for an overlay with a kustomization that would make kustomize fetch something.

    ``but`` are texts, with the folder of their kustomization, that are left out of what is built.
    """
    files, waiting, seen = _Files(tree), [overlay], set[str]()
    while waiting:
        folder = waiting.pop()
        if folder in seen:
            continue
        seen.add(folder)
        for name in FILE_NAMES:
            file = posixpath.normpath(posixpath.join(folder, name))
            for found in all_references(files, file) if tree.is_file(file) else ():
                if (folder, found.text) in but:
                    continue
                if found.remote or (found.role is Role.UNREADABLE and _ADDRESS.search(_text(files, file))):
                    raise Unbuildable(_FETCHED.format(found), reason="not_reachable")
                path = found.path(folder)
                if path is not None and found.role is not Role.FILE and tree.is_folder(path):
                    waiting.append(path)


def _text(files: _Files, path: str) -> str:
    return (files.read(path) or b"").decode("utf-8", "replace")
