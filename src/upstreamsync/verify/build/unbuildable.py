"""What is not handed to kustomize, because it would fetch while it builds, or lacks what was not fetched."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection
from typing import Final

from upstreamsync.kit.kubernetes.kustomizations import FILE_NAMES, Role, all_references
from upstreamsync.kit.redact import redact
from upstreamsync.verify.overlays.tree import Files, Tree

#: What in a text that can't be read might still be an address to kustomize, or hides one behind a tag.
_ADDRESS: Final = re.compile(r"://|\bgit@|\bgh:|github\.com|![!<a-z]", re.IGNORECASE)
_FETCHED: Final = (
    "{0.file}:{0.line}: `{0.field}` names {0.text}, which was not fetched: kustomize is not given the network"
)


class Unbuildable(Exception):
    """A state that kustomize is not asked for; ``reason`` is one of the verdict ``unjudged``, or empty.

    ``hint`` is what can be done, where more is known of that than the words say.
    """

    def __init__(self, error: str, *, reason: str = "", hint: str | None = None) -> None:
        super().__init__(error)
        self.error = redact(error)
        self.reason = reason
        self.hint = hint


def refuse_fetching(tree: Tree, overlay: str, *, but: Collection[tuple[str, str]] = ()) -> None:
    """Raise Unbuildable for an overlay with a kustomization that would make kustomize fetch something.

    ``but`` are texts, with the folder of their kustomization, that are left out of what is built.
    """
    files, waiting, seen = Files(tree), [overlay], set[str]()
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


def _text(files: Files, path: str) -> str:
    return (files.read(path) or b"").decode("utf-8", "replace")
