"""A vendors.yaml to start from: read the repository, find what it vendors, write it down.

``look_through`` reads and never writes; what it does not know it says in remarks, and what it can't
complete is written as a comment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from upstreamsync.config.load import parse_configuration
from upstreamsync.discover.applications import read_applications
from upstreamsync.discover.candidates import Candidate, Proposal
from upstreamsync.discover.downloads import read_clones, read_copies, read_downloads
from upstreamsync.discover.gather import gather
from upstreamsync.discover.helm_lines import read_helm_lines, repositories_of
from upstreamsync.discover.kustomizations import read_images, read_kustomization
from upstreamsync.discover.render import entry, render
from upstreamsync.discover.scan import TextFile, read_files
from upstreamsync.discover.shell import read_script
from upstreamsync.discover.vendored import read_header, read_rendered
from upstreamsync.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A vendors.yaml to start from: the vendors in it, and its text."""

    proposals: tuple[Proposal, ...]
    text: str


def look_through(root: Path, *, images: bool = False) -> Start:
    """What the repository at ``root`` vendors; with ``images``, also the pins in its kustomizations.

    The text passes the configuration's check. Raises nothing for files that can't be read or understood:
    they are left out.
    """
    candidates = find_candidates(read_files(root), images=images)
    proposals = _acceptable(gather(candidates), root)
    return Start(proposals=proposals, text=render(proposals))


def find_candidates(files: Sequence[TextFile], *, images: bool = False) -> tuple[Candidate, ...]:
    """Every mention of an upstream in these files."""
    return tuple(_candidates(files, images=images))


def _candidates(files: Sequence[TextFile], *, images: bool) -> Iterator[Candidate]:
    files = [file for file in files if file.name != "vendors.yaml"]
    folders = frozenset(_folders(files))
    scripts = [script for file in files if (script := read_script(file)) is not None]
    repositories = {name: url for script in scripts for name, url in repositories_of(script).items()}
    for script in scripts:
        clones = read_clones(script)
        yield from read_downloads(script, folders)
        yield from read_copies(script, clones, folders)
        yield from read_helm_lines(script, clones, repositories, folders)
    for file in files:
        if not file.is_yaml:
            continue
        yield from read_kustomization(file)
        yield from read_header(file)
        yield from read_rendered(file)
        if images:
            yield from read_images(file)
    yield from read_applications(files)


def _folders(files: Iterable[TextFile]) -> Iterator[str]:
    for file in files:
        yield from (parent.as_posix() for parent in PurePosixPath(file.path).parents)


def _acceptable(proposals: tuple[Proposal, ...], root: Path) -> tuple[Proposal, ...]:
    """The proposals, those that the configuration's check refuses turned into comments with its reason."""
    return tuple(_checked(proposal, root) for proposal in proposals)


def _checked(proposal: Proposal, root: Path) -> Proposal:
    if not proposal.complete:
        return proposal
    try:
        parse_configuration(render([proposal]).encode(), path=root / "vendors.yaml")
    except ConfigError as error:
        reasons = tuple(problem.message for problem in error.problems)
        return replace(proposal, complete=False, unsure=(*proposal.unsure, *reasons))
    return proposal


__all__ = ["Proposal", "Start", "entry", "find_candidates", "look_through", "render"]
