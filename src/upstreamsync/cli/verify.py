"""``verify``: which two trees are meant, what is said of them, and what is written back when asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from upstreamsync.cli import exits, output
from upstreamsync.cli.common import Common, Format, counting, text_form
from upstreamsync.cli.page import Watcher
from upstreamsync.cli.paths import overlay_prefix, relative_overlays, without_configuration, write_file
from upstreamsync.errors import UsageError
from upstreamsync.model import Verification
from upstreamsync.project.verify.verification import (
    upstream_paths,
    verify_folders,
    verify_revision_without_configuration,
    verify_working_tree,
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
    comment: bool = False,
    files: Mapping[Format, Path] | None = None,
    html: Path | None = None,
    dry_run: bool = False,
) -> int:
    """Judge, report, and say how to end. Raises UsageError when the options contradict each other."""
    chosen, upstream = tuple(overlays), tuple[str, ...]()
    if (before is None) != (after is None):
        raise UsageError("--before and --after belong together", hint="give both folders")
    if before is not None and since is not None:
        raise UsageError("--since does not go with --before and --after", hint="leave one of them out")
    if since is not None and not since.strip():  # nothing was judged, and all would look well
        raise UsageError("--since names no revision", hint="is the variable that it comes from set here?")
    if dry_run and not (fix or add_guards):
        raise UsageError("--dry-run goes with --fix or --add-guards", hint="verify itself writes nothing")
    watcher = Watcher() if html is not None else None
    with counting(common, "judging") as counted:
        if before is not None and after is not None:
            verification, root = _two_folders(counted, chosen, before, after, watcher), after
        else:
            verification, root, upstream = _since(
                counted, chosen, since or "HEAD", watcher, guards=add_guards
            )
    corrections = _corrections(verification, root, chosen, upstream, fix=fix, guards=add_guards)
    if corrections and not dry_run:
        _write(corrections, root)

    def text(out: Any) -> None:
        text_form().print_verification(out, verification, verbose=common.verbose)
        if fix or add_guards:
            from upstreamsync.report.files import print_corrections

            print_corrections(out, corrections, dry_run=dry_run)

    common.say(
        document=lambda: _document(verification),
        text=text,
        plain=None if fix or add_guards or common.verbose else _plainly(verification),
        markdown=lambda: _markdown(verification),
        github=lambda: _annotations(verification, overlay_prefix(root)),
        machine=lambda form: _for_machines(verification, form, overlay_prefix(root)),
    )
    for form, file in (files or {}).items():
        made = _for_machines(verification, form, overlay_prefix(root))
        write_file(file, made if isinstance(made, str) else output.json_form(made))
    if html is not None and watcher is not None:
        watcher.write(html, _command(chosen, since=since, before=before, after=after))
    if comment:
        from upstreamsync.project.verify.comment import keep_comment

        keep_comment(verification, common.settings(), root)
    return exits.of_verification(verification)


def _plainly(verification: Verification) -> Callable[[IO[str]], None] | None:
    """Writes the one line, where that is all and no terminal wants colours: rich takes as long as a small build."""
    from upstreamsync.report.summary import says_all, summary

    if sys.stdout.isatty() or not says_all(verification):
        return None
    return lambda _: output.say("".join(summary(verification)))


def _document(verification: Verification) -> dict[str, Any]:
    from upstreamsync.report.document import verify_document

    return verify_document(verification)


def _markdown(verification: Verification) -> str:
    from upstreamsync.report.markdown import verify_markdown

    return verify_markdown(verification)


def _annotations(verification: Verification, prefix: str) -> str:
    from upstreamsync.report.annotations import verify_annotations

    return verify_annotations(verification, prefix=prefix)


def _for_machines(verification: Verification, form: Format, prefix: str) -> Any:
    from upstreamsync.report import machines

    made: Mapping[Format, Callable[..., Any]] = {
        Format.SARIF: machines.verify_sarif,
        Format.JUNIT: machines.verify_junit,
        Format.GITLAB: machines.verify_gitlab,
    }
    return made[form](verification, prefix=prefix)


def _command(overlays: Sequence[str], *, since: str | None, before: Path | None, after: Path | None) -> str:
    """The command line that says it again."""
    import shlex

    options = (("--since", since), ("--before", before), ("--after", after))
    words = [word for name, value in options if value is not None for word in (name, str(value))]
    return shlex.join(["upstreamsync", "verify", *overlays, *words]) + "\n"


def _since(
    common: Common, overlays: Sequence[str], since: str, watcher: Watcher | None, *, guards: bool
) -> tuple[Verification, Path, tuple[str, ...]]:
    """A revision against the working tree, which folder that is, and what in it is upstream's, for ``guards``."""
    if common.config is None and without_configuration():
        settings = common.settings()
        verification, root = verify_revision_without_configuration(
            Path.cwd(),
            settings,
            since=since,
            overlays=lambda root: relative_overlays(overlays, root),
            look=watcher.of_folder(settings) if watcher is not None else None,
        )
        return verification, root, ()
    with common.project() as project:
        upstream = upstream_paths(project.session, project.configuration.vendors) if guards else ()
        verification = verify_working_tree(
            project.session,
            since=since,
            overlays=relative_overlays(overlays, project.root),
            look=watcher.of_project(project.session) if watcher is not None else None,
        )
        return verification, project.root, upstream


def _two_folders(
    common: Common, overlays: Sequence[str], before: Path, after: Path, watcher: Watcher | None
) -> Verification:
    for folder in (before, after):
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder", hint="--before and --after name two folders")
    settings = common.settings()
    look = watcher.of_folder(settings) if watcher is not None else None
    return verify_folders(before, after, overlays, settings=settings, look=look)


def _corrections(
    verification: Verification,
    root: Path,
    overlays: Sequence[str],
    upstream: Sequence[str],
    *,
    fix: bool,
    guards: bool,
) -> dict[str, tuple[bytes | None, bytes | None]]:
    """Path → bytes before and after, of the user's files that corrections or guards are to be written into."""
    if not (fix or guards):
        return {}
    from upstreamsync.base.view import disk_view
    from upstreamsync.project.verify.fixes import fixed_files
    from upstreamsync.verify import add_guards

    read = disk_view(root).read
    files: dict[str, bytes] = {}
    if fix:
        files.update(fixed_files(verification, read))
    if guards:
        chosen = tuple(overlays) or tuple(overlay.path for overlay in verification.overlays)
        files.update(
            {path: text.encode() for path, text in add_guards(root, chosen, upstream=upstream).items()}
        )
    return {path: (read(path), data) for path, data in files.items()}


def _write(corrections: Mapping[str, tuple[bytes | None, bytes | None]], root: Path) -> None:
    from upstreamsync.base.write import write
    from upstreamsync.model import Change

    files = {path: after for path, (_, after) in corrections.items()}
    write(Change(vendor="", before="", after="", edit_files=files), root)
