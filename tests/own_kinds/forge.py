"""A forge: as the local one, and each pull request is put on a notice board besides."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from upstreamsync import LocalForge

if TYPE_CHECKING:
    from upstreamsync.config import Configuration
    from upstreamsync.forge import Existing, NewPullRequest
    from upstreamsync.kit.git.repository import Repository


class Board(LocalForge):
    """Keeps branches and texts as ``--forge local`` does, and writes the titles to a file."""

    wall = Path("board.txt")

    def open(self, new: NewPullRequest) -> Existing:
        """Open it, and put it on the board."""
        with self.wall.open("a", encoding="utf-8") as board:
            board.write(f"{new.title}\n")
        return super().open(new)


def board(repository: Repository, configuration: Configuration, environment: Mapping[str, str]) -> Board:
    """Made for a project by its ``forge: {kind: board}``."""
    return Board(repository, prefix=configuration.forge.branch_prefix)
