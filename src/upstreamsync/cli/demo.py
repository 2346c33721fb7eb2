"""``demo``: a small GitOps repository, example upstreams of every kind, and the whole job on them."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from upstreamsync.cli import exits
from upstreamsync.cli.common import Common
from upstreamsync.errors import ToolFailed, UsageError
from upstreamsync.examples import publish_first, publish_second, repository_files
from upstreamsync.kit.run.process import run
from upstreamsync.model import Action, PullRequest, Verdict, Verification
from upstreamsync.project import Project, Settings, open_project
from upstreamsync.report import text
from upstreamsync.testing import World

if TYPE_CHECKING:
    from rich.console import Console

_NAME = "example/gitops"
_FAULTY = "lantern"


def run_demo(common: Common, folder: Path | None) -> int:
    """Set everything up in ``folder`` (or a temporary one) and tell the story; 0 when it ends well."""
    out = text.console(sys.stdout)
    with ExitStack() as stack:
        world = stack.enter_context(World())
        place = _folder(folder, stack)
        publish_first(world)
        project = stack.enter_context(_opened(common, world, place))
        _first_bases(out, project, place)
        publish_second(world)
        _tell(out, "check", "Half a year later upstream has moved on. What is there to take?")
        text.print_check(out, project.check())
        _tell(
            out, "update --dry-run", "What would it change, and do the local patches still do what they did?"
        )
        changes = project.update()
        moved = [one for one in changes.updates if one.status == "updated"]
        edits = sum(len(one.edits) for one in moved)
        out.print(f"{len(moved)} vendors would move; {len(changes.files)} files, {edits} follow-up edit.")
        verification = project.verify(changes)
        text.print_verification(out, verification)
        _show_bare_build(out, project, changes.files)
        _tell(
            out,
            "pr",
            "One pull request a vendor, from a worktree of its own; a draft where a person is needed.",
        )
        pull_requests = project.propose(changes)
        drafts = sum(one.draft for one in pull_requests)
        out.print(f"{len(pull_requests) - drafts} pull requests are ready to merge, {drafts} are drafts.")
        _show_result(out, pull_requests)
        return _judge_story(out, verification, pull_requests, place if folder else None)


@contextmanager
def prepare(common: Common, place: Path) -> Iterator[dict[str, str]]:
    """The example repository in ``place``, its upstreams served and half a year on.

    Yields the environment in which `upstreamsync` reaches the example forge.
    """
    with World() as world:
        publish_first(world)
        with _opened(common, world, place, generators=False) as project:
            changes = project.update()
            changes.write()
            _commit_all(place, "Vendor our off-the-shelf configuration")
            _commit_all(place, "Nothing new this week")
            publish_second(world)
        yield _environment(world)


def _environment(world: World) -> dict[str, str]:
    return {
        "GITHUB_API_URL": f"{world.url}/api/v3",
        "GITHUB_REPOSITORY": _NAME,
        "GITHUB_TOKEN": "demo",
    }


@contextmanager
def _opened(common: Common, world: World, place: Path, *, generators: bool = True) -> Iterator[Project]:
    """The example repository on disk, in git, with a bare origin in the world."""
    files = repository_files(world.url, world.oci_url, generators=generators)
    for path, content in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(content, encoding="utf-8")
    remote = world.git("gitops")
    world.github.repository(_NAME, git=remote)
    _git(place, "init", "--quiet", "--initial-branch=main")
    _git(place, "remote", "add", "origin", remote.url)
    settings = Settings(
        jobs=common.jobs,
        cache_folder=common.cache_dir,
        use_cache=not common.no_cache,
        allow_commands=True,
        environment={**os.environ, **_environment(world)},
    )
    with open_project(place, settings=settings) as project:
        yield project


def _folder(folder: Path | None, stack: ExitStack) -> Path:
    if folder is None:
        return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="upstreamsync-demo-")))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        what = "is not empty" if folder.is_dir() else "is a file"
        raise UsageError(f"{folder} {what}", hint="name a folder that does not exist yet")
    folder.mkdir(parents=True, exist_ok=True)
    return folder.absolute()


def _first_bases(out: Console, project: Project, place: Path) -> None:
    """Vendor everything for the first time, and commit it."""
    _tell(
        out, "update", "A repository with eleven vendors, one of each kind of source. Their bases come first."
    )
    changes = project.update()
    changes.write()
    files = [path for path, data in changes.files.items() if data is not None]
    out.print(f"{len(changes.changes)} vendors, {len(files)} files: every base is upstream's own bytes.")
    for update in changes.updates:
        if update.error is not None:
            out.print(f"{update.vendor}: {update.error.message}", markup=False)
    _commit_all(place, "Vendor our off-the-shelf configuration")
    project.close()


def _show_bare_build(out: Console, project: Project, files: Mapping[str, bytes | None]) -> None:
    """The same update with nothing but kustomize: it builds, and says nothing."""
    from upstreamsync.project.verify.trees import tree_with

    _tell(out, None, f"A bare `kustomize build {_FAULTY}/overlay` of the update says:")
    kustomize = project.session.tools.engines.kustomize()
    with tree_with(project.root, files) as tree:
        try:
            built = kustomize.build(tree / _FAULTY / "overlay", root=tree / _FAULTY)
            out.print(f"exit code 0, {len(built)} bytes of YAML: it sees nothing wrong.")
        except ToolFailed as error:
            out.print(error.message, markup=False)


def _show_result(out: Console, pull_requests: tuple[PullRequest, ...]) -> None:
    """The head of one pull request: what its reviewer sees first."""
    shown = next((one for one in pull_requests if one.vendor == _FAULTY), None)
    if shown is None:
        return
    out.print(f"Its reviewer reads, in #{shown.number} on branch {shown.branch}:", markup=False)
    head, needs, rest = (shown.body or "").partition("### Needs you")
    table = rest.lstrip().partition("\n\n")[0] if needs else ""
    for line in [f"# {shown.title}", *head.strip().splitlines()[:2], *table.splitlines()]:
        out.print(f"  > {line}", markup=False)


def _judge_story(
    out: Console, verification: Verification, pull_requests: tuple[PullRequest, ...], kept: Path | None
) -> int:
    """End with a sentence, and with 0 only when the story went as it should."""
    silent = [
        item
        for item in verification.items
        if item.verdict not in (Verdict.OK, Verdict.FAILS, Verdict.UNJUDGED)
    ]
    opened = [one for one in pull_requests if one.action is Action.OPENED]
    if not silent or not opened:
        out.print("The demo did not end as it should; `upstreamsync doctor` may say why.")
        return exits.PARTIAL
    _tell(out, None, f"{len(silent)} customizations would have broken in silence, with every build green:")
    for item in silent:
        out.print(f"  {item.verdict.value:<11} {item.item}", markup=False)
    _tell(out, None, "At home, in a repository of yours:")
    out.print(
        "  upstreamsync init                   a vendors.yaml out of what the repository shows", markup=False
    )
    out.print(
        "  upstreamsync verify --since HEAD~1  what becomes of your patches, with or without one",
        markup=False,
    )
    out.print(
        "  upstreamsync pr --forge local       a branch a vendor and its text, nothing pushed", markup=False
    )
    if kept is not None:
        out.print(f"The repository is in {kept}.", markup=False)
    return exits.DONE


def _tell(out: Console, command: str | None, words: str) -> None:
    out.print()
    if command:
        out.print(f"[bold cyan]$ upstreamsync {command}[/]")
    out.print(f"[bold]{words}[/]")


def _commit_all(place: Path, message: str) -> None:
    """Commit everything as the team, and push it."""
    identity = ("-c", "user.name=Platform team", "-c", "user.email=team@example.com")
    _git(place, "add", "--all")
    _git(place, *identity, "commit", "--quiet", "--allow-empty", "--message", message)
    _git(place, "push", "--quiet", "origin", "main")


def _git(place: Path, *words: str) -> None:
    run(["git", *words], cwd=place, env={"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull})
