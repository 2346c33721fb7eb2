"""What an overlay builds as a whole, as people deploy it: for reading, not for judging."""

from __future__ import annotations

import tempfile
from pathlib import Path

from upstreamsync.errors import ToolFailed
from upstreamsync.kit.run.engines import Kustomize
from upstreamsync.verify.build.builds import Builder, Failed, Store
from upstreamsync.verify.build.workspace import Workspace
from upstreamsync.verify.overlays.graph import Tree


def overlay_output(folder: Path, overlay: str, *, kustomize: Kustomize, store: Store | None = None) -> bytes:
    """The YAML that kustomize prints for ``overlay`` of the tree in ``folder``; empty where it fails.

    ``store`` spares the build when it was made before from the same files with the same kustomize.
    """
    with tempfile.TemporaryDirectory(prefix="upstreamsync-output-") as scratch:
        space = Workspace(Tree(folder), overlay, (), Path(scratch))
        root = Path(scratch)
        if space.kustomizations:
            place = space.original()
            found = Builder(kustomize, 1, store).output(place, root=root, helm=space.needs_helm)
            if not isinstance(found, Failed):
                return found
    try:  # what a copy does not have, perhaps: files that are named in ways of their own
        return kustomize.build(folder / overlay, enable_helm=True)
    except ToolFailed:
        return b""
