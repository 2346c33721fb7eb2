"""A vendors.yaml to start from: read the repository, find what it vendors, write it down.

``look_through`` reads and never writes; what it does not know it says in remarks, and what it can't
complete is written as a comment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from upstreamsync.config.load import parse_configuration
from upstreamsync.discover.applications import read_applications
from upstreamsync.discover.candidates import Candidate, Proposal
from upstreamsync.discover.chart_dependencies import read_chart_dependencies
from upstreamsync.discover.downloads import read_clones, read_copies, read_downloads
from upstreamsync.discover.foreign import without_foreign
from upstreamsync.discover.gather import gather
from upstreamsync.discover.guessed import read_plain
from upstreamsync.discover.helm_lines import agreed_repositories, read_helm_lines, repositories_of
from upstreamsync.discover.helmfile import read_helmfile
from upstreamsync.discover.kustomizations import read_images, read_kustomization
from upstreamsync.discover.render import entry, render
from upstreamsync.discover.renovate import read_custom_managers, read_renovate
from upstreamsync.discover.scan import TextFile, Tree, read_files, tree_of
from upstreamsync.discover.shell import read_scripts
from upstreamsync.discover.trial import tried, unexplained_folders
from upstreamsync.discover.vendored import read_header, read_rendered, read_unpacked
from upstreamsync.discover.vendoring_tools import read_kptfile, read_vendir
from upstreamsync.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A vendors.yaml to start from: the vendors in it, and its text.

    ``unexplained`` are folders whose content looks like somebody else's, and that no vendor accounts for.
    """

    proposals: tuple[Proposal, ...]
    text: str
    unexplained: tuple[str, ...] = ()


def look_through(root: Path, *, images: bool = False) -> Start:
    """What the repository at ``root`` vendors; with ``images``, also the pins in its kustomizations.

    The text passes the configuration's check. Raises nothing for files that can't be read or understood:
    they are left out.
    """
    files = read_files(root)
    tree = tree_of(file for file in files if file.name != "vendors.yaml")
    gathered = (tried(proposal, tree) for proposal in gather(find_candidates(files, images=images)))
    proposals = tuple(_checked(proposal, root) for proposal in gathered)
    unexplained = unexplained_folders(tree, proposals)
    return Start(
        proposals=proposals, text=render(proposals, unexplained=unexplained), unexplained=unexplained
    )


def restarted(start: Start, proposals: tuple[Proposal, ...]) -> Start:
    """The same start with other remarks on its vendors."""
    text = render(proposals, unexplained=start.unexplained)
    return replace(start, proposals=proposals, text=text)


def find_candidates(files: Sequence[TextFile], *, images: bool = False) -> tuple[Candidate, ...]:
    """Every mention of an upstream in these files."""
    files = [file for file in files if file.name != "vendors.yaml"]
    tree = tree_of(files)
    return tuple(without_foreign(_candidates(files, tree, images=images), tree))


def _candidates(files: Sequence[TextFile], tree: Tree, *, images: bool) -> Iterator[Candidate]:
    scripts = read_scripts(files)
    repositories = agreed_repositories(scripts)
    for script in scripts:
        clones = read_clones(script)
        yield from read_downloads(script, tree)
        yield from read_copies(script, clones, tree)
        aliases = {**repositories, **repositories_of(script)}
        yield from read_helm_lines(script, clones, aliases, tree)
    for file in files:
        yield from read_renovate(file, repositories)
        yield from read_kptfile(file, tree)
        yield from read_helmfile(file, tree)
        yield from read_custom_managers(file, repositories, tree)
        yield from read_header(file, tree)
        if not file.is_yaml:
            continue
        yield from read_kustomization(file)
        yield from read_rendered(file)
        yield from read_plain(file)
        yield from read_unpacked(file, tree)
        yield from read_chart_dependencies(file, tree)
        yield from read_vendir(file, tree)
        if images:
            yield from read_images(file)
    yield from read_applications(files)


def _checked(proposal: Proposal, root: Path) -> Proposal:
    if not proposal.complete:
        return proposal
    try:
        parse_configuration(render([proposal]).encode(), path=root / "vendors.yaml")
    except ConfigError as error:
        reasons = tuple(problem.message for problem in error.problems)
        return replace(proposal, complete=False, unsure=(*proposal.unsure, *reasons))
    return proposal


__all__ = ["Proposal", "Start", "entry", "find_candidates", "look_through", "render", "restarted"]
