"""``verify``: which two trees are meant, what is said of them, and what is written back when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from upstreamsync.cli import exits
from upstreamsync.cli.common import Common, text_form
from upstreamsync.config import find_configuration
from upstreamsync.errors import UsageError
from upstreamsync.model import Change, Verification
from upstreamsync.project.settings import Settings
from upstreamsync.project.verification import (
    upstream_paths,
    verify_folders,
    verify_revision_without_configuration,
)


def verify(
    common: Common,
    overlays: Sequence[str],
    *,
    since: str | None,
    before: Path | None,
    after: Path | None,
    fix: bool,
    add_guards: bool,
) -> int:
    """Judge, report, and say how to end."""
    verification, prefix = judge(
        common, tuple(overlays), since=since, before=before, after=after, fix=fix, guards=add_guards
    )
    from upstreamsync.report import annotations, document, markdown

    common.say(
        document=lambda: document.verify_document(verification),
        text=lambda out: text_form().print_verification(out, verification, verbose=common.verbose),
        markdown=lambda: markdown.verify_markdown(verification),
        github=lambda: annotations.verify_annotations(verification, prefix=prefix),
    )
    return exits.PERSON if verification.needs_person else exits.DONE


def judge(
    common: Common,
    overlays: Sequence[str],
    *,
    since: str | None,
    before: Path | None,
    after: Path | None,
    fix: bool,
    guards: bool,
) -> tuple[Verification, str]:
    """The verification that the options ask for, and what to put before its paths to name real files.

    Raises UsageError when the options contradict each other.
    """
    if (before is None) != (after is None):
        raise UsageError("--before and --after belong together", hint="give both folders")
    if before is not None and after is not None:
        if since is not None:
            raise UsageError("--since does not go with --before and --after", hint="leave one of them out")
        return _two_folders(common, overlays, before, after, fix=fix, guards=guards)
    if common.config is None and _no_configuration():
        upstream: tuple[str, ...] = ()
        settings = Settings(jobs=common.jobs, cache_folder=common.cache_dir, use_cache=not common.no_cache)
        verification, root = verify_revision_without_configuration(
            Path.cwd(), settings, since=since or "HEAD", overlays=overlays
        )
    else:
        with common.project() as project:
            root = project.root
            upstream = upstream_paths(project, project.configuration.vendors) if guards else ()
            verification = project.verify(overlays=_relative(overlays, root), since=since or "HEAD")
    _write_back(verification, root, overlays, upstream, fix=fix, guards=guards)
    return verification, _prefix(root)


def _two_folders(
    common: Common, overlays: Sequence[str], before: Path, after: Path, *, fix: bool, guards: bool
) -> tuple[Verification, str]:
    for folder in (before, after):
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder", hint="--before and --after name two folders")
    settings = Settings(jobs=common.jobs, cache_folder=common.cache_dir, use_cache=not common.no_cache)
    verification = verify_folders(before, after, overlays, settings=settings)
    _write_back(verification, after, overlays, (), fix=fix, guards=guards)
    return verification, _prefix(after.absolute())


def _write_back(
    verification: Verification,
    root: Path,
    overlays: Sequence[str],
    upstream: Sequence[str],
    *,
    fix: bool,
    guards: bool,
) -> None:
    """Write corrections and guards into the user's patches, when asked for."""
    if not (fix or guards):
        return
    from upstreamsync.base.view import disk_view
    from upstreamsync.base.write import write
    from upstreamsync.project.fixes import fixed_files
    from upstreamsync.verify import add_guards

    files: dict[str, bytes | None] = {}
    if fix:
        files.update(fixed_files(verification, disk_view(root).read))
    if guards:
        chosen = tuple(overlays) or tuple(overlay.path for overlay in verification.overlays)
        files.update(
            {path: text.encode() for path, text in add_guards(root, chosen, upstream=upstream).items()}
        )
    if files:
        write(Change(vendor="", before="", after="", edit_files=files), root)


def _no_configuration() -> bool:
    try:
        find_configuration(Path.cwd())
    except UsageError:
        return True
    return False


def _relative(overlays: Sequence[str], root: Path) -> tuple[str, ...]:
    """Overlays as people type them: relative to the root, or to the folder they stand in."""
    found = []
    for overlay in overlays:
        typed = (Path.cwd() / overlay).resolve()
        inside = typed.is_relative_to(root.resolve()) and typed.is_dir()
        if not (root / overlay).is_dir() and not inside:
            raise UsageError(f"there is no folder `{overlay}`", hint=f"overlays are folders below {root}")
        found.append(overlay if (root / overlay).is_dir() else typed.relative_to(root.resolve()).as_posix())
    return tuple(one.rstrip("/") for one in found)


def _prefix(root: Path) -> str:
    """From the working folder to ``root``, so that annotations name files of the checkout."""
    try:
        relative = root.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return ""
    return "" if relative == "." else f"{relative}/"
