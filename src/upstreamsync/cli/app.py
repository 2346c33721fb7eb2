"""The verbs. Each one loads, calls the library, reports, and returns its exit code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from upstreamsync._version import __version__
from upstreamsync.cli import completion, exits, output
from upstreamsync.cli.common import Common, Format, text_form
from upstreamsync.cli.options import (
    DiscardEdits,
    Forge,
    Html,
    OneVendor,
    Overlays,
    ServerContext,
    Vendors,
    WriteNothing,
    judging_verb,
    verb,
)

app = typer.Typer(
    name="upstreamsync",
    help="Keep vendored Kubernetes manifests up to date, and prove that local patches still do what they did.",
    epilog="Exit codes: 0 done · 1 a person is needed · 2 wrong usage or configuration · "
    "3 part of the work could not be done · 70 a bug · 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: loading rich for it would take longer than all the rest
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(value: bool) -> None:
    if value:
        output.say(f"upstreamsync {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", "-V", callback=_print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


@app.command()
@verb
def check(
    common: Common,
    vendors: Vendors = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 1 when updates exist.")] = False,
    matrix: Annotated[
        bool, typer.Option("--matrix", help="With --format github: print a job matrix.")
    ] = False,
    html: Html = None,
) -> int:
    """Find new upstream versions and say what each vendor would move to. Writes nothing."""
    from upstreamsync.cli.check import check as look

    page = {"html": html} if html is not None else {}  # a plain command line (cli.plain) does not have it
    return look(common, tuple(vendors or ()), exit_code=exit_code, matrix=matrix, **page)


@app.command()
@verb
def explain(common: Common, vendor: OneVendor) -> int:
    """Say of every candidate version why it was taken or passed over."""
    from upstreamsync.report import annotations, document, markdown

    with common.project() as project:
        finding, versions = project.explain(vendor)
        file = project.configuration.places.file
    common.say(
        document=lambda: document.explain_document(finding, versions),
        text=lambda out: text_form().print_explanation(out, finding, versions),
        markdown=lambda: markdown.explain_markdown(finding, versions),
        github=lambda: annotations.check_annotations([finding], file=file),
    )
    return exits.of_check([finding])


@app.command()
@judging_verb
def update(
    common: Common,
    vendors: Vendors = None,
    to: Annotated[str | None, typer.Option("--to", metavar="VERSION", help="Move to this version.")] = None,
    dry_run: WriteNothing = False,
    locked: Annotated[
        bool, typer.Option("--locked", help="Regenerate each base as its lock says, or fail.")
    ] = False,
    discard_edits: DiscardEdits = False,
    html: Html = None,
) -> int:
    """Regenerate base layers in the working tree, apply the follow-up edits, then verify."""
    from upstreamsync.cli.update import update as regenerate

    page = {"html": html} if html is not None else {}  # a plain command line (cli.plain) does not have it
    return regenerate(
        common,
        tuple(vendors or ()),
        to=to,
        dry_run=dry_run,
        locked=locked,
        discard_edits=discard_edits,
        **page,
    )


@app.command()
@judging_verb
def verify(
    common: Common,
    overlays: Overlays = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="REV", help="Judge the working tree against this revision."),
    ] = None,
    before: Annotated[
        Path | None, typer.Option("--before", metavar="DIR", help="Judge two plain folders: the old one.")
    ] = None,
    after: Annotated[Path | None, typer.Option("--after", metavar="DIR", help="… and the new one.")] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Write the mechanical corrections of patches.")] = False,
    add_guards: Annotated[
        bool, typer.Option("--add-guards", help="Write `op: test` guards into JSON 6902 patches by index.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With these two: show the corrections as a diff; write nothing.")
    ] = False,
    comment: Annotated[
        bool,
        typer.Option("--comment", help="In a workflow on a pull request at GitHub: keep one comment on it."),
    ] = False,
    sarif: Annotated[
        Path | None, typer.Option("--sarif", metavar="FILE", help="Also write SARIF to this file.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Also write JUnit's XML to this file.")
    ] = None,
    code_quality: Annotated[
        Path | None,
        typer.Option("--code-quality", metavar="FILE", help="Also write GitLab's code quality to this file."),
    ] = None,
    html: Html = None,
    server: ServerContext = None,
) -> int:
    """Judge every local customization: does it still do what it did?"""
    from upstreamsync.cli.verify import verify as run

    asked = ((Format.SARIF, sarif), (Format.JUNIT, junit), (Format.GITLAB, code_quality))
    files = {form: file for form, file in asked if file is not None}
    # Only what was asked for: a plain command line (cli.plain) has none of them.
    asked_for: dict[str, Any] = {"comment": comment, "files": files, "html": html, "dry_run": dry_run}
    further = {name: value for name, value in asked_for.items() if value}
    return run(
        replace(common, server=server),
        tuple(overlays or ()),
        since=since,
        before=before,
        after=after,
        fix=fix,
        add_guards=add_guards,
        **further,
    )


@app.command()
@verb
def effects(
    common: Common,
    overlays: Overlays = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with 1 when a customization does nothing.")
    ] = False,
) -> int:
    """Say what each customization does now: which objects it changes, where, from what to what."""
    from upstreamsync.cli.effects import effects as run

    return run(common, tuple(overlays or ()), strict=strict)


@app.command()
@judging_verb
def pr(
    common: Common,
    vendors: Vendors = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be done; leave no trace.")
    ] = False,
    forge: Forge = None,
    suggest_fixes: Annotated[
        bool, typer.Option("--suggest-fixes", help="Add mechanical corrections of patches as a commit.")
    ] = False,
    notices: Annotated[
        bool, typer.Option("--notices", help="Keep one issue per vendor that can't be fetched.")
    ] = False,
    reports: Annotated[
        Path | None,
        typer.Option(
            "--reports", metavar="DIR", help="Write the full report of each proposal into this folder."
        ),
    ] = None,
    discard_edits: DiscardEdits = False,
    html: Html = None,
    server: ServerContext = None,
) -> int:
    """Check, update, verify, commit, push, and open or refresh the pull requests."""
    from upstreamsync.cli.propose import propose
    from upstreamsync.report import annotations, document, markdown

    pull_requests, file = propose(
        replace(common, server=server),
        tuple(vendors or ()),
        dry_run=dry_run,
        forge=forge,
        suggest_fixes=suggest_fixes,
        notices=notices,
        reports=reports,
        discard_edits=discard_edits,
        html=html,
    )
    common.say(
        document=lambda: document.pr_document(pull_requests),
        text=lambda out: text_form().print_pull_requests(
            out, pull_requests, dry_run=dry_run, verbose=common.verbose
        ),
        markdown=lambda: markdown.pr_markdown(pull_requests),
        github=lambda: annotations.pr_annotations(pull_requests, file=file),
    )
    return exits.of_pull_requests(pull_requests)


@app.command()
@judging_verb
def promote(
    common: Common,
    source: Annotated[
        str | None, typer.Option("--from", metavar="BRANCH", help="The branch that changes come from.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--to", metavar="BRANCH", help="The branch that they go to.")
    ] = None,
    soak: Annotated[
        str | None,
        typer.Option(
            "--soak", metavar="DURATION", help="How long a commit waits (12h, 3d) before it may go on."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; leave no trace.")
    ] = False,
    forge: Forge = None,
    server: ServerContext = None,
) -> int:
    """Keep one pull request open between two branches: judged, held by checks and age, merged by people."""
    from upstreamsync.cli.promote import run

    return run(
        replace(common, server=server),
        source=source,
        target=target,
        soak=soak,
        dry_run=dry_run,
        forge=forge,
    )


@app.command()
@verb
def doctor(
    common: Common,
    install: Annotated[
        bool, typer.Option("--install", help="Fetch the pinned tools into the cache.")
    ] = False,
) -> int:
    """Say which helm and kustomize are used, which tokens are seen, and what is missing."""
    from upstreamsync.cli.doctor import examine

    return examine(common, install=install)


@app.command()
@verb
def adopt(
    common: Common,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="VENDOR…|FILE|FOLDER", help="Vendors, and files of forks; or a folder, with --from."
        ),
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="URL|REPOSITORY#CHART|GIT//PATH",
            help="Where a folder that no vendor declares came from; writes the entry, too.",
        ),
    ] = None,
    version: Annotated[
        str | None,
        typer.Option("--version", metavar="VERSION", help="The version that the copy was made from."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show everything that would be written; write nothing.")
    ] = False,
) -> int:
    """Make a pristine base and patches of a copy that was edited by hand, proven by building both."""
    from upstreamsync.cli.adopt import adopt as make

    return make(common, tuple(names or ()), origin=origin, version=version, dry_run=dry_run)


@app.command("mv")
@verb
def mv(
    common: Common,
    vendor: OneVendor,
    path: Annotated[str, typer.Argument(metavar="PATH", help="The new folder of its base.")],
    dry_run: WriteNothing = False,
) -> int:
    """Move a base to another folder, with its lock, its entry, and the kustomizations that name it."""
    from upstreamsync.cli.relocate import move

    return move(common, vendor, path, dry_run=dry_run)


@app.command()
@verb
def remove(
    common: Common,
    vendor: Annotated[
        str,
        typer.Argument(
            metavar="VENDOR",
            help="The vendor; also one that is gone already.",
            autocompletion=completion.vendors,
        ),
    ],
    keep_files: Annotated[
        bool, typer.Option("--keep-files", help="Leave the base as files of your own.")
    ] = False,
    discard_edits: DiscardEdits = False,
    dry_run: WriteNothing = False,
) -> int:
    """Take a vendor away: its entry, its lock, and upstream's files."""
    from upstreamsync.cli.relocate import remove as take_away

    return take_away(common, vendor, keep_files=keep_files, discard_edits=discard_edits, dry_run=dry_run)


@app.command()
@verb
def demo(
    common: Common,
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Where; default: a temporary folder.")
    ] = None,
) -> int:
    """Run the whole job on a small repository with embedded example upstreams, offline."""
    from upstreamsync.cli.demo import run_demo

    return run_demo(common, folder)


@app.command()
@verb
def init(
    common: Common,
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="The repository; default: this folder.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Where to write; default: DIR/vendors.yaml."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that exists.")] = False,
    images: Annotated[bool, typer.Option("--images", help="Also follow the images that are pinned.")] = False,
) -> int:
    """Look through a repository and write a vendors.yaml to start from."""
    from upstreamsync.cli.init import initialize

    return initialize(common, folder, output=output, force=force, images=images)


@app.command()
def schema() -> None:
    """Print the JSON Schema of vendors.yaml."""
    from upstreamsync.config.load import json_schema

    def show() -> int:
        output.json_result(json_schema())
        return exits.DONE

    exits.run(show)


__all__ = ["Format", "app"]
