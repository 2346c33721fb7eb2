"""What is proposed for a repository that is given as path → text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from upstreamsync.discover import Proposal, look_through
from upstreamsync.testing import write_files

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


def found(root: Path, files: dict[str, str]) -> dict[str, Proposal]:
    """By name."""
    write_files(root, files)
    return {one.name: one for one in look_through(root).proposals}


def only(root: Path, files: dict[str, str]) -> Proposal:
    """Where there is one."""
    (proposal,) = found(root, files).values()
    return proposal


def source(proposal: Proposal) -> Any:
    """Where it has one."""
    (one,) = proposal.sources
    return one
