"""What all tests of sources share: tools of their own, and a short way to say what is to be fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from upstreamsync import sources
from upstreamsync.config.spec import Vendor
from upstreamsync.kit.git.remote import Git
from upstreamsync.kit.http.client import Http
from upstreamsync.kit.run.engines import Engines
from upstreamsync.kit.store.cache import Cache
from upstreamsync.kit.toolbox import Toolbox
from upstreamsync.model import Artifact, Release


@pytest.fixture
def tools(tmp_path: Path) -> Iterator[Toolbox]:
    cache = Cache(tmp_path / "cache")
    root = tmp_path / "repository"
    root.mkdir()
    http = Http(cache=cache, attempts=1, timeout=60)
    git = Git(cache=cache)
    yield Toolbox(
        http=http, git=git, engines=Engines(), cache=cache, root=root, now=datetime(2026, 1, 1, tzinfo=UTC)
    )
    git.close()
    http.close()


Fetch = Callable[..., Artifact]


@pytest.fixture
def fetch(tools: Toolbox) -> Fetch:
    """Fetch a source given as in vendors.yaml, at ``version`` (a text or a Release)."""

    def run(
        source: Mapping[str, Any],
        version: str | Release = "v1.2.3",
        *,
        overrides: Mapping[str, bytes] | None = None,
        engines: Engines | None = None,
        allow_commands: bool = False,
        **vendor: Any,
    ) -> Artifact:
        release = version if isinstance(version, Release) else Release(version=version, ref=version)
        declared = Vendor.model_validate(
            {"name": "thing", "version": "v1.0.0", "base": "base", "source": dict(source), **vendor}
        )
        own = replace(tools, engines=engines or tools.engines, allow_commands=allow_commands)
        return sources.fetch(declared.source[0], release, declared, own, overrides=overrides or {})

    return run


@pytest.fixture
def probe(tools: Toolbox) -> Callable[..., None]:
    """Probe a source given as in vendors.yaml."""

    def run(source: Mapping[str, Any], version: str | Release = "v1.2.3", **vendor: Any) -> None:
        release = version if isinstance(version, Release) else Release(version=version, ref=version)
        declared = Vendor.model_validate(
            {"name": "thing", "version": "v1.0.0", "base": "base", "source": dict(source), **vendor}
        )
        sources.probe(declared.source[0], release, declared, tools)

    return run
