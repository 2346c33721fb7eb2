"""A team for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from upstreamsync.testing import World

pytest.register_assert_rewrite("shapes.harness")

from shapes.harness import Team  # noqa: E402


@pytest.fixture
def team(tmp_path: Path, world: World) -> Team:
    """An empty repository beside a fresh world."""
    root = tmp_path / "team"
    root.mkdir()
    return Team(root=root, world=world)
