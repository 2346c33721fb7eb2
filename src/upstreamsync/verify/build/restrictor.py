"""Files above a kustomization: whether kustomize has to be let at them, and may be.

Flux builds without kustomize's load restrictor, and Argo CD does when told so. What lies in the repository
is within reach here without being asked for; nothing outside ever is, however the path is written.
"""

from __future__ import annotations

from collections.abc import Sequence

from upstreamsync.kit.kubernetes.kustomizations import Role, all_references
from upstreamsync.verify.overlays.tree import Files, Kustomization, Tree, within

_READ = (Role.FILE, Role.PLUGIN, Role.OBJECTS)


def reads_above(tree: Tree, kustomizations: Sequence[Kustomization]) -> bool:
    """Whether some file that is read lies above its kustomization, and no path leads out of the tree.

    In a copy of what lies in the tree, without links, such paths reach nothing else.
    """
    if not any(map(_may_read_above, kustomizations)):
        return False
    files = Files(tree)
    above = False
    for kustomization in kustomizations:
        for reference in all_references(files, kustomization.file):
            if reference.role not in _READ or reference.remote:
                continue
            path = reference.path(kustomization.folder)
            if path is None:
                return False
            above = above or (tree.is_file(path) and not within(path, (kustomization.folder,)))
    return above


def _may_read_above(kustomization: Kustomization) -> bool:
    return ".." in kustomization.text or bool(kustomization.data.keys() & {"generators", "transformers"})
