"""What all tests of feeds share: tools of one run, and a short way to say ``releases:``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from upstreamsync.config.spec import Releases
from upstreamsync.kit.git.remote import Git
from upstreamsync.kit.http.client import Http
from upstreamsync.kit.run.engines import Engines
from upstreamsync.kit.store.cache import Cache
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.model import Release
from upstreamsync.releases import fetch_releases
from upstreamsync.testing import World

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def new_run(tmp_path: Path, world: World) -> Iterator[Callable[[], Toolbox]]:
    """The tools of another run over the same cache."""
    with ExitStack() as stack:

        def make() -> Toolbox:
            cache = Cache(tmp_path / "cache")
            http = stack.enter_context(Http(cache=cache, attempts=1, timeout=60))
            git = Git(cache=cache)
            stack.callback(git.close)
            return Toolbox(
                http=http,
                git=git,
                engines=Engines(),
                cache=cache,
                root=tmp_path,
                now=NOW,
                github_api=world.github.url,
            )

        yield make


@pytest.fixture
def tools(new_run: Callable[[], Toolbox]) -> Toolbox:
    return new_run()


@pytest.fixture
def fetch(tools: Toolbox) -> Callable[..., tuple[Release, ...]]:
    """Fetch the releases that a mapping, as in vendors.yaml, declares."""

    def run(declared: dict[str, Any], **options: Any) -> tuple[Release, ...]:
        return fetch_releases(Releases.model_validate(declared), options.pop("tools", tools), **options)

    return run
