"""Change → Verification and Review: the judge's verdicts, and what changes for the cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upstreamsync.base.write import as_tree
from upstreamsync.errors import Malformed, TooLarge
from upstreamsync.kit.run.threads import ordered_map
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import Change, Inspection, OverlayReview, Review, StageResult, Verification
from upstreamsync.project.settings import build_store
from upstreamsync.project.verify.trees import tree_with
from upstreamsync.project.verify.verification import verify_change
from upstreamsync.review import find_readers, reading, review
from upstreamsync.review.dangers.shrinking import shrinking_dangers
from upstreamsync.verify import overlay_output

if TYPE_CHECKING:
    from upstreamsync.project.session import Session


def review_change(
    session: Session, changes: Sequence[Change], report: Verification | None
) -> tuple[Verification, Review]:
    """Judge (unless ``report`` says it already, of these very changes) and review one proposal."""
    files = as_tree(changes)
    verification = report or verify_change(session, files, changes, overlays=())
    with tree_with(session.root, files) as after:
        bases = dict.fromkeys(base for change in changes for base in change.bases)
        verification, found = review_trees(session, session.root, after, verification, tuple(bases), changes)
    shrunk = (OverlayReview(path=one.resource, dangers=(one,)) for one in shrinking_dangers(changes))
    return verification, replace(found, overlays=(*found.overlays, *shrunk))


def review_trees(
    session: Session,
    before: Path,
    after: Path,
    verification: Verification,
    bases: Sequence[str],
    changes: Sequence[Change] = (),
) -> tuple[Verification, Review]:
    """Review two trees that were judged: overlay by overlay, and ``bases`` where an overlay does not build.

    The verification that is returned also has what registries and an API server say, where they are asked.
    """
    paths = [overlay.path for overlay in verification.overlays]
    places = [(side, path) for path in paths for side in (before, after)]
    built = [
        outcome.get()
        for outcome in ordered_map(
            lambda place: _output(session, *place), places, session.settings.engine_jobs
        )
    ]
    readers = find_readers(_yaml_files(session))
    reviews: list[OverlayReview] = []
    results = {}
    for number, path in enumerate(paths):
        sides = (f"the output of {path} before", f"the output of {path}")
        old, now = manifests.objects_of_both(built[2 * number], built[2 * number + 1], names=sides)
        results[path] = (old, now)
        reviews.append(review(path, old, now, applications=reading(readers, path)))
    reviews += _of_bases(before, after, bases, verification)
    verification, unasked = _asked(session, verification, results)
    stages: tuple[StageResult, ...] = ()
    if session.configuration.checks:
        outputs = {path: (built[2 * number], built[2 * number + 1]) for number, path in enumerate(paths)}
        stages = _stages(session, after, outputs, changes, verification)
    return verification, Review(overlays=tuple(reviews), images_unasked=unasked, stages=stages)


def inspect_change(
    session: Session, changes: Sequence[Change], verification: Verification, review: Review, *, subject: str
) -> Inspection:
    """What stands behind a verification and a review of these changes: for a page."""
    from upstreamsync.project.verify.inspect import Inspector

    inspector = Inspector(session.settings, session.tools.engines)
    with tree_with(session.root, as_tree(changes)) as after:
        return inspector.inspect(session.root, after, verification, known=review, subject=subject)


def _asked(
    session: Session,
    verification: Verification,
    results: Mapping[str, tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]],
) -> tuple[Verification, tuple[str, ...]]:
    """With what registries and an API server say, where they are to be asked; and the images nobody could ask for."""
    unasked: tuple[str, ...] = ()
    if session.settings.look_up_images and not session.settings.offline:
        from upstreamsync.project.propose.image_lookup import look_up

        verification, unasked = look_up(session, verification, results)
    context = session.settings.server or session.configuration.server
    if context is not None:
        from upstreamsync.project.server import ask_server
        from upstreamsync.project.server.verifying import tools_of

        verification = ask_server(
            verification,
            results,
            context=context,
            environment=session.settings.environment,
            tools=tools_of(session.root, list(results), session.configuration.cluster),
        )
    return verification, unasked


def _stages(
    session: Session,
    after: Path,
    outputs: Mapping[str, tuple[bytes, bytes]],
    changes: Sequence[Change],
    verification: Verification,
) -> tuple[StageResult, ...]:
    """What the team's own stages say of the built overlays."""
    from upstreamsync.project.stages import Stage, run_stages

    vendors = [{"name": one.vendor, "from": one.before, "to": one.after} for one in changes]
    items = [
        {"item": item.item, "verdict": item.verdict.value, "severity": item.severity.value, "why": item.why}
        for item in verification.items
    ]
    return run_stages(
        [
            Stage(
                name=check.name, run=check.run, required=check.required, network=check.network,
                timeout=check.timeout.total_seconds(),
            )
            for check in session.configuration.checks
        ],
        results=outputs,
        change={"vendors": vendors, "overlays": sorted(outputs), "items": items},
        repository=after,
        allowed=session.settings.allow_commands,
        jobs=session.settings.engine_jobs,
    )  # fmt: skip


def _of_bases(
    before: Path, after: Path, bases: Sequence[str], verification: Verification
) -> list[OverlayReview]:
    """Where an overlay does not build there is no output to compare; what upstream changed can still be told."""
    if all(overlay.before.ok and overlay.after.ok for overlay in verification.overlays):
        return []
    return [review(base, _base_objects(before / base), _base_objects(after / base)) for base in bases]


def _base_objects(folder: Path) -> list[dict[str, Any]]:
    """The objects of a base's own files; those that are no manifests are left out."""
    found: list[dict[str, Any]] = []
    for path in sorted(folder.rglob("*.y*ml")):
        try:
            objects = manifests.objects(path.read_bytes(), name=path.name)
        except (Malformed, TooLarge):
            continue
        found += [one for one in objects if one.get("kind") not in (None, "Kustomization", "Component")]
    return found


def _output(session: Session, tree: Path, overlay: str) -> bytes:
    """What the overlay builds; nothing where it does not build (the verdicts say why)."""
    store = build_store(session.tools.cache)
    engines = session.tools.engines
    return overlay_output(tree, overlay, kustomize=engines.kustomize(), store=store, helm=engines.helm)


def _yaml_files(session: Session) -> list[tuple[str, bytes]]:
    """All YAML files of the working tree, for finding Argo CD Applications."""
    found = []
    for path in session.view.listing(""):
        if path.endswith((".yaml", ".yml")):
            data = session.read(path)
            if data is not None:
                found.append((path, data))
    return found
