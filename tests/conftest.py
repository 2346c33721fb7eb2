"""Fixtures for all tests: a fresh test world each, and a small GitOps repository."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from upstreamsync.testing import GitOps, World

#: The gate gives the same answer twice: fixed seeds, nothing remembered, and no limit that a busy machine reaches.
#: `make fuzz` (FUZZ_SEED) searches with new seeds instead; what it finds becomes a fixed example.
settings.register_profile("fixed", derandomize=True, database=None, deadline=None)
settings.register_profile("search", derandomize=False, database=None, deadline=None, print_blob=True)
settings.load_profile("search" if os.environ.get("FUZZ_SEED") else "fixed")

#: Where a run keeps the key of its caches; the user's own is left alone.
_STATE = tempfile.TemporaryDirectory(prefix="upstreamsync-state-")
os.environ["XDG_STATE_HOME"] = _STATE.name

_OPENAPI = Path(__file__).parents[1] / ".tools" / "openapi"


@pytest.fixture(autouse=True)
def _no_registry_of_others_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The images of tests lie at registries that are not there; tests of the lookup say so themselves."""
    monkeypatch.setenv("UPSTREAMSYNC_IMAGE_LOOKUP", "0")


@pytest.fixture(scope="session")
def github_openapi() -> Path | None:
    """GitHub's OpenAPI description (GITHUB_OPENAPI, else what scripts/fetch_openapi.py put in .tools)."""
    if given := os.environ.get("GITHUB_OPENAPI"):
        return Path(given)
    return max(_OPENAPI.glob("api.github.com-*.json"), default=None)


@pytest.fixture
def world(github_openapi: Path | None) -> Iterator[World]:
    """A world of the test's own; talking to its GitHub against the OpenAPI description fails the test."""
    with World(openapi=github_openapi) as made:
        yield made
        assert "\n".join(made.github.violations) == ""


@pytest.fixture
def gitops(tmp_path: Path, world: World) -> GitOps:
    """A user's repository with a bare origin in the world, known to its GitHub as acme/gitops."""
    return GitOps(tmp_path / "gitops", world)
