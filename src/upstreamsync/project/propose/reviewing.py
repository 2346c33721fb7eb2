"""Change → Verification and Review: the judge's verdicts, and what changes for the cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upstreamsync.base.write import as_tree
from upstreamsync.errors import Malformed, TooLarge
from upstreamsync.kit.run.threads import ordered_map
from upstreamsync.kit.yaml import manifests
from upstreamsync.model import Change, OverlayReview, Review, StageResult, Verification
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
        paths = [overlay.path for overlay in verification.overlays]
        places = [(side, path) for path in paths for side in (session.root, after)]
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
        before, now = manifests.objects_of_both(built[2 * number], built[2 * number + 1], names=sides)
        results[path] = (before, now)
        reviews.append(review(path, before, now, applications=reading(readers, path)))
    with tree_with(session.root, files) as after:
        reviews += _of_bases(session, after, changes, verification)
    reviews += [
        OverlayReview(path=danger.resource, dangers=(danger,)) for danger in shrinking_dangers(changes)
    ]
    verification, unasked = _asked(session, verification, results)
    stages: tuple[StageResult, ...] = ()
    if session.configuration.checks:
        outputs = {path: (built[2 * number], built[2 * number + 1]) for number, path in enumerate(paths)}
        with tree_with(session.root, files) as after:
            stages = _stages(session, after, outputs, changes, verification)
    return verification, Review(overlays=tuple(reviews), images_unasked=unasked, stages=stages)


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
    session: Session, after: Path, changes: Sequence[Change], verification: Verification
) -> list[OverlayReview]:
    """Where an overlay does not build there is no output to compare; what upstream changed can still be told."""
    if all(overlay.before.ok and overlay.after.ok for overlay in verification.overlays):
        return []
    reviews = []
    for base in dict.fromkeys(base for change in changes for base in change.bases):
        before, now = _base_objects(session.root / base), _base_objects(after / base)
        reviews.append(review(base, before, now))
    return reviews


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
