"""Change → Verification and Review: the judge's verdicts, and what changes for the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from upstreamsync.base.write import as_tree
from upstreamsync.errors import ToolFailed
from upstreamsync.kit import manifests
from upstreamsync.kit.parallel import ordered_map
from upstreamsync.model import Change, OverlayReview, Review, Verification
from upstreamsync.project.trees import tree_with
from upstreamsync.project.verification import verify_change
from upstreamsync.review import find_readers, reading, review

if TYPE_CHECKING:
    from upstreamsync.project.project import Project


def review_change(
    project: Project, changes: Sequence[Change], report: Verification | None
) -> tuple[Verification, Review]:
    """Judge (unless ``report`` says it already) and review the changes of one proposal.

    Of ``report`` only the overlays are kept that stand on a base of these changes.
    """
    files = as_tree(changes)
    verification = report or verify_change(project, files, changes, overlays=())
    with tree_with(project.root, files) as after:
        paths = [overlay.path for overlay in verification.overlays]
        places = [(side, path) for path in paths for side in (project.root, after)]
        built = [
            outcome.get()
            for outcome in ordered_map(
                lambda place: _output(project, *place), places, project.settings.engine_jobs
            )
        ]
    readers = find_readers(_yaml_files(project))
    reviews: list[OverlayReview] = []
    for number, path in enumerate(paths):
        sides = (f"the output of {path} before", f"the output of {path}")
        before, now = manifests.objects_of_both(built[2 * number], built[2 * number + 1], names=sides)
        reviews.append(review(path, before, now, applications=reading(readers, path)))
    return verification, Review(overlays=tuple(reviews))


def _output(project: Project, tree: Path, overlay: str) -> bytes:
    """What the overlay builds; nothing where it does not build (the verdicts say why)."""
    try:
        return project.tools.engines.kustomize().build(tree / overlay, enable_helm=True)
    except ToolFailed:
        return b""


def _yaml_files(project: Project) -> list[tuple[str, bytes]]:
    """All YAML files of the working tree, for finding Argo CD Applications."""
    found = []
    for path in project.view.listing(""):
        if path.endswith((".yaml", ".yml")):
            data = project.read(path)
            if data is not None:
                found.append((path, data))
    return found
