"""``effects``: what each customization does now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from upstreamsync.cli import exits
from upstreamsync.cli.common import Common
from upstreamsync.cli.paths import overlay_prefix, relative_overlays, without_configuration
from upstreamsync.effects import Effects
from upstreamsync.errors import RepositoryError
from upstreamsync.project.verify.effects import effects_of


def effects(common: Common, overlays: Sequence[str], *, strict: bool) -> int:
    """Describe, report, and say how to end."""
    found, root = _described(common, overlays)
    from upstreamsync.report import effects as report

    common.say(
        document=lambda: report.effects_document(found),
        text=lambda out: report.print_effects(out, found),
        markdown=lambda: report.effects_markdown(found),
        github=lambda: report.effects_annotations(found, prefix=overlay_prefix(root), strict=strict),
    )
    if found.is_incomplete:
        return exits.PARTIAL
    return exits.PERSON if found.needs_person(strict=strict) else exits.DONE


def _described(common: Common, overlays: Sequence[str]) -> tuple[Effects, Path]:
    if common.config is None and without_configuration():
        root = _root(Path.cwd())
        return effects_of(root, common.settings(), overlays=relative_overlays(overlays, root)), root
    from upstreamsync.project.verify.verification import upstream_paths

    with common.project() as project:
        session = project.session
        upstream = upstream_paths(session, session.configuration.vendors)
        chosen = relative_overlays(overlays, session.root)
        return effects_of(session.root, common.settings(), overlays=chosen, upstream=upstream), session.root


def _root(folder: Path) -> Path:
    """The repository that the folder is in; the folder itself where it is in none."""
    from upstreamsync.kit.git.repository import Repository

    try:
        return Repository.open(folder).root
    except RepositoryError:
        return folder
