"""What an overlay builds as a whole, as people deploy it: for parsed, not for judging."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from upstreamsync.errors import ToolFailed
from upstreamsync.kit.run.engines import Engines, Helm, Kustomize
from upstreamsync.verify.build.availability import elsewhere
from upstreamsync.verify.build.builds import Builder, Failed, Store
from upstreamsync.verify.build.inflate import Charts
from upstreamsync.verify.build.unbuildable import Unbuildable, refuse_fetching
from upstreamsync.verify.build.workspace import Workspace
from upstreamsync.verify.overlays.tree import Tree


def overlay_output(
    folder: Path,
    overlay: str,
    *,
    kustomize: Kustomize,
    store: Store | None = None,
    helm: Callable[[], Helm] | None = None,
) -> bytes:
    """The YAML that kustomize prints for ``overlay`` of the tree in ``folder``; empty where it fails.

    ``store`` spares the build when it was made before from the same files with the same kustomize.
    """
    with tempfile.TemporaryDirectory(prefix="upstreamsync-output-") as scratch:
        tree = Tree(folder)
        instead = dict.fromkeys(elsewhere(tree, overlay), ())
        charts = Charts(helm or Engines().helm)
        space = Workspace(tree, overlay, (), Path(scratch), charts=charts, instead=instead)
        root = Path(scratch)
        try:
            if space.kustomizations:
                found = Builder(kustomize, 1, store).output(
                    space.original(), root=root, unrestricted=space.unrestricted
                )
                if not isinstance(found, Failed):
                    return found
            refuse_fetching(space.tree, overlay)
        except Unbuildable:
            return b""
    try:  # what a copy does not have, perhaps: files that are named in ways of their own
        with tempfile.TemporaryDirectory(prefix="upstreamsync-output-") as scratch:
            _lay(tree, Path(scratch))
            return kustomize.build(Path(scratch, overlay), root=Path(scratch))
    except ToolFailed:
        return b""


def _lay(tree: Tree, target: Path) -> None:
    """All files of the tree, and nothing else of the folder: what git keeps there is not to be read."""
    for path in tree.files("."):
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(tree.read(path))
